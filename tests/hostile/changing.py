"""Sources that change while they are read: a hundred times a second, whole or cut off, under every engine at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.case import PUBLISHED, Case, Files

__all__ = ["cases"]

_TIMES = 20_000
# Two versions of each file; what is made of one holds nothing of the other.
_VERSIONS = {
    "assets/plain.txt": ("old\n", "new\n"),
    "assets/sheet.css": (".old{a:b}\n", ".new{a:b}\n"),
    "assets/sass.scss": (".old{a:b}\n", ".new{a:b}\n"),
    "assets/script.js": ("old();\n", "new_();\n"),
    "src/module.ts": ("old();\n", "new_();\n"),
    "src/classic.js": ("old();\n", "new_();\n"),
    "src/filtered.css": (".old{a:b}\n", ".new{a:b}\n"),
}
_CONFIG = """
[entries]
"js/module.js" = { module = "src/module.ts" }
"js/classic.js" = { classic = ["src/classic.js"] }
"css/filtered.css" = { sources = ["src/filtered.css"], filters = ["rcssmin"] }
"""


def _files() -> Files:
    return {"assetbuild.toml": _CONFIG, **{name: texts[0] * _TIMES for name, texts in _VERSIONS.items()}}


class _Rewriting:
    """Writes the next version of every file at each call: by rename, as editors do, or in place."""

    def __init__(self, *, in_place: bool) -> None:
        self._in_place = in_place
        self._turns = itertools.count(1)

    def __call__(self, project: Path) -> None:
        turn = next(self._turns) % 2
        for name, texts in _VERSIONS.items():
            file = project / name
            if self._in_place:
                file.write_text(texts[turn] * _TIMES)
            else:
                beside = project / "beside"
                beside.write_text(texts[turn] * _TIMES)
                beside.rename(file)


def _mixed(output: Path) -> Iterator[str]:
    """Yield the assets in which two versions of a source meet."""
    assets = json.loads((output / "manifest.json").read_bytes())["assets"]
    for logical, asset in assets.items():
        content = (output / asset["file"]).read_bytes()
        if b"old" in content and b"new" in content:
            yield f"published two versions of a file in `{logical}`"


def cases() -> Iterator[Case]:
    """Yield the cases: one compile each, in which every engine has a source that changes."""
    for name, in_place in (("replaced", False), ("rewritten in place", True)):
        # A file that is rewritten in place may be read when half of it is there, which is a version of it too.
        wrong = None if in_place else _mixed
        yield Case(
            "every engine",
            f"sources {name} at 100 Hz",
            _files,
            f"{PUBLISHED} | changed while it was being compiled",
            exit_code=2,
            while_it_runs=_Rewriting(in_place=in_place),
            wrong=wrong,
            is_short=not in_place,
        )

"""The stage: a project in two editions, the clean builds of both, and the state from which every run begins.

That state is the old edition compiled, with its cache and its record, and the sources of the new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.builds import Build, build_of, files_in
from tests.faults.forge import ASSETBUILD, Forge, Run

__all__ = ["ENGINES", "LEVELS", "PLAIN", "SMALL", "Edition", "Editions", "Stage"]

Edition = Mapping[str, bytes | str]
"""Path → what a file holds; a `str` is where a link leads."""
Editions = tuple[Edition, Edition]

_IMAGE = bytes(range(256)) * 300  # more than the house keeps in memory: copied from its file
_OTHER_IMAGE = _IMAGE[::-1]
_PLAIN_OLD: Edition = {
    "assetbuild.toml": b'keep_names = ["robots.txt"]\n[sourcemaps]\nmode = "hidden"\n'
    b'[entries]\n"css/app.css" = "css/parts.css"\n',
    "assets/robots.txt": b"User-agent: *\n" * 30,
    "assets/css/parts.css": b'@import "base.css";\n.a { background: url(../img/one.png) }\n',
    "assets/css/base.css": b".b { color: red }\n" * 20,
    "assets/js/plain.js": b"console.log(new URL('../img/one.png', import.meta.url))\n",
    "assets/img/one.png": b"\x89PNG\r\n\x1a\n" + _IMAGE,
    "assets/img/gone.png": b"\x89PNG\r\n\x1a\n gone",
    "assets/img/same.png": "one.png",
}
_PLAIN_NEW: Edition = {
    **{path: body for path, body in _PLAIN_OLD.items() if path != "assets/img/gone.png"},
    "assets/css/base.css": b".b { color: blue }\n" * 20,
    "assets/img/one.png": b"\x89PNG\r\n\x1a\n" + _OTHER_IMAGE,
    "assets/img/more/two.png": b"\x89PNG\r\n\x1a\n two",
}
PLAIN: Editions = (_PLAIN_OLD, _PLAIN_NEW)
"""Stylesheets with references, a plain script, images, a stable name, a hidden map: no engine outside the process."""

_SMALL_OLD: Edition = {
    "assetbuild.toml": b"[compress]\nbr = false\n",
    "assets/a.css": b".a { background: url(b.png) }\n" * 9,
    "assets/b.png": b"\x89PNG\r\n\x1a\n old",
}
SMALL: Editions = (_SMALL_OLD, {**_SMALL_OLD, "assets/b.png": b"\x89PNG\r\n\x1a\n new"})
"""As few files as make a chain: an image, and the sheet that it renames."""

_LEVELS_OLD: Edition = {
    "assets/a.css": b"".join(b".a%d { margin: %dpx }\n" % (number, number * number) for number in range(400)),
    "assets/b.css": b".b { background: url(c.png) }\n" * 9,
    "assets/c.png": b"\x89PNG\r\n\x1a\n old",
}
LEVELS: Editions = (_LEVELS_OLD, {**_LEVELS_OLD, "assets/c.png": b"\x89PNG\r\n\x1a\n new"})
"""One sheet stays, another gets a new name. For a stage whose old edition was compressed less."""

_ENGINES_OLD: Edition = {
    "assetbuild.toml": b'[entries]\n"js/app.js" = { module = "js/app.ts" }\n',
    "assets/css/app.scss": b'@use "part";\n.a { background: url(../img/one.png); .b { color: part.$shade } }\n',
    "assets/css/_part.scss": b"$shade: red;\n",
    "assets/js/app.ts": b"import { shade } from './part';\nconst told: string = shade;\nconsole.log(told);\n",
    "assets/js/part.ts": b"export const shade = 'red';\n",
    "assets/img/one.png": b"\x89PNG\r\n\x1a\n one",
}
ENGINES: Editions = (
    _ENGINES_OLD,
    {
        **_ENGINES_OLD,
        "assets/css/_part.scss": b"$shade: blue;\n",
        "assets/js/part.ts": b"export const shade = 'blue';\n",
    },
)
"""What Sass and esbuild compile."""


class _Folders(NamedTuple):
    state: Path
    start: Path


class Stage:
    """Everything that a campaign works with. A context manager.

    folder: of the caller's, empty. project, output, cache: as runs find them, set back by `reset`.
    profile: of the compile that left the old edition.
    """

    def __init__(
        self,
        folder: Path,
        editions: Editions = PLAIN,
        environ: Mapping[str, str] | None = None,
        profile: str = "production",
    ) -> None:
        self._folders = _Folders(folder / "state", folder / "start")
        self.editions = editions
        self.project = self._folders.state / "project"
        self.output = self.project / "build/assets"
        self.hidden = self.project / "build/assets-maps"
        self.cache = self._folders.state / "cache"
        self.environ = {**os.environ, **(environ or {}), "ASSETBUILD_CACHE": str(self.cache)}
        for number, edition in enumerate(editions):
            _write(edition, folder / f"clean{number}")
        rehearsal = Run(["compile", "--jobs", "1", str(folder / "clean0")], folder, self.environ)
        self.forge = Forge(ASSETBUILD, rehearsal)
        shutil.rmtree(self.cache, ignore_errors=True)
        before = ["--profile", profile]
        self.old, self.new = self._clean(folder / "clean0", *before), self._clean(folder / "clean1")
        _write(editions[0], self.project)
        self.must(self.run(flags=before))
        _write(editions[1], self.project)
        for path in editions[0].keys() - editions[1].keys():
            (self.project / path).unlink()
        shutil.copytree(self._folders.state, self._folders.start, symlinks=True)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.forge.__exit__()

    def reset(self) -> None:
        """Set the state back: the old build, its cache and record, the sources of the new edition."""
        shutil.rmtree(self._folders.state)
        shutil.copytree(self._folders.start, self._folders.state, symlinks=True)

    def run(self, *, jobs: int = 1, uid: int = 0, project: Path | None = None, flags: Sequence[str] = ()) -> Run:
        """Return the command, as people write it. project: another one that is compiled into the same output."""
        output = ["--output", str(self.output)] if project else []
        argv = ["compile", "--offline", "--jobs", str(jobs), *flags, *output, str(project or self.project)]
        return Run(argv, self._folders.state, self.environ, uid)

    def write(self, edition: Edition, name: str) -> Path:
        """Write an edition beside the project, until the next `reset`, and return its folder."""
        _write(edition, self._folders.state / name)
        return self._folders.state / name

    def must(self, run: Run) -> None:
        """Run what has to succeed."""
        ended = self.forge.run(run)
        assert ended.code == 0, ended.text

    def _clean(self, project: Path, *flags: str) -> Build:
        run = Run(["compile", "--jobs", "1", "--no-cache", *flags, str(project)], project, self.environ)
        shutil.rmtree(project / "build", ignore_errors=True)
        self.must(run)
        return build_of(files_in(project / "build/assets"))


def _write(edition: Edition, folder: Path) -> None:
    for path, body in edition.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(body, str):
            file.unlink(missing_ok=True)
            file.symlink_to(body)
        elif not file.exists() or file.read_bytes() != body:
            file.write_bytes(body)

"""What is no plain file, and names that no two systems read alike (reference: Win32 "Naming Files", Unicode §3.13)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.hostile.case import CARRIERS, PUBLISHED, Case, Files

__all__ = ["cases"]

_NAMES = {
    "two names that differ in case": (("A.css", "a.css"), "name-collision"),
    "two folders that differ in case": (("A/x.css", "a/x.css"), "name-collision"),
    "NFC beside NFD": (("\u00e9.css", "e\u0301.css"), "name-collision"),
    "a long s beside an s": (("\u017f.css", "s.css"), "name-collision"),
    "a device": (("CON",), "bad-name"),
    "a device with an extension": (("aux.css",), "bad-name"),
    "a newline": (("a\nb.css",), "bad-name"),
    "an escape sequence": (("\x1b[31mred.css",), "bad-name"),
    "text that runs backwards": (("\u202egnp.css",), PUBLISHED),
    "a backslash": (("a\\b.css",), "bad-name"),
    "a drive": (("c:a.css",), "bad-name"),
    "bytes that are no UTF-8": ((os.fsdecode(b"\xff.css"),), "bad-name"),
    "255 bytes": (("a" * 251 + ".css",), PUBLISHED),
    "255 bytes of emoji": (("\U0001f600" * 62 + "aaa.css",), PUBLISHED),
    "folders 3,000 bytes deep": (("/".join(["d" * 200] * 15) + "/a.css",), PUBLISHED),
    "a leading hyphen": (("-rf.css", "--help.css"), PUBLISHED),
    "what a URL cuts": (("a#b?c.css",), PUBLISHED),
    "what a URL decodes": (("%2e%2e%2f.css", "a%00.css"), PUBLISHED),
    "a trailing dot and a space": (("a.", "b ", " c"), PUBLISHED),
    "markup": (("<script>alert(1)<\u2044script>.css", "'\"&.css"), PUBLISHED),
    "only an extension": ((".css",), PUBLISHED),
    "the name of the manifest": (("manifest.json",), PUBLISHED),
    "the name of a temporary file": ((".assetbuild-tmp-1-1",), PUBLISHED),
}


def _fifo(place: Path) -> None:
    os.mkfifo(place)


def _socket(place: Path) -> None:
    # Bound by a short path through a link: the address of a socket is at most 108 bytes (unix(7)).
    with socket.socket(socket.AF_UNIX) as bound:
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            bound.bind(f"/proc/self/fd/{folder}/{place.name}")
        finally:
            os.close(folder)


def _device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _loop(place: Path) -> None:
    place.symlink_to(place.name)


def _dangling(place: Path) -> None:
    place.symlink_to("nothing")


def _folder(place: Path) -> None:
    place.mkdir()


def _unreadable(place: Path) -> None:
    place.symlink_to("/proc/self/mem")


_MADE: dict[str, Callable[[Path], None]] = {
    "a FIFO": _fifo,
    "a socket": _socket,
    "a link to /dev/zero": _device,
    "a link to itself": _loop,
    "a link to nothing": _dangling,
    "a folder": _folder,
    "a link to /proc/self/mem": _unreadable,
}
_LEADS_OUT = {"a link to /dev/zero", "a link to /proc/self/mem"}
_LEADS_NOWHERE = {"a link to itself", "a link to nothing"}


def _all(rule: str, **others: str) -> dict[str, str]:
    """Return the rule of each thing; others: of folders, links that lead nowhere, and links that lead out."""
    nowhere, out = others.get("nowhere", rule), others.get("out", rule)
    rules = {name: nowhere if name in _LEADS_NOWHERE else out if name in _LEADS_OUT else rule for name in _MADE}
    return {**rules, "a folder": others.get("folder", rule)}


_IMPORTED = _all("unreadable", folder="missing-reference", nowhere="missing-reference", out="outside-roots")
_ASKED_FOR = {
    "css, bundled": ("src/l.css", '@import "l.css";', _all("missing-reference")),
    "dart-sass": ("src/_l.scss", '@use "l";', _all("missing-stylesheet")),
    "libsass": ("src/_l.scss", '@import "l";', _all("missing-stylesheet")),
    "module": ("src/l.js", 'import "./l.js"', _IMPORTED),
    "module css": ("src/l.css", '@import "l.css";', _IMPORTED),
    "typescript": ("src/l.ts", 'import "./l"', _IMPORTED),
    "script": ("src/l.js", "", _all(PUBLISHED)),  # which lies in no root, and nothing asks for it
}
_IN_A_ROOT = _all("irregular-file", folder=PUBLISHED)
_AN_ENTRY = _all("missing-source")
_ITSELF = {
    **dict.fromkeys(("css", "dart-sass", "libsass", "script", "source map", "svg", "png"), _IN_A_ROOT),
    **dict.fromkeys(("css, bundled", "classic", "rcssmin", "module"), _AN_ENTRY),
    "module json": _IMPORTED,
    "tsconfig": _all("irregular-file", folder=PUBLISHED, nowhere=PUBLISHED, out=PUBLISHED),
    "package.json": {
        **_all("esbuild", folder=PUBLISHED, nowhere=PUBLISHED),
        "a FIFO": "irregular-file",
        "a link to /dev/zero": "irregular-file",
    },
    "configuration": {**_all("irregular-file"), "a link to /proc/self/mem": "outside-project"},
    "bundles.yaml": _all("unreadable", out="outside-project"),
    "jinja": _all(PUBLISHED),  # no template, and `check` says so
}
_SETTINGS = ("configuration", "bundles.yaml")
_LOOKED_FOR = (
    "package.json",
    "src/package.json",
    "src/sub/package.json",
    "src/jsconfig.json",
    "node_modules/p/tsconfig.json",
    "node_modules/p/lib/package.json",
)
"""Where esbuild looks for a description by itself."""
_NOT_LOOKED_FOR = (
    ".browserslistrc",
    ".npmrc",
    ".babelrc",
    "postcss.config.js",
    "pyproject.toml.bak",
    "package-lock.json",
)
"""What other tools read in a project's folder, and we do not."""


def _instead(file: str, make: Callable[[Path], None], project: Path) -> None:
    place = project / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    make(place)


def cases() -> Iterator[Case]:
    """Yield the cases."""
    for name, (files, rule) in _NAMES.items():
        written: Files = {f"assets/{file}": "a{b:c}" for file in files}
        yield Case("names", name, partial(dict, written), rule, is_short=True)
    for engine, rules in _ITSELF.items():
        for name, rule in rules.items():
            yield _placed(engine, f"{name} in its place", CARRIERS[engine].file, "", name, rule)
    for engine, (file, text, rules) in _ASKED_FOR.items():
        for name, rule in rules.items():
            yield _placed(engine, f"an import of {name}", file, text, name, rule)
    yield from _descriptions()


def _placed(engine: str, title: str, file: str, text: str, name: str, rule: str) -> Case:
    carrier = CARRIERS[engine]
    return Case(
        engine,
        title,
        partial(carrier.around, text),
        rule,
        "" if rule == PUBLISHED else os.path.basename(file).split(".")[0].removeprefix("_"),
        carrier.command,
        partial(_instead, file, _MADE[name]),
        exit_code=2 if engine in _SETTINGS else 1,
        is_short=name == "a FIFO" and title.endswith("in its place"),
    )


def _descriptions() -> Iterator[Case]:
    """Yield the cases of a graph in which esbuild comes to a description that is no file, or one without an end."""
    graph: Files = {
        "assetbuild.toml": '[entries]\n"js/e.js" = { module = "src/e.mjs" }\n',
        "src/e.mjs": 'import "./sub/a.mjs"; import "p"',
        "src/sub/a.mjs": "a()",
        "node_modules/p/package.json": '{"main": "lib/b.js"}',
        "node_modules/p/lib/b.js": "b()",
    }
    for file in _LOOKED_FOR:
        is_read = not file.endswith("p/tsconfig.json")  # esbuild reads none of a package
        for name, rule in (("a FIFO", "irregular-file"), ("1 GB of nothing", "too-large | esbuild")):
            yield Case(
                "module",
                f"{name} as {file}",
                partial(dict, graph),
                rule if is_read else PUBLISHED,
                file if is_read else "",
                write=partial(_instead, file, _MADE.get(name, _sparse)),
                is_short=file == "src/sub/package.json" and name == "a FIFO",
            )
    for file in _NOT_LOOKED_FOR:
        yield Case("module", f"a FIFO as {file}", partial(dict, graph), write=partial(_instead, file, _fifo))


def _sparse(place: Path) -> None:
    place.touch()
    os.truncate(place, 1 << 30)

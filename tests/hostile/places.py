"""What is no plain file, and names that no two systems read alike (reference: Win32 "Naming Files", Unicode §3.13)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.hostile.case import ANY, CARRIERS, PUBLISHED, Case, Files

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
_ASKED_FOR = {
    "css, bundled": ("src/l.css", '@import "l.css";'),
    "dart-sass": ("src/_l.scss", '@use "l";'),
    "libsass": ("src/_l.scss", '@import "l";'),
    "module": ("src/l.js", 'import "./l.js"'),
    "module css": ("src/l.css", '@import "l.css";'),
    "typescript": ("src/l.ts", 'import "./l"'),
    "script": ("src/l.js", ""),
}
_ITSELF = (
    "css",
    "css, bundled",
    "dart-sass",
    "libsass",
    "script",
    "classic",
    "rcssmin",
    "module",
    "module json",
    "tsconfig",
    "package.json",
    "source map",
    "svg",
    "png",
    "configuration",
    "bundles.yaml",
    "jinja",
)


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
    for engine in _ITSELF:
        carrier = CARRIERS[engine]
        for name, make in _MADE.items():
            write = partial(_instead, carrier.file, make)
            yield Case(
                engine,
                f"{name} in its place",
                partial(carrier.around, ""),
                ANY,
                "",
                carrier.command,
                write,
                is_short=name == "a FIFO" and engine != "package.json",
            )
    for engine, (file, text) in _ASKED_FOR.items():
        carrier = CARRIERS[engine]
        for name, make in _MADE.items():
            write = partial(_instead, file, make)
            yield Case(engine, f"an import of {name}", partial(carrier.around, text), ANY, "", carrier.command, write)

"""The walk-throughs under examples/: the commands of their READMEs typed as they stand, their servers started.

A README has three blocks of `sh`: before, the change, after. The last line of the first and of the third starts the
server. `assetbuild` is a wheel of this checkout, whichever version a package index has.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.servers import Server, running

__all__ = ["WALKS", "Walk", "Words", "changed", "commands", "copied", "lines_changed", "served", "typed", "words_of"]

_EXAMPLES = Path(__file__).parent.parent / "examples"
_LOCAL = ("ASSETBUILD_", "PYTHON", "VIRTUAL_ENV")


class Walk(NamedTuple):
    """One application that moves. before, after: its folders of assets, as an image would hold them.

    page: what is opened; seen: JavaScript expressions that give the same there before and after, and what they give.
    ready: holds when the scripts of the page have run. also: pages that are opened and have to be clean.
    """

    folder: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    seen: dict[str, object]
    ready: str
    also: tuple[str, ...] = ()
    page: str = "/"


WALKS = {
    "flask": Walk(
        "walk-flask",
        ("lantern/static",),
        ("build/assets",),
        {
            "getComputedStyle(document.querySelector('.spine')).backgroundColor": "rgb(122, 74, 43)",
            "document.querySelector('.top img').naturalWidth > 0": True,
            "document.getElementById('lamp').click(),"
            " getComputedStyle(document.body).backgroundImage.includes('/static/img/hills')": True,
            "(() => { const field = document.getElementById('filter'); field.value = 'moon';"
            " field.dispatchEvent(new Event('input')); return document.querySelectorAll('.spine:not([hidden])').length"
            " })()": 1,
        },
        "document.documentElement.dataset.ready",
        ("/books/villette",),
    ),
    "django": Walk(
        "walk-django",
        ("staticfiles",),
        ("build/assets",),
        {
            "getComputedStyle(document.querySelector('.navbar')).backgroundColor": "rgb(63, 107, 58)",
            "getComputedStyle(document.body).backgroundImage.includes('/static/img/bark')": True,
            "document.querySelector('.navbar-brand img').naturalWidth > 0": True,
            "document.querySelectorAll('tbody tr').length": 3,
            "document.getElementById('menu').click(),"
            " getComputedStyle(document.getElementById('menu-items')).display": "block",
        },
        "document.documentElement.dataset.ready === 'yes'",
        ("/admin/login/",),
    ),
    "fastapi": Walk(
        "walk-fastapi",
        ("lifeboat/static",),
        ("build/assets",),
        {
            "getComputedStyle(document.querySelector('header')).backgroundColor": "rgb(29, 63, 94)",
            "getComputedStyle(document.body).backgroundImage.includes('/static/img/waves')": True,
            "document.querySelector('header img').naturalWidth > 0": True,
            "[...document.fonts].map((font) => font.status)": ["loaded"],
            "document.getElementById('menu').click(),"
            " new Promise((done) => Alpine.nextTick(() => requestAnimationFrame(done))).then(() =>"
            " getComputedStyle(document.getElementById('menu-items')).display)": "block",
            "(() => { const swapped = new Promise((done) => document.body.addEventListener('htmx:afterSettle', done,"
            " { once: true })); document.querySelector('#crew li:nth-child(2) button').click(); return swapped })()"
            ".then(() => document.querySelector('#crew li:nth-child(2) button').innerText)": "On call",
            "(() => { const swapped = new Promise((done) => document.body.addEventListener('htmx:afterSettle', done,"
            " { once: true })); const field = document.querySelector('[name=q]'); field.value = 'nolan';"
            " field.dispatchEvent(new Event('input')); return swapped })()"
            ".then(() => document.querySelector('#crew').innerText.split('\\n')[0])": "Ciara Nolan Navigator",
        },
        "window.htmx && window.Alpine && document.fonts.status === 'loaded'",
        ("/?q=de",),
    ),
}


class Words(NamedTuple):
    """The commands of a README, in the order in which they are typed."""

    before: tuple[str, ...]
    change: tuple[str, ...]
    after: tuple[str, ...]


def words_of(walk: Walk) -> Words:
    """Return the commands of a walk's README."""
    text = (_EXAMPLES / walk.folder / "README.md").read_text()
    before, change, after = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return Words(tuple(before.splitlines()), tuple(change.splitlines()), tuple(after.splitlines()))


def commands(lines: Sequence[str]) -> int:
    """Return how many commands stand in the lines, those that `&&` joins counted one by one."""
    return sum(len(line.split(" && ")) for line in lines)


def lines_changed(walk: Walk) -> tuple[int, int]:
    """Return how many lines a walk's change adds, and how many it takes away."""
    lines = (_EXAMPLES / walk.folder / "change.diff").read_text().splitlines()
    hunks = [line for line in lines if not line.startswith(("+++ ", "--- "))]
    return sum(line.startswith("+") for line in hunks), sum(line.startswith("-") for line in hunks)


def changed(typed_once: int, added: int, taken: int) -> str:
    """Return what a README says of the size of a change."""
    noun = "command" if typed_once == 1 else "commands"
    return f"The change is {typed_once} {noun}; its diff adds {added} lines and takes {taken} away."


def copied(walk: Walk, folder: Path) -> Path:
    """Return the folder in which the commands are typed: `before` in a copy of what git knows of the walk."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", walk.folder]
    names = subprocess.run(command, cwd=_EXAMPLES, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_EXAMPLES / name, folder / name)
    return folder / walk.folder / "before"


def typed(lines: Sequence[str], folder: Path, wheel: Path) -> None:
    """Type commands, one after the other; fail with the words of the one that fails."""
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=_environ(folder, wheel), capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, f"{line}\n{done.stdout}{done.stderr}"


@contextlib.contextmanager
def served(line: str, folder: Path) -> Iterator[Server]:
    """Give the server that a command starts, on a port that its own settings in the environment name."""
    ports = ("GUNICORN_CMD_ARGS=--bind=127.0.0.1:{port}", "UVICORN_PORT={port}")
    unset = [word for name in os.environ if name.startswith(_LOCAL) for word in ("-u", name)]
    command = ["env", *unset, "-u", "PYTHONPATH", *ports, "bash", "-c", f"exec {line}"]
    with running(command, folder=folder) as server:
        yield server


def _environ(folder: Path, wheel: Path) -> dict[str, str]:
    """Return the environment of a shell that knows nothing of the one that runs the tests."""
    constraint = folder.parent / "constraint.txt"
    constraint.write_text(f"assetbuild=={wheel.name.split('-')[1]}\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_LOCAL)}
    links = f"{os.environ.get('PIP_FIND_LINKS', '')} {wheel.parent}"
    ours = {"PIP_FIND_LINKS": links, "PIP_CONSTRAINT": str(constraint)}
    return {**inherited, **ours, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

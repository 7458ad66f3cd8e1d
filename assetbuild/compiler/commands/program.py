"""Programs: which file a command starts, and everything that can be known of what it is.

Receives `run`; hands on the file and digests: of itself, of the interpreter that its first line names, and of npm's own
record of what is installed beside it. What a program loads besides is its own affair, and cannot be seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler.config import place_of
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Command, Project
from assetbuild.diagnostic import Diagnostic, Span, nearest
from assetbuild.disk import Disk

__all__ = ["Program", "digest_hex", "program_of", "search_path"]

_FIRST_LINE_BYTES = 256  # as much as Linux reads of it (execve(2))
_DESCRIPTION_BYTES = 1 << 20
# What package managers write into `node_modules` about all that is in it: npm, pnpm, Yarn 2 and 1.
_RECORDS = (".package-lock.json", ".pnpm/lock.yaml", ".yarn-state.yml", ".yarn-integrity")


class Program(NamedTuple):
    """A program that is there. file: absolute. name, version: as the manifest records it.

    parts: what it is made of, as far as it can be known → sha256.
    """

    file: str
    name: str
    version: str
    parts: Mapping[str, str]


def search_path(project: Project, environ: Mapping[str, str], python: str) -> str:
    """Return the folders in which a command without a slash is looked for, as PATH has them.

    Those of the project's npm packages, as in npm's own scripts; that of `python`, the interpreter of this process, so
    that what is installed beside assetbuild is found; then PATH. A relative folder would lead anywhere.
    """
    own = [os.path.join(project.folder, "node_modules", ".bin"), os.path.dirname(python)]
    given = environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([*own, *filter(os.path.isabs, given)]))


def program_of(command: Command, project: Project, path: str, disk: Disk) -> Program:
    """Return the program of a command; raise `EngineUnavailable` if it is not there, or not the one that is pinned."""
    word, place = command.run[0], place_of(project, f"{command.place}.run")
    file = _file_of(word, project.folder, path, disk)
    if file is None:
        raise _missing(word, path, place)
    sha256_hex = digest_hex(file, disk)
    name, version = _described(file, disk)
    if command.program_sha256:
        version = version or f"sha256:{sha256_hex}"
        if sha256_hex not in command.program_sha256:
            message = f"`{word}` is another program than `program_sha256` names"
            raise _refused(
                "other-program",
                message,
                f"its sha256 is {sha256_hex}",
                place_of(project, f"{command.place}.program_sha256"),
            )
    elif project.is_frozen:
        message = f"`{word}` is not pinned, and `--frozen` was asked for"
        raise _refused("unpinned-tool", message, f'add `program_sha256 = "{sha256_hex}"`', place)
    parts = {"program": sha256_hex}
    interpreter = _interpreter(file, project.folder, path, disk)
    if interpreter is not None:
        parts["interpreter"] = digest_hex(interpreter, disk)
    words = (os.path.realpath(os.path.join(project.folder, each)) for each in command.run[1:])
    parts |= {
        f"packages {number}": hex_ for number, hex_ in enumerate(_packages((os.path.realpath(file), *words), disk))
    }
    return Program(file, name or os.path.basename(word), version or "unpinned", parts)


def digest_hex(file: str, disk: Disk) -> str:
    """Return the sha256 of a file, links followed; raise `OSError`."""
    real = os.path.realpath(file)  # a row of the last build vouches for no link
    return disk.known_digest(real) or disk.digests(real, b"").sha256.hex()


def _file_of(word: str, folder: str, path: str, disk: Disk) -> str | None:
    """Return the executable file that a word names, relative to `folder` where it has a slash."""
    places = [os.path.join(folder, word)] if "/" in word else [os.path.join(f, word) for f in path.split(os.pathsep)]
    return next((file for file in places if _is_program(file, disk)), None)


def _is_program(file: str, disk: Disk) -> bool:
    """Return whether a file can be started; what lies in a folder that may not be entered cannot (execvp(3))."""
    try:
        return disk.is_file(file) and os.access(file, os.X_OK)
    except PermissionError:
        return False


def _interpreter(file: str, folder: str, path: str, disk: Disk) -> str | None:
    """Return the program that a script's first line names, None for one that needs none.

    Source: execve(2), "Interpreter scripts"; env(1), whose options and settings stand before the program.
    """
    head = next(iter(disk.parts(os.path.realpath(file))), b"")[:_FIRST_LINE_BYTES]
    if not head.startswith(b"#!"):
        return None
    words = head[2:].partition(b"\n")[0].decode("utf-8", "replace").split()
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return _file_of(words[0], folder, path, disk) if words else None


def _packages(files: Iterable[str], disk: Disk) -> Iterator[str]:
    """Yield the digest of the package manager's record for each `node_modules` that one of the files lies in."""
    mark = f"{os.sep}node_modules{os.sep}"
    tops = {file.partition(mark)[0] + mark for file in files if mark in file}
    for top in sorted(tops):
        record = next((file for name in _RECORDS if disk.is_file(file := os.path.join(top, name))), None)
        if record is not None:
            yield digest_hex(record, disk)


def _described(file: str, disk: Disk) -> tuple[str, str]:
    """Return name and version of the npm package that a program belongs to, "" and "" for none."""
    folder = os.path.dirname(os.path.realpath(file))
    while f"{os.sep}node_modules{os.sep}" in folder:
        description = os.path.join(folder, "package.json")
        if disk.is_file(description):
            try:
                document = json.loads(next(iter(disk.parts(description)), b"")[:_DESCRIPTION_BYTES])
                if isinstance(document, dict) and isinstance(document.get("version"), str) and document.get("name"):
                    return str(document["name"]), document["version"]
            except ValueError:
                pass  # somebody else's file: its program runs all the same
        folder = os.path.dirname(folder)
    return "", ""


def _missing(word: str, path: str, place: Span | None) -> EngineUnavailable:
    if "/" in word:
        return _refused("no-program", f"`{word}` is not an executable file of the project", "", place)
    own = path.partition(os.pathsep)[0]
    near = nearest(word, os.listdir(own)) if os.path.isdir(own) else None
    hint = f"did you mean `{near}`?" if near else "install it, or write its path in the project"
    message = f"`{word}` is neither in `node_modules/.bin`, nor beside Python, nor in PATH"
    return _refused("no-program", message, hint, place)


def _refused(rule: str, message: str, hint: str, place: Span | None) -> EngineUnavailable:
    return EngineUnavailable([Diagnostic(rule, "error", message, place, hint)])

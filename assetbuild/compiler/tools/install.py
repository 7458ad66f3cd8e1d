"""Getting a pinned tool: from the registry that somebody named, else by npm, else from a public mirror, or copied.

Receives a pin and the rim (environment, disk, one line of notice); leaves checked files in a folder. The digests of
the pin decide alone, so the source needs no trust and may be any mirror. No script of a package is ever run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Project
from assetbuild.compiler.tools import npm, npmrc
from assetbuild.compiler.tools.depot import Depot, here
from assetbuild.compiler.tools.fetch import fetch
from assetbuild.compiler.tools.find import Program, mismatch, pinned_at, roots, tool_folder, variable_of
from assetbuild.compiler.tools.table import Pin, PinnedFile, hex_of, platforms_of
from assetbuild.compiler.tools.unpack import UnpackFailed, members, parts_of
from assetbuild.diagnostic import Diagnostic, Note
from assetbuild.disk import TEMP_MARK, Disk
from assetbuild.download import FetchFailed, Route, route, shown_url
from assetbuild.ending import FOLDERS

__all__ = ["Notice", "install", "vendor"]

Notice = Callable[[str], None]


class _Failure(NamedTuple):
    """Who was asked, and why nothing came of it."""

    asked: str
    reason: Exception


_Source = Callable[[str], _Failure | None]
"""Puts the files of a pin into a folder, or says why it could not."""


class _Rim(NamedTuple):
    """What every step of an installation may touch."""

    project: Project
    environ: Mapping[str, str]
    disk: Disk
    notice: Notice
    depot: Depot


def install(
    name: str, project: Project, environ: Mapping[str, str], disk: Disk, notice: Notice, *, depot: Depot | None
) -> Program:
    """Return the tool after installing it into the tool folder; `notice` gets one line before a download.

    Raises `EngineUnavailable` if it cannot be had, or would have to be fetched while `project.is_offline`.
    """
    rim = _Rim(project, environ, disk, notice, depot or here())
    pin = rim.depot.pin(name)
    if pin is None:
        platforms = platforms_of([pin for pin in rim.depot.pins if pin.name == name])
        raise _unavailable(
            f"no {name} is pinned for `{rim.depot.platform}`, only for {', '.join(platforms)}",
            f"set `{variable_of(name)}` to one of your own",
        )
    folder = tool_folder(environ)
    if folder is None:
        raise _unavailable(
            f"{name} {pin.version} is not installed, and there is no home folder to install it in",
            "set `ASSETBUILD_TOOLS` to a folder",
        )
    _deliver(pin, folder, rim)
    return pinned_at(pin, os.path.join(folder, pin.folder), "tool-folder")


def vendor(
    folder: str,
    pins: Iterable[Pin],
    project: Project,
    environ: Mapping[str, str],
    *,
    disk: Disk,
    notice: Notice,
    depot: Depot | None = None,
) -> None:
    """Put the pinned tools into `folder` (absolute), copied from where they lie or else downloaded.

    The folder serves as a tool folder: `ASSETBUILD_TOOLS=folder`. Raises `EngineUnavailable` as `ensure` does.
    """
    rim = _Rim(project, environ, disk, notice, depot or here())
    for pin in pins:
        if not mismatch(pin, os.path.join(folder, pin.folder)):
            continue
        near = next((root for _, root in roots(pin, project, environ, rim.depot) if not mismatch(pin, root)), None)
        if near is None:
            _deliver(pin, folder, rim)
        else:
            with _writing(pin, folder):
                _copy(pin, near, folder, rim.disk)


def _deliver(pin: Pin, folder: str, rim: _Rim) -> None:
    """Fetch a pin into `folder` from the first source that has its bytes."""
    if rim.project.is_offline:
        raise _missing(pin, rim)
    try:
        settings = npmrc.settings(rim.project.folder, rim.environ, rim.disk)
        registry = npmrc.registry_for(pin.package, rim.project.tools.registry, rim.environ, settings)
    except OSError as error:
        raise _unavailable(f"`{error.filename}` cannot be read: {_reason(error)}", "correct its permissions") from error
    except ValueError as error:
        raise _unavailable(str(error), "name an npm registry by its whole URL, `https://…`") from error
    failures: list[_Failure] = []
    with _writing(pin, folder):
        rim.disk.make_folder(folder)
        for put in _sources(pin, registry, route(rim.environ, settings), rim):
            failure = put(os.path.join(folder, pin.folder))
            if failure is None:
                return
            failures.append(failure)
    raise _undelivered(pin, failures)


def _sources(pin: Pin, registry: npmrc.Registry | None, by: Route, rim: _Rim) -> Iterator[_Source]:
    """Yield who may have a pin. A registry that somebody named is the only source: it may be a policy."""
    if registry:
        yield partial(_from_registry, registry, by, pin, rim)
        return
    if program := npm.installed(rim.environ):
        yield partial(_from_npm, program, pin, rim)
    for mirror in rim.depot.mirrors:
        yield partial(_from_mirror, mirror, by, pin, rim)


def _from_registry(registry: npmrc.Registry, by: Route, pin: Pin, rim: _Rim, target: str) -> _Failure | None:
    url = f"{registry.url}{pin.package}/-/{pin.package.rpartition('/')[2]}-{pin.version}.tgz"
    rim.notice(_line(pin, pin.size, f"from {urlsplit(url).hostname}"))
    try:
        _unpack(pin, fetch(url, registry.authorization, by, pin.size, pin.sha512), target, rim.disk)
    except (FetchFailed, UnpackFailed) as error:
        return _Failure(shown_url(url), error)
    return None


def _from_npm(program: str, pin: Pin, rim: _Rim, target: str) -> _Failure | None:
    package = f"{pin.package}@{pin.version}"
    rim.notice(_line(pin, pin.size, "through npm"))
    prefix = f"{TEMP_MARK}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=os.path.dirname(target)) as inbox:
        FOLDERS.add(inbox)
        try:
            npm.pack(program, package, inbox, folder=rim.project.folder, environ=rim.environ)
            tarballs = [found for found in rim.disk.measure(inbox) if found.kind == "file"]
            if len(tarballs) != 1:
                raise npm.PackFailed("npm left no tarball")
            tarball = PinnedFile(tarballs[0].name, pin.size, pin.sha512)
            if tarballs[0].size != tarball.size:
                raise UnpackFailed(f"`{tarball.path}` has {tarballs[0].size} bytes, expected {tarball.size}")
            with open(os.path.join(inbox, tarball.path), "rb") as opened:
                _unpack(pin, _checked(tarball, parts_of(opened)), target, rim.disk)
        except (npm.PackFailed, UnpackFailed) as error:
            return _Failure(f"npm pack {package}", error)
        finally:
            FOLDERS.discard(inbox)
    return None


def _from_mirror(mirror: str, by: Route, pin: Pin, rim: _Rim, target: str) -> _Failure | None:
    rim.notice(_line(pin, sum(file.size for file in pin.files), f"from {urlsplit(mirror).hostname}"))
    for file in pin.files:
        url = f"{mirror}{pin.package}@{pin.version}/{quote(file.path)}"
        try:
            rim.disk.install(target, file.path, fetch(url, "", by, file.size, file.sha512))
        except FetchFailed as error:
            return _Failure(shown_url(url), error)
    return None


def _unpack(pin: Pin, parts: Iterable[bytes], target: str, disk: Disk) -> None:
    """Install the files of a tarball; `parts` raises at its end unless it was the pinned one, and nothing is."""
    # Unnamed, and in the folder that must take the files anyway: a kill leaves nothing, a full disk shows early.
    with tempfile.TemporaryFile(dir=os.path.dirname(target)) as tarball:
        for part in parts:
            tarball.write(part)
        tarball.seek(0)
        for file, contents in members(tarball, pin.files):
            disk.install(target, file.path, _checked(file, contents))


def _copy(pin: Pin, root: str, folder: str, disk: Disk) -> None:
    for file in pin.files:
        with open(os.path.join(root, file.path), "rb") as opened:
            try:
                disk.install(os.path.join(folder, pin.folder), file.path, _checked(file, parts_of(opened)))
            except UnpackFailed as error:
                raise _unavailable(f"`{opened.name}` changed while it was copied", "run the command again") from error


@contextlib.contextmanager
def _writing(pin: Pin, folder: str) -> Iterator[None]:
    """Say what a full, read-only or foreign folder means for the one who asked."""
    try:
        yield
    except OSError as error:
        raise _unavailable(
            f"{pin.name} {pin.version} cannot be put into `{folder}`: {_reason(error)}",
            "choose a folder that can be written (`ASSETBUILD_TOOLS`)",
        ) from error


def _checked(file: PinnedFile, parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `parts`; raise `UnpackFailed` at the end unless they were the pinned file."""
    digest = hashlib.sha512()
    for part in parts:
        digest.update(part)
        yield part
    if digest.hexdigest() != hex_of(file.sha512):
        raise UnpackFailed(f"the SHA-512 of `{file.path}` is not the pinned one")


def _line(pin: Pin, size: int, source: str) -> str:
    return f"installing {pin.name} {pin.version} ({size / 1e6:.1f} MB) {source}"


def _missing(pin: Pin, rim: _Rim) -> EngineUnavailable:
    places = ((root, mismatch(pin, root)) for _, root in roots(pin, rim.project, rim.environ, rim.depot))
    return _unavailable(
        f"{pin.name} {pin.version} is not installed, and `--offline` was asked for",
        f"run `assetbuild tools install {pin.name}` where there is a network, or set `ASSETBUILD_TOOLS` to a folder "
        "that `assetbuild tools vendor` made",
        tuple(Note(f"{root}: {why_not}") for root, why_not in places),
    )


def _undelivered(pin: Pin, failures: Iterable[_Failure]) -> EngineUnavailable:
    return _unavailable(
        f"{pin.name} {pin.version} could not be downloaded",
        "name a mirror of npm in `ASSETBUILD_REGISTRY`, or bring the tool in with `assetbuild tools vendor`",
        tuple(Note(f"{asked}: {reason}") for asked, reason in failures),
    )


def _unavailable(message: str, hint: str, notes: tuple[Note, ...] = ()) -> EngineUnavailable:
    return EngineUnavailable([Diagnostic("tool-unavailable", "error", message, hint=hint, notes=notes)])


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

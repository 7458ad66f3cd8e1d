"""Getting a pinned tool: from the registry that somebody named, else from a public mirror, else copied.

Receives a pin and the rim (environment, disk, one line of notice); leaves checked files in a folder. The digests of
the pin decide alone, so the source needs no trust and may be any mirror. No script of a package is ever run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Project
from assetbuild.compiler.tools import npmrc
from assetbuild.compiler.tools.depot import Depot, here
from assetbuild.compiler.tools.fetch import FetchFailed, Route, fetch, route, shown_url
from assetbuild.compiler.tools.find import Program, find, mismatch, pinned_at, roots, tool_folder, variable_of
from assetbuild.compiler.tools.table import Pin, PinnedFile, hex_of, platforms_of
from assetbuild.compiler.tools.unpack import UnpackFailed, members, parts_of
from assetbuild.diagnostic import Diagnostic, Note
from assetbuild.disk import Disk

__all__ = ["Notice", "ensure", "vendor"]

Notice = Callable[[str], None]


class _Rim(NamedTuple):
    """What every step of an installation may touch."""

    project: Project
    environ: Mapping[str, str]
    disk: Disk
    notice: Notice
    depot: Depot


def ensure(
    name: str,
    project: Project,
    environ: Mapping[str, str],
    disk: Disk,
    notice: Notice,
    *,
    depot: Depot | None = None,
) -> Program:
    """Return the tool, installed into the tool folder if no place has it; `notice` gets one line before a download.

    depot: this machine's own unless given. Raises `EngineUnavailable` if the tool cannot be had, or would have to be
    fetched while `project.is_offline`.
    """
    rim = _Rim(project, environ, disk, notice, depot or here())
    found = find(name, project, environ, rim.depot)
    if found:
        return found
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
    """Download a pin into `folder`. A registry that somebody named is then the only source: it may be a policy."""
    if rim.project.is_offline:
        raise _missing(pin, rim)
    try:
        npm = npmrc.settings(rim.project.folder, rim.environ, rim.disk)
        registry = npmrc.registry_for(pin.package, rim.project.tools.registry, rim.environ, npm)
    except OSError as error:
        raise _unavailable(f"`{error.filename}` cannot be read: {_reason(error)}", "correct its permissions") from error
    except ValueError as error:
        raise _unavailable(str(error), "name an npm registry by its whole URL, `https://…`") from error
    by = route(rim.environ, npm)
    target = os.path.join(folder, pin.folder)
    with _writing(pin, folder):
        rim.disk.make_folder(folder)
        if registry:
            rim.notice(_line(pin, pin.size, registry.url))
            _from_registry(pin, registry, by, target, rim.disk)
        else:
            _from_mirrors(pin, by, target, rim)


def _from_registry(pin: Pin, registry: npmrc.Registry, by: Route, target: str, disk: Disk) -> None:
    url = f"{registry.url}{pin.package}/-/{pin.package.rpartition('/')[2]}-{pin.version}.tgz"
    try:
        # Unnamed, and in the folder that must take the files anyway: a kill leaves nothing, a full disk shows early.
        with tempfile.TemporaryFile(dir=os.path.dirname(target)) as tarball:
            for part in fetch(url, registry.authorization, by, pin.size, pin.sha512):
                tarball.write(part)
            tarball.seek(0)
            for file, parts in members(tarball, pin.files):
                disk.install(target, file.path, _checked(file, parts))
    except (FetchFailed, UnpackFailed) as error:
        raise _undelivered(pin, [(url, error)]) from error


def _from_mirrors(pin: Pin, by: Route, target: str, rim: _Rim) -> None:
    failures: list[tuple[str, Exception]] = []
    for mirror in rim.depot.mirrors:
        rim.notice(_line(pin, sum(file.size for file in pin.files), mirror))
        for file in pin.files:
            url = f"{mirror}{pin.package}@{pin.version}/{quote(file.path)}"
            try:
                rim.disk.install(target, file.path, fetch(url, "", by, file.size, file.sha512))
            except FetchFailed as error:
                failures.append((url, error))
                break
        else:
            return
    raise _undelivered(pin, failures)


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


def _line(pin: Pin, size: int, url: str) -> str:
    return f"installing {pin.name} {pin.version} ({size / 1e6:.1f} MB) from {urlsplit(url).hostname}"


def _missing(pin: Pin, rim: _Rim) -> EngineUnavailable:
    places = ((root, mismatch(pin, root)) for _, root in roots(pin, rim.project, rim.environ, rim.depot))
    return _unavailable(
        f"{pin.name} {pin.version} is not installed, and `--offline` was asked for",
        f"run `assetbuild tools install {pin.name}` where there is a network, or set `ASSETBUILD_TOOLS` to a folder "
        "that `assetbuild tools vendor` made",
        tuple(Note(f"{root}: {why_not}") for root, why_not in places),
    )


def _undelivered(pin: Pin, failures: Sequence[tuple[str, Exception]]) -> EngineUnavailable:
    return _unavailable(
        f"{pin.name} {pin.version} could not be downloaded",
        "name a mirror of npm in `ASSETBUILD_REGISTRY`, or bring the tool in with `assetbuild tools vendor`",
        tuple(Note(f"{shown_url(url)}: {error}") for url, error in failures),
    )


def _unavailable(message: str, hint: str, notes: tuple[Note, ...] = ()) -> EngineUnavailable:
    return EngineUnavailable([Diagnostic("tool-unavailable", "error", message, hint=hint, notes=notes)])


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

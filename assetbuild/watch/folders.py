"""Folders: where something may happen that would change the answer to a question of the last build.

Receives what a build read, listed and looked for in vain; hands on folders to watch, none of them with what lies below
it: a project may hold a hundred thousand files that no build asks for.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.plan import confines
from assetbuild.compiler.project import Project
from assetbuild.compiler.templates import templates
from assetbuild.disk import Found, Measured, RealDisk

__all__ = ["Standing", "Templates", "folders_of", "sources_of", "standing_of", "templates_of"]

Standing = tuple[int, ...]
"""What tells a folder from another of its name: device and inode; of a file size and time, too."""


class Templates(NamedTuple):
    """What the folders of templates hold. files: all that may be templates. standing: of each file."""

    folders: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    standing: Mapping[str, Standing] = MappingProxyType({})


class _Listing(RealDisk):
    """A disk that notes what it is asked for, and reads nothing."""

    def __init__(self) -> None:
        self.folders: set[str] = set()
        self.files: set[str] = set()

    def scan(self, folder: str) -> list[Found]:
        self.folders.add(folder)
        return super().scan(folder)

    def measure(self, folder: str) -> list[Measured]:
        self.folders.add(folder)
        return super().measure(folder)

    def read(self, file: str) -> bytes:
        self.files.add(file)
        return b""


def folders_of(files: Iterable[str], listed: Iterable[str], absent: Iterable[str]) -> set[str]:
    """Return the folders, absolute, in which a build would notice a change.

    files: read. listed: folders whose names were read. absent: paths at which nothing stood; where their folder is not
    there either, the nearest above it that is.
    """
    found = {*listed, *map(os.path.dirname, files)}
    for folder in set(map(os.path.dirname, absent)):
        there = folder
        while not os.path.isdir(there):
            there = os.path.dirname(there)
        found.add(there)
    return found


def sources_of(project: Project) -> set[str]:
    """Return the folders in which a build that failed may have looked without telling, as a worker process does.

    What lies below `node_modules` is left out: packages are looked for by name, and nobody mends an error in them.
    """
    found = set(confines(project))
    for top in project.sass.load_paths:
        for folder, inside, _ in os.walk(top) if os.path.basename(top) != "node_modules" else ():
            inside[:] = [name for name in inside if not name.startswith(".") and name != "node_modules"]
            found.add(folder)
    return {folder for folder in found if os.path.isdir(folder)}


def standing_of(folders: Iterable[str], ours: tuple[str, ...]) -> Mapping[str, Standing]:
    """Return the folders that are there with their standing, but for those below `ours`, which end with a slash."""
    found = {}
    for folder in folders:
        if not f"{folder}/".startswith(ours):
            with contextlib.suppress(OSError):  # what is gone is noticed in its parent
                status = os.stat(folder)
                # A folder is the same one while its names change.
                age: tuple[int, ...] = () if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
                found[folder] = (status.st_dev, status.st_ino, *age)
    return found


def templates_of(project: Project, ours: Collection[str]) -> Templates:
    """Return the templates of a project outside its roots, since what lies in a root is an asset.

    ours: folders of the build's own.
    """
    listing = _Listing()
    # A folder that is configured and not there is for `check` to tell; a compile does not need it.
    with contextlib.suppress(ConfigError):
        for _ in templates(project, listing):
            pass
    below = (*(os.path.join(root.folder, "") for root in project.roots), *ours)
    outside = (file for file in listing.files if not file.startswith(below))
    files = frozenset(outside)
    return Templates(frozenset(listing.folders), files, standing_of(sorted(files), ()))

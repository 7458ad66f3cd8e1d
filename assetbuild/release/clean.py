"""Clean: an output without what no kept release names.

Receives a folder; writes a manifest that names fewer releases, if limits ask for it, and then removes files. What a
manifest names is known, and so is a file whose name is the hash of its bytes: an earlier compile made it. Anything else
is unknown, and stays unless it was asked for.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Mapping
from typing import Any, NamedTuple

from assetbuild.disk import TEMP_MARK, Disk, Measured, mode_at
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, Manifest, dump, name_of_digest
from assetbuild.manifest.names import HIDDEN_SUFFIX
from assetbuild.release.carry import document_in
from assetbuild.release.lineage import Ancestor, Limits, lineage
from assetbuild.release.places import places_of
from assetbuild.release.tree import below

__all__ = ["Cleaned", "clean"]


class Cleaned(NamedTuple):
    """What was removed, or would be. build: id of the manifest. ancestors: the releases that are carried on.

    removed, unknown: paths, sorted; the unknown are there still. size_bytes: of what was removed.
    """

    build: str
    ancestors: tuple[Ancestor, ...]
    removed: tuple[str, ...]
    unknown: tuple[str, ...]
    size_bytes: int


def clean(folder: str, disk: Disk, limits: Limits, *, with_unknown: bool = False, is_dry: bool = False) -> Cleaned:
    """Remove from the output in `folder` what no release within the limits names; return what that is.

    with_unknown: files that nobody knows, too. is_dry: remove nothing. Raises `ManifestError` if there is no manifest
    to go by, `OSError`. Whenever the process dies, every file that the manifest names is there.
    """
    with disk.lock(folder):
        old = document_in(folder, disk)
        line = lineage(old, [old], limits)
        content = dump(line.document)
        # A name with this mark is what another process is writing.
        listing = {path: found for path, found in below(folder, disk.measure) if not found.name.startswith(TEMP_MARK)}
        named = places_of(Manifest(content)).known()
        left = {path: found for path, found in listing.items() if path not in named}
        ours = _published_once(left, old, folder, disk)
        maps = {path: found for path, found in _hidden(folder, disk).items() if _owner_of(path) not in named}
        left |= maps
        ours |= {path for path in maps if _owner_of(path) in ours}
        unknown = sorted(left.keys() - ours)
        # Maps and variants go before their files, which is how they would be known: the maps', and then backwards.
        removed = sorted([*ours, *(unknown if with_unknown else ())], key=lambda path: (path in maps, path))[::-1]
        if not is_dry:
            disk.sweep(folder)
            # First, so that every file that the manifest names is there whenever the process dies.
            disk.commit(folder, MANIFEST_NAME, content)
            for path in removed:
                disk.remove(folder, path)
    removed.sort()
    size_bytes = sum(left[path].size for path in removed)
    build, stays = Manifest(content).build_id, () if with_unknown else tuple(unknown)
    return Cleaned(build, line.ancestors, tuple(removed), stays, size_bytes)


def _hidden(folder: str, disk: Disk) -> dict[str, Measured]:
    """Return the hidden maps by their paths from `folder`: they lie beside it, each named after what it is a map of."""
    beside = folder.rstrip("/") + HIDDEN_SUFFIX
    if not stat.S_ISDIR(mode_at(beside, os.lstat)):  # what lies behind a link is somebody else's
        return {}
    inside = below(beside, disk.measure)
    above = f"../{posixpath.basename(beside)}"
    return {f"{above}/{path}": found for path, found in inside if not found.name.startswith(TEMP_MARK)}


def _owner_of(path: str) -> str:
    """Return the path of the file that a hidden map is of."""
    return path.split("/", 2)[2].removesuffix(".map")


def _published_once(left: Mapping[str, Measured], old: Mapping[str, Any], folder: str, disk: Disk) -> set[str]:
    """Return those paths that the old manifest named, or that an earlier compile made, as their own names prove."""
    named = places_of(Manifest(dump(old))).known()
    found = {path for path in left if path in named}
    for path in sorted(left):
        if path not in found and left[path].kind == "file" and _is_named_by_hash(path, old, folder, disk):
            found.add(path)
    variants = {path + suffix for path in found for suffix in SUFFIXES.values()}
    return found | (variants & left.keys())


def _is_named_by_hash(path: str, old: Mapping[str, Any], folder: str, disk: Disk) -> bool:
    """Return whether the name of a file holds the hash of its bytes, by the salt of this build or by none.

    50 bits do not agree by accident. A file of a cycle has another hash, which its manifest alone could prove.
    """
    digests = disk.digests(posixpath.join(folder, path), old["build"]["salt"].encode())
    name = posixpath.basename(path)
    return name_of_digest(digests.salted) in name or name_of_digest(digests.sha256) in name

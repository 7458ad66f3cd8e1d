"""Exchange: one build takes the place of another in a folder, and at every moment one of them is there, complete.

Receives a manifest and what puts its files and variants at their paths; writes through `disk`, in the one order that
keeps the promise. Whoever publishes does so by this room: compile, unpack and carry.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from assetbuild.disk import Disk
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, check, dump
from assetbuild.manifest.text import parse

__all__ = ["Parts", "exchange", "without_variants"]


class Parts(NamedTuple):
    """What a manifest vouches for, by path, in the order in which it is written.

    put: writes what belongs at a path, and returns False if those bytes stood there already.
    expected: size and sha256 (hex) of what belongs there; asked for variants alone.
    """

    files: Collection[str]
    variants: Collection[str]
    put: Callable[[str], bool]
    expected: Callable[[str], tuple[int, str]]


def exchange(folder: str, manifest: bytes, parts: Parts, disk: Disk) -> list[str]:
    """Publish a build in `folder`, which its caller holds; return the paths that were written, the manifest's last.

    Files, variants, one sync, the manifest. Where another encoder's bytes stand under the name of a variant, the build
    is committed without that variant first, so that no manifest ever describes bytes that are not there. If this
    returns, the build is complete and durable; if it raises, the folder holds the old one or this one, complete.
    """
    written = [path for path in parts.files if parts.put(path)]
    taken = []
    for path in parts.variants:
        found = disk.compared(folder, path, partial(parts.expected, path))
        if found == "other":
            taken.append(path)
        elif found == "absent" and parts.put(path):
            written.append(path)
    _sync(folder, written, disk)
    if taken:
        disk.commit(folder, MANIFEST_NAME, dump(without_variants(parse(manifest), frozenset(taken))))
        for path in taken:
            parts.put(path)
        _sync(folder, taken, disk)
    is_new = disk.commit(folder, MANIFEST_NAME, manifest)
    return [*written, *taken, *([MANIFEST_NAME] if is_new else ())]


def without_variants(document: Mapping[str, Any], paths: Container[str]) -> dict[str, Any]:
    """Return the document of a manifest without the variants at `paths`."""

    def without(path: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        sizes = entry.get("enc", {})
        return {**entry, "enc": {each: sizes[each] for each in sizes if path + SUFFIXES[each] not in paths}}

    return {**document, "files": {path: without(path, entry) for path, entry in document["files"].items()}}


def _sync(folder: str, written: Iterable[str], disk: Disk) -> None:
    """Make what was written durable, before the name that vouches for it; take it back if that fails.

    After a failed write-back the kernel may call pages clean that never reached the disk, and whoever finds them under
    their name would believe them. What is gone is written anew. Source: fsync(2) of the Linux manual, ERRORS.
    """
    try:
        disk.sync(folder)
    except OSError:
        with contextlib.suppress(OSError):  # what went wrong first says more
            listed = _listed(folder, disk)
            for path in written:
                if path not in listed:
                    disk.remove(folder, path)
        raise


def _listed(folder: str, disk: Disk) -> frozenset[str]:
    """Return the paths that the manifest in `folder` vouches for; none if there is no manifest to be believed."""
    try:
        content = disk.read(os.path.join(folder, MANIFEST_NAME))
    except FileNotFoundError:
        return frozenset()
    if check(content):
        return frozenset()
    files = parse(content)["files"]
    return frozenset(files) | {
        path + SUFFIXES[coding] for path, entry in files.items() for coding in entry.get("enc", ())
    }

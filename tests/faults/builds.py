"""Builds: what is on the disk, beside what should be there. Asks no code of the product for its judgement."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from assetbuild.disk import TEMP_MARK
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES

__all__ = ["Build", "Files", "Read", "build_of", "files_in", "leftovers", "reader", "standing"]

Files = Mapping[str, bytes]
"""Path below a folder → bytes."""

Read = Callable[[str], bytes | None]


class Build(NamedTuple):
    """A clean build. promised: the files that its manifest vouches for, and the manifest; files: all of them."""

    files: Files
    promised: Files

    @property
    def manifest(self) -> bytes:
        """The one file that says which build an output is."""
        return self.files[MANIFEST_NAME]


def files_in(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`, {} if there is none; a link is what it leads to."""
    found = {}
    for parent, _, names in os.walk(folder, onerror=_absent):
        for name in names:
            file = os.path.join(parent, name)
            with open(file, "rb") as stream:
                found[os.path.relpath(file, folder)] = stream.read()
    return found


def build_of(files: Files) -> Build:
    """Return a build from the files of a clean one."""
    return Build(files, {path: files[path] for path in [MANIFEST_NAME, *_listed(files[MANIFEST_NAME])]})


def standing(read: Read, old: Build, new: Build) -> str:
    """Return which build an output serves: `new`, `old`, `thin`, `mixed` (whole, but none of them), or `torn`.

    thin: the new one, without variants that are about to take the place of another encoder's.
    """
    manifest = read(MANIFEST_NAME)
    for name, build in (("new", new), ("old", old)):
        if manifest == build.manifest:
            others = (item for item in build.promised.items() if item[0] != MANIFEST_NAME)
            return name if all(read(path) == body for path, body in others) else "torn"
    if not _is_whole(manifest or b"", read):
        return "torn"
    return "thin" if _is_thin(manifest or b"", read, new) else "mixed"


def reader(folder: Path) -> Read:
    """Return what reads a file below `folder` when it is asked, None if it is not there."""

    def read(path: str) -> bytes | None:
        try:
            return (folder / path).read_bytes()
        except FileNotFoundError:
            return None

    return read


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files below `folder`."""
    found = []
    for parent, _, names in os.walk(folder, onerror=_absent):
        found += [os.path.join(parent, name) for name in names if name.startswith(TEMP_MARK)]
    return found


def _is_whole(manifest: bytes, read: Read) -> bool:
    """Return whether the manifest vouches for itself and every file that it lists is as it says."""
    try:
        document = json.loads(manifest)
        digest = document["build"]["id"].removeprefix("sha256:").encode()
        zeroed = manifest.replace(digest, b"0" * len(digest))
        listed = {path: entry["sha256"] for path, entry in document["files"].items()}
    except (ValueError, KeyError, TypeError):
        return False
    is_own = hashlib.sha256(zeroed).hexdigest().encode() == digest
    return is_own and all(hashlib.sha256(read(path) or b"").hexdigest() == hex_ for path, hex_ in listed.items())


def _is_thin(manifest: bytes, read: Read, build: Build) -> bool:
    """Return whether a manifest is that of the build but for some variants, and the others are there."""
    found, whole = json.loads(manifest), json.loads(build.manifest)
    if not all(read(path) == build.promised.get(path) for path in _listed(manifest)):
        return False
    for document in (found, whole):
        del document["build"]["id"]
        for entry in document["files"].values():
            entry.pop("enc", None)
    return bool(found == whole)


def _listed(manifest: bytes) -> list[str]:
    entries = json.loads(manifest)["files"]
    variants = [f"{path}{SUFFIXES[coding]}" for path, entry in entries.items() for coding in entry.get("enc", ())]
    return [*entries, *variants]


def _absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error

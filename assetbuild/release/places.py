"""Places: everything that an output consists of, by its path, as the manifest has it; and which cannot lie together.

The manifest itself lies at `manifest.json` and is no place of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.disk import TEMP_MARK
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, AssetEntry, FileEntry, Manifest

__all__ = ["Places", "Variant", "clashes", "is_below", "places_of"]


_NAME_LIMIT, _PATH_LIMIT = 255, 4096
_SHOWN_CHARACTERS = 60


class Variant(NamedTuple):
    """A compressed form. of: the published path that it stands for; size: in bytes."""

    of: str
    coding: str
    size: int


class Places(NamedTuple):
    """assets: logical path → entry. files: published path → entry. variants: by their path.

    copies: logical path of each plain copy → published path whose bytes it has.
    """

    assets: Mapping[str, AssetEntry]
    files: Mapping[str, FileEntry]
    variants: Mapping[str, Variant]
    copies: Mapping[str, str]

    def sizes(self) -> dict[str, int]:
        """Return the size of every file and variant by its path, in the order of their bytes."""
        sizes = {path: file.size for path, file in self.files.items()}
        sizes |= {path: variant.size for path, variant in self.variants.items()}
        return dict(sorted(sizes.items()))

    def known(self) -> frozenset[str]:
        """Return every path that the output may hold."""
        return frozenset({MANIFEST_NAME, *self.files, *self.variants, *self.copies})


def places_of(manifest: Manifest) -> Places:
    """Return where everything lies that `manifest` describes; raise `ManifestError` if it contradicts itself."""
    assets = {logical: entry for logical in manifest.assets() if (entry := manifest.asset(logical)) is not None}
    files = {path: file for path in manifest.files() if (file := manifest.published(path)) is not None}
    variants = {
        path + SUFFIXES[coding]: Variant(path, coding, size)
        for path, file in files.items()
        for coding, size in file.enc.items()
    }
    copies = {logical: entry.file for logical, entry in assets.items() if entry.keep or entry.at}
    return Places(assets, files, variants, copies)


def clashes(places: Places) -> Iterator[str]:
    """Yield, in words, each path that cannot lie where it should: over another, below one, or where none may lie.

    Case is folded: an output must survive a file system that folds it, and an archive must not depend on one.
    """
    kinds = (("file", places.files), ("variant", places.variants), ("plain copy", places.copies))
    named = [(MANIFEST_NAME, "manifest"), *((path, kind) for kind, paths in kinds for path in paths)]
    taken: dict[str, str] = {}
    for path, kind in named:
        if path.casefold() in taken:
            yield f"the {kind} `{path}` would lie where `{taken[path.casefold()]}` does"
        taken.setdefault(path.casefold(), path)
        if any(segment.startswith(TEMP_MARK) for segment in path.split("/")):
            yield f"the {kind} `{path}` has a name of temporary files"
        if _is_too_long(path):
            yield f"the {kind} `{path[:_SHOWN_CHARACTERS]}…` has a name that is too long"
    above = ""
    # What lies below a path comes right behind it where a slash is the least of all characters.
    for path, kind in sorted(named, key=lambda each: each[0].casefold().replace("/", "\0")):
        if above and path.casefold().startswith(above):
            yield f"the {kind} `{path}` would lie below the file `{taken[above[:-1]]}`"
        else:
            above = f"{path.casefold()}/"


def _is_too_long(path: str) -> bool:
    """Return whether no folder can hold the path: limits of Linux, in bytes (`NAME_MAX`, `PATH_MAX`)."""
    encoded = path.encode()
    return len(encoded) >= _PATH_LIMIT or len(max(encoded.split(b"/"), key=len)) > _NAME_LIMIT


def is_below(file: str, folder: str) -> bool:
    """Return whether `file` would lie in `folder`, or in its place, links followed."""
    return f"{os.path.realpath(file)}/".startswith(os.path.join(os.path.realpath(folder), ""))

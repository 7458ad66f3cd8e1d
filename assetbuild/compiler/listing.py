"""Listings: the names in a folder as far as a look-up of a module can depend on them.

Receives a folder; hands on names and kinds, and a digest of them that changes when a look-up could find something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from assetbuild.disk import Disk
from assetbuild.noting import digest_of_names

__all__ = ["Listing", "counts", "listing"]


class Listing(NamedTuple):
    """What lies in a folder. kinds: name → kind, as `disk.Found` has it.

    digest_hex: of names and kinds, and of where links lead.
    """

    kinds: Mapping[str, str]
    digest_hex: str


def listing(folder: str, disk: Disk) -> Listing:
    """Return the names in `folder` that count; raise `OSError`."""
    kinds = {found.name: found.kind for found in disk.scan(folder) if counts(found.name)}
    return Listing(kinds, digest_of_names(folder, kinds.items()))


def counts(name: str) -> bool:
    """Return whether a look-up may depend on a name: editors and tools make and remove the others at any time.

    Whoever looks for one of those by name must not rely on a listing.
    """
    return name.startswith(".pnp.") or not (name.startswith(".") or name.endswith("~"))

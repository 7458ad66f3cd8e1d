"""Which files lie below a folder, dotted names left out: they are nobody's assets."""

from __future__ import annotations

import os
from collections.abc import Iterator

from assetbuild.disk import Disk

__all__ = ["below"]


def below(folder: str, disk: Disk, above: str = "") -> Iterator[str]:
    """Yield the regular files below `folder`, relative to it; none if it is not there. Links are not followed."""
    place = os.path.join(folder, above)
    for entry in disk.scan(place) if disk.is_folder(place) else ():
        if entry.kind == "folder" and not entry.name.startswith("."):
            yield from below(folder, disk, f"{above}{entry.name}/")
        elif entry.kind == "file" and not entry.name.startswith("."):
            yield above + entry.name

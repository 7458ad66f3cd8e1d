"""Tree: what lies below the folder of an output, or in an archive that shows itself as one. Reads listings alone."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from assetbuild.disk import Measured

__all__ = ["below"]


def below(folder: str, measure: Callable[[str], list[Measured]]) -> Iterator[tuple[str, Measured]]:
    """Yield all that lies below `folder` by its path in it, but folders.

    measure: returns what lies directly inside a folder. Without recursion: folders may be nested deeper than calls.
    """
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        for found in measure(posixpath.join(folder, inside)):
            if found.kind == "folder":
                waiting.append(f"{inside}{found.name}/")
            else:
                yield inside + found.name, found

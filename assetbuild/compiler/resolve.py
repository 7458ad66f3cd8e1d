"""What a written reference means: an asset, or something that is none of ours. The one place that decides it.

Receives what a tokeniser found, after it undid its own language's escapes; hands on a `Source`. Reads no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project

__all__ = ["Ambiguous", "Found", "Inventory", "Missing", "Resolver", "Untouched"]


class Inventory(NamedTuple):
    """Every logical path that a build can name. by_logical: root files and entries (an entry's `file` is its source)."""

    by_logical: Mapping[str, Source]


class Found(NamedTuple):
    """The reference names `source`; `suffix` is its query and fragment as they were written."""

    source: Source
    suffix: str


class Untouched(NamedTuple):
    """The reference is none of ours: it stays as it is. `why`: external, data, fragment, empty or none."""

    why: str


class Missing(NamedTuple):
    """Nothing is there. tried: the places looked at, in order. nearest: what would be written for the nearest name."""

    tried: tuple[str, ...]
    nearest: str | None


class Ambiguous(NamedTuple):
    """Two rules find two files with different bytes."""

    first: Source
    second: Source


Outcome = Found | Untouched | Missing | Ambiguous


class Resolver:
    """The rules, over one inventory."""

    def __init__(self, project: Project, inventory: Inventory) -> None:
        self.project = project
        self.inventory = inventory

    def reference(self, written: str, referrers: Sequence[Source], reading: Reading) -> Outcome:
        """Return what `written` (a URL after unescaping CSS or JS, percent-encoding still in place) means.

        referrers: whose folders it may be relative to, in order: the entry where it is published, then its
        source, then the partial or sheet that it was written in.
        """
        raise NotImplementedError

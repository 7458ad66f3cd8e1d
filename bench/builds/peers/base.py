"""What a peer is: a tool, where it takes part, and how it builds a tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from builds.toolbox import Toolbox

__all__ = ["SCRIPTS", "Peer", "Place", "Plan", "bundles"]

SCRIPTS = Path(__file__).parents[1] / "scripts"


class Place(NamedTuple):
    """Where one build happens. source: the peer's own copy of the tree. output, scratch: new in each round.

    scratch: for whatever a tool keeps between two builds, so that a cold build begins without it.
    """

    corpus: str
    source: Path
    output: Path
    scratch: Path
    box: Toolbox


class Plan(NamedTuple):
    """How it is done. commands: run one after another in `folder`, with `environ` added.

    output: where the result lies, if not in the place's own. public: what the URLs of a result begin with.
    """

    commands: Sequence[Sequence[str]]
    folder: Path
    environ: Mapping[str, str] = {}
    output: Path | None = None
    public: str = "/static/"


class Peer(NamedTuple):
    """A row of the tables. needs: as `Toolbox.missing` has them. plan: writes what the tool reads, unmeasured."""

    name: str
    corpora: frozenset[str]
    needs: tuple[str, ...]
    plan: Callable[[Place], Plan]
    about: str


def bundles(place: Place) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the bundles of `legacy`: kind → name → files."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = json.loads((place.source / "bundles.json").read_text())
    return found

"""The page of the tables: each block gives way to a better one alone.

Receives the text of a page and what a run has measured; hands on the text. The tables are read as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from builds.figures import Finding
from builds.rounds import Row

__all__ = ["Standard", "figures_kept", "page_with", "standard_of", "standard_on"]

_ROUNDS = re.compile(r"medians of (\d+)")


class Standard(NamedTuple):
    """What a table gives: the tools with figures, and of how many rounds these are the medians."""

    peers: frozenset[str]
    rounds: int

    def without(self, other: Standard) -> str:
        """Return what would be lost if `other` stood in the place of this one, "" for nothing."""
        lost = sorted(self.peers - other.peers)
        if lost:
            return f"this run has no figures of {', '.join(f'`{name}`' for name in lost)}"
        return f"its medians are of {self.rounds} rounds, this run's of {other.rounds}" * (self.rounds > other.rounds)


def standard_of(rows: Sequence[Row]) -> Standard:
    """Return what the rows of a corpus give."""
    able = [row for row in rows if row.costs]
    return Standard(frozenset(row.peer for row in able), min((row.rounds for row in able), default=0))


def standard_on(page: str, corpus: str) -> Standard:
    """Return what the page gives of a corpus."""
    block = _block(page, corpus)
    # A tool without figures has its name and the reason, and nothing else.
    able = [cells[0] for cells in _lines(block) if sum(map(bool, cells)) > 2]
    rounds = _ROUNDS.search(block)
    return Standard(frozenset(able), int(rounds[1]) if rounds else 0)


def figures_kept(page: str, found: Sequence[Finding]) -> list[Finding | str]:
    """Return the findings; where a promise was not measured, the line that the page has of it."""
    written = {(cells[0], cells[1]): cells for cells in _lines(_block(page, "figures"))}
    return [
        f"| {' | '.join(written[each.claim, each.target])} |"
        if each.wall is None and (each.claim, each.target) in written
        else each
        for each in found
    ]


def page_with(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with the text between `<!-- NAME -->` and `<!-- end of NAME -->` exchanged for each part."""
    for name, text in parts.items():
        begin, end = _marks(name)
        block = f"{begin}\n\n{text}\n\n{end}"
        if begin not in page:
            page = f"{page.rstrip()}\n\n{block}\n"
            continue
        before, _, rest = page.partition(begin)
        page = before + block + rest.partition(end)[2]
    return page


def _block(page: str, name: str) -> str:
    begin, end = _marks(name)
    return page.partition(begin)[2].partition(end)[0]


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def _lines(block: str) -> list[list[str]]:
    """Return the cells of the lines of a table, without its head."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines() if line.startswith("|")]
    return rows[2:]

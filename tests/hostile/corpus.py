"""The whole corpus."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile import changing, endless, graphs, nesting, places, reaching, texts
from tests.hostile.case import Case

__all__ = ["corpus"]


def corpus() -> Iterator[Case]:
    """Yield every case, each title once."""
    for room in (texts, places, reaching, graphs, changing, endless, nesting):
        yield from room.cases()

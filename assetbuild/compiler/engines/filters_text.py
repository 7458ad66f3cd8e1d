"""Text on its way through filters, and the way back from a place in it to where that was written.

Receives what a filter made of a text; hands on the same with its places, as far as they can be known.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css import survey
from assetbuild.compiler.sourcemap import Place as Where
from assetbuild.compiler.sourcemap import Trail
from assetbuild.diagnostic import Span

__all__ = ["Place", "Text", "by_reference", "line_by_line", "one_after_another", "through"]

Place = tuple[tuple[Source, ...], Span]
"""Whose folders a reference may be relative to, beside the entry's, and where it was written."""


class Text(NamedTuple):
    """Text of one source. place: from an offset (start, end) to where it was written.

    trail: the same for a map, None if none is to be made, or if a filter has lost it.
    """

    text: str
    place: Callable[[int, int], Place]
    trail: Trail | None = None


def line_by_line(part: Text, text: str) -> Text:
    """Return `part` with `text`, whose lines are those of its own: a place there is the begin of its line here."""
    if text == part.text:
        return part
    starts, own = ([0, *(found.end() for found in re.finditer("\n", each))] for each in (part.text, text))
    trail = part.trail

    def begin(offset: int) -> int:
        return starts[min(bisect_right(own, offset), len(starts)) - 1]

    def place(start: int, _: int) -> Place:
        return part.place(begin(start), begin(start) + 1)

    return Text(text, place, (lambda offset: trail(begin(offset))) if trail else None)


def through(trail: Trail, pairs: Iterable[tuple[int, int]]) -> Trail:
    """Return the trail of a text whose tokens are those of the text that `trail` is of. pairs: to its offsets."""
    both = list(pairs)

    def back(offset: int) -> Where | None:
        found = bisect_right(both, offset, key=lambda pair: pair[0]) - 1
        return trail(both[found][1]) if found >= 0 else None

    return back


def one_after_another(parts: Sequence[Text], starts: Sequence[int]) -> Trail | None:
    """Return the trail of `parts`, which begin at `starts`; what has none among them leads nowhere."""
    if not any(part.trail for part in parts):
        return None

    def back(offset: int) -> Where | None:
        number = min(bisect_right(starts, offset), len(parts)) - 1
        trail = parts[number].trail
        return trail(offset - starts[number]) if trail else None

    return back


def by_reference(part: Text, lost: Text) -> Text:
    """Return `lost`, whose places are lost, with those of the references that it has in common with `part`."""
    before, after = survey(part.text).references, survey(lost.text).references
    if [one.value for one in before] != [one.value for one in after]:
        return lost
    origins = {new.start: old for old, new in zip(before, after, strict=True)}

    def place(start: int, end: int) -> Place:
        old = origins.get(start)
        return part.place(old.start, old.end) if old else lost.place(start, end)

    return Text(lost.text, place, lost.trail)

"""Text on its way through filters, and the way back from a place in it to where that was written.

Receives what a filter made of a text; hands on the same with its places, as far as they can be known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css import survey
from assetbuild.diagnostic import Span

__all__ = ["Place", "Text", "by_reference", "line_by_line"]

Place = tuple[tuple[Source, ...], Span]
"""Whose folders a reference may be relative to, beside the entry's, and where it was written."""


class Text(NamedTuple):
    """Text of one source. place: from an offset (start, end) to where it was written."""

    text: str
    place: Callable[[int, int], Place]


def line_by_line(part: Text, text: str) -> Text:
    """Return `part` with `text`, whose lines are those of its own: a place there is the begin of its line here."""
    if text == part.text:
        return part
    starts = [0, *(found.end() for found in re.finditer("\n", part.text))]

    def place(start: int, _: int) -> Place:
        line = starts[min(text.count("\n", 0, start), len(starts) - 1)]
        return part.place(line, line + 1)

    return Text(text, place)


def by_reference(part: Text, lost: Text) -> Text:
    """Return `lost`, whose places are lost, with those of the references that it has in common with `part`."""
    before, after = survey(part.text).references, survey(lost.text).references
    if [one.value for one in before] != [one.value for one in after]:
        return lost
    origins = {new.start: old for old, new in zip(before, after, strict=True)}

    def place(start: int, end: int) -> Place:
        old = origins.get(start)
        return part.place(old.start, old.end) if old else lost.place(start, end)

    return Text(lost.text, place)

"""Trails: from an offset in a text back to the place where a person wrote what stands there.

A text is what was written, or it was made of something and has a map; rooms that join, edit and minify put their own
step before such a trail. Receives texts and maps, hands on functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from assetbuild.compiler.sourcemap.read import SourceMap
from assetbuild.compiler.sourcemap.text import Lines

__all__ = ["Finder", "Place", "Trail", "Way", "Written", "as_written", "followed"]


class Written(NamedTuple):
    """A text that a person wrote. name: as maps call it, relative to the project. text: None if it is not at hand."""

    name: str
    text: str | None


class Place(NamedTuple):
    """A place in a written text, line and column from 0 in UTF-16 code units. name: what was renamed there, or ""."""

    written: Written
    line: int
    column: int
    name: str = ""


Trail = Callable[[int], Place | None]
"""From an offset, in characters, to where the text there was written; None if it was not written by anyone."""

Finder = Callable[[int, int], Place | None]
"""The same from line and column, as maps count them."""

Way = Written | Finder | None
"""Where a source of a map leads: it is what was written itself, or how to find that; None for nowhere."""


def as_written(written: Written, lines: Lines) -> Trail:
    """Return the trail of a text that is what `written` holds."""
    return lambda offset: Place(written, *lines.position(offset))


def followed(source_map: SourceMap, sources: Sequence[Written | None]) -> Finder:
    """Return the way through `source_map`. sources: what each of its sources is, None for what leads nowhere."""

    def find(line: int, column: int) -> Place | None:
        origin = source_map.at(line, column)
        written = sources[origin.source] if origin is not None else None
        if origin is None or written is None:
            return None
        name = source_map.names[origin.name] if origin.name >= 0 else ""
        return Place(written, origin.line, origin.column, name)

    return find

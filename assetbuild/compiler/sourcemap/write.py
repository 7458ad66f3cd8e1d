"""Writing a source map: of places that a trail found, of another map, or of its own text after a move.

Receives stops in a generated text and where each leads; hands on maps. Equal inputs give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from assetbuild.compiler.sourcemap.read import Mapping, Origin, SourceMap, encoded
from assetbuild.compiler.sourcemap.text import Lines
from assetbuild.compiler.sourcemap.trail import Place, Way, Written
from assetbuild.compiler.sourcemap.vlq import first_number, written

__all__ = ["Move", "Stop", "composed", "drawn", "dumped", "moved"]

Stop = tuple[int, Place | None]
"""An offset in a generated text, in characters, and where what stands there was written."""


class Move(NamedTuple):
    """What stands on `line` at `column` or behind it, stands `units` further right."""

    line: int
    column: int
    units: int


def drawn(lines: Lines, stops: Iterable[Stop]) -> SourceMap:
    """Return the map of a text with `stops`, in the order of their offsets."""
    return _collected((*lines.position(offset), place) for offset, place in stops)


def composed(outer: SourceMap, ways: Sequence[Way]) -> SourceMap:
    """Return `outer` led on to where its sources come from. ways: one for each of its sources.

    Where every source is what was written, and no two are the same, the mappings are right as they are: a bundle of
    thousands of files has a million.
    """
    texts = [way for way in ways if isinstance(way, Written)]
    if len(set(texts)) == len(ways):
        names, contents = zip(*texts, strict=True) if texts else ((), ())
        return SourceMap(names, contents, outer.names, outer.mappings)

    def places() -> Iterator[tuple[int, int, Place | None]]:
        for line, column, origin in outer:
            place = _along(ways[origin.source], origin.line, origin.column) if origin is not None else None
            if place is not None and not place.name and origin is not None and origin.name >= 0:
                place = place._replace(name=outer.names[origin.name])
            yield line, column, place

    return _collected(places())


def moved(mappings: str, moves: Iterable[Move]) -> str:
    """Return `mappings` of a text in which parts became longer or shorter; places count before any of `moves`."""
    by_line: dict[int, list[Move]] = {}
    for move in moves:
        by_line.setdefault(move.line, []).append(move)
    lines = mappings.split(";")
    for number, own in by_line.items():
        if number < len(lines) and lines[number]:
            lines[number] = ",".join(_moved(lines[number].split(","), sorted(own)))
    return ";".join(lines)


def dumped(source_map: SourceMap, file: str) -> bytes:
    """Return the JSON of `source_map`. file: the name of the text that it is the map of."""
    fields = {
        "version": 3,
        "file": file,
        "sources": source_map.sources,
        "sourcesContent": source_map.contents,
        "names": source_map.names,
        "mappings": source_map.mappings,
    }
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A map that came in may hold half a surrogate pair, which JSON can say and UTF-8 cannot.
        return json.dumps(fields, separators=(",", ":")).encode()


def _along(way: Way, line: int, column: int) -> Place | None:
    if way is None:
        return None
    return Place(way, line, column) if isinstance(way, Written) else way(line, column)


def _collected(places: Iterable[tuple[int, int, Place | None]]) -> SourceMap:
    """Return the map of `places`; what is said already by the mapping before, on the same line, is left out."""
    sources: dict[Written, int] = {}
    names: dict[str, int] = {}
    mappings: list[Mapping] = []
    last: tuple[int, Place | None] | None = None
    for line, column, place in places:
        if (line, place) == last:
            continue
        last = line, place
        origin = None
        if place is not None:
            source = sources.setdefault(place.written, len(sources))
            name = names.setdefault(place.name, len(names)) if place.name else -1
            origin = Origin(source, place.line, place.column, name)
        mappings.append((line, column, origin))
    contents = tuple(source.text for source in sources)
    return SourceMap(tuple(source.name for source in sources), contents, tuple(names), encoded(mappings))


def _moved(segments: Iterable[str], moves: Sequence[Move]) -> Iterator[str]:
    """Yield the segments of one line with their first numbers changed: the others say nothing of this text."""
    column = shift = done = 0
    for segment in segments:
        step, rest = first_number(segment)
        column += step
        before = shift
        while done < len(moves) and moves[done].column <= column:
            shift += moves[done].units
            done += 1
        yield written((step + shift - before,)) + rest if shift != before else segment

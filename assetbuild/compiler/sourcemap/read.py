"""Reading a source map: from a place in generated text back to the place that it was written at.

Receives the JSON of a map of version 3, flat or an index map; hands on places. Positions count as the format does:
lines and columns from 0, columns in UTF-16 code units. Source: ECMA-426, "Source map format".
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from assetbuild.compiler.sourcemap.vlq import MapError, numbers_of, written

__all__ = ["Mapping", "Origin", "SourceMap", "encoded", "parse"]

# Keys of the search: line and column in one integer. A column above this would be a line of four thousand megabytes.
_COLUMN_BITS = 32
_COLUMN_LIMIT = 1 << _COLUMN_BITS


class Origin(NamedTuple):
    """A place in a source. source: index in `SourceMap.sources`; name: index in its names, -1 for none."""

    source: int
    line: int
    column: int
    name: int = -1


Mapping = tuple[int, int, Origin | None]
"""Line and column in generated text, and where the text from there on comes from; None for nowhere."""


class SourceMap:
    """A map whose mappings are decoded at the first look-up: most are never asked.

    sources: as they are written, `sourceRoot` put before; contents: their texts, None where the map holds none.
    mappings: as the format writes them.
    """

    def __init__(
        self, sources: tuple[str, ...], contents: tuple[str | None, ...], names: tuple[str, ...], mappings: str
    ) -> None:
        self.sources = sources
        self.contents = contents
        self.names = names
        self.mappings = mappings
        self._decoded: _Decoded | None = None

    def __iter__(self) -> Iterator[Mapping]:
        """Yield the mappings in the order of the generated text. Raises `MapError` as `at` does."""
        found = self._columns()
        for index, key in enumerate(found.keys):
            yield key >> _COLUMN_BITS, key & _COLUMN_LIMIT - 1, found.origin(index)

    def at(self, line: int, column: int) -> Origin | None:
        """Return where the text at that place comes from: what the last mapping at or before it says, on any line.

        A value of several lines has one mapping, at its begin; so a line without mappings belongs to the one before.
        Raises `MapError` if the mappings cannot be decoded.
        """
        found = self._columns()
        index = bisect_right(found.keys, line << _COLUMN_BITS | column) - 1
        return found.origin(index) if index >= 0 else None

    def _columns(self) -> _Decoded:
        if self._decoded is None:
            self._decoded = _decode(self.mappings, len(self.sources), len(self.names))
        return self._decoded


class _Decoded(NamedTuple):
    """The mappings, field by field: of thousands, few are ever looked at.

    keys: places in generated text, sorted. sources: -1 for what comes from nowhere. names: -1 for none.
    """

    keys: Sequence[int]
    sources: Sequence[int]
    lines: Sequence[int]
    columns: Sequence[int]
    names: Sequence[int]

    def origin(self, index: int) -> Origin | None:
        """Return where the text of a mapping comes from."""
        source = self.sources[index]
        return Origin(source, self.lines[index], self.columns[index], self.names[index]) if source >= 0 else None


def parse(text: str) -> SourceMap:
    """Return the map that `text` holds; raise `MapError`. Mappings of a flat map are checked when they are decoded."""
    if text.startswith(")]}'"):
        text = text.partition("\n")[2]
    try:
        fields: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MapError(f"it is not JSON: {error}") from None
    if not isinstance(fields, dict) or fields.get("version") != 3:
        raise MapError("it is no source map of version 3")
    return _joined(_items(fields, "sections")) if "sections" in fields else _flat(fields)


def encoded(mappings: Iterable[Mapping]) -> str:
    """Return `mappings`, sorted by line and column, as the format writes them: each number as a difference."""
    parts: list[str] = []
    at_line = generated = 0
    source = line = column = name = 0
    is_first = True
    for to_line, to_column, origin in mappings:
        if to_line != at_line:
            parts.append(";" * (to_line - at_line))
            at_line, generated, is_first = to_line, 0, True
        if not is_first:
            parts.append(",")
        is_first = False
        if origin is None:
            parts.append(written((to_column - generated,)))
        else:
            numbers = (to_column - generated, origin.source - source, origin.line - line, origin.column - column)
            source, line, column = origin[:3]
            if origin.name >= 0:
                numbers = (*numbers, origin.name - name)  # type: ignore[assignment]
                name = origin.name
            parts.append(written(numbers))
        generated = to_column
    return "".join(parts)


def _flat(fields: dict[str, object]) -> SourceMap:
    mappings = fields.get("mappings")
    if not isinstance(mappings, str):
        raise MapError("it has no `mappings`")
    root = fields.get("sourceRoot")
    prefix = f"{root.rstrip('/')}/" if isinstance(root, str) and root else ""
    sources = tuple(prefix + source if isinstance(source, str) else "" for source in _items(fields, "sources"))
    contents = [content if isinstance(content, str) else None for content in _items(fields, "sourcesContent")]
    contents = (contents + [None] * len(sources))[: len(sources)]
    names = tuple(name if isinstance(name, str) else "" for name in _items(fields, "names"))
    return SourceMap(sources, tuple(contents), names, mappings)


def _joined(sections: list[object]) -> SourceMap:
    """Return one flat map of the sections of an index map (ECMA-426, "Index source map")."""
    sources: list[str] = []
    contents: list[str | None] = []
    names: list[str] = []
    mappings: list[Mapping] = []
    for section in sections:
        line, column, part = _section(section)
        if mappings and (line, column) < mappings[-1][:2]:
            raise MapError("its sections overlap, or are out of order")
        moved = [(line + at, c + (0 if at else column), _behind(o, len(sources), len(names))) for at, c, o in part]
        if not moved or moved[0][:2] != (line, column):
            mappings.append((line, column, None))  # what stood before does not reach into this section
        mappings += moved
        sources += part.sources
        contents += part.contents
        names += part.names
    return SourceMap(tuple(sources), tuple(contents), tuple(names), encoded(mappings))


def _section(section: object) -> tuple[int, int, SourceMap]:
    fields = section if isinstance(section, dict) else {}
    offset, inner = fields.get("offset"), fields.get("map")
    if not (isinstance(offset, dict) and isinstance(inner, dict)) or "sections" in inner:
        raise MapError("a section of it has no `offset` or no flat `map`")
    line, column = offset.get("line"), offset.get("column")
    if not (isinstance(line, int) and isinstance(column, int) and line >= 0 and 0 <= column < _COLUMN_LIMIT):
        raise MapError("the `offset` of a section is no place")
    return line, column, _flat(inner)


def _behind(origin: Origin | None, sources: int, names: int) -> Origin | None:
    """Return `origin` in a map whose lists hold others first."""
    if origin is None:
        return None
    name = origin.name + names if origin.name >= 0 else -1
    return Origin(origin.source + sources, origin.line, origin.column, name)


def _items(fields: dict[str, object], key: str) -> list[object]:
    value = fields.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MapError(f"`{key}` is no list")
    return value


class _Segments(dict[str, tuple[int, ...]]):
    """What segments hold, each read once: five numbers and how many of them are written."""

    def __missing__(self, segment: str) -> tuple[int, ...]:
        numbers = numbers_of(segment)
        self[segment] = padded = (*numbers, *[0] * (5 - len(numbers)), len(numbers))
        return padded


def _decode(mappings: str, source_count: int, name_count: int) -> _Decoded:
    """Return the mappings, in the order of the generated text.

    Every field is a sum of differences, so that a whole field is added up at once, and not number by number.
    """
    known = _Segments()  # a sheet repeats a few hundred different segments over and over
    keys: list[int] = []
    segments: list[tuple[int, ...]] = []
    for line, group in enumerate(mappings.split(";")):
        if group:
            key = line << _COLUMN_BITS
            for segment in group.split(","):
                numbers = known[segment]
                key += numbers[0]
                keys.append(key)
                segments.append(numbers)
    lengths = {each[5] for each in known.values()}
    limits = {1: source_count, 2: sys.maxsize, 3: sys.maxsize, 4: name_count}
    sources, lines, columns, names = (
        [-1] * len(keys)
        if max(lengths, default=0) <= field
        else _summed(segments, keys, field, limit, is_everywhere=min(lengths) > field)
        for field, limit in limits.items()
    )
    decoded = _Decoded(keys, sources, lines, columns, names)
    if all(0 <= each[0] < _COLUMN_LIMIT // len(keys) for each in known.values()):
        return decoded  # no column can have gone back, nor out of its bits
    _check_columns(mappings, known)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return _Decoded(*([values[index] for index in order] for values in decoded))


def _summed(
    segments: Sequence[tuple[int, ...]], keys: Sequence[int], field: int, limit: int, *, is_everywhere: bool
) -> list[int]:
    """Return the sums of a field, -1 where a segment does not have it; raise `MapError` if one is out of its limits."""
    values = list(accumulate([segment[field] for segment in segments]))
    if not is_everywhere:
        values = [value if field < each[5] else -1 for value, each in zip(values, segments, strict=True)]
    if values and (min(values) < 0 or max(values) >= limit):
        for value, segment, key in zip(values, segments, keys, strict=True):
            if field < segment[5] and not 0 <= value < limit:
                raise _astray(key >> _COLUMN_BITS)
    return values


def _check_columns(mappings: str, known: _Segments) -> None:
    for line, group in enumerate(mappings.split(";")):
        for column in accumulate(known[segment][0] for segment in group.split(",") if segment):
            if not 0 <= column < _COLUMN_LIMIT:
                raise _astray(line)


def _astray(generated_line: int) -> MapError:
    return MapError(f"a mapping of line {generated_line + 1} points nowhere")

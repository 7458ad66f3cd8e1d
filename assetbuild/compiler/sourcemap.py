"""Source maps: from a place in generated text back to the place that it was written at.

Receives the JSON of a map of version 3; hands on places. Positions count as the format does: lines and columns from 0,
columns in UTF-16 code units. Source: ECMA-426, "Source map format".
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import NamedTuple

__all__ = ["MapError", "Origin", "SourceMap", "chars", "parse", "units"]

_DIGITS = {
    character: value
    for value, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_CONTINUES = 0b100000
_BITS = 5

# Keys of the search: line and column in one integer. A column above this would be a line of four thousand megabytes.
_COLUMN_BITS = 32
_COLUMN_LIMIT = 1 << _COLUMN_BITS

_Segment = tuple[int, ...]


class MapError(ValueError):
    """The text is no source map that can be followed; its text says why, in lower case."""


class Origin(NamedTuple):
    """A place in a source. source: index in `SourceMap.sources`; name: index in its names, -1 for none."""

    source: int
    line: int
    column: int
    name: int = -1


class SourceMap:
    """A map whose mappings are decoded at the first look-up: most are never asked.

    sources: as they are written, `sourceRoot` put before; contents: their texts, None where the map holds none.
    """

    def __init__(
        self, sources: tuple[str, ...], contents: tuple[str | None, ...], names: tuple[str, ...], mappings: str
    ) -> None:
        self.sources = sources
        self.contents = contents
        self.names = names
        self._mappings = mappings
        self._decoded: tuple[list[int], list[Origin | None]] | None = None

    def at(self, line: int, column: int) -> Origin | None:
        """Return where the text at that place comes from: what the last mapping at or before it says, on any line.

        A value of several lines has one mapping, at its begin; so a line without mappings belongs to the one before.
        Raises `MapError` if the mappings cannot be decoded.
        """
        if self._decoded is None:
            self._decoded = _decode(self._mappings, len(self.sources), len(self.names))
        keys, origins = self._decoded
        found = bisect_right(keys, line << _COLUMN_BITS | column) - 1
        return origins[found] if found >= 0 else None


def parse(text: str) -> SourceMap:
    """Return the map that `text` holds; raise `MapError`. Mappings are checked when they are decoded."""
    if text.startswith(")]}'"):
        text = text.partition("\n")[2]
    try:
        fields: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MapError(f"it is not JSON: {error}") from None
    if not isinstance(fields, dict) or fields.get("version") != 3:
        raise MapError("it is no source map of version 3")
    if "sections" in fields:
        raise MapError("it is an index map, whose sections are not followed")
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


def _items(fields: dict[str, object], key: str) -> list[object]:
    value = fields.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MapError(f"`{key}` is no list")
    return value


def _decode(mappings: str, source_count: int, name_count: int) -> tuple[list[int], list[Origin | None]]:
    """Return the places in generated text, sorted, and the origin of each."""
    entries: list[tuple[int, Origin | None]] = []
    known: dict[str, _Segment] = {}  # a sheet repeats a few hundred different segments over and over
    source = line = column = name = 0
    is_sorted = is_sound = True
    for generated_line, group in enumerate(mappings.split(";")):
        generated = 0
        first = len(entries)
        for written in group.split(",") if group else ():
            deltas = known.get(written)
            if deltas is None:
                deltas = known[written] = _segment(written)
            generated += deltas[0]
            is_sorted &= deltas[0] >= 0 or len(entries) == first
            origin = None
            if len(deltas) > 1:
                source, line, column = source + deltas[1], line + deltas[2], column + deltas[3]
                name += deltas[4] if len(deltas) > 4 else 0
                origin = Origin(source, line, column, name if len(deltas) > 4 else -1)
                is_sound = 0 <= source < source_count and line >= 0 and column >= 0 and -1 <= origin.name < name_count
            if not (is_sound and 0 <= generated < _COLUMN_LIMIT):
                raise MapError(f"a mapping of line {generated_line + 1} points nowhere")
            entries.append((generated_line << _COLUMN_BITS | generated, origin))
    if not is_sorted:
        entries.sort(key=lambda entry: entry[0])
    return [key for key, _ in entries], [origin for _, origin in entries]


def _segment(written: str) -> _Segment:
    """Return the numbers of one segment, one, four or five: VLQ in base64, sign in the lowest bit."""
    numbers = []
    value = shift = 0
    for character in written:
        digit = _DIGITS.get(character)
        if digit is None:
            raise MapError(f"`{character}` is no digit of a mapping")
        value |= (digit & ~_CONTINUES) << shift
        shift += _BITS
        if not digit & _CONTINUES:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(numbers) not in (1, 4, 5):
        raise MapError(f"`{written}` is no mapping")
    return tuple(numbers)


def chars(line: str, column: int) -> int:
    """Return the column in characters of the column in UTF-16 code units, on `line`; behind its end at most."""
    if line.isascii():
        return min(column, len(line))
    before = line.encode("utf-16-le", "surrogatepass")[: 2 * column]
    return len(before.decode("utf-16-le", "ignore"))


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2

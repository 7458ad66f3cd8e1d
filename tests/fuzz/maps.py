"""The chain of source maps: any text is a map or refused, and what is written says what was read."""

from __future__ import annotations

import json
from typing import Any

from assetbuild.compiler.sourcemap import (
    MapError,
    Move,
    SourceMap,
    Written,
    composed,
    dumped,
    encoded,
    followed,
    moved,
    parse,
)
from tests.fuzz.grain import LONG_CHARACTERS, Grain
from tests.linear import steps

__all__ = ["chains"]

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MAPPINGS = [*_DIGITS, *";;,,,!=-\0é", "AAAA", "ACAC", "AADAA", "gB", "D", "//////H", "AAgggggggggggggggggD"]
_SOURCES: list[Any] = [["a.css", "b.css"], ["a", "a"], [], ["a", None], None, 7, ["é", "\ud800"]]
_OTHERS: list[dict[str, Any]] = [
    {},
    {"sourceRoot": "root/"},
    {"sourcesContent": ["text", None]},
    {"sourcesContent": 3},
    {"names": None},
    {"version": 2},
    {"x_facebook_sources": []},
]


def chains(content: bytes) -> None:
    """Read a map, follow it, lead it through itself, move it and write it."""
    grain = Grain(content)
    text = _text(grain)
    try:
        read = parse(text)
        mappings = [*read]
    except MapError:
        return
    assert mappings == sorted(mappings, key=lambda found: found[:2])
    for line, column, origin in mappings:
        assert origin is None or (0 <= origin.source < len(read.sources) and -1 <= origin.name < len(read.names))
        assert min(line, column, *(origin[1:3] if origin else ())) >= 0
    places = [(line, column) for line, column, _ in mappings]
    if len({*places}) == len(places):
        assert [origin for *_, origin in mappings] == [read.at(*place) for place in places]
    again = SourceMap(read.sources, read.contents, read.names, encoded(mappings))
    assert mappings == [*again]
    assert (mappings, read.sources) == ([*(twice := parse(dumped(again, "x.css").decode()))], twice.sources)
    _lead(read, again)
    far = [Move(line, 0, 3) for line in {line for line, _ in places}]
    assert [(line, column + 3, origin) for line, column, origin in mappings] == [
        *SourceMap(read.sources, read.contents, read.names, moved(again.mappings, far))
    ]
    if len(read.mappings) > LONG_CHARACTERS:
        assert steps(lambda: [*SourceMap(read.sources, (), read.names, read.mappings)]) < 30 * len(read.mappings)


def _lead(read: SourceMap, again: SourceMap) -> None:
    """Lead a map on through itself: what it says then is what looking up twice says."""
    texts = [Written(f"{number}", None) for number in range(len(read.sources))]
    find = followed(again, texts)
    made = composed(read, [find] * len(read.sources))
    for line, column, origin in read:
        expected = find(origin.line, origin.column) if origin is not None else None
        if read.at(line, column) != origin:
            continue  # the last of several at one place counts
        found = made.at(line, column)
        assert (expected is None) == (found is None)
        if expected is not None and found is not None:
            assert (expected.written.name, *expected[1:3]) == (made.sources[found.source], found.line, found.column)


def _text(grain: Grain) -> str:
    """Return a map, near to one, or anything."""
    form = grain.below(8)
    if form == 0:
        return grain.text([*_MAPPINGS, '{"version":3', ',"mappings":"', '"', "}", ",", ")]}'\n", "[", "]", "1e9"])
    if form == 1:
        sections = [{"offset": _offset(grain), "map": _fields(grain, most=20)} for _ in range(grain.below(4))]
        return json.dumps({"version": 3, "sections": sections})
    fields = _fields(grain, most=0)
    fields["mappings"] = grain.text(_MAPPINGS)
    return grain.pick(["", "", "", ")]}'\n"]) + json.dumps(fields)


def _offset(grain: Grain) -> Any:
    return grain.pick([{"line": grain.below(9), "column": grain.below(9)}, {"line": -1, "column": 0}, {}, None])


def _fields(grain: Grain, most: int) -> dict[str, Any]:
    names = grain.pick([["n", "m"], [], ["n", 1]])
    fields = {"version": 3, "sources": grain.pick(_SOURCES), "names": names, **grain.pick(_OTHERS)}
    return fields | {"mappings": grain.words(_MAPPINGS, most)}

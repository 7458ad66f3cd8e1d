from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.sourcemap import MapError, Origin, chars, parse, units

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SOURCES = 3
NAMES = 2

# A mapping: generated line and column, then source, line, column and name (-1: none); a source of -1: no origin.
small = st.integers(0, 40)
mapping = st.tuples(
    small, st.integers(0, 2000), st.integers(-1, SOURCES - 1), small, st.integers(0, 5000), st.integers(-1, NAMES - 1)
)


def vlq(number: int) -> str:
    rest = number << 1 if number >= 0 else -number << 1 | 1
    digits = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        digits += ALPHABET[digit | (32 if rest else 0)]
        if not rest:
            return digits


def written(mappings: list[tuple[int, ...]]) -> str:
    """Return `mappings`, sorted by line only, as the format writes them."""
    lines: list[list[str]] = [[] for _ in range(1 + max((line for line, *_ in mappings), default=0))]
    generated = dict.fromkeys(range(len(lines)), 0)
    last = [0, 0, 0, 0]
    for line, column, source, *rest in sorted(mappings, key=lambda entry: entry[0]):
        segment = vlq(column - generated[line])
        generated[line] = column
        if source >= 0:
            now = [source, *rest]
            count = 3 if now[3] < 0 else 4
            segment += "".join(vlq(now[i] - last[i]) for i in range(count))
            last[:count] = now[:count]
        lines[line].append(segment)
    return ";".join(",".join(line) for line in lines)


def map_of(mappings: str, **fields: Any) -> str:
    sources = [f"{number}.scss" for number in range(SOURCES)]
    return json.dumps({"version": 3, "sources": sources, "names": ["a", "b"], "mappings": mappings, **fields})


@given(st.lists(mapping, unique_by=lambda entry: entry[:2]), st.tuples(small, st.integers(0, 2000)))
def test_the_last_mapping_at_or_before_a_place_says_where_it_comes_from(
    mappings: list[tuple[int, ...]], place: tuple[int, int]
) -> None:
    expected = None
    for line, column, source, *rest in sorted(mappings):
        if (line, column) <= place:
            expected = Origin(source, *rest) if source >= 0 else None

    assert expected == parse(map_of(written(mappings))).at(*place)


def test_a_map_of_the_format_s_own_example_is_read() -> None:
    found = parse('{"version":3,"sourceRoot":"file:///p/","sources":["a.scss"],"names":[],"mappings":"AAAA;EAAE"}')

    assert found.sources == ("file:///p/a.scss",)
    assert [Origin(0, 0, 0), Origin(0, 0, 2)] == [found.at(0, 9), found.at(1, 2)]


def test_texts_that_a_map_carries_belong_to_their_sources() -> None:
    found = parse(map_of("AAAA", sourcesContent=["a{}", None]))

    assert found.contents == ("a{}", None, None)


def test_the_line_that_guards_json_against_scripts_is_skipped() -> None:
    assert Origin(0, 0, 0) == parse(")]}'\n" + map_of("AAAA")).at(0, 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "it is no source map of version 3"),
        ('{"version": 2}', "it is no source map of version 3"),
        ('{"version": 3, "sections": {}}', "`sections` is no list"),
        ('{"version": 3, "sections": [{}]}', "a section of it has no `offset` or no flat `map`"),
        ('{"version": 3, "sources": []}', "it has no `mappings`"),
        ('{"version": 3, "sources": "a", "mappings": ""}', "`sources` is no list"),
    ],
)
def test_what_is_no_map_is_refused(text: str, why: str) -> None:
    with pytest.raises(MapError) as caught:
        parse(text)

    assert why == str(caught.value)


@pytest.mark.parametrize(
    ("mappings", "why"),
    [
        ("AAA!", "`!` is no digit of a mapping"),
        ("AA", "`AA` is no mapping"),
        ("AAAg", "`AAAg` is no mapping"),
        ("AGAA", "a mapping of line 1 points nowhere"),
        (";D", "a mapping of line 2 points nowhere"),
        ("AADA", "a mapping of line 1 points nowhere"),
        ("AAAAE", "a mapping of line 1 points nowhere"),
    ],
)
def test_mappings_that_lead_nowhere_are_refused_when_they_are_asked(mappings: str, why: str) -> None:
    found = parse(map_of(mappings))

    with pytest.raises(MapError) as caught:
        found.at(0, 0)

    assert why == str(caught.value)


@given(st.text(ALPHABET + ",;!"))
def test_any_mappings_are_followed_or_refused(mappings: str) -> None:
    try:
        found = parse(map_of(mappings)).at(3, 3)
    except MapError:
        return

    assert found is None or 0 <= found.source < SOURCES


@given(st.text(), st.integers(0, 30))
def test_columns_count_utf_16_code_units(line: str, length: int) -> None:
    length = min(length, len(line))

    assert length == chars(line, units(line[:length]))
    assert len(line) == chars(line, units(line) + 5)

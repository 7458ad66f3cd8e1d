from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.sourcemap import (
    SCRIPT_LINES,
    SHEET_LINES,
    Lines,
    MapError,
    Mapping,
    Move,
    Origin,
    Place,
    SourceMap,
    Way,
    Written,
    chars,
    composed,
    drawn,
    dumped,
    encoded,
    followed,
    moved,
    parse,
    units,
)

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
        ("AAAAD", "a mapping of line 1 points nowhere"),
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


def entries(mappings: list[tuple[int, ...]]) -> list[Mapping]:
    """Return `mappings` as a map yields them."""
    return [
        (line, column, Origin(source, *rest) if source >= 0 else None)
        for line, column, source, *rest in sorted(mappings)
    ]


def flat(mappings: list[Mapping]) -> SourceMap:
    return SourceMap(("0", "1", "2"), (None,) * SOURCES, ("a", "b"), encoded(mappings))


unique = st.lists(mapping, unique_by=lambda entry: entry[:2])


@given(unique)
def test_what_is_encoded_is_decoded_to_the_same(mappings: list[tuple[int, ...]]) -> None:
    assert entries(mappings) == list(flat(entries(mappings)))


@given(unique)
def test_mappings_are_written_as_the_format_writes_them(mappings: list[tuple[int, ...]]) -> None:
    given_in_order = sorted(mappings)

    assert written(given_in_order).rstrip(";") == encoded(entries(given_in_order))


@given(unique, unique, st.tuples(small, st.integers(0, 2000)))
def test_a_composed_map_says_what_looking_up_twice_says(
    outer: list[tuple[int, ...]], inner: list[tuple[int, ...]], place: tuple[int, int]
) -> None:
    first, second = flat(entries(outer)), flat(entries(inner))
    texts = [Written(f"{number}.scss", None) for number in range(SOURCES)]
    find = followed(second, texts)

    made = composed(first, [find] * SOURCES)

    step = first.at(*place)
    expected = find(step.line, step.column) if step else None
    origin = made.at(*place)
    found = (
        Place(texts[0], 0, 0)
        if origin is None
        else Place(Written(made.sources[origin.source], None), origin.line, origin.column)
    )
    assert (expected is None) == (origin is None)
    assert expected is None or expected[:3] == found[:3]


ways = st.lists(st.sampled_from(("itself", "found", "nowhere")), min_size=SOURCES, max_size=SOURCES)


@given(unique, ways, st.tuples(small, st.integers(0, 2000)))
def test_a_source_that_was_written_by_a_person_is_led_nowhere_else(
    mappings: list[tuple[int, ...]], ways: list[str], place: tuple[int, int]
) -> None:
    first = flat(entries(mappings))
    texts = [Written(f"{number}.js", f"text {number}") for number in range(SOURCES)]
    kinds: dict[str, Callable[[int], Way]] = {
        "itself": lambda number: texts[number],
        "found": lambda number: lambda line, column: Place(texts[number], line + 1, column),
        "nowhere": lambda _: None,
    }

    made = composed(first, [kinds[way](number) for number, way in enumerate(ways)])

    step, origin = first.at(*place), made.at(*place)
    if step is None or ways[step.source] == "nowhere":
        assert origin is None
    else:
        assert origin is not None
        assert texts[step.source] == (made.sources[origin.source], made.contents[origin.source])
        assert (step.line + (ways[step.source] == "found"), step.column) == (origin.line, origin.column)


def test_the_mappings_of_sources_that_were_all_written_by_a_person_are_not_read() -> None:
    texts = [Written(f"{number}.js", "") for number in range(SOURCES)]
    unreadable = "no mappings at all!"

    made = composed(SourceMap(("0", "1", "2"), (None,) * SOURCES, ("a",), unreadable), texts)

    assert unreadable == made.mappings
    assert ("0.js", "1.js", "2.js") == made.sources


@given(unique, st.lists(st.tuples(small, st.integers(0, 2000), st.integers(0, 99)), unique_by=lambda move: move[:2]))
def test_a_moved_map_leads_from_the_new_places_to_the_old_origins(
    mappings: list[tuple[int, ...]], moves: list[tuple[int, int, int]]
) -> None:
    expected = [
        (line, column + sum(by for at, behind, by in moves if at == line and behind <= column), origin)
        for line, column, origin in entries(mappings)
    ]
    before = flat(entries(mappings))

    after = moved(before.mappings, [Move(*move) for move in moves])

    assert expected == list(SourceMap(before.sources, before.contents, before.names, after))


@given(st.text("ab😀\n\r\f\u2028", max_size=30), st.data())
def test_positions_and_offsets_are_each_other_s_inverse(text: str, data: st.DataObject) -> None:
    for pattern in (SCRIPT_LINES, SHEET_LINES):
        lines = Lines(text, pattern)
        offset = data.draw(st.integers(0, len(text)))

        assert offset == lines.offset(*lines.position(offset))


def test_a_place_behind_the_end_is_the_end() -> None:
    lines = Lines("ab\ncd", SCRIPT_LINES)

    assert (3, 5, 5) == (lines.offset(0, 99), lines.offset(1, 99), lines.offset(7, 0))


def test_the_sections_of_an_index_map_are_one_map() -> None:
    inner = json.loads(map_of("AAAA,EAAEA"))
    index = {
        "version": 3,
        "sections": [
            {"offset": {"line": 0, "column": 0}, "map": inner},
            {"offset": {"line": 2, "column": 5}, "map": {**inner, "sourceRoot": "r", "mappings": "CAAA;AACAA"}},
        ],
    }

    found = parse(json.dumps(index))

    assert ("0.scss", "1.scss", "2.scss", "r/0.scss", "r/1.scss", "r/2.scss") == found.sources
    places = [(0, 0), (0, 2), (1, 0), (2, 5), (2, 6), (3, 0)]
    expected = [Origin(0, 0, 0), Origin(0, 0, 2, 0), Origin(0, 0, 2, 0), None, Origin(3, 0, 0), Origin(3, 1, 0, 2)]
    assert expected == [found.at(*place) for place in places]


def test_sections_out_of_order_are_refused() -> None:
    part = {"offset": {"line": 1, "column": 0}, "map": json.loads(map_of("AAAA"))}
    before = {**part, "offset": {"line": 0, "column": 0}}

    with pytest.raises(MapError, match="its sections overlap, or are out of order"):
        parse(json.dumps({"version": 3, "sections": [part, before]}))


def test_half_a_surrogate_pair_in_a_map_that_came_in_is_written_as_an_escape() -> None:
    broken = SourceMap(("a.js",), ("\ud83d",), (), "AAAA")

    assert b'"sourcesContent":["\\ud83d"]' in dumped(broken, "b.js")


def test_a_mapping_that_says_nothing_new_is_left_out() -> None:
    here = Place(Written("a", None), 1, 1)

    made = drawn(Lines("abc\ndef", SCRIPT_LINES), [(0, here), (1, here), (4, here), (5, None), (6, None)])

    assert [(0, 0), (1, 0), (1, 1)] == [found[:2] for found in made]

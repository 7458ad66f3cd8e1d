"""Conditions and ranges, against the rules read slowly and against Python's own slices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.web.serve.conditions import byte_range, precondition

ETAG = '"0123456789abcdef0123-br"'
OTHER = '"0123456789abcdef0123-gzip"'


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (ETAG, 304),
        (f"W/{ETAG}", 304),
        (f'"x", {OTHER},{ETAG}', 304),
        (f'"x",, \t{ETAG} ,', 304),
        ('"a,b", ' + ETAG, 304),
        ("*", 304),
        (" * ", 304),
        (OTHER, 0),
        ('"*"', 0),
        (ETAG.strip('"'), 0),
        (ETAG[:-1], 0),
        (f"w/{ETAG}", 0),
        (f"W/ {ETAG}", 0),
        (f"x {ETAG}", 0),
        (f"{ETAG} x", 0),
        (f"{ETAG}, x", 0),
        (f"{ETAG}{OTHER}", 0),
        (f"*, {ETAG}", 0),
        ("", 0),
        (",", 0),
        ("X*", 0),
        ("\x0b*", 0),
        (" *\t", 304),
    ],
)
def test_if_none_match_spares_the_body_that_the_client_holds(value: str, status: int) -> None:
    assert status == precondition({"if-none-match": value}, ETAG)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (ETAG, 0),
        (f"{OTHER}, {ETAG}", 0),
        ("*", 0),
        (OTHER, 412),
        (f"W/{ETAG}", 412),
        ("nonsense", 0),
    ],
)
def test_if_match_asks_for_this_version_strongly(value: str, status: int) -> None:
    assert status == precondition({"if-match": value}, ETAG)


def test_if_match_is_looked_at_first() -> None:
    assert 412 == precondition({"if-match": OTHER, "if-none-match": ETAG}, ETAG)
    assert 304 == precondition({"if-match": ETAG, "if-none-match": ETAG}, ETAG)


opaque = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=8)
tags = st.tuples(st.booleans(), st.sampled_from([ETAG, OTHER]) | opaque.map('"{}"'.format))
separators = st.sampled_from([",", ", ", " ,\t", ",,", ", , "])


@given(st.lists(tags, min_size=1, max_size=5), st.lists(tags, max_size=5), separators)
def test_lists_of_tags_agree_with_the_rules_read_slowly(
    held: list[tuple[bool, str]], wanted: list[tuple[bool, str]], separator: str
) -> None:
    def written(some: list[tuple[bool, str]]) -> str:
        return separator.join(f"W/{tag}" if is_weak else tag for is_weak, tag in some)

    is_other = bool(wanted) and (False, ETAG) not in wanted
    is_held = ETAG in [tag for _, tag in held]
    conditions = {"if-none-match": written(held), "if-match": written(wanted)}

    assert (412 if is_other else 304 if is_held else 0) == precondition(conditions, ETAG)


@given(st.text(st.characters(max_codepoint=255), max_size=40), st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_field_makes_a_condition_fail(some: str, other: str) -> None:
    assert precondition({"if-match": some, "if-none-match": other}, ETAG) in {0, 304, 412}


BODY = bytes(range(100))


def test_a_range_is_read_up_to_a_hundred_characters() -> None:
    texts = [f"bytes=1-{'0' * zeros}4" for zeros in (91, 92)]

    assert [100, 101] == [len(text) for text in texts]
    assert [range(1, 5), None] == [byte_range({"range": text}, ETAG, 9) for text in texts]


@given(st.integers(0, 120), st.integers(0, 120), st.integers(1, 100))
def test_a_range_is_a_slice(first: int, last: int, size: int) -> None:
    found = byte_range({"range": f"bytes={first}-{last}"}, ETAG, size)

    if last < first:
        assert found is None
    else:
        assert found is not None
        assert BODY[:size][first : last + 1] == bytes(BODY[at] for at in found)


@given(st.integers(0, 120), st.integers(1, 100))
def test_an_open_range_is_a_slice_to_the_end(first: int, size: int) -> None:
    found = byte_range({"range": f"bytes={first}-"}, ETAG, size)

    assert found is not None
    assert BODY[:size][first:] == bytes(BODY[at] for at in found)


@given(st.integers(0, 120), st.integers(1, 100))
def test_a_suffix_is_a_slice_from_behind(length: int, size: int) -> None:
    found = byte_range({"range": f"bytes=-{length}"}, ETAG, size)

    assert found is not None
    assert (BODY[:size][-length:] if length else b"") == bytes(BODY[at] for at in found)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=--1",
        "bytes=1-0",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "bytes=a-b",
        "bytes=1_0-2_0",
        "bytes=+1-2",
        "bytes= 0-1",
        "bytes=0 - 1",
        "bytes=0-1 ",
        "bytes=\u0661-\u0662",
        "bytes=\xb2-",
        "lines=0-1",
        "0-1",
        "bytes=0-" + "0" * 100,
    ],
)
def test_what_is_not_one_plain_range_is_ignored(value: str) -> None:
    assert byte_range({"range": value}, ETAG, 100) is None


@pytest.mark.parametrize("value", ["bytes=0-0", "Bytes=0-0", "bytes=000-000"])
def test_the_unit_is_read_in_any_case_and_digits_as_a_number(value: str) -> None:
    assert range(1) == byte_range({"range": value}, ETAG, 100)


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 90 + "-"])
def test_bytes_that_are_not_there_cannot_be_had(value: str) -> None:
    found = byte_range({"range": value}, ETAG, 100)

    assert found is not None
    assert 0 == len(found)


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-"])
def test_of_an_empty_body_nothing_can_be_asked(value: str) -> None:
    assert byte_range({"range": value}, ETAG, 0) is None


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (ETAG, True),
        (f"W/{ETAG}", False),
        (OTHER, False),
        (f"{ETAG}, {OTHER}", False),
        ("Sun, 06 Nov 1994 08:49:37 GMT", False),
        ("*", False),
        ("", False),
    ],
)
def test_a_part_is_sent_only_of_the_version_that_the_client_began_with(value: str, holds: bool) -> None:
    found = byte_range({"range": "bytes=1-2", "if-range": value}, ETAG, 100)

    assert (range(1, 3) if holds else None) == found

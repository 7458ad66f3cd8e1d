"""Places in a text: the same however they are asked for, and cheap where there are many."""

from __future__ import annotations

from typing import SupportsIndex

from hypothesis import given
from hypothesis import strategies as st

from assetbuild.diagnostic import Lines, span_at

TEXTS = st.text("ab\n\r\f\u2028", max_size=12)


@given(TEXTS, st.integers(-1, 14), st.none() | st.integers(0, 14))
def test_many_places_in_a_text_are_what_each_is_alone(text: str, start: int, end: int | None) -> None:
    assert span_at("a.css", text, start, end) == Lines(text).span("a.css", start, end)


class Counted(str):
    """A text that knows how much of it was copied."""

    copied = 0

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        part = super().__getitem__(key)
        Counted.copied += len(part)
        return part

    def find(self, *arguments: object) -> int:
        raise AssertionError(f"the text is searched again: {arguments}")

    count = rfind = index = find


def test_a_place_costs_no_more_at_the_end_of_a_long_text_than_at_its_beginning() -> None:
    for text in ("{{ a }}\n" * 2_000, "{{ a }} " * 2_000):
        lines = Lines(Counted(text))
        Counted.copied = 0

        columns = {lines.span("a.html", at, at + 7).length for at in range(0, len(text), 8)}

        assert {7} == columns
        assert Counted.copied <= 2_000 * 400

"""The smallest variant that a client accepts, against the rules read slowly."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assetbuild.web.serve.negotiate import _memoised, pick
from assetbuild.web.serve.resources import Variant

IDENTITY = Variant("", "a.css", 100, '"1"', "")
GZIP = Variant("gzip", "a.css.gz", 40, '"1-gzip"', "")
BR = Variant("br", "a.css.br", 30, '"1-br"', "")
ZSTD = Variant("zstd", "a.css.zst", 35, '"1-zstd"', "")
ALL = (BR, ZSTD, GZIP, IDENTITY)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", IDENTITY),
        (" ", IDENTITY),
        (",", IDENTITY),
        ("gzip, deflate, br, zstd", BR),
        ("gzip, deflate, zstd", ZSTD),
        ("gzip, deflate", GZIP),
        ("deflate", IDENTITY),
        ("br;q=0, gzip", GZIP),
        ("br;q=0.000, gzip;q=0.001", GZIP),
        ("gzip;q=0", IDENTITY),
        ("GZIP", GZIP),
        ("x-gzip", GZIP),
        ("not-gzip", IDENTITY),
        ("gzipped", IDENTITY),
        ("*", BR),
        ("*, br;q=0", ZSTD),
        ("gzip, *;q=0", GZIP),
        ("*;q=0", IDENTITY),
        ("identity;q=0, *;q=0", IDENTITY),
        ("identity", IDENTITY),
        ("identity;q=1, *;q=0", IDENTITY),
        ("identity;q=0", IDENTITY),
        ("br ; q=0.5 ,\tgzip;Q=1", BR),
        ("br, br;q=0", IDENTITY),
        ("br;q=0, br", IDENTITY),
        ("dcb, dcz, gzip", GZIP),
        (", gzip", GZIP),
        ("X, gzip", GZIP),
        ("Xgzip", IDENTITY),
        ("br;q=0.X, gzip", IDENTITY),
    ],
)
def test_a_client_gets_the_smallest_that_it_accepts(accept: str, chosen: Variant) -> None:
    assert chosen == pick(ALL, accept)


def test_only_short_headers_are_remembered() -> None:
    for accept in ("gzip", "gzip", f"gzip{' ' * 196}", f"gzip{' ' * 197}"):
        assert GZIP == pick(ALL, accept)

    assert (1, 2) == (_memoised.cache_info().hits, _memoised.cache_info().currsize)


def test_identity_is_sent_where_nothing_is_smaller() -> None:
    least = IDENTITY._replace(size_bytes=5)

    assert least == pick((least, GZIP), "gzip") == pick((least, GZIP), "identity, gzip")


@pytest.mark.parametrize(
    "accept",
    [
        "gzip br",
        "gzip;q",
        "gzip;q=",
        "gzip;q=2",
        "gzip;q=1.1",
        "gzip;q=0.0001",
        "gzip;q=-1",
        "gzip;q=.5",
        "gzip;q=1_0",
        "gzip;q=1;x=2",
        "gzip;level=9",
        "gzip, b(r)",
        "gzip, \xe9",
        "gzip;q=\u0661",
        ";q=1",
        "gzip, br\x00",
        "gzip,\x0b",
        "\x0bgzip",
    ],
)
def test_an_unreadable_header_counts_as_absent(accept: str) -> None:
    assert IDENTITY == pick(ALL, accept)


def test_identity_is_left_out_only_where_something_else_is_accepted() -> None:
    larger = (IDENTITY, GZIP._replace(size_bytes=200))

    assert IDENTITY == pick(larger, "gzip")
    assert "gzip" == pick(larger, "gzip, identity;q=0").coding
    assert IDENTITY == pick(larger, "br, identity;q=0")


def test_a_header_of_any_length_is_read() -> None:
    assert GZIP == pick(ALL, ", ".join([*(f"x{n}" for n in range(5000)), "gzip"]))


weights = st.none() | st.sampled_from(["0", "0.", "0.0", "0.000", "0.001", "0.5", "0.999", "1", "1.", "1.000"])
elements = st.tuples(st.sampled_from(["br", "gzip", "zstd", "identity", "*", "deflate", "dcz", "x"]), weights)
blanks = st.sampled_from(["", " ", "\t ", "  "])
variants = st.lists(st.sampled_from([GZIP, BR, ZSTD]), unique=True).map(
    lambda some: tuple(sorted([*some, IDENTITY], key=lambda variant: variant.size_bytes))
)


@given(variants, st.lists(elements, max_size=6), blanks, blanks)
@example(ALL, [("*", "0"), ("identity", "0.5")], "", "")
def test_the_choice_agrees_with_the_rules_read_slowly(
    offered: tuple[Variant, ...], asked: list[tuple[str, str | None]], before: str, after: str
) -> None:
    header = f"{after},{before}".join(
        name if weight is None else f"{name}{before};{after}q={weight}" for name, weight in asked
    )

    def is_accepted(coding: str) -> bool:
        def said(name: str) -> list[float]:
            return [1.0 if weight is None else float(weight) for asked_for, weight in asked if asked_for == name]

        for name in (coding or "identity", "*"):
            if said(name):
                return min(said(name)) > 0
        return coding == ""

    acceptable = [variant for variant in offered if is_accepted(variant.coding)]

    assert min(acceptable, key=lambda variant: variant.size_bytes, default=IDENTITY) == pick(offered, header)


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_no_header_makes_the_choice_fail(accept: str) -> None:
    assert pick(ALL, accept) in ALL

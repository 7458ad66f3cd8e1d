"""Globs over logical paths."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.globs import BadGlob, is_glob, matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("*.css", "a.css", True),
        ("*.css", "x/a.css", False),
        ("**/*.css", "a.css", True),
        ("**/*.css", "x/y/a.css", True),
        ("**/README*", "a/README.md", True),
        ("downloads/**", "downloads/a/b.pdf", True),
        ("downloads/**", "downloads", False),
        ("js/[ab].js", "js/a.js", True),
        ("js/[!ab].js", "js/a.js", False),
        ("js/[!ab].js", "js//.js", False),
        ("img/*.{png,jpg}", "img/x.jpg", True),
        ("img/*.{png,jpg}", "img/x.gif", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a}b", "a}b", True),
        ("{**/*.css,b}", "a.css", True),
        ("a/{b,**/c}", "a/c", True),
        ("a{b,**/c}", "ac", False),
        ("a{b,**/c}", "axy/c", True),
        ("A.css", "a.css", False),
        ("a+(b).css", "a+(b).css", True),
    ],
)
def test_a_pattern_matches_the_whole_path(pattern: str, path: str, is_match: bool) -> None:
    assert is_match == matches(pattern, path)


@pytest.mark.parametrize("pattern", ["a[b", "{a,b", "a{b,{c}", "[z-a]", "[a--b]"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(BadGlob):
        matches(pattern, "a")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        *(("[+--b]", "+,-b"), ("[--]", "-"), ("[a-]", "-a"), ("[a-c-e]", "-abce"), ("[]a]", "]a"), ("[a^]", "a^")),
        *(("[a&&b]", "&ab"), ("[a||b]", "ab|"), ("[a~~b]", "ab~"), ("[[a]", "[a"), ("[!a]", "+,-]^&|~[bce")),
    ],
)
def test_brackets_list_characters_and_ranges_and_nothing_else(pattern: str, expected: str) -> None:
    """The pattern engine warns of `--`, `&&` and the like, which it may take for operations on sets one day."""
    assert {*expected} == {c for c in "+,-]^&|~[abce" if matches(pattern, c)}


@given(st.text(alphabet="ab.-_/$^()+|\\ é", max_size=20))
def test_a_plain_name_matches_itself_alone(name: str) -> None:
    assert not is_glob(name)
    assert matches(name, name)
    assert not matches(name, name + "x")


@given(st.text(alphabet="*?[]{}!,a-/\\^", max_size=12), st.text(max_size=12))
def test_any_pattern_answers_or_is_refused(pattern: str, path: str) -> None:
    with contextlib.suppress(BadGlob):
        assert matches(pattern, path) in (True, False)

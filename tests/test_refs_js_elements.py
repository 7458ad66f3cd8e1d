"""Nesting in JSX: brackets and elements count, and what only looks like them does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs.js.elements import check_nesting

SEEMS_DEEP = f"/* {'(' * 300} */"
"""What has a text read closely."""

# What an expression may stand in, and how deep it nests there.
WRAPPINGS = {
    "<a>{@}</a>": 2,
    "<><b>{@}</b> (</>": 3,
    "<A.B c='>' d=\"</A.B>\">don't ( [ {@}</A.B>": 2,
    "<a b={@}/>": 2,
    "<a b=<i/> c>{@}</a>": 2,
    "<a // >\n/* > */>{@}</a>": 2,
    "<a {...b}>{/* } */ @}</a>": 2,
    "(@)": 1,
    "[@]": 1,
    "`(${@}[`": 1,
    "f({a: @})": 2,
    "a < b, @": 0,
    "'(' + @": 0,
    "/[(]<a>/.test(c) || @": 0,
    "a++ < b || @": 0,
    "/* ( */ @": 0,
    "typeof @": 0,
}


@given(st.lists(st.sampled_from([*WRAPPINGS]), max_size=60), st.integers(0, 3))
def test_elements_and_brackets_nest_together(wrappings: list[str], spare: int) -> None:
    depth = sum(WRAPPINGS[each] for each in wrappings)
    text = "@"
    for each in reversed(wrappings):
        text = text.replace("@", each)
    inner = max(NESTING_LIMIT - depth + spare - 1, 0)
    text = text.replace("@", "<i>" * inner + "</i>" * inner)

    found = check_nesting(f"{SEEMS_DEEP}x = {text};", is_typed=False)

    assert (found is not None) == (depth + inner > NESTING_LIMIT)


@pytest.mark.parametrize(
    "line",
    [
        "if (a<b) c();",
        "type F = <T>(x: T) => Array<T>;",
        "const f = <T,>(x: Map<string, Array<T>>) => x;",
        "const g = <const T extends object>(x: T) => x < y;",
        "const h = <T = Array<string>,>(x: T) => x as Map<T, Array<T>>;",
        "<Foo<string> a='1'/>;",
        "x = <p>don't (((</p>;",
        "x = y as Array<string>;",
        "x = a ? <b/> : <c>(</c>;",
    ],
)
def test_many_lines_that_do_not_nest_are_none_that_do(line: str) -> None:
    assert check_nesting(f"{line}\n" * 500 + "(" * 20, is_typed=True) is None


@pytest.mark.parametrize(
    "text",
    ["<a>" * 300, "x = " + "<a b=" * 300, "<a b={" * 300, "<" * 300, "{" * 300, "`${" * 300, "<a>{" * 150],
)
def test_what_is_never_closed_is_read_to_its_end(text: str) -> None:
    found = check_nesting(text, is_typed=False)

    assert found is None or text[found] in "<{$`"


def test_reading_is_linear_in_what_is_never_closed() -> None:
    """Each name of type parameters is searched for once, however many there are."""
    assert check_nesting("type F = <T>(x: T) => T;\n" * 20_000, is_typed=True) is None

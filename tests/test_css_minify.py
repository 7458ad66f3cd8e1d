"""Minified CSS means what it meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.compiler.engines.css.minify import minified
from assetbuild.compiler.refs.css import survey
from assetbuild.compiler.refs.css.shape import shape
from assetbuild.compiler.refs.css.tokens import marks, tokens
from tests.test_refs_css_tokens import css_like

_GAPLESS_BEHIND = {"", "{", "}", ";", ",", "(", "[", ":", ">", "=", "!"}
_GAPLESS_BEFORE = {"", "{", "}", ";", ",", ")", "]", ">", "=", "!"}

selectors = st.lists(
    st.sampled_from(
        [".a", "#b", "c", ":hover", ":is(.d)", "[e='f g']", ">", "+", "~", "&", "\\:", "*", " ", "\n", "/**/"]
    ),
    min_size=1,
    max_size=8,
).map("".join)
words = ["1px", "-1", "+2", "a", "'b  c'", "calc(1px + 2px)", "url(d)", "url( 'e  f' )", "/", ",", "!important"]
words += [" ", "  ", "\t", "/* ; */", "\\31 ", "var(--x, )", "#fff", "[g]", "(", ")"]
values = st.lists(st.sampled_from(words), max_size=8).map("".join)
declarations = st.builds(
    "{}{}{};".format, st.sampled_from(["a", "--b", "-c"]), st.sampled_from([":", ": ", " : "]), values
)
preludes = st.sampled_from(
    ["@media (a:b) and (c)", "@layer d", "@container e (f > 1px)", "@supports not (g: h)", "@scope"]
)
rules = st.recursive(
    declarations,
    lambda inner: st.builds(
        lambda prelude, body: f"{prelude} {{ {' '.join(body)} }}\n", selectors | preludes, st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)
sheets = st.lists(st.builds("{} {{{}}}\n".format, selectors | preludes, rules), max_size=3).map("".join)


def minify(text: str) -> str | None:
    return minified(text, survey(text).customs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a { color : red; }\n", "a{color :red}"),
        (".a :hover { b: c }", ".a :hover{b:c}"),
        ("@layer x { .a :hover { b: c } }", "@layer x{.a :hover{b:c}}"),
        ("@container (width > 1px) { .a :is(b) :is(c) {d: e} }", "@container (width>1px){.a :is(b) :is(c){d:e}}"),
        (".a { .b :hover {c:d} & > e {f:g} }", ".a{.b :hover{c:d}& >e{f:g}}"),
        ("a{--b: ;--c: [1, 2];--d: {\"e\": 1};--f:g }", "a{--b: ;--c:[1, 2];--d:{\"e\": 1};--f:g}"),
        ("@font-face { src: url( \"a b.woff2\" ) }", "@font-face{src:url(\"a b.woff2\")}"),
        ("@import url(\"a b.css\") screen;c{}", "@import url(\"a b.css\") screen;c{}"),
        ("a{b:url( c\\ d )}", "a{b:url(c\\ d)}"),
        (r".a\: .b, .c\, .d{e:f}", r".a\: .b,.c\, .d{e:f}"),
        (".\\31  .b{c:d}", ".\\31  .b{c:d}"),
        ("/*! keep */ a { b: c } /* drop */", "/*! keep */a{b:c}"),
        ("a{b:c/**/d;e/**/:f}g/**/h{}", "a{b:c/**/d;e:f}g/**/h{}"),
        ("a{b:'c\\\n  d'}", "a{b:'c\\\n  d'}"),
        ("a{b: calc( 1px + -2px ) ;}", "a{b:calc(1px + -2px)}"),
        ("a{b:url(data:image/svg+xml;base64,QQ==)}", "a{b:url(data:image/svg+xml;base64,QQ==)}"),
        ("a{b:url(\"data:,<svg viewBox='0 0 1 1'/>\")}", "a{b:url(\"data:,<svg viewBox='0 0 1 1'/>\")}"),
        ("a{};  b{c:d}", "a{};b{c:d}"),
        (" .a{b:c;;}", ".a{b:c;}"),
        ("a{b:c\vd e}", "a{b:c\vd e}"),
        ("@layer a; ;b{c:d;\n;e:f}", "@layer a;;b{c:d;;e:f}"),
        ("a{b:\ue000 c\u00a0 d}", "a{b:\ue000 c\u00a0 d}"),
    ],
)  # fmt: skip
def test_a_sheet_becomes_smaller_and_means_the_same(text: str, expected: str) -> None:
    assert expected == minify(text)


@settings(max_examples=300)
@given(sheets)
def test_no_token_and_no_gap_that_counts_is_lost(text: str) -> None:
    small = minify(text + shape(text).closing)

    assert small is None or list(_meaning(text + shape(text).closing)) == list(_meaning(small))


@given(css_like)
def test_garbage_is_minified_without_loss_or_not_at_all(text: str) -> None:
    closed = text + shape(text).closing
    found = survey(closed)
    small = minified(closed, found.customs) if found.bad is None else None

    assert small is None or [r.value for r in found.references] == [r.value for r in survey(small).references]


@given(
    st.lists(st.builds("{} {{ {} }}\n".format, st.sampled_from([".a", ".a :hover", "@page"]), declarations), max_size=5)
)
def test_ordinary_sheets_are_always_minified(rules: list[str]) -> None:
    text = "".join(rules)
    text += shape(text).closing

    assert minify(text) is not None


def _meaning(text: str) -> Iterator[str]:
    """Yield the tokens of `text`, with one space for a gap that may count; without empty statements."""
    before, has_gap, ends = "", False, ""
    for token in [*tokens(text), None]:
        written = text[token.start : token.end] if token else ""
        if token and token.kind in {"whitespace", "comment"}:
            has_gap = has_gap or token.kind == "whitespace"
            continue
        if token and token.kind == "url":
            written = f"url({next(marks(written))['body']})"
        if written == ";":
            ends, has_gap, before = ends + ";", False, ";"
            continue
        if ends and written not in {"}", ""}:
            yield ends
        ends = ""
        last = "(" if before.endswith("(") else before
        if has_gap and last not in _GAPLESS_BEHIND and written not in _GAPLESS_BEFORE:
            yield " "
        if token:
            yield written
        before, has_gap = written, False

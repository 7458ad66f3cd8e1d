"""Every place in a stylesheet that names a resource, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs.css import check_nesting, imports, map_comments, raw_suffix, references, survey
from assetbuild.compiler.refs.css.imports import head
from assetbuild.compiler.refs.css.shape import LayerUse, enclosed, layer_uses, shape
from assetbuild.compiler.refs.css.tokens import tokens
from tests.test_refs_css_tokens import any_text, css_like

# Whole declarations and rules beside all that bends a token: most blocks are plain, and some are not.
blocks = st.lists(
    st.sampled_from(
        [
            *"{}{};();,<@\\ \n",
            *("a{b:c;--d: e}", "a { b: c(1 + (2)); }", "--x: c;", "--x:", "--y :d", "b:c;", "var(--y)", "--x:{a:b}"),
            *("url(a)", 'url("a")', "src('b')", "image-set('x' 1x)", "\\75rl(x)", "rgb((((1))))", "(;)", "!ie", "'"),
            *("@media x", "@import 'x';", "@layer a;", "@layer b", "/**/", "/*", "<!--", "-->", "é", "a-"),
        ]
    ),
    max_size=30,
).map("".join)


def named(text: str) -> list[tuple[str, str]]:
    return [(ref.kind, ref.value) for ref in references(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b:url(x.png)}", "x.png"),
        ("a{b:url('x.png')}", "x.png"),
        ('a{b:URL( "x.png"\n)}', "x.png"),
        ("a{b:url(\n\tx.png\r\n)}", "x.png"),
        ("a{b:\\75rl(x.png)}", "x.png"),
        ("a{b:\\75 r\\6C('x.png')}", "x.png"),
        ("a{b:url(sp\\ ace.png)}", "sp ace.png"),
        ("a{b:url('a(1).png')}", "a(1).png"),
        ("a{b:url(a\\(1\\).png)}", "a(1).png"),
        ("a{b:url('a\\\nb.png')}", "ab.png"),
        ("a{b:url(%C3%A9.png)}", "%C3%A9.png"),
        ("a{b:url(é.png)}", "é.png"),
        ("a{b:url(f.eot?#iefix)}", "f.eot?#iefix"),
        ("a{b:url(#grad)}", "#grad"),
        ("a{b:url()}", ""),
        ("a{b:url('x' foo(bar))}", "x"),
        ("a{--x:url(x.png)}", "x.png"),
        ("a{--x:{b:[url(x.png)]}}", "x.png"),
        ("a{b:c}d{--x: {e} url(x.png)}", "x.png"),
        ("@font-face{src:url(x.png) format('woff2')}", "x.png"),
        ("@media print{@supports (a:b){@layer c{d{e:url(x.png)}}}}", "x.png"),
        (".a{.b &{c:d}e:f;&:hover{g:url(x.png)}}", "x.png"),
        (".a{b:c;;d:url(x.png);}", "x.png"),
        (".a{b:c} <!-- .d{e:url(x.png)} -->", "x.png"),
        ("a{b:url(x.png", "x.png"),
        ("a{b:url('x.png", "x.png"),
        ("a{b:c(url(x.png)", "x.png"),
        ("a{b:foo(;url(x.png))}", "x.png"),
        ("a{b:[c}d{e:url(x.png)", "x.png"),
        ("a{b:url(data:image/svg+xml;utf8,<svg>)}", "data:image/svg+xml;utf8,<svg>"),
    ],
)
def test_a_url_is_a_reference(text: str, expected: str) -> None:
    assert [("url", expected)] == named(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b:src('x')}", [("src", "x")]),
        ("a{b:SRC( /**/ 'x' )}", [("src", "x")]),
        ("a{b:src(var(--c) 'x')}", []),
        ("a{b:image-set('x' 1x, \"y\" type('image/png') 2x)}", [("image-set", "x"), ("image-set", "y")]),
        ("a{b:-webkit-image-set(url(x) 1x,'y' 2x)}", [("url", "x"), ("image-set", "y")]),
        ("a{b:image-set(linear-gradient(#000,#fff) 1x,image-set('x' 2x))}", [("image-set", "x")]),
        ("a{b:cross-fade('x', 50%)}", []),
    ],
)
def test_strings_are_references_in_the_functions_that_take_urls(text: str, expected: list[tuple[str, str]]) -> None:
    assert expected == named(text)


@pytest.mark.parametrize(
    "text",
    [
        "/* url(x) @import 'y'; */",
        "a{b:'url(x)';c:\"@import 'y'\"}",
        "a[href='x.png']{b:c}",
        "a[b=url(x)]{c:d}",
        ".a{.b:is([c=url(x)]){d:e}}",
        "@namespace svg url(http://www.w3.org/2000/svg);",
        "@supports (background:url(x)) and (b:image-set('y' 1x)){c{d:e}}",
        "@container style(--x:url(y)){a{b:c}}",
        "@document url(http://x/){a{b:c}}",
        "@charset 'x';",
        "a{@apply url(x);}",
        "a{b:my-url(x) url-x(y)}",
        "a{b:#url(x) 1url(y) @url(z)}",
        "a{b:url(x y)}",
        "a{b:url('x\n')}",
        "url(x);",
        "a{b:c}@import{}",
    ],
)
def test_nothing_else_is_a_reference(text: str) -> None:
    assert [] == named(text)


def test_a_reference_gives_the_place_inside_its_quotes_and_white_space() -> None:
    text = "a{b:url( x\\29.png ) , url(' y ')}"

    first, second = references(text)

    assert ("x\\29.png", "") == (text[first.start : first.end], first.quote)
    assert (" y ", "'") == (text[second.start : second.end], second.quote)


@pytest.mark.parametrize(
    ("body", "suffix", "expected"),
    [
        ("x.svg?v=1#id", "?v=1#id", "?v=1#id"),
        ("x.svg", "", ""),
        ("a\\ b.svg\\23 id", "#id", "\\23 id"),
        ("a\\?b\\)", "?b)", "\\?b\\)"),
    ],
)
def test_query_and_fragment_stay_as_they_were_written(body: str, suffix: str, expected: str) -> None:
    text = f"a{{b:url({body})}}"

    (ref,) = references(text)

    assert expected == raw_suffix(text, ref, suffix)


def test_an_import_carries_its_conditions() -> None:
    text = (
        "@charset 'utf-8'; <!-- @import 'a'; -->\n@IMPORT/**/url(b)layer;"
        "@import url('c') layer(x.y) /**/ screen, print;"
        "@import src('d') supports(not (e:f)) (width>1px);@import 'g' layer(h i) j;@import 'k"
    )

    assert [
        ("a", None, None, ""),
        ("b", "", None, ""),
        ("c", "x.y", None, "screen, print"),
        ("d", None, "not (e:f)", "(width>1px)"),
        ("g", None, None, "layer(h i) j"),
        ("k", None, None, ""),
    ] == [(rule.ref.value, rule.layer, rule.supports, rule.media) for rule in imports(text)]


@pytest.mark.parametrize("rule", ["@foo bar;", "@-moz-document a(){b{}}", "@layer;", "@import nope;", "@import 'y'{}"])
def test_a_rule_that_is_not_valid_keeps_no_import_from_counting(rule: str) -> None:
    assert "x" in [found.ref.value for found in imports(f"@import 'z';{rule}@import 'x';")]


def test_an_import_spans_its_rule() -> None:
    text = "@layer a;@import 'b' screen ; c{}"

    (rule,) = imports(text)

    assert "@import 'b' screen ;" == text[rule.start : rule.end]


@pytest.mark.parametrize(
    "text",
    [
        "a{}@import 'x';",
        "@import 'y';@layer a;@import 'x';",
        "@layer a{}@import 'x';",
        "@namespace a 'b';@import 'x';",
        "@media print{@import 'x';}",
        "a{@import 'x'}",
    ],
)
def test_an_import_that_browsers_ignore_is_told_apart(text: str) -> None:
    assert ("late-import", "x") in named(text)
    assert "x" not in [rule.ref.value for rule in imports(text)]


def test_the_head_of_a_sheet_holds_the_layers_before_its_imports() -> None:
    text = "@layer a;@import 'b';@layer c;@namespace d 'e';@layer f;"

    found = head(text)

    assert ["@layer a;"] == [text[slice(*span)] for span in found.layers]
    assert ["@namespace d 'e';"] == [text[slice(*span)] for span in found.namespaces]


def test_source_map_comments_are_found_in_both_forms() -> None:
    text = "a{b:'/*# sourceMappingURL=no */'}/*@ sourceMappingURL=a.map */\n/*# sourceMappingURL=b.map*/"

    assert ["a.map", "b.map"] == [text[found.url_start : found.url_end] for found in map_comments(text)]


def test_custom_properties_are_surveyed_with_their_values() -> None:
    text = "--no:x{}a{--b: [1, 2];c:var(--d);--e:{f;g};--h:}i{--j:'"

    assert [" [1, 2]", "{f;g}", "", "'"] == [text[slice(*span)] for span in survey(text).customs]


@given(css_like | any_text)
def test_any_text_can_be_surveyed(text: str) -> None:
    found = survey(text)

    assert list(found.references) == sorted(found.references)
    assert all(0 <= ref.start <= ref.end <= len(text) for ref in found.references)
    assert all(a[1] <= b[0] for a, b in zip(found.customs, found.customs[1:], strict=False))
    map_comments(text)
    layer_uses(text)


@given(blocks)
def test_a_block_that_is_passed_whole_means_what_it_means_token_by_token(text: str) -> None:
    # A comment at its begin is all that it takes for a block to be read piece by piece.
    apart = "".join(text[t.start : t.end] + ("/**/" if t.kind == "{" else "") for t in tokens(text))

    pieces, whole = survey(apart), survey(text)

    assert [ref[2:] for ref in pieces.references] == [ref[2:] for ref in whole.references]
    assert [apart[slice(*span)].replace("/**/", "") for span in pieces.customs] == [
        text[slice(*span)].replace("/**/", "") for span in whole.customs
    ]
    assert (pieces.is_open, pieces.bad is None) == (whole.is_open, whole.bad is None)
    assert shape(apart).closing == shape(text).closing
    assert len(shape(apart).strays) == len(shape(text).strays)
    assert _without_comments(layer_uses(apart)) == _without_comments(layer_uses(text))


def _without_comments(uses: tuple[LayerUse, ...]) -> list[LayerUse]:
    return [LayerUse(name, tuple(rule.replace("/**/", "") for rule in rules)) for name, rules in uses]


@given(css_like)
def test_what_a_string_or_a_comment_holds_is_no_reference(text: str) -> None:
    inside = (
        text.replace("*/", "").replace("\\", "").replace('"', "").replace("\n", "").replace("\r", "").replace("\f", "")
    )

    assert [] == named(f"/*{inside} */")
    assert [] == named(f'a{{content:"{inside}"}}')


@given(css_like | any_text, st.text("abc:-0/.", max_size=12))
def test_a_plain_url_can_stand_in_the_place_of_any_reference(text: str, url: str) -> None:
    url = "assetbuild:" + url.replace("/*", "").replace("*/", "")
    found = references(text)

    for ref in found:
        changed = references(text[: ref.start] + url + text[ref.end :])

        assert [(r.kind, url if r.start == ref.start else r.value) for r in found] == [
            (r.kind, r.value) for r in changed
        ]


@given(css_like | any_text)
def test_a_sheet_with_its_closing_text_leaves_the_next_one_alone(text: str) -> None:
    closed = text + shape(text).closing
    neighbour = "\n.n{background:url(neighbour)}"

    assert [*named(text), ("url", "neighbour")] == named(closed + neighbour)
    assert "" == shape(closed).closing


@given(css_like | any_text)
def test_an_enclosed_sheet_does_not_reach_out_of_its_block(text: str) -> None:
    form = shape(text)
    inside = enclosed(text, form.strays) + form.closing

    wrapped = "@media print{" + inside + "\n}.n{background:url(neighbour)}"

    assert len(text) + len(form.closing) == len(inside)
    assert ("url", "neighbour") == named(wrapped)[-1]
    assert "" == shape(wrapped).closing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{", "}"),
        ("a{b:'c", "'}"),
        ("a{b:'c\\", "\n'}"),
        ("a{b:url(c", ")}"),
        ("a{b:url(c\\", "FFFD )}"),
        ("a{b:url(c d", ")}"),
        ("a{b:c\\", "FFFD }"),
        ("a{}/*b", "*/"),
        ("a{}/*b*", "/"),
        ("a", "{}"),
        ("@import 'a'", ";"),
        ("@media (a", ");"),
        ("a{b:[(c", ")]}"),
        ("a{}/* b */ ", ""),
        ("a{}}", "{}"),
    ],
)
def test_what_is_left_open_is_closed_as_the_end_would_close_it(text: str, expected: str) -> None:
    assert expected == shape(text).closing


def test_layers_are_named_in_order_with_what_is_around_them() -> None:
    text = "@layer a, b.c;@media print{@layer d{@layer e{f{@layer g;}}}}@layer{@layer h;}@container x (a>b){@layer i{}}"

    assert (
        LayerUse("a", ()),
        LayerUse("b.c", ()),
        LayerUse("d", ("@media print",)),
        LayerUse("d.e", ("@media print",)),
        LayerUse("d.e.g", ("@media print",)),
        LayerUse(None, ()),
        LayerUse("i", ()),
    ) == layer_uses(text)


@pytest.mark.parametrize("opening", ["{", "(", "[", "a(", "@media{"])
def test_nesting_is_counted_up_to_the_limit(opening: str) -> None:
    deep = opening * NESTING_LIMIT

    assert None is check_nesting(deep)
    assert len(deep) + len(opening) - 1 == check_nesting(deep + opening)


def test_brackets_in_strings_comments_and_urls_do_not_nest() -> None:
    text = "".join(f"{mark * 300}{{}}" for mark in ("'('", "/*(*/", "url(\\()"))

    assert None is check_nesting(text + "a()" * 300)


@given(css_like)
def test_nesting_agrees_with_the_tokens(text: str) -> None:
    whole = text + "(" * (NESTING_LIMIT - 10) + text

    deepest, closers = 0, list[str]()
    for token in tokens(whole):
        if token.kind in "{([" or token.kind == "function":
            closers.append({"{": "}", "[": "]"}.get(token.kind, ")"))
        elif closers and closers[-1] == token.kind:
            closers.pop()
        deepest = max(deepest, len(closers))

    assert (deepest > NESTING_LIMIT) == (check_nesting(whole) is not None)

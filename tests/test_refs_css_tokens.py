"""The tokeniser against CSS Syntax Level 3, and against tinycss2 as an independent reading of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import tinycss2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from assetbuild.compiler.refs.css import tokens as css_tokens
from assetbuild.compiler.refs.css.ref import quoted
from assetbuild.compiler.refs.css.tokens import CLOSERS, comments, marks, tokens, unescaped
from tests.linear import gives_back

# Whatever begins, ends or bends a token stands here; a run of them meets every rule of §4.3.
FRAGMENTS = [
    *"{}()[]:;,.#@<>!-+*/\\\"'=~|^$%&? \t\n\r\f",
    *("/*", "*/", "<!--", "-->", "--", "\r\n", "url(", "URL(", "\\75rl(", "u\\52 L(", "src(", "image-set(", "@import"),
    *("@media", "--x:", "a", "é", "0", "12", ".5", "1e3", "1e-", "\\41 ", "\\000041", "\\\n", "layer", "!ie"),
]
css_like = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, text[token.start : token.end]) for token in tokens(text)]


@given(css_like | any_text)
def test_the_tokens_of_any_text_join_to_the_text(text: str) -> None:
    found = list(tokens(text))

    assert text == "".join(text[token.start : token.end] for token in found)
    assert all(token.start < token.end for token in found)


@given(css_like | any_text)
def test_marks_agree_with_the_tokens(text: str) -> None:
    named = {
        "at-keyword": "at",
        "string": "string",
        "bad-string": "bad_string",
        "url": "url",
        "bad-url": "bad_url",
        ";": "end",
        "cdo": "html",
        "cdc": "html",
    }
    expected = [(named[t.kind], t.start, t.end) for t in tokens(text) if t.kind in named]

    found = [((m.lastgroup or "").removeprefix("cut_"), *m.span()) for m in marks(text)]

    # Functions that `marks` passes over whole hold no mark but `;`, which ends nothing there.
    assert [mark for mark in expected if mark[0] != "end"] == [
        mark for mark in found if mark[0] in named.values() and mark[0] != "end"
    ]
    assert {mark for mark in found if mark[0] == "end"} <= set(expected)


@settings(max_examples=300)
@given(css_like)
@example("a\\")
@example("url(a\\")
@example("/*")
@example("1e3em -->")
def test_tokens_are_those_of_tinycss2(text: str) -> None:
    # tinycss2 1.5 takes a backslash before a newline for a part of an unquoted URL; by §4.3.6 it makes the URL bad.
    bad = [text[each.start : each.end] for each in tokens(text) if each.kind == "bad-url"]
    assume(not any(re.search(r"\\[\n\r\f]", each) for each in bad))

    assert list(_theirs(tinycss2.parse_component_value_list(text))) == list(_ours(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url( a b )c", [("bad-url", "url( a b )"), ("ident", "c")]),
        ("url(a\\)b)", [("url", "url(a\\)b)")]),
        ("\\75\tRL(x)", [("url", "\\75\tRL(x)")]),
        ('url( "x")', [("function", "url("), ("whitespace", " "), ("string", '"x"'), (")", ")")]),
        ("-url(x)", [("function", "-url("), ("ident", "x"), (")", ")")]),
        ("1url(x)", [("dimension", "1url"), ("(", "("), ("ident", "x"), (")", ")")]),
        ("#url(x)", [("hash", "#url"), ("(", "("), ("ident", "x"), (")", ")")]),
        ('"a\\\r\nb"', [("string", '"a\\\r\nb"')]),
        ('"a\nb', [("bad-string", '"a'), ("whitespace", "\n"), ("ident", "b")]),
        ('"a', [("string", '"a')]),
        ("<!--a-->", [("cdo", "<!--"), ("ident", "a--"), ("delim", ">")]),
        ("@-x @1", [("at-keyword", "@-x"), ("whitespace", " "), ("delim", "@"), ("number", "1")]),
        ("-.5e+3px 50%", [("dimension", "-.5e+3px"), ("whitespace", " "), ("percentage", "50%")]),
        ("/*a", [("comment", "/*a")]),
        ("\\\na", [("delim", "\\"), ("whitespace", "\n"), ("ident", "a")]),
    ],
)
def test_a_text_has_these_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert expected == kinds(text)


@pytest.mark.parametrize(
    ("written", "is_string", "expected"),
    [
        ("sp\\ ace", False, "sp ace"),
        ("\\41 b\\000043d", False, "AbCd"),
        ("\\0 \\d800 \\110000 x", False, "���x"),
        ("a\\", False, "a�"),
        ("a\\", True, "a"),
        ("a\\\r\nb\\\nc", True, "abc"),
        ("\\e9\r\nb", True, "éb"),
        ("\0", False, "�"),
    ],
)
def test_escapes_stand_for_these_characters(written: str, is_string: bool, expected: str) -> None:
    assert expected == unescaped(written, is_string)


def test_a_comment_is_found_and_its_like_in_a_string_is_not() -> None:
    text = "a{b:'/* here */'} /* here */ url(/*here*/) /* /* here */ --x: /* there */"

    found = [text[start:end] for start, end in comments(text, "here")]

    assert ["/* here */", "/* /* here */", "/* there */"] == found


def test_no_pattern_gives_back_what_it_has_matched() -> None:
    """So a match costs no more than the length that it passes, and the next begins where it ended."""
    parser = importlib.import_module("re._parser")
    patterns = {name: value for name, value in vars(css_tokens).items() if isinstance(value, re.Pattern)}
    patterns["_token"] = css_tokens._token()

    assert {"_BLANK", "_CUSTOM", "_ESCAPED", "_MARK", "_token"} == patterns.keys()
    assert [] == [
        name for name, each in patterns.items() if gives_back(parser.parse(each.pattern, each.flags & re.VERBOSE))
    ]


def _ours(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and value of each token, without closing brackets, in tinycss2's words."""
    closers: list[str] = []
    for token in tokens(text):
        written = text[token.start : token.end]
        if token.kind in CLOSERS or token.kind == "function":
            closers.append(CLOSERS[written[-1]])
            yield "open", unescaped(written[:-1]) or written
        elif closers and token.kind == closers[-1]:
            closers.pop()
        elif token.kind in {"at-keyword", "hash", "ident"}:
            yield token.kind, unescaped(written.removeprefix("@").removeprefix("#"))
        elif token.kind == "url":
            yield "url", unescaped(next(marks(written))["body"])
        elif token.kind == "string":
            yield "string", quoted(text, token.start, token.end, "url").value
        elif token.kind in {"cdo", "cdc", "delim", ":", ";", ","}:
            yield "literal", written
        elif token.kind in {"}", ")", "]"}:
            yield "error", written
        elif token.kind in {"bad-string", "bad-url"}:
            yield "error", token.kind
        else:
            yield token.kind, ""


def _theirs(nodes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        match node.type:
            case "function":
                yield "open", node.name
                yield from _theirs(node.arguments)
            case "{} block" | "() block" | "[] block":
                yield "open", node.type[0]
                yield from _theirs(node.content)
            case "ident" | "hash" | "at-keyword" | "url" | "string":
                yield node.type, node.value
            case "literal" if node.value not in {"<!--", "-->"}:
                yield from (("literal", character) for character in node.value)  # `~=` was one token in older drafts
            case "literal":
                yield "literal", node.value
            case "error" if node.kind in {"eof-in-string", "eof-in-url"}:
                pass  # said in addition to the token
            case "error":
                yield "error", node.kind
            case _:
                yield node.type, ""


@pytest.mark.parametrize("text", ["url(\\\n", "url(a\\\nb)", "url(\\\r\n)"])
def test_a_backslash_before_a_newline_makes_an_unquoted_url_bad(text: str) -> None:
    assert ["bad-url"] == [token.kind for token in tokens(text)]

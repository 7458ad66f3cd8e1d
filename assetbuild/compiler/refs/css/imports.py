"""The `@import` rule: what it names and under which conditions (css-cascade-5 §2), and how far a statement reaches.

Receives text at the start of a rule; hands on values with offsets.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from assetbuild.compiler.refs.css.ref import CssRef, bare, quoted
from assetbuild.compiler.refs.css.tokens import CLOSERS, Token, blank_end, function_name, marks, tokens, unescaped

__all__ = ["Head", "Import", "head", "import_rule", "imports", "rule_start", "statement_end"]

# css-cascade-5 §6.4.4.1: anything else in `layer()` makes it an unknown media query, which never matches.
_LAYER_NAME = re.compile(r"[^\s.,;(){}\[\]\"']+(?:\.[^\s.,;(){}\[\]\"']+)*")
# The at-rules that browsers know, besides those that belong at the top. Others are as if they were not there.
_RULES = frozenset(
    {"container", "counter-style", "font-face", "font-feature-values", "font-palette-values", "function", "keyframes"}
    | {"-webkit-keyframes", "media", "page", "position-try", "property", "scope", "starting-style", "supports"}
    | {"view-transition"}
)
_URL_FUNCTIONS = frozenset({"url", "src"})


class Import(NamedTuple):
    """An `@import` rule that a browser follows (css-cascade-5 §2). `text[start:end]` is the rule with its semicolon.

    layer: None without, "" for an anonymous layer. supports: what stands in `supports()`, None without.
    media: the media query list, "" without; comments are left out of it.
    """

    start: int
    end: int
    ref: CssRef
    layer: str | None
    supports: str | None
    media: str


class Head(NamedTuple):
    """The rules that only count at the top of a sheet, each as `(start, end)` or as an `Import`.

    layers: the `@layer` statements before the first import; they fix an order that the imports must not change.
    """

    charsets: tuple[tuple[int, int], ...]
    layers: tuple[tuple[int, int], ...]
    imports: tuple[Import, ...]
    namespaces: tuple[tuple[int, int], ...]


def head(text: str) -> Head:
    """Return the rules at the top of the sheet that browsers follow there; reads no further than they reach.

    Only `@charset` and `@layer` statements may stand before an import, and nothing between two (css-cascade-5 §2);
    no other rule may stand before a namespace (css-namespaces-3 §2). Rules that are not valid do not count.
    """
    charsets, layers, namespaces = [], [], []
    found: list[Import] = []
    may_import = True
    at = rule_start(text, 0)
    while (keyword := next(tokens(text, at), None)) is not None and keyword.kind == "at-keyword":
        name = unescaped(text[keyword.start + 1 : keyword.end]).lower()
        end, has_block = statement_end(text, keyword.end)
        if name in _RULES or (name == "layer" and has_block):
            break
        if name == "charset" and not has_block:
            charsets.append((at, end))
        elif name == "namespace" and not has_block:
            namespaces.append((at, end))
            may_import = False
        elif name == "layer" and text[keyword.end : end].strip("; \t\r\n\f"):
            may_import = may_import and not found
            if may_import:
                layers.append((at, end))
        elif name == "import" and not has_block and may_import:
            rule = import_rule(text, keyword, end)
            found += [rule] if rule is not None else []
        at = rule_start(text, _block_end(text, end) if has_block else end)
    return Head(tuple(charsets), tuple(layers), tuple(found), tuple(namespaces))


def imports(text: str) -> tuple[Import, ...]:
    """Return the imports that browsers follow, in order."""
    return head(text).imports


def rule_start(text: str, at: int) -> int:
    """Return where the next rule of a sheet begins.

    Behind white space, comments, `<!--` and `-->` (CSS Syntax §5.4.1).
    """
    while True:
        at = blank_end(text, at)
        html = next((mark for mark in ("<!--", "-->") if text.startswith(mark, at)), None)
        if html is None:
            return at
        at += len(html)


def statement_end(text: str, at: int, is_nested: bool = False) -> tuple[int, bool]:
    """Return where the at-rule ends whose prelude begins at `at`, behind its semicolon, and False.

    The offset of its `{` and True if it has a block.
    is_nested: a `}` that opens nothing ends it too, and stays outside.
    """
    stack: list[str] = []
    for mark in marks(text, at):
        kind = mark.lastgroup
        if not stack and kind == "end":
            return mark.end(), False
        if not stack and kind == "block":
            return mark.start("block"), True
        if kind in {"open", "function"}:
            if not stack and mark[0] == "{":
                return mark.start(), True
            stack.append(CLOSERS[mark[0][-1]])
        elif kind == "close":
            if stack and stack[-1] == mark[0]:
                stack.pop()
            elif not stack and is_nested and mark[0] == "}":
                return mark.start(), False
    return len(text), False


def _block_end(text: str, at: int) -> int:
    """Return where the block that opens at `at` ends."""
    stack: list[str] = []
    for mark in marks(text, at):
        if not stack and mark.lastgroup == "block":
            return mark.end()
        if mark.lastgroup in {"open", "function"}:
            stack.append(CLOSERS[mark[0][-1]])
        elif mark.lastgroup == "close" and mark[0] == stack[-1]:
            stack.pop()
            if not stack:
                return mark.end()
    return len(text)


def import_rule(text: str, keyword: Token, end: int) -> Import | None:
    """Return the rule whose prelude ends at `end`, semicolon included; None if it names nothing."""
    prelude = [token for token in tokens(text, keyword.end, end) if token.kind != "comment"]
    if prelude and prelude[-1].kind == ";":
        prelude.pop()
    ref, rest = _import_target(text, prelude)
    if ref is None:
        return None
    layer, rest = _import_layer(text, _stripped(rest))
    supports = None
    if rest and _is_function(text, rest[0], "supports"):
        inside, rest = _arguments(rest)
        supports = _text_of(text, inside)
        rest = _stripped(rest)
    return Import(keyword.start, end, ref, layer, supports, _media(text, rest))


def _import_target(text: str, prelude: list[Token]) -> tuple[CssRef | None, list[Token]]:
    prelude = _stripped(prelude)
    if not prelude:
        return None, []
    first = prelude[0]
    if first.kind == "url":
        body = next(marks(text, first.start))
        return bare(text, body, "import"), prelude[1:]
    if first.kind == "string":
        return quoted(text, first.start, first.end, "import"), prelude[1:]
    if first.kind == "function" and function_name(text[first.start : first.end]) in _URL_FUNCTIONS:
        inside, rest = _arguments(prelude)
        inside = _stripped(inside)
        if inside and inside[0].kind == "string":
            return quoted(text, inside[0].start, inside[0].end, "import"), rest
    return None, []


def _import_layer(text: str, prelude: list[Token]) -> tuple[str | None, list[Token]]:
    if prelude and prelude[0].kind == "ident" and unescaped(_text_of(text, prelude[:1])).lower() == "layer":
        return "", _stripped(prelude[1:])
    if prelude and _is_function(text, prelude[0], "layer"):
        inside, rest = _arguments(prelude)
        name = _text_of(text, inside)
        if _LAYER_NAME.fullmatch(name):
            return name, _stripped(rest)
    return None, prelude


def _media(text: str, prelude: list[Token]) -> str:
    """Return the media query list, closed if the text ends in it; `not all` if it could not stand alone."""
    written, stack = _text_of(text, prelude), list[str]()
    for token in prelude:
        if token.kind in {"bad-string", "bad-url", "string", "url", "{", "}"}:
            return "not all"  # part of no media query, which makes it match nothing (mediaqueries-5 §3.2)
        if token.kind == "function" or token.kind in CLOSERS:
            stack.append(CLOSERS[text[token.end - 1]])
        elif stack and token.kind == stack[-1]:
            stack.pop()
    return written + "".join(reversed(stack))


def _arguments(prelude: list[Token]) -> tuple[list[Token], list[Token]]:
    """Return the tokens inside the function that `prelude` begins with, and those behind it."""
    stack = [")"]
    for index, token in enumerate(prelude[1:], 1):
        if token.kind == stack[-1]:
            stack.pop()
            if not stack:
                return prelude[1:index], prelude[index + 1 :]
        elif token.kind == "function":
            stack.append(")")
        elif token.kind in CLOSERS:
            stack.append(CLOSERS[token.kind])
    return prelude[1:], []


def _is_function(text: str, token: Token, name: str) -> bool:
    return token.kind == "function" and function_name(text[token.start : token.end]) == name


def _stripped(prelude: list[Token]) -> list[Token]:
    start, end = 0, len(prelude)
    while start < end and prelude[start].kind == "whitespace":
        start += 1
    while end > start and prelude[end - 1].kind == "whitespace":
        end -= 1
    return prelude[start:end]


def _text_of(text: str, prelude: list[Token]) -> str:
    return "".join(text[token.start : token.end] for token in prelude).strip(" \t\r\n\f")

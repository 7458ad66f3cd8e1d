"""What stands in a Sass text outside its comments and strings: the guard before the Sass engines.

Receives text that has passed the door; hands on the places that decide whether an engine may see it. Not a Sass parser:
it knows where comments, strings, interpolations and brackets begin and end, no more.
Source: Sass specification, "Syntax" (comments, strings, interpolation); CSS Syntax Level 3 §4.3.5, §4.3.6 (`url(`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from assetbuild.compiler import door
from assetbuild.compiler.refs.css.tokens import unescaped
from assetbuild.diagnostic import Diagnostic, span_at

__all__ = ["Place", "conditional_imports", "has_statements", "places", "too_deep", "unsupported"]

_NAME = r"[\w\u0080-\U0010ffff-]"
_URL_PART = r"""(?:[^"'()\\#\s]|\\.|\#(?!\{)|\#\{[^{}]*+\})"""
_CODE = re.compile(
    rf"""
    (?P<line>//) | (?P<block>/\*) | (?P<quote>["'])
    | (?P<url>(?<!{_NAME})url\(\s*+(?>{_URL_PART}+)\s*+\))
    | (?P<open>\#\{{|[{{(\[]) | (?P<close>[}})\]])
    | (?P<at>@{_NAME}++) | (?P<load>{_NAME}+?\.load-css(?!{_NAME}))
    | \\. | {_NAME}++
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_STRING = {quote: re.compile(rf"\\.|(?P<open>\#\{{)|(?P<end>[\n\r\f{quote}])", re.DOTALL) for quote in "\"'"}
_LINE_END = re.compile(r"[\n\r\f]|\Z")
_BLOCK_END = re.compile(r"\*/|\Z")
_LINES = re.compile(r"(?P<indent>[ \t]*+)(?P<text>[^\n\r\f]*+)(?:\r\n|[\n\r\f]|\Z)")

_COMMENTS = r"(?>(?:\s|/\*.*?\*/)*)"
_ARGUMENT = re.compile(
    rf"""{_COMMENTS}(?:"(?P<double>(?>(?:[^"\\\n]|\\.)*))"|'(?P<single>(?>(?:[^'\\\n]|\\.)*))'|url\([^)]*+\)|(?P<bare>[\w./~@:-]++))"""
    r"[ \t]*+",
    re.DOTALL,
)
_STATEMENT_END = re.compile(r"(?>(?:\s|/\*.*?\*/|//[^\n\r\f]*+)*)(?:[;}]|\Z)", re.DOTALL)
_LINE_STATEMENT_END = re.compile(r"(?>(?:[ \t]|/\*.*?\*/)*)(?:[;\n\r\f]|//|\Z)", re.DOTALL)


class Place(NamedTuple):
    """Something outside comments and strings, or one of these. depth: how many brackets are open behind it.

    kind: `at` (an at-keyword), `load` (`meta.load-css`), `open`, `close`, `comment`, `quote` (where a string begins).
    """

    kind: str
    start: int
    end: int
    depth: int


def places(text: str, indented: bool = False) -> Iterator[Place]:
    """Yield the places of `text` in order; of a string, where it begins and what is interpolated into it.

    indented: the indented syntax, whose comments take in the lines that are indented deeper than they are.
    """
    open_in: list[str] = []
    position = 0
    while True:
        quote = open_in[-1] if open_in and open_in[-1] in _IN_STRING else ""
        match = (_IN_STRING[quote] if quote else _CODE).search(text, position)
        if match is None:
            return
        kind, start, position = match.lastgroup, match.start(), match.end()
        if kind in ("line", "block"):
            position = _comment_end(text, start, kind == "block", indented)
            kind = "comment"
        elif kind in ("open", "quote"):
            open_in.append(match[0])
        elif kind in ("close", "end") and open_in:
            # A string that its line ends is at fault; what follows is read as code, as CSS Syntax §4.3.5 has it.
            open_in.pop()
        if kind in ("at", "load", "open", "close", "comment", "quote"):
            yield Place(kind, start, position, len(open_in))


def unsupported(text: str, shown: str, indented: bool) -> Diagnostic | None:
    """Return the finding at the first `@use`, `@forward` or `meta.load-css`: libsass copies it, or drops it."""
    for place in places(text, indented):
        word = text[place.start : place.end].lower()
        name = "meta.load-css" if place.kind == "load" else word if word in ("@use", "@forward") else ""
        if place.kind in ("at", "load") and name:
            span = span_at(shown, text, place.start, place.end)
            hint = 'set `engine = "dart-sass"` under `[sass]`'
            return Diagnostic("unsupported-syntax", "error", f"libsass cannot read `{name}`", span, hint)
    return None


def too_deep(text: str, shown: str, indented: bool) -> Diagnostic | None:
    """Return the finding at the first bracket, or line, that is nested deeper than `door.NESTING_LIMIT`."""
    at = _deep_line(text) if indented else None
    if at is None:
        deep = (one.start for one in places(text, indented) if one.kind == "open" and one.depth > door.NESTING_LIMIT)
        at = next(deep, None)
    if at is None:
        return None
    message = f"blocks nest deeper than {door.NESTING_LIMIT}"
    return Diagnostic("too-deep", "error", message, span_at(shown, text, at))


def conditional_imports(text: str, indented: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Return what `@import` names with a media query behind it, and what it names without.

    libsass asks an importer for both, and does not say which it is; but the first are plain CSS imports.
    Source: Sass specification, "@import", "Plain CSS @imports".
    """
    with_query: set[str] = set()
    without: set[str] = set()
    for place in places(text, indented):
        if place.kind != "at" or text[place.start : place.end] != "@import":
            continue
        names: set[str] = set()
        position = place.end
        while (argument := _ARGUMENT.match(text, position)) is not None:
            names.update(unescaped(argument[key], True) for key in ("double", "single", "bare") if argument[key])
            position = argument.end()
            if text[position : position + 1] != ",":
                break
            position += 1
        is_ended = (_LINE_STATEMENT_END if indented else _STATEMENT_END).match(text, position)
        (without if is_ended else with_query).update(names)
    return frozenset(with_query), frozenset(without)


def has_statements(text: str, indented: bool) -> bool:
    """Return whether anything but comments and white space stands in `text`."""
    position = 0
    for place in places(text, indented):
        if place.kind == "comment":
            if text[position : place.start].strip():
                return True
            position = place.end
    return bool(text[position:].strip())


def _comment_end(text: str, start: int, is_block: bool, indented: bool) -> int:
    if not indented:
        match = (_BLOCK_END if is_block else _LINE_END).search(text, start + 2)
        return match.end() if match else len(text)
    line_start = max(text.rfind(mark, 0, start) for mark in "\n\r\f") + 1
    first = _LINES.match(text, line_start)
    if first is None or first.end("indent") != start:
        match = (_BLOCK_END if is_block else _LINE_END).search(text, start + 2)
        return match.end() if match else len(text)
    position = first.end()
    while position < len(text) and (line := _LINES.match(text, position)) is not None:
        if line["text"] and len(line["indent"]) <= len(first["indent"]):
            break
        position = line.end()
    return position


def _deep_line(text: str) -> int | None:
    """Return the offset of the first line of the indented syntax that has too many outer lines."""
    outer: list[int] = []
    for line in _LINES.finditer(text):
        if not line["text"]:
            continue
        width = len(line["indent"])
        while outer and outer[-1] >= width:
            outer.pop()
        outer.append(width)
        if len(outer) > door.NESTING_LIMIT + 1:
            return line.end("indent")
    return None

"""What a stylesheet names: every place in its text that a browser would fetch, and nothing else.

Receives text, hands on offsets and decoded values; opens nothing and changes nothing. What is inside comments, strings,
selectors and the preludes of at-rules other than `@import` names nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from assetbuild.compiler import door
from assetbuild.compiler.refs.css.imports import Import, import_rule, imports, rule_start, statement_end
from assetbuild.compiler.refs.css.ref import CssRef, RefKind, bare, quoted, raw_suffix
from assetbuild.compiler.refs.css.tokens import (
    BLOCK_DEPTH,
    CLOSERS,
    Token,
    blank_end,
    comments,
    customs_in,
    function_name,
    marks,
    unescaped,
)

__all__ = [
    "CssRef",
    "Import",
    "MapComment",
    "Survey",
    "check_nesting",
    "imports",
    "left_open",
    "map_comments",
    "raw_suffix",
    "references",
    "survey",
]

_IMAGE_SETS = frozenset({"image-set", "-webkit-image-set"})
_URL_FUNCTIONS = frozenset({"url", "src"})
_STRING_KINDS: dict[str, RefKind] = {"i": "image-set", "u": "url", "s": "src"}
_CLOSING = frozenset(CLOSERS.values())
_CUT = frozenset({"cut_string", "cut_url", "cut_bad_url", "cut_comment"})
_MAP_COMMENT = re.compile(r"/\*[#@][ \t]*sourceMappingURL=[ \t]*([^\s'\"]*?)\s*\*/")


class MapComment(NamedTuple):
    """A comment that names a source map: `text[start:end]`, its URL at `text[url_start:url_end]`."""

    start: int
    end: int
    url_start: int
    url_end: int


class Survey(NamedTuple):
    """What one walk over a sheet finds.

    customs: `(start, end)` of the value of each custom property. is_open: the end of the text closes something.
    bad: where the first string or `url()` stands that is broken off (CSS Syntax §4.3.5, §4.3.6), None if none is.
    """

    references: tuple[CssRef, ...]
    customs: tuple[tuple[int, int], ...]
    is_open: bool
    bad: int | None


def survey(text: str) -> Survey:
    """Return every reference of the stylesheet and its custom properties, in order.

    Never raises; what is left open ends with the text. Sources: css-values-4 §4.5 (`url()`, `src()`), css-images-4 §2.4
    (`image-set()`), css-cascade-5 §2 (`@import`), css-variables-1 §2 (a custom property may hold anything).
    """
    rules = imports(text)
    walk = _Walk(text, rules[-1].end if rules else 0)
    walk.run()
    found = sorted([*(rule.ref for rule in rules), *walk.found])
    is_open = walk.is_open or text.endswith("\\") or (bool(rules) and text[rules[-1].end - 1] != ";")
    return Survey(tuple(found), tuple(walk.customs), is_open, walk.bad)


def references(text: str) -> tuple[CssRef, ...]:
    """Return every reference of the stylesheet, in order."""
    return survey(text).references


def check_nesting(text: str) -> int | None:
    """Return the offset of the bracket that is nested deeper than `door.NESTING_LIMIT`, None if there is none.

    Counts what engines recurse into: `{`, `(`, `[` and functions, outside strings, comments and URLs.
    """
    if sum(map(text.count, "{([")) <= door.NESTING_LIMIT:
        return None
    stack: list[str] = []
    for mark in marks(text):
        kind = mark.lastgroup
        if kind in {"open", "function"}:
            stack.append(CLOSERS[mark[0][-1]])
            if len(stack) > door.NESTING_LIMIT:
                return mark.end() - 1
        elif kind == "close" and stack and stack[-1] == mark[0]:
            stack.pop()
        elif kind == "block" and len(stack) + BLOCK_DEPTH > door.NESTING_LIMIT:
            depth = len(stack)
            for at in range(*mark.span("block")):
                depth += (text[at] in CLOSERS) - (text[at] in _CLOSING)
                if depth > door.NESTING_LIMIT:
                    return at
    return None


def left_open(text: str) -> int | None:
    """Return the offset of the first `{` that nothing closes, None if there is none.

    The end of a sheet closes what is open (css-syntax-3 §5.4.8), so that no engine complains.
    """
    if text.count("{") <= text.count("}"):
        return None
    stack: list[tuple[str, int]] = []
    for mark in marks(text):
        kind = mark.lastgroup
        if kind in {"open", "function"}:
            stack.append((CLOSERS[mark[0][-1]], mark.end() - 1))
        elif kind == "close" and stack and stack[-1][0] == mark[0]:
            stack.pop()
    return next((at for closer, at in stack if closer == "}"), None)


def map_comments(text: str) -> tuple[MapComment, ...]:
    """Return the `sourceMappingURL` comments of the sheet, in the new form and in the old (ECMA-426 §11.1.2.2)."""
    found = (_MAP_COMMENT.fullmatch(text, *span) for span in comments(text, "sourceMappingURL"))
    return tuple(MapComment(*match.span(), *match.span(1)) for match in found if match)


class _Walk:
    """The references of a sheet behind its imports, in one walk over the marks.

    stack: what would close what is open; `}` for a block of rules or declarations, `=` for braces inside a value, `i`,
    `u` and `s` for the parenthesis of a function whose strings are URLs: `image-set` all, `url` and `src` the first.
    pending: what the statement that is being read names, which counts once it turns out to be a declaration.
    custom: where the value of the custom property begins that the statement is, 0 for any other.
    """

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.found: list[CssRef] = []
        self.customs: list[tuple[int, int]] = []
        self.bad: int | None = None
        self.is_open = False
        self._start = start
        self._stack: list[str] = []
        self._pending: list[CssRef] = []
        self._opened = 0
        self._begin(start)

    def run(self) -> None:
        """Fill the public attributes."""
        text = self.text
        for mark in marks(text, self._start):
            kind = mark.lastgroup
            if kind == "block":
                self._block(mark)
            elif kind == "end":
                self._end(mark)
            elif kind in {"open", "function"}:
                self._open(mark)
            elif kind == "close":
                self._close(mark)
            elif kind in {"string", "cut_string"}:
                self._string(mark)
            elif kind in {"url", "cut_url"}:
                self._pending.append(bare(text, mark, "url"))
            elif kind == "at" and self._is_first(mark):
                self._at(mark)
            elif kind == "custom" and self._is_first(mark):
                self._custom = mark.end() if self._stack else 0
            elif kind in {"bad_string", "bad_url"} and self.bad is None:
                self.bad = mark.start()
            if kind in _CUT:
                self.is_open = True
        self.is_open = self.is_open or bool(self._stack)
        self._settle(len(text))

    def _begin(self, at: int) -> None:
        self._statement = at
        self._is_at_rule = False
        self._custom = 0

    def _settle(self, end: int) -> None:
        """Keep or drop what the statement names, at its end. Outside every block there is no declaration."""
        if self._stack and self._stack[0] == "}" and not self._is_at_rule:
            self.found += self._pending
        if self._custom:
            self.customs.append((self._custom, end))
        self._pending.clear()

    def _is_first(self, mark: re.Match[str]) -> bool:
        """Return whether the statement begins with `mark`."""
        if self._stack:
            return self._stack[-1] == "}" and blank_end(self.text, self._statement) == mark.start()
        return rule_start(self.text, self._statement) == mark.start()

    def _end(self, mark: re.Match[str]) -> None:
        # At the top of a sheet a semicolon ends an at-rule only; in a selector it is one more error (§5.4.3).
        if self._stack[-1] == "}" if self._stack else self._is_at_rule:
            self._settle(mark.start())
            self._begin(mark.end())

    def _block(self, mark: re.Match[str]) -> None:
        """Pass a block that names nothing; inside a value it is a part of that."""
        if self._may_open_rule():
            self._pending.clear()
            self.customs += customs_in(self.text, mark)
            self._begin(mark.end())

    def _may_open_rule(self) -> bool:
        return (not self._stack or self._stack[-1] == "}") and not self._custom

    def _open(self, mark: re.Match[str]) -> None:
        bracket = mark[0][-1]
        if bracket == "{":
            if self._may_open_rule():
                self._pending.clear()  # it was a selector, or the prelude of an at-rule
                self._stack.append("}")
                self._begin(mark.end())
            else:
                self._stack.append("=")
        elif mark.lastgroup == "function":
            name = function_name(mark[0])
            self._stack.append("i" if name in _IMAGE_SETS else name[0] if name in _URL_FUNCTIONS else ")")
            self._opened = mark.end()
        else:
            self._stack.append(CLOSERS[bracket])

    def _close(self, mark: re.Match[str]) -> None:
        top = self._stack[-1] if self._stack else ""
        bracket = mark[0]
        if bracket == top == "}":
            self._settle(mark.start())
            self._stack.pop()
            self._begin(mark.end())
        elif top == bracket or (bracket == "}" and top == "=") or (bracket == ")" and top in {"i", "u", "s"}):
            self._stack.pop()

    def _string(self, mark: re.Match[str]) -> None:
        kind = _STRING_KINDS.get(self._stack[-1] if self._stack else "")
        if kind == "image-set" or (kind and blank_end(self.text, self._opened) == mark.start()):
            self._pending.append(quoted(self.text, mark.start(), mark.end(), kind))

    def _at(self, mark: re.Match[str]) -> None:
        self._is_at_rule = True
        if unescaped(mark[0][1:]).lower() == "import":
            end, has_block = statement_end(self.text, mark.end(), is_nested=bool(self._stack))
            rule = None if has_block else import_rule(self.text, Token("at-keyword", *mark.span()), end)
            if rule is not None:
                self.found.append(rule.ref._replace(kind="late-import"))

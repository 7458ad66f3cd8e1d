"""How deep a text with JSX nests: brackets and elements alike, since every parser of it recurses into both.

Receives the text of a `.jsx` or `.tsx` file; hands on one offset. Reads words as our lexer does, and elements, which
are no ECMAScript, by themselves; what stands before it tells an element from a comparison. One pass, no recursion.
Source: the JSX specification, "JSX Elements"; TypeScript's handbook, "JSX", on type parameters in `.tsx`.
"""

from __future__ import annotations

import re
from typing import Final

from assetbuild.compiler.door import NESTING_LIMIT, seems_too_deep
from assetbuild.compiler.refs.js.tokens import LINE_END, NEXT_TOKEN, REGEX_LITERAL, TEMPLATE_TEXT

__all__ = ["check_nesting"]

# Frames of the stack beside the brackets.
_TAG: Final = "<"
_CHILDREN: Final = ">"
_SUBSTITUTION: Final = "${"
_CLOSED_BY: Final = {")": ("(",), "]": ("[",), "}": ("{", _SUBSTITUTION)}

_ELEMENT = re.compile(r"<(?=[A-Za-z_$>])")
_TYPE_PARAMETERS = re.compile(r"<(?:const\s+)?([A-Za-z_$][\w$]*)(?:\s*[,=]|\s+extends\s)")
_TYPE_NAME = re.compile(r"<([A-Za-z_$][\w$]*)\s*>")
# What a tag holds: its ends, an expression, an element as a value, strings (which know no escapes), comments, the rest.
_TAG_PART = re.compile(
    r"""(/>)|(>)|(\{)|(=\s*(?=<))|"[^"]*"?|'[^']*'?|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|<[^<>]*>?|[^\s/>{=<"']+|[\s\S]"""
)
_TEXT = re.compile(r"[^{<]*+")
_CLOSING_TAG = re.compile(r"<\s*/[^>]*>?")
_BEFORE_OPERANDS = {"await", "case", "default", "delete", "do", "else", "extends", "in", "instanceof", "new", "of",
                    "return", "throw", "typeof", "void", "yield"}  # fmt: skip


def check_nesting(text: str, *, is_typed: bool) -> int | None:
    """Return the offset of the bracket or element that passes the door's nesting limit, None if none does.

    is_typed: `<T>` may be type parameters.
    """
    # Tags as brackets; what looks too deep then, such as two hundred comparisons in a row, is read closely.
    if not seems_too_deep(text.replace("</", ")").replace("/>", ")").replace("<", "(")):
        return None
    return _Nesting(text, is_typed).too_deep()


class _Nesting:
    """A place in the text: what is open there, and whether a value may begin."""

    def __init__(self, text: str, is_typed: bool) -> None:
        self._text = text
        self._is_typed = is_typed
        self._open: list[str] = []
        self._opened_at = 0
        self._is_operand = True
        self._never_closed: set[str] = set()

    def too_deep(self) -> int | None:
        """Read until something nests too deep; return where."""
        at, size = 0, len(self._text)
        while at < size:
            frame = self._open[-1] if self._open else ""
            if frame == _TAG:
                at = self._tag(at)
            elif frame == _CHILDREN:
                at = self._children(at)
            else:
                at = self._token(at)
            if len(self._open) > NESTING_LIMIT:
                return self._opened_at
        return None

    def _push(self, frame: str, at: int) -> None:
        self._open.append(frame)
        self._opened_at = at

    def _tag(self, at: int) -> int:
        part = _TAG_PART.match(self._text, at)
        assert part is not None  # the last alternative takes any character
        match part.lastindex:
            case 1:
                self._open.pop()
                self._is_operand = False
            case 2:
                self._open[-1] = _CHILDREN
            case 3:
                self._push("{", at)
                self._is_operand = True
            case 4:
                self._push(_TAG, part.end())
                return part.end() + 1
        return part.end()

    def _children(self, at: int) -> int:
        found = _TEXT.match(self._text, at)
        at = found.end() if found else at
        if self._text.startswith("{", at):
            self._push("{", at)
            self._is_operand = True
        elif closing := _CLOSING_TAG.match(self._text, at):
            self._open.pop()
            self._is_operand = False
            return closing.end()
        elif at < len(self._text):
            self._push(_TAG, at)
        return at + 1

    def _token(self, at: int) -> int:
        """Read one token of ECMAScript; the groups are those of `NEXT_TOKEN`."""
        token = NEXT_TOKEN.match(self._text, at)
        assert token is not None  # the last alternative takes any character
        match token.lastindex:
            case 2 | 3:
                pass
            case 4:
                return self._structure(token[0], token.end())
            case 7:
                return self._comment(token[0], at)
            case 8:
                return self._operator(token[0], at)
            case 9:
                return self._template(token.end())
            case 10 if self._is_operand and (literal := REGEX_LITERAL.match(self._text, at)):
                self._is_operand = False
                return literal.end()
            case group:
                self._is_operand = group == 10 or token[0] in _BEFORE_OPERANDS
        return token.end()

    def _structure(self, char: str, end: int) -> int:
        self._is_operand = char not in ")]"
        if char in "([{":
            self._push(char, end - 1)
            return end
        is_closing = bool(self._open) and self._open[-1] in _CLOSED_BY.get(char, ())
        return self._template(end) if is_closing and self._open.pop() == _SUBSTITUTION else end

    def _comment(self, opener: str, at: int) -> int:
        if opener == "/*":
            end = self._text.find("*/", at + 2)
            return end + 2 if end >= 0 else len(self._text)
        if opener == "//":
            line_end = LINE_END.search(self._text, at)
            return line_end.start() if line_end else len(self._text)
        self._is_operand = True  # `<!--` and `-->` are operators in modules
        return at + len(opener)

    def _operator(self, operator: str, at: int) -> int:
        if operator == "<" and self._is_operand and self._is_element(at):
            self._push(_TAG, at)
        elif operator not in ("++", "--"):
            self._is_operand = operator != "."
        return at + len(operator)

    def _is_element(self, at: int) -> bool:
        if not _ELEMENT.match(self._text, at) or _TYPE_PARAMETERS.match(self._text, at):
            return False
        name = _TYPE_NAME.match(self._text, at) if self._is_typed else None
        if name is None or name[1] in self._never_closed:
            return name is None
        is_closed = self._text.find(f"</{name[1]}", at) >= 0
        if not is_closed:
            self._never_closed.add(name[1])
        return is_closed

    def _template(self, at: int) -> int:
        """Read the text of a template up to its end or to the next substitution."""
        found = TEMPLATE_TEXT.match(self._text, at)
        at = found.end() if found else at
        is_ended = not self._text.startswith("${", at)
        if not is_ended:
            self._push(_SUBSTITUTION, at)
        self._is_operand = not is_ended
        return at + (1 if is_ended else 2)

"""The words of ECMAScript: kinds of tokens, the patterns of single tokens, and what a literal's text means.

Receives text, hands on spans and values; which of `/` and a regular expression, or of two kinds of brace, is meant is
the lexer's knowledge (`js_lexer.py`). Offsets count characters of the original text. Source: ECMA-262 (2025), §12.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "ANY_SPACE",
    "BLOCK_COMMENT",
    "HASHBANG",
    "INVALID",
    "KEYWORD",
    "LINE_COMMENT",
    "LINE_END",
    "NAME",
    "NEWLINE",
    "NUMBER",
    "PRIVATE",
    "PUNCTUATOR",
    "REGEX",
    "SPACE",
    "STRING",
    "STRING_LITERAL",
    "TEMPLATE",
    "TEMPLATE_HEAD",
    "TEMPLATE_MIDDLE",
    "TEMPLATE_TAIL",
    "TRIVIA",
    "UNREAD",
    "literal_body",
    "string_value",
    "template_value",
]

# Trivia first: `kind <= TRIVIA` is asked for every token.
SPACE: Final = 0
NEWLINE: Final = 1
LINE_COMMENT: Final = 2
BLOCK_COMMENT: Final = 3
HASHBANG: Final = 4
TRIVIA: Final = 4
NAME: Final = 5
KEYWORD: Final = 6
PRIVATE: Final = 7
PUNCTUATOR: Final = 8
NUMBER: Final = 9
STRING: Final = 10
REGEX: Final = 11
TEMPLATE: Final = 12
TEMPLATE_HEAD: Final = 13
TEMPLATE_MIDDLE: Final = 14
TEMPLATE_TAIL: Final = 15
INVALID: Final = 16
UNREAD: Final = 17
"""The rest of a text whose nesting is over the limit."""

# §12.2 White Space (TAB, VT, FF, ZWNBSP and Unicode category Zs) and §12.3 Line Terminators.
_WS = " \\t\\v\\f\\xa0\\ufeff\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000"
_LT = "\\n\\r\\u2028\\u2029"
ANY_SPACE: Final = _WS + _LT
"""What a class of white space and line terminators holds, in a pattern."""

# Any other character beyond ASCII counts as part of a name: Python's `\w` lacks the combining marks of ID_Continue, and
# a character that no name may hold is an error in every reading.
_BEYOND = f"[^\\x00-\\x7f{_WS}{_LT}]"
_ESCAPE = r"\\u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]+\})"
_IDENTIFIER = f"(?:[A-Za-z_$]|{_BEYOND}|{_ESCAPE})(?>(?:[A-Za-z0-9_$]|{_BEYOND}|{_ESCAPE})*)"

# §12.9.3; a legacy octal literal has no fraction, so that `017.toString()` is a member access.
_NUMBER = (
    r"0[xX][0-9A-Fa-f_]*n?|0[oO][0-7_]*n?|0[bB][01_]*n?|0[0-7]+(?![0-9_])"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?n?"
)
_OPERATOR = (
    r"\.\.\.|\?\.(?![0-9])|=>|\+\+|--|>>>=?|<<=|>>=|\*\*=|&&=|\|\|=|\?\?=|===|!==|\*\*|&&|\|\||\?\?|==|!=|<=|>="
    r"|<<|>>|[-+*%&|^]=|[-+*%&|^=<>!~?.@]"
)

STRING_LITERAL: Final = r"""'(?>(?:[^'\\\n\r]++|\\(?:\r\n|[\s\S]))*)'|"(?>(?:[^"\\\n\r]++|\\(?:\r\n|[\s\S]))*)\""""
"""A whole string literal, in a pattern (§12.9.4)."""

NEXT_TOKEN: Final = re.compile(
    f"({_IDENTIFIER})"
    f"|([{_WS}]++)(?![{_LT}])"
    f"|([{_WS}]*[{_LT}][{_WS}{_LT}]*+)"
    r"|([{}()\[\];,:])"
    rf"|('(?>(?:[^'\\\n\r]++|\\(?:\r\n|[\s\S]))*)'?|\"(?>(?:[^\"\\\n\r]++|\\(?:\r\n|[\s\S]))*)\"?)"
    f"|({_NUMBER})"
    r"|(//|/\*|<!--|-->)"
    f"|({_OPERATOR})"
    "|(`)"
    "|(/)"
    f"|(#{_IDENTIFIER})"
    r"|([\s\S])"
)
"""One token, told by `lastindex`; the lexer's table of handlers has the same order."""

LINE_END: Final = re.compile(f"[{_LT}]")
HASHBANG_LINE: Final = re.compile(f"#![^{_LT}]*+")
TEMPLATE_TEXT: Final = re.compile(r"[^`\\$]*+(?>(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*)")
# §12.9.5: no line terminator; within a class a slash does not end it. Flags are any IdentifierPart.
REGEX_LITERAL: Final = re.compile(
    rf"/(?![*/])(?>(?:[^/\\\[{_LT}]++|\\[^{_LT}]|\[(?>(?:[^\]\\{_LT}]++|\\[^{_LT}])*)\])+)/(?>(?:[A-Za-z0-9_$]|{_BEYOND}|{_ESCAPE})*)"
)

_STRING_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-7]{1,3})|(\r\n|[\s\S]))")
_SINGLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def string_value(body: str) -> str:
    """Return what the text between the quotes of a string literal means; a broken escape stands for itself.

    Source: ECMA-262 §12.9.4.2 (SV), with the legacy octal escapes that scripts may hold.
    """
    if "\\" not in body:
        return body
    return _SURROGATES.sub(_joined, _STRING_ESCAPE.sub(_unescaped, body))


def template_value(body: str) -> str:
    """Return the cooked value of a template without substitutions. Source: ECMA-262 §12.9.6.1 (TV)."""
    return string_value(body.replace("\r\n", "\n").replace("\r", "\n"))


def literal_body(value: str, quote: str) -> str:
    """Return `value` as it is written between quotes, or between backticks."""
    escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\r", "\\r")
    return escaped.replace("${", "\\${") if quote == "`" else escaped


def _unescaped(found: re.Match[str]) -> str:
    braced, four, two, octal, single = found.groups()
    if digits := braced or four or two:
        code = int(digits[-7:], 16)
        return chr(code) if code <= 0x10FFFF else found[0]
    if octal:
        length = 3 if octal[0] in "0123" else 2  # §12.9.4: a legacy octal escape is at most \377
        return chr(int(octal[:length], 8)) + octal[length:]
    return "" if LINE_END.match(single) else _SINGLE.get(single, single)


def _joined(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")

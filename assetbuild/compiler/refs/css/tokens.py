"""CSS tokens, as CSS Syntax Module Level 3 §4 defines them, over the original text.

Hands out two views of one grammar: `tokens`, every token of the specification, and `marks`, which passes at the speed
of the pattern engine over all that cannot open, close, end or name anything. Each pattern matches single tokens; what
they mean together is decided by the readers of this module. The preprocessing of §3.3 (CR, CRLF and FF are LF, NUL is
U+FFFD) is folded into the patterns, so that offsets are those of the text as it was read.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "BLOCK_DEPTH",
    "CLOSERS",
    "Token",
    "blank_end",
    "comments",
    "customs_in",
    "function_name",
    "marks",
    "tokens",
    "unescaped",
]

CLOSERS = {"{": "}", "(": ")", "[": "]"}
BLOCK_DEPTH = 4
"""How deep brackets nest in a block that `marks` passes whole: its own, and three of parentheses."""

# Possessive quantifiers throughout: what is matched is never given back, so every scan is linear.
_WS = r"[ \t\n\r\f]"
_HEX = rf"\\[0-9a-fA-F]{{1,6}}+(?>(?:\r\n|{_WS})?)"
# §4.3.8: a backslash before a newline is no escape; before the end of the text it is one, of U+FFFD (§4.3.7).
_ESCAPE = rf"(?:{_HEX}|\\(?:[^0-9a-fA-F\n\r\f]|\Z))"
# §4.2: every character from U+0080 on belongs in names, as browsers have it.
# Said by what does not: a class of a million characters would take the pattern engine 50 ms to compile.
_NAME_START = r"[^\x01-@\[-^`{-\x7f]"
_NAME_CHAR = r"[^\x01-,./:-@\[-^`{-\x7f]"
_NAME_REST = rf"(?>(?:{_NAME_CHAR}++|{_ESCAPE})*)"
_IDENT = rf"(?:--|-?(?:{_NAME_START}|{_ESCAPE})){_NAME_REST}"
_NUMBER = r"[+-]?(?:[0-9]++(?>(?:\.[0-9]++)?)|\.[0-9]++)(?>(?:[eE][+-]?[0-9]++)?)"
_COMMENT = r"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)\*/"
_CUT_COMMENT = r"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)\Z"
_IN_STRING = rf"(?:{_HEX}|\\(?:\r\n|[^0-9a-fA-F]|\Z))"
_OPEN_STRING = rf"""(?:"(?>(?:[^"\\\n\r\f]++|{_IN_STRING})*)|'(?>(?:[^'\\\n\r\f]++|{_IN_STRING})*))"""
_STRING = rf"""(?:"(?>(?:[^"\\\n\r\f]++|{_IN_STRING})*)"|'(?>(?:[^'\\\n\r\f]++|{_IN_STRING})*)')"""


def _letter(letter: str) -> str:
    """Return a pattern of one letter of `url`, each way that it can be written."""
    codes = "|".join(f"{ord(case):x}".replace("c", "[cC]") for case in (letter, letter.upper()))
    return rf"(?:\\?[{letter}{letter.upper()}]|\\0{{0,4}}(?:{codes})(?>(?:\r\n|{_WS})?))"


_URL_OPEN = "".join(map(_letter, "url")) + rf"""\({_WS}*+(?!["'])"""
_URL_BODY = rf"""(?>(?:[^"'()\\\x01-\x20\x7f]++|{_ESCAPE})*)"""
_BAD_URL_REST = rf"(?>(?:[^)\\]++|{_ESCAPE}|\\)*)"

_TOKEN = rf"""(?P<whitespace>{_WS}++)
    |(?P<url>{_URL_OPEN}{_URL_BODY}{_WS}*+(?:\)|\Z))
    |(?P<bad_url>{_URL_OPEN}{_BAD_URL_REST}(?:\)|\Z))
    |(?P<cdc>-->)
    |(?P<number>{_NUMBER})(?>(?:(?P<percentage>%)|(?P<dimension>{_IDENT}))?)
    |(?P<ident>{_IDENT})(?>(?P<function>\()?)
    |(?P<hash>\#(?:{_NAME_CHAR}|{_ESCAPE}){_NAME_REST})
    |(?P<at_keyword>@{_IDENT})
    |(?P<comment>{_COMMENT}|{_CUT_COMMENT})
    |(?P<string>{_STRING}|{_OPEN_STRING}\Z)
    |(?P<bad_string>{_OPEN_STRING})
    |(?P<cdo><!--)
    |(?P<delim>[\s\S])"""
_PUNCTUATION = frozenset("{}()[]:;,")

# What `marks` passes over. A name behind a digit or `#` is the rest of that token and opens no function. Functions
# without anything of interest in them are passed whole: `var(--a)`, `rgb(0 0 0)`, `:not(.b)`.
_IDLE = rf"""(?>(?:
    [ \t\n\r\f:,.>~*=|^$!%&?`+\x01-\x08\x0b\x0e-\x1f\x7f]++
    |(?!--){_IDENT}(?!\()
    |[0-9\#]{_NAME_REST}
    |(?!(?i:url|src|(?:-webkit-)?image-set)\()[a-zA-Z_-][a-zA-Z0-9_-]*+\([^()"'\\/{{}}\[\]@]*+\)
    |{_COMMENT}
    |/(?!\*)
    |-(?!-|{_NAME_START}|{_ESCAPE})
    |@(?!--|-?(?:{_NAME_START}|{_ESCAPE}))
    |<(?!!--)
    |\\(?=[\n\r\f])
)+)"""

# A block of declarations, or of nothing, in which no mark counts: nothing in it opens a block, names or quotes. What is
# in parentheses, three deep at most, holds no semicolon, so that each semicolon ends a declaration. A function whose
# name ends as one that takes URLs does is not passed: too many are refused rather than one too few.
_PLAIN = r"""(?>[^(){}\[\]"'\\/@;<>]++|/(?!\*))"""
_NO_URL = "(?<!(?i:url|src|set))"
_INNER = rf"{_NO_URL}\((?>(?:{_PLAIN}|{_NO_URL}\((?>{_PLAIN}*)\))*)\)"
_GROUP = rf"{_NO_URL}\((?>(?:{_PLAIN}|{_INNER})*)\)"
_BLOCK = rf"\{{(?>(?:{_PLAIN}|;|{_GROUP})*)\}}"

_MARK = re.compile(
    rf"""{_IDLE}(?>(?P<block>{_BLOCK})?)
    |(?P<end>;)
    |(?P<open>[\[({{])
    |(?P<close>[\])}}])
    |(?P<url>{_URL_OPEN}(?P<body>{_URL_BODY}){_WS}*+)(?:\)|\Z(?P<cut_url>))
    |(?P<bad_url>{_URL_OPEN}{_BAD_URL_REST})(?:\)|\Z(?P<cut_bad_url>))
    |(?P<string>{_STRING})
    |(?P<cut_string>{_OPEN_STRING}\Z)
    |(?P<bad_string>{_OPEN_STRING})
    |(?P<cut_comment>{_CUT_COMMENT})
    |(?P<at>@{_IDENT})
    |(?P<html><!--|-->)
    |(?P<custom>--{_NAME_REST}(?>(?:{_WS}++|{_COMMENT})*):)
    |(?P<function>{_IDENT}\()
    |(?P<dashed>--{_NAME_REST})""",
    re.VERBOSE,
)
# In a block as above, a declaration ends at the first semicolon.
_CUSTOM = re.compile(rf"[{{;]{_WS}*+--{_NAME_REST}{_WS}*+:(?P<value>[^;}}]*+)")
_BLANK = re.compile(rf"(?>(?:{_WS}++|{_COMMENT})*)")
_ESCAPED = re.compile(rf"\\(?:([0-9a-fA-F]{{1,6}}+)(?>(?:\r\n|{_WS})?)|(\r\n|[\n\r\f])|([\s\S]?))")


class Token(NamedTuple):
    """One token. `kind`: the specification's name, or the character itself for `{}()[]:;,`."""

    kind: str
    start: int
    end: int


def tokens(text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[Token]:
    """Return every token of `text[start:end]`, as if the text ended there; `start` must be where a token begins.

    A `function` ends behind its parenthesis. What is open at the end is closed by it (§4.3.2, §4.3.5, §4.3.6).
    """
    for match in _token().finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind == "delim" and match[0] in _PUNCTUATION:
            kind = match[0]
        yield Token(kind.replace("_", "-"), match.start(), match.end())


@functools.cache
def _token() -> re.Pattern[str]:
    return re.compile(_TOKEN, re.VERBOSE)  # late: it takes 3 ms, and most sheets are read by their marks


def marks(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Return the tokens of `text` that give it shape, in order, each as a match whose `lastgroup` says what it is.

    block (its group `block` is a whole one that holds plain declarations only: no string, comment, URL, escape, at-rule
    or inner block, and brackets no deeper than `BLOCK_DEPTH`; what `marks` passes over may stand before it), end `;`,
    open and close (a bracket), function, url (its group `body` is without white space), bad_url, string, bad_string,
    at, html (`<!--` or `-->`), custom (`--name:`), dashed (`--name`); with the prefix `cut_` what the end of the text
    leaves open: cut_url, cut_bad_url, cut_string, cut_comment.
    """
    return (match for match in _MARK.finditer(text, start) if match.lastgroup)


def customs_in(text: str, block: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the start and end of the value of each custom property in a block that `marks` gave."""
    span = block.span("block")
    if text.find("--", *span) >= 0:
        for match in _CUSTOM.finditer(text, *span):
            yield match.span("value")


def comments(text: str, holding: str) -> Iterator[tuple[int, int]]:
    """Return the start and end of each closed comment that holds the word `holding`."""
    if holding not in text:
        return
    for match in _MARK.finditer(text):
        # Comments are among what `marks` passes over, and nothing there could be mistaken for one.
        if match.lastgroup in {None, "block"} and text.find(holding, *match.span()) >= 0:
            for token in tokens(text, *match.span()):
                if token.kind == "comment" and text.find(holding, token.start, token.end) >= 0:
                    yield token.start, token.end


def blank_end(text: str, start: int) -> int:
    """Return where the white space and the comments that begin at `start` end."""
    match = _BLANK.match(text, start)
    return match.end() if match else start


def function_name(written: str) -> str:
    """Return the name of the function token `written`, unescaped and in lower case."""
    return unescaped(written[:-1]).lower()


def unescaped(written: str, is_string: bool = False) -> str:
    """Return what a name, a URL or the inside of a string stands for (§4.3.5, §4.3.7).

    is_string: an escaped newline, and a backslash at the end of the text, stand for nothing.
    """
    if "\\" not in written:
        return written.replace("\0", "\ufffd")

    def plain(match: re.Match[str]) -> str:
        digits, newline, character = match.groups()
        if digits is not None:
            code = int(digits, 16)
            return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
        if newline is not None:
            return "" if is_string else str(match[0])
        return character or ("" if is_string else "\ufffd")

    return _ESCAPED.sub(plain, written).replace("\0", "\ufffd")

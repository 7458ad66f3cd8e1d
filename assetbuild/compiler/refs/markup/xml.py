"""XML tokens, as XML 1.0 (fifth edition) defines them, over the original text.

A text that is not well-formed is read as far as it goes: a tag that breaks a rule is text. Names may hold what XML
forbids, because nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assetbuild.compiler.refs.markup.token import Attribute, Kind, Token

__all__ = ["attributes", "pseudo_attributes", "tokens"]

# Possessive quantifiers throughout, and no tag passes a `<`: every scan is linear.
_WS = r"[ \t\r\n]"
_NAME = r"""[^\s<>/=!?&'"][^\s<>/=?&'"]*+"""
_COMMENT = r"<!--[^-]*+(?>(?:-(?!->)[^-]*+)*)(?:-->|\Z)"
_INSTRUCTION = r"<\?[^?]*+(?>(?:\?(?!>)[^?]*+)*)(?:\?>|\Z)"
_QUOTED = r""""[^"]*+"|'[^']*+'"""
# §2.8: declarations, comments and processing instructions between brackets; their quotes may hold brackets.
_SUBSET = rf"""\[(?>(?:[^\]"'<]++|{_QUOTED}|{_COMMENT}|{_INSTRUCTION}|<(?!!--|\?))*)\]"""
_ATTRIBUTE = rf"""(?P<attribute>{_NAME}){_WS}*+={_WS}*+(?:"(?P<double>[^"<]*+)"|'(?P<single>[^'<]*+)')"""
_PLAIN_ATTRIBUTE = re.sub(r"\?P<\w+>", "?:", _ATTRIBUTE)
_MARK = re.compile(
    rf"""(?P<comment>{_COMMENT})
    |(?P<cdata><!\[CDATA\[[^\]]*+(?>(?:\](?!\]>)[^\]]*+)*)(?:\]\]>|\Z))
    |(?P<instruction><\?(?>(?P<target>{_NAME})?)[^?]*+(?>(?:\?(?!>)[^?]*+)*)(?:\?>|\Z))
    |(?P<doctype><!DOCTYPE(?>(?:[^\["'>]++|{_QUOTED}|{_SUBSET})*)>)
    |(?P<cut><!DOCTYPE[\s\S]*+)
    |(?P<tag><(?P<slash>/)?(?P<name>{_NAME})(?>(?:{_WS}++(?>(?:{_PLAIN_ATTRIBUTE})?))*)(?>(?P<solidus>/)?)>)""",
    re.VERBOSE,
)
_ONE_ATTRIBUTE = re.compile(_ATTRIBUTE)


def tokens(text: str) -> Iterator[Token]:
    """Return the tokens of `text`, one beside the other. Never raises."""
    at = 0
    start = text.find("<")
    while start >= 0:
        match = _MARK.match(text, start)
        if match is None:
            start = text.find("<", start + 1)
            continue
        if at < start:
            yield Token("text", at, start)
        yield _token(match)
        at = match.end()
        start = text.find("<", at)
    if at < len(text):
        yield Token("text", at, len(text))


def attributes(text: str, token: Token) -> Iterator[Attribute]:
    """Return the attributes of a start tag."""
    return _attributes(text, token.start + 1 + len(token.name), token.end)


def pseudo_attributes(text: str, token: Token) -> Iterator[Attribute]:
    """Return the pseudo-attributes of a processing instruction (W3C, xml-stylesheet §3)."""
    return _attributes(text, token.start + 2 + len(token.name), token.end)


def _attributes(text: str, start: int, end: int) -> Iterator[Attribute]:
    for match in _ONE_ATTRIBUTE.finditer(text, start, end):
        yield Attribute(match["attribute"], *match.span("single" if match["double"] is None else "double"))


def _token(match: re.Match[str]) -> Token:
    group = match.lastgroup
    if group == "tag":
        kind: Kind = "end" if match["slash"] else "empty" if match["solidus"] else "start"
        return Token(kind, *match.span(), match["name"])
    for other in ("comment", "cdata", "instruction", "doctype"):
        if group == other:
            return Token(other, *match.span(), match["target"] or "")
    return Token("cut", *match.span())

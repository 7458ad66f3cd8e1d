"""Character references: what stands for a character in markup, and what is left as it is.

Sources: WHATWG HTML §13.2.5.72 to §13.2.5.80, as they hold in attributes; XML 1.0 §4.1, §4.6. The names that a document
type declares itself are never expanded: what they hold may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from html.entities import html5

from assetbuild.compiler.refs.written import Part

__all__ = ["has_unknown", "html_parts", "xml_parts"]

_HTML = re.compile(r"&(?:#[xX][0-9a-fA-F]++;?+|#[0-9]++;?+|[a-zA-Z][a-zA-Z0-9]*+(?:;|(?!=)))")
_XML = re.compile(r"&(?:#x([0-9a-fA-F]++)|#([0-9]++)|([^\s&;<>\"'#]++));")
_PREDEFINED = {"amp": "&", "apos": "'", "gt": ">", "lt": "<", "quot": '"'}
_LARGEST = 0x10FFFF


def html_parts(text: str, start: int, end: int) -> Iterator[Part]:
    """Return the parts of `text[start:end]`, its character references undone as in an attribute of HTML."""
    return _parts(text, start, end, _HTML, _html_character)


def xml_parts(text: str, start: int, end: int) -> Iterator[Part]:
    """Return the parts of `text[start:end]`, its character references and the five predefined entities undone."""
    return _parts(text, start, end, _XML, _xml_character)


def has_unknown(written: str) -> bool:
    """Return whether XML text holds an entity that its document type would have to declare."""
    return any(match[3] and match[3] not in _PREDEFINED for match in _XML.finditer(written))


def _parts(
    text: str, start: int, end: int, pattern: re.Pattern[str], meant: Callable[[re.Match[str]], str]
) -> Iterator[Part]:
    at = start
    for match in pattern.finditer(text, start, end) if text.find("&", start, end) >= 0 else ():
        character = meant(match)
        if character:
            if at < match.start():
                yield Part(text[at : match.start()], at, match.start())
            yield Part(character, *match.span())
            at = match.end()
    if at < end:
        yield Part(text[at:end], at, end)


def _html_character(match: re.Match[str]) -> str:
    """Return what the reference stands for, "" if it is none."""
    written = match[0]
    if written[1] == "#":
        digits = written[2:].strip(";xX").lstrip("0")
        return unescape(written) if len(digits) <= 7 else "\ufffd"
    # With the longest name that may stand without a semicolon only: a shorter one has a letter behind it here.
    return html5.get(written[1:], "")


def _xml_character(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _PREDEFINED.get(name, "")
    digits = (hexadecimal or decimal).lstrip("0") or "0"
    code = int(digits, 16 if hexadecimal else 10) if len(digits) <= 7 else _LARGEST + 1
    return chr(code) if 0 < code <= _LARGEST and not 0xD800 <= code <= 0xDFFF else "\ufffd"

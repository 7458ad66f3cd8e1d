"""Raw text: CSS, scripts, JSON and SVG written so that no HTML parser ends the element inside them.

Pure functions from text to text of the same meaning; a `ValueError` says why there is none. Each escape is one that the
language itself reads back, so nothing here needs to know where a string or a comment begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["css_text", "json_text", "script_text", "svg_rest", "svg_text"]

_ASCII_SPACE = " \t\n\f\r"


def css_text(text: str) -> str:
    r"""Return CSS that holds no `</style`: the letter after the slash is written as an escape, `\73 `.

    An escaped letter means the letter wherever a token can hold it, in names, strings and URLs, and nothing in a
    comment (CSS Syntax 3 §4.3.7). HTML ends a style element nowhere else ("RAWTEXT end tag name state").
    """
    return re.sub(r"(?i)(</)(s)(?=tyle)", lambda found: f"{found[1]}\\{ord(found[2]):x} ", text)


def script_text(text: str) -> str:
    r"""Return JavaScript that holds neither `</script` nor `<script` behind `<!--`: the `s` is written as `\u0073`.

    An escaped letter means the letter in names, strings and regular expressions (ECMA-262 §12.7, §12.9.4, §22.2.1) and
    nothing in a comment. A template alone can ask how it was written (`String.raw`), so a text with both is refused.
    Source of what ends a script element: HTML, "Restrictions for contents of script elements".
    """
    tags = re.compile(r"(?i)(</?)(s)(?=cript)")
    folded = text.lower()
    opened = folded.find("<!--")
    if "</script" not in folded and (opened < 0 or "<script" not in folded[opened:]):
        return text
    if "`" in text:
        raise ValueError("it holds `</script` or `<script` and a template literal, which could tell how it is escaped")
    return tags.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)


def json_text(text: str) -> str:
    r"""Return JSON without `<`, which can stand in its strings alone and is written `\u003c` there (RFC 8259 §7)."""
    return text.replace("<", "\\u003c")


def svg_text(text: str) -> str:
    """Return the root element of an SVG file: HTML has no XML declaration and one doctype (HTML, "SVG")."""
    at = 0
    while True:
        at += len(text) - at - len(text[at:].lstrip(_ASCII_SPACE))
        for start, end in (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">")):
            if text.startswith(start, at):
                at = _after(text, at, start, end)
                break
        else:
            break
    if not text.startswith("<svg", at) or text[at + 4 : at + 5] not in {*_ASCII_SPACE, ">", "/"}:
        raise ValueError("its root element is not `<svg>`")
    return text[at:].rstrip(_ASCII_SPACE)


def svg_rest(text: str, given: Iterable[str]) -> str:
    """Return what follows `<svg` in `svg_text`, without the attributes of the root that are `given`.

    Names are compared as an HTML parser does, which folds the case of ASCII and knows no prefix. Source of the form of
    an attribute, which includes that of XML: HTML, "Before attribute name state" and those that follow it.
    """
    replaced = {name.lower() for name in given}
    attribute = re.compile(_ATTRIBUTE)  # not at import: start-up must not pay for it
    kept, at = [], len("<svg")
    while found := attribute.match(text, at):
        if found["name"].lower() not in replaced:
            kept.append(found[0])
        at = found.end()
    return "".join(kept) + text[at:]


# An unquoted value is HTML's alone; in XML, a slash before `>` belongs to no attribute.
_ATTRIBUTE = (
    r"""[ \t\n\f\r/]*(?P<name>=?[^ \t\n\f\r/>=]+)(?:[ \t\n\f\r]*=[ \t\n\f\r]*("[^"]*"|'[^']*'|[^ \t\n\f\r>]*))?"""
)


def _after(text: str, at: int, start: str, end: str) -> int:
    """Return where what begins with `start` is over."""
    found = text.find(end, at)
    if found < 0:
        raise ValueError(f"its `{start}` has no end")
    if "[" in text[at:found] and start == "<!DOCTYPE":
        raise ValueError("its doctype declares entities, which HTML does not know")
    return found + len(end)

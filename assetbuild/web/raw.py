"""Raw text: CSS, scripts and JSON written so that no HTML parser ends the element inside them.

Pure functions from text to text of the same meaning; a `ValueError` says why there is none. Each escape is one that the
language itself reads back, so nothing here needs to know where a string or a comment begins.
"""

from __future__ import annotations

import re

__all__ = ["css_text", "json_text", "script_text"]


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

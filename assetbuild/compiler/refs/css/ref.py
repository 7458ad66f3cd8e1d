"""One reference of a stylesheet: where it stands, how it is written, what it says.

Made here from tokens; which tokens are references is decided in `css` and `css_import`.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from assetbuild.compiler.refs.css.tokens import marks, unescaped

__all__ = ["CssRef", "RefKind", "bare", "quoted", "raw_suffix"]

RefKind = Literal["url", "src", "image-set", "import", "late-import"]

_CHARACTER = re.compile(r"\\(?:[0-9a-fA-F]{1,6}+(?>(?:\r\n|[ \t\n\r\f])?)|\r\n|[\s\S]?)|[^\\]")


class CssRef(NamedTuple):
    """One place that names a resource. `text[start:end]` is the part to replace: no quotes, no outer white space.

    value: what it stands for, escapes undone. quote: the quote around it, "" for the bare form of `url()`.
    kind: `late-import` is an `@import` that browsers ignore, because it is not at the top of the sheet.
    A plain ASCII URL without quotes, parentheses, backslashes and white space may stand in its place in every form.
    """

    start: int
    end: int
    value: str
    kind: RefKind
    quote: str = ""


def bare(text: str, url: re.Match[str], kind: RefKind) -> CssRef:
    """Return the reference of a `url` mark: `url()` without quotes."""
    start, end = url.span("body")
    return CssRef(start, end, unescaped(text[start:end]), kind)


def quoted(text: str, start: int, end: int, kind: RefKind) -> CssRef:
    """Return the reference that the string token at `start` is; the end of the text may stand for its quote."""
    quote = text[start]
    closed = next(marks(text[start:end])).lastgroup == "string"
    inside = start + 1, end - 1 if closed else end
    return CssRef(*inside, unescaped(text[slice(*inside)], is_string=True), kind, quote)


def raw_suffix(text: str, ref: CssRef, suffix: str) -> str:
    """Return the end of the reference that stands for `suffix`, the last characters of its value, as it was written."""
    body = text[ref.start : ref.end].rstrip(" \t\r\n\f")  # URLs lose outer white space when they are parsed
    if not suffix:
        return ""
    if "\\" not in body:
        return body[len(body) - len(suffix) :]
    at = len(body)
    values = [(m.start(), unescaped(m[0], is_string=bool(ref.quote))) for m in _CHARACTER.finditer(body)]
    left = len(suffix)
    while left > 0 and values:
        at, value = values.pop()
        left -= len(value)
    return body[at:]

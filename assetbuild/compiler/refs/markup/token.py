"""One token of a text in markup, and the attributes of a tag: places and names, nothing decoded."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Literal, NamedTuple

__all__ = ["Attribute", "Kind", "Tag", "Token", "folded"]

Kind = Literal["text", "raw", "start", "empty", "end", "comment", "cdata", "instruction", "doctype", "cut"]
"""`raw` is text without references and tags, as in `<script>`; `empty` a start tag that ends its element at once
(`<image/>`); `cut` what is left when a construct is still open at the end of the text."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Token(NamedTuple):
    """`text[start:end]`. name: of a tag, or the target of a processing instruction; "" for all others."""

    kind: Kind
    start: int
    end: int
    name: str = ""


class Attribute(NamedTuple):
    """An attribute whose value is written at `text[start:end]`, without quotes."""

    name: str
    start: int
    end: int


class Tag(NamedTuple):
    """A start tag with its attributes, each name once."""

    name: str
    attributes: dict[str, Attribute]

    @classmethod
    def of(cls, name: str, attributes: Iterable[Attribute]) -> Tag:
        """Return the tag; of two attributes with one name the first counts (WHATWG HTML §13.2.5.33)."""
        named: dict[str, Attribute] = {}
        for attribute in attributes:
            named.setdefault(attribute.name, attribute)
        return cls(name, named)


def folded(name: str) -> str:
    """Return `name` as HTML compares names: ASCII letters in lower case, all others as they are."""
    return name.translate(_LOWER)

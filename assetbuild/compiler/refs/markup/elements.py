"""Which attributes name what: the elements of HTML and SVG that load something.

Sources: WHATWG HTML, index of attributes; SVG 2 §16 (`href`), §5, §12, §15; SVG 1.1 for what SVG 2 left out; SVG 2 §6.6
(presentation attributes). An attribute that names a page to go to, and not something to load, is a `link`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from assetbuild.compiler.refs.markup.token import Tag, folded

__all__ = ["SVG_NAMESPACE", "XHTML_NAMESPACE", "XLINK_NAMESPACE", "Content", "content_of", "is_css", "lower_names"]

Content = Literal["", "url", "link", "srcset", "declarations", "value"]
"""What an attribute holds: "" nothing of ours; a URL; one that may name a page; image candidates; CSS declarations; the
value of one CSS property."""

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"
XLINK_NAMESPACE = "http://www.w3.org/1999/xlink"

_SVG = (
    *("altGlyph", "color-profile", "cursor", "feImage", "filter", "font-face-uri", "glyphRef", "image"),
    *("linearGradient", "mpath", "pattern", "radialGradient", "script", "textPath", "tref", "use"),
)
_LOADS: dict[tuple[str, str], Content] = {
    **dict.fromkeys(((name, attribute) for name in _SVG for attribute in ("href", "xlink:href")), "url"),
    **dict.fromkeys(((name, "src") for name in ("audio", "embed", "img", "script", "source", "track", "video")), "url"),
    **dict.fromkeys(((name, "srcset") for name in ("img", "source")), "srcset"),
    **dict.fromkeys(((name, "href") for name in ("a", "area")), "link"),
    **dict.fromkeys(((name, "src") for name in ("frame", "iframe")), "link"),
    **dict.fromkeys(
        ((name, "background") for name in ("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th")), "url"
    ),
    ("a", "xlink:href"): "link",
    ("object", "data"): "url",
    ("video", "poster"): "url",
    ("xml-stylesheet", "href"): "url",  # a processing instruction, of any XML
}
_CSS_VALUES = frozenset(
    (
        *("clip-path", "cursor", "fill", "filter", "marker", "marker-end", "marker-mid", "marker-start", "mask"),
        *("mask-image", "stroke"),
    )
)
# Link types whose resource is loaded (WHATWG HTML §4.6.8), with those that Apple and Safari brought.
_LOADED = frozenset(
    (
        *("apple-touch-icon", "apple-touch-icon-precomposed", "apple-touch-startup-image", "icon", "manifest"),
        *("mask-icon", "modulepreload", "preload", "stylesheet"),
    )
)
_Names = Callable[[str], str]


def content_of(tag: Tag, name: str, text: str, known: dict[str, str]) -> Content:
    """Return what the attribute `name` of `tag` holds.

    known: names as the dialect writes them → as they stand here (`lower_names` for HTML). text: the whole text.
    """
    element, name = known.get(tag.name, tag.name), known.get(name, name)
    if name == "style":
        return "declarations"
    if name in _CSS_VALUES:
        return "value"
    if element == "link":
        return _of_link(tag, name, text)
    if element == "input" and name == "src":
        return "url" if _value(tag, "type", text) == "image" else ""
    return _LOADS.get((element, name), "")


def is_css(tag: Tag, text: str) -> bool:
    """Return whether the `<style>` element holds CSS. Source: WHATWG HTML §4.2.6, "update a style block"."""
    return _value(tag, "type", text) in {"", "text/css"}


def lower_names() -> dict[str, str]:
    """Return the names that HTML reads in lower case, each → as SVG writes it."""
    return {folded(name): name for name in _SVG}


def _of_link(tag: Tag, name: str, text: str) -> Content:
    if name not in {"href", "imagesrcset"}:
        return ""
    kinds = set(_value(tag, "rel", text).split())
    if name == "imagesrcset":
        return "srcset" if "preload" in kinds else ""
    if kinds & _LOADED:
        return "url"
    return "link" if "prefetch" in kinds else ""


def _value(tag: Tag, name: str, text: str) -> str:
    attribute = tag.attributes.get(name)
    return folded(text[attribute.start : attribute.end]).strip() if attribute else ""

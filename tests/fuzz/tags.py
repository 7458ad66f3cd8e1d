"""Tags: an HTML parser reads from them what was given, and nothing more."""

from __future__ import annotations

from html.parser import HTMLParser

from assetbuild.compiler.refs.markup import HTML
from assetbuild.web.html import Asset, tag
from tests.fuzz.grain import Grain
from tests.manifests import INTEGRITY

__all__ = ["attributes"]

_NAMES = [
    *("class_", "data_turbo", "nonce", "async_", "src", "HREF", "on", "click", "_", "-", ":", "@", "é", "K", "İ", "ß"),
    *(" ", ">", "<", "=", '"', "'", "/", "\0", "\n", "\x80", "\xa0", "x", "&", "&amp;", "\u2028"),
]
_VALUES = [
    *"\"'<>&;=/ \n\t`{}é😀\x0b\x85",
    *("&amp;", "&quot", "&#39;", "&notit;", "<script>", "-->", "javascript:", "</", "\ud800", "x", "&lt"),
]
_TYPES = [
    "text/javascript; charset=utf-8",
    "text/css",
    "image/png",
    "application/manifest+json",
    "font/woff2",
    "TEXT/CSS",
]


class _Markup:
    """A value that is HTML already, as template engines pass it."""

    def __init__(self, text: str) -> None:
        self.meant = f"&{text}"

    def __html__(self) -> str:
        return self.meant.replace("&", "&amp;").replace("<", "&lt;")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.data += data


def attributes(content: bytes) -> None:
    """Write a tag with some attributes and read it twice: by Python's parser, and by ours of other people's pages."""
    grain = Grain(content)
    kind = grain.pick(["", "module", "classic", "style"])
    asset = Asset("a", "/static/a", "a", kind, grain.pick(_TYPES), 1, INTEGRITY, width=grain.below(3))
    given: dict[str, object] = {}
    while grain:
        text = grain.words(_VALUES, 10)
        value = grain.pick([text, text, True, False, None, 7, _Markup(text)])
        given[grain.words(_NAMES, 3)] = value
    try:
        html = tag(asset, given)
    except ValueError:
        return
    expected = _meant(asset, given)
    token = next(iter(HTML.tokens(html)))
    read = {
        a.name: "".join(part.meaning for part in HTML.parts(html, a.start, a.end)) for a in HTML.attributes(html, token)
    }
    assert expected == read
    if not any(c.isspace() for name in expected for c in name):  # for Python all blanks of Unicode end a name
        reader = _Reader()
        reader.feed(html)
        reader.close()
        ((_, attrs),) = reader.found
        assert expected == {name: value or "" for name, value in attrs}
        assert len(expected) == len(attrs)
        assert reader.data == ""


def _meant(asset: Asset, given: dict[str, object]) -> dict[str, str]:
    """Return what a page means by these attributes: those of the asset, and over them what was given."""
    meant: dict[str, object] = {}
    if asset.kind == "module":
        meant["type"] = "module"
    match asset.kind or asset.type.partition(";")[0].lower():
        case "module" | "classic" | "text/javascript":
            meant |= {"src": asset.url, "integrity": INTEGRITY, "crossorigin": "anonymous"}
        case "style" | "text/css":
            meant |= {"rel": "stylesheet", "href": asset.url, "integrity": INTEGRITY, "crossorigin": "anonymous"}
        case "application/manifest+json":
            meant |= {"rel": "manifest", "href": asset.url}
        case _:
            meant |= {"src": asset.url, "width": asset.width or None}
    meant |= {keyword.rstrip("_").replace("_", "-").lower(): value for keyword, value in given.items()}
    return {
        name: "" if value is True else value.meant if isinstance(value, _Markup) else str(value)
        for name, value in meant.items()
        if value is not None and value is not False
    }

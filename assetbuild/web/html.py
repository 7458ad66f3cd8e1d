"""An asset as a page sees it, and the tag that loads it.

Receives values, hands on text that is safe to put into HTML. Reads nothing and knows no template engine: the text
carries `__html__`, by which Jinja, Django and MarkupSafe recognise markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assetbuild.manifest import AssetEntry, FileEntry, quote

__all__ = ["Asset", "Html", "asset_from", "attributes_html", "checked", "essence", "named", "role", "tag", "url_of"]


class Asset(NamedTuple):
    """An asset as a page sees it.

    url: with the base, percent-encoded. file: its published path. kind: `module`, `classic`, `style` or "".
    type: media type. size: bytes. integrity: as SRI writes it, true of the bytes at `url` for as long as the URL is
    immutable. width, height: pixels, 0 if unknown. imports, dynamic, css: logical paths.
    is_immutable: the URL names these bytes for ever; false for a file that keeps its own name.
    """

    name: str
    url: str
    file: str
    kind: str
    type: str
    size: int
    integrity: str
    width: int = 0
    height: int = 0
    imports: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    is_immutable: bool = True


class Html(str):
    """Text that is HTML already: template engines do not escape it again.

    csp_hash: of an inline element the source expression that allows it in a Content-Security-Policy, quotes included;
    else "".
    """

    __slots__ = ("csp_hash",)

    csp_hash: str

    def __new__(cls, text: str = "", csp_hash: str = "") -> Html:
        """Return `text` as HTML; it is not escaped here."""
        html = super().__new__(cls, text)
        html.csp_hash = csp_hash
        return html

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.csp_hash

    def __html__(self) -> str:
        """Return the text itself, the protocol of MarkupSafe and Django."""
        return str(self)


def url_of(name: str, entry: AssetEntry, base: str) -> str:
    """Return where an asset is reached.

    A `site_root` file is reached at its absolute path and a kept one under its own name; all others under the hash.
    """
    return quote(entry.at) if entry.at else base + quote(name if entry.keep else entry.file)


def asset_from(name: str, entry: AssetEntry, file: FileEntry, base: str) -> Asset:
    """Return the asset of a manifest's two entries."""
    return Asset(
        name=name,
        url=url_of(name, entry, base),
        file=entry.file,
        kind=entry.kind,
        type=file.type,
        size=file.size,
        integrity=file.integrity,
        width=entry.width,
        height=entry.height,
        imports=entry.imports,
        dynamic=entry.dynamic,
        css=entry.css,
        is_immutable=not (entry.at or entry.keep),
    )


def tag(asset: Asset, attributes: Mapping[str, object], stylesheets: Iterable[Asset] = ()) -> Html:
    """Return the tag that loads `asset`, after those of the stylesheets that it needs.

    attributes: as keyword arguments: `class_` is `class`, `data_turbo` is `data-turbo`; True is the bare name, False
    and None leave the attribute out, also one that would be there. The nonce is for the stylesheets, too.
    Raises `ValueError` for a type that has no tag of its own.
    """
    given = named(attributes)
    shared = {"nonce": given["nonce"]} if "nonce" in given else {}
    before = "".join(f"{_element(sheet, shared)}\n" for sheet in stylesheets)
    return Html(before + _element(asset, given))


def essence(asset: Asset) -> str:
    """Return the media type of an asset without its parameters, in lower case."""
    return asset.type.partition(";")[0].rstrip().lower()


def role(asset: Asset) -> str:
    """Return what an asset is to a page: its kind, else `image`, `font`, `manifest`, `json`, "" if none of these."""
    if asset.kind:
        return asset.kind
    match essence(asset).partition("/"):
        case "text", _, "javascript":
            return "classic"
        case "text", _, "css":
            return "style"
        case "application", _, "manifest+json":
            return "manifest"
        case "image", _, _:
            return "image"
        case "font", _, _:
            return "font"
        case _, _, rest if rest == "json" or rest.endswith("+json"):
            return "json"
    return ""


def checked(asset: Asset) -> dict[str, object]:
    """Return the attributes that let a browser check the bytes of a script or stylesheet.

    A stable URL may already serve the next release while this page is open: its digest would block the new bytes.
    """
    return {"integrity": asset.integrity, "crossorigin": "anonymous"} if asset.is_immutable else {}


def named(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return keyword arguments by the attributes that they mean; raise `ValueError` if HTML has none of that form.

    Their case means nothing, so that one name is one attribute, the last that was given; a parser gives SVG's back
    their capitals. Source: HTML, "Attributes" in the section on writing documents, "Attribute name state"; underscores
    are ours, no attribute has one.
    """
    return {_attribute_name(keyword): value for keyword, value in attributes.items()}


def attributes_html(values: Mapping[str, object]) -> str:
    """Return attributes as they stand in a start tag, each after a space: True is a bare name, False and None none."""
    return "".join(
        f" {name}" if value is True else f' {name}="{_escaped(value)}"'
        for name, value in values.items()
        if value is not None and value is not False
    )


def _attribute_name(keyword: str) -> str:
    name = keyword.rstrip("_").replace("_", "-")
    if not name or any(c <= " " or c in "\"'>/=<" or "\x7f" <= c <= "\x9f" for c in name):
        raise ValueError(f"`{keyword}` is not the name of an HTML attribute")
    return name.lower()


def _element(asset: Asset, given: Mapping[str, object]) -> str:
    match role(asset):
        case "module":
            values = {"type": "module", "src": asset.url, **checked(asset), **given}
            return f"<script{attributes_html(values)}></script>"
        case "classic":
            return f"<script{attributes_html({'src': asset.url, **checked(asset), **given})}></script>"
        case "style":
            return f"<link{attributes_html({'rel': 'stylesheet', 'href': asset.url, **checked(asset), **given})}>"
        case "manifest":
            return f"<link{attributes_html({'rel': 'manifest', 'href': asset.url, **given})}>"
        case "image":
            pixels = {"width": asset.width or None, "height": asset.height or None}
            return f"<img{attributes_html({'src': asset.url, **pixels, **given})}>"
    raise ValueError(f"`{asset.name}` ({essence(asset)}) has no tag of its own; write one with its URL")


def _escaped(value: object) -> str:
    """Return `value` for a double-quoted attribute (HTML, "Attribute value (double-quoted) state")."""
    if hasattr(value, "__html__"):
        return str(value.__html__()).replace('"', "&quot;")  # markup is escaped already, but may quote
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")

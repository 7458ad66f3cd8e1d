"""An asset as a page sees it, and the tag that loads it.

Receives values, hands on text that is safe to put into HTML. Reads nothing and knows no template engine: the text
carries `__html__`, by which Jinja, Django and MarkupSafe recognise markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assetbuild.manifest import AssetEntry, FileEntry, quote

__all__ = ["Asset", "Html", "asset_from", "attribute_name", "tag"]


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
    """Text that is HTML already: template engines do not escape it again."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text itself, the protocol of MarkupSafe and Django."""
        return str(self)


def asset_from(name: str, entry: AssetEntry, file: FileEntry, base: str) -> Asset:
    """Return the asset of a manifest's two entries.

    A `site_root` file is reached at its absolute path and a kept one under its own name; all others under the hash.
    """
    url = quote(entry.at) if entry.at else base + quote(name if entry.keep else entry.file)
    return Asset(
        name=name,
        url=url,
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
    given = {attribute_name(key): value for key, value in attributes.items()}
    shared = {"nonce": given["nonce"]} if "nonce" in given else {}
    before = "".join(f"{_element(sheet, shared)}\n" for sheet in stylesheets)
    return Html(before + _element(asset, given))


def attribute_name(keyword: str) -> str:
    """Return the attribute that a keyword argument means; raise `ValueError` if HTML has none of that form.

    Source: HTML, "Attributes" in the section on writing documents; underscores are ours, no attribute has one.
    """
    name = keyword.rstrip("_").replace("_", "-")
    if not name or any(c <= " " or c in "\"'>/=<" or "\x7f" <= c <= "\x9f" for c in name):
        raise ValueError(f"`{keyword}` is not the name of an HTML attribute")
    return name


def _element(asset: Asset, given: Mapping[str, object]) -> str:
    # A stable URL may already serve the next release while this page is open: its digest would block the new bytes.
    checked = {"integrity": asset.integrity, "crossorigin": "anonymous"} if asset.is_immutable else {}
    essence = asset.type.partition(";")[0].lower()
    if asset.kind == "module":
        return f"<script{_attributes({'type': 'module', 'src': asset.url, **checked, **given})}></script>"
    if asset.kind == "classic" or essence == "text/javascript":
        return f"<script{_attributes({'src': asset.url, **checked, **given})}></script>"
    if asset.kind == "style" or essence == "text/css":
        return f"<link{_attributes({'rel': 'stylesheet', 'href': asset.url, **checked, **given})}>"
    if essence == "application/manifest+json":
        return f"<link{_attributes({'rel': 'manifest', 'href': asset.url, **given})}>"
    if essence.startswith("image/"):
        pixels = {"width": asset.width or None, "height": asset.height or None}
        return f"<img{_attributes({'src': asset.url, **pixels, **given})}>"
    raise ValueError(f"`{asset.name}` ({essence}) has no tag of its own; write one with its URL")


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{_escaped(value)}"'
        for name, value in values.items()
        if value is not None and value is not False
    )


def _escaped(value: object) -> str:
    """Return `value` for a double-quoted attribute (HTML, "Attribute value (double-quoted) state")."""
    if hasattr(value, "__html__"):
        return str(value.__html__()).replace('"', "&quot;")  # markup is escaped already, but may quote
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")

"""Inline: the text of an asset as it may stand in a page, so that it means there what it means in its file.

Receives what the manifest says of an asset and the folder of its files; hands on elements. What cannot keep its meaning
in a page is refused with the reason: a relative reference would be looked for beside the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from assetbuild.diagnostic import AssetbuildError
from assetbuild.manifest import AssetEntry, FileEntry
from assetbuild.web.files import read_published
from assetbuild.web.html import Asset, Html, attributes_html, essence, named, role
from assetbuild.web.raw import css_text, json_text, script_text

__all__ = ["InlineError", "element", "inline_html", "inline_text", "refused"]


class InlineError(AssetbuildError):
    """An asset cannot stand in a page; the text gives the reason."""


def refused(name: str, reason: str, hint: str = "load it by its URL") -> InlineError:
    """Return the error that says why an asset cannot stand in a page."""
    return InlineError(f"`{name}` cannot be inlined: {reason}; {hint}")


def inline_html(asset: Asset, text: str, attributes: Mapping[str, object]) -> Html:
    """Return the element that holds `text`, which `inline_text` gave for the asset."""
    given = named(attributes)
    match role(asset):
        case "style":
            return element("style", given, text)
        case "classic":
            return element("script", given, text)
        case "module":
            return element("script", {"type": "module", **given}, text)
        case "json" | "manifest":
            return element("script", {"type": essence(asset), **given}, text)
    from assetbuild.web.svg import svg_rest  # imported late: start-up must not pay for an XML parser

    return Html(f"<svg{attributes_html(given)}{svg_rest(text, given)}")


def element(name: str, attributes: Mapping[str, object], text: str) -> Html:
    """Return an element whose `text` ends nowhere before its end tag, with the hash that a policy allows it by.

    Source: Content Security Policy 3, "Does element match source list for type and source?": the UTF-8 of all that
    stands between the tags.
    """
    from binascii import b2a_base64  # imported late: start-up must not pay for it

    digest = b2a_base64(hashlib.sha256(text.encode()).digest(), newline=False).decode()
    return Html(f"<{name}{attributes_html(attributes)}>{text}</{name}>", f"'sha256-{digest}'")


def inline_text(asset: Asset, entry: AssetEntry, file: FileEntry, folder: str) -> str:
    """Return the text that stands for an asset inside a page; raise `InlineError` if there is none."""
    written = _TEXTS.get("svg" if essence(asset) == "image/svg+xml" else role(asset))
    if written is None:
        raise refused(asset.name, f"{essence(asset)} has no form inside a page")
    for other in (*entry.imports, *entry.dynamic, *entry.css, *entry.refs):
        if other != entry.map:
            raise refused(asset.name, f"it refers to `{other}`, which would be looked for beside the page")
    body = _content(asset, file, folder)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(asset.name, "it is not UTF-8") from None
    # An HTML parser would make these changes, and the hash would be that of another text (HTML, "Preprocessing the
    # input stream"); CSS, JavaScript, JSON and XML read the same line ends, and no NUL.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if entry.map:
        # A compile names the map in the last line, and by a relative URL.
        text = text.rstrip("\n").rpartition("\n")[0]
    try:
        if "\0" in text:
            raise ValueError("it holds a NUL character")
        return written(text)
    except ValueError as error:
        raise refused(asset.name, str(error)) from None


def _svg_text(text: str) -> str:
    from assetbuild.web.svg import svg_text  # imported late, as above

    return svg_text(text)


_TEXTS: Mapping[str, Callable[[str], str]] = {
    "style": css_text,
    "classic": script_text,
    "module": script_text,
    "json": json_text,
    "manifest": json_text,
    "svg": _svg_text,
}


def _content(asset: Asset, file: FileEntry, folder: str) -> bytes:
    """Return the bytes of a published file, which are those that were compiled."""
    body = read_published(folder, asset.file, file.size)
    if hashlib.sha256(body).hexdigest() != file.sha256:
        reason = f"`{asset.file}` in `{folder}` was changed after it was compiled"
        raise refused(asset.name, reason, "copy the whole output of `assetbuild compile` again")
    return body

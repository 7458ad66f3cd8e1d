"""The import map of a page: specifiers to URLs, and the digest that each module must have.

Receives what the manifest says; hands on one element. The map comes before the first module of the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from assetbuild.web.html import Asset, Html, named
from assetbuild.web.inline import element
from assetbuild.web.raw import json_text

__all__ = ["importmap"]


def importmap(imports: Mapping[str, str], look_up: Callable[[str], Asset], attributes: Mapping[str, object]) -> Html:
    """Return the element for `imports`, specifier → logical path; nothing at all if it is empty.

    Source: HTML, "parse an import map string"; a module whose URL is stable has no digest in it.
    """
    if not imports:
        return Html()
    found = {specifier: look_up(logical) for specifier, logical in sorted(imports.items())}
    meant: dict[str, dict[str, str]] = {"imports": {specifier: asset.url for specifier, asset in found.items()}}
    digests = {asset.url: asset.integrity for asset in found.values() if asset.is_immutable}
    if digests:
        meant["integrity"] = digests
    text = json.dumps(meant, ensure_ascii=False, separators=(",", ":"))
    return element("script", {"type": "importmap", **named(attributes)}, json_text(text))

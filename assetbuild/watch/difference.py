"""Difference: what a new build means for a page that shows the one before.

Pure functions over two manifests, as JSON documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["Styles", "exchanged"]

Styles = Mapping[str, Mapping[str, str]]
"""Old path of a stylesheet, as a URL writes it → the `path` and `integrity` of the new one."""


def exchanged(old: Mapping[str, Any], new: Mapping[str, Any]) -> Styles | None:
    """Return the stylesheets to exchange, None if a page has to be loaded anew because more than those changed.

    What was added is no reason: no page shows it yet.
    """
    if _frame(old) != _frame(new):
        return None
    maps = {asset.get("map") for document in (old, new) for asset in document["assets"].values()}
    styles: dict[str, Mapping[str, str]] = {}
    for logical, before in old["assets"].items():
        after = new["assets"].get(logical)
        # A map is read by a debugger alone, which finds it through the file that it belongs to.
        if logical in maps or (after is not None and after["file"] == before["file"]):
            continue
        # Under a name of its own the new bytes have the old URL, which a browser would not ask for again.
        if after is None or after.get("keep") or after.get("at"):
            return None
        if not (_is_style(old, before) and _is_style(new, after)):
            return None
        integrity = new["files"][after["file"]].get("integrity", "")
        styles[quote(before["file"])] = {"path": quote(after["file"]), "integrity": integrity}
    return styles


def _frame(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a manifest says beside its assets, files and build."""
    return {name: value for name, value in document.items() if name not in ("assets", "files", "build")}


def _is_style(document: Mapping[str, Any], asset: Mapping[str, Any]) -> bool:
    media_type: str = document["files"][asset["file"]]["type"]
    return media_type.partition(";")[0] == "text/css"

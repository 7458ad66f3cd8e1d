"""Mounted: the assets as a page sees them whose application lies below a path that only the request knows.

Receives assets and that path (WSGI's SCRIPT_NAME, ASGI's root_path); hands on what `Assets` does, with the path before
the base. URLs with a host stay as they are, and so do those of `site_root` files, which have one place on the site.
"""

from __future__ import annotations

from assetbuild.web.assets import Assets
from assetbuild.web.html import Asset, Html, tag
from assetbuild.web.importmap import importmap
from assetbuild.web.place import has_host
from assetbuild.web.preload import link_elements, links_of

__all__ = ["Mounted"]


class Mounted:
    """Assets below `prefix`, for one call."""

    __slots__ = ("_assets", "_prefix")

    def __init__(self, assets: Assets, prefix: str) -> None:
        self._assets = assets
        self._prefix = prefix.rstrip("/")

    def __getitem__(self, name: str) -> Asset:
        asset = self._assets[name]
        if has_host(asset.url) or (not asset.is_immutable and self._is_at_root(name)):
            return asset
        return asset._replace(url=self._prefix + asset.url)

    @property
    def base(self) -> str:
        """The URL that published paths follow."""
        base = self._assets.base
        return base if has_host(base) else self._prefix + base

    def url(self, name: str) -> str:
        """Return the URL of a logical path."""
        return self[name].url

    def tag(self, name: str, /, **attributes: object) -> Html:
        """Return the HTML that loads an asset."""
        asset = self[name]
        return tag(asset, attributes, [self[sheet] for sheet in asset.css])

    def preload(self, name: str, /, **attributes: object) -> Html:
        """Return the link elements that load an asset early."""
        return link_elements(links_of(self[name], self.__getitem__), attributes)

    def importmap(self, **attributes: object) -> Html:
        """Return the import map of the manifest."""
        return importmap(self._assets.manifest.importmap, self.__getitem__, attributes)

    def _is_at_root(self, name: str) -> bool:
        entry = self._assets.manifest.asset(name)
        return entry is not None and bool(entry.at)

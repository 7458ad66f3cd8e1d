"""Assets: the manifest as an application uses it: names in, URLs and HTML out.

Receives a manifest that has vouched for itself; hands on values. It reads the environment once, at open, and writes
nothing ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Self

from assetbuild.manifest import MANIFEST_NAME, Manifest
from assetbuild.web.edition import Edition, checked_base
from assetbuild.web.html import Asset, Html, attributes_html, named, tag
from assetbuild.web.importmap import importmap
from assetbuild.web.inline import inline_html
from assetbuild.web.preload import link_elements, link_value, links_of
from assetbuild.web.reload import Reloading

__all__ = ["DEFAULT_MANIFEST", "Assets", "chosen_base", "is_told_to_reload"]

DEFAULT_MANIFEST = f"build/assets/{MANIFEST_NAME}"

COMPILING = "ASSETBUILD_COMPILING"
"""Set by a compile in the worker that asks an application for its bundles: what it makes is not there to be opened."""

_INLINE_LIMIT_BYTES = 16 * 1024


class Assets:
    """The assets of one manifest under one URL base: a read-only value, safe in threads, across fork and in pickles.

    Iterates over the logical paths, in the order of their bytes. Where it was opened with `reload=True`, every question
    is answered from the build that lies there at that moment, and raises `ManifestError` while there is none.
    """

    __slots__ = ("_source",)

    _source: Edition | Reloading

    def __init__(self, manifest: Manifest, base: str | None = None) -> None:
        self._source = Edition(manifest, base)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        base: str | None = None,
        verify: bool = True,
        reload: bool | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Self:
        """Return the assets of a manifest; raise `ManifestError`, in one sentence, for anything it cannot vouch for.

        path: else ASSETBUILD_MANIFEST, else `build/assets/manifest.json`. base: else ASSETBUILD_BASE, else as compiled.
        verify: check the manifest against its own digest; False where something else vouches for the bytes.
        reload: for development: follow the builds that replace this one, at the cost of one `stat` for each question;
        None for what ASSETBUILD_RELOAD says, which `assetbuild watch` sets for the command that it starts.
        """
        reload = is_told_to_reload(environ) if reload is None else reload
        file = os.fspath(path) if path is not None else environ.get("ASSETBUILD_MANIFEST") or DEFAULT_MANIFEST
        chosen = chosen_base(base, environ)
        if environ.get(COMPILING):
            from assetbuild.web.stub import StubEdition, StubManifest

            return cls._of(StubEdition(StubManifest(), chosen, reload))
        if not reload:
            return cls(Manifest.open(file, verify=verify), chosen)
        source = Reloading(file, chosen, verify, environ.get("ASSETBUILD_LIVE", ""))
        source.now()  # a process that cannot begin does not
        return cls._of(source)

    @classmethod
    def _of(cls, source: Edition | Reloading) -> Self:
        assets = cls.__new__(cls)
        assets._source = source
        return assets

    @property
    def base(self) -> str:
        """The URL that published paths follow."""
        return self._source.now().base

    @property
    def build_id(self) -> str:
        """`sha256:` and the digest that identifies the build; changes if any byte of any asset does."""
        return self._source.now().manifest.build_id

    @property
    def manifest(self) -> Manifest:
        """The manifest in force. With `reload=True` it is another object after another build."""
        return self._source.now().manifest

    @property
    def folder(self) -> str:
        """The folder in which the published paths lie; "" for a manifest that was not read from a file."""
        return self._source.now().manifest.folder

    @property
    def is_reloading(self) -> bool:
        """Whether a later build replaces this one, so that nothing may be kept of an answer."""
        return self._source.is_reloading

    def at(self, base: str) -> Self:
        """Return the same assets under another base."""
        return self._of(self._source.at(base))

    def url(self, name: str) -> str:
        """Return the URL of a logical path; raise `AssetNotFound`, which names the near miss."""
        return self._source.now().url(name)

    def tag(self, name: str, /, **attributes: object) -> Html:
        """Return the HTML that loads an asset: script, stylesheet link, image or web app manifest.

        attributes: pass through, escaped; `class_` is `class`, True a bare name, False and None nothing. A module
        brings the stylesheets that it imports. Raises `AssetNotFound`, or `ValueError` for a type without a tag.
        """
        edition = self._source.now()
        asset = edition.asset(name)
        return tag(asset, attributes, [edition.asset(sheet) for sheet in asset.css])

    def preload(self, name: str, /, **attributes: object) -> Html:
        """Return link elements that let a browser begin to load an asset: of a module all that it imports at once, too.

        attributes: as for `tag`, for each of the elements. Raises `AssetNotFound`, or `ValueError` for a type that no
        page preloads.
        """
        edition = self._source.now()
        return link_elements(links_of(edition.asset(name), edition.asset), attributes)

    def links(self, *names: str) -> tuple[str, ...]:
        """Return values of `Link` header fields that ask for what `preload` asks for, each URL once."""
        edition = self._source.now()
        values = (link_value(link) for name in names for link in links_of(edition.asset(name), edition.asset))
        return tuple(dict.fromkeys(values))

    def importmap(self, **attributes: object) -> Html:
        """Return the import map as a script element, before any module of the page; "" if the build has none."""
        edition = self._source.now()
        return importmap(edition.manifest.importmap, edition.asset, attributes)

    def inline(self, name: str, /, *, limit_bytes: int = _INLINE_LIMIT_BYTES, **attributes: object) -> Html:
        """Return the asset itself as a style, script or svg element, read at first use from `folder` and kept.

        limit_bytes: of the file; a larger one is better loaded, because a browser keeps it. Raises `AssetNotFound`,
        `InlineError` for what is too large or refers to other files, and `FileFault` if its file cannot be read.
        """
        edition = self._source.now()
        return inline_html(edition.asset(name), edition.text(name, limit_bytes), attributes)

    def live(self, **attributes: object) -> Html:
        """Return the script by which a page follows `assetbuild watch`; "" unless that started this process.

        attributes: as for `tag`.
        """
        url = self._source.live_url
        return Html(
            f"<script{attributes_html({'async': True, 'src': url, **named(attributes)})}></script>" if url else ""
        )

    def health(self) -> dict[str, str]:
        """Return what a health check may show: that there is a build, and which. It asks no file but with reload."""
        return {"status": "ok", "build": self.build_id}

    def __getitem__(self, name: str) -> Asset:
        return self._source.now().asset(name)

    def __contains__(self, name: object) -> bool:
        return name in self._source.now()

    def __iter__(self) -> Iterator[str]:
        return self._source.now().manifest.assets()

    def __repr__(self) -> str:
        edition = self._source.now()
        return f"<Assets {edition.manifest.file} {edition.manifest.build_id} at {edition.base}>"

    def __reduce__(self) -> tuple[Callable[..., Assets], tuple[Edition | Reloading]]:
        return type(self)._of, (self._source,)


def is_told_to_reload(environ: Mapping[str, str]) -> bool:
    """Return whether ASSETBUILD_RELOAD says `1`, as `assetbuild watch` does."""
    return environ.get("ASSETBUILD_RELOAD") == "1"


def chosen_base(base: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the base that a caller or else ASSETBUILD_BASE names, None for that of the manifest."""
    told = environ.get("ASSETBUILD_BASE")
    return checked_base(told, "ASSETBUILD_BASE") if told and base is None else base

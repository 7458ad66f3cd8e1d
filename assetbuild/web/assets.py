"""Assets: the manifest as an application uses it: names in, URLs and tags out.

Receives a manifest that has vouched for itself; hands on values. It reads the environment once, at open, and writes
nothing ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from assetbuild.diagnostic import nearest
from assetbuild.manifest import MANIFEST_NAME, AssetNotFound, Manifest, ManifestError, is_base
from assetbuild.web.html import Asset, Html, asset_from, tag

__all__ = ["DEFAULT_MANIFEST", "Assets"]

DEFAULT_MANIFEST = f"build/assets/{MANIFEST_NAME}"

# difflib looks at every name; beyond this many only those in the same folder or of the same file name are asked.
_NEAR_LIMIT = 500


class Assets:
    """The assets of one manifest under one URL base: a read-only value, safe in threads, across fork and in pickles.

    Iterates over the logical paths, in the order of their bytes.
    """

    __slots__ = ("_base", "_known", "_manifest")

    def __init__(self, manifest: Manifest, base: str | None = None) -> None:
        self._manifest = manifest
        self._base = manifest.base if base is None else base
        self._known: dict[str, Asset] = {}  # filled on first use; two threads may look the same name up, and agree
        if not is_base(self._base):
            better = (
                f"write `{self._base}/`" if is_base(f"{self._base}/") else "write `/static/` or `https://host/path/`"
            )
            raise ManifestError(f"`{self._base}` is not a URL base that begins and ends with a slash; {better}")

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        base: str | None = None,
        verify: bool = True,
        environ: Mapping[str, str] = os.environ,
    ) -> Assets:
        """Return the assets of a manifest; raise `ManifestError`, in one sentence, for anything it cannot vouch for.

        path: else ASSETBUILD_MANIFEST, else `build/assets/manifest.json`. base: else ASSETBUILD_BASE, else as compiled.
        verify: check the manifest against its own digest; False where something else vouches for the bytes.
        """
        file = os.fspath(path) if path is not None else environ.get("ASSETBUILD_MANIFEST") or DEFAULT_MANIFEST
        chosen = base if base is not None else environ.get("ASSETBUILD_BASE") or None
        return cls(Manifest.open(file, verify=verify), chosen)

    @property
    def base(self) -> str:
        """The URL that published paths follow."""
        return self._base

    @property
    def build_id(self) -> str:
        """`sha256:` and the digest that identifies the build; changes if any byte of any asset does."""
        return self._manifest.build_id

    @property
    def manifest(self) -> Manifest:
        """The manifest itself."""
        return self._manifest

    def url(self, name: str) -> str:
        """Return the URL of a logical path; raise `AssetNotFound`, which names the near miss."""
        return self[name].url

    def tag(self, name: str, /, **attributes: object) -> Html:
        """Return the HTML that loads an asset: script, stylesheet link, image or web app manifest.

        attributes: pass through, escaped; `class_` is `class`, True a bare name, False and None nothing. A module
        brings the stylesheets that it imports. Raises `AssetNotFound`, or `ValueError` for a type without a tag.
        """
        asset = self[name]
        return tag(asset, attributes, [self[sheet] for sheet in asset.css])

    def __getitem__(self, name: str) -> Asset:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._look_up(name)
        return known

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._manifest.asset(name) is not None

    def __iter__(self) -> Iterator[str]:
        return self._manifest.assets()

    def __repr__(self) -> str:
        return f"<Assets {self._manifest.file} {self.build_id} at {self._base}>"

    def __reduce__(self) -> tuple[Callable[..., Assets], tuple[Manifest, str]]:
        return Assets, (self._manifest, self._base)

    def _look_up(self, name: str) -> Asset:
        if not isinstance(name, str):
            raise TypeError(f"an asset is named by its logical path, not by `{type(name).__name__}`")
        entry = self._manifest.asset(name)
        if entry is None:
            self._refuse(name)
        file = self._manifest.published(entry.file)
        if file is None:
            raise ManifestError(f"`{self._manifest.file}` names the file `{entry.file}` and says nothing of it")
        # str: a name that is markup must not make the URL markup.
        return asset_from(str(name), entry, file, self._base)

    def _refuse(self, name: str) -> NoReturn:
        plain = name.partition("?")[0].partition("#")[0].removeprefix(self._base).lstrip("/")
        if plain != name and plain in self:
            raise AssetNotFound(
                f"`{name}` is not in the manifest; a logical path has no base, query or fragment: write `{plain}`"
            )
        names = list(self)
        if len(names) > _NEAR_LIMIT:
            folder, _, file = name.rpartition("/")
            names = [n for n in names if n.rpartition("/")[0] == folder or n.rpartition("/")[2] == file]
        meant = nearest(name, names)
        raise AssetNotFound(f"`{name}` is not in the manifest" + (f"; did you mean `{meant}`?" if meant else ""))

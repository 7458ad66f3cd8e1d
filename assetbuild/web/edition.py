"""Edition: one manifest under one base, and what has been looked up in it.

Receives a manifest that has vouched for itself; hands on assets by name. A look-up is kept, so that a name costs its
search once; two threads may look the same name up, and agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from assetbuild.diagnostic import nearest
from assetbuild.manifest import AssetEntry, AssetNotFound, FileEntry, Manifest, ManifestError, is_base
from assetbuild.manifest.names import nearest_base
from assetbuild.web.html import Asset, asset_from, url_of
from assetbuild.web.inline import inline_text, refused

__all__ = ["Edition", "checked_base"]

# difflib looks at every name; beyond this many only those in the same folder or of the same file name are asked.
_NEAR_LIMIT = 500


class Edition:
    """The assets of one manifest under one URL base. Raises `ManifestError` for what cannot be a base."""

    __slots__ = ("_known", "_texts", "_urls", "base", "manifest")

    is_reloading: bool = False
    live_url: str = ""

    def __init__(self, manifest: Manifest, base: str | None = None) -> None:
        self.manifest = manifest
        self.base = manifest.base if base is None else base
        self._known: dict[str, Asset] = {}
        self._texts: dict[str, str] = {}
        self._urls: dict[str, str] = {}
        checked_base(self.base)

    def now(self) -> Edition:
        """Return the edition itself: it never changes."""
        return self

    def at(self, base: str) -> Edition:
        """Return the same manifest under another base."""
        return Edition(self.manifest, base)

    def url(self, name: str) -> str:
        """Return the URL of a logical path, which takes one line of the manifest; an asset takes two."""
        known = self._urls.get(name)
        if known is None:
            # str: a name that is markup must not make the URL markup.
            known = self._urls[name] = url_of(str(name), self.entry(name), self.base)
        return known

    def asset(self, name: str) -> Asset:
        """Return the asset of a logical path; raise `AssetNotFound`, which names the near miss."""
        known = self._known.get(name)
        if known is None:
            entry = self.entry(name)
            known = self._known[name] = asset_from(str(name), entry, self._file_of(entry), self.base)
        return known

    def entry(self, name: str) -> AssetEntry:
        """Return what the manifest says of a logical path; raise `AssetNotFound`."""
        if not isinstance(name, str):
            raise TypeError(f"an asset is named by its logical path, not by `{type(name).__name__}`")
        entry = self.manifest.asset(name)
        if entry is None:
            self._refuse(name)
        return entry

    def text(self, name: str, limit_bytes: int) -> str:
        """Return an asset as `inline_text` gives it; raise `InlineError` if its file is larger than `limit_bytes`."""
        asset = self.asset(name)
        if asset.size > limit_bytes:
            raise refused(asset.name, f"its {asset.size} bytes are more than `limit_bytes={limit_bytes}`")
        text = self._texts.get(name)
        if text is None:
            entry = self.entry(name)
            text = self._texts[name] = inline_text(asset, entry, self._file_of(entry), self.manifest.folder)
        return text

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.manifest.asset(name) is not None

    def __reduce__(self) -> tuple[Callable[..., Edition], tuple[Any, ...]]:
        return Edition, (self.manifest, self.base)

    def _file_of(self, entry: AssetEntry) -> FileEntry:
        file = self.manifest.published(entry.file)
        if file is None:
            raise ManifestError(f"`{self.manifest.file}` names the file `{entry.file}` and says nothing of it")
        return file

    def _refuse(self, name: str) -> NoReturn:
        if not name:
            raise AssetNotFound("the name of the asset is empty")
        absent = f"`{name}` {self.manifest.ABSENT}"
        plain = name.partition("?")[0].partition("#")[0].removeprefix(self.base).lstrip("/")
        if plain != name and plain in self:
            raise AssetNotFound(f"{absent}; a logical path has no base, query or fragment: write `{plain}`")
        for logical in self.manifest.names_of(plain):
            hint = f"that is a published path, which changes with each build: write `{logical}`"
            raise AssetNotFound(f"{absent}; {hint}")
        names = list(self.manifest.assets())
        if len(names) > _NEAR_LIMIT:
            folder, _, file = name.rpartition("/")
            names = [n for n in names if n.rpartition("/")[0] == folder or n.rpartition("/")[2] == file]
        meant = nearest(name, names)
        raise AssetNotFound(absent + (f"; did you mean `{meant}`?" if meant else ""))


def checked_base(base: str, setting: str = "") -> str:
    """Return `base`; raise `ManifestError` for what cannot be one. setting: where a user gave it, if that is known."""
    if is_base(base):
        return base
    near = nearest_base(base)
    better = f"write `{near}`" if near else "write `/static/` or `https://host/path/`"
    place = f" of `{setting}`" if setting else ""
    raise ManifestError(f"`{base}`{place} is not a URL base that begins and ends with a slash; {better}")

"""A manifest that was never compiled, for tests: every name stands for a file of that name below the base.

Receives a base; hands on a `Manifest` like any other, so that `Assets`, templates and adaptors need not know. It reads
nothing: no file, no environment. Never for a process that serves people: a name that is not there would be a broken
page instead of an error at start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from assetbuild.manifest import AssetEntry, Bundle, FileEntry, Manifest, is_path
from assetbuild.web.assets import Assets
from assetbuild.web.edition import Edition
from assetbuild.web.html import essence
from assetbuild.web.inline import refused

__all__ = ["STUB_BASE", "STUB_ID", "StubEdition", "StubManifest", "stub_assets"]

STUB_BASE = "/static/"
"""The base of an application that names none; the same that a compile takes."""

STUB_ID = "sha256:" + "0" * 64
"""What stands for a build's id: no manifest has it, since an id is a digest of a text that holds it."""

# What a tag, a preload or an inlined text is decided by; the types of all other files are for servers.
_TYPES = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".otf": "font/otf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
# The least that each can hold where it is inlined.
_TEXTS = {
    "application/json": "null",
    "application/manifest+json": "{}",
    "image/svg+xml": "<svg></svg>",
    "text/css": "",
    "text/javascript": "",
}
_KINDS = {".css": "style", ".mjs": "module"}
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_EMPTY_INTEGRITY = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"


class StubManifest(Manifest):
    """A manifest in which every logical path and every bundle is found; it lists none, as nobody knows them.

    An asset keeps its own name, so that its URL is the base and the name, and its tag has no `integrity`. A `.js` is a
    plain script. A bundle is one asset that bears the bundle's name.
    """

    __slots__ = ()

    ABSENT = "is no logical path"

    def __init__(self, base: str = STUB_BASE, build_id: str = STUB_ID) -> None:
        self.file = "stub"
        self.folder = ""
        self.base = base
        self.build = MappingProxyType({"id": build_id, "tools": {}, "config": build_id, "inputs": build_id, "salt": ""})
        self.build_id = build_id
        self.bundles = _EveryBundle()
        self.importmap = {}

    def asset(self, logical: str) -> AssetEntry | None:
        """Return the entry of any text that can be a logical path."""
        if not is_path(logical):
            return None
        return AssetEntry(logical, _KINDS.get(_suffix(logical), ""), keep=True)

    def published(self, path: str) -> FileEntry | None:
        """Return an entry with the type that the extension asks for, of a file without a byte."""
        if not is_path(path):
            return None
        media_type = _TYPES.get(_suffix(path), "application/octet-stream")
        return FileEntry(media_type, 0, _EMPTY_SHA256, _EMPTY_INTEGRITY, {}, keep=True)

    def assets(self) -> Iterator[str]:
        """Yield nothing."""
        return iter(())

    def files(self) -> Iterator[str]:
        """Yield nothing."""
        return iter(())

    def names_of(self, path: str) -> Iterator[str]:  # noqa: ARG002
        """Yield nothing: no path is a hashed one."""
        return iter(())

    def site_paths(self) -> Mapping[str, str]:
        """Return nothing: no file is known to have a place of its own."""
        return {}

    def __reduce__(self) -> tuple[Callable[..., Manifest], tuple[str, ...]]:  # type: ignore[override]
        return StubManifest, (self.base, self.build_id)


def stub_assets(manifest: StubManifest, base: str | None = None) -> Assets:
    """Return the assets of a stub, which can be inlined although there are no files. base: else that of the stub."""
    return Assets._of(StubEdition(manifest, base))


class StubEdition(Edition):
    """Answers from a stub, and makes up what only a file could tell. is_reloading: what it was opened as."""

    __slots__ = ("is_reloading",)

    def __init__(self, manifest: Manifest, base: str | None, is_reloading: bool = False) -> None:
        super().__init__(manifest, base)
        self.is_reloading = is_reloading

    def at(self, base: str) -> Edition:
        """Return the same stub under another base."""
        return StubEdition(self.manifest, base, self.is_reloading)

    def text(self, name: str, limit_bytes: int) -> str:  # noqa: ARG002
        """Return the least that an asset of that type can hold; raise `InlineError` if a page can hold none."""
        media_type = essence(self.asset(name))
        if media_type not in _TEXTS:
            raise refused(name, f"{media_type} has no form inside a page")
        return _TEXTS[media_type]

    def __reduce__(self) -> tuple[Callable[..., Edition], tuple[Any, ...]]:
        return StubEdition, (self.manifest, self.base, self.is_reloading)


class _EveryBundle(Mapping[str, Bundle]):
    """Bundles of every name: each is the one asset that is called as it is."""

    def __getitem__(self, name: str) -> Bundle:
        return Bundle((name,), {})

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()

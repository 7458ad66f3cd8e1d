"""What the site has at a path: a resource and its variants, as values made from the manifest's entries alone.

Receives a manifest and a name; hands on what a client may choose from. Reads no file.
"""

from __future__ import annotations

from typing import NamedTuple

from assetbuild.manifest import SUFFIXES, AssetEntry, FileEntry, Manifest, ManifestError

__all__ = ["NOWHERE", "Resource", "Variant", "hashed", "stable"]

_IMMUTABLE = "public, max-age=31536000, immutable"  # RFC 8246 §2; a year is what RFC 2616 §14.21 called never
_STABLE = "no-cache"  # stored, and asked for again each time (RFC 9111 §5.2.2.4)


class Variant(NamedTuple):
    """One form in which a resource can be sent.

    coding: content coding, "" for identity. path: of its file below the output folder. etag: strong, with its quotes.
    sha256: hex digest of the bytes, "" for a variant, of which the manifest knows the size only.
    """

    coding: str
    path: str
    size_bytes: int
    etag: str
    sha256: str


class Resource(NamedTuple):
    """What the site has at a path. variants: smallest first, identity among them."""

    type: str
    cache_control: str
    variants: tuple[Variant, ...]


NOWHERE = Resource("", "", ())
"""What the site has at a path that is its own and that the manifest does not name."""


def hashed(manifest: Manifest, path: str) -> Resource | None:
    """Return what the manifest has at a published path, or at the logical path of a file that keeps its own name."""
    entry = manifest.published(path)
    if entry is not None:
        return _resource(path, entry, _IMMUTABLE)
    asset = manifest.asset(path)
    return stable(manifest, asset) if asset is not None and asset.keep else None


def stable(manifest: Manifest, asset: AssetEntry) -> Resource:
    """Return an asset as it answers under its own name, where a release may put other bytes."""
    entry = manifest.published(asset.file)
    if entry is None:
        raise ManifestError(f"`{manifest.file}` names the file `{asset.file}` and says nothing of it")
    return _resource(asset.file, entry, _STABLE)


def _resource(path: str, entry: FileEntry, cache_control: str) -> Resource:
    # A strong validator differs between codings (RFC 9110 §8.8.1), and between what two encoders make, which the size
    # tells as far as the manifest can; 80 bits of sha256 tell files apart.
    short = entry.sha256[:20]
    variants = [Variant("", path, entry.size, f'"{short}"', entry.sha256)]
    variants += [
        Variant(coding, path + SUFFIXES[coding], size, f'"{short}-{coding}-{size}"', "")
        for coding, size in entry.enc.items()
    ]
    return Resource(entry.type, cache_control, tuple(sorted(variants, key=lambda variant: variant.size_bytes)))

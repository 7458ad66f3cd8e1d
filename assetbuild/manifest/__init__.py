"""The door: `manifest.json`, the one thing that the build half hands to the half that serves.

The rooms, low to high: `names` (paths, bases, hash names), `shape` (the table of fields), `text` (canonical bytes),
`reader` (look-up). Together they import no more than `json`, `os`, `mmap` and `hashlib`. docs/reference/manifest.md is
the prose, manifest.schema.json the same for other languages.
"""

from __future__ import annotations

from assetbuild.diagnostic import AssetbuildError
from assetbuild.manifest.names import SUFFIXES, hash_name, is_base, is_path, name_of_digest, quote
from assetbuild.manifest.reader import MANIFEST_NAME, AssetEntry, Bundle, FileEntry, Manifest
from assetbuild.manifest.shape import VERSION, Mapped
from assetbuild.manifest.text import ManifestError, build_id, check, dump

__all__ = [
    "MANIFEST_NAME",
    "SUFFIXES",
    "VERSION",
    "AssetEntry",
    "AssetNotFound",
    "Bundle",
    "FileEntry",
    "Manifest",
    "ManifestError",
    "Mapped",
    "build_id",
    "check",
    "dump",
    "hash_name",
    "is_base",
    "is_path",
    "name_of_digest",
    "quote",
]


class AssetNotFound(AssetbuildError, LookupError):
    """A name is not in the manifest; the text gives the near miss."""

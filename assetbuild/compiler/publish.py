"""Publish: the ordered walk to the disk. Files, then variants, then one sync, then the manifest: the commit point.

Receives assets and variants with their bytes; writes through `disk` alone. Before the manifest is renamed into
place the output serves the old build, after it the new one. Plain copies of kept files come last, outside that promise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from assetbuild.compiler.errors import PublishError, SourceChanged
from assetbuild.compiler.model import Asset, Blob, Variant
from assetbuild.disk import Disk
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES

__all__ = ["HIDDEN_SUFFIX", "Published", "publish"]

HIDDEN_SUFFIX = "-maps"
"""What follows the output's name in the name of the folder of hidden maps: no server of the output can serve it."""


class Published(NamedTuple):
    """What one publish did. written: new or repaired files; kept: files whose bytes stood there already."""

    written: int
    kept: int
    written_bytes: int


def publish(
    assets: Sequence[Asset],
    variants: Sequence[Variant],
    manifest: bytes,
    output: str,
    disk: Disk,
    *,
    hidden: Mapping[str, bytes] = MappingProxyType({}),
) -> Published:
    """Write everything and return what was done; raise `PublishError` in one sentence.

    hidden: source maps by their path in the folder beside the output; they are neither listed nor counted.

    If this returns, the new build is complete and durable. If it raises, the output holds the old build or the new
    one, complete. Never removes a file that it did not make in this run, but for temporary files of dead writers.
    """
    try:
        disk.make_folder(output)
        with disk.lock(output):
            disk.sweep(output)
            _hide(hidden, output, disk)
            return _publish(assets, variants, manifest, output, disk)
    except OSError as error:
        reason = error.strerror or str(error)
        where = os.fsdecode(error.filename) if error.filename else output
        raise PublishError(f"cannot publish: {where}: {reason}; mend that and run the command again") from error


def _publish(
    assets: Sequence[Asset], variants: Sequence[Variant], manifest: bytes, output: str, disk: Disk
) -> Published:
    written = kept = written_bytes = 0

    def put(path: str, body: bytes | Blob) -> None:
        nonlocal written, kept, written_bytes
        if isinstance(body, Blob) and body.body is not None:
            body = body.body
        is_new = disk.write(output, path, body) if isinstance(body, bytes) else _copy(body, output, path, disk)
        written, kept = written + is_new, kept + (not is_new)
        written_bytes += is_new * (len(body) if isinstance(body, bytes) else body.size)

    by_path = {asset.path: asset for asset in assets}
    for path in sorted(by_path):
        put(path, by_path[path].body)
    for variant in variants:
        put(variant.path + SUFFIXES[variant.coding], variant.body)
    disk.sync(output)  # every file must be on the disk before the name that vouches for it
    is_new = disk.commit(output, MANIFEST_NAME, manifest)
    written, kept, written_bytes = written + is_new, kept + (not is_new), written_bytes + is_new * len(manifest)
    for asset in assets:
        if asset.stable is not None:
            put(asset.logical, asset.body)
    return Published(written, kept, written_bytes)


def _hide(hidden: Mapping[str, bytes], output: str, disk: Disk) -> None:
    if hidden:
        folder = output + HIDDEN_SUFFIX
        disk.make_folder(folder)
        disk.sweep(folder)
        for path in sorted(hidden):
            disk.write(folder, path, hidden[path])
        disk.sync(folder)


def _copy(blob: Blob, output: str, path: str, disk: Disk) -> bool:
    is_new, digest_hex = disk.copy(blob.file, output, path, blob.size, blob.sha256_hex)
    if digest_hex != blob.sha256_hex:
        raise SourceChanged(blob.file)
    return is_new

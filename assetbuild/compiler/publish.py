"""Publish: the walk to the disk. `exchange` has the order, and the commit point; this room has the bytes.

Receives assets and variants with their bytes; writes through `disk` alone. Plain copies of kept files come last,
outside the promise that the output holds one build or the other.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from assetbuild.compiler.errors import PublishError, SourceChanged
from assetbuild.compiler.model import Asset, Blob, Variant
from assetbuild.diagnostic import reason_of
from assetbuild.disk import TEMP_MARK, Disk
from assetbuild.exchange import Parts, exchange
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES
from assetbuild.manifest.names import HIDDEN_SUFFIX

__all__ = ["HIDDEN_SUFFIX", "Published", "publish"]


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
    """Write everything and return what was done; raise `PublishError`.

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
        where = os.fsdecode(error.filename) if error.filename else output
        if os.path.basename(where).startswith(TEMP_MARK):
            where = os.path.dirname(where)
        raise PublishError(f"`{where}` cannot be written: {reason_of(error)}", _advice(error)) from error


def _advice(error: OSError) -> str:
    """Return the one thing to do about what the system refused."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "let this user write there, or choose another folder with `--output`"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "make room there, and run the command again: the output still serves what it held"
    if error.errno in {errno.EEXIST, errno.ENOTDIR, errno.ELOOP}:
        return "a folder has to be there: take away what is, or choose another with `--output`"
    return "mend that, and run the command again"


def _publish(
    assets: Sequence[Asset], variants: Sequence[Variant], manifest: bytes, output: str, disk: Disk
) -> Published:
    files = {asset.path: asset.body for asset in sorted(assets, key=lambda asset: asset.path)}
    compressed = {variant.path + SUFFIXES[variant.coding]: variant.body for variant in variants}
    stable = {asset.logical: asset.body for asset in assets if asset.stable is not None}

    def put(path: str, body: bytes | Blob) -> bool:
        if isinstance(body, Blob) and body.body is not None:
            body = body.body
        return disk.write(output, path, body) if isinstance(body, bytes) else _copy(body, output, path, disk)

    def expected(path: str) -> tuple[int, str]:
        return len(compressed[path]), hashlib.sha256(compressed[path]).hexdigest()

    bodies = {**files, **compressed, MANIFEST_NAME: manifest}
    parts = Parts(files, compressed, lambda path: put(path, bodies[path]), expected)
    written: list[bytes | Blob] = [bodies[path] for path in exchange(output, manifest, parts, disk)]
    written += [body for logical, body in stable.items() if put(logical, body)]
    size_bytes = sum(len(body) if isinstance(body, bytes) else body.size for body in written)
    return Published(len(written), len(bodies) + len(stable) - len(written), size_bytes)


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

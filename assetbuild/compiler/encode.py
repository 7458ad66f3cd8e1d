"""Encode: the compressed variants of each file, and the one rule for which of them is kept.

Receives assets that have names; hands on variants, sorted. Bytes are fixed by content, coding and level: no clock, no
name (RFC 1952 MTIME 0, OS 255), no dependence on what happens to be installed. The encoders release the interpreter
lock, so threads are enough; the largest file goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from assetbuild.compiler import pool
from assetbuild.compiler.cache import Cache
from assetbuild.compiler.errors import EngineUnavailable, SourceChanged
from assetbuild.compiler.media import is_compressible
from assetbuild.compiler.model import Asset, Blob, Variant
from assetbuild.compiler.project import Compress, Profile
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import Disk

__all__ = ["Encoded", "Encoder", "encode", "encoders", "is_kept", "work_of"]


class Encoder(NamedTuple):
    """One coding at one level. tool, version: what the manifest records."""

    coding: str
    apply: Callable[[bytes], bytes]
    tool: str
    version: str
    level: int


class Encoded(NamedTuple):
    """variants: those that gain. runs: how many times an encoder was called."""

    variants: tuple[Variant, ...]
    runs: int


# Levels by profile. libdeflate 12, brotli 11 and zstd 19 are the best that each has to give below a few megabytes;
# the fast profile costs a twentieth of the time for 5 to 15 % more bytes.
_LEVELS: dict[Profile, dict[str, int]] = {
    "production": {"gzip": 12, "br": 11, "zstd": 19},
    "fast": {"gzip": 6, "br": 5, "zstd": 3},
}


def encoders(compress: Compress, profile: Profile) -> tuple[Encoder, ...]:
    """Return the encoders that the configuration asks for; raise `EngineUnavailable` if a package is missing."""
    levels = _LEVELS[profile]
    makers = {"gzip": _gzip, "br": _brotli, "zstd": _zstd}
    wanted = [coding for coding in makers if getattr(compress, coding)]
    try:
        return tuple(makers[coding](levels[coding]) for coding in wanted)
    except ImportError as error:
        message = f"compiling needs the extra `compile`: its package `{error.name}` is not installed"
        hint = "pip install 'assetbuild[compile]'"
        raise EngineUnavailable([Diagnostic("missing-extra", "error", message, hint=hint)]) from None


def is_kept(size: int, encoded_size: int, min_gain: float) -> bool:
    """Return whether a variant of `encoded_size` bytes is worth a file beside the original of `size` bytes."""
    return encoded_size <= size * (1 - min_gain)


def work_of(assets: Sequence[Asset], chosen: Sequence[Encoder]) -> int:
    """Return how many times `encode` will call an encoder."""
    return len(_worth(assets)) * len(chosen)


def encode(
    assets: Sequence[Asset],
    chosen: Sequence[Encoder],
    min_gain: float,
    disk: Disk,
    *,
    jobs: int,
    on_done: Callable[[], None] = lambda: None,
    cache: Cache | None = None,
) -> Encoded:
    """Return the variants that gain, sorted by path and coding; a file that two assets share is encoded once.

    on_done: called after each variant, from any thread. cache: variants of earlier builds.
    """

    def variants(asset: Asset) -> tuple[list[Variant], int]:
        found, runs = [], 0
        body = b""
        for encoder in chosen:
            encoded = cache.variant(asset.sha256_hex, encoder[2:]) if cache else None
            if encoded is None:
                body = body or (asset.body if isinstance(asset.body, bytes) else _unchanged(asset.body, disk))
                encoded = encoder.apply(body)
                runs += 1
                if cache:
                    cache.keep_variant(asset.sha256_hex, encoder[2:], encoded)
            on_done()
            if is_kept(asset.size, len(encoded), min_gain):
                found.append(Variant(asset.path, encoder.coding, encoded))
        return found, runs

    made = pool.parallel(variants, _worth(assets), jobs=jobs, weight=lambda asset: asset.size)
    return Encoded(tuple(sorted(each for found, _ in made for each in found)), sum(runs for _, runs in made))


def _worth(assets: Sequence[Asset]) -> list[Asset]:
    by_path = {asset.path: asset for asset in assets if is_compressible(asset.media_type) and asset.size}
    return list(by_path.values())


def _unchanged(blob: Blob, disk: Disk) -> bytes:
    """Return the bytes of `blob`; raise `SourceChanged` if a variant of them would not be one of the file it is for."""
    if blob.body is not None:
        return blob.body
    body = disk.read(blob.file)
    if hashlib.sha256(body).hexdigest() != blob.sha256_hex:
        raise SourceChanged(blob.file)
    return body


def _gzip(level: int) -> Encoder:
    import deflate

    def apply(body: bytes) -> bytes:
        packed = bytearray(deflate.gzip_compress(body, level))
        # RFC 1952 §2.3.1: XFL and OS say how and where it was made; 0 and 255 (unknown) on every machine.
        packed[4:10] = b"\0\0\0\0\0\xff"
        return bytes(packed)

    return Encoder("gzip", apply, "deflate", deflate.__version__, level)


def _brotli(level: int) -> Encoder:
    import brotli

    def apply(body: bytes) -> bytes:
        return bytes(brotli.compress(body, quality=level))

    return Encoder("br", apply, "brotli", brotli.__version__, level)


def _zstd(level: int) -> Encoder:
    name = "zstd"
    with contextlib.suppress(ImportError):
        from compression import zstd  # Python 3.14

        return Encoder(name, lambda body: zstd.compress(body, level), name, zstd.zstd_version, level)
    from backports import zstd as backport

    return Encoder(name, lambda body: backport.compress(body, level), name, backport.zstd_version, level)

"""Encode: the compressed variants of each file, and the one rule for which of them is kept.

Receives results whose bytes are final, then assets that have names; hands on variants, sorted. Bytes are fixed by
content, coding and level: no clock, no name (RFC 1952 MTIME 0, OS 255), no dependence on what happens to be installed.
The encoders release the interpreter lock, so threads are enough; the largest file goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from assetbuild.compiler.cache import Cache
from assetbuild.compiler.errors import EngineUnavailable, SourceChanged
from assetbuild.compiler.media import is_compressible
from assetbuild.compiler.model import Asset, Blob, Ref, Result, Variant
from assetbuild.compiler.project import Compress, Profile
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import Disk

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Encoded", "Encoder", "Encoding", "encoders", "is_kept", "work_of"]


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


class _Made(NamedTuple):
    """What an encoder, or the cache in its place, gave."""

    coding: str
    body: bytes
    ran: bool


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


class Encoding:
    """The encoders of one build, at work while its engines are: what no later room changes need not wait for its name.

    A context manager: at its end nothing more is begun. cache: variants of earlier builds. Everything is encoded once,
    by its content, however many assets share it.
    """

    def __init__(self, chosen: Sequence[Encoder], disk: Disk, *, jobs: int, cache: Cache | None = None) -> None:
        self._chosen = chosen
        self._disk = disk
        self._cache = cache
        self._is_early = jobs > 1  # one worker is at an engine
        self._jobs = jobs
        self._threads: ThreadPoolExecutor | None = None
        self._made: dict[str, Future[list[_Made]]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def begin(self, result: Result) -> None:
        """Begin to encode those drafts of a result that refer to nothing: their bytes are final. From any thread."""
        for draft in result.drafts if self._is_early and self._chosen else ():
            body = draft.body
            if not is_compressible(draft.media_type) or draft.trace is not None:
                continue
            if isinstance(body, Blob):
                self._submit(body.sha256_hex, body)
            elif not any(isinstance(piece, Ref) for piece in body):
                content = b"".join(piece for piece in body if isinstance(piece, bytes))
                self._submit(hashlib.sha256(content).hexdigest(), content)

    def finish(self, assets: Sequence[Asset], min_gain: float, on_done: Callable[[], None] = lambda: None) -> Encoded:
        """Return the variants that gain, sorted by path and coding. on_done: called after each variant."""
        worth = _worth(assets)
        for asset in sorted(worth, key=lambda asset: -asset.size) if self._chosen else ():
            self._submit(asset.sha256_hex, asset.body)
        variants, ran = [], set()
        for asset in worth if self._chosen else ():
            for made in self._made[asset.sha256_hex].result():
                if is_kept(asset.size, len(made.body), min_gain):
                    variants.append(Variant(asset.path, made.coding, made.body))
                if made.ran:
                    ran.add((asset.sha256_hex, made.coding))
                on_done()
        return Encoded(tuple(sorted(variants)), len(ran))

    def _submit(self, sha256_hex: str, body: bytes | Blob) -> None:
        with self._lock:
            if sha256_hex not in self._made and (body if isinstance(body, bytes) else body.size):
                self._made[sha256_hex] = self._opened().submit(self._encoded, sha256_hex, body)

    def _opened(self) -> ThreadPoolExecutor:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # late: 10 ms, and many builds encode nothing

            self._threads = ThreadPoolExecutor(max(1, self._jobs), thread_name_prefix="assetbuild-encode")
        return self._threads

    def _encoded(self, sha256_hex: str, body: bytes | Blob) -> list[_Made]:
        made, content = [], b""
        for encoder in self._chosen:
            encoded = self._cache.variant(sha256_hex, encoder[2:]) if self._cache else None
            ran = encoded is None
            if encoded is None:
                content = content or (body if isinstance(body, bytes) else _unchanged(body, self._disk))
                encoded = encoder.apply(content)
                if self._cache:
                    self._cache.keep_variant(sha256_hex, encoder[2:], encoded)
            made.append(_Made(encoder.coding, encoded, ran))
        return made


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

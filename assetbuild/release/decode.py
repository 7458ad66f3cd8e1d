"""Decoding a variant, to prove that it holds the bytes that it stands for. Bounded: no variant may grow past its file.

gzip needs only the standard library; brotli and zstd come with the `[compile]` extra (zstd with Python 3.14, too).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

__all__ = ["DecodeError", "Undecodable", "decoded"]


class DecodeError(Exception):
    """The bytes are not one whole stream of the coding, or hold more than they should."""


class Undecodable(Exception):
    """No decoder for the coding is installed."""


def decoded(coding: str, body: bytes, size: int) -> bytes:
    """Return what `body` holds, at least if it is `size` bytes; raise `DecodeError` or `Undecodable`."""
    # One byte more than expected tells a stream that holds too much from one that ends where it should.
    return _DECODERS[coding](body, size + 1)


def _gzip(body: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)  # 31: a gzip header and trailer, with its CRC-32 checked (RFC 1952 §2.3)
    try:
        out = stream.decompress(body, limit)
    except zlib.error as error:
        raise DecodeError(str(error)) from None
    return _whole(out, limit, has_ended=stream.eof and not stream.unused_data)


def _br(body: bytes, limit: int) -> bytes:
    try:
        import brotli
    except ImportError:
        raise Undecodable from None
    stream = brotli.Decompressor()
    try:
        out = stream.process(body, output_buffer_limit=limit)
        while len(out) < limit and not stream.is_finished() and not stream.can_accept_more_data():
            out += stream.process(b"", output_buffer_limit=limit - len(out))
    except brotli.error as error:
        raise DecodeError(str(error)) from None
    return _whole(out, limit, has_ended=stream.is_finished())


def _zstd(body: bytes, limit: int) -> bytes:
    try:
        from compression import zstd
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            raise Undecodable from None
    stream = zstd.ZstdDecompressor()
    try:
        out = stream.decompress(body, limit)
    except zstd.ZstdError as error:
        raise DecodeError(str(error)) from None
    return _whole(out, limit, has_ended=stream.eof and not stream.unused_data)


def _whole(out: bytes, limit: int, *, has_ended: bool) -> bytes:
    if len(out) >= limit:
        raise DecodeError("it holds more than the file")
    if not has_ended:
        raise DecodeError("it does not end where it should")
    return out


_DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {"br": _br, "gzip": _gzip, "zstd": _zstd}

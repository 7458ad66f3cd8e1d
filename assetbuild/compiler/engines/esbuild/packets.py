"""The packets of esbuild's `--service` protocol: values to bytes and back.

Source: `lib/main.js` of esbuild's npm package, `encodePacket` and `decodePacket`. Knows nothing of what packets mean.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import IO

__all__ = ["Value", "decode", "encode", "read"]

Value = None | bool | int | str | bytes | Sequence["Value"] | Mapping[str, "Value"]
"""What a packet holds."""

_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")


def encode(number: int, is_request: bool, value: Value) -> bytes:
    """Return one packet with its length: u32 length, u32 `number << 1 | is_response`, value; little-endian."""
    parts: list[bytes] = []
    _encode_value(value, parts)
    body = b"".join(parts)
    return _U32.pack(len(body) + 4) + _U32.pack(number << 1 | (not is_request)) + body


def _encode_value(value: Value, parts: list[bytes]) -> None:
    match value:
        case None:
            parts.append(b"\0")
        case bool():
            parts.append(b"\1\1" if value else b"\1\0")
        case int():
            parts.append(b"\2" + _I32.pack(value))
        case str():
            parts.append(b"\3" + _prefixed(value.encode()))
        case bytes():
            parts.append(b"\4" + _prefixed(value))
        case Mapping():
            parts.append(b"\6" + _U32.pack(len(value)))
            for key, item in value.items():
                parts.append(_prefixed(key.encode()))
                _encode_value(item, parts)
        case _:
            parts.append(b"\5" + _U32.pack(len(value)))
            for item in value:
                _encode_value(item, parts)


def _prefixed(content: bytes) -> bytes:
    return _U32.pack(len(content)) + content


def decode(packet: bytes) -> tuple[int, bool, Value]:
    """Return number, whether it is a request, and value of a packet without its length; raise `ValueError`."""
    try:
        (head,) = _U32.unpack_from(packet)
        value, end = _decode_value(packet, 4)
    except (struct.error, IndexError) as error:
        raise ValueError("packet is cut short") from error
    if end != len(packet):
        raise ValueError("packet has bytes after its value")
    return head >> 1, not head & 1, value


def _decode_value(packet: bytes, at: int) -> tuple[Value, int]:
    kind, at = packet[at], at + 1
    if kind == 0:
        return None, at
    if kind == 1:
        return packet[at] != 0, at + 1
    if kind == 2:
        return _I32.unpack_from(packet, at)[0], at + 4
    if kind in (3, 4):
        content, at = _decode_bytes(packet, at)
        # A string of Go holds any bytes: a message quotes a line as it stands in the file.
        return (content.decode("utf-8", "replace") if kind == 3 else content), at
    if kind not in (5, 6):
        raise ValueError(f"packet holds a value of unknown kind {kind}")
    (count,) = _U32.unpack_from(packet, at)
    at += 4
    if kind == 5:
        items: list[Value] = []
        for _ in range(count):
            item, at = _decode_value(packet, at)
            items.append(item)
        return items, at
    members: dict[str, Value] = {}
    for _ in range(count):
        key, at = _decode_bytes(packet, at)
        members[key.decode()], at = _decode_value(packet, at)
    return members, at


def _decode_bytes(packet: bytes, at: int) -> tuple[bytes, int]:
    (size,) = _U32.unpack_from(packet, at)
    end = at + 4 + size
    if end > len(packet):
        raise ValueError("packet is cut short")
    return packet[at + 4 : end], end


def read(stream: IO[bytes]) -> bytes:
    """Return the next packet without its length; raise `EOFError` if the stream ends before it does."""
    (size,) = _U32.unpack(_exactly(stream, 4))
    return _exactly(stream, size)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content

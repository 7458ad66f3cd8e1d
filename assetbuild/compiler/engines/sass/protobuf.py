"""The few rules of Protocol Buffers that the embedded Sass protocol needs: varints, fields and length-prefixed packets.

Receives and hands on bytes; knows no message of any protocol. Source: protobuf.dev, "Encoding"; framing as the
embedded Sass protocol describes it ("Packet Structure").
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Malformed", "Message", "Packets", "field", "packet", "read_varint", "varint"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES = 10  # 64 bits, seven at a time
_PACKET_LIMIT_BYTES = 1 << 30


class Malformed(ValueError):
    """The bytes are no such message: whatever wrote them does not speak the protocol."""


def varint(number: int) -> bytes:
    """Return `number` (not negative) in base 128, lowest digits first."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def read_varint(encoded: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """Return the number at `at` and the offset behind it, None if the bytes end before the number does."""
    number = 0
    for position, byte in enumerate(encoded[at : at + _VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return number, at + position + 1
    if len(encoded) - at >= _VARINT_BYTES:
        raise Malformed("a varint is longer than 64 bits")
    return None


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one field: a varint for an integer or a boolean, else a length and the bytes (text as UTF-8)."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def packet(channel: int, message: bytes) -> bytes:
    """Return the frame of `message`: the length of what follows, the channel (a compilation), the message."""
    head = varint(channel)
    return varint(len(head) + len(message)) + head + message


class Message:
    """The fields of one message. An absent field reads as 0, "" or an empty message, as proto3 has it."""

    def __init__(self, encoded: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _fields(encoded):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def number(self, number: int) -> int:
        """Return the last integer written in the field."""
        value = self._last(number, 0)
        if not isinstance(value, int):
            raise Malformed(f"field {number} is not a number")
        return value

    def text(self, number: int) -> str:
        """Return the last text written in the field."""
        return self._bytes(number).decode("utf-8", "replace")

    def message(self, number: int) -> Message:
        """Return the last message written in the field."""
        return Message(self._bytes(number))

    def _bytes(self, number: int) -> bytes:
        value = self._last(number, b"")
        if not isinstance(value, bytes):
            raise Malformed(f"field {number} is not a text")
        return value

    def _last(self, number: int, default: int | bytes) -> int | bytes:
        # A scalar that is written twice counts once, the last time ("Last One Wins").
        return self._fields.get(number, [default])[-1]


def _fields(encoded: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(encoded):
        tag, at = _whole(read_varint(encoded, at))
        wire = tag & 7
        value: int | bytes
        if wire == _VARINT:
            value, at = _whole(read_varint(encoded, at))
        elif wire in (_BYTES, _FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
            if wire == _BYTES:
                size, at = _whole(read_varint(encoded, at))
            value = encoded[at : at + size]
            at += size
            if at > len(encoded):
                raise Malformed("a field is longer than its message")
        else:
            raise Malformed(f"wire type {wire} is not in use")
        yield tag >> 3, value


def _whole(read: tuple[int, int] | None) -> tuple[int, int]:
    if read is None:
        raise Malformed("a message ends inside a number")
    return read


class Packets:
    """Cuts a stream of bytes, fed in chunks of any size, into packets."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._needed = 0

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Return the channel and the message of every packet that `chunk` completes."""
        self._pending += chunk
        if len(self._pending) < self._needed:
            return []  # a packet of megabytes comes in many chunks: only the last one looks at it
        complete = []
        at = 0
        self._needed = 0
        while (length := read_varint(self._pending, at)) is not None:
            size, start = length
            if size > _PACKET_LIMIT_BYTES:
                raise Malformed(f"a packet of {size:,} bytes is announced")
            if start + size > len(self._pending):
                self._needed = start + size - at
                break
            body = bytes(self._pending[start : start + size])
            channel, message_start = _whole(read_varint(body))
            complete.append((channel, body[message_start:]))
            at = start + size
        del self._pending[:at]
        return complete

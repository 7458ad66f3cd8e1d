"""Tar: the blocks of an archive that is the same on every machine. Pure functions over names and sizes.

Regular files alone, readable by everyone, of nobody and of no time. What stands in a block follows from name and size,
so that a reader can ask for exactly these bytes and need not interpret others.
Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header".
"""

from __future__ import annotations

__all__ = ["BLOCK_BYTES", "END", "header", "padding", "size_in"]

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
"""What closes an archive."""

_NAME_BYTES, _PREFIX_BYTES = 100, 155
_SIZE_LIMIT = 8**11  # what eleven octal digits can say; from here on an extended header says it
_SIZE_AT = slice(124, 135)


def header(name: str, size: int) -> bytes:
    """Return the blocks that stand before the bytes of a file, an extended header first where its name or size asks.

    name: at most a few thousand bytes of UTF-8.
    """
    encoded = name.encode()
    split = _split(encoded)
    records = _record("path", name) if split is None else b""
    if size >= _SIZE_LIMIT:
        records += _record("size", str(size))
    short = split or (encoded[-_NAME_BYTES:], b"")
    block = _block(*short, size if size < _SIZE_LIMIT else 0, b"0")
    return block if not records else _block(b"@pax", b"", len(records), b"x") + records + padding(len(records)) + block


def padding(size: int) -> bytes:
    """Return what fills the last block of `size` bytes."""
    return bytes(-size % BLOCK_BYTES)


def size_in(block: bytes) -> int | None:
    """Return the size that a header block claims, None if it is no number: to be believed if `header` agrees."""
    digits = block[_SIZE_AT]
    return int(digits, 8) if len(digits) == 11 and not digits.strip(b"01234567") else None


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """Return name and prefix as the block holds them, None if it cannot: the longest prefix that fits."""
    if not name.isascii():
        return None
    if len(name) <= _NAME_BYTES:
        return name, b""
    at = name.rfind(b"/", 0, _PREFIX_BYTES + 1)
    return (name[at + 1 :], name[:at]) if at > 0 and 0 < len(name) - at - 1 <= _NAME_BYTES else None


def _record(key: str, value: str) -> bytes:
    """Return `length key=value`, where the length counts its own digits."""
    rest = f" {key}={value}\n".encode()
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(name: bytes, prefix: bytes, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,  # mode, owner, group
        b"%011o\0" % size,
        b"%011o\0" % 0,  # time
        b" " * 8,  # the checksum counts itself as blanks
        kind,
        bytes(100),  # where a link leads
        b"ustar\x0000",
        bytes(32) * 2,  # names of owner and group
        b"0000000\0" * 2,  # device
        prefix.ljust(_PREFIX_BYTES, b"\0"),
    )
    block = b"".join(fields).ljust(BLOCK_BYTES, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]

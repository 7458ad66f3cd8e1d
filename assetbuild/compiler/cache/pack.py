"""A pack: many small items in one file that is written once, and an index in front that vouches for itself.

    assetbuild-pack-1 LF · length of the index, 8 bytes · sha256 of the index · index (JSON) · the items' bytes

Opening a pack reads its index only. Items are read by `pread`, never mapped: a file that somebody cuts while it is
mapped would end the process.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["Pack", "Slice", "opened", "packed", "vouched"]

_MAGIC = b"assetbuild-pack-1\n"
_HEAD_BYTES = len(_MAGIC) + 8 + 32


class Slice(NamedTuple):
    """Where an item lies, in bytes from the start of the file, and what vouches for it."""

    start: int
    size: int
    digest_hex: str


def vouched(name: str, body: bytes) -> str:
    """Return the digest of an item; it covers the name, so that two items cannot be exchanged."""
    return hashlib.sha256(b"%d\n%b\n%b" % (len(name), name.encode(), body)).hexdigest()


def packed(items: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a pack with `items`, which are sorted by name, so that equal items make equal packs."""
    index, bodies, start = {}, [], 0
    for name in sorted(items):
        body = items[name]
        index[name] = (start, len(body), vouched(name, body))
        bodies.append(body)
        start += len(body)
    head = json.dumps(index, separators=(",", ":")).encode()
    return b"".join((_MAGIC, len(head).to_bytes(8, "big"), hashlib.sha256(head).digest(), head, *bodies))


class Pack:
    """An open pack. items: name → where it lies."""

    def __init__(self, descriptor: int, items: Mapping[str, Slice]) -> None:
        self._descriptor = descriptor
        self.items = items

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an item, None if they are not what was written; raise `OSError`."""
        found = self.items[name]
        body = os.pread(self._descriptor, found.size, found.start)
        return body if vouched(name, body) == found.digest_hex else None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def opened(file: str) -> Pack | None:
    """Return the pack in `file`, None if its index cannot be believed; raise `OSError`."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        head = os.pread(descriptor, _HEAD_BYTES, 0)
        length = int.from_bytes(head[len(_MAGIC) : len(_MAGIC) + 8], "big")
        size = os.fstat(descriptor).st_size
        if len(head) == _HEAD_BYTES and head.startswith(_MAGIC) and _HEAD_BYTES + length <= size:
            index = os.pread(descriptor, length, _HEAD_BYTES)
            if hashlib.sha256(index).digest() == head[-32:]:
                pack = Pack(descriptor, dict(_slices(index, _HEAD_BYTES + length)))
                descriptor = -1
                return pack
        return None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _slices(index: bytes, bodies_start: int) -> Iterator[tuple[str, Slice]]:
    for name, (start, size, digest_hex) in json.loads(index).items():
        yield name, Slice(bodies_start + start, size, digest_hex)

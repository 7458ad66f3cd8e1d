"""Taking the pinned files out of a package's tarball, and nothing else.

Receives a tarball whose digest was checked already; hands on each wanted file as a stream. No path of the archive ever
becomes a path on disk: a member is chosen by its exact name, and must be a plain file of the pinned size.
"""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO

from assetbuild.compiler.tools.table import PinnedFile

__all__ = ["UnpackFailed", "members", "parts_of"]

_PART_BYTES = 1 << 16
_TOP = "package/"  # npm puts everything below one folder of this name


class UnpackFailed(Exception):
    """The tarball is not the package that was pinned; its text says why."""


def members(tarball: IO[bytes], wanted: Sequence[PinnedFile]) -> Iterator[tuple[PinnedFile, Iterator[bytes]]]:
    """Yield each wanted file with its bytes, in the order of the archive; raise `UnpackFailed` if one is not there.

    The bytes of one must be read before the next is asked for.
    """
    missing = {_TOP + file.path: file for file in wanted}
    with _readable(), tarfile.open(fileobj=tarball, mode="r:gz") as archive:
        for member in archive:
            file = missing.pop(member.name, None)
            if file is None:
                continue
            opened = archive.extractfile(member) if member.isreg() else None
            if opened is None:
                raise UnpackFailed(f"`{member.name}` is a link or a device, not a file")
            if member.size != file.size:
                raise UnpackFailed(f"`{member.name}` has {member.size} bytes, expected {file.size}")
            with opened:
                yield file, parts_of(opened)
            if not missing:
                return
    raise UnpackFailed(f"`{min(missing)}` is not in it")


def parts_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what is left in `stream`, a bounded part at a time."""
    with _readable():
        while part := stream.read(_PART_BYTES):
            yield part


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnpackFailed(f"it is not a readable tarball: {error}") from error

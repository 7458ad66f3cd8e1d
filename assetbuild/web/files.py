"""Published files on the disk, opened so that nothing but a regular file of the output is ever read.

Receives paths that the manifest names, never what a request asked for; hands on descriptors and bytes. It neither
writes nor lists.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import FileIO

from assetbuild.diagnostic import AssetbuildError

__all__ = ["PIECE_BYTES", "FileFault", "OpenFile", "open_published", "read_published"]

PIECE_BYTES = 256 * 1024
"""How much of a file is read at once, so that neither memory nor an event loop is held for long."""

# O_NOFOLLOW guards the last component only (open(2)), so every component is opened on its own. O_NONBLOCK: a FIFO must
# not wait for its writer. O_PATH asks for no right to list the folder.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_PUBLISH_AGAIN = "copy the whole output of `assetbuild compile` again"


class FileFault(AssetbuildError):
    """A published file is not what the manifest says; the text names it, the reason and what to do."""


class OpenFile:
    """A part of an open file, read in pieces. Whoever has it closes it, whatever happens; a second close does nothing.

    file: absolute path. length: bytes of the part. is_whole: the part is the whole file.
    """

    __slots__ = ("_at", "_descriptor", "file", "is_whole", "length")

    def __init__(self, descriptor: int, file: str, part: range, *, is_whole: bool) -> None:
        self._descriptor = descriptor
        self._at = part.start
        self.file = file
        self.length = len(part)
        self.is_whole = is_whole

    def pieces(self) -> Iterator[bytes]:
        """Yield exactly `length` bytes; raise `FileFault` if the file was cut meanwhile, for nothing can be padded."""
        stop = self._at + self.length
        while self._at < stop:
            piece = os.pread(self._descriptor, min(PIECE_BYTES, stop - self._at), self._at)
            if not piece:
                raise _cut(self.file)
            self._at += len(piece)
            yield piece

    def stream(self) -> FileIO:
        """Return the file for a server that sends it by itself and closes it; call it for a whole file, and once."""
        descriptor, self._descriptor = self._descriptor, -1
        return _Stream(descriptor, self.file, self.length)

    def close(self) -> None:
        """Close the descriptor."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    # A framework may put an answer of its own in the place of ours, and drop ours without a word.
    __del__ = close


class _Stream(FileIO):
    """A whole file that does not pass for a short one when it was cut: servers would keep the connection open.

    waitress 3 waits for the rest, and gunicorn 27 goes on with the next request inside the body that it has promised.
    One that reads meets a `FileFault` at the early end, one that has the kernel send (sendfile) when it closes.
    """

    def __init__(self, descriptor: int, file: str, size_bytes: int) -> None:
        super().__init__(descriptor, "rb")
        self._file = file
        self._size_bytes = size_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(-1 if size is None else size)
        if not piece and size != 0 and self.tell() < self._size_bytes:
            raise _cut(self._file)
        return piece

    def close(self) -> None:
        is_cut = not self.closed and os.fstat(self.fileno()).st_size < self._size_bytes
        super().close()
        if is_cut:
            raise _cut(self._file)


def open_published(folder: str, path: str, size_bytes: int) -> int:
    """Return a descriptor of the file at `path` below `folder`, which the caller closes.

    folder: may be a link itself; "" where the manifest is no file. path: a published path of the manifest or that of a
    variant. Raises `FileFault` unless it is a regular file of that size that no link leads to.
    """
    if not folder:
        raise FileFault(f"`{path}` cannot be served: its manifest was not opened from an output folder")
    *parents, name = path.split("/")
    try:
        here = os.open(folder, _FOLDER)
        try:
            for parent in parents:
                below = os.open(parent, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            descriptor = os.open(name, _FILE, dir_fd=here)
        finally:
            os.close(here)
    except OSError as error:
        reason = "Symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise FileFault(f"`{path}` cannot be opened in `{folder}` ({reason}); {_PUBLISH_AGAIN}") from error
    fault = _fault_of(os.fstat(descriptor), size_bytes)
    if fault:
        os.close(descriptor)
        raise FileFault(f"`{path}` in `{folder}` {fault}; {_PUBLISH_AGAIN}")
    return descriptor


def read_published(folder: str, path: str, size_bytes: int) -> bytes:
    """Return the bytes of the file at `path` below `folder`; raise `FileFault` as `open_published` does."""
    if not folder and not size_bytes:
        return b""  # a manifest that was not read from a file can vouch for an empty one only, as a stub does
    descriptor = open_published(folder, path, size_bytes)
    file = OpenFile(descriptor, f"{folder}/{path}", range(size_bytes), is_whole=True)
    try:
        return b"".join(file.pieces())
    finally:
        file.close()


def _cut(file: str) -> FileFault:
    return FileFault(f"`{file}` was cut while it was being sent; {_PUBLISH_AGAIN}")


def _fault_of(status: os.stat_result, size_bytes: int) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size != size_bytes:
        return f"holds {status.st_size} bytes, and the manifest says {size_bytes}"
    return ""

"""The only code that writes files or lists folders, and the one way to read a source.

Everything that can go wrong on a disk goes wrong here: a listing error is an error and never an empty tree, a short write
is continued, a name appears only when its bytes are complete. Callers pass a `Disk`, so tests and the fault
campaign can pass another. Standard library only.
"""

from __future__ import annotations

import errno
import functools
import itertools
import os
import stat
from collections.abc import Callable
from typing import NamedTuple, Protocol

__all__ = ["Disk", "Found", "NotRegular", "RealDisk", "TEMP_MARK"]

TEMP_MARK = ".assetbuild-tmp-"
"""Prefix of every temporary name; followed by the process id and a counter."""

_READ_BYTES = 1 << 20


class Found(NamedTuple):
    """A directory entry. `name`: relative to the scanned folder, POSIX; `kind`: `file`, `folder`, `link` or `other`."""

    name: str
    kind: str
    size: int
    mtime_ns: int
    inode: int


class NotRegular(OSError):
    """The file is a FIFO, a device, a socket or a folder: opening it could block or never end."""


class Disk(Protocol):
    """What the build half needs of a file system. Every method raises `OSError`; none retries in silence."""

    def scan(self, folder: str) -> list[Found]: ...
    def read(self, file: str) -> bytes: ...
    def is_file(self, file: str) -> bool: ...
    def write(self, folder: str, path: str, body: bytes) -> bool: ...
    def sync(self, folder: str) -> None: ...
    def remove(self, folder: str, path: str) -> None: ...


class RealDisk:
    """The machine's own file system."""

    def scan(self, folder: str) -> list[Found]:
        """Return everything directly inside `folder`, sorted by the bytes of its name."""
        with os.scandir(folder) as entries:
            return sorted((_found(entry) for entry in entries), key=lambda found: os.fsencode(found.name))

    def read(self, file: str) -> bytes:
        """Return the bytes of a regular file; never blocks on a FIFO."""
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotRegular(errno.EINVAL, "not a regular file", file)
            # One byte more than the size tells the end of the file without another call in the usual case.
            parts = [os.read(descriptor, min(status.st_size + 1, _READ_BYTES))]
            while parts[-1]:
                parts.append(os.read(descriptor, _READ_BYTES))
            return parts[0] if len(parts) == 2 else b"".join(parts)
        finally:
            os.close(descriptor)

    def is_file(self, file: str) -> bool:
        """Return whether `file` is a regular file or a link to one; errors other than absence are raised."""
        try:
            return stat.S_ISREG(os.stat(file).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
                return False
            raise

    def write(self, folder: str, path: str, body: bytes) -> bool:
        """Put `body` at `folder/path` by temporary file and rename; return False if those bytes stood there already.

        An existing file is believed only after its bytes match. The name is durable after the next `sync`.
        """
        file = os.path.join(folder, path)
        if self._holds(file, body):
            return False
        parent, name = os.path.split(file)
        os.makedirs(parent, mode=0o755, exist_ok=True)
        temporary = os.path.join(parent, f"{TEMP_MARK}{os.getpid()}-{next(_counter)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            try:
                rest = memoryview(body)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fchmod(descriptor, 0o644)  # the umask of the machine must not reach the output
            finally:
                os.close(descriptor)
            os.replace(temporary, file)
        except BaseException:
            try:
                os.unlink(temporary)
            except FileNotFoundError:
                pass
            raise
        return True

    def sync(self, folder: str) -> None:
        """Make everything written below `folder` durable: one `syncfs` of its file system (Linux), else `sync`."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_one = _syncfs()
            if sync_one is None:
                os.sync()
            elif sync_one(descriptor) != 0:
                import ctypes

                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), folder)
        finally:
            os.close(descriptor)

    def remove(self, folder: str, path: str) -> None:
        """Remove one file; it is no error if it is gone already."""
        try:
            os.unlink(os.path.join(folder, path))
        except FileNotFoundError:
            pass

    def _holds(self, file: str, body: bytes) -> bool:
        try:
            status = os.lstat(file)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == len(body) and self.read(file) == body


def _found(entry: os.DirEntry[str]) -> Found:
    status = entry.stat(follow_symlinks=False)
    mode = status.st_mode
    kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"
    return Found(entry.name, kind, status.st_size, status.st_mtime_ns, status.st_ino)


_counter = itertools.count()


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the C library's `syncfs` (Linux since 2.6.39), None where it has none."""
    import ctypes

    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return found

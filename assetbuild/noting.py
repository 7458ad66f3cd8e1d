"""Noting: a disk that remembers what a build asked of it, and reads nothing for which the last build vouches.

Receives the rows of the last build; hands on rows, digests of names and absences, from which `unchanged` says whether
a build would get the same answers. A file's size, time and inode may say that nobody has touched it, never what is in
it (git's rule for racily clean entries). Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assetbuild.disk import MODE, Digests, Found, Measured, RealDisk, mode_at

__all__ = ["Row", "Watched", "digest_of_names", "is_settled", "row_of", "standing_at", "standing_of"]

# A change within one tick of the file system's clock may leave the times as they were: the kernel's tick is at most
# 10 ms, and systems that keep whole seconds keep two of them at the worst (FAT).
_TICK_NS = 20_000_000
_COARSE_NS = 2_100_000_000
_SECOND_NS = 1_000_000_000


class Row(NamedTuple):
    """A file as it was. noted_ns: when that was seen; sha256_hex: of the bytes that were read after it.

    ctime_ns: of the last change of its inode, which no program can set back as it can the time of its content.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    noted_ns: int
    sha256_hex: str

    def vouches(self, status: os.stat_result) -> bool:
        """Return whether nobody can have touched the file since, as `status` has it."""
        return self[:4] == standing_of(status) and is_settled(status, self.noted_ns)


class Watched(RealDisk):
    """A disk that notes what is asked of it, and reads nothing for which a row of the last build vouches.

    files, folders, absent: what was asked so far, as in `Record`. hashed_bytes: how many bytes were read for it.
    """

    def __init__(self, rows: Mapping[str, Row] | None = None) -> None:
        self._rows = rows or {}
        self._stamped: dict[str, os.stat_result] = {}
        self._written: dict[str, tuple[int, int, int, int]] = {}
        self.files: dict[str, Row] = {}
        self.folders: dict[str, str] = {}
        self.absent: set[str] = set()
        self.hashed_bytes = 0

    def scan(self, folder: str) -> list[Found]:
        """Return what `RealDisk.scan` does, and note the names."""
        found = super().scan(folder)
        self.folders[folder] = digest_of_names(folder, ((each.name, each.kind) for each in found))
        return found

    def measure(self, folder: str) -> list[Measured]:
        """Return what `RealDisk.measure` does, and note the names."""
        found = super().measure(folder)
        self.folders[folder] = digest_of_names(folder, ((each.name, each.kind) for each in found))
        return found

    def read(self, file: str) -> bytes:
        """Return what `RealDisk.read` does, and note the file."""
        status, noted_ns = os.stat(file), time.time_ns()
        body = super().read(file)
        self._saw(file, status, noted_ns, hashlib.sha256(body).hexdigest())
        return body

    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests:
        """Return what `RealDisk.digests` does, and note the file."""
        status, noted_ns = os.stat(file), time.time_ns()
        found = super().digests(file, salt, kept_bytes)
        self._saw(file, status, noted_ns, found.sha256.hex())
        return found

    def known_digest(self, file: str) -> str | None:
        """Return the sha256 of a file if the row of the last build still vouches for it; raise `OSError`."""
        row = self._rows.get(file)
        if row is None or not row.vouches(os.lstat(file)):  # a link has another inode than what it leads to
            return None
        self.files[file] = row
        return row.sha256_hex

    def is_file(self, file: str) -> bool:
        """Return what `RealDisk.is_file` does; a no is noted."""
        found = super().is_file(file)
        if not found:
            self.absent.add(file)
        return found

    def is_folder(self, folder: str) -> bool:
        """Return what `RealDisk.is_folder` does; a no is noted."""
        found = super().is_folder(folder)
        if not found:
            self.absent.add(folder)
        return found

    def holds(self, file: str, size: int, sha256_hex: str) -> bool:
        """Return what `RealDisk.holds` does, unread where the row of the last build says it."""
        row = self._rows.get(file)
        if row is not None and row.sha256_hex == sha256_hex:
            with contextlib.suppress(OSError):
                status = os.lstat(file)
                if row.vouches(status) and stat.S_IMODE(status.st_mode) == MODE and stat.S_ISREG(status.st_mode):
                    self.files[file] = row
                    return True
        return super().holds(file, size, sha256_hex)

    def row_left(self, file: str, sha256_hex: str) -> Row:
        """Return the row of a file that was written here, or found to hold those bytes.

        If somebody may have changed it since, it is a row that vouches for nothing.
        """
        standing = self._written.get(file)
        if standing is not None:
            return Row(*standing, time.time_ns(), sha256_hex)
        row = self.files.get(file)
        return row if row is not None and row.sha256_hex == sha256_hex else Row(0, 0, 0, 0, 0, sha256_hex)

    def _wrote(self, file: str, descriptor: int) -> None:
        # Whoever changes the file under its name within the same tick gives it the time that it has now. So its own is
        # one that nobody else would give it.
        with contextlib.suppress(OSError):  # then its bytes are read again
            status = os.fstat(descriptor)
            os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns - 1))
            self._stamped[file] = status

    def _named(self, file: str) -> None:
        stamped = self._stamped.pop(file, None)
        self._written.pop(file, None)
        with contextlib.suppress(OSError):
            size, mtime_ns, ctime_ns, inode = standing_of(os.lstat(file))
            if stamped and (size, mtime_ns, inode) == (stamped.st_size, stamped.st_mtime_ns - 1, stamped.st_ino):
                self._written[file] = size, mtime_ns, ctime_ns, inode

    def _saw(self, file: str, status: os.stat_result, noted_ns: int, sha256_hex: str) -> None:
        self.hashed_bytes += status.st_size
        self.files[file] = Row(*standing_of(status), noted_ns, sha256_hex)


def row_of(file: str, sha256_hex: str) -> Row:
    """Return the row of a file that has just been written or read, and whose digest is known; raise `OSError`."""
    return Row(*standing_of(os.stat(file)), time.time_ns(), sha256_hex)


def standing_at(path: str) -> str:
    """Return what stands at a path: "" for nothing, else `file`, `folder` or `other`, and where a link leads.

    What cannot be looked at is `unseen` and the number of the error: neither something nor nothing.
    """
    try:
        mode = mode_at(path, os.lstat)
        if stat.S_ISLNK(mode):
            return f"{_kind_of(mode_at(path, os.stat)) or 'other'} {os.path.realpath(path)}"
        return _kind_of(mode)
    except OSError as error:
        return f"unseen {error.errno}"


def _kind_of(mode: int) -> str:
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other" if mode else ""


def standing_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells whether a file was touched: size, times and inode."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def is_settled(status: os.stat_result, since_ns: int) -> bool:
    """Return whether what has this status was last changed before `since_ns`, by more than the clock may be wrong."""
    last_ns = max(status.st_mtime_ns, status.st_ctime_ns)
    return last_ns + (_COARSE_NS if status.st_ctime_ns % _SECOND_NS == 0 else _TICK_NS) < since_ns


def digest_of_names(folder: str, names: Iterable[tuple[str, str]]) -> str:
    """Return a digest of what a folder holds: names and kinds, and where links lead."""
    lines = sorted(
        f"{name}\0{kind}\0{standing_at(os.path.join(folder, name)) if kind == 'link' else ''}" for name, kind in names
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

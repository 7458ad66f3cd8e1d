"""Unchanged: whether everything that the last build read, and everything that it wrote, is still as it was.

Receives what a build asked of the disk and what it left there; hands back its summary as long as every answer would be
the same. A file's size, time and inode may say that nobody has touched it, never what is in it: what they cannot vouch
for is read and held against its digest (git's rule for racily clean entries). Standard library only, and little of it:
a compile with nothing to do should cost no more than looking.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.disk import MODE, Digests, Found, Measured, RealDisk

__all__ = ["Record", "Row", "Watched", "file_of", "load", "row_of", "save", "standing_at", "stands"]

_FORMAT = 2
_LIMIT_BYTES = 256 << 20  # a record of a hundred thousand files has a tenth of that; more is none of ours

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
        last_ns = max(self.mtime_ns, self.ctime_ns)
        is_racy = last_ns + (_COARSE_NS if self.ctime_ns % _SECOND_NS == 0 else _TICK_NS) >= self.noted_ns
        return not is_racy and self[:4] == _standing(status)


class Record(NamedTuple):
    """A build that is done. arguments: everything that decided it beside the files, JSON values.

    files: what was read; outputs: what was written, absolute. folders: listed → digest of their names.
    absent: paths of which no use was made → what stood there. summary: what to say of it, JSON values.
    """

    arguments: Mapping[str, object]
    files: Mapping[str, Row]
    outputs: Mapping[str, Row]
    folders: Mapping[str, str]
    absent: Mapping[str, str]
    summary: Mapping[str, Any]

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield every file with its row."""
        yield from self.files.items()
        yield from self.outputs.items()


class Watched(RealDisk):
    """A disk that notes what is asked of it, and reads nothing for which a row of the last build vouches.

    files, folders, absent: what was asked so far, as in `Record`. hashed_bytes: how many bytes were read for it.
    """

    def __init__(self, rows: Mapping[str, Row] | None = None) -> None:
        self._rows = rows or {}
        self.files: dict[str, Row] = {}
        self.folders: dict[str, str] = {}
        self.absent: set[str] = set()
        self.hashed_bytes = 0

    def scan(self, folder: str) -> list[Found]:
        """Return what `RealDisk.scan` does, and note the names."""
        found = super().scan(folder)
        self.folders[folder] = _digest_of_names(folder, ((each.name, each.kind) for each in found))
        return found

    def measure(self, folder: str) -> list[Measured]:
        """Return what `RealDisk.measure` does, and note the names."""
        found = super().measure(folder)
        self.folders[folder] = _digest_of_names(folder, ((each.name, each.kind) for each in found))
        return found

    def read(self, file: str) -> bytes:
        """Return what `RealDisk.read` does, and note the file."""
        status, noted_ns = os.stat(file), time.time_ns()
        body = super().read(file)
        self._note(file, status, noted_ns, len(body), hashlib.sha256(body).hexdigest())
        return body

    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests:
        """Return what `RealDisk.digests` does, and note the file."""
        status, noted_ns = os.stat(file), time.time_ns()
        found = super().digests(file, salt, kept_bytes)
        self._note(file, status, noted_ns, found.size, found.sha256.hex())
        return found

    def known_digest(self, file: str) -> str | None:
        """Return the sha256 of a file if the row of the last build still vouches for it; raise `OSError`."""
        row = self._rows.get(file)
        if row is None or not row.vouches(os.stat(file)):
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
                    return True
        return super().holds(file, size, sha256_hex)

    def _note(self, file: str, status: os.stat_result, noted_ns: int, size: int, sha256_hex: str) -> None:
        self.hashed_bytes += size
        self.files[file] = Row(*_standing(status), noted_ns, sha256_hex)


def file_of(folder: str, project: str, output: str) -> str:
    """Return where the record of a project's builds into one output lies, in the cache folder."""
    name = hashlib.sha256(f"{project}\0{output}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(folder, "v1", "builds", name)


def row_of(file: str, sha256_hex: str) -> Row:
    """Return the row of a file that has just been written or read, and whose digest is known; raise `OSError`."""
    return Row(*_standing(os.stat(file)), time.time_ns(), sha256_hex)


def load(file: str) -> Record | None:
    """Return the record in `file`, None if there is none that can be believed."""
    try:
        if os.stat(file).st_size > _LIMIT_BYTES:
            return None
        content = RealDisk().read(file)
        digest, _, text = content.partition(b"\n")
        if digest != hashlib.sha256(text).hexdigest().encode():
            return None
        document = json.loads(text)
        if document["format"] != _FORMAT:
            return None
        files, outputs = ({name: Row(*row) for name, row in document[key].items()} for key in ("files", "outputs"))
        fields = (document["arguments"], files, outputs, document["folders"], document["absent"])
        return Record(*fields, document["summary"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def save(file: str, record: Record) -> None:
    """Keep the record; a folder that cannot be written costs the next compile its time, and nothing else."""
    document = {**record._asdict(), "format": _FORMAT}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()
    with contextlib.suppress(OSError):
        RealDisk().write(*os.path.split(file), hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def stands(record: Record, arguments: Mapping[str, object]) -> Record | None:
    """Return the record if a build with `arguments` would read and write what it did, else None.

    Files that their rows could not vouch for, and that are as they were, have new rows in it.
    """
    if json.loads(json.dumps(arguments)) != record.arguments:
        return None
    if any(standing_at(path) != was for path, was in record.absent.items()):
        return None
    try:
        if any(_names_in(folder) != digest for folder, digest in record.folders.items()):
            return None
        if not all(stat.S_ISDIR(os.lstat(folder).st_mode) for folder in {*map(os.path.dirname, record.outputs)}):
            return None  # a link in the place of a folder is none of ours
        files = _as_they_were(record.files, os.stat)
        outputs = _as_they_were(record.outputs, os.lstat, mode=MODE) if files is not None else None
    except OSError:
        return None
    return None if files is None or outputs is None else record._replace(files=files, outputs=outputs)


def standing_at(path: str) -> str:
    """Return what stands at a path: "" for nothing, else `file`, `folder` or `other`, and where a link leads."""
    kind = "file" if os.path.isfile(path) else "folder" if os.path.isdir(path) else ""
    if os.path.islink(path):
        return f"{kind or 'other'} {os.path.realpath(path)}"
    return kind or ("other" if os.path.lexists(path) else "")


def _as_they_were(
    rows: Mapping[str, Row], look: Callable[[str], os.stat_result], mode: int | None = None
) -> Mapping[str, Row] | None:
    """Return the rows, renewed where a digest had to say it; None if a file is another, or has another `mode`."""
    renewed: dict[str, Row] = {}
    for file, row in rows.items():
        status = look(file)
        if mode is not None and stat.S_IMODE(status.st_mode) != mode:
            return None
        if row.vouches(status):
            continue
        noted_ns = time.time_ns()
        if not stat.S_ISREG(status.st_mode) or RealDisk().digests(file, b"").sha256.hex() != row.sha256_hex:
            return None
        renewed[file] = Row(*_standing(status), noted_ns, row.sha256_hex)
    return {**rows, **renewed} if renewed else rows


def _standing(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _names_in(folder: str) -> str:
    return _digest_of_names(folder, RealDisk().scan(folder))


def _digest_of_names(folder: str, names: Iterable[tuple[str, str]]) -> str:
    """Return a digest of what a folder holds: names and kinds, and where links lead."""
    lines = sorted(
        f"{name}\0{kind}\0{standing_at(os.path.join(folder, name)) if kind == 'link' else ''}" for name, kind in names
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

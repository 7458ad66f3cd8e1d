"""The only code that writes files or lists folders, and the one way to read a source.

Everything that can go wrong on a disk goes wrong here: a listing error is an error and never an empty tree, a short
write is continued, a name appears only when its bytes are complete. Callers pass a `Disk`, so tests and the fault
campaign can pass another. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import itertools
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, Protocol

from assetbuild.ending import FILES

__all__ = [
    "MODE",
    "TEMP_MARK",
    "Compared",
    "Digests",
    "Disk",
    "Found",
    "Measured",
    "NotRegular",
    "RealDisk",
    "Small",
    "mode_at",
    "place_of_file",
]

TEMP_MARK = ".assetbuild-tmp-"
"""Prefix of every temporary name; followed by the process id and a counter."""

_READ_BYTES = 1 << 20
MODE = 0o644
"""Of every file that is published, whatever the umask."""


class Found(NamedTuple):
    """A directory entry. `name`: relative to the scanned folder, POSIX; `kind`: `file`, `folder`, `link` or `other`."""

    name: str
    kind: str


class Measured(NamedTuple):
    """A directory entry and what its inode says of it. mode: who may do what with it; of an archive's, as published."""

    name: str
    kind: str
    size: int
    mtime_ns: int
    mode: int = MODE


class NotRegular(OSError):
    """The file is a FIFO, a device, a socket or a folder: opening it could block or never end."""


class Digests(NamedTuple):
    """What one pass over a file's bytes gives. salted: sha256 of the salt and the bytes.

    body: the bytes themselves if they are as few as the caller wanted to keep.
    """

    size: int
    sha256: bytes
    sha384: bytes
    salted: bytes
    body: bytes | None = None


class Small(NamedTuple):
    """The bytes of a small file, as they were read once."""

    body: bytes
    sha256_hex: str


Compared = Literal["absent", "same", "other"]
"""What stands under a name, beside what should."""


class Disk(Protocol):
    """What the build half needs of a file system. Every method raises `OSError`; none retries in silence."""

    def scan(self, folder: str) -> list[Found]: ...
    def measure(self, folder: str) -> list[Measured]: ...
    def read(self, file: str) -> bytes: ...
    def small(self, file: str, limit_bytes: int) -> Small | None: ...
    def parts(self, file: str) -> Iterator[bytes]: ...
    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests: ...
    def known_digest(self, file: str) -> str | None: ...
    def is_file(self, file: str) -> bool: ...
    def is_folder(self, folder: str) -> bool: ...
    def make_folder(self, folder: str) -> None: ...
    def lock(self, folder: str) -> contextlib.AbstractContextManager[bool]: ...
    def sweep(self, folder: str) -> int: ...
    def compared(self, folder: str, path: str, expected: Callable[[], tuple[int, str]]) -> Compared: ...
    def write(self, folder: str, path: str, body: bytes) -> bool: ...
    def copy(self, file: str, folder: str, path: str, size: int, sha256_hex: str) -> tuple[bool, str]: ...
    def fill(self, folder: str, path: str, parts: Iterable[bytes], size: int, sha256_hex: str) -> tuple[bool, str]: ...
    def commit(self, folder: str, path: str, body: bytes) -> bool: ...
    def install(self, folder: str, path: str, parts: Iterable[bytes], mode: int = 0o755) -> None: ...
    def sync(self, folder: str) -> None: ...
    def remove(self, folder: str, path: str) -> None: ...
    def touch(self, folder: str, path: str, older_s: float) -> None: ...


class RealDisk:
    """The machine's own file system."""

    # While a folder is locked: every folder below it that is known to be one, with the names in it. Nobody else writes
    # there then, so that a file that is not listed need not be looked for.
    _listed: dict[str, set[str]] | None = None
    # The folder that is locked, and its descriptor: a sync tells of what went wrong since its descriptor was opened.
    _locked: tuple[str, int] = ("", -1)
    _is_mode_kept = False

    def scan(self, folder: str) -> list[Found]:
        """Return everything directly inside `folder`, sorted by the bytes of its name; no entry is looked at."""
        with os.scandir(folder) as entries:
            return sorted((Found(entry.name, _kind(entry)) for entry in entries), key=_by_bytes)

    def measure(self, folder: str) -> list[Measured]:
        """Return what `scan` does, with sizes and times, at the price of a look at each entry."""
        with os.scandir(folder) as entries:
            return sorted((_measured(entry) for entry in entries), key=_by_bytes)

    def read(self, file: str) -> bytes:
        """Return the bytes of a regular file; never blocks on a FIFO."""
        return b"".join(_chunks(file))

    def small(self, file: str, limit_bytes: int) -> Small | None:
        """Return the bytes of a regular file and their digest; None for a link, and for more than `limit_bytes`.

        Four calls of the system, because a build reads most of its files this way.
        """
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise
        try:
            status, noted_ns = os.fstat(descriptor), time.time_ns()
            if not stat.S_ISREG(status.st_mode):
                raise NotRegular(errno.EINVAL, "not a regular file", file)
            size = status.st_size
            body = os.read(descriptor, size + 1) if size <= limit_bytes else b""
        finally:
            os.close(descriptor)
        if len(body) != size:
            return None
        sha256_hex = hashlib.sha256(body).hexdigest()
        self._saw(file, status, noted_ns, sha256_hex)
        return Small(body, sha256_hex)

    def _saw(self, file: str, status: os.stat_result, noted_ns: int, sha256_hex: str) -> None:
        """Hear of a file that was read whole, as it stood at `noted_ns`; a disk that keeps no notes does nothing."""

    def _wrote(self, file: str, descriptor: int) -> None:
        """Hear that all bytes of a file are written, before it takes its name; for disks that keep notes."""

    def _named(self, file: str) -> None:
        """Hear that what was written has taken its name."""

    def parts(self, file: str) -> Iterator[bytes]:
        """Yield the bytes of a regular file, a bounded part at a time."""
        return _chunks(file)

    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests:
        """Return the size and digests of a regular file in one pass; its bytes, too, if there are at most `kept_bytes`.

        More are not held: they are read in pieces.
        """
        chunks = _chunks(file)
        body = next(chunks, b"")
        sha256, sha384, salted, size = hashlib.sha256(body), hashlib.sha384(body), hashlib.sha256(salt), len(body)
        if salt:
            salted.update(body)
        for chunk in chunks:
            size += len(chunk)
            sha256.update(chunk)
            sha384.update(chunk)
            if salt:
                salted.update(chunk)
        digest = sha256.digest()
        kept = body if size == len(body) <= kept_bytes else None
        return Digests(size, digest, sha384.digest(), salted.digest() if salt else digest, kept)

    def known_digest(self, file: str) -> str | None:  # noqa: ARG002 another disk may know
        """Return the sha256 of a file if it is known without reading it, which here it never is."""
        return None

    def is_file(self, file: str) -> bool:
        """Return whether `file` is a regular file or a link to one; errors other than absence are raised."""
        return stat.S_ISREG(mode_at(file, os.stat))

    def is_folder(self, folder: str) -> bool:
        """Return whether `folder` is one, or a link to one; errors other than absence are raised."""
        return stat.S_ISDIR(mode_at(folder, os.stat))

    def make_folder(self, folder: str) -> None:
        """Make `folder` and its parents, readable by everyone whatever the umask, unless it is there."""
        missing = [folder]
        while not mode_at(os.path.dirname(missing[-1]), os.lstat):
            missing.append(os.path.dirname(missing[-1]))
        for each in reversed(missing):
            try:
                os.mkdir(each, 0o755)
            except FileExistsError:
                if not self.is_folder(each):
                    raise
            else:
                os.chmod(each, 0o755)  # noqa: S103 the umask of the machine must not reach the output

    @contextlib.contextmanager
    def lock(self, folder: str) -> Iterator[bool]:
        """Hold `folder` for one writer at a time; give False where the file system has no locks.

        Safety does not depend on it: every write is a rename of complete bytes onto a name made of them. The folder
        itself is locked (flock(2)), so that no lock file reaches the output.
        """
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                is_held = True
            except OSError as error:
                if error.errno not in (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
                    raise
                is_held = False
            self._listed = {} if is_held else None
            self._locked = folder, descriptor
            yield is_held
        finally:
            self._listed, self._locked = None, ("", -1)
            os.close(descriptor)

    def sweep(self, folder: str) -> int:
        """Remove temporary files of writers that are dead, below `folder`; return how many there were."""
        count = 0
        waiting = [folder]  # and no recursion: folders may be nested deeper than calls
        while waiting:
            parent = waiting.pop()
            entries = self.scan(parent)
            if self._listed is not None:
                self._listed[parent] = {found.name for found in entries}
            for found in entries:
                if found.kind == "folder":
                    waiting.append(os.path.join(parent, found.name))
                elif found.name.startswith(TEMP_MARK) and not _is_alive(found.name):
                    self.remove(parent, found.name)
                    count += 1
        return count

    def compared(self, folder: str, path: str, expected: Callable[[], tuple[int, str]]) -> Compared:
        """Return whether what stands at `folder/path` is what should. expected: gives its size and sha256 (hex)."""
        file = self._place(folder, path)
        if not self._may_hold(file):
            return "absent"
        if self.holds(file, *expected()):
            return "same"
        return "other" if mode_at(file, os.lstat) else "absent"

    def write(self, folder: str, path: str, body: bytes) -> bool:
        """Put `body` at `folder/path` by temporary file and rename; return False if those bytes stood there already.

        An existing file is believed only after its bytes match. The name is durable after the next `sync`.
        """
        file = self._place(folder, path)
        if self._may_hold(file) and self.holds(file, len(body), hashlib.sha256(body).hexdigest()):
            return False
        with self._temporary(file) as descriptor:
            _write_all(descriptor, body)
        return True

    def copy(self, file: str, folder: str, path: str, size: int, sha256_hex: str) -> tuple[bool, str]:
        """Put the bytes of `file` at `folder/path` as `fill` does."""
        return self.fill(folder, path, _chunks(file), size, sha256_hex)

    def fill(self, folder: str, path: str, parts: Iterable[bytes], size: int, sha256_hex: str) -> tuple[bool, str]:
        """Put the joined `parts` at `folder/path`; return whether it was written, and the digest of what they held.

        Nothing appears under the name unless the bytes have that digest. If they stand there, no part is asked for.
        """
        target = self._place(folder, path)
        if self._may_hold(target) and self.holds(target, size, sha256_hex):
            return False, sha256_hex
        digest = hashlib.sha256()
        with contextlib.suppress(_Discarded), self._temporary(target) as descriptor:
            for part in parts:
                digest.update(part)
                _write_all(descriptor, part)
            if digest.hexdigest() != sha256_hex:
                raise _Discarded
        return True, digest.hexdigest()

    def commit(self, folder: str, path: str, body: bytes) -> bool:
        """Put `body` at `folder/path` like `write`, durable when it returns: first the file, then its name."""
        file = self._place(folder, path)
        is_new = not self.holds(file, len(body), hashlib.sha256(body).hexdigest())
        if is_new:
            with self._temporary(file) as descriptor:
                _write_all(descriptor, body)
                os.fsync(descriptor)
        _sync_folder(os.path.dirname(file))
        return is_new

    def install(self, folder: str, path: str, parts: Iterable[bytes], mode: int = 0o755) -> None:
        """Put the joined `parts` at `folder/path`, by default as a program, replacing what was there.

        Whatever `parts` raises is raised here, and then nothing appears under the name.
        """
        with self._temporary(os.path.join(folder, path), mode) as descriptor:
            for part in parts:
                _write_all(descriptor, part)

    def sync(self, folder: str) -> None:
        """Make everything written below `folder` durable: one `syncfs` of its file system (Linux), else `sync`.

        In a folder that is locked it raises what went wrong since the lock was taken (Linux 5.8), syncfs(2).
        """
        is_locked = self._locked[0] == folder
        descriptor = self._locked[1] if is_locked else os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_one = _syncfs()
            if sync_one is None:
                os.sync()
            elif sync_one(descriptor) != 0:
                import ctypes

                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), folder)
        finally:
            if not is_locked:
                os.close(descriptor)

    def remove(self, folder: str, path: str) -> None:
        """Remove one file; it is no error if it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, path))

    def touch(self, folder: str, path: str, older_s: float) -> None:
        """Give a file the time of now if its own lies more than `older_s` back: the mark of its last use."""
        file = os.path.join(folder, path)
        if time.time() - os.stat(file).st_mtime > older_s:
            os.utime(file)

    @contextlib.contextmanager
    def _temporary(self, file: str, mode: int = MODE) -> Iterator[int]:
        """Give a descriptor to write; at the end the file takes its name, on any error it is gone."""
        parent, name = os.path.split(file)
        temporary = os.path.join(parent, f"{TEMP_MARK}{os.getpid()}-{next(_counter)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        names = self._listed.get(parent) if self._listed is not None else None
        if names is None:
            self.make_folder(parent)
        FILES.add(temporary)
        try:
            descriptor = os.open(temporary, flags, mode)
            try:
                yield descriptor
                self._set_mode(descriptor, mode)
                self._wrote(file, descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, file)
            self._named(file)
            if names is not None:
                names.add(name)
        except BaseException:
            with contextlib.suppress(OSError):  # what went wrong first says more; the next run sweeps
                os.unlink(temporary)
            raise
        finally:
            FILES.discard(temporary)

    def _set_mode(self, descriptor: int, mode: int) -> None:
        """Give a new file its mode whatever the umask, which is the process's own and so is asked for once."""
        if self._is_mode_kept and mode == MODE:
            return
        self._is_mode_kept = mode == MODE and stat.S_IMODE(os.fstat(descriptor).st_mode) == mode
        os.fchmod(descriptor, mode)

    def _place(self, folder: str, path: str) -> str:
        """Return the file of `path` in `folder`; raise `OSError` for a link on the way, which may lead anywhere."""
        file = os.path.join(folder, path)
        if self._listed is not None and file[: file.rfind("/")] in self._listed:
            return file
        parent = folder
        for segment in path.split("/")[:-1]:
            parent = os.path.join(parent, segment)
            if stat.S_ISLNK(mode_at(parent, os.lstat)):
                raise NotADirectoryError(errno.ENOTDIR, "is a link and not a folder", parent)
        if self._listed is not None and not mode_at(parent, os.lstat):
            self.make_folder(parent)
            self._listed[parent] = set()
        return file

    def _may_hold(self, file: str) -> bool:
        """Return whether there may be a file of that name."""
        folder, _, name = file.rpartition("/")
        names = self._listed.get(folder) if self._listed is not None else None
        return names is None or name in names

    def holds(self, file: str, size: int, sha256_hex: str) -> bool:
        """Return whether `file` is a file of ours with those bytes: regular, of the mode that `write` gives."""
        try:
            status = os.lstat(file)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not stat.S_ISREG(status.st_mode) or status.st_size != size or stat.S_IMODE(status.st_mode) != MODE:
            return False
        return self.digests(file, b"").sha256.hex() == sha256_hex


class _Discarded(Exception):
    """The bytes were not what was promised: the temporary file must not take its name."""


def _chunks(file: str) -> Iterator[bytes]:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegular(errno.EINVAL, "not a regular file", file)
        # One byte more than the size: what gives no more than the size has come to its end, in one call.
        wanted = min(status.st_size + 1, _READ_BYTES)
        total = 0
        while chunk := os.read(descriptor, wanted):
            yield chunk
            total += len(chunk)
            if total == status.st_size and len(chunk) < wanted:
                return
            wanted = _READ_BYTES
    finally:
        # Of a file that was only read, it says nothing of the bytes; and a walk that ends early is closed by the
        # collector, where an error could only be printed.
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _write_all(descriptor: int, body: bytes) -> None:
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def mode_at(path: str, look: Callable[[str], os.stat_result]) -> int:
    """Return the mode of what stands at a path, 0 if there is nothing; raise `OSError` if nobody can say.

    look: `os.stat`, or `os.lstat` for a link itself.
    """
    try:
        return look(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        # os.path would hide the others, and a disk that cannot be read would look like an empty one.
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            return 0
        raise


def place_of_file(file: str) -> str:
    """Return where a file that the user names is to be put: what is there may be replaced, and a link stays one.

    Raises `NotRegular` for a device, a FIFO or a folder. A rename would put a file in the place of `/dev/null`.
    """
    if (mode := mode_at(file, os.stat)) and not stat.S_ISREG(mode):
        raise NotRegular(errno.EINVAL, "not a regular file", file)
    return os.path.realpath(file)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_alive(temporary: str) -> bool:
    """Return whether the process that made the temporary file may still be writing it."""
    pid = temporary.removeprefix(TEMP_MARK).partition("-")[0]
    # Anybody may have made the name: 0 would be our own group, and no system counts to ten digits (pid_t has 32 bits).
    if not (pid.isascii() and pid.isdigit() and len(pid) < 10) or int(pid) in (0, os.getpid()):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _measured(entry: os.DirEntry[str]) -> Measured:
    status = entry.stat(follow_symlinks=False)
    return Measured(entry.name, _kind(entry), status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def _by_bytes(found: Found | Measured) -> bytes:
    return os.fsencode(found.name)


_counter = itertools.count()


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the C library's `syncfs` (Linux since 2.6.39), None where it has none."""
    import ctypes

    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return found

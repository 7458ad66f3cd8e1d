"""Reading sources: each file once per build, and per job a record of what was read and what was looked for in vain.

`Library` is shared by all jobs of a build and remembers bytes; `Reading` is one job's view of it. The record is what
the cache will need: inputs by content, absences by path (a partial that appears tomorrow may win a resolution).
"""

from __future__ import annotations

import hashlib
import os
import threading

from assetbuild.compiler import door
from assetbuild.compiler.model import Absent, Input
from assetbuild.disk import Disk, Small

__all__ = ["Library", "Outside", "Reading"]

_SMALL_BYTES = 64 << 10  # up to here a file is read once: for its digests, its references, its place in the output
_ROOM_BYTES = 16 << 20


class Outside(OSError):
    """A file that a source names lies outside every folder that the configuration declares."""


class Library:
    """Every file that the build has read. Safe in threads: two readers at once may read twice, and agree.

    folder: absolute path of the project, to which shown paths are relative.
    confines: absolute real folders outside which nothing is read (roots, load paths, `node_modules`, entries' folders).
    """

    def __init__(self, disk: Disk, folder: str, confines: tuple[str, ...]) -> None:
        self.disk = disk
        self.folder = folder
        self._inside = os.path.join(folder, "")
        self.confines = tuple(os.path.join(confine, "") for confine in confines)
        self._contents: dict[str, Small] = {}
        self._real_folders: dict[str, str] = {}
        self._room_bytes = _ROOM_BYTES
        self._lock = threading.Lock()

    def content(self, file: str) -> Small:
        """Return the content of `file`, and keep it; raise `OSError`, `Outside` if links lead out of those folders."""
        known = self._contents.get(file)
        if known is None:
            known = self.small(file)
            if known is None:
                self.confine(file)
                body = self.disk.read(file)
                known = Small(body, hashlib.sha256(body).hexdigest())
            self.keep(file, known)
        return known

    def small(self, file: str) -> Small | None:
        """Return the content of a small file, not kept; None for a larger one and for a link; raise as `content`."""
        self._enter(os.path.dirname(file), file)
        return self.disk.small(file, _SMALL_BYTES)

    def held(self, file: str) -> Small | None:
        """Return the content of `file` if it is kept."""
        return self._contents.get(file)

    def keep(self, file: str, content: Small) -> None:
        """Keep what was read of `file` for those who ask next."""
        with self._lock:
            self._contents.setdefault(file, content)

    def digest_hex(self, file: str) -> str:
        """Return the sha256 of what `file` holds; raise as `content` does."""
        return self.known_digest(file) or self.content(file).sha256_hex

    def known_digest(self, file: str) -> str | None:
        """Return the sha256 of a file that is no link if it is known without reading it; raise as `content` does."""
        held = self._contents.get(file)
        if held is not None:
            return held.sha256_hex
        self._enter(os.path.dirname(file), file)
        return self.disk.known_digest(file)

    def release(self) -> None:
        """Let go of what was read: after the engines nobody asks for it again."""
        with self._lock:
            self._contents.clear()

    def confine(self, file: str) -> None:
        """Raise `Outside` if `file`, links followed, neither lies in a declared folder nor is one."""
        if not self.is_inside(file):
            raise Outside(f"`{self.shown(file)}` lies outside the declared roots")

    def is_inside(self, file: str) -> bool:
        """Return whether `file`, links followed, lies in a declared folder or is one."""
        folder, name = os.path.split(file)
        at = f"{self._real(folder)}/{name}"
        return f"{os.path.realpath(at) if os.path.islink(at) else at}/".startswith(self.confines)

    def _enter(self, folder: str, file: str) -> None:
        """Raise `Outside` if `file` lies in no declared folder; where it leads, if it is a link, is not looked at."""
        if not f"{self._real(folder)}/".startswith(self.confines):
            self.confine(file)

    def _real(self, folder: str) -> str:
        real = self._real_folders.get(folder)
        if real is None:  # folders do not change while they are compiled, and a link in one is looked at each time
            real = self._real_folders[folder] = os.path.realpath(folder)
        return real

    def room_for(self, size: int) -> bool:
        """Return whether the bytes of a file that nobody reads may be kept until they are published."""
        with self._lock:
            has_room = self._room_bytes >= size
            self._room_bytes -= size * has_room
            return has_room

    def shown(self, file: str) -> str:
        """Return `file` as people write it: relative to the project if it lies inside, POSIX."""
        if file.startswith(self._inside) and "/../" not in file:
            return file[len(self._inside) :]
        inside = os.path.relpath(file, self.folder)
        return (file if inside.startswith("..") else inside).replace(os.sep, "/")


class Reading:
    """One job's reading: `inputs()` and `absent()` are its record, sorted."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._inputs: dict[str, str] = {}
        self._absent: set[str] = set()

    def read(self, file: str) -> bytes:
        """Return the bytes of `file` (absolute path) and record it as an input."""
        content = self.library.content(file)
        self._inputs[file] = content.sha256_hex
        return content.body

    def text(self, file: str) -> str:
        """Return the text of `file` after the door; raise `door.Refused`."""
        return door.admit(self.read(file), self.library.shown(file))

    def exists(self, file: str) -> bool:
        """Return whether `file` is a regular file inside the declared folders; a no is recorded."""
        if self.library.disk.is_file(file) and self.library.is_inside(file):
            return True
        self._absent.add(file)
        return False

    def first(self, candidates: list[str]) -> str | None:
        """Return the first candidate that exists; those before it are recorded as absent."""
        return next((file for file in candidates if self.exists(file)), None)

    def shown(self, file: str) -> str:
        """Return `file` as people write it."""
        return self.library.shown(file)

    def note(self, file: str, digest_hex: str) -> None:
        """Record an input that something else read (a worker process), with the digest of the bytes it saw."""
        self._inputs[file] = digest_hex

    def note_absent(self, file: str) -> None:
        """Record a file that something else looked for in vain."""
        self._absent.add(file)

    def inputs(self) -> tuple[Input, ...]:
        """Return what was read, sorted by file."""
        return tuple(Input(*item) for item in sorted(self._inputs.items()))

    def absent(self) -> tuple[Absent, ...]:
        """Return what was looked for and not found, sorted."""
        return tuple(sorted(self._absent))

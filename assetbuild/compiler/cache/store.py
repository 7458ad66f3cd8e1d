"""Store: bytes by name in a folder that anyone may delete, cut or corrupt at any time: whatever is wrong is a miss.

Receives names and bytes, hands back those bytes or nothing. Small items lie together in packs, large ones in files of
their own: a hundred thousand small files cost more to write than to compile. Every item is held against its digest
whenever it is read. Several processes may share the folder: nothing is changed in place, every file appears by rename.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from assetbuild.compiler.cache.pack import Pack, opened, packed, vouched
from assetbuild.disk import TEMP_MARK, Disk, Measured

__all__ = ["FORMAT", "Store", "Tally"]

FORMAT = 1
"""Version of the layout below, and the name of the folder that holds it."""

PACK_BYTES = 32 << 20
"""How much waits in memory before a pack is written."""

LIMIT_BYTES = 1 << 30
"""How much the folder may hold. What was not used for longest goes first."""

UNUSED_S = 30 * 24 * 3600
"""How long an item stays that no build uses."""

_ALONE_BYTES = 256 << 10  # from here on an item has a file of its own
_PACKS_LIMIT = 16  # more of them are merged into one
_DIGEST_DIGITS = 64
_REFRESH_S = 24 * 3600  # the time of last use is kept to the day, so that most reads write nothing


class Tally(NamedTuple):
    """What was asked of a store. broken: items that were there, and not what had been put."""

    hits: int = 0
    misses: int = 0
    broken: int = 0


class Store:
    """A folder of named bytes. Safe in threads. A name is `kind/hex`, made by us and never by an entry.

    warn: gets a sentence and a hint, once, when the folder cannot be read or written; all goes on without it.
    is_writable: else nothing is kept, repaired, marked as used or removed, and the folder stays as it is.
    """

    def __init__(
        self, folder: str, disk: Disk, warn: Callable[[str], None] = lambda _: None, *, is_writable: bool = True
    ) -> None:
        self._folder = os.path.join(folder, f"v{FORMAT}")
        self._disk = disk
        self._warn = warn
        self._is_writable = is_writable
        self._lock = threading.RLock()
        self._waiting: dict[str, bytes] = {}
        self._waiting_bytes = 0
        self._packs: dict[str, Pack] | None = None
        self._folders: set[str] | None = None
        self._touched: set[str] = set()
        self._has_written = False
        self.tally = Tally()

    def get(self, name: str) -> bytes | None:
        """Return the bytes that were put under `name`, None if they are not there as they were put."""
        with self._lock:
            body = self._waiting.get(name)
            if body is None:
                body = self._in_pack(name)
            if body is None:
                body = self._alone(name)
            is_hit = body is not None
            self.tally = self.tally._replace(hits=self.tally.hits + is_hit, misses=self.tally.misses + (not is_hit))
            return body

    def put(self, name: str, body: bytes) -> None:
        """Keep `body` under `name`, in the place of what is there; other processes see it after `flush`."""
        if not self._is_writable:
            return
        if len(body) >= _ALONE_BYTES:
            self._write(_path_of(name), vouched(name, body).encode() + body)
            self._folders = None
            return
        with self._lock:
            self._waiting_bytes += len(body) - len(self._waiting.get(name, b""))
            self._waiting[name] = body
            if self._waiting_bytes >= PACK_BYTES:
                self._write_waiting()

    def flush(self) -> None:
        """Write what waits; where anything was written, merge packs that have become many, prune and sweep."""
        with self._lock:
            self._write_waiting()
            if not self._has_written:
                return
            names = [name for _, _, name in self._listed("packs")]
            if len(names) > _PACKS_LIMIT:
                self._merge(names)
            self.prune(LIMIT_BYTES, UNUSED_S)
            with contextlib.suppress(OSError):
                self._disk.sweep(self._folder)
            self._has_written = False

    def close(self) -> None:
        """Let go of the open files; what waits and was not flushed is lost."""
        with self._lock:
            for pack in (self._packs or {}).values():
                try:
                    pack.close()
                except OSError as error:
                    self._fault("read", error)
            self._packs = None

    def prune(self, max_bytes: int, unused_s: float) -> int:
        """Remove what was not used for `unused_s`, then the longest unused until `max_bytes` hold the rest.

        Return how many bytes went. A process that has one of the files open keeps it.
        """
        kept = sum(size for _, size, _ in self._everything())
        oldest_ns, gone = time.time_ns() - int(unused_s * 1e9), 0
        for used_ns, size, path in sorted(self._everything()):
            if used_ns >= oldest_ns and kept <= max_bytes:
                break
            with contextlib.suppress(OSError):
                self._disk.remove(self._folder, path)
                kept, gone = kept - size, gone + size
        return gone

    def _in_pack(self, name: str) -> bytes | None:
        for path, pack in self._opened().items():
            if name not in pack.items:
                continue
            try:
                body = pack.read(name)
            except OSError as error:
                self._fault("read", error)
                continue
            if body is not None:
                self._mark_used(path)
                return body
            self._broken()  # an older pack may hold it whole; else it is made anew, and put into a younger one
        return None

    def _alone(self, name: str) -> bytes | None:
        path = _path_of(name)
        if self._folders is None:
            self._folders = {each.name for each in self._scanned("items")}
        if path.split("/")[1] not in self._folders:
            return None  # a look at each of a thousand items that were never put would cost more than this one
        try:
            content = self._disk.read(os.path.join(self._folder, path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._fault("read", error)
            return None
        body = content[_DIGEST_DIGITS:]
        if content[:_DIGEST_DIGITS] != vouched(name, body).encode():
            self._broken(path)
            return None
        self._mark_used(path)
        return body

    def _opened(self) -> dict[str, Pack]:
        """Return every pack, the youngest first."""
        if self._packs is None:
            self._packs = {}
            for _, _, path in sorted(self._listed("packs"), reverse=True):
                try:
                    pack = opened(os.path.join(self._folder, path))
                except FileNotFoundError:
                    continue  # another process has merged it
                except OSError as error:
                    self._fault("read", error)
                    continue
                if pack is None:
                    self._broken(path)
                else:
                    self._packs[path] = pack
        return self._packs

    def _write_waiting(self) -> None:
        if self._waiting:
            self._write_pack(self._waiting)
            self._waiting, self._waiting_bytes = {}, 0

    def _write_pack(self, items: dict[str, bytes]) -> str:
        content = packed(items)
        path = f"packs/{vouched('pack', content)[:32]}"
        self._write(path, content)
        if self._packs is not None and path not in self._packs:
            # Whoever goes on with this store finds in it what it was given.
            with contextlib.suppress(OSError):
                pack = opened(os.path.join(self._folder, path))
                self._packs = {**({path: pack} if pack else {}), **self._packs}
        return path

    def _merge(self, paths: Iterable[str]) -> None:
        """Put the items of all packs into as few as will do, then remove the old ones."""
        self.close()
        merged: dict[str, bytes] = {}
        made: set[str] = set()
        size = 0
        for name in sorted({name for pack in self._opened().values() for name in pack.items}):
            body = self._in_pack(name)
            if body is not None:
                merged[name] = body
                size += len(body)
            if size >= PACK_BYTES:
                made.add(self._write_pack(merged))
                merged, size = {}, 0
        if merged:
            made.add(self._write_pack(merged))
        self.close()
        for path in set(paths) - made:
            with contextlib.suppress(OSError):
                self._disk.remove(self._folder, path)

    def _everything(self) -> Iterator[tuple[int, int, str]]:
        yield from self._listed("packs")
        for folder in self._scanned("items"):
            yield from self._listed(f"items/{folder.name}")

    def _listed(self, folder: str) -> list[tuple[int, int, str]]:
        """Return (time of last use, size, path) of every file in a folder of the store."""
        found = self._scanned(folder)
        return [
            (each.mtime_ns, each.size, f"{folder}/{each.name}")
            for each in found
            # What another process has not finished is nothing yet, and not for us to remove.
            if each.kind == "file" and not each.name.startswith(TEMP_MARK)
        ]

    def _scanned(self, folder: str) -> list[Measured]:
        try:
            return self._disk.measure(os.path.join(self._folder, folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._fault("read", error)
            return []

    def _write(self, path: str, content: bytes) -> None:
        self._has_written = True
        try:
            try:
                self._put(path, content)
            except FileNotFoundError:
                # Somebody deletes the folder, or took our temporary file for a dead writer's: a process of another
                # PID namespace cannot see that we live.
                self._put(path, content)
        except OSError as error:
            self._fault("written", error)

    def _put(self, path: str, content: bytes) -> None:
        self._disk.make_folder(self._folder)
        self._disk.write(self._folder, path, content)

    def _broken(self, path: str = "") -> None:
        self.tally = self.tally._replace(broken=self.tally.broken + 1)
        if path and self._is_writable:
            with contextlib.suppress(OSError):
                self._disk.remove(self._folder, path)

    def _mark_used(self, path: str) -> None:
        if self._is_writable and path not in self._touched:
            self._touched.add(path)
            with contextlib.suppress(OSError):
                self._disk.touch(self._folder, path, _REFRESH_S)

    def _fault(self, what: str, error: OSError) -> None:
        warn, self._warn = self._warn, lambda _: None
        reason = (error.strerror or str(error)).lower()
        effect = "keeps nothing for the next one" if what == "written" else "takes nothing of the last one"
        warn(
            f"the compile cache `{os.path.dirname(self._folder)}` cannot be {what}: {reason}; "
            f"the compile goes on, and {effect}\n"
            "  choose another folder with `ASSETBUILD_CACHE` or `[cache] local`; `off` in either goes without"
        )


def _path_of(name: str) -> str:
    kind, _, digits = name.partition("/")
    return f"items/{digits[:2]}/{kind}-{digits[2:]}"

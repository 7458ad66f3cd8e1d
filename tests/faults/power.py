"""Power: what a disk may hold after the power went, from the operations of one compile.

Nothing that was not synced is sure. Of the writes, any may be whole, half there or not there; of the new names, any may
be there or not, in whatever order they were made. So a file may have its name and none of its bytes. `fsync` of a file
makes its bytes sure, of a folder its names, `syncfs` everything. Source: fsync(2), sync(2) of the Linux manual; the
same model as the crash tests of SQLite ("How SQLite Is Tested", section 3.3).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.builds import files_in, standing
from tests.faults.forge import Ended
from tests.faults.shim import run_tampered
from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["Operation", "lost", "recorded", "states"]


class Operation(NamedTuple):
    """One change, or one sync. file: a number for each file that was opened, whatever its name; 0 for none."""

    kind: str  # create, write, link, drop, folder, sync, sync folder, sync all
    path: str = ""
    file: int = 0
    body: bytes = b""
    old_path: str = ""


State = Mapping[str, bytes]

_NOTHING = Ended(-9, "")


class _Recorder:
    """Notes the operations of a run below a folder."""

    def __init__(self, folder: Path) -> None:
        self._inside = os.path.join(folder, "")
        self._files: dict[int, int] = {}
        self._folders: dict[int, str] = {}
        self._count = 0
        self.operations: list[Operation] = []

    def note(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        made = getattr(self, f"_{name}", None)
        if made is not None:
            self.operations += made(args, result)

    def _open(self, args: tuple[Any, ...], result: int) -> list[Operation]:
        path, flags = args[0], args[1]
        if flags & os.O_CREAT:
            assert flags & os.O_EXCL, path  # nothing is changed in place
            self._count += 1
            self._files[result] = self._count
            return [Operation("create", self._name(path), self._count)]
        if flags & os.O_DIRECTORY:
            self._folders[result] = self._name(path)
        return []

    def _write(self, args: tuple[Any, ...], result: int) -> list[Operation]:
        return [Operation("write", "", self._files[args[0]], bytes(args[1][:result]))]

    def _replace(self, args: tuple[Any, ...], _: object) -> list[Operation]:
        return [Operation("link", self._name(args[1]), old_path=self._name(args[0]))]

    def _unlink(self, args: tuple[Any, ...], _: object) -> list[Operation]:
        return [Operation("drop", self._name(args[0]))]

    def _mkdir(self, args: tuple[Any, ...], _: object) -> list[Operation]:
        return [Operation("folder", self._name(args[0]))]

    def _fsync(self, args: tuple[Any, ...], _: object) -> list[Operation]:
        if args[0] in self._files:
            return [Operation("sync", "", self._files[args[0]])]
        return [Operation("sync folder", self._folders[args[0]])]

    def _syncfs(self, *_: object) -> list[Operation]:
        return [Operation("sync all")]

    def _close(self, args: tuple[Any, ...], _: object) -> list[Operation]:
        self._files.pop(args[0], None)
        self._folders.pop(args[0], None)
        return []

    def _name(self, path: str) -> str:
        return path.removeprefix(self._inside)


class _Platter:
    """A disk with its cache: what is sure, and what is only likely."""

    def __init__(self, files: State) -> None:
        self._names: dict[str, int] = {}
        self._bodies: dict[int, list[bytes]] = {}
        for number, (path, body) in enumerate(files.items(), 1):
            self._names[path], self._bodies[-number] = -number, [body]
        self._now = dict(self._names)
        self._loose_names: list[tuple[str, dict[str, int]]] = []  # (folder, name → file or 0 for none), each at once
        self._loose_writes: dict[int, int] = {}  # file → how many of its writes are sure

    def do(self, operation: Operation) -> None:
        kind, path, file = operation.kind, operation.path, operation.file
        if kind == "create":
            self._bodies[file] = []
            self._loose_writes[file] = 0
            self._name({path: file})
        elif kind == "write":
            self._bodies[file].append(operation.body)
        elif kind == "link":
            self._name({path: self._now[operation.old_path], operation.old_path: 0})
        elif kind == "drop":
            self._name({path: 0})
        elif kind == "sync":
            self._loose_writes.pop(file, None)
        elif kind == "sync folder":
            self._settle([each for each in self._loose_names if each[0] == path])
        elif kind == "sync all":
            self._loose_writes.clear()
            self._settle(self._loose_names)

    def after(self, rng: random.Random, chance: float) -> dict[str, bytes]:
        """Return what may be there after the power went. chance: how likely it is that something loose is there."""
        names = dict(self._names)
        for _, changes in self._loose_names:
            names |= changes if rng.random() < chance else {}
        return {path: self._body(file, rng, chance) for path, file in names.items() if file}

    def _name(self, changes: dict[str, int]) -> None:
        self._now |= changes
        self._loose_names.append((os.path.dirname(next(iter(changes))), changes))

    def _settle(self, names: Sequence[tuple[str, dict[str, int]]]) -> None:
        for _, changes in names:
            self._names |= changes
        self._loose_names = [each for each in self._loose_names if each not in names]

    def _body(self, file: int, rng: random.Random, chance: float) -> bytes:
        if file not in self._loose_writes:
            return b"".join(self._bodies[file])
        found = b""
        for part in self._bodies[file]:
            kept = len(part) if rng.random() < chance else rng.choice((0, len(part) // 2))
            # What is missing may be missing, or there as zeros.
            found += part[:kept] + bytes(rng.choice((0, len(part) - kept)))
        return found


def recorded(stage: Stage) -> list[Operation]:
    """Return what one run of the new edition does to the disk, from the state that the old one left."""
    stage.reset()
    recorder = _Recorder(stage.run().folder)
    ended, _ = run_tampered(stage.run(), note=recorder.note)
    assert ended.code == 0, ended.text
    return recorder.operations


def states(
    files: State, operations: Sequence[Operation], subsets: int, *, seed: int = 1
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield (operations done, what is there) for every prefix and `subsets` losses of each.

    The first loses everything that was not synced, the second nothing.
    """
    rng = random.Random(seed)
    for done in range(len(operations) + 1):
        platter = _Platter(files)
        for operation in operations[:done]:
            platter.do(operation)
        for number in range(subsets):
            yield done, platter.after(rng, float(number) if number < 2 else rng.random())


def lost(stage: Stage, subsets: int, *, healed_every: int) -> Iterator[Fate]:
    """Judge every state that a power cut may leave; after some, compile again and judge that as well."""
    operations = recorded(stage)
    stage.reset()
    folder = stage.run().folder
    shown = os.path.relpath(stage.output, folder)
    kept = [stage.output, stage.hidden, stage.cache]
    before = {os.path.relpath(top / path, folder): body for top in kept for path, body in files_in(top).items()}
    for number, (done, files) in enumerate(states(before, operations, subsets)):
        found = standing(_below(files, shown), stage.old, stage.new)
        is_over = done == len(operations)
        fault = f"the power went after {done} of {len(operations)} operations"
        wrongs = [found] if found in ("mixed", "torn") else []
        if is_over and found != "new":
            wrongs.append(f"exit 0 and the output is {found}")
        fate = Fate(fault, True, found, _NOTHING, tuple(wrongs))
        if number % healed_every == 0:
            _spread(files, folder, kept)
            again = fate_of(stage, fault, _NOTHING, has_fired=True, again=lambda run: run_tampered(run)[0])
            fate = fate._replace(wrongs=(*fate.wrongs, *again.wrongs))
        yield fate


def _below(files: State, folder: str) -> Callable[[str], bytes | None]:
    return lambda path: files.get(f"{folder}/{path}")


def _spread(files: State, folder: Path, kept: Sequence[Path]) -> None:
    for top in kept:
        shutil.rmtree(top, ignore_errors=True)
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)

"""Shim: a stand-in for `os` and `fcntl` in the modules of the product, which counts calls, and fails at one of them.

Only names of modules are exchanged. `os.path` is the standard library's own code over the stand-in, so that what it
hides (`isdir` of a folder that cannot be looked at) is hidden here as well.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import genericpath
import importlib.util
import io
import itertools
import os
import posixpath
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

from assetbuild import disk
from assetbuild.cli import main
from tests.faults.forge import Ended, Run
from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["DEATH", "SHORT", "Death", "Plan", "Tampered", "run_tampered", "strike", "strikes", "tampered"]

DEATH = "death"
SHORT = "short"

Note = Callable[[str, tuple[Any, ...], Any], None]

_CALLS = (
    *("open", "read", "pread", "write", "close", "stat", "lstat", "fstat", "scandir", "listdir", "readlink", "utime"),
    *("mkdir", "chmod", "fchmod", "replace", "rename", "unlink", "rmdir", "fsync", "sync"),
)

_SHORTENED = ("read", "pread", "write")


class Plan(NamedTuple):
    """The n-th call (from 1) meets `what`: the name of an error, DEATH or SHORT; is_lasting: all later ones as well.

    DEATH: nothing happens any more, as after a SIGKILL. SHORT: one byte less than asked for, or all but one.
    """

    number: int
    what: str
    is_lasting: bool = False

    def __str__(self) -> str:
        return f"{self.what} at call {self.number}{'+' if self.is_lasting else ''}"

    @property
    def reason(self) -> str:
        """The system's word for it."""
        return "" if self.what in (DEATH, SHORT) else os.strerror(getattr(errno, self.what))


NONE = Plan(0, "EIO")


class Death(BaseException):
    """The process has died here; nobody catches it, and what tidies up on its way does nothing."""


class Tampered:
    """What stands for `os`. called: the calls so far that concern `folder`. fired: those that the plan met.

    note: is told of every such call that did what it should: its name, its arguments, its result.
    """

    def __init__(self, folder: Path, plan: Plan = NONE, note: Note | None = None) -> None:
        self._inside = os.path.join(folder, "")
        self._plan = plan
        self._note = note
        self._lock = threading.RLock()
        self._descriptors: set[int] = set()
        self.called: list[str] = []
        self.fired: list[str] = []
        self.path = _path_over(self)
        for name in _CALLS:
            setattr(self, name, self.faulty(name, getattr(os, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def faulty(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call`, counted, and failing where the plan has it."""

        def calling(*args: Any, **named: Any) -> Any:
            with self._lock:
                if not self._concerns(args[0]):
                    return call(*args, **named)
                if self._plan.what != SHORT or name in _SHORTENED:
                    self.called.append(name)
                    if self._is_met():
                        self.fired.append(name)
                        args = self._met(name, args)
                result = call(*args, **named)
                if name == "open":
                    self._descriptors.add(result)
                elif name == "close":
                    self._descriptors.discard(args[0])
                if self._note is not None:
                    self._note(name, args, result)
                return result

        return calling

    def _concerns(self, what: object) -> bool:
        return what in self._descriptors if isinstance(what, int) else f"{what}/".startswith(self._inside)

    def _is_met(self) -> bool:
        plan = self._plan
        is_on = plan.is_lasting or plan.what == DEATH
        count = len(self.called)
        return 0 < plan.number and (count >= plan.number if is_on else count == plan.number)

    def _met(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Fail as planned, or return what is to be called instead."""
        if self._plan.what == SHORT:
            return _shortened(name, args)
        if name == "close":
            os.close(*args)  # a descriptor is given back even by a close that fails, and by death
            self._descriptors.discard(args[0])
        if self._plan.what == DEATH:
            raise Death
        code = getattr(errno, self._plan.what)
        raise OSError(code, os.strerror(code), *(arg for arg in args[:1] if isinstance(arg, str)))


@contextlib.contextmanager
def tampered(folder: Path, plan: Plan = NONE, note: Note | None = None) -> Iterator[Tampered]:
    """Put the stand-in into every module of the product that is loaded; calls about `folder` are its own."""
    stand_in = Tampered(folder, plan, note)
    locks = ModuleType("fcntl")
    locks.__dict__.update({**vars(fcntl), "flock": stand_in.faulty("flock", fcntl.flock)})
    syncfs = disk._syncfs()
    assert syncfs

    def sync_one(descriptor: int) -> int:
        try:
            return int(stand_in.faulty("syncfs", syncfs)(descriptor))
        except OSError as error:
            import ctypes

            ctypes.set_errno(error.errno or 0)
            return -1

    with contextlib.ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "assetbuild":
                for known, other in (("os", stand_in), ("fcntl", locks)):
                    if vars(module).get(known) is sys.modules[known]:
                        stack.enter_context(mock.patch.object(module, known, other))
        stack.enter_context(mock.patch.object(disk, "_syncfs", return_value=sync_one))
        yield stand_in


def run_tampered(run: Run, plan: Plan = NONE, note: Note | None = None) -> tuple[Ended, Tampered]:
    """Run the command in this process, with a stand-in for what concerns its folder; a death has SIGKILL's code."""
    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, run.environ, clear=True),
        contextlib.redirect_stderr(printed),
        contextlib.redirect_stdout(printed),
        tampered(run.folder, plan, note) as stand_in,
    ):
        try:
            code = main(run.argv)
        except Death:
            code = -9
    return Ended(code, printed.getvalue()), stand_in


def strike(stage: Stage, plan: Plan) -> Fate:
    """Run the new edition into the fault, from the state that the old one left, and judge."""
    stage.reset()
    ended, stand_in = run_tampered(stage.run(), plan)
    met = f"{plan} ({stand_in.fired[0] if stand_in.fired else 'none'})"
    return fate_of(
        stage,
        met,
        ended,
        has_fired=bool(stand_in.fired),
        reason=plan.reason,
        again=lambda run: run_tampered(run)[0],  # the process that left temporary files is this one, and is not dead
    )


def strikes(stage: Stage, what: str, *, is_lasting: bool = False, start: int = 1, step: int = 1) -> Iterator[Fate]:
    """Strike at every `step`-th call, from the one at `start`, until a run needs no such call."""
    for number in itertools.count(start, step):
        fate = strike(stage, Plan(number, what, is_lasting))
        if not fate.has_fired:
            return
        yield fate


def _shortened(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if name == "write":
        return (args[0], args[1][: max(1, len(args[1]) - 1)])
    return (args[0], max(1, args[1] - 1), *args[2:])


def _path_over(stand_in: Tampered) -> ModuleType:
    """Return `os.path` whose calls go to the stand-in."""
    generic, path = (_again(module) for module in (genericpath, posixpath))
    generic.__dict__["os"] = path.__dict__["os"] = stand_in
    # What posixpath has by `from genericpath import *`.
    path.__dict__.update({name: vars(generic)[name] for name in generic.__all__})
    return path


def _again(module: ModuleType) -> ModuleType:
    spec = importlib.util.find_spec(module.__name__)
    assert spec
    assert spec.loader
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return again

"""Traced: strace makes the n-th call of a system call fail, or ends the process at it.

A run is held while strace attaches, so that it counts from the command's first call. It counts per thread, and every
thread that comes so far is hit; with one worker that is nearly always one. Source: strace(1), "Tampering".
"""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.forge import Ended, Forge, Run
from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["ERRORS", "KILL", "Fault", "calls_of", "faults", "strike", "traced"]

KILL = "SIGKILL"

_READING = ("openat", "read", "pread64", "getdents64", "newfstatat", "fstat", "readlink", "lseek")
_WRITING = ("write", "rename", "unlink", "mkdir", "fchmod", "chmod", "fsync", "syncfs", "close", "utimensat")

ERRORS: Mapping[str, Sequence[str]] = {
    "ENOSPC": ("openat", "write", "mkdir", "rename", "fsync", "syncfs", "close"),
    "EIO": (*_READING, *_WRITING),
    "EACCES": ("openat", "newfstatat", "rename", "unlink", "mkdir", "readlink", "chmod", "utimensat"),
    "EMFILE": ("openat", "pipe2", "dup", "fcntl"),
    "EINTR": ("openat", "read", "pread64", "write", "close", "flock", "fsync", "wait4"),
}
"""The calls of a compile that may fail in each way. Source: the pages of section 2 of the Linux manual, ERRORS."""

_CALL = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


class Fault(NamedTuple):
    """The n-th call fails with `what`, an error's name or SIGKILL; is_lasting: all later ones as well."""

    call: str
    what: str
    number: int
    is_lasting: bool = False

    def __str__(self) -> str:
        return f"{self.what} at {self.call} {self.number}{'+' if self.is_lasting else ''}"

    @property
    def options(self) -> list[str]:
        """What makes strace do it."""
        how = f"signal={KILL}" if self.what == KILL else f"error={self.what}"
        when = f"{self.number}{'+' if self.is_lasting else ''}"
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{how}:when={when}"]

    def has_fired(self, log: str) -> bool:
        """Return whether strace's log of a run shows the fault."""
        return ("killed by SIGKILL" if self.what == KILL else "(INJECTED)") in log

    @property
    def reason(self) -> str:
        """The system's word for it; none for a signal, nor for what is tried again unseen (PEP 475)."""
        return "" if self.what in (KILL, "EINTR") else os.strerror(getattr(errno, self.what))


def calls_of(forge: Forge, run: Run) -> dict[str, int]:
    """Return how often a run makes each system call, in the thread that makes it most often."""
    _, log = traced(forge, run, ["-e", "trace=all"])
    counts = Counter(_CALL.findall(log))
    most: dict[str, int] = {}
    for (_, name), count in counts.items():
        most[name] = max(count, most.get(name, 0))
    return most


def faults(calls: Mapping[str, int], *, step: int = 1) -> Iterator[Fault]:
    """Yield every fault that the calls of a run can meet, or each `step`-th call of them.

    The kernel ends a process whenever it likes; an error is met where the manual has it.
    """
    for call, count in sorted(calls.items()):
        numbers = range(1, count + 1, step)
        yield from (Fault(call, KILL, number) for number in numbers)
        for what, fallible in ERRORS.items():
            if call in fallible:
                # What is interrupted is tried again (PEP 475), and would be for ever.
                durations = (False,) if what == "EINTR" else (False, True)
                yield from (Fault(call, what, number, lasting) for lasting in durations for number in numbers)


def strike(stage: Stage, fault: Fault, *, is_ours: bool = True) -> Fate:
    """Run the new edition into the fault, from the state that the old one left, and judge.

    is_ours: no process of an engine can meet the fault, which would say in its own words what happened to it.
    """
    stage.reset()
    ended, log = traced(stage.forge, stage.run(), fault.options)
    has_fired = fault.has_fired(log)
    reason = fault.reason if is_ours else ""
    return fate_of(stage, str(fault), ended, has_fired=has_fired, reason=reason, is_mute=fault.call == "write")


def traced(forge: Forge, run: Run, options: Sequence[str]) -> tuple[Ended, str]:
    """Run under strace with `options`; return how it ended, and strace's log."""
    pid = forge.start(run, is_held=True)
    with tempfile.NamedTemporaryFile(prefix="strace-") as log:
        command = ["strace", "-f", "-o", log.name, *options, "-p", str(pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            first = strace.stderr.readline()
            os.kill(pid, signal.SIGCONT)
            ended = forge.finish(pid)
            _, rest = strace.communicate()
        assert "attached" in first, first + rest
        return ended, Path(log.name).read_text(errors="replace")

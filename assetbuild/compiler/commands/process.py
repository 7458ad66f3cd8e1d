"""Processes: one program of somebody else's, run to its end or to its time limit, and nothing of it left.

Receives argv, a folder and an environment; hands on how it ended and what it said. It has a process group of its own,
which is ended as a whole: when the program ends, when its time is over, and when this process does, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assetbuild.ending import GROUPS, starting

__all__ = ["Ending", "lifeline", "run"]

SAID_BYTES = 64 << 10
"""How much of what a program says is kept: its first words and its last."""

_LOOK_MS = 50
_READ_BYTES = 1 << 16
_PIPE_BYTES = 1 << 20  # no pipe holds more without privileges (pipe(7))


class Ending(NamedTuple):
    """How a program ended. code: as `subprocess` gives it, negative for a signal, None if its time was over.

    said: what it wrote to its standard streams, in the order in which it did.
    """

    code: int | None
    said: bytes


def run(argv: Sequence[str], folder: str, environ: Mapping[str, str], time_limit_s: float) -> Ending:
    """Run a program in `folder`; raise `OSError` if it does not start."""
    deadline_s = time.monotonic() + time_limit_s
    with lifeline() as (held, own):
        with starting():
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(held,),
                start_new_session=True,  # its own process group, which the terminal's Ctrl-C does not reach
            )
            GROUPS.add(process.pid)
        try:
            own(process.pid)
            said, is_late = _said(process, deadline_s)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            GROUPS.discard(process.pid)
            if process.stdout is not None:
                process.stdout.close()
    return Ending(None if is_late else process.returncode, said)


@contextlib.contextmanager
def lifeline() -> Iterator[tuple[int, Callable[[int], None]]]:
    """Give a descriptor for a child to hold, and the call that ties the child's process group to this process.

    The kernel then ends the group when this process does. PR_SET_PDEATHSIG is no way out: it follows the thread that
    started the child, and is forgotten by whatever the child starts.
    Source: fcntl(2), F_SETOWN, F_SETSIG and O_ASYNC on pipes (Linux; elsewhere an orderly end must do).
    """
    held, end = os.pipe()

    def own(group: int) -> None:
        if hasattr(fcntl, "F_SETSIG"):
            fcntl.fcntl(held, fcntl.F_SETOWN, -group)
            fcntl.fcntl(held, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(held, fcntl.F_SETFL, fcntl.fcntl(held, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)

    try:
        yield held, own
    finally:
        os.close(held)
        os.close(end)


class _Heard:
    """The first and the last of what a program says."""

    def __init__(self) -> None:
        self._first = bytearray()
        self._last = bytearray()

    def take(self, descriptor: int) -> bool:
        """Hear what can be read now; return whether more may come."""
        part = os.read(descriptor, _READ_BYTES)
        room = SAID_BYTES // 2 - len(self._first)
        self._first += part[:room]
        self._last = (self._last + part[room:])[-SAID_BYTES // 2 :]
        return bool(part)

    @property
    def text(self) -> bytes:
        return bytes(self._first + self._last)


def _said(process: subprocess.Popen[bytes], deadline_s: float) -> tuple[bytes, bool]:
    """Return what a program said until it ended, and whether its time was over first.

    The end of the pipe is not what is waited for: a program that has left its process group may hold it for ever.
    """
    assert process.stdout is not None
    descriptor, heard = process.stdout.fileno(), _Heard()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while process.poll() is None:
        if time.monotonic() > deadline_s:
            return heard.text, True
        if poll.poll(_LOOK_MS) and not heard.take(descriptor):
            try:  # it has closed its streams, and works on
                process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                return heard.text, True
    for _ in range(_PIPE_BYTES // _READ_BYTES):
        if not (poll.poll(0) and heard.take(descriptor)):
            break
    return heard.text, False

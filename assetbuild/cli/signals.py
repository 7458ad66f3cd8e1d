"""How a signal ends the command: the stack unwinds, children are closed, and the exit code names the signal.

A second signal ends the process at once, so cleaning up can never hold it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from assetbuild.ending import leave, tidy

__all__ = ["Ended", "ended_by_signals"]

_NAMES = ("SIGHUP", "SIGINT", "SIGTERM")


class Ended(KeyboardInterrupt):
    """The process was told to end. A `KeyboardInterrupt`, since libraries let that one pass."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum
        self.name = signal.Signals(signum).name
        self.exit_code = 128 + signum


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise `Ended` in the main thread at the first SIGHUP, SIGINT or SIGTERM; restore the handlers afterwards.

    A signal that the parent had ignored (`nohup`, a background job of a shell) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = [number for name in _NAMES if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in handled}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}

    def end(signum: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, _end_at_once)
        raise Ended(signum)

    hook = sys.unraisablehook
    sys.unraisablehook = functools.partial(_unraisable, hook)
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _unraisable(otherwise: Callable[[Any], object], found: Any) -> None:
    """End at once if a signal came while the interpreter ran a callback that nothing can be raised from."""
    if isinstance(found.exc_value, Ended):
        leave(found.exc_value.exit_code)
    otherwise(found)


def _end_at_once(signum: int, _frame: FrameType | None) -> None:
    tidy()
    # The system's own handler, but asked for here: were it set before a second signal is looked at that has arrived
    # already, the interpreter would print that it ignored it (CPython, `_PyErr_CheckSignalsTstate`).
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)

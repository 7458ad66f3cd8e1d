"""Child: the command of the user's that runs beside `watch`, such as the development server, and the terminal it has.

Receives argv and an environment; tells how it ended. It leads a process group of its own, which is in the terminal's
foreground, so that Ctrl-C, Ctrl-Z and what is typed are for the command. The group ends as a whole: with its leader,
with `end`, and with this process, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from assetbuild.compiler.commands.process import lifeline
from assetbuild.diagnostic import AssetbuildError, reason_of
from assetbuild.ending import GROUPS

__all__ = ["PATIENCE_S", "Child", "NotStarted"]

PATIENCE_S = 10.0
"""How long the command may take to end once it was told to; as long as containers are given by default."""

_TERMINAL = 0  # standard input: what is typed goes there


class NotStarted(AssetbuildError):
    """There is no such command."""

    hint = "what stands after `--` is run as it is, without a shell"


class Child:
    """A command that is started once. A context manager: at its end nothing of the command is left.

    on_end: gets its exit code, as a shell has it, from another thread. Use it in the main thread.
    """

    def __init__(self, argv: Sequence[str], on_end: Callable[[int], None]) -> None:
        self._argv = argv
        self._on_end = on_end
        self._stack = contextlib.ExitStack()
        self._group = 0
        self._code = 0
        self._thread: threading.Thread | None = None
        self._has_terminal = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)
        self._stack.close()

    @property
    def has_begun(self) -> bool:
        """Whether the command was started, though it may have ended."""
        return self._thread is not None

    def begin(self, environ: Mapping[str, str]) -> None:
        """Start the command; raise `NotStarted`."""
        held, own = self._stack.enter_context(lifeline())
        try:
            process = subprocess.Popen(self._argv, env=dict(environ), process_group=0, pass_fds=(held,))
        except OSError as error:
            why = reason_of(error)
            raise NotStarted(f"`{self._argv[0]}` does not start: {why}") from None
        self._group = process.pid
        GROUPS.add(process.pid)
        own(process.pid)
        self._has_terminal = os.isatty(_TERMINAL)
        if self._has_terminal:
            # Whoever is not in the foreground is stopped when it changes that, or writes where `stty tostop` is set.
            self._stack.callback(signal.signal, signal.SIGTTOU, signal.signal(signal.SIGTTOU, signal.SIG_IGN))
            self._hand_over(os.getpgrp(), process.pid)
        self._thread = threading.Thread(target=self._wait, args=(process,), name="child", daemon=True)
        self._thread.start()

    def end(self, signum: int) -> int:
        """Pass a signal on, wait for the end of the command and return its exit code; 0 if it never began."""
        if self._thread is None:
            return 0
        if self._thread.is_alive():
            self._send(signum)
            self._send(signal.SIGCONT)  # one that is stopped would never hear of it
            self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            self._send(signal.SIGKILL)
            self._thread.join()
        return self._code

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            self._suspend()
        code = process.returncode = os.waitstatus_to_exitcode(status)
        self._send(signal.SIGKILL)  # what the leader has left behind
        GROUPS.discard(self._group)
        if self._has_terminal:
            self._hand_over(self._group, os.getpgrp())
        self._code = code if code >= 0 else 128 - code
        self._on_end(self._code)

    def _suspend(self) -> None:
        """Stop with the command, as a job of a shell, and go on with it."""
        if not (self._has_terminal and self._hand_over(os.getpgrp(), self._group)):
            signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)  # this thread, so that it goes no further
            self._hand_over(os.getpgrp(), self._group)
        self._send(signal.SIGCONT)

    def _hand_over(self, giver: int, taker: int) -> bool:
        """Put a process group into the foreground of the terminal if another one is there; return whether it was."""
        with contextlib.suppress(OSError):  # the terminal is gone, or is another session's
            if os.tcgetpgrp(_TERMINAL) == giver:
                os.tcsetpgrp(_TERMINAL, taker)
                return True
        return False

    def _send(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signum)

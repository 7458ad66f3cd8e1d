"""Progress on a terminal, for work that takes longer than a second.

Silent where nobody watches: no terminal, `TERM=dumb`, CI. tqdm is imported only when a bar is due.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

from assetbuild.cli.render import Terminal
from assetbuild.compiler import Watcher

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Progress"]

_PATIENCE_S = 1.0


class Progress(Watcher):
    """Watches a compile; safe to call from any thread. A context manager: the bar is gone when it ends."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._bar: tqdm[None] | None = None
        self._is_due = False
        self._name, self._total, self._done = "", 0, 0
        self._timer = threading.Timer(_PATIENCE_S, self.appear)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._terminal.is_live:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_due = False
            self._close()

    def notice(self, line: str) -> None:
        """Show a line; a bar makes way for it."""
        with self._lock:
            self._close()
            self._terminal.say(line)
            self._open()

    def stage(self, name: str, total: int) -> None:
        """Begin to count from zero."""
        with self._lock:
            self._close()
            self._name, self._total, self._done = name, total, 0
            self._open()

    def step(self) -> None:
        """Count one."""
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update()

    def appear(self) -> None:
        """Show the bar from now on: the work has taken long enough to be asked about."""
        with self._lock:
            self._is_due = True
            self._open()

    def _open(self) -> None:
        if not self._is_due or not self._total or self._terminal.err is None:
            return
        try:
            from tqdm import tqdm
        except ImportError:  # a comfort of the `compile` extra; the work goes on without
            self._is_due = False
            return
        tqdm.monitor_interval = 0  # its watching thread would outlive a short command
        self._bar = tqdm(
            desc=self._name,
            total=self._total,
            initial=self._done,
            file=self._terminal.err,
            leave=False,
            ascii=not self._terminal.look.is_unicode,
            bar_format="{desc} {n_fmt}/{total_fmt} {bar} {elapsed}",
            dynamic_ncols=True,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

"""The Dart Sass of a build: one process at a time, many compiles in flight, innocent ones carried over to the next.

Receives the pinned program and, per compile, a sheet and an importer; hands on CSS, map and findings as they were
reported. A compile's importer is asked on the thread that waits in `compile`, so it may block without holding up the
others. Knows nothing of how a load is found (`sass_find.py`) or of what a finding is worth (`sass_report.py`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assetbuild.compiler.engines.sass import wire
from assetbuild.compiler.engines.sass.process import Crowded, Importer, Limits, Process, TakenDown, unavailable
from assetbuild.compiler.pool import MEMORY_LIMIT_BYTES

if TYPE_CHECKING:
    from types import TracebackType

    from assetbuild.compiler.tools import Program

__all__ = ["DartSass"]


class DartSass:
    """The Dart Sass of a build: started at the first compile, started again after a compile that had to be killed.

    folder: where the process runs; paths in its traces are relative to it. timeout_s: wall clock per compile.
    memory_bytes: resident, of the process. at_once: compiles in flight; Dart gives each an isolate of its own, and
    more of them than there are cores cost half as much CPU again for the same sheets.
    """

    def __init__(
        self,
        program: Program,
        folder: str,
        *,
        timeout_s: float = 120.0,
        memory_bytes: int = 2 * MEMORY_LIMIT_BYTES,
        at_once: int = 15,
    ) -> None:
        self._program = program
        self._folder = folder
        self._limits = Limits(timeout_s, memory_bytes)
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(at_once)
        self._turn = threading.Lock()
        self._has_turns = False
        self._process: Process | None = None
        self._is_closed = False

    @property
    def version(self) -> str:
        """The version of the compiler, which says the same of itself when it starts."""
        return self._program.version

    def compile(
        self,
        url: str,
        sheet: wire.Sheet,
        importer: Importer,
        subject: str,
        *,
        silence: Sequence[str] = (),
        fatal: Sequence[str] = (),
        schemes: Sequence[str] = (),
    ) -> wire.Compilation:
        """Return what `sheet` compiles to: expanded CSS and its map. Safe in threads; what `importer` raises comes out.

        url: canonical URL of the sheet. subject: its path in messages. schemes: of URLs that are never canonical, so
        that the importer is told who loads them. Raises `CompileFailed` if the compiler does not finish, or breaks
        down over this sheet; `EngineUnavailable` if it does not start, or dies.
        """
        request = wire.compile_request(url, sheet, silence, fatal, schemes)
        while True:
            try:
                with self._places, self._turn if self._has_turns else contextlib.nullcontext():
                    return self._running().compile(request, importer, subject, self._limits)
            except Crowded:
                self._has_turns = True  # from now on one after another: too much memory then has one sheet to blame
            except TakenDown:
                # The process ended over another sheet, and this one is free of blame. Every round costs one such
                # sheet its own compile, so there are no more rounds than bad sheets.
                continue

    def close(self) -> None:
        """End the process; compiles that still wait for it fail."""
        with self._lock:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def __enter__(self) -> DartSass:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _running(self) -> Process:
        with self._lock:
            if self._is_closed:
                raise unavailable("dart sass was closed before its work was done")
            if self._process is not None and self._process.has_ended:
                self._process.close()
                self._process = None
            if self._process is None:
                self._process = Process(self._program, self._folder)
            return self._process

"""Work at the same time: native engines in worker processes that may die, everything else in threads.

`Workers` receives the name of a function and a request of JSON values, hands back what the function returned. A crash,
an endless loop or a flood of memory costs one process and becomes a diagnostic that names the file; the other jobs go
on. Knows no engine. Requests and replies stay plain values, because a process that ran native code is not believed.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.worker import HEADER, pack, raised
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["MEMORY_LIMIT_BYTES", "TIMEOUT_S", "JobFailed", "Workers", "parallel", "resident_bytes"]

TIMEOUT_S = 30.0
MEMORY_LIMIT_BYTES = 1 << 30

_POLL_MS = 50
_DYING_S = 5.0
_READ_BYTES = 1 << 16

# The parent's module path instead of the environment's: `-I` keeps PYTHONPATH and the current folder out, and yet
# whatever the parent could import (a `--target` folder, an editable install of ours, whose finder `-I` may skip) the
# worker can.
_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from assetbuild.compiler.worker import main; main()"

# Nothing else of the environment reaches an engine: webassets reads options from it, libsass its SASS_PATH.
_KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")

Item = TypeVar("Item")
Made = TypeVar("Made")


class JobFailed(RuntimeError):
    """A function in a worker raised what it should not: a defect of ours; the text is the worker's traceback."""


class Workers:
    """Up to `count` worker processes, each started when a job finds no idle one and kept until `close`.

    memory_bytes: resident memory at which a worker is ended (RLIMIT_AS would count what an engine only reserves).
    """

    def __init__(self, count: int, memory_bytes: int = MEMORY_LIMIT_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._places = threading.BoundedSemaphore(max(1, count))
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._running: set[_Process] = set()
        self._is_closed = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self,
        function: str,
        request: Mapping[str, Any],
        *,
        timeout_s: float = TIMEOUT_S,
        subject: str,
        engine: str = "",
    ) -> dict[str, Any]:
        """Return what `function` makes of `request`, run in a worker; blocks, safe in threads.

        function: `module:name`, imported in the worker; takes one mapping and returns one, both of JSON values.
        subject: the file that messages name. engine: its name in messages; by default the module's, without `_worker`.
        Raises the function's own `DiagnosticsError`; one with rule `engine-crashed`, `engine-timeout` or
        `engine-memory` if the worker had to be given up; `JobFailed` for any other exception.
        """
        name = engine or function.partition(":")[0].rpartition(".")[2].removesuffix("_worker")
        with self._places:
            worker = self._take()
            try:
                deadline = time.monotonic() + timeout_s
                worker.send(pack({"function": function, "request": request}), deadline, self._memory_bytes)
                reply = worker.receive(deadline, self._memory_bytes)
            except _GivenUp as why:
                self._give_up(worker)
                if self._is_closed:
                    raise JobFailed(f"the workers were closed during a job on {subject}") from None
                raise DiagnosticsError([why.diagnostic(name, subject, worker, timeout_s)]) from None
            except BaseException:
                self._give_up(worker)
                raise
            self._give_back(worker)
        if "diagnostics" in reply:
            raise raised(reply)
        if "traceback" in reply:
            raise JobFailed(f"{function} failed on {subject}\n{reply['traceback']}")
        result: dict[str, Any] = reply["result"]
        return result

    def close(self) -> None:
        """End every worker at once, also those with a job in hand; safe to call twice and from any thread."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            busy = self._running.difference(idle)
        for worker in busy:
            worker.kill()  # its own thread sees the end, and clears up
        for worker in idle:
            self._give_up(worker)
        for worker in busy:
            worker.wait()

    def _take(self) -> _Process:
        with self._lock:
            if self._is_closed:
                raise JobFailed("the workers are closed")
            while self._idle:
                if (worker := self._idle.pop()).is_alive():
                    return worker
                self._running.discard(worker)  # ended from outside between two jobs: no file is to blame
                worker.end()
            # Under the lock, so that `close` sees every process that was ever started.
            worker = _Process()
            self._running.add(worker)
            return worker

    def _give_back(self, worker: _Process) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(worker)
                return
        self._give_up(worker)

    def _give_up(self, worker: _Process) -> None:
        worker.end()
        with self._lock:
            self._running.discard(worker)


class _GivenUp(Exception):
    """The worker cannot answer. rule: `engine-crashed`, `engine-timeout` or `engine-memory`, which broke `limit`."""

    def __init__(self, rule: str, limit: int = 0) -> None:
        super().__init__(rule)
        self.rule = rule
        self.limit = limit

    def diagnostic(self, engine: str, subject: str, worker: _Process, timeout_s: float) -> Diagnostic:
        """Return what to tell; `worker` has been waited for."""
        match self.rule:
            case "engine-timeout":
                message = f"engine `{engine}` was still busy with `{subject}` after {timeout_s:g} s"
                hint = "look for a loop or a recursion without an end"
            case "engine-memory":
                message = f"engine `{engine}` needed more than {self.limit / 1e6:,.0f} MB for `{subject}`"
                hint = "split the file, or look for a loop that writes without an end"
            case _:
                message = f"engine `{engine}` crashed ({worker.ending}) on `{subject}`"
                hint = "leave parts of the file out until it passes, or choose another engine"
        return Diagnostic(self.rule, "error", message, Span(subject), hint)


class _Process:
    """One worker: its pipes, its lifeline, its end."""

    def __init__(self) -> None:
        lifeline, self._lifeline_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, str(lifeline), *filter(None, sys.path), _HOME],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=(lifeline,),
                env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
                start_new_session=True,  # its own process group: killed whole, and not reached by the terminal's Ctrl-C
            )
        except BaseException:
            os.close(self._lifeline_end)
            raise
        finally:
            os.close(lifeline)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)

    @property
    def ending(self) -> str:
        """How the process ended: the name of a signal, or an exit code."""
        code = self._process.returncode
        if code >= 0:
            return f"exit code {code}"
        known = {int(one): one.name for one in signal.Signals}
        return known.get(-code, f"signal {-code}")

    def is_alive(self) -> bool:
        """Return whether the process still runs."""
        return self._process.poll() is None

    def send(self, frame: bytes, deadline: float, memory_bytes: int) -> None:
        """Write `frame`; raise `_GivenUp` if the worker stops taking it."""
        rest = memoryview(frame)
        while rest:
            self._await(self._stdin.fileno(), select.POLLOUT, deadline, memory_bytes)
            try:
                rest = rest[os.write(self._stdin.fileno(), rest) :]
            except BrokenPipeError:
                raise self._crashed() from None

    def receive(self, deadline: float, memory_bytes: int) -> dict[str, Any]:
        """Return the next reply; raise `_GivenUp` if none comes."""
        received = bytearray()
        missing = HEADER.size
        while missing > 0:
            self._await(self._stdout.fileno(), select.POLLIN, deadline, memory_bytes)
            part = os.read(self._stdout.fileno(), _READ_BYTES)
            if not part:
                raise self._crashed()
            received += part
            if len(received) >= HEADER.size:
                missing = HEADER.size + HEADER.unpack_from(received)[0] - len(received)
        reply: dict[str, Any] = json.loads(received[HEADER.size :])
        return reply

    def kill(self) -> None:
        """End the whole group, so that no program that an engine started is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Return when the process has ended."""
        self._process.wait()

    def end(self) -> None:
        """End the group, wait for it and close the pipes; for the thread that uses them."""
        self.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()
        os.close(self._lifeline_end)

    def _crashed(self) -> _GivenUp:
        # Its pipes close a moment before the process is gone: without this wait, `end` would overtake the true cause.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_S)
        return _GivenUp("engine-crashed")

    def _await(self, descriptor: int, event: int, deadline: float, memory_bytes: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        while not poll.poll(_POLL_MS):
            if time.monotonic() > deadline:
                raise _GivenUp("engine-timeout")
            if resident_bytes(self._process.pid) > memory_bytes:
                raise _GivenUp("engine-memory", memory_bytes)


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory, 0 where it cannot be told.

    Source: proc_pid_statm(5), second field, in pages.
    """
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def busy_ticks(pid: int) -> int | None:
    """Return how long a process has been at work, in clock ticks; None where it cannot be told.

    Source: proc_pid_stat(5), fields 14 and 15, behind a name that may hold anything.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
            return int(fields[11]) + int(fields[12])
    except OSError:
        return None


def parallel(
    function: Callable[[Item], Made],
    items: Iterable[Item],
    jobs: int,
    weight: Callable[[Item], float] = lambda _: 1,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Made]:
    """Return `function` of each item, in the order of `items`, made by up to `jobs` threads, the heaviest first.

    meanwhile: what the caller's own thread does; what it raises comes up as an interrupt does.

    What an item raises ends the whole: nothing more is begun, what runs is waited for, and the exception of the first
    item that failed comes up. An interrupt waits for nobody: close what the threads wait on, and they end.
    """
    work = list(items)
    made: dict[int, Made] = {}
    errors: dict[int, BaseException] = {}
    order = iter(sorted(range(len(work)), key=lambda at: -weight(work[at])))

    def run() -> None:
        for index in order:  # one iterator for all threads: `next` of a list's iterator is atomic
            if errors:
                return
            try:
                made[index] = function(work[index])
            except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
                errors[index] = error

    # Plain threads: a pool of `concurrent.futures` costs 10 ms to import.
    threads = [threading.Thread(target=run, name=f"assetbuild_{at}") for at in range(min(max(1, jobs), len(work)))]
    try:
        for thread in threads:
            thread.start()
        meanwhile()
        for thread in threads:
            thread.join()
    finally:
        collections.deque(order, maxlen=0)  # nothing is left for the threads to begin
    if errors:
        raise errors[min(errors)]
    return [made[index] for index in range(len(work))]

"""One running Dart Sass: its pipes, its threads, and what becomes of its compiles when it ends.

Receives the pinned program and, per compile, a request and an importer; hands on what came of it, or whom its end is to
be blamed on. Starting another process after that is the client's part (`dart.py`).
"""

from __future__ import annotations

import itertools
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assetbuild.compiler.engines.sass import wire
from assetbuild.compiler.engines.sass.protobuf import Malformed, Packets, packet
from assetbuild.compiler.engines.sass.wire import Sheet
from assetbuild.compiler.errors import CompileFailed, EngineUnavailable
from assetbuild.compiler.pool import resident_bytes
from assetbuild.diagnostic import Diagnostic, Span, reason_of
from assetbuild.ending import GROUPS, starting

if TYPE_CHECKING:
    from assetbuild.compiler.tools import Program

__all__ = ["Crowded", "Importer", "Limits", "LoadRefused", "Process", "TakenDown", "unavailable"]

_PROTOCOL_MAJOR = "3"
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0
_READ_BYTES = 1 << 16
_STDERR_TAIL_BYTES = 2000
_WATCH_S = 0.1


class Limits(NamedTuple):
    """What a compile may take. memory_bytes: resident, of the process; messages: warnings and debug output."""

    timeout_s: float
    memory_bytes: int
    messages: int = 100_000


class LoadRefused(Exception):
    """A load that an importer finds wrong; its text becomes the compiler's error at the place of the load."""


class Importer(Protocol):
    """Where a compile's sheets come from. A canonical URL stands for one file."""

    def canonical(self, url: str, containing_url: str, from_import: bool) -> str | None:
        """Return the canonical URL that `url` means, None if there is none; may raise `LoadRefused`.

        url: as written, or resolved against the sheet that loads it, which the compiler tries first.
        containing_url: of the sheet that loads it, when `url` is as written; "" otherwise.
        """

    def sheet(self, url: str) -> Sheet:
        """Return what a canonical URL stands for; may raise `LoadRefused`."""


class TakenDown(Exception):
    """The process is gone, over another compile."""


class Crowded(TakenDown):
    """The process is gone because it took too much memory, and only a compile on its own can be blamed for that."""


class _Gone(Exception):
    """The process is gone."""


class _Late(Exception):
    """The wall-clock limit is reached. Not `TimeoutError`: a network disk may raise that in an importer."""


class _Watch(NamedTuple):
    """What is watched while a compile runs. deadline: on the monotonic clock."""

    subject: str
    deadline: float
    limits: Limits


class _Greedy(Exception):
    """The process takes more memory than it may."""


class Process:
    """A running compiler. What arrives goes to the inbox of its compile; None there is the end of the process.

    has_ended: no compile can begin here any more.
    """

    def __init__(self, program: Program, folder: str) -> None:
        self._shown = f"`{' '.join(program.argv)}`"
        try:
            with starting():
                self._child = subprocess.Popen(
                    [*program.argv, "--embedded"],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=folder,
                    # The compiler adds SASS_PATH to the load paths, and output must depend on no variable.
                    env={"PATH": os.defpath},
                    process_group=0,
                )
                GROUPS.add(self._child.pid)
        except OSError as error:
            raise _unfit(f"{self._shown} does not start: {reason_of(error)}") from None
        assert self._child.stdin is not None
        self._stdin = self._child.stdin
        os.set_blocking(self._stdin.fileno(), False)  # a process that no longer reads must not outwait the limit
        self._send_lock = threading.Lock()
        self._lock = threading.Lock()
        self._inboxes: dict[int, queue.SimpleQueue[bytes | None]] = {}
        self._numbers = itertools.count(1)
        self._has_culprit = False
        self._most_at_once = 0
        self._why = ""
        self._stderr_tail = b""
        self.has_ended = False
        self._reader = threading.Thread(target=self._read, name="dart-sass-reader", daemon=True)
        self._drain = threading.Thread(target=self._drain_stderr, name="dart-sass-stderr", daemon=True)
        self._reader.start()
        self._drain.start()
        try:
            self._greet(program.version)
        except BaseException:
            self.close()
            raise

    def compile(self, request: bytes, importer: Importer, subject: str, limits: Limits) -> wire.Compilation:
        """Return what came of a request; raise `TakenDown` if the process ended over another one."""
        watch = _Watch(subject, time.monotonic() + limits.timeout_s, limits)
        try:
            with self._channel(next(self._numbers)) as (channel, inbox):
                self._send(packet(channel, request), watch.deadline)
                return self._converse(channel, inbox, importer, watch)
        except _Late:
            if not self._take_down():
                raise TakenDown from None  # it was late because another compile's end had stopped the process
            message = f"dart sass did not finish `{subject}` within {limits.timeout_s:g} s"
            raise _endless("engine-timeout", message, subject) from None
        except _Greedy:
            if not self._take_down():
                raise TakenDown from None
            if self._most_at_once > 1:
                raise Crowded from None
            message = f"dart sass needed more than {limits.memory_bytes / 1e6:,.0f} MB for `{subject}`"
            raise _endless("engine-memory", message, subject) from None
        except _Gone:
            if self._has_culprit:
                raise TakenDown from None
            raise unavailable(f"dart sass died while it compiled `{subject}`{self._reason()}", subject) from None
        except Malformed as error:
            self._take_down()
            raise unavailable(f"dart sass sent what is no answer: {error}", subject) from None

    def close(self) -> None:
        """End the process in good order, by force if it does not follow."""
        with self._lock:
            self.has_ended = True
        if not self._send_lock.acquire(timeout=_STOP_TIMEOUT_S):
            self._kill()
            self._send_lock.acquire()
        self._stdin.close()
        self._send_lock.release()
        try:
            self._child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._kill()
            self._child.wait()
        GROUPS.discard(self._child.pid)
        self._reader.join()
        self._drain.join()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()

    def _converse(
        self, channel: int, inbox: queue.SimpleQueue[bytes | None], importer: Importer, watch: _Watch
    ) -> wire.Compilation:
        events: list[wire.Event] = []
        while True:
            match self._receive(inbox, watch.deadline, watch.limits.memory_bytes):
                case wire.Event() as event:
                    events.append(event)
                    if len(events) > watch.limits.messages:
                        self._take_down()
                        message = f"`{watch.subject}` gave more than {watch.limits.messages:,} warnings and messages"
                        raise _endless("too-many-messages", message, watch.subject)
                case wire.Load() as load:
                    try:
                        answer = _answer(load, importer)
                    except BaseException:
                        # The compiler waits for an answer still, and holds one of its few places for compiles.
                        self._send(packet(channel, wire.refused(load, "the build gave up")), watch.deadline)
                        raise
                    self._send(packet(channel, answer), watch.deadline)
                case wire.Compilation() as outcome:
                    return outcome._replace(events=tuple(events))
                case wire.Broken(message):
                    self._take_down()
                    raise _broken(message, watch.subject)
                case other:
                    raise Malformed(f"`{type(other).__name__}` in a compile")

    def _greet(self, version: str) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        try:
            with self._channel(wire.VERSION_CHANNEL) as (channel, inbox):
                self._send(packet(channel, wire.version_request()), deadline)
                answer = self._receive(inbox, deadline)
                if not isinstance(answer, wire.Versions):
                    raise Malformed("no version")
        except (_Gone, _Late, Malformed):
            self._kill()
            raise _unfit(f"{self._shown} does not speak the embedded Sass protocol{self._reason()}") from None
        if answer.protocol.partition(".")[0] != _PROTOCOL_MAJOR:
            raise _unfit(f"{self._shown} speaks version {answer.protocol} of the embedded Sass protocol, not 3")
        if answer.compiler != version:
            raise _unfit(f"{self._shown} is Dart Sass {answer.compiler}, not {version}")

    @contextmanager
    def _channel(self, number: int) -> Iterator[tuple[int, queue.SimpleQueue[bytes | None]]]:
        inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        with self._lock:
            if self.has_ended:
                raise _Gone
            self._inboxes[number] = inbox
            self._most_at_once = max(self._most_at_once, len(self._inboxes))
        try:
            yield number, inbox
        finally:
            with self._lock:
                del self._inboxes[number]

    def _send(self, content: bytes, deadline: float) -> None:
        rest = memoryview(content)
        with self._send_lock:
            while rest:
                try:
                    rest = rest[os.write(self._stdin.fileno(), rest) :]
                except BlockingIOError:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        raise _Late from None
                    select.select([], [self._stdin], [], left_s)
                except (OSError, ValueError):  # a broken pipe, or one that `close` has closed
                    self.has_ended = True  # known before the reader sees it: the next compile is to start another
                    raise _Gone from None

    def _receive(
        self, inbox: queue.SimpleQueue[bytes | None], deadline: float, memory_bytes: int = sys.maxsize
    ) -> wire.Compilation | wire.Event | wire.Load | wire.Versions | wire.Broken | None:
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0:  # asked before the queue is: an endless stream of warnings never leaves it empty
                raise _Late
            try:
                message = inbox.get(timeout=min(left_s, _WATCH_S))
                break
            except queue.Empty:
                pass  # time to look at the memory
            if resident_bytes(self._child.pid) > memory_bytes:
                raise _Greedy
        if message is None:
            raise _Gone
        return wire.read(message)

    def _take_down(self) -> bool:
        """Kill the process over one compile; return whether that one is the first to do so."""
        with self._lock:
            is_first = not self._has_culprit
            self._has_culprit = True
        self._kill()
        return is_first

    def _kill(self) -> None:
        with self._lock:
            self.has_ended = True
        # `close` alone reaps the child, so its number cannot have passed to another process group before that.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def _reason(self) -> str:
        self._drain.join(_STOP_TIMEOUT_S)
        line = self._why or self._stderr_tail.decode("utf-8", "replace").strip().partition("\n")[0]
        return f": {line}" if line else ""

    def _read(self) -> None:
        packets = Packets()
        assert self._child.stdout is not None
        try:
            while chunk := os.read(self._child.stdout.fileno(), _READ_BYTES):
                for channel, message in packets.feed(chunk):
                    self._deliver(channel, message)
        except Malformed as error:
            self._why = str(error)
            self._kill()
        except OSError as error:
            self._why = f"its answers cannot be read: {reason_of(error)}"
            self._kill()
        finally:
            with self._lock:
                self.has_ended = True
                for inbox in self._inboxes.values():
                    inbox.put(None)

    def _deliver(self, channel: int, message: bytes) -> None:
        if wire.is_error(message):
            if channel == wire.NO_COMPILATION:
                self._why = getattr(wire.read(message), "message", "").partition("\n")[0]
            else:
                self._has_culprit = True  # before the end of the stream, so that no other compile takes the blame
        with self._lock:
            inbox = self._inboxes.get(channel)  # none: that compile has given up
        if inbox is not None:
            inbox.put(message)

    def _drain_stderr(self) -> None:
        assert self._child.stderr is not None
        with suppress(OSError):  # what can no longer be read can no longer be quoted
            while chunk := os.read(self._child.stderr.fileno(), _READ_BYTES):
                self._stderr_tail = (self._stderr_tail + chunk)[-_STDERR_TAIL_BYTES:]


def _answer(load: wire.Load, importer: Importer) -> bytes:
    try:
        if load.is_canonical:
            return wire.supplied(load, importer.sheet(load.url))
        return wire.resolved(load, importer.canonical(load.url, load.containing_url, load.from_import))
    except LoadRefused as refusal:
        return wire.refused(load, str(refusal))


def _endless(rule: str, message: str, subject: str) -> CompileFailed:
    return CompileFailed([Diagnostic(rule, "error", message, Span(subject), "look for a loop that never ends")])


def _broken(message: str, subject: str) -> CompileFailed:
    text = f"dart sass broke down over `{subject}`: {message.partition(chr(10))[0]}"
    hint = "look for recursion without end, or for nesting that is too deep"
    return CompileFailed([Diagnostic("engine-crashed", "error", text, Span(subject), hint)])


def _unfit(message: str) -> EngineUnavailable:
    hint = "`assetbuild tools list` shows which Dart Sass is used, and why"
    return EngineUnavailable([Diagnostic("engine-unavailable", "error", message, None, hint)])


def unavailable(message: str, subject: str = "") -> EngineUnavailable:
    """Return the error of a compiler that is gone; subject: path of the sheet that it worked on."""
    span = Span(subject) if subject else None
    return EngineUnavailable([Diagnostic("engine-unavailable", "error", message, span)])

"""A client of esbuild's `--service` protocol: one process per build of ours, many builds and transforms in it.

Receives flags and callbacks, hands on what esbuild made: nothing is written to disk. The protocol belongs to one exact
version of esbuild (its npm package's `lib/main.js` is the other client), so the version is checked before anything
else. A process that dies or hangs becomes a diagnostic. Knows nothing of assets: `modules` and `lower` do.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, NamedTuple, Protocol, Self, cast

from assetbuild.compiler.engines.esbuild.messages import Message, messages_of, object_of, objects, worded
from assetbuild.compiler.engines.esbuild.packets import Value, decode, encode
from assetbuild.compiler.engines.esbuild.packets import read as read_packet
from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.compiler.pool import MEMORY_LIMIT_BYTES, busy_ticks, resident_bytes
from assetbuild.diagnostic import Diagnostic, Note
from assetbuild.ending import GROUPS, starting

__all__ = ["PROTOCOL_VERSION", "Again", "Built", "Esbuild", "EsbuildFault", "Hooks", "Output", "Transformed"]

PROTOCOL_VERSION = "0.28.2"
"""The release whose `lib/main.js` this client follows; the protocol is private and changes between releases."""

_TIMEOUT_S = 120.0
_WATCH_S = 0.1
_IDLE_S = 1.0
_GREETING_S = 20.0
_FAREWELL_S = 2.0
_PLUGIN = "assetbuild"
_ASKED_AGAIN = 1
_RESOLVE_FIELDS = ("path", "importer", "namespace", "resolveDir", "kind", "with")


class EsbuildFault(DiagnosticsError):
    """esbuild died, hung, broke its protocol, or refuses an option such as an unknown target."""

    exit_code = 1


class Output(NamedTuple):
    """A file that a build made. `path`: relative to the build's folder."""

    path: str
    content: bytes


class Built(NamedTuple):
    """What a build made. `metafile`: esbuild's description of inputs and outputs, empty if there are errors."""

    outputs: tuple[Output, ...]
    metafile: Mapping[str, object]
    errors: tuple[Message, ...]
    warnings: tuple[Message, ...]


class Transformed(NamedTuple):
    """What a transform made. `map`: the source map, "" unless the flags ask for one."""

    code: str
    map: str
    errors: tuple[Message, ...]
    warnings: tuple[Message, ...]


class Hooks(Protocol):
    """What a build asks back, in the thread that called `build`: an answer of None leaves the matter to esbuild.

    Only what the filters match is asked. Requests and answers are those of esbuild's plug-in interface.
    """

    @property
    def resolve_filter(self) -> str:
        """Go regular expression over specifiers."""
        ...

    @property
    def load_filter(self) -> str:
        """Go regular expression over paths."""
        ...

    @property
    def namespaces(self) -> Sequence[str]:
        """Namespaces of `load` beside `file`."""
        ...

    def resolve(self, request: Mapping[str, Value], again: Again) -> Mapping[str, Value] | None:
        """Return where an import leads."""
        ...

    def load(self, request: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """Return what a path holds."""
        ...


Again = Callable[[Mapping[str, Value]], Mapping[str, Value]]
"""Asks esbuild how it would resolve what a `resolve` request names, without asking the hooks."""


class _Packet(NamedTuple):
    number: int
    is_request: bool
    value: Value


_Inbox = queue.SimpleQueue[_Packet | None]
"""Where a caller waits; None says that the process has ended."""


class Esbuild:
    """The running process. Safe in threads; `close` ends it and everything it started.

    argv: the program. timeout_s: wall time that one build or transform may take. memory_bytes: resident, of the process
    (one build holds every graph of a project). farewell_s: time to leave by itself.
    Raises `EngineUnavailable` if it does not start or is not `PROTOCOL_VERSION`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float = _TIMEOUT_S,
        memory_bytes: int = 4 * MEMORY_LIMIT_BYTES,
        farewell_s: float = _FAREWELL_S,
    ) -> None:
        self.argv = tuple(argv)
        self.timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._farewell_s = farewell_s
        self._numbers = itertools.count()
        self._keys = itertools.count()
        self._waiting: dict[int, _Inbox] = {}
        self._builds: dict[int, _Inbox] = {}
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._last_words: deque[bytes] = deque(maxlen=20)
        self._ended = ""
        try:
            with starting():
                self._process = subprocess.Popen(
                    [*argv, f"--service={PROTOCOL_VERSION}", "--ping"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # its own group: an interrupt at the terminal is ours to handle
                )
                self.pid = self._process.pid
                GROUPS.add(self.pid)
        except OSError as error:
            raise EngineUnavailable([_unavailable(f"esbuild does not start: {error.strerror or error}")]) from error
        self._greeted: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._drain, self._read)]
        for thread in self._threads:
            thread.start()
        self.version = self._greeting(argv)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, so that nothing can be asked of it any more."""
        return bool(self._ended) or self._process.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def build(
        self,
        request: Mapping[str, Value],
        hooks: Hooks | None = None,
        obstacles: Callable[[], Sequence[Diagnostic]] = tuple,
    ) -> Built:
        """Return what esbuild makes of a build request; `hooks` are called in this thread.

        request: `entries` as pairs of output and input path, `flags`, `absWorkingDir`; see `lib/main.js`.
        obstacles: asked when the process neither asks nor answers nor works for a while; what it gives ends the build.
        """
        key = next(self._keys)
        inbox: _Inbox = queue.SimpleQueue()
        packet: dict[str, Value] = {
            "command": "build",
            "key": key,
            "write": False,
            "stdinContents": None,
            "stdinResolveDir": None,
            "nodePaths": [],
            "context": False,
            **request,
        }
        if hooks is not None:
            packet["plugins"] = [_plugin(hooks)]
        with self._lock:
            self._builds[key] = inbox
        try:
            answer = _Conversation(self, key, inbox, hooks, obstacles).ask(packet)
        finally:
            with self._lock:
                del self._builds[key]
        folder = cast(str, request["absWorkingDir"])
        metafile = cast(bytes | None, answer.get("metafile"))
        return Built(
            tuple(_output(found, folder) for found in objects(answer.get("outputFiles"))),
            json.loads(metafile) if metafile else {},
            messages_of(answer.get("errors")),
            messages_of(answer.get("warnings")),
        )

    def transform(self, text: str, flags: Sequence[str]) -> Transformed:
        """Return what esbuild makes of one text."""
        inbox: _Inbox = queue.SimpleQueue()
        packet: dict[str, Value] = {"command": "transform", "inputFS": False, "input": text.encode(), "flags": [*flags]}
        answer = _Conversation(self, -1, inbox).ask(packet)
        return Transformed(
            cast(str, answer.get("code", "")),
            cast(str, answer.get("map", "")),
            messages_of(answer.get("errors")),
            messages_of(answer.get("warnings")),
        )

    def close(self) -> None:
        """End the process: it leaves at the end of its input, or is killed with its group. May be called twice."""
        # A writer may be blocked on a process that reads no more: then it is the killing that frees both.
        if self._write_lock.acquire(timeout=self._farewell_s):
            # A broken pipe says that it has gone already, with something of ours unread.
            with contextlib.suppress(BrokenPipeError):
                _pipe(self._process.stdin).close()
            self._write_lock.release()
        try:
            self._process.wait(self._farewell_s)
        except subprocess.TimeoutExpired:
            self._kill()
        GROUPS.discard(self.pid)
        for thread in self._threads:
            thread.join(self._farewell_s)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may end by itself in this moment
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        GROUPS.discard(self.pid)

    def _greeting(self, argv: Sequence[str]) -> str:
        """Return the version that the process says first; raise `EngineUnavailable` if it is not ours."""
        try:
            said = self._greeted.get(timeout=_GREETING_S).decode("ascii", "replace")
        except queue.Empty:
            self._kill()
            raise EngineUnavailable([_unavailable("esbuild started and did not say its version")]) from None
        if said == PROTOCOL_VERSION:
            return said
        self.close()
        # A binary of another version prints an error instead of a greeting: it is asked in the way that all know.
        said = said or _version_of(argv)
        if said == PROTOCOL_VERSION:
            raise EngineUnavailable([_unavailable("esbuild ended before it said its version")])
        raise EngineUnavailable([_unavailable(f"esbuild is version `{said}`, expected `{PROTOCOL_VERSION}`")])

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # what can no longer be read can no longer be quoted
            for line in _pipe(self._process.stderr):
                self._last_words.append(line)

    def _read(self) -> None:
        try:
            self._greeted.put(read_packet(_pipe(self._process.stdout)))
            while packet := read_packet(_pipe(self._process.stdout)):
                self._sort(_Packet(*decode(packet)))
        except (EOFError, OSError, ValueError) as error:
            reason = f"esbuild broke its protocol: {error}" if isinstance(error, ValueError) else ""
        else:
            reason = ""
        self._greeted.put(b"")
        with self._lock:
            self._ended = reason or "esbuild ended before its work was done"
            for inbox in (*self._waiting.values(), *self._builds.values()):
                inbox.put(None)

    def _sort(self, packet: _Packet) -> None:
        """Put a packet where its reader waits."""
        if not packet.is_request:
            with self._lock:
                inbox = self._waiting.pop(packet.number, None)
            if inbox is not None:
                inbox.put(packet)
            return
        request = object_of(packet.value)
        if request.get("command") == "ping":
            self.send(packet.number, False, {})
            return
        with self._lock:
            inbox = self._builds.get(cast(int, request.get("key", -1)))
        if inbox is not None:  # else its build has been given up
            inbox.put(packet)

    def ask(self, value: Value, inbox: _Inbox) -> int:
        """Send a request whose answer goes to `inbox`; return its number."""
        number = next(self._numbers)
        with self._lock:
            if self._ended:
                raise self.fault(self._ended)
            self._waiting[number] = inbox
        self.send(number, True, value)
        return number

    def send(self, number: int, is_request: bool, value: Value) -> None:
        """Write one packet."""
        packet = encode(number, is_request, value)
        # Broken or closed: whoever waits for the answer hears of the end from the reader.
        with self._write_lock, contextlib.suppress(BrokenPipeError, ValueError):
            stdin = _pipe(self._process.stdin)
            stdin.write(packet)
            stdin.flush()

    def watch(self, deadline_s: float) -> None:
        """Kill a process that takes too long or too much memory, and raise the error that says so."""
        if time.monotonic() > deadline_s:
            self._kill()
            raise self.fault(f"esbuild took longer than {self.timeout_s:g} s and was stopped", "engine-timeout")
        if resident_bytes(self.pid) > self._memory_bytes:
            self._kill()
            limit = f"{self._memory_bytes / 1e6:,.0f} MB"
            raise self.fault(f"esbuild needed more than {limit} and was stopped", "engine-memory")

    def stop(self, obstacles: Sequence[Diagnostic]) -> EsbuildFault:
        """Kill a process that cannot go on; return the error."""
        self._kill()
        return EsbuildFault(obstacles)

    def fault(self, reason: str = "", rule: str = "engine-crashed") -> EsbuildFault:
        """Return the error for a process that is gone, with its last words."""
        words = b"".join(self._last_words).decode("utf-8", "replace").strip()
        notes = (Note(words.splitlines()[0]),) if words else ()
        return EsbuildFault([Diagnostic(rule, "error", reason or self._ended, notes=notes)])


class _Conversation:
    """One request of ours and what esbuild asks back until it is answered."""

    def __init__(
        self,
        service: Esbuild,
        key: int,
        inbox: _Inbox,
        hooks: Hooks | None = None,
        obstacles: Callable[[], Sequence[Diagnostic]] = tuple,
    ) -> None:
        self._service = service
        self._key = key
        self._inbox = inbox
        self._hooks = hooks
        self._deadline_s = time.monotonic() + service.timeout_s
        self._obstacles = obstacles
        self._deferred: deque[_Packet] = deque()

    def ask(self, request: Value) -> Mapping[str, Value]:
        """Return the answer to `request`, answering what comes in between."""
        number = self._service.ask(request, self._inbox)
        while True:
            packet = self._deferred.popleft() if self._deferred else self._next()
            if packet.is_request:
                self._answer(packet)
            elif packet.number == number:
                return self._checked(packet)

    def _again(self, request: Mapping[str, Value]) -> Mapping[str, Value]:
        asked = {name: value for name, value in request.items() if name in _RESOLVE_FIELDS}
        nested = {"command": "resolve", "key": self._key, "pluginName": _PLUGIN, "pluginData": _ASKED_AGAIN, **asked}
        number = self._service.ask(nested, self._inbox)
        while True:
            packet = self._next()
            if not packet.is_request:
                if packet.number == number:
                    return self._checked(packet)
            elif object_of(packet.value).get("pluginData") == _ASKED_AGAIN:
                self._service.send(packet.number, False, {})
            else:
                self._deferred.append(packet)  # answered later: answering here would nest without bound

    def _answer(self, packet: _Packet) -> None:
        request = object_of(packet.value)
        answer: Mapping[str, Value] | None = None
        if request.get("command") == "on-start":
            # Asked even when the plug-in says that it has no on-start; esbuild panics without these two lists.
            self._service.send(packet.number, False, {"errors": [], "warnings": []})
            return
        if self._hooks is not None and request.get("pluginData") != _ASKED_AGAIN:
            if request.get("command") == "on-resolve":
                answer = self._hooks.resolve(request, self._again)
            elif request.get("command") == "on-load":
                answer = self._hooks.load(request)
        number = cast(Sequence[Value], request.get("ids", [0]))[0]
        self._service.send(packet.number, False, {} if answer is None else {"id": number, **answer})

    def _next(self) -> _Packet:
        idle_s, pause_s = 0.0, _IDLE_S
        ticks: int | None = None
        while True:
            try:
                packet = self._inbox.get(timeout=_WATCH_S)
                break
            except queue.Empty:
                self._service.watch(self._deadline_s)
            before, ticks = ticks, busy_ticks(self._service.pid)
            idle_s = idle_s + _WATCH_S if ticks == before is not None else 0.0
            if idle_s >= pause_s:
                if found := self._obstacles():
                    raise self._service.stop(found)
                idle_s, pause_s = 0.0, 2 * pause_s  # it may wait for an answer of another thread's
        if packet is None:
            raise self._service.fault()
        return packet

    def _checked(self, packet: _Packet) -> Mapping[str, Value]:
        answer = object_of(packet.value)
        if "error" in answer:
            message = f"esbuild refuses its options: {worded(cast(str, answer['error']))}"
            raise EsbuildFault([Diagnostic("engine-refused", "error", message)])
        return answer


def _plugin(hooks: Hooks) -> Mapping[str, Value]:
    spaces = ("file", *hooks.namespaces)
    return {
        "name": _PLUGIN,
        "onStart": False,
        "onEnd": False,
        "onResolve": [{"id": 0, "filter": hooks.resolve_filter, "namespace": ""}],
        "onLoad": [
            {"id": number, "filter": hooks.load_filter if space == "file" else ".*", "namespace": space}
            for number, space in enumerate(spaces, 1)
        ],
    }


def _output(found: Mapping[str, Value], folder: str) -> Output:
    path = os.path.relpath(cast(str, found["path"]), folder).replace(os.sep, "/")
    return Output(path, cast(bytes, found["contents"]))


def _version_of(argv: Sequence[str]) -> str:
    try:
        answer = subprocess.run([*argv, "--version"], capture_output=True, timeout=_GREETING_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.decode("utf-8", "replace").strip()[:40] or "unknown"


def _unavailable(message: str) -> Diagnostic:
    hint = "install the pinned one with `assetbuild tools install`"
    return Diagnostic("engine-unavailable", "error", message, hint=hint)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "opened with pipes"
    return stream

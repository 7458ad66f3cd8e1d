"""A running `assetbuild watch` for tests: what it prints, what it tells pages, and which processes it has started."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE_S", "Events", "Watch", "watching"]

PATIENCE_S = 30
ORIGIN = "http://localhost:8000"


class Events:
    """The event stream as a page of this machine hears it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._connection.request("GET", "/assetbuild/events", headers={"Origin": ORIGIN})
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200

    def next(self) -> dict[str, Any]:
        """Return the next message. The stream has a line every few seconds, so that its own patience never ends."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            line = self.answer.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: "):
                message: dict[str, Any] = json.loads(line[6:])
                return message
        raise AssertionError("no message came")

    def close(self) -> None:
        """Let go of the stream."""
        self.answer.close()
        self._connection.close()


class Watch:
    """The command, running. port: of live reload. lines: everything that it has printed so far."""

    def __init__(self, command: list[str], folder: Path, environ: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,  # a folder that is not ours: `-m` looks for modules in it
            env=environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._printed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(re.findall(r":(\d+)/", self.until("live reload:"))[0])

    def until(self, text: str) -> str:
        """Return the next line that holds `text`."""
        while True:
            line = self._printed.get(timeout=PATIENCE_S)
            assert line is not None, f"it has ended: {self.lines}"
            self.lines.append(line)
            if text in line:
                return line

    def events(self) -> Events:
        """Return a new stream."""
        return Events(self.port)

    def children(self) -> set[int]:
        """Return the processes that it has started and that still run."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()}

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; `lines` then holds the last words."""
        self.process.send_signal(signum)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        while (line := self._printed.get(timeout=PATIENCE_S)) is not None:
            self.lines.append(line)
        return code

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE_S)
        if self.process.stderr is not None:
            self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._printed.put(line.rstrip("\n"))
        self._printed.put(None)


@contextlib.contextmanager
def watching(project: Path, *flags: str, environ: Mapping[str, str] = {}) -> Iterator[Watch]:
    """Give the command watching a project, on a port that is free."""
    command = [sys.executable, "-m", "assetbuild", "watch", "--port", "0", *flags]
    watch = Watch(command, project, {**os.environ, "NO_COLOR": "1", **environ})
    try:
        yield watch
    finally:
        watch.close()

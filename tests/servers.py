"""Real servers for tests: started on a free port of loopback, watched, and stopped with everything they started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SERVERS", "Server", "free_port", "running"]

_PATIENCE_S = 30

# Each runs `module:app`, one process, on {port}. The interpreter is ours, so that no PATH decides which server it is.
SERVERS: Mapping[str, Sequence[str]] = {
    "uvicorn": ("-m", "uvicorn", "{app}", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log"),
    "granian-asgi": ("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", "{app}"),
    "granian-wsgi": ("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "{app}"),
    "gunicorn": ("-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", "127.0.0.1:{port}", "{app}"),
    "waitress": ("-m", "waitress", "--listen=127.0.0.1:{port}", "{app}"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts connections. url: without a slash at the end. process: leader of its own group."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """Return what the server has printed so far."""
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(
    kind: str | Sequence[str],
    app: str = "",
    *,
    folder: Path,
    environ: Mapping[str, str] = {},
    options: Sequence[str] = (),
) -> Iterator[Server]:
    """Give a server that runs `app` (`module:name`, found in `folder`); at the end its process group is gone.

    kind: a name of `SERVERS`, or a whole command with `{port}` in it. environ: added to this process's.
    """
    port = free_port()
    words = [sys.executable, *SERVERS[kind]] if isinstance(kind, str) else [*kind]
    command = [word.format(app=app, port=port) for word in words] + [*options]
    paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    with tempfile.NamedTemporaryFile(prefix="server-", suffix=".log") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=log.fileno(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = Server(f"http://127.0.0.1:{port}", port, process, Path(log.name))
        try:
            _wait_for(server)
            yield server
        finally:
            _stop(process)


def _wait_for(server: Server) -> None:
    """Return when the server accepts a connection; fail with its own words if it ends or does not."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while server.process.poll() is None and time.monotonic() < deadline_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        select.select([], [], [], 0.02)
    raise AssertionError(f"the server did not start:\n{server.output()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started; kill what does not go."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

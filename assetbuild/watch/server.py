"""Server: the socket of `watch`, on loopback only, with a thread for each connection. For development alone."""

from __future__ import annotations

import contextlib
import errno
import io
import sys
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from assetbuild.diagnostic import AssetbuildError
from assetbuild.watch.live import Live
from assetbuild.watch.site import SCRIPT_PATH, Site

__all__ = ["CONNECTIONS", "LiveServer", "PortTaken"]

CONNECTIONS = 100
"""How many are served at once. A page that is looked at holds one; a browser opens six at most to one host."""

_ADDRESS = "127.0.0.1"
_LOOK_S = 0.1  # how often the server looks whether it should end
_SILENCE_S = 20.0  # longer than the heartbeat of a stream
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 28\r\n"
    b"Connection: close\r\nCache-Control: no-store\r\nRetry-After: 30\r\n\r\ntoo many connections at once"
)


class PortTaken(AssetbuildError):
    """Somebody else listens on the port."""

    hint = "end the other one, or choose a port with `--port N` (0: any that is free)"


class LiveServer:
    """Serves a site to this machine. A context manager: at its end the port is free and every stream is closed.

    silence_s: how long a client may neither send what it began nor take what it asked for.
    """

    def __init__(self, live: Live, port: int, *, silence_s: float = _SILENCE_S) -> None:
        self._live = live
        handler = type("_Patient", (_Quiet,), {"timeout": silence_s})
        try:
            self._server = _Threads((_ADDRESS, port), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise PortTaken(f"port {port} of {_ADDRESS} cannot be used: {(error.strerror or '').lower()}") from None
        self.site = Site(live, self._server.server_port)
        self.script_url = f"http://{_ADDRESS}:{self._server.server_port}{SCRIPT_PATH}"
        self._server.set_app(self.site)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_LOOK_S,), name="live", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # a stream may wait for its next heartbeat, and nobody has to wait for it

    def __init__(self, *arguments: Any) -> None:
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or refuse it: threads have to end somewhere."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.setblocking(False)  # nobody else is served meanwhile
            request.sendall(_FULL)
            request.recv(1 << 16)  # closing over what nobody has read would be a reset that overtakes the answer
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away or fell silent; of anything else as the standard library does."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Quiet(WSGIRequestHandler):
    def setup(self) -> None:
        """Open the connection's two ways."""
        super().setup()
        self.wfile = _Outlet(self.wfile)

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the build."""


class _Outlet(io.BufferedIOBase):
    """The way to a client. One that takes nothing any more counts as one that went away: wsgiref logs all others."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def write(self, content: Any) -> int:
        try:
            return self._stream.write(content)
        except TimeoutError as error:
            raise BrokenPipeError(error.errno, "the client takes nothing") from error

"""Server: the socket of `watch`, on loopback only, with a thread for each connection. For development alone."""

from __future__ import annotations

import errno
import sys
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from assetbuild.diagnostic import AssetbuildError
from assetbuild.watch.live import Live
from assetbuild.watch.site import SCRIPT_PATH, Site

__all__ = ["LiveServer", "PortTaken"]

_ADDRESS = "127.0.0.1"
_LOOK_S = 0.1  # how often the server looks whether it should end


class PortTaken(AssetbuildError):
    """Somebody else listens on the port."""

    hint = "end the other one, or choose a port with `--port N` (0: any that is free)"


class LiveServer:
    """Serves a site to this machine. A context manager: at its end the port is free and every stream is closed."""

    def __init__(self, live: Live, port: int) -> None:
        self._live = live
        try:
            self._server = _Threads((_ADDRESS, port), _Quiet)
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

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; of anything else as the standard library does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the build."""

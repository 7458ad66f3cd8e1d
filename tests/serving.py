"""A static host for tests: serves one page and what the manifest names, from the output alone, on loopback."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["serving"]


@contextlib.contextmanager
def serving(output: Path, page: str) -> Iterator[str]:
    """Give the URL of a server that answers `/` with `page` and published paths with their files."""
    manifest = json.loads((output / "manifest.json").read_text())
    base = manifest["base"]
    bodies = {base + path: (facts["type"], output / path) for path, facts in manifest["files"].items()}
    for logical, asset in manifest["assets"].items():
        stable = asset.get("at") or (base + logical if asset.get("keep") else "")
        if stable:
            bodies[stable] = (manifest["files"][asset["file"]]["type"], output / asset["file"])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/":
                return self._answer(200, "text/html; charset=utf-8", page.encode())
            if path in bodies:
                content_type, file = bodies[path]
                return self._answer(200, content_type, file.read_bytes())
            return self._answer(404, "text/plain", b"not in the manifest")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the browser reports what it saw."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""What a browser asks for: every case is a site of its own on one loopback server, opened in a frame of one page.

A site has a host name of its own, so that root-relative URLs mean its own tree. The server writes down what was asked
for: that holds for workers and worklets too, which the page that started them does not see.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote

from assetbuild.compiler.media import media_type
from tests.browser import chromium_browser
from tests.conformance.cases import Case

__all__ = ["BASE", "Seen", "Site", "visited"]

BASE = "/static/"

_AT_ONCE = 24
_QUIET_S = 0.2  # how long a page that has loaded must ask for nothing until it counts as done
_PATIENCE_S = 5.0
_HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
# A module has run when an import of it is done: the page asks for no second copy. What it started without waiting has
# ended once two times of quiet in a row saw nothing new.
_REPORT = """
globalThis.ran = [];
globalThis.wrong = [];
addEventListener("error", (event) => wrong.push(String(event.message)));
addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)));
addEventListener("load", async () => {
  document.body.offsetWidth;
  await document.fonts.ready;
  const quiet = async () => [await (await fetch("/-/quiet")).text(), ran.length].join();
  await import(%s).catch(() => 0);
  for (let last = await quiet(), now; (now = await quiet()) !== last;) last = now;
  await fetch("/-/ran", { method: "POST", body: JSON.stringify([ran, wrong]) });
  parent.postMessage("done", "*");
});
"""
_FRAMES = """<!doctype html><link rel="icon" href="data:,"><style>iframe { width: 90px; height: 60px }</style><body>
<script>
globalThis.finished = 0;
addEventListener("message", () => { finished += 1 });
for (const url of %s) document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
</script>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Site(NamedTuple):
    """What one frame shows. main: URL path of the stylesheet or script. files: URL path → bytes."""

    case: Case
    main: str
    files: Mapping[str, bytes]
    is_classic: bool = False

    @classmethod
    def of_source(cls, case: Case) -> Site:
        """Return the uncompiled tree of `case`."""
        return cls(case, BASE + case.main, {BASE + path: body for path, body in case.files().items()}, case.is_classic)

    @property
    def page(self) -> str:
        """The page that uses the text under test; it says what it saw once nothing more is asked for."""
        module = "data:text/javascript,"
        if self.case.language == "css":
            used = f'<link rel="stylesheet" href="{self.main}">'
        elif self.is_classic:
            used = f'<script src="{self.main}" defer></script>'
        else:
            used, module = f'<script type="module" src="{self.main}"></script>', self.main
        return f"{_HEAD}<script>{_REPORT % json.dumps(module)}</script>{used}<body>{self.case.body}"


@dataclass
class Seen:
    """What one site was asked for. found: URL paths in the order of the first request; lost: those it does not have.

    ran: what the scripts said, None if the page never finished. wrong: what they threw.
    """

    found: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    ran: list[object] | None = None
    wrong: list[str] = field(default_factory=list)
    last: float = 0.0


def visited(chromium: str, sites: Sequence[Site]) -> list[Seen]:
    """Return what a browser asked each of `sites` for. chromium: its file."""
    with chromium_browser(chromium) as browser, _serving(sites) as (port, seen):
        for first in range(0, len(sites), _AT_ONCE):
            last = min(first + _AT_ONCE, len(sites))
            url = f"http://frames.case.localhost:{port}/?{first}-{last}"
            browser.look(url, ready=f"globalThis.finished >= {last - first}")
    return seen


@contextlib.contextmanager
def _serving(sites: Sequence[Site]) -> Iterator[tuple[int, list[Seen]]]:
    seen = [Seen() for _ in sites]
    heard = threading.Condition()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.headers["Host"].partition(".")[0]
            path = unquote(self.path.partition("?")[0])
            if name == "frames":
                return self._answer(200, "text/html", (_FRAMES % json.dumps(self._frames())).encode())
            number = int(name[1:])
            if path == "/":
                return self._answer(200, "text/html", sites[number].page.encode())
            if path == "/-/quiet":
                return self._answer(200, "text/plain", _quiet(seen[number], heard))
            return self._asset(sites[number], seen[number], path)

        def do_POST(self) -> None:
            number = int(self.headers["Host"].partition(".")[0][1:])
            report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen[number].ran, seen[number].wrong = report
            self._answer(200, "text/plain", b"heard")

        def _frames(self) -> list[str]:
            first, _, last = self.path.partition("?")[2].partition("-")
            host = self.headers["Host"].removeprefix("frames.")
            return [f"http://c{number}.{host}/" for number in range(int(first), int(last))]

        def _asset(self, site: Site, seen: Seen, path: str) -> None:
            body = site.files.get(path)
            with heard:
                seen.last = time.monotonic()
                asked = seen.lost if body is None else seen.found
                if path not in asked:
                    asked.append(path)
            if body is None:
                return self._answer(404, "text/plain", b"")
            return self._answer(200, media_type(path), body)

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: what was asked for is in `seen`."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1], seen
        finally:
            server.shutdown()
            thread.join()


def _quiet(seen: Seen, heard: threading.Condition) -> bytes:
    """Return how much the site was asked for, once it was asked for nothing more for a while."""
    until = time.monotonic() + _PATIENCE_S
    with heard:
        while (left := seen.last + _QUIET_S - time.monotonic()) > 0 and time.monotonic() < until:
            heard.wait(left)
        return str(len(seen.found) + len(seen.lost)).encode()

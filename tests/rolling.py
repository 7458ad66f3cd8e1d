"""A rolling deploy: two releases of a site behind a proxy that asks its servers in turn, and a browser that walks it.

Each release is compiled by the real command and served by a process's worth of `AssetMiddleware`. Every path goes to
each server in turn, so that every page meets every server. `walk` says what was asked for and what was not there.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from assetbuild import Assets
from assetbuild.cli import main
from assetbuild.disk import RealDisk
from assetbuild.release.carry import carry
from assetbuild.release.lineage import Limits
from assetbuild.web.wsgi import AssetMiddleware
from tests.browser import Browser, Page

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["WAYS", "Walk", "releases", "walk"]

_COLOURS = {"one": "rgb(1, 1, 1)", "two": "rgb(2, 2, 2)"}
_VISITS = 8
WAYS = ("nothing carried", "carried by the new release", "carried by both, in two steps")
"""How two releases may meet: what `releases` makes of each pair."""


@dataclass
class Walk:
    """What a browser asked for, pages left out. misses: paths that were answered by 404, each time it was so.

    storable: misses that a cache might keep. broken: number of a page → what of its release it did not show.
    """

    pages: int = 0
    requests: int = 0
    misses: list[str] = field(default_factory=list)
    storable: list[str] = field(default_factory=list)
    broken: dict[int, list[str]] = field(default_factory=dict)


def _sources(name: str) -> dict[str, str]:
    return {
        "assetbuild.toml": '[entries]\n"js/app.js" = { module = "js/app.js" }\n',
        "assets/img/dot.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><title>{name}</title></svg>',
        "assets/css/app.css": f"body {{ color: {_COLOURS[name]}; background: url(../img/dot.svg) }}",
        "assets/js/app.js": "document.querySelector('button').onclick = () => import('./lazy.js')"
        ".then((lazy) => lazy.show(), () => (document.title = 'failed'));",
        "assets/js/lazy.js": f"export const show = () => (document.title = 'lazy {name}');",
    }


def releases(folder: Path, way: str) -> tuple[Path, Path]:
    """Compile two releases of one site, of which every file differs, and return their outputs as they are deployed."""
    outputs = []
    for name in _COLOURS:
        for path, text in _sources(name).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)
        assert 0 == main(["compile", str(folder / name)])
        outputs.append(folder / name / "build/assets")
    one, two = outputs
    bare = shutil.copytree(two, folder / "bare")
    if way != WAYS[0]:
        carry(str(two), [str(one)], RealDisk(), Limits())
    if way == WAYS[2]:
        carry(str(one), [str(bare)], RealDisk(), Limits())
    return one, two


def walk(browser: Browser, one: Path, two: Path) -> Walk:
    """Walk the site while both releases are up, then in tabs that stayed open once only the new one is."""
    seen = Walk()
    with contextlib.ExitStack() as until:
        old, new = (
            until.enter_context(_application(name, out)) for name, out in zip(_COLOURS, (one, two), strict=True)
        )
        proxy = until.enter_context(_proxy([old, new], seen))
        for _ in range(_VISITS):
            with browser.page(proxy.url, has_cache=False) as page:
                _click(page, _look(page, seen), seen)
        tabs = [until.enter_context(browser.page(proxy.url, has_cache=False)) for _ in _COLOURS]
        numbers = [_look(tab, seen) for tab in tabs]
        proxy.servers = [new]
        for tab, number in zip(tabs, numbers, strict=True):
            _click(tab, number, seen)
    return seen


def _look(page: Page, seen: Walk) -> int:
    """Wait until the page is there, note whether it looks as its release does, and return its number."""
    page.until("document.readyState === 'complete' && document.querySelector('button')")
    seen.pages += 1
    name = page.value("document.querySelector('button').textContent")
    if page.value("getComputedStyle(document.body).color") != _COLOURS[name]:
        seen.broken.setdefault(seen.pages, []).append(f"{name} has no style")
    return seen.pages


def _click(page: Page, number: int, seen: Walk) -> None:
    """Ask for what the page loads late, and note whether it came."""
    name = page.value("document.querySelector('button').textContent")
    if not page.value("document.querySelector('button').onclick !== null"):
        seen.broken.setdefault(number, []).append(f"{name} has no script")
        return
    page.value("document.querySelector('button').click()")
    page.until("document.title !== ''")
    if page.value("document.title") != f"lazy {name}":
        seen.broken.setdefault(number, []).append(f"{name} has no lazy chunk")


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the proxy counts."""


@contextlib.contextmanager
def _application(name: str, output: Path) -> Iterator[int]:
    """Give the port of a server of one release: its page, and what its manifest names."""
    assets = Assets.open(output / "manifest.json")
    style, script = assets.tag("css/app.css"), assets.tag("js/app.js")

    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")])
        return [f"<!doctype html><link rel=icon href=data:,>{style}<button>{name}</button>{script}".encode()]

    server = make_server("127.0.0.1", 0, AssetMiddleware(page, assets), _Threads, _Quiet)
    with _serving(server):
        yield server.server_port


@dataclass
class _Proxy:
    """A proxy that runs. servers: ports, which may be exchanged at any time."""

    url: str
    servers: Sequence[int]


@contextlib.contextmanager
def _proxy(servers: Sequence[int], seen: Walk) -> Iterator[_Proxy]:
    """Give a proxy that asks the servers in turn for each path, and notes in `seen` what they answer."""
    asked: Counter[str] = Counter()
    counting = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with counting:
                port = running.servers[asked[self.path] % len(running.servers)]
                asked[self.path] += 1
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            with contextlib.closing(connection):
                connection.request("GET", self.path, headers=dict(self.headers))
                answer = connection.getresponse()
                body = answer.read()
            with counting:
                self._note(answer)
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _note(self, answer: http.client.HTTPResponse) -> None:
            seen.requests += self.path != "/"
            if answer.status == 404:
                seen.misses.append(self.path)
                seen.storable += [self.path] * (answer.getheader("Cache-Control") != "no-store")

        def log_message(self, *_: object) -> None:
            """Say nothing: the walk tells what was seen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = _Proxy(f"http://127.0.0.1:{server.server_address[1]}/", servers)
    with _serving(server):
        yield running


@contextlib.contextmanager
def _serving(server: WSGIServer | ThreadingHTTPServer) -> Iterator[None]:
    server.daemon_threads = True  # type: ignore[union-attr]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A rolling deploy: two releases of a site behind a proxy that asks its servers in turn, and a browser that walks it.

Each release is compiled by the real command and served by an application behind `AssetMiddleware`. Every path goes to
each server in turn, so that every page meets every server. `walk` says what was asked for and what was not there.
"""

from __future__ import annotations

import contextlib
import http.client
import re
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
from tests.conftest import need
from tests.servers import running

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["WAYS", "Walk", "walk"]

_COLOURS = {"one": "rgb(1, 1, 1)", "two": "rgb(2, 2, 2)"}
_VISITS = 8
_HAS_ASKED_FOR_IMAGE = "performance.getEntriesByType('resource').some((each) => each.name.includes('/dot-'))"
WAYS = (
    "nothing carried",
    "carried by the new release",
    "carried by the new release, nginx asks on",
    "carried by both, in two steps",
)
"""How two releases may meet: what `_releases` makes of each pair, and who stands before their servers in `walk`."""

_NOTHING, _NEW, _ASKING_ON, _BOTH = WAYS
_PAGE = Path(__file__).parents[1] / "docs/how-to/rolling-deploys.md"
_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
@CONF@
}
"""


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


def _releases(folder: Path, way: str) -> tuple[Path, Path]:
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
    if way != _NOTHING:
        carry(str(two), [str(one)], RealDisk(), Limits())
    if way == _BOTH:
        carry(str(one), [str(bare)], RealDisk(), Limits())
    return one, two


def walk(browser: Browser, way: str, folder: Path) -> Walk:
    """Walk a site while both releases are up, then in tabs that stayed open once only the new one is."""
    one, two = _releases(folder, way)
    seen = Walk()
    with contextlib.ExitStack() as until, contextlib.ExitStack() as up:
        new = until.enter_context(_application("two", two))
        old = up.enter_context(_application("one", one))
        front = until.enter_context(_nginx(old, new, folder)) if way == _ASKING_ON else None
        proxy = until.enter_context(_proxy([old, new], [front] if front else [old, new], seen))
        for _ in range(_VISITS):
            with browser.page(proxy.url, has_cache=False) as page:
                _click(page, _look(page, seen), seen)
        tabs = [until.enter_context(browser.page(proxy.url, has_cache=False)) for _ in _COLOURS]
        numbers = [_look(tab, seen) for tab in tabs]
        up.close()
        proxy.servers = [front or new]
        for tab, number in zip(tabs, numbers, strict=True):
            _click(tab, number, seen)
    return seen


def _look(page: Page, seen: Walk) -> int:
    """Wait until the page is there, note whether it looks as its release does, and return its number."""
    page.until("document.readyState === 'complete' && document.querySelector('button')")
    seen.pages += 1
    name = page.value("document.querySelector('button').textContent")
    if page.value("getComputedStyle(document.body).color") == _COLOURS[name]:
        page.until(_HAS_ASKED_FOR_IMAGE)  # nothing waits for an image of a stylesheet, not even the page's own end
    else:
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


@contextlib.contextmanager
def _nginx(old: int, new: int, folder: Path) -> Iterator[int]:
    """Give the port of an nginx that is configured as the page on rolling deploys says, but for addresses."""
    need("nginx", shutil.which("nginx") is not None)
    (block,) = re.findall(r"^```nginx\n(.*?)^```$", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for written, here in (("10.0.0.41:8000", old), ("10.0.0.42:8000", new), ("listen 80;", "listen 127.0.0.1:@PORT@;")):
        assert written in block
        block = block.replace(written, here if isinstance(here, str) else f"127.0.0.1:{here}")
    (folder / "nginx.conf").write_text(_NGINX.replace("@CONF@", block))
    start = "sed 's/@PORT@/{port}/' nginx.conf > running.conf && exec nginx -e error.log -p . -c running.conf"
    with running(["/bin/sh", "-c", start], folder=folder) as server:
        yield server.port


@dataclass
class _Proxy:
    """A proxy that runs. servers: ports that are asked for assets; they may be exchanged at any time."""

    url: str
    servers: Sequence[int]


@contextlib.contextmanager
def _proxy(pages: Sequence[int], servers: Sequence[int], seen: Walk) -> Iterator[_Proxy]:
    """Give a proxy that asks the servers in turn for each path, and notes in `seen` what they answer.

    pages: ports that are asked for `/`, likewise.
    """
    asked: Counter[str] = Counter()
    counting = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with counting:
                able = pages if self.path == "/" else made.servers
                port = able[asked[self.path] % len(able)]
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
    made = _Proxy(f"http://127.0.0.1:{server.server_address[1]}/", servers)
    with _serving(server):
        yield made


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

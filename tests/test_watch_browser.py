"""Live reload in a real browser, in the page of a real application that follows its manifest."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from assetbuild import Assets
from assetbuild.web.wsgi import AssetMiddleware
from tests.browser import Browser, chromium_browser
from tests.conftest import Tree, need
from tests.watching import Watch, watching

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

SITE = {
    "assets/css/app.scss": "body { color: rgb(1, 1, 1) }\n",
    "assets/css/last.css": "body { margin: 1px }\n",
    "assets/js/app.js": "window.made = 1;\n",
    "pages/index.html": "one",
    "assetbuild.toml": '[templates]\npaths = ["pages"]\n',
}
COLOUR = "getComputedStyle(document.body).color"
# Without this nobody could see from outside that a page listens.
NOTED = "window.EventSource = class extends EventSource { constructor(url) { super(url); window.stream = this } }"
STREAM = "window.stream?.readyState === 1"
LINKS = "[...document.querySelectorAll('link')].map((link) => link.href.split('/').pop().split('-')[0])"


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the browser tells what it saw."""


@contextlib.contextmanager
def application(project: Path, script_url: str, policy: str = "") -> Iterator[str]:
    """Give the URL of an application in development: a page with two stylesheets, a script and live reload."""
    assets = Assets.open(project / "build/assets/manifest.json", reload=True)

    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        start_response("200 OK", [*headers, *([("Referrer-Policy", policy)] if policy else [])])
        sheets = assets.tag("css/app.css"), assets.tag("css/last.css")
        live = f'<script>{NOTED}</script><script async src="{script_url}"></script>'
        tags = (*sheets, assets.tag("js/app.js"), live)
        return [f"<!doctype html>{''.join(tags)}<p>{(project / 'pages/index.html').read_text()}</p>".encode()]

    served = AssetMiddleware(page, assets)
    with make_server("127.0.0.1", 0, served, Threads, Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for all tests of this module."""
    chromium = shutil.which("chromium")
    need("chromium", chromium is not None)
    with chromium_browser(chromium or "") as opened:
        yield opened


@pytest.fixture
def watched(tree: Tree) -> Iterator[tuple[Path, Watch]]:
    """Give a project and the command that watches it, after its first build."""
    project = tree(SITE)
    with watching(project) as watch:
        watch.until("compiled")
        yield project, watch


def script_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/assetbuild/live.js"


@pytest.mark.parametrize("policy", ["", "same-origin", "no-referrer"])
def test_an_edited_stylesheet_is_exchanged_and_the_page_stays(
    watched: tuple[Path, Watch], browser: Browser, policy: str
) -> None:
    project, watch = watched
    with application(project, script_url(watch.port), policy) as url, browser.page(url) as page:
        page.until(f"window.made && {COLOUR} === 'rgb(1, 1, 1)'")
        page.value("window.kept = 'by hand'")
        page.until(STREAM)

        for number in (2, 3):
            (project / "assets/css/app.scss").write_text(f"body {{ color: rgb({number}, 1, 1) }}\n")
            page.until(f"{COLOUR} === 'rgb({number}, 1, 1)' && {LINKS}.length === 2")

        assert ["by hand", ["app", "last"]] == [page.value("window.kept"), page.value(LINKS)]
        assert "sha384-" in page.value("document.querySelector('link').integrity")
        assert [] == page.console


def test_an_edited_script_loads_the_page_anew(watched: tuple[Path, Watch], browser: Browser) -> None:
    project, watch = watched
    with application(project, script_url(watch.port)) as url, browser.page(url) as page:
        page.until("window.made === 1")
        page.until(STREAM)
        page.value("window.kept = 'by hand'")

        (project / "assets/js/app.js").write_text("window.made = 2;\n")

        page.until("window.made === 2")
        assert page.value("window.kept") is None


def test_an_edited_template_loads_the_page_anew(watched: tuple[Path, Watch], browser: Browser) -> None:
    project, watch = watched
    with application(project, script_url(watch.port)) as url, browser.page(url) as page:
        page.until("document.querySelector('p')?.textContent === 'one'")
        page.until(STREAM)

        (project / "pages/index.html").write_text("two")

        page.until("document.querySelector('p')?.textContent === 'two'")


def test_an_error_is_told_in_the_console(watched: tuple[Path, Watch], browser: Browser) -> None:
    project, watch = watched
    with application(project, script_url(watch.port)) as url, browser.page(url) as page:
        page.until(STREAM)
        page.value("window.told = []; console.error = (text) => window.told.push(text)")

        (project / "assets/css/app.scss").write_text("body { color rgb(2, 1, 1) }\n")

        page.until("window.told.length")
        assert "assets/css/app.scss:1:27" in page.value("window.told[0]")
        assert "rgb(1, 1, 1)" == page.value(COLOUR)


def test_a_page_finds_back_to_a_watch_that_was_started_again(tree: Tree, browser: Browser) -> None:
    project = tree(SITE)
    with watching(project) as first:
        first.until("compiled")
        with application(project, script_url(first.port)) as url, browser.page(url) as page:
            page.until("window.made === 1")
            page.until(STREAM)
            page.value("window.kept = 'by hand'")
            first.end()
            (project / "assets/js/app.js").write_text("window.made = 2;\n")

            with watching(project, "--port", str(first.port)) as second:
                second.until("compiled")

                page.until("window.made === 2")
                assert page.value("window.kept") is None


def test_a_page_that_nobody_tells_anything_asks_less_and_less_often(tree: Tree, browser: Browser) -> None:
    """The clock of the page is its own: a pause is noted, and over at once."""
    project = tree(SITE)
    with watching(project) as watch:
        watch.until("compiled")
        with application(project, script_url(watch.port)) as url, browser.page(url) as page:
            page.until("window.made === 1")
            page.until(STREAM)
            page.value(
                "window.pauses = [], window.later = window.setTimeout,"
                "window.setTimeout = (act, ms) => (ms >= 500 && window.pauses.push(ms), window.later(act, ms / 1000))"
            )

            watch.end()

            page.until("window.pauses.length > 8")
            assert [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000] == page.value("window.pauses.slice(0, 8)")


def test_stylesheets_in_shadow_roots_are_exchanged(watched: tuple[Path, Watch], browser: Browser) -> None:
    project, watch = watched
    colour = "getComputedStyle(window.inner.querySelector('body')).color"
    with application(project, script_url(watch.port)) as url, browser.page(url) as page:
        page.until(STREAM)
        page.value(
            """(() => {
                const outer = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
                const host = outer.appendChild(document.createElement("div"));
                window.inner = host.attachShadow({ mode: "open" });
                window.inner.append(document.querySelector("link").cloneNode(), document.createElement("body"));
            })()"""
        )
        page.until(f"{colour} === 'rgb(1, 1, 1)'")

        (project / "assets/css/app.scss").write_text("body { color: rgb(2, 1, 1) }\n")

        page.until(f"{colour} === 'rgb(2, 1, 1)' && window.inner.querySelectorAll('link').length === 1")
        assert [] == page.console


def test_an_error_is_told_once_and_so_is_its_end(watched: tuple[Path, Watch], browser: Browser) -> None:
    project, watch = watched
    sheet = project / "assets/css/app.scss"
    with application(project, script_url(watch.port)) as url, browser.page(url) as page:
        page.until(STREAM)
        page.value("window.told = []; console.error = console.info = (text) => window.told.push(text)")

        sheet.write_text("body { color rgb(1, 1, 1) }\n")
        page.until("window.told.length")
        page.value("window.stream.onerror()")
        page.until(STREAM)
        sheet.write_text(SITE["assets/css/app.scss"])
        page.until("window.told.length > 1")

        told = page.value("window.told")
        assert told[0].startswith("assetbuild: error: ")
        assert ["assetbuild: compiled again, the error is gone"] == told[1:]


def test_a_page_that_is_none_of_this_machine_learns_nothing(watched: tuple[Path, Watch], browser: Browser) -> None:
    _, watch = watched
    asked = f"""new Promise((done) => {{
        const stream = new EventSource('http://127.0.0.1:{watch.port}/assetbuild/events');
        stream.onopen = () => done('open');
        stream.onerror = () => done('refused');
    }})"""
    with browser.page("data:text/html,<p>of an opaque origin</p>") as page:
        assert "refused" == page.value(asked)

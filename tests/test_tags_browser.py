"""Tags, preloads and inlined assets in a real browser, under a policy that lets nothing else run."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from assetbuild import Assets
from assetbuild.manifest import hash_name
from assetbuild.web.wsgi import AssetMiddleware
from tests.browser import chromium_browser
from tests.manifests import file_entry, published, write
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

BODIES = {
    "js/app.js": b'import { b } from "#js/b.js"; import { c } from "#js/c.js"; window.sum = b + c',
    "js/b.js": b'import { c } from "#js/c.js"; export const b = c + 1',
    "js/c.js": b"export const c = 1",
    "js/old.js": b"window.old = 1",
    "css/app.css": b"body { color: rgb(1, 2, 3) }",
    "logo.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="4"><path d="M0 0h8v4z"/></svg>',
    "inline.css": b"i::before { content: '</style><b>' } i { color: rgb(4, 5, 6) }\r\n",
    "inline.js": b'window.text = "</script><script>" + "<!--"; window.found = /<script/.test(window.text)\r\n',
    "inline.json": b'["</script>", "<!--<script>"]',
}
FACTS: dict[str, Any] = {
    "js_app_js": {"kind": "module", "imports": ["js/b.js", "js/c.js"], "css": ["css/app.css"]},
    "js_b_js": {"kind": "module", "imports": ["js/c.js"]},
    "js_c_js": {"kind": "module"},
    "js_old_js": {"kind": "classic"},
    "css_app_css": {"kind": "style"},
    "logo_svg": {"width": 8, "height": 4},
}
NONE = "default-src 'none'; img-src data:"


def made(folder: Path) -> Assets:
    """Return the assets of an output folder that holds `BODIES` and an import map."""
    found = published(folder, BODIES, **FACTS)
    for logical, media_type in (("logo.svg", "image/svg+xml"), ("inline.json", "application/json")):
        found["files"][found["assets"][logical]["file"]] = file_entry(BODIES[logical], media_type)
    found["importmap"] = {f"#{name}": name for name in ("js/b.js", "js/c.js")}
    return Assets.open(write(folder, found), environ={})


class Threads(ThreadingMixIn, WSGIServer):
    """A server that answers several requests at once, as a browser asks them."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """A handler that prints nothing: the browser reports what it saw."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def site(assets: Assets, page: str, *headers: tuple[str, str]) -> Iterator[tuple[str, Counter[str]]]:
    """Give the URL of a page with its assets, and how often each path was asked for."""
    asked: Counter[str] = Counter()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *headers])
        return [page.encode()]

    served = AssetMiddleware(application, assets)

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked[environ["PATH_INFO"]] += 1
        return served(environ, start_response)

    server = make_server("127.0.0.1", 0, counted, Threads, Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_browser_checks_every_tag_and_asks_once_for_what_was_preloaded(tmp_path: Path, chromium: str) -> None:
    assets = made(tmp_path)
    names = ("js/app.js", "js/old.js", "logo.svg")
    head = [assets.importmap(), *(assets.preload(name) for name in names)]
    body = [assets.tag("js/app.js"), assets.tag("js/old.js"), assets.tag("logo.svg", alt="")]
    page = "<!doctype html><link rel=icon href=data:,>" + "\n".join([*head, "<body>", *body])
    expressions = ["window.sum", "window.old", "getComputedStyle(document.body).color", "document.images[0].width"]

    with site(assets, page) as (url, asked), chromium_browser(chromium) as browser:
        visit = browser.look(url, *expressions)

    assert [] == visit.problems
    assert [3, 1, "rgb(1, 2, 3)", 8] == visit.values
    urls = [assets.url(name) for name in ("js/app.js", "js/b.js", "js/c.js", "js/old.js", "css/app.css", "logo.svg")]
    assert Counter(["/", *urls]) == asked


def test_link_headers_preload_what_the_tags_load(tmp_path: Path, chromium: str) -> None:
    assets = made(tmp_path)
    names = ("css/app.css", "js/old.js", "js/b.js", "logo.svg")
    links = ", ".join(assets.links(*names))
    body = [assets.importmap(), *(assets.tag(name) for name in names)]
    page = "<!doctype html><link rel=icon href=data:,><body>" + "\n".join(body)

    with site(assets, page, ("Link", links)) as (url, asked), chromium_browser(chromium) as browser:
        visit = browser.look(url, "performance.getEntriesByType('resource').map(e => e.initiatorType).join()")

    assert [] == visit.problems
    assert Counter(["/", *(assets.url(name) for name in (*names, "js/c.js"))]) == asked


def test_a_preloaded_font_is_the_one_that_a_stylesheet_asks_for(tmp_path: Path, chromium: str) -> None:
    """A request for a font is made and matched whether or not it can be read, which this one cannot."""
    font = b"no font"
    sheet = f"@font-face {{ font-family: f; src: url(text-{hash_name('', font)}.woff2) }} body {{ font-family: f }}"
    found = published(tmp_path, {"text.woff2": font, "a.css": sheet.encode()})
    found["files"][found["assets"]["text.woff2"]["file"]] = file_entry(font, "font/woff2")
    assets = Assets.open(write(tmp_path, found), environ={})
    head = assets.preload("text.woff2") + assets.tag("a.css")
    page = f"<!doctype html><link rel=icon href=data:,>{head}<body>text"

    with site(assets, page) as (url, asked), chromium_browser(chromium) as browser:
        visit = browser.look(url, "document.fonts.ready.then(() => document.fonts.size)")

    assert [1] == visit.values
    assert Counter(["/", assets.url("text.woff2"), assets.url("a.css")]) == asked
    assert [] == [problem for problem in visit.problems if "font" not in problem and "OTS" not in problem]


def test_changed_bytes_do_not_run(tmp_path: Path, chromium: str) -> None:
    """The module is imported by a specifier, so that the import map alone can tell its digest."""
    assets = made(tmp_path)
    (tmp_path / assets["js/c.js"].file).write_bytes(b"export const c = 2")
    page = "<!doctype html><link rel=icon href=data:,>" + assets.importmap() + assets.tag("js/app.js")

    with serving(tmp_path, page) as url, chromium_browser(chromium) as browser:
        visit = browser.look(url, "window.sum")

    assert [None] == visit.values
    assert any("integrity" in problem for problem in visit.problems)


def test_a_policy_of_hashes_alone_lets_inlined_assets_and_the_import_map_work(tmp_path: Path, chromium: str) -> None:
    assets = made(tmp_path)
    style, script = assets.inline("inline.css"), assets.inline("inline.js")
    importmap, data = assets.importmap(), assets.inline("inline.json", id="data")
    page = "".join(
        [
            "<!doctype html><link rel=icon href=data:,>",
            *(importmap, style, "<body><i>x</i>", script, data, assets.inline("logo.svg", class_="logo")),
            "<script>window.stranger = 1</script><style>i { color: rgb(7, 8, 9) }</style>",
        ]
    )
    policy = f"{NONE}; style-src {style.csp_hash}; script-src {script.csp_hash} {importmap.csp_hash}"
    expressions = [
        "getComputedStyle(document.querySelector('i')).color",
        "getComputedStyle(document.querySelector('i'), '::before').content",
        "window.text + window.found",
        "document.getElementById('data').textContent",
        "JSON.parse(document.getElementById('data').textContent).join()",
        "document.querySelector('svg.logo').getBoundingClientRect().width",
        "window.stranger",
    ]

    with site(assets, page, ("Content-Security-Policy", policy)) as (url, _), chromium_browser(chromium) as browser:
        visit = browser.look(url, *expressions)

    expected = [
        "rgb(4, 5, 6)",
        '"</style><b>"',
        "</script><script><!--true",
        r'["\u003c/script>", "\u003c!--\u003cscript>"]',
        "</script>,<!--<script>",
        8,
        None,
    ]
    assert expected == visit.values
    assert 2 == len(visit.problems)
    assert all("Content Security Policy" in problem for problem in visit.problems)

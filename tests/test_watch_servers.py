"""`assetbuild watch -- SERVER`: in headless Chromium, the page of a real server follows edits and keeps its state."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator

import pytest

from tests.browser import Browser, chromium_browser
from tests.conftest import Tree, need
from tests.patience import until
from tests.servers import free_port
from tests.test_watch_child import is_alive
from tests.watching import watching

PAGE = """\
<!doctype html>
<script>
window.EventSource = class extends EventSource { constructor(url) { super(url); window.stream = this } }
</script>
{{ asset_tag('css/app.css') }}{{ asset_live() }}
<p>{{ pid }}</p>
"""
FLASK = """\
import os
from assetbuild.web.flask import AssetBuild
from flask import Flask, render_template
app = Flask(__name__)
AssetBuild(app)
@app.get("/")
def page():
    return render_template("page.html", pid=os.getpid())
"""
STARLETTE = """\
import os
from assetbuild import Assets
from assetbuild.web.jinja import install
from assetbuild.web.starlette import AssetMount
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.templating import Jinja2Templates
assets = Assets.open()
templates = Jinja2Templates("templates")
install(templates.env, assets)
def page(request):
    return templates.TemplateResponse(request, "page.html", {"pid": os.getpid()})
app = Starlette(routes=[Route("/", page), AssetMount("/static", assets)])
"""
SERVERS = {
    "flask": (FLASK, ("-m", "flask", "--app", "site_app", "run", "--debug", "--port")),
    "uvicorn": (STARLETTE, ("-m", "uvicorn", "site_app:app", "--no-access-log", "--port")),
}
COLOUR = "getComputedStyle(document.body).color"
PID = "document.querySelector('p')?.textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for all tests of this module."""
    chromium = shutil.which("chromium")
    need("chromium", chromium is not None)
    with chromium_browser(chromium or "") as opened:
        yield opened


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", SERVERS)
def test_an_edited_stylesheet_is_exchanged_in_the_page_of_a_server_that_stays(
    tree: Tree, browser: Browser, name: str
) -> None:
    code, words = SERVERS[name]
    sheet = "assets/css/app.scss"
    project = tree({"site_app.py": code, "templates/page.html": PAGE, sheet: "body { color: rgb(1, 1, 1) }\n"})
    port = free_port()
    with watching(project, "--", sys.executable, *words, str(port)) as watch:
        until(lambda: answers(port))
        with browser.page(f"http://127.0.0.1:{port}/") as page:
            page.until(f"{COLOUR} === 'rgb(1, 1, 1)' && window.stream?.readyState === 1")
            page.value("window.kept = 'by hand'")
            server = int(page.value(PID))

            (project / sheet).write_text("body { color: rgb(2, 1, 1) }\n")
            page.until(f"{COLOUR} === 'rgb(2, 1, 1)'")

            assert "by hand" == page.value("window.kept")
            page.value("location.reload()")
            page.until(f"{COLOUR} === 'rgb(2, 1, 1)' && window.kept === undefined && {PID}")
            assert server == int(page.value(PID))
            assert [] == page.console
        watch.end()
        until(lambda: not is_alive(server) and not answers(port))

"""The Litestar plugin, on real applications: small ones through Litestar's own client, the example under uvicorn."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jinja2 import Environment, TemplateSyntaxError
from litestar import Litestar, get
from litestar.config.app import AppConfig
from litestar.config.compression import CompressionConfig
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, WebSocketDisconnect
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.params import FromPath
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig
from litestar.testing import TestClient

from assetbuild import Assets
from assetbuild.web.litestar import AssetBuildPlugin
from assetbuild.web.serve import MountError
from tests.browser import chromium_browser
from tests.manifests import published, write
from tests.servers import running

EXAMPLE = Path(__file__).parents[1] / "examples/litestar"


@pytest.fixture
def open_at(tmp_path: Path) -> Callable[..., Assets]:
    """Return a function that opens a manifest with a stylesheet and a `site_root` file: `open_at("/base/")`."""
    bodies = {"css/app.css": b"a{}" * 200, "robots.txt": b"hi"}
    made = published(tmp_path / "out", bodies, robots_txt={"at": "/robots.txt"})
    file = write(tmp_path / "out", made)
    return lambda base=None: Assets.open(file, base=base)


@get("/{name:str}")
async def page(name: FromPath[str]) -> str:
    return f"page {name} " * 100


@get("/")
async def home() -> Template:
    return Template(template_str="{{ asset_url('css/app.css') }}")


def client(assets: Assets, *, mount: str | None = None, **options: Any) -> TestClient[Litestar]:
    plugins = [AssetBuildPlugin(assets, mount=mount)]
    return TestClient(Litestar([page, home], plugins=plugins, openapi_config=None, **options))


def test_published_files_answer_below_the_base_and_pages_elsewhere(open_at: Callable[..., Assets]) -> None:
    assets = open_at()

    with client(assets) as browser:
        found = browser.get(assets.url("css/app.css"))
        misses = [browser.get(path) for path in ("/static/css/app.css", "/static/", "/static")]
        other = browser.get("/about")

    assert (200, "a{}" * 200, "gzip") == (found.status_code, found.text, found.headers["content-encoding"])
    assert "public, max-age=31536000, immutable" == found.headers["cache-control"]
    assert [(404, "no-store")] * 3 == [(miss.status_code, miss.headers["cache-control"]) for miss in misses]
    assert other.text.startswith("page about")


def test_a_page_whose_path_begins_like_the_mount_is_no_file_of_ours(open_at: Callable[..., Assets]) -> None:
    """A mount of Litestar's takes every path that begins with its own; a page without parameters stays reachable."""

    @get("/static-pages")
    async def plain() -> str:
        return "plain"

    app = Litestar([plain], plugins=[AssetBuildPlugin(open_at())], openapi_config=None)

    with TestClient(app) as browser:
        assert "plain" == browser.get("/static-pages").text
        missed = browser.get("/static-pages/none")

    assert (404, "application/json") == (missed.status_code, missed.headers["content-type"])


def test_site_root_files_answer_at_their_own_place(open_at: Callable[..., Assets]) -> None:
    with client(open_at()) as browser:
        found = browser.get("/robots.txt")

    assert ("hi", "no-cache") == (found.text, found.headers["cache-control"])


def test_a_path_with_slashes_too_many_is_no_file(open_at: Callable[..., Assets]) -> None:
    """Litestar's router drops them, and one file would answer at any number of URLs."""
    assets = open_at()
    url = assets.url("css/app.css")
    below = [f"{url}/", url.replace("/css", "//css"), f"{url}//?a"]
    beside = [f"/{url}", "/robots.txt/", "//robots.txt"]

    with client(assets) as browser:
        missed = [browser.get(f"http://testserver.local{path}") for path in below]
        others = [browser.get(f"http://testserver.local{path}").status_code for path in beside]
        found = [browser.get(path).status_code for path in (f"{url}?a=/", "/robots.txt?", url.replace("a", "%61"))]

    assert [(404, "no-store")] * 3 == [(miss.status_code, miss.headers["cache-control"]) for miss in missed]
    assert [404] * 3 == others
    assert [200] * 3 == found


def test_litestar_compresses_pages_and_no_asset_twice(open_at: Callable[..., Assets]) -> None:
    assets = open_at()
    compression = CompressionConfig("gzip", minimum_size=10)

    with client(assets, compression_config=compression) as browser:
        css, about, robots = (browser.get(path) for path in (assets.url("css/app.css"), "/about", "/robots.txt"))

    assert ("a{}" * 200, "hi") == (css.text, robots.text)
    assert str(assets.manifest.published(assets["css/app.css"].file).enc["gzip"]) == css.headers["content-length"]  # type: ignore[union-attr]
    assert ("gzip", None) == (about.headers["content-encoding"], compression.exclude_opt_key)


def test_an_application_may_have_its_own_word_for_what_is_not_compressed(open_at: Callable[..., Assets]) -> None:
    assets = open_at()

    with client(assets, compression_config=CompressionConfig("gzip", exclude_opt_key="plain")) as browser:
        assert "a{}" * 200 == browser.get(assets.url("css/app.css")).text


def test_assets_use_up_no_ones_rate_of_pages(open_at: Callable[..., Assets]) -> None:
    assets = open_at()
    limit = RateLimitConfig(("minute", 2)).middleware

    with client(assets, middleware=[limit]) as browser:
        css = [browser.get(assets.url("css/app.css")).status_code for _ in range(2)]
        pages = [browser.get("/about").status_code for _ in range(3)]

    assert ([200, 200], [200, 200, 429]) == (css, pages)


class Closed(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        raise NotAuthorizedException


def test_whoever_may_not_log_in_may_see_the_styles_of_the_login_page(open_at: Callable[..., Assets]) -> None:
    assets = open_at()

    with client(assets, middleware=[Closed]) as browser:
        answers = [browser.get(path).status_code for path in ("/about", assets.url("css/app.css"), "/robots.txt")]

    assert [401, 200, 200] == answers


@pytest.mark.parametrize("is_instance", [False, True])
def test_templates_have_the_functions(open_at: Callable[..., Assets], is_instance: bool, tmp_path: Path) -> None:
    assets = open_at()
    engine = JinjaTemplateEngine(engine_instance=Environment(autoescape=True))
    config: TemplateConfig[Any] = (
        TemplateConfig(instance=engine) if is_instance else TemplateConfig(JinjaTemplateEngine, directory=tmp_path)
    )

    with client(assets, template_config=config) as browser:
        assert assets.url("css/app.css") == browser.get("/").text


def test_two_applications_may_share_a_template_configuration_in_turn(
    open_at: Callable[..., Assets], tmp_path: Path
) -> None:
    config = TemplateConfig(JinjaTemplateEngine, directory=tmp_path)

    for base in ("/one/", "/two/"):
        with client(open_at(base), template_config=config) as browser:
            assert browser.get("/").text.startswith(base)


def test_an_unknown_name_in_a_template_is_an_error(open_at: Callable[..., Assets]) -> None:
    env = Environment(autoescape=True)
    AssetBuildPlugin(open_at()).on_app_init(AppConfig(template_config=TemplateConfig(JinjaTemplateEngine(None, env))))

    with pytest.raises(TemplateSyntaxError, match=r"did you mean `css/app\.css`"):
        env.from_string("{{ asset_url('css/ap.css') }}")


def test_a_mount_that_the_base_does_not_lead_to_is_refused_by_name(open_at: Callable[..., Assets]) -> None:
    with pytest.raises(MountError) as caught:
        AssetBuildPlugin(open_at("/assets/"), mount="/static")

    expected = (
        "the base of the assets is `/assets/` and they are mounted at `/static/`; mount them where `/assets/` leads"
    )
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("base", "mount"),
    [("/outer/static/", "/static/"), ("https://cdn.example/x/", "/static"), ("//cdn.example/y/", None)],
)
def test_the_base_may_hold_what_stands_before_the_application(
    base: str, mount: str | None, open_at: Callable[..., Assets]
) -> None:
    assets = open_at(base)

    with client(assets, mount=mount) as browser:
        found = browser.get(f"{(mount or '/y').rstrip('/')}/{assets['css/app.css'].file}")

    assert "a{}" * 200 == found.text


def test_a_server_may_say_what_stands_before_the_application(open_at: Callable[..., Assets]) -> None:
    assets = open_at("/outer/static/")
    app = Litestar([page], plugins=[AssetBuildPlugin(assets, mount="/static/")], openapi_config=None)

    with TestClient(app, root_path="/outer") as browser:
        assert "a{}" * 200 == browser.get(assets.url("css/app.css")).text


def test_an_application_with_a_path_has_its_assets_below_it(open_at: Callable[..., Assets]) -> None:
    assets = open_at("/shop/static/")

    with client(assets, path="/shop") as browser:
        assert "a{}" * 200 == browser.get(assets.url("css/app.css")).text
        assert 404 == browser.get("/robots.txt").status_code
    with pytest.raises(MountError, match='compile them with `base = "/shop/static/"`'):
        client(open_at("/static/"), path="/shop")


def test_a_web_socket_below_the_mount_is_refused(open_at: Callable[..., Assets]) -> None:
    with client(open_at()) as browser, pytest.raises(WebSocketDisconnect), browser.websocket_connect("/static/x"):
        pass


@pytest.fixture
def example(tmp_path: Path, esbuild: object) -> Path:
    """Return a copy of the example, compiled by the command; its module needs `esbuild`."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("build")))
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", str(project)], check=True, capture_output=True)
    return project


def test_the_example_opens_clean_under_uvicorn(example: Path, chromium: str) -> None:
    asked = (
        "document.getElementById('buoy').naturalWidth",
        "getComputedStyle(document.body).backgroundImage.includes('/static/img/wave-')",
        "document.querySelector('.height').style.getPropertyValue('--share')",
        "document.querySelectorAll('h1 svg').length",
    )

    with running("uvicorn", "app:app", folder=example) as server, chromium_browser(chromium) as browser:
        visit = browser.look(f"{server.url}/", *asked, ready="document.documentElement.dataset.ready")
        health = httpx.get(f"{server.url}/ready").json()
        robots = httpx.get(f"{server.url}/robots.txt").text

    assert [] == visit.problems
    assert [48, True, "12%", 1] == visit.values
    assert Assets.open(example / "build/assets/manifest.json").health() == health
    assert robots.startswith("User-agent")

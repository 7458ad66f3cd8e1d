"""Starlette and FastAPI: mounts, routes and templates of real applications; the example under its usual servers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from assetbuild import AssetNotFound, Assets
from assetbuild.web.asgi import AssetMiddleware
from assetbuild.web.serve import MountError
from assetbuild.web.starlette import AssetFiles, AssetMount, install
from tests.browser import chromium_browser
from tests.manifests import published, write
from tests.servers import running

EXAMPLE = Path(__file__).parents[1] / "examples/fastapi"

PAGE = "{{ url_for('static', path='css/app.css') }} {{ asset_url('css/app.css') }}"


@pytest.fixture
def open_at(tmp_path: Path) -> Callable[..., Assets]:
    """Return a function that opens a small manifest under a base."""
    output = tmp_path / "build/assets"
    bodies = {"css/app.css": b"a{}", "img/ab.png": b"png", "robots.txt": b"hi"}
    made = published(output, bodies, robots_txt={"at": "/robots.txt"})
    made["assets"]["img/a b.png"] = made["assets"].pop("img/ab.png") | {"keep": True}
    file = write(output, made)
    return lambda base="/static/": Assets.open(file, base=base, environ={})


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that makes an endpoint which renders a template with the functions of `assets`."""

    def make(assets: Assets, text: str = PAGE, name: str = "static") -> Callable[[Request], Response]:
        (tmp_path / "templates").mkdir(exist_ok=True)
        (tmp_path / "templates/page.html").write_text(text)
        templates = Jinja2Templates(tmp_path / "templates")
        install(templates, assets, name=name)
        return lambda request: templates.TemplateResponse(request, "page.html")

    return make


def urls_in_view(request: Request) -> Response:
    """Answer with what `url_for` gives for the stylesheet in a view."""
    return PlainTextResponse(str(request.url_for("static", path="css/app.css")))


def client(*routes: BaseRoute, **options: Any) -> TestClient:
    return TestClient(Starlette(routes=routes), **options)


def mounted(kind: type[Starlette], assets: Assets, page: Callable[..., Any]) -> Starlette:
    app = kind()
    app.mount("/static", AssetFiles(assets), name="static")
    app.router.routes.append(Route("/", page(assets)))
    return app


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_a_mount_answers_with_published_files_and_templates_name_them(
    kind: type[Starlette], open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at()
    browser = TestClient(mounted(kind, assets, page))

    external, relative = browser.get("/").text.split()
    found, missed = browser.get(external), browser.get("/static/css/app.css")

    assert (f"http://testserver{relative}", assets.url("css/app.css")) == (external, relative)
    assert (200, b"a{}", "public, max-age=31536000, immutable") == (
        found.status_code,
        found.content,
        found.headers["cache-control"],
    )
    assert (404, "no-store") == (missed.status_code, missed.headers["cache-control"])


@pytest.mark.parametrize("base", ["/static/", "https://cdn.example/x/"])
def test_a_folder_is_a_prefix_without_a_hash(
    base: str, open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at(base)
    names = ("", "/", "img/", "/a b/")
    text = " ".join(f"{{{{ url_for('static', path='{name}') }}}}" for name in names)
    prefix = base if "://" in base else f"http://testserver{base}"
    expected = [prefix, prefix, f"{prefix}img/", f"{prefix}a%20b/"]

    def view(request: Request) -> Response:
        return PlainTextResponse(" ".join(str(request.url_for("static", path=name)) for name in names))

    by_mount = client(Mount("/static", AssetFiles(assets), name="static"), Route("/", page(assets, text)))
    by_route = client(AssetMount("/static", assets), Route("/", page(assets, text)), Route("/view", view))

    assert [expected] * 3 == [
        each.text.split() for each in (by_mount.get("/"), by_route.get("/"), by_route.get("/view"))
    ]


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_a_route_names_published_files_in_views_too(kind: type[Starlette], open_at: Callable[..., Assets]) -> None:
    assets = open_at()
    app = kind()
    app.routes.extend([AssetMount("/static", assets), Route("/", urls_in_view)])
    browser = TestClient(app)

    url = browser.get("/").text

    assert f"http://testserver{assets.url('css/app.css')}" == url
    assert assets.url("css/app.css") == app.url_path_for("static", path="/css/app.css")
    assert b"a{}" == browser.get(url).content


def test_a_route_and_the_functions_of_templates_go_together(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at()
    routes = [AssetMount("/files", assets.at("/files/"), name="static"), Route("/", page(assets.at("/files/")))]

    external, relative = client(*routes).get("/").text.split()

    assert (f"http://testserver{relative}", "/files/" + assets["css/app.css"].file) == (external, relative)


def test_an_unknown_name_raises_with_the_near_miss(open_at: Callable[..., Assets], page: Callable[..., Any]) -> None:
    assets = open_at()
    app = Starlette(
        routes=[AssetMount("/static", assets), Route("/", page(assets, "{{ url_for('static', path='app.cs') }}"))]
    )

    with pytest.raises(AssetNotFound, match=r"`app\.cs` is not in the manifest; did you mean `css/app\.css`\?"):
        TestClient(app).get("/")
    with pytest.raises(AssetNotFound):
        app.url_path_for("static", path="app.cs")


def test_other_routes_are_named_as_ever(open_at: Callable[..., Assets], page: Callable[..., Any]) -> None:
    assets = open_at()
    text = "{{ url_for('page') }} {{ url_for('other', path='css/app.css') }} {{ url_for('static', path='') }}"
    other = Mount("/other", PlainTextResponse("x"), name="other")

    shown = client(AssetMount("/static", assets), Route("/p", page(assets, text), name="page"), other).get("/p").text

    assert ["http://testserver" + path for path in ("/p", "/other/css/app.css", "/static/")] == shown.split()


def test_stable_names_and_names_with_blanks_lead_to_their_files(open_at: Callable[..., Assets]) -> None:
    assets = open_at()
    app = Starlette(routes=[AssetMount("/static", assets)])

    assert "/robots.txt" == app.url_path_for("static", path="robots.txt")
    assert "/static/img/a%20b.png" == app.url_path_for("static", path="img/a b.png")
    assert b"png" == TestClient(app).get("/static/img/a%20b.png").content


def test_a_route_that_the_base_does_not_lead_to_fails_at_once(open_at: Callable[..., Assets]) -> None:
    with pytest.raises(MountError) as raised:
        AssetMount("/assets", open_at())

    assert (
        "the base of the assets is `/static/` and they are mounted at `/assets/`; mount them where `/static/` leads, "
        "or set ASSETBUILD_BASE to what leads to `/assets/`"
    ) == str(raised.value)


def test_a_mount_that_the_base_does_not_lead_to_fails_at_the_first_url_and_at_the_first_request(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at()
    browser = client(Mount("/assets", AssetFiles(assets), name="static"), Route("/", page(assets)))

    for path in ("/", f"/assets/{assets['css/app.css'].file}"):
        with pytest.raises(MountError, match="the base of the assets is `/static/` and they are mounted at `/assets/`"):
            browser.get(path)


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_a_page_whose_own_url_would_be_dead_is_not_rendered(
    kind: type[Starlette], open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    """A tag is text once its template is compiled: no function is called that could compare."""
    assets = open_at()
    app = kind()
    app.mount("/assets", AssetFiles(assets))
    app.router.routes.append(Route("/", page(assets, "{{ asset_tag('css/app.css') }}")))

    for _ in range(2):
        with pytest.raises(MountError) as raised:
            TestClient(app).get("/")
        assert str(raised.value).startswith("the base of the assets is `/static/` and they are mounted at `/assets/`")


def test_one_mount_of_several_is_enough_for_a_page(open_at: Callable[..., Assets], page: Callable[..., Any]) -> None:
    assets, theme = open_at(), open_at("/theme/")
    routes = [Mount("/old", AssetFiles(assets)), Mount("/static", AssetFiles(assets)), Mount("/t", AssetFiles(theme))]

    browser = client(*routes, Route("/", page(assets, "{{ asset_url('css/app.css') }}")))

    assert b"a{}" == browser.get(browser.get("/").text).content


def test_a_page_whose_files_are_not_mounted_is_rendered(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    """A middleware, an outer application or a server in front may answer for them."""
    assets = open_at()

    browser = client(Mount("/in", routes=[Route("/", page(assets, "{{ asset_url('css/app.css') }}"))]))

    assert assets.url("css/app.css") == browser.get("/in/").text


def test_a_mount_below_a_parameter_is_compared_by_what_follows_it(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at("/acme/static/")
    home = Route("/", page(assets, "{{ asset_url('css/app.css') }}"))
    good, bad = (
        client(Mount("/{tenant}", routes=[Mount(path, AssetFiles(assets)), home])) for path in ("/static", "/s")
    )

    assert b"a{}" == good.get(good.get("/acme/").text).content
    with pytest.raises(MountError, match=r"mounted at `/\{tenant\}/s/`"):
        bad.get("/acme/")


@pytest.mark.parametrize("files", [AssetMount, lambda path, assets: Mount(path, AssetFiles(assets), name="static")])
def test_a_sub_application_has_its_own_path_in_the_base(
    files: Callable[..., BaseRoute], open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at("/in/static/")
    inner = Starlette(routes=[files("/static", assets)])
    text = PAGE.replace("'static'", "'in:static'")
    outer = client(Mount("/in", inner, name="in"), Route("/", page(assets, text, "in:static")))
    wrong = client(Mount("/other", inner))

    assert [f"http://testserver{assets.url('css/app.css')}", assets.url("css/app.css")] == outer.get("/").text.split()
    assert b"a{}" == outer.get(assets.url("css/app.css")).content
    with pytest.raises(MountError, match="mounted at `/other/static/`"):
        wrong.get("/other/static/x")


def test_a_named_sub_application_gives_published_names_to_all(open_at: Callable[..., Assets]) -> None:
    assets = open_at("/in/static/")
    app = Starlette(routes=[Mount("/in", Starlette(routes=[AssetMount("/static", assets)]), name="in")])

    assert assets.url("css/app.css") == app.url_path_for("in:static", path="css/app.css")


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_behind_a_proxy_the_base_begins_with_the_root_path(
    kind: type[Starlette], open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at("/shop/static/")
    app = mounted(kind, assets, page)
    inside = TestClient(app, root_path="/shop")

    external, relative = inside.get("/shop/").text.split()

    assert (f"http://testserver{relative}", assets.url("css/app.css")) == (external, relative)
    assert b"a{}" == inside.get(relative).content


def test_a_proxy_may_strip_the_root_path_that_the_application_is_told(open_at: Callable[..., Assets]) -> None:
    """FastAPI(root_path="/shop") leaves a path without it, which ASGI does not know and Starlette half does."""
    assets = open_at("/shop/static/")
    app = FastAPI()
    app.mount("/static", AssetFiles(assets), name="static")

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": "/shop"}, receive, send)

    assert b"a{}" == TestClient(told).get(f"/static/{assets['css/app.css'].file}").content


def test_a_proxy_may_strip_a_path_that_the_application_does_not_know(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at("/shop/static/")
    browser = TestClient(mounted(Starlette, assets, page))

    external, relative = browser.get("/").text.split()

    assert (f"http://testserver{relative}", assets.url("css/app.css")) == (external, relative)


def test_a_root_path_that_the_base_does_not_have_is_refused(
    open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    app = mounted(Starlette, open_at(), page)

    with pytest.raises(MountError, match="base of the assets is `/static/` and they are mounted at `/shop/static/`"):
        TestClient(app, root_path="/shop").get("/shop/")


@pytest.mark.parametrize(
    ("base", "expected"),
    [("https://cdn.example/x/", "https://cdn.example/x/"), ("//cdn.example/", "http://cdn.example/")],
)
def test_a_base_on_another_host_is_in_every_url_and_any_mount_answers_for_it(
    base: str, expected: str, open_at: Callable[..., Assets], page: Callable[..., Any]
) -> None:
    assets = open_at(base)
    routes = [AssetMount("/origin", assets), Route("/", page(assets)), Route("/view", urls_in_view)]
    browser, file = client(*routes), assets["css/app.css"].file

    assert f"{expected}{file} {base}{file}" == browser.get("/").text
    assert f"{expected}{file}" == browser.get("/view").text
    assert b"a{}" == browser.get(f"/origin/{file}").content


def test_the_files_alone_are_an_application_that_starts_and_stops(open_at: Callable[..., Assets]) -> None:
    assets = open_at()

    with TestClient(AssetFiles(assets)) as browser:
        assert b"a{}" == browser.get(f"/{assets['css/app.css'].file}").content


def test_the_middleware_answers_for_site_root_files_too(open_at: Callable[..., Assets]) -> None:
    assets = open_at()
    app = Starlette(
        routes=[Route("/", lambda _: PlainTextResponse("page"))],
        middleware=[Middleware(AssetMiddleware, assets=assets)],
    )
    browser = TestClient(app)

    texts = [browser.get(path).text for path in ("/", "/robots.txt", assets.url("css/app.css"))]

    assert ["page", "hi", "a{}"] == texts


@pytest.fixture
def example(tmp_path: Path, esbuild: object) -> Path:
    """Return a copy of the example, compiled by the command; its module needs `esbuild`."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("build")))
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", "."], cwd=project, check=True, capture_output=True)
    return project


@pytest.mark.parametrize("kind", ["uvicorn", "granian-asgi"])
def test_the_example_opens_clean_under_its_servers(kind: str, example: Path, chromium: str) -> None:
    asked = (
        "document.getElementById('chart').textContent.split('\\n').length",
        "document.fonts.check('16px Brick')",
        "document.getElementById('hills').naturalWidth",
        "getComputedStyle(document.body).backgroundColor",
        "document.querySelectorAll('link[integrity], script[integrity]').length >= 3",
        "performance.getEntriesByType('resource').filter(each => each.transferSize > 0).length",
    )
    with running(kind, "app:app", folder=example) as server, chromium_browser(chromium) as browser:
        ready = "document.documentElement.dataset.ready"
        first, second = (browser.look(f"{server.url}/", *asked, ready=ready) for _ in range(2))
        health = httpx.get(f"{server.url}/ready").json()

    assert [] == first.problems + second.problems
    assert [2, True, 480, "rgb(243, 233, 220)", True] == first.values[:5] == second.values[:5]
    assert {200} == {*first.requests.values(), *second.requests.values()}
    assert (True, 0) == (first.values[5] > 0, second.values[5])
    assert Assets.open(example / "build/assets/manifest.json").health() == health


def test_the_example_does_not_start_without_its_manifest(example: Path) -> None:
    (example / "build/assets/manifest.json").unlink()

    command: Sequence[str] = [sys.executable, "-c", "import app"]
    done = subprocess.run(command, cwd=example, capture_output=True, text=True, check=False, timeout=30)

    assert 1 == done.returncode
    assert "build/assets/manifest.json` is not there; run `assetbuild compile` in the build stage" in done.stderr

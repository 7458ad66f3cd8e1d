"""The Pyramid include, on real applications: small ones called as WSGI, the example under waitress and gunicorn."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import default_execution_policy

from assetbuild import AssetNotFound, Assets, ManifestError
from assetbuild.web.serve import MountError
from assetbuild.web.settings import SettingError
from tests.browser import chromium_browser
from tests.manifests import published, write
from tests.servers import SERVERS, running

EXAMPLE = Path(__file__).parents[1] / "examples/pyramid"

Make = Callable[..., httpx.Client]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest with a stylesheet and files with stable names."""
    output = tmp_path / "build/assets"
    bodies = {"css/app.css": b"a{}", "robots.txt": b"hi", "kept.txt": b"k"}
    made = published(output, bodies, robots_txt={"at": "/robots.txt"}, kept_txt={"keep": True})
    return write(output, made)


def urls(request: Request) -> Mapping[str, str]:
    """Return what the request gives for the static file that its query names."""
    spec = f"tests:static/{request.params['name']}"
    return {"url": request.static_url(spec), "path": request.static_path(spec)}


@pytest.fixture
def make(manifest: Path, tmp_path: Path) -> Make:
    """Return a function that gives a client of an application: `make({"base": "/x/"}, script_name="/outer")`.

    Its pages: `/urls?name=`, `/page` by a template, `/seen` by Pyramid's own view.
    """

    def client(
        settings: Mapping[str, Any] = {}, *, script_name: str = "", setup: Callable[[Configurator], None] | None = None
    ) -> httpx.Client:
        (tmp_path / "page.jinja2").write_text("{{ asset_url('css/app.css') }}")
        given = {"assetbuild.manifest": str(manifest), "assetbuild.static": "tests:static"}
        given |= {f"assetbuild.{name}": value for name, value in settings.items()}
        with Configurator(settings={**given, "jinja2.directories": str(tmp_path)}) as config:
            config.include("assetbuild.web.pyramid")
            config.include("pyramid_jinja2")
            for name, view, renderer in (("urls", urls, "json"), ("page", lambda _: {}, "page.jinja2")):
                config.add_route(name, f"/{name}")
                config.add_view(view, route_name=name, renderer=renderer)
            if setup:
                setup(config)
            app = config.make_wsgi_app()
        transport = httpx.WSGITransport(app, script_name=script_name)
        return httpx.Client(transport=transport, base_url="http://shop.test")

    return client


def opened(manifest: Path, base: str | None = None) -> Assets:
    return Assets.open(manifest, base=base)


def test_static_url_and_static_path_give_the_published_name(make: Make, manifest: Path) -> None:
    url = opened(manifest).url("css/app.css")

    found = make().get("/urls?name=css/app.css").json()

    assert {"url": f"http://shop.test{url}", "path": url} == found


def test_a_folder_is_a_prefix_without_a_hash(make: Make) -> None:
    found = [make().get(f"/urls?name={name}").json()["path"] for name in ("", "img/")]

    assert ["/static/", "/static/img/"] == found


def test_published_files_answer_before_pyramid_makes_a_request(make: Make, manifest: Path) -> None:
    seen: list[str] = []

    def note(environ: Mapping[str, str], router: Any) -> Response:
        seen.append(environ["PATH_INFO"])
        return default_execution_policy(environ, router)

    browser = make(setup=lambda config: config.set_execution_policy(note))
    found, missed, robots, page = (
        browser.get(path) for path in (opened(manifest).url("css/app.css"), "/static/none.css", "/robots.txt", "/page")
    )

    assert (200, b"a{}", b"hi") == (found.status_code, found.content, robots.content)
    assert "public, max-age=31536000, immutable" == found.headers["cache-control"]
    assert (404, "no-store") == (missed.status_code, missed.headers["cache-control"])
    assert (200, ["/page"]) == (page.status_code, seen)


def test_templates_have_the_functions_whatever_is_included_first(make: Make, manifest: Path) -> None:
    assert opened(manifest).url("css/app.css") == make().get("/page").text


def test_every_renderer_of_jinja_has_the_functions(make: Make, manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("{{ asset_url('css/app.css') }}")

    def setup(config: Configurator) -> None:
        config.add_jinja2_renderer(".html")
        config.add_route("other", "/other")
        config.add_view(lambda _: {}, route_name="other", renderer="other.html")

    assert opened(manifest).url("css/app.css") == make(setup=setup).get("/other").text


def test_a_stable_name_is_its_own_and_a_site_root_file_has_a_hashed_one(make: Make, manifest: Path) -> None:
    browser = make()
    hashed = opened(manifest)["robots.txt"].file

    assert "/static/kept.txt" == browser.get("/urls?name=kept.txt").json()["path"]
    assert f"/static/{hashed}" == browser.get("/urls?name=robots.txt").json()["path"]
    assert [b"k", b"hi"] == [browser.get(path).content for path in ("/static/kept.txt", f"/static/{hashed}")]


def test_an_unknown_name_raises(make: Make) -> None:
    with pytest.raises(AssetNotFound, match=r"did you mean `css/app\.css`"):
        make().get("/urls?name=css/ap.css")


def test_the_base_may_be_another_host(make: Make, manifest: Path) -> None:
    base = "https://cdn.example/x/"
    url = opened(manifest, base).url("css/app.css")

    browser = make({"base": base})

    assert url == browser.get("/urls?name=css/app.css").json()["url"]
    assert url == browser.get("/page").text
    assert b"a{}" == browser.get(url.removeprefix("https://cdn.example")).content


def test_the_base_may_hold_what_stands_before_the_application(make: Make, manifest: Path) -> None:
    url = opened(manifest, "/outer/static/").url("css/app.css")

    browser = make({"base": "/outer/static/", "mount": "/static/"}, script_name="/outer")

    assert url == browser.get("/urls?name=css/app.css").json()["path"] == browser.get("/page").text
    assert b"a{}" == browser.get(url.removeprefix("/outer")).content
    with pytest.raises(MountError, match="the request came under `/` and the base of the assets is `/outer/static/`"):
        make({"base": "/outer/static/", "mount": "/static/"}).get("/urls?name=css/app.css")


def test_urls_can_follow_the_script_name(make: Make, manifest: Path) -> None:
    url = opened(manifest).url("css/app.css")

    for script_name in ("", "/one"):
        browser = make({"follow_script_name": "true"}, script_name=script_name)
        assert script_name + url == browser.get("/urls?name=css/app.css").json()["path"] == browser.get("/page").text


def test_a_server_in_front_may_answer_for_the_files(make: Make, manifest: Path) -> None:
    url = opened(manifest).url("css/app.css")

    browser = make({"serve": "false"})

    assert url == browser.get("/urls?name=css/app.css").json()["path"]
    assert 404 == browser.get(url).status_code


@pytest.mark.parametrize("word", ["No", "off ", "0", False])
def test_a_switch_takes_every_word_that_pyramid_takes(make: Make, manifest: Path, word: object) -> None:
    assert 404 == make({"serve": word}).get(opened(manifest).url("css/app.css")).status_code


def test_an_application_may_have_its_own_static_view(make: Make, manifest: Path) -> None:
    """Pyramid lets what an application says itself win over what it includes."""
    file = opened(manifest)["css/app.css"].file

    def own(config: Configurator) -> None:
        config.add_static_view("static", "tests:static", cache_max_age=60)

    assert f"/static/{file}" == make(setup=own).get("/urls?name=css/app.css").json()["path"]


def test_the_assets_are_in_the_registry(make: Make, manifest: Path) -> None:
    config = Configurator(settings={"assetbuild.manifest": str(manifest)})

    config.include("assetbuild.web.pyramid")

    assert opened(manifest).build_id == config.registry["assetbuild"].build_id


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"manifesto": "x"}, SettingError, r"`assetbuild\.manifesto` is not a .* mean `assetbuild\.manifest`"),
        ({"manifest": "tests:none/manifest.json"}, ManifestError, r"tests/none/manifest\.json` is not there"),
        ({"base": "/a/", "mount": "/b/"}, MountError, "is `/a/` and the application answers under `/b/`"),
        ({"base": "https://cdn.example/"}, MountError, r"no page of its own; .* as `assetbuild\.mount`$"),
        ({"mount": "static/"}, MountError, r"^`static/` of `assetbuild\.mount` is no path"),
        ({"base": "/static"}, ManifestError, r"^`/static` of `assetbuild\.base` is not a URL base .* `/static/`$"),
        ({"serve": "nope"}, SettingError, r"^expected `True` or `False` at `assetbuild\.serve`, got `'nope'`$"),
        ({"reload": ""}, SettingError, r"at `assetbuild\.reload`, got `''`$"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    make: Make, settings: Mapping[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(settings)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a copy of the example, compiled by the command."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("build")))
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", str(project)], check=True, capture_output=True)
    return project


@pytest.mark.parametrize(
    ("server", "app"),
    [
        ((sys.executable, "-m", "waitress", "--listen=127.0.0.1:{port}", "--call", "tides:main"), ""),
        ((sys.executable, *SERVERS["gunicorn"]), "tides:main()"),
    ],
    ids=["waitress", "gunicorn"],
)
def test_the_example_opens_clean_under_its_servers(
    server: Sequence[str], app: str, example: Path, chromium: str
) -> None:
    asked = (
        "document.getElementById('flag').naturalWidth",
        "getComputedStyle(document.querySelector('th')).backgroundImage.includes('/static/img/flag-')",
        "document.querySelectorAll('th')[2].click(), document.querySelectorAll('td')[2].textContent",
    )

    with running(server, app, folder=example) as started, chromium_browser(chromium) as browser:
        visit = browser.look(f"{started.url}/", *asked, ready="document.documentElement.dataset.ready")
        health = httpx.get(f"{started.url}/ready").json()
        paths = httpx.get(f"{started.url}/paths").json()
        statuses = [httpx.get(started.url + path).status_code for path in paths.values()]

    assert [] == visit.problems
    assert [40, True, "coffee"] == visit.values
    assert Assets.open(example / "build/assets/manifest.json").health() == health
    assert [200, 200] == statuses

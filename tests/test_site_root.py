"""The URL of a `site_root` file: one meaning, whichever framework a page is written for and whatever lies before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import clear_script_prefix, set_script_prefix
from flask import Flask, render_template_string
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient
from werkzeug.test import run_wsgi_app

from assetbuild import Assets
from assetbuild.web import jinja, starlette
from assetbuild.web.flask import AssetBuild
from assetbuild.web.wsgi import AssetMiddleware
from tests.django_site import django_site, rendered
from tests.manifests import published, write

NAMES = ["robots.txt", "shop/sw.js"]
ASKED = " ".join(f"{{{{ asset_url('{name}') }}}}" for name in [*NAMES, "css/app.css"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two files at places of their own on the site, and a stylesheet."""
    output = tmp_path / "build/assets"
    places: dict[str, Any] = {"robots_txt": {"at": "/robots.txt"}, "shop_sw_js": {"at": "/shop/sw.js"}}
    write(output, published(output, dict.fromkeys([*NAMES, "css/app.css"], b"1"), **places))
    return tmp_path


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """Take back what a test tells Django of its prefix."""
    yield
    clear_script_prefix()


def opened(project: Path, base: str) -> Assets:
    return Assets.open(project / "build/assets/manifest.json", base=base, environ={})


def by_jinja(project: Path) -> str:
    env = Environment()
    jinja.install(env, opened(project, "/static/"), prefix=lambda: "/shop")
    return env.from_string(ASKED).render()


def by_a_base_with_the_prefix(project: Path) -> str:
    env = Environment()
    jinja.install(env, opened(project, "/shop/static/"))
    return env.from_string(ASKED).render()


def by_flask(project: Path, text: str = ASKED, **config: Any) -> str:
    app = Flask("shop", root_path=str(project))
    app.config.update(config)
    AssetBuild(app)
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/shop"}):
        return render_template_string(text)


def by_flask_under_a_known_root(project: Path) -> str:
    return by_flask(project, APPLICATION_ROOT="/shop")


def by_flask_under_the_root_of_the_request(project: Path) -> str:
    return by_flask(project, ASSETBUILD_FOLLOW_SCRIPT_NAME=True)


def by_url_for_of_flask(project: Path) -> str:
    text = " ".join(f"{{{{ url_for('static', filename='{name}') }}}}" for name in [*NAMES, "css/app.css"])
    return by_flask(project, text, ASSETBUILD_FOLLOW_SCRIPT_NAME=True)


def by_django(project: Path, tag: str = "asset_url") -> str:
    with django_site(project, STATIC_URL="static/"):
        set_script_prefix("/shop/")
        return rendered(" ".join(f"{{% {tag} '{name}' %}}" for name in [*NAMES, "css/app.css"]))


def by_static_of_django(project: Path) -> str:
    return by_django(project, "static")


def by_jinja_of_django(project: Path) -> str:
    (project / "templates").mkdir()
    (project / "templates/page.html").write_text(ASKED)
    backend = {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [project / "templates"],
        "OPTIONS": {"environment": "assetbuild.web.django.jinja.environment"},
    }
    with django_site(project, STATIC_URL="static/", TEMPLATES=[backend]):
        set_script_prefix("/shop/")
        return str(render_to_string("page.html"))


def by_starlette(project: Path) -> str:
    (project / "templates").mkdir()
    urls = " ".join(f"{{{{ url_for('static', path='{name}').path }}}}" for name in [*NAMES, "css/app.css"])
    (project / "templates/page.html").write_text(urls)
    templates, assets = Jinja2Templates(project / "templates"), opened(project, "/shop/static/")
    starlette.install(templates, assets)

    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html")

    app = Starlette(routes=[starlette.AssetMount("/static", assets), Route("/", page)])
    return str(TestClient(app, root_path="/shop").get("/shop/").text)


@pytest.mark.parametrize(
    "page",
    [
        by_jinja,
        by_a_base_with_the_prefix,
        by_flask_under_a_known_root,
        by_flask_under_the_root_of_the_request,
        by_url_for_of_flask,
        by_django,
        by_static_of_django,
        by_jinja_of_django,
        by_starlette,
    ],
)
def test_its_place_on_the_site_is_its_url_below_any_prefix(project: Path, page: Callable[[Path], str]) -> None:
    *at_root, below = page(project).split()

    assert ["/robots.txt", "/shop/sw.js"] == at_root
    assert opened(project, "/shop/static/").url("css/app.css") == below


@pytest.mark.parametrize(("root", "path"), [("", "/robots.txt"), ("/shop", "/sw.js"), ("", "/shop/sw.js")])
def test_the_middleware_answers_at_that_place(project: Path, root: str, path: str) -> None:
    app = AssetMiddleware(lambda environ, start: [b"the application"], opened(project, "/static/"))

    answer = run_wsgi_app(app, {"REQUEST_METHOD": "GET", "SCRIPT_NAME": root, "PATH_INFO": path}, buffered=True)

    assert ("200 OK", b"1") == (answer[1], b"".join(answer[0]))

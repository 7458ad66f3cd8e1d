"""Django's Jinja2 backend: `asset_url` and its like in its templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.urls import clear_script_prefix, set_script_prefix

from assetbuild.web.django import get_assets
from tests.django_site import django_site
from tests.manifests import published, write

BACKEND = "django.template.backends.jinja2.Jinja2"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    output = tmp_path / "build/assets"
    write(output, published(output, {"css/app.css": b"a{color:red}"}))
    (tmp_path / "jinja").mkdir()
    return tmp_path


@pytest.fixture
def script_prefix() -> Iterator[None]:
    yield
    clear_script_prefix()


def templates(project: Path, text: str) -> list[dict[str, object]]:
    (project / "jinja/home.html").write_text(text)
    options = {"environment": "assetbuild.web.django.jinja.environment"}
    return [{"BACKEND": BACKEND, "DIRS": [project / "jinja"], "OPTIONS": options}]


def test_templates_have_the_functions(project: Path) -> None:
    with django_site(project, TEMPLATES=templates(project, "{{ asset_tag('css/app.css') }}")):
        assert get_assets().tag("css/app.css") == render_to_string("home.html")


@pytest.mark.usefixtures("script_prefix")
def test_templates_follow_the_prefix_of_each_request(project: Path) -> None:
    configured = templates(project, "{{ asset_url('css/app.css') }}")

    with django_site(project, TEMPLATES=configured, STATIC_URL="static/"):
        set_script_prefix("/one/")
        first = render_to_string("home.html")
        set_script_prefix("/two/")
        second = render_to_string("home.html")

    assert first.startswith("/one/static/css/app-")
    assert first.replace("/one/", "/two/") == second


def test_a_forced_prefix_is_in_every_url(project: Path) -> None:
    configured = templates(project, "{{ asset_url('css/app.css') }}")

    with django_site(project, TEMPLATES=configured, STATIC_URL="static/", FORCE_SCRIPT_NAME="/app"):
        assert render_to_string("home.html").startswith("/app/static/css/app-")

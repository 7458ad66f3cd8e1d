"""The Django middleware: the answers of the serving core, carried by Django, with and without an event loop."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from assetbuild.manifest import ManifestError, hash_name
from assetbuild.web.django import get_assets
from assetbuild.web.serve import MountError
from assetbuild.web.wsgi import AssetMiddleware
from tests.django_site import STUB_STORAGE, django_site
from tests.manifests import published, write

CSS = b"a{color:red}" * 100
LARGE = b"0123456789" * 90_000
FILES = {"css/app.css": CSS, "js/app.js": b"run()", "site.txt": b"kept", "robots.txt": b"all"}
CSS_URL = f"/static/css/app-{hash_name('', CSS)}.css"

OURS = "assetbuild.web.django.middleware.AssetMiddleware"
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", OURS, "django.middleware.common.CommonMiddleware"]


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"page {request.path}")


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"page {request.path}")


urlpatterns = [path("", page), path("static", page), path("slow", async_page)]
SERVED: dict[str, Any] = {"MIDDLEWARE": MIDDLEWARE, "ROOT_URLCONF": __name__, "ALLOWED_HOSTS": ["*"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    output = tmp_path / "build/assets"
    write(output, published(output, FILES, site_txt={"keep": True}, robots_txt={"at": "/robots.txt"}))
    return tmp_path


def sync_answer(method: str, url: str, headers: Mapping[str, str]) -> Any:
    return Client().generic(method, url, headers=headers)


def async_answer(method: str, url: str, headers: Mapping[str, str]) -> Any:
    return asyncio.run(AsyncClient().generic(method, url, headers=headers))


BOTH = pytest.mark.parametrize("answer", [sync_answer, async_answer])


def plain_answer(method: str, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Return what the WSGI middleware answers to the same request."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": url}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    begun: list[Any] = []

    def start(*head: Any) -> Any:
        begun.append(head)

    body = b"".join(AssetMiddleware(lambda environ, start: [b"the application"], get_assets())(environ, start))
    status, fields = begun[0]
    return int(status[:3]), dict(fields), body


@BOTH
@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", CSS_URL, {}),
        ("HEAD", CSS_URL, {}),
        ("OPTIONS", CSS_URL, {}),
        ("POST", CSS_URL, {}),
        ("GET", CSS_URL, {"Accept-Encoding": "gzip"}),
        ("GET", CSS_URL, {"Range": "bytes=0-9"}),
        ("GET", CSS_URL, {"Range": "bytes=99999-"}),
        ("GET", CSS_URL, {"If-None-Match": "*"}),
        ("GET", CSS_URL, {"If-Match": '"other"'}),
        ("GET", "/static/site.txt", {}),
        ("GET", "/robots.txt", {}),
        ("GET", "/static/none.css", {}),
        ("GET", "/static/", {}),
    ],
)
def test_answers_are_those_of_the_core(
    project: Path, answer: Callable[..., Any], method: str, url: str, headers: Mapping[str, str]
) -> None:
    with django_site(project, **SERVED):
        found = answer(method, url, headers)
        status, fields, body = plain_answer(method, url, headers)

    added = {"Referrer-Policy", "Cross-Origin-Opener-Policy"}  # by SecurityMiddleware
    assert (status, fields) == (found.status_code, {k: v for k, v in found.headers.items() if k not in added})
    assert body == found.content


@BOTH
@pytest.mark.parametrize("url", ["/", "/static"])
def test_what_is_not_ours_is_the_applications(project: Path, answer: Callable[..., Any], url: str) -> None:
    with django_site(project, **SERVED):
        assert f"page {url}".encode() == answer("GET", url, {}).content


@BOTH
def test_the_path_of_the_application_may_come_before_the_url(project: Path, answer: Callable[..., Any]) -> None:
    with django_site(project, STATIC_URL="static/", FORCE_SCRIPT_NAME="/app", **SERVED):
        url = CSS_URL if answer is sync_answer else f"/app{CSS_URL}"  # Django takes the prefix off a path of ASGI

        assert CSS == answer("GET", url, {}).content


@BOTH
def test_a_file_that_memory_does_not_hold_is_sent_in_pieces_and_closed(
    tmp_path: Path, answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "build/assets"
    write(output, published(output, {"large.bin": LARGE}))
    monkeypatch.setattr("assetbuild.web.django.middleware.MEMORY_BYTES", 1)

    with django_site(tmp_path, **SERVED):
        url = get_assets().url("large.bin")
        opened = len(os.listdir("/proc/self/fd"))
        response = answer("GET", url, {})
        body = asyncio.run(_joined(response)) if response.is_async else b"".join(response.streaming_content)
        response.close()
        gc.collect()

        assert response.streaming
        assert LARGE == body
        assert str(len(LARGE)) == response.headers["Content-Length"]
        assert opened >= len(os.listdir("/proc/self/fd"))


@BOTH
def test_an_answer_that_another_middleware_replaces_leaves_no_descriptor(
    tmp_path: Path, answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django's own reads a list of tags with junk in it, makes a 304 and drops our answer unclosed."""
    output = tmp_path / "build/assets"
    write(output, published(output, {"large.bin": LARGE}))
    monkeypatch.setattr("assetbuild.web.django.middleware.MEMORY_BYTES", 1)

    with django_site(
        tmp_path, **SERVED | {"MIDDLEWARE": ["django.middleware.http.ConditionalGetMiddleware", *MIDDLEWARE]}
    ):
        url = get_assets().url("large.bin")
        tag = answer("HEAD", url, {}).headers["ETag"]
        gc.collect()
        opened = len(os.listdir("/proc/self/fd"))
        answers = [answer("GET", url, {"If-None-Match": f"{tag}, x"}) for _ in range(5)]
        statuses = [each.status_code for each in answers]
        del answers
        gc.collect()

        assert [304] * 5 == statuses
        assert opened >= len(os.listdir("/proc/self/fd"))


async def _joined(response: Any) -> bytes:
    return b"".join([piece async for piece in response.streaming_content])


def test_without_a_manifest_the_process_does_not_start(tmp_path: Path) -> None:
    with django_site(tmp_path, **SERVED), pytest.raises(ManifestError, match="is not there"):
        Client().get("/")


def test_a_base_without_a_path_is_refused_at_start(project: Path) -> None:
    with django_site(project, STATIC_URL="https://cdn.example/", **SERVED), pytest.raises(MountError):
        Client().get("/")


def test_a_base_without_its_slash_is_named_by_its_setting_at_start(project: Path) -> None:
    with django_site(project, STATIC_URL="/static", **SERVED), pytest.raises(ManifestError) as caught:
        Client().get("/")

    assert ("`/static` of `STATIC_URL` is not a URL base that begins and ends with a slash; write `/static/`") == str(
        caught.value
    )


def test_a_host_of_its_own_leaves_the_path(project: Path) -> None:
    with django_site(project, STATIC_URL="https://cdn.example/static/", **SERVED):
        assert CSS == Client().get(CSS_URL).content


def test_a_stub_serves_pages_without_a_build(tmp_path: Path) -> None:
    with django_site(tmp_path, storage=STUB_STORAGE, **SERVED):
        assert b"page /" == Client().get("/").content
        assert 200 == Client().get("/static/any.css").status_code


def test_a_view_of_either_kind_is_reached_in_both_stacks(project: Path) -> None:
    with django_site(project, **SERVED):
        assert b"page /slow" == sync_answer("GET", "/slow", {}).content
        assert b"page /slow" == async_answer("GET", "/slow", {}).content

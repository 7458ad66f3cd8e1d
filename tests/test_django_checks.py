"""System checks: what is wrong with every page is said before the first one."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from tests.django_site import STUB_STORAGE, django_site
from tests.manifests import published, write

ADMIN = [
    "django.contrib.staticfiles",
    "assetbuild.web.django",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    output = tmp_path / "build/assets"
    write(output, published(output, {"css/app.css": b"a{}"}))
    return tmp_path


def said(project: Path, **more: Any) -> list[tuple[str, str, str | None]]:
    with django_site(project, **more):
        return [(each.id, each.msg, each.hint) for each in run_checks(tags=["assetbuild"])]


def test_a_site_in_order_has_nothing_said(project: Path) -> None:
    assert [] == said(project)


def test_no_manifest_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "build/assets/manifest.json"
    hint = "run `assetbuild compile` in the build stage and copy its output, or name it in ASSETBUILD_MANIFEST"
    message = f"`{file}` is not there; {hint}"

    assert [("assetbuild.E001", message, None)] == said(tmp_path)


def test_a_changed_manifest_is_an_error(project: Path) -> None:
    file = project / "build/assets/manifest.json"
    file.write_bytes(file.read_bytes().replace(b"app", b"ape"))

    ((identifier, message, _),) = said(project)

    assert "assetbuild.E001" == identifier
    assert message.startswith(f"`{file}` was changed or cut after it was written; ")


@pytest.mark.parametrize("url", ["static", "/a/../b/", "ftp://host/"])
def test_a_url_that_is_no_base_is_an_error(project: Path, url: str) -> None:
    message = f"STATIC_URL is `{url}`, which is not a URL base that ends with a slash"
    assert [("assetbuild.E002", message, 'write `"/static/"` or `"https://host/path/"`')] == said(
        project, STATIC_URL=url
    )


@pytest.mark.parametrize("url", [None, ""])
def test_no_url_at_all_is_an_error(project: Path, url: str | None) -> None:
    assert [("assetbuild.E002", "STATIC_URL is not set", 'write `STATIC_URL = "/static/"`')] == said(
        project, STATIC_URL=url
    )


def test_another_base_than_the_compiled_one_is_said(project: Path) -> None:
    message = "the assets were compiled for the base `/static/`, and STATIC_URL is `files/`"
    hint = 'write `base = "/files/"` into `assetbuild.toml`: sources that begin a URL with it are rewritten then'

    assert [("assetbuild.W003", message, hint)] == said(project, STATIC_URL="files/")
    assert [] == said(project, STATIC_URL="static/")
    assert [] == said(project, STATIC_URL="https://cdn.example/files/")


def test_an_installed_app_that_was_not_compiled_is_said(project: Path) -> None:
    message = "the manifest has none of the static files of `django.contrib.admin`"
    hint = "run `manage.py assetbuild sync`, then `assetbuild compile`"

    assert [("assetbuild.W004", message, hint)] == said(project, INSTALLED_APPS=ADMIN)


def test_an_app_of_the_project_that_was_not_compiled_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first_shop", "scss_shop", "empty_shop"):
        (project / name / "static").mkdir(parents=True)
        (project / name / "__init__.py").touch()
    (project / "first_shop/static/x.css").touch()
    (project / "scss_shop/static/x.scss").touch()
    monkeypatch.syspath_prepend(str(project))
    message = "the manifest has none of the static files of `first_shop`"
    hint = "name their `static` folders under `roots` in `assetbuild.toml`, and compile again"

    assert [("assetbuild.W004", message, hint)] == said(
        project, INSTALLED_APPS=[*ADMIN[:2], "first_shop", "scss_shop", "empty_shop"]
    )


def test_a_long_list_of_apps_is_cut(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"kit_{number}" for number in range(7)]
    for name in names:
        (project / name / "static").mkdir(parents=True)
        (project / name / "__init__.py").touch()
        (project / name / "static/x.css").touch()
    monkeypatch.syspath_prepend(str(project))

    ((_, message, _),) = said(project, INSTALLED_APPS=[*ADMIN[:2], *names])

    assert message.endswith("of `kit_0`, `kit_1`, `kit_2`, `kit_3`, `kit_4` and 2 more")


def test_whitenoise_that_guesses_is_told_what_to_ask(project: Path) -> None:
    middleware = ["whitenoise.middleware.WhiteNoiseMiddleware"]
    message = "WhiteNoise does not know which file names are hashes, and has browsers ask for the files again and again"
    hint = (
        "write into the settings: `from assetbuild.web.django.whitenoise import is_immutable`, "
        "`WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable`"
    )

    assert [("assetbuild.W005", message, hint)] == said(project, MIDDLEWARE=middleware)
    assert [] == said(project, MIDDLEWARE=middleware, WHITENOISE_IMMUTABLE_FILE_TEST=lambda path, url: True)


def test_runserver_that_would_find_nothing_is_said(project: Path) -> None:
    finders = ["django.contrib.staticfiles.finders.AppDirectoriesFinder"]
    message = "`runserver` answers below STATIC_URL from STATICFILES_FINDERS, and none of them knows the manifest"
    hint = 'write `STATICFILES_FINDERS = ["assetbuild.web.django.finders.PublishedFinder"]`'

    assert [("assetbuild.W006", message, hint)] == said(project, STATICFILES_FINDERS=finders, DEBUG=True)
    assert [] == said(project, STATICFILES_FINDERS=finders, DEBUG=False)


def test_tests_with_a_stub_and_sites_with_another_storage_are_left_alone(tmp_path: Path) -> None:
    assert [] == said(tmp_path, storage=STUB_STORAGE, INSTALLED_APPS=ADMIN)
    assert [] == said(tmp_path, storage="django.contrib.staticfiles.storage.StaticFilesStorage")
    assert [] == said(tmp_path, STORAGES={})


def test_check_fails_without_a_manifest_and_collectstatic_does_not(tmp_path: Path) -> None:
    with django_site(tmp_path):
        with pytest.raises(SystemCheckError, match=r"assetbuild\.E001"):
            call_command("check", tags=["assetbuild"], stderr=io.StringIO())
        call_command("collectstatic", interactive=False, stdout=io.StringIO())


def test_a_site_of_whitenoise_serves_our_hashes_for_ever(project: Path) -> None:
    from whitenoise.middleware import WhiteNoiseMiddleware

    from assetbuild.web.django import get_assets
    from assetbuild.web.django.whitenoise import is_immutable

    root = str(project / "served")
    os.symlink("build/assets", root)
    with django_site(project, STATIC_ROOT=root, WHITENOISE_IMMUTABLE_FILE_TEST=is_immutable):
        served = WhiteNoiseMiddleware(lambda request: None).files
        url = get_assets().url("css/app.css")

    assert "max-age=315360000, public, immutable" == dict(served[url].get_response("GET", {}).headers)["Cache-Control"]
    manifest = dict(served["/static/manifest.json"].get_response("GET", {}).headers)
    assert "max-age=60, public" == manifest["Cache-Control"]

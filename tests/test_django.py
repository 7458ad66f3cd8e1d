"""`{% static %}`, form media and `collectstatic` over the storage, as Django and third-party apps use it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.forms.widgets import Script
from django.templatetags.static import static
from django.urls import clear_script_prefix, set_script_prefix

from assetbuild.manifest import AssetNotFound, ManifestError, hash_name
from assetbuild.web.django import get_assets
from assetbuild.web.django.storage import MissingStaticFile
from tests.django_site import STUB_STORAGE, django_site
from tests.manifests import published, write

CSS = b"a{color:red}"
HASHED = f"/static/css/app-{hash_name('', CSS)}.css"
FILES = {"css/app.css": CSS, "js/app.js": b"run()", "img/a b.png": b"PNG", "vendor/x.js": b"x()"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    output = tmp_path / "build/assets"
    write(output, published(output, {name: body for name, body in FILES.items() if " " not in name}))
    return tmp_path


@pytest.fixture
def site(project: Path) -> Iterator[Path]:
    with django_site(project):
        yield project


@pytest.fixture
def script_prefix() -> Iterator[None]:
    yield
    clear_script_prefix()


def test_a_name_in_a_template_is_the_hashed_url(site: Path) -> None:
    assert HASHED == static("css/app.css")


@pytest.mark.parametrize(
    "written",
    [
        "/css/app.css",
        "//css/app.css",
        "./css/app.css",
        "css//app.css",
        "js/../css/app.css",
        "css\\app.css",
        " css/app.css ",
        "css%2Fapp.css",
    ],
)
def test_names_as_apps_write_them_mean_what_they_mean_to_django(site: Path, written: str) -> None:
    assert HASHED == static(written)


@pytest.mark.parametrize("suffix", ["?v=1", "#top", "?#iefix", "?v=1#top", "#a?b"])
def test_query_and_fragment_stay(site: Path, suffix: str) -> None:
    assert HASHED + suffix == static(f"css/app.css{suffix}")


@pytest.mark.parametrize(
    ("folder", "url"), [("admin/", "/static/admin/"), ("", "/static/"), ("/a b/", "/static/a%20b/")]
)
def test_a_folder_has_the_url_of_a_folder(site: Path, folder: str, url: str) -> None:
    assert url == static(folder)


def test_a_missing_name_raises_what_django_raises_and_what_we_raise(site: Path) -> None:
    with pytest.raises(AssetNotFound) as ours:
        static("css/ap.css")
    with pytest.raises(ValueError, match="is not in the manifest"):
        static("css/ap.css")

    assert "`css/ap.css` is not in the manifest; did you mean `css/app.css`?" == str(ours.value)


def test_a_missing_name_may_be_logged_once_and_keeps_its_plain_url(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with django_site(project, missing="log"), caplog.at_level(logging.WARNING, "assetbuild"):
        urls = [static(name) for name in ("css/ap.css", "css/ap.css?v=2", "é.css", "css/app.css")]

    assert ["/static/css/ap.css", "/static/css/ap.css?v=2", "/static/%C3%A9.css", HASHED] == urls
    assert [
        "`css/ap.css` is not in the manifest; did you mean `css/app.css`?",
        "`é.css` is not in the manifest",
    ] == caplog.messages


def test_another_word_for_missing_is_refused(project: Path) -> None:
    with (
        django_site(project, missing="ignore"),
        pytest.raises(ImproperlyConfigured, match='is "raise" or "log", not \'ignore\''),
    ):
        static("css/app.css")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("misssing", "; did you mean `missing`?"), ("location", "; it has `manifest`, `missing` and `reload`")],
)
def test_an_option_that_there_is_not_is_one_sentence(project: Path, wrong: str, hint: str) -> None:
    with django_site(project, **{wrong: "log"}), pytest.raises(ImproperlyConfigured) as caught:
        static("css/app.css")

    assert f"`{wrong}` is not an option of the static files storage{hint}" == str(caught.value)


def test_form_media_name_hashed_urls(site: Path) -> None:
    urls = ["js/app.js", "https://cdn.example/x.js", Script("vendor/x.js", type="module")]

    media = str(forms.Media(css={"all": ["css/app.css"]}, js=urls))

    assert f'<link href="{HASHED}" media="all" rel="stylesheet">' in media
    assert f'<script src="/static/js/app-{hash_name("", FILES["js/app.js"])}.js"></script>' in media
    assert '<script src="https://cdn.example/x.js"></script>' in media
    assert f'<script src="/static/vendor/x-{hash_name("", FILES["vendor/x.js"])}.js" type="module"></script>' in media


def test_the_manifest_is_found_in_the_project_of_the_settings(site: Path) -> None:
    assert str(site / "build/assets") == get_assets().folder


def test_the_environment_names_the_manifest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project / "other", published(project / "other", {"a.css": b"a{}"}))
    monkeypatch.setenv("ASSETBUILD_MANIFEST", str(project / "other/manifest.json"))

    with django_site(project):
        assert "a.css" in get_assets()


def test_the_settings_name_the_manifest_before_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project / "other", published(project / "other", {"a.css": b"a{}"}))
    monkeypatch.setenv("ASSETBUILD_MANIFEST", "nowhere.json")

    with django_site(project, manifest="other/manifest.json"):
        assert "a.css" in get_assets()


def test_a_missing_manifest_stops_whoever_asks_at_start(tmp_path: Path) -> None:
    with django_site(tmp_path), pytest.raises(ManifestError, match="is not there; run `assetbuild compile`"):
        get_assets()


def test_another_storage_is_told_by_its_name(tmp_path: Path) -> None:
    theirs = "django.contrib.staticfiles.storage.StaticFilesStorage"

    with (
        django_site(tmp_path, storage=theirs),
        pytest.raises(ImproperlyConfigured, match=f"is `{theirs}`, which has no"),
    ):
        get_assets()


def test_a_host_of_its_own_is_the_base(project: Path) -> None:
    with django_site(project, STATIC_URL="https://cdn.example/s/"):
        assert f"https://cdn.example/s/css/app-{hash_name('', CSS)}.css" == static("css/app.css")


@pytest.mark.usefixtures("script_prefix")
def test_a_relative_url_follows_the_prefix_of_each_request(project: Path) -> None:
    with django_site(project, STATIC_URL="static/"):
        seen = []
        for prefix in ("/", "/app/", "/é/", "//evil.example/", "/"):
            set_script_prefix(prefix)
            seen.append(static("css/app.css"))

    assert [HASHED, f"/app{HASHED}", f"/%C3%A9{HASHED}", f"/evil.example{HASHED}", HASHED] == seen


@pytest.mark.usefixtures("script_prefix")
def test_many_prefixes_do_not_grow_the_process(project: Path) -> None:
    with django_site(project, STATIC_URL="static/"):
        for number in range(100):
            set_script_prefix(f"/{number}/")
            static("css/app.css")

        assert 20 > len(staticfiles_storage._by_prefix)


@pytest.mark.usefixtures("script_prefix")
def test_an_absolute_url_knows_no_prefix(site: Path) -> None:
    set_script_prefix("/app/")

    assert HASHED == static("css/app.css")


def test_a_forced_prefix_is_in_every_url(project: Path) -> None:
    with django_site(project, STATIC_URL="static/", FORCE_SCRIPT_NAME="/app"):
        assert f"/app{HASHED}" == static("css/app.css")


def test_asking_for_an_asset_at_start_leaves_the_prefix_to_the_first_request(project: Path) -> None:
    from django.conf import settings

    with django_site(project, STATIC_URL="static/"):
        get_assets().url("css/app.css")

        assert "STATIC_URL" not in vars(settings)


def test_assets_are_read_like_files(site: Path) -> None:
    assert staticfiles_storage.exists("css/app.css")
    assert not staticfiles_storage.exists("css/ap.css")
    with staticfiles_storage.open("css/app.css") as file:
        assert CSS == file.read()
    with pytest.raises(NotImplementedError, match="open for reading alone"):
        staticfiles_storage.open("css/app.css", "wb")


@pytest.mark.parametrize("written", ["/css/app.css", "./css/app.css", "css%2Fapp.css", "css\\app.css"])
def test_a_name_means_the_same_to_every_method(site: Path, written: str) -> None:
    assert HASHED == staticfiles_storage.url(written)
    assert staticfiles_storage.exists(written)
    assert CSS == staticfiles_storage.open(written).read()
    assert HASHED == staticfiles_storage.base_url + staticfiles_storage.stored_name(written)


def test_a_published_path_is_a_name_in_the_storage_as_it_is_in_djangos(site: Path) -> None:
    stored = staticfiles_storage.stored_name("css/app.css")

    assert staticfiles_storage.exists(stored)
    assert CSS == staticfiles_storage.open(stored).read()


def test_a_published_path_keeps_query_and_fragment(site: Path) -> None:
    assert f"{HASHED}?v=1#x".removeprefix("/static/") == staticfiles_storage.stored_name("css/app.css?v=1#x")


def test_opening_a_missing_name_is_what_a_missing_file_is(site: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        staticfiles_storage.open("/css/ap.css")

    assert isinstance(caught.value, MissingStaticFile)
    assert "`css/ap.css` is not in the manifest; did you mean `css/app.css`?" == str(caught.value)


def test_the_published_path_of_a_missing_name_is_missed_as_its_url_is(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with django_site(project), pytest.raises(MissingStaticFile, match=r"^`x\.css` is not in the manifest"):
        staticfiles_storage.stored_name("x.css")

    with django_site(project, missing="log"):
        assert "x.css?v" == staticfiles_storage.stored_name("x.css?v")
    assert ["`x.css` is not in the manifest"] == caplog.messages


def test_hashed_files_are_a_mapping_of_the_manifest_to_be_read(site: Path) -> None:
    files = staticfiles_storage.hashed_files

    assert {name: get_assets()[name].file for name in get_assets()} == dict(files)
    assert HASHED.removeprefix("/static/") == files["css/app.css"]
    assert None is files.get("nope.css")
    assert "nope.css" not in files
    assert len(list(get_assets())) == len(files)


@pytest.mark.usefixtures("script_prefix")
def test_the_base_url_follows_the_prefix_of_each_request(project: Path) -> None:
    with django_site(project, STATIC_URL="static/"):
        set_script_prefix("/app/")

        assert "/app/static/" == staticfiles_storage.base_url


def test_the_finder_knows_published_names_alone(site: Path) -> None:
    file = str(site / "build/assets" / HASHED.removeprefix("/static/"))

    assert file == finders.find(HASHED.removeprefix("/static/"))
    assert [file] == finders.find(HASHED.removeprefix("/static/"), find_all=True)
    assert None is finders.find("css/app.css")
    assert None is finders.find("manifest.json")
    assert [] == finders.find("../../etc/passwd", find_all=True)


def test_the_finder_knows_names_that_are_kept(tmp_path: Path) -> None:
    output = tmp_path / "build/assets"
    body = b"{}"
    write(output, published(output, {"site.txt": body}, site_txt={"keep": True}))

    with django_site(tmp_path):
        assert str(output / f"site-{hash_name('', body)}.txt") == finders.find("site.txt")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("flags", [{}, {"clear": True}, {"dry_run": True}])
def test_collectstatic_writes_nothing_and_says_so(
    project: Path, caplog: pytest.LogCaptureFixture, flags: dict[str, bool]
) -> None:
    (project / "src").mkdir()
    for name in ("css/app.css", "js/app.js"):
        (project / "src" / name).parent.mkdir(exist_ok=True)
        (project / "src" / name).write_text("newer")
    before = snapshot(project)
    out = io.StringIO()

    with django_site(
        project,
        STATIC_ROOT=str(project / "build/assets"),
        STATICFILES_DIRS=[project / "src"],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    ):
        call_command("collectstatic", interactive=False, stdout=out, **flags)

    assert before == snapshot(project)
    assert out.getvalue().endswith("\n0 static files copied, 2 unmodified.\n")
    said = ["`collectstatic` writes nothing: `assetbuild compile` has published the files; leave it out"]
    assert said == caplog.messages


def test_links_are_refused_by_collectstatic_and_none_is_made(site: Path) -> None:
    before = snapshot(site)

    with pytest.raises(CommandError, match="Can't symlink to a remote destination"):
        call_command("collectstatic", interactive=False, link=True)

    assert before == snapshot(site)


def test_collectstatic_finds_nothing_with_our_finder_alone(site: Path) -> None:
    out = io.StringIO()

    call_command("collectstatic", interactive=False, stdout=out)

    assert "\n0 static files copied.\n" == out.getvalue()[-len("\n0 static files copied.\n") :]


def test_a_stub_needs_no_build_and_knows_every_name(tmp_path: Path) -> None:
    with django_site(tmp_path, storage=STUB_STORAGE):
        assert "/static/any/thing.css?v=1" == static("any/thing.css?v=1")
        assert '<link rel="stylesheet" href="/static/any/thing.css">' == get_assets().tag("any/thing.css")


def test_whitenoise_is_told_which_names_are_hashes(site: Path) -> None:
    from assetbuild.web.django.whitenoise import is_immutable

    output = site / "build/assets"

    assert is_immutable(str(output / HASHED.removeprefix("/static/")), HASHED)
    assert not is_immutable(str(output / "manifest.json"), "/static/manifest.json")


def test_the_end_of_time_is_later_than_any_source(site: Path) -> None:
    from django.utils import timezone

    assert staticfiles_storage.get_modified_time("css/app.css") > timezone.now() + timedelta(days=36500)

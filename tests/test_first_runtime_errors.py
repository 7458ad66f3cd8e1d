"""What a newcomer forgets in the first minute of a running application, and the whole of what it then raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from flask import Flask, render_template_string
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient

from assetbuild import Assets
from assetbuild.web.flask import AssetBuild
from assetbuild.web.jinja import UnknownAsset
from assetbuild.web.jinja import install as install_in
from assetbuild.web.starlette import AssetMount, install
from tests.django_site import django_site, rendered
from tests.manifests import published, write

PAGE = "{{ asset_tag('css/app.css') }}"
COMPILE = "run `assetbuild compile` in the build stage and copy its output, or name it in ASSETBUILD_MANIFEST"

# What is written for `css/app.css`, and the whole answer.
UNKNOWN = [
    ("css/app.cs", "`css/app.cs` is not in the manifest; did you mean `css/app.css`?"),
    ("css/app.scss", "`css/app.scss` is not in the manifest; did you mean `css/app.css`?"),
    ("app.css", "`app.css` is not in the manifest; did you mean `css/app.css`?"),
    ("static/css/app.css", "`static/css/app.css` is not in the manifest; did you mean `css/app.css`?"),
    (
        "/static/css/app.css",
        "`/static/css/app.css` is not in the manifest;"
        " a logical path has no base, query or fragment: write `css/app.css`",
    ),
    ("fonts/text.woff2", "`fonts/text.woff2` is not in the manifest"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project that is compiled: a stylesheet, a script."""
    for name in ("MANIFEST", "BASE", "MOUNT", "SERVE", "RELOAD", "LIVE"):
        monkeypatch.delenv(f"ASSETBUILD_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "build/assets"
    write(output, published(output, {"css/app.css": b"a{}", "js/main.js": b"1"}))
    return tmp_path


def said(act: Callable[[], object]) -> tuple[str, str]:
    """Return the name and the text of what is raised, the two things that the last line of a traceback shows."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - which one it is, the test says
        return type(error).__name__, str(error)
    return "", "nothing was raised"


class TestFlask:
    def page(self, project: Path, text: str = PAGE, *, is_extended: bool = True, **config: object) -> str:
        app = Flask("shop", root_path=str(project))
        app.config.update(config)
        if is_extended:
            AssetBuild(app)
        app.add_url_rule("/", view_func=lambda: render_template_string(text), endpoint="page")
        app.testing = True
        return app.test_client().get("/").text

    def test_nothing_is_raised_where_nothing_is_wrong(self, project: Path) -> None:
        assert '<link rel="stylesheet" href="/static/css/app-' in self.page(project)

    def test_a_missing_manifest_says_what_to_run(self, project: Path) -> None:
        (project / "build/assets/manifest.json").unlink()

        assert ("ManifestError", f"`{project}/build/assets/manifest.json` is not there; {COMPILE}") == said(
            lambda: self.page(project)
        )

    def test_a_base_without_slashes_is_told_the_right_one(self, project: Path) -> None:
        assert (
            "ManifestError",
            "`static` of `ASSETBUILD_BASE` is not a URL base that begins and ends with a slash; write `/static/`",
        ) == said(lambda: self.page(project, ASSETBUILD_BASE="static"))

    def test_a_base_where_nothing_answers_is_found_at_the_start(self, project: Path) -> None:
        assert (
            "MountError",
            "the base of the assets is `/assets/` and the application answers under `/static/`;"
            " set static_url_path or ASSETBUILD_MOUNT to where `/assets/` leads, or ASSETBUILD_SERVE to False",
        ) == said(lambda: self.page(project, ASSETBUILD_BASE="/assets/"))

    def test_a_forgotten_extension_is_an_unknown_name_of_jinja(self, project: Path) -> None:
        assert ("UndefinedError", "'asset_tag' is undefined") == said(lambda: self.page(project, is_extended=False))

    @pytest.mark.parametrize(("name", "expected"), UNKNOWN)
    def test_an_unknown_name_is_told_the_nearest(self, project: Path, name: str, expected: str) -> None:
        assert ("UnknownAsset", expected) == said(lambda: self.page(project, f"{{{{ asset_tag('{name}') }}}}"))

    def test_an_unknown_name_is_told_by_url_for_too(self, project: Path) -> None:
        assert ("AssetNotFound", UNKNOWN[0][1]) == said(
            lambda: self.page(project, "{{ url_for('static', filename='css/app.cs') }}")
        )


class TestStarlette:
    def page(
        self, project: Path, text: str = PAGE, *, mount: str = "/static", is_installed: bool = True, base: str = ""
    ) -> str:
        assets = Assets.open(base=base or None)
        templates = Jinja2Templates(env=jinja2.Environment(loader=jinja2.DictLoader({"page.html": text})))
        if is_installed:
            install(templates, assets)

        def page(request: Request) -> Response:
            return templates.TemplateResponse(request, "page.html")

        routes: list[BaseRoute] = [Route("/", page), *([AssetMount(mount, assets)] if mount else [])]
        with TestClient(Starlette(routes=routes)) as client:
            return client.get("/").text

    def test_nothing_is_raised_where_nothing_is_wrong(self, project: Path) -> None:
        assert '<link rel="stylesheet" href="/static/css/app-' in self.page(project)

    def test_a_missing_manifest_says_where_it_was_looked_for(self, project: Path) -> None:
        (project / "build/assets/manifest.json").unlink()

        assert (
            "ManifestError",
            f"`{project}/build/assets/manifest.json` is not there"
            f" (`build/assets/manifest.json` in the working directory); {COMPILE}",
        ) == said(lambda: self.page(project))

    def test_a_base_without_slashes_is_told_the_right_one(self, project: Path) -> None:
        assert (
            "ManifestError",
            "`static` is not a URL base that begins and ends with a slash; write `/static/`",
        ) == said(lambda: self.page(project, base="static"))

    def test_a_mount_that_is_not_the_base_is_told_both(self, project: Path) -> None:
        assert (
            "MountError",
            "the base of the assets is `/static/` and they are mounted at `/assets/`;"
            " mount them where `/static/` leads, or set ASSETBUILD_BASE to what leads to `/assets/`",
        ) == said(lambda: self.page(project, mount="/assets"))

    def test_a_forgotten_install_is_an_unknown_name_of_jinja(self, project: Path) -> None:
        assert ("UndefinedError", "'asset_tag' is undefined") == said(lambda: self.page(project, is_installed=False))

    def test_a_forgotten_mount_is_an_unknown_route(self, project: Path) -> None:
        text = "{{ url_for('static', path='css/app.css') }}"

        assert ("NoMatchFound", 'No route exists for name "static" and params "path".') == said(
            lambda: self.page(project, text, mount="")
        )

    @pytest.mark.parametrize(("name", "expected"), UNKNOWN)
    def test_an_unknown_name_is_told_the_nearest(self, project: Path, name: str, expected: str) -> None:
        assert ("UnknownAsset", expected) == said(lambda: self.page(project, f"{{{{ asset_tag('{name}') }}}}"))

    def test_an_unknown_name_is_told_by_url_for_too(self, project: Path) -> None:
        assert ("AssetNotFound", UNKNOWN[0][1]) == said(
            lambda: self.page(project, "{{ url_for('static', path='css/app.cs') }}")
        )


class TestDjango:
    PAGE = "{% asset_tag 'css/app.css' %}"

    def page(self, project: Path, text: str = PAGE, **site: Any) -> str:
        with django_site(project, **site):
            return rendered(text)

    def test_nothing_is_raised_where_nothing_is_wrong(self, project: Path) -> None:
        assert '<link rel="stylesheet" href="/static/css/app-' in self.page(project)

    @pytest.mark.parametrize("text", [PAGE, "{% static 'css/app.css' %}"])
    def test_a_missing_manifest_says_what_to_run(self, project: Path, text: str) -> None:
        (project / "build/assets/manifest.json").unlink()

        assert ("ManifestError", f"`{project}/build/assets/manifest.json` is not there; {COMPILE}") == said(
            lambda: self.page(project, text)
        )

    def test_a_base_without_a_slash_is_told_the_right_one(self, project: Path) -> None:
        assert (
            "ManifestError",
            "`https://cdn.example` of `STATIC_URL` is not a URL base that begins and ends with a slash;"
            " write `https://cdn.example/`",
        ) == said(lambda: self.page(project, STATIC_URL="https://cdn.example"))

    def test_a_forgotten_storage_is_told_ours(self, project: Path) -> None:
        storage = "django.contrib.staticfiles.storage.StaticFilesStorage"

        assert (
            "ImproperlyConfigured",
            f"the storage of static files is `{storage}`, which has no manifest;"
            ' set STORAGES["staticfiles"] to `assetbuild.web.django.storage.ManifestStorage`',
        ) == said(lambda: self.page(project, storage=storage))

    def test_a_mistyped_option_of_the_storage_is_told_the_nearest(self, project: Path) -> None:
        assert (
            "ImproperlyConfigured",
            "`manifst` is not an option of the static files storage; did you mean `manifest`?",
        ) == said(lambda: self.page(project, manifst="build/assets/manifest.json"))

    def test_a_forgotten_app_is_an_unknown_library_of_django(self, project: Path) -> None:
        assert (
            "TemplateSyntaxError",
            "'assetbuild' is not a registered tag library. Must be one of:\ncache\ni18n\nl10n\nstatic\ntz",
        ) == said(lambda: self.page(project, INSTALLED_APPS=["django.contrib.staticfiles"]))

    @pytest.mark.parametrize(("name", "expected"), UNKNOWN)
    def test_an_unknown_name_is_told_the_nearest(self, project: Path, name: str, expected: str) -> None:
        assert ("TemplateSyntaxError", f"{expected} (line 1)") == said(
            lambda: self.page(project, f"{{% asset_tag '{name}' %}}")
        )

    def test_an_unknown_name_is_told_by_static_too(self, project: Path) -> None:
        assert ("MissingStaticFile", UNKNOWN[0][1]) == said(lambda: self.page(project, "{% static 'css/app.cs' %}"))


class TestJinja:
    def page(self, text: str = PAGE, *, is_installed: bool = True) -> str:
        environment = jinja2.Environment(autoescape=True)
        if is_installed:
            install_in(environment, Assets.open())
        return environment.from_string(text).render()

    def test_a_forgotten_install_is_an_unknown_name_of_jinja(self, project: Path) -> None:
        assert ("UndefinedError", "'asset_tag' is undefined") == said(lambda: self.page(is_installed=False))

    def test_another_librarys_tag_is_unknown_to_jinja(self, project: Path) -> None:
        assert ("TemplateSyntaxError", "Encountered unknown tag 'asset'.") == said(
            lambda: self.page("{% asset 'css/app.css' %}")
        )

    @pytest.mark.parametrize(("name", "expected"), UNKNOWN)
    def test_an_unknown_name_is_told_the_nearest(self, project: Path, name: str, expected: str) -> None:
        assert ("UnknownAsset", expected) == said(lambda: self.page(f"{{{{ asset_url('{name}') }}}}"))

    def test_an_unknown_name_has_its_place_in_the_template(self, project: Path) -> None:
        (project / "page.html").write_text("<head>\n{{ asset_url('css/ap.css') }}\n")
        environment = jinja2.Environment(loader=jinja2.FileSystemLoader(project))
        install_in(environment, Assets.open())

        with pytest.raises(UnknownAsset) as raised:
            environment.get_template("page.html")

        assert (str(project / "page.html"), 2) == (raised.value.filename, raised.value.lineno)

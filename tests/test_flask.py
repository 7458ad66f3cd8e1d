"""The Flask extension, on real applications: small ones through Flask's own client, the example under gunicorn."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flask_assets
import httpx
import pytest
from flask import Blueprint, Flask, render_template_string, url_for
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from assetbuild import AssetNotFound, ManifestError
from assetbuild.diagnostic import AssetbuildError
from assetbuild.web.flask import AssetBuild
from assetbuild.web.serve import MountError
from tests.browser import chromium_browser
from tests.manifests import published, write
from tests.servers import running

EXAMPLE = Path(__file__).parents[1] / "examples/flask"

Make = Callable[..., Flask]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest with a stylesheet, an image, a file of a blueprint and two files with stable names."""
    output = tmp_path / "build/assets"
    bodies = {
        "css/app.css": b"a{}",
        "img/ab.png": b"png",
        "blog/post.css": b"b{}",
        "robots.txt": b"hi",
        "kept.txt": b"k",
    }
    made = published(output, bodies, robots_txt={"at": "/robots.txt"}, kept_txt={"keep": True})
    made["assets"]["img/a b.png"] = made["assets"].pop("img/ab.png") | {"keep": True}
    return write(output, made)


@pytest.fixture
def make(tmp_path: Path, manifest: Path) -> Make:
    """Return a function that makes an application with the extension: `make({"DEBUG": True}, static_url_path="/s")`."""

    def application(config: Mapping[str, Any] = {}, **options: Any) -> Flask:
        app = Flask("shop", root_path=str(tmp_path), **options)
        app.config.update(config)
        AssetBuild(app)
        return app

    return application


def hashed(app: Flask, name: str) -> str:
    """Return the published path of an asset."""
    return str(app.extensions["assetbuild"][name].file)


def url_in(app: Flask, text: str, path: str = "/page", **request: Any) -> str:
    """Return what a template renders in a request."""
    with app.test_request_context(path, **request):
        return render_template_string(text)


def test_a_static_file_is_answered_under_its_published_name_only(make: Make) -> None:
    app = make()
    client = app.test_client()

    found = client.get(f"/static/{hashed(app, 'css/app.css')}")
    missed = client.get("/static/css/app.css")

    assert (200, b"a{}") == (found.status_code, found.data)
    assert "public, max-age=31536000, immutable" == found.headers["Cache-Control"]
    assert (404, "no-store") == (missed.status_code, missed.headers["Cache-Control"])


def test_flasks_own_static_route_never_answers(make: Make, tmp_path: Path) -> None:
    """The folder of the sources may be in the image: what is not in the manifest must not be served from it."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static/secret.scss").write_text("$a: 1")

    assert 404 == make().test_client().get("/static/secret.scss").status_code


def test_all_else_is_the_applications(make: Make) -> None:
    app = make()
    app.add_url_rule("/", view_func=lambda: "page")

    assert "page" == app.test_client().get("/").text
    assert 404 == app.test_client().get("/other").status_code
    assert "hi" == app.test_client().get("/robots.txt").text


def test_url_for_names_the_published_file_in_views_and_in_templates(make: Make) -> None:
    app = make()
    expected = f"/static/{hashed(app, 'css/app.css')}"

    with app.test_request_context("/"):
        assert expected == url_for("static", filename="css/app.css")
        assert expected == app.url_for("static", filename="css/app.css")
    assert expected == url_in(app, "{{ url_for('static', filename='css/app.css') }}")
    assert expected == url_in(app, "{{ asset_url('css/app.css') }}")


def test_a_folder_is_a_prefix_without_a_hash_and_a_slash_at_the_start_means_nothing(make: Make) -> None:
    app = make({"ASSETBUILD_FOLLOW_SCRIPT_NAME": True})
    names = ("", "/", "img/", "a b/", "/css/app.css")
    expected = ["/static/", "/static/", "/static/img/", "/static/a%20b/", f"/static/{hashed(app, 'css/app.css')}"]

    with app.test_request_context("/"):
        assert expected == [url_for("static", filename=name) for name in names]
        assert "http://localhost/static/img/?v=1" == url_for("static", filename="img/", v=1, _external=True)
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/outer"}):
        assert "/outer/static/img/" == url_for("static", filename="img/")
    cdn = make({"ASSETBUILD_BASE": "https://cdn.example/x/"})
    assert "https://cdn.example/x/" == url_in(cdn, "{{ url_for('static', filename='') }}")


def test_the_environment_of_an_application_may_be_older_than_the_extension(tmp_path: Path, manifest: Path) -> None:
    app = Flask("shop", root_path=str(tmp_path))
    app.jinja_env.globals["other"] = 1

    AssetBuild().init_app(app)

    assert f"/static/{hashed(app, 'css/app.css')}" == url_in(app, "{{ url_for('static', filename='css/app.css') }}")


def test_query_anchor_scheme_and_host_stay_as_flask_makes_them(make: Make) -> None:
    app = make()
    file = hashed(app, "css/app.css")
    with app.test_request_context("/", base_url="https://shop.example"):
        assert f"/static/{file}?v=1&w=a+b#top" == url_for("static", filename="css/app.css", v=1, w="a b", _anchor="top")
        assert f"https://shop.example/static/{file}" == url_for("static", filename="css/app.css", _external=True)
        assert f"http://shop.example/static/{file}" == url_for("static", filename="css/app.css", _scheme="http")


def test_outside_of_a_request_the_server_name_is_the_host(make: Make) -> None:
    config = {"SERVER_NAME": "shop.example", "APPLICATION_ROOT": "/in", "PREFERRED_URL_SCHEME": "https"}
    app = make(config)

    with app.app_context():
        assert f"https://shop.example/in/static/{hashed(app, 'css/app.css')}" == url_for(
            "static", filename="css/app.css"
        )


def test_without_request_and_server_name_flask_says_so_itself(make: Make) -> None:
    with make().app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("static", filename="css/app.css")


def test_names_that_need_an_escape_are_quoted_and_found(make: Make) -> None:
    app = make()

    with app.test_request_context():
        url = url_for("static", filename="img/a b.png")

    assert app.extensions["assetbuild"].url("img/a b.png") == url
    assert b"png" == app.test_client().get(url).data


def test_a_stable_name_keeps_its_own_url(make: Make) -> None:
    app = make()

    with app.test_request_context():
        assert "/static/kept.txt" == url_for("static", filename="kept.txt")
        assert "/robots.txt" == url_for("static", filename="robots.txt")
        assert "http://localhost/robots.txt" == url_for("static", filename="robots.txt", _external=True)


def test_an_unknown_name_raises_with_the_near_miss(make: Make) -> None:
    app = make()

    with app.test_request_context(), pytest.raises(AssetNotFound) as raised:
        url_for("static", filename="css/ap.css")

    assert "`css/ap.css` is not in the manifest; did you mean `css/app.css`?" == str(raised.value)


def test_other_endpoints_are_flasks(make: Make) -> None:
    app = make()
    app.add_url_rule("/p/<filename>", endpoint="page", view_func=lambda filename: filename)

    with app.test_request_context():
        assert "/p/css" == url_for("page", filename="css")


def with_blueprint(app: Flask, name: str, folder: Path) -> Flask:
    blueprint = Blueprint(name, __name__, url_prefix=f"/{name}", static_folder=str(folder))
    blueprint.add_url_rule("/", endpoint="page", view_func=lambda: url_for(".static", filename="post.css"))
    app.register_blueprint(blueprint)
    return app


def test_a_static_file_of_a_blueprint_lies_below_the_name_of_the_blueprint(make: Make, tmp_path: Path) -> None:
    app = with_blueprint(make(), "blog", tmp_path)
    expected = f"/static/{hashed(app, 'blog/post.css')}"

    with app.test_request_context("/"):
        assert expected == url_for("blog.static", filename="post.css")
        with pytest.raises(AssetNotFound, match=r"did you mean `blog/post\.css`"):
            url_for("blog.static", filename="pots.css")
    assert expected == app.test_client().get("/blog/").text


def test_a_blueprint_that_the_project_does_not_compile_serves_its_own_files(make: Make, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/post.css").write_text("theirs")
    app = with_blueprint(make(), "debugger", tmp_path / "static")

    url = app.test_client().get("/debugger/").text

    assert "/debugger/static/post.css" == url
    assert "theirs" == app.test_client().get(url).text


def test_a_nested_blueprint_is_a_folder_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "build/assets", published(tmp_path / "build/assets", {"shop/blog/post.css": b"c{}"}))
    app, outer = Flask("site", root_path=str(tmp_path)), Blueprint("shop", "shop")
    outer.register_blueprint(Blueprint("blog", "blog", static_folder=str(tmp_path)))
    app.register_blueprint(outer, url_prefix="/in")
    AssetBuild(app)

    with app.test_request_context():
        assert f"/static/{hashed(app, 'shop/blog/post.css')}" == url_for("shop.blog.static", filename="post.css")


def test_the_base_is_what_flask_itself_puts_before_a_static_file(make: Make) -> None:
    app = make({"APPLICATION_ROOT": "/in/"}, static_url_path="/s")
    file = hashed(app, "css/app.css")

    url = url_in(app, "{{ asset_url('css/app.css') }} {{ url_for('static', filename='css/app.css') }}")

    assert f"/in/s/{file} /in/s/{file}" == url
    assert b"a{}" == app.test_client().get(f"/s/{file}").data


def test_a_base_on_another_host_is_in_every_url_and_the_application_answers_for_it(make: Make) -> None:
    app = make({"ASSETBUILD_BASE": "https://cdn.example/x/"})
    file = hashed(app, "css/app.css")

    with app.test_request_context("/", base_url="http://shop.example"):
        assert f"https://cdn.example/x/{file}" == url_for("static", filename="css/app.css")
        assert f"https://cdn.example/x/{file}?v=1" == url_for("static", filename="css/app.css", v=1, _external=True)
    assert b"a{}" == app.test_client().get(f"/static/{file}").data


def test_the_environment_names_manifest_and_base(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETBUILD_MANIFEST", str(manifest))
    monkeypatch.setenv("ASSETBUILD_BASE", "//cdn.example/")
    app = Flask("shop", root_path=str(tmp_path / "elsewhere"))
    AssetBuild(app)

    with app.test_request_context():
        assert f"//cdn.example/{hashed(app, 'css/app.css')}" == url_for("static", filename="css/app.css")


def test_the_configuration_wins_over_the_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch, manifest: Path
) -> None:
    monkeypatch.setenv("ASSETBUILD_MANIFEST", "nowhere.json")
    monkeypatch.setenv("ASSETBUILD_BASE", "/nowhere/")

    app = make({"ASSETBUILD_MANIFEST": "build/assets/manifest.json", "ASSETBUILD_BASE": "/static/"})

    assert (str(manifest), "/static/") == (
        app.extensions["assetbuild"].manifest.file,
        app.extensions["assetbuild"].base,
    )


def test_a_base_that_leads_elsewhere_stops_the_start(make: Make) -> None:
    with pytest.raises(MountError) as raised:
        make({"ASSETBUILD_BASE": "/assets/"})

    assert (
        "the base of the assets is `/assets/` and the application answers under `/static/`; set static_url_path or "
        "ASSETBUILD_MOUNT to where `/assets/` leads, or ASSETBUILD_SERVE to False"
    ) == str(raised.value)


@pytest.mark.parametrize(
    ("config", "options", "base"),
    [
        ({}, {"static_url_path": ""}, "/"),
        ({"APPLICATION_ROOT": "/in"}, {"static_url_path": ""}, "/in/"),
        ({"ASSETBUILD_BASE": "/"}, {}, "/"),
    ],
)
def test_a_base_that_is_the_whole_application_stops_the_start(
    make: Make, config: Mapping[str, Any], options: Mapping[str, Any], base: str
) -> None:
    with pytest.raises(MountError) as raised:
        make(config, **options)

    assert (
        f"the base `{base}` leaves the application no page of its own; "
        "set static_url_path or ASSETBUILD_BASE to a path such as `/static/`"
    ) == str(raised.value)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"ASSETBUILD_BASE": "/assets"},
            "`/assets` of `ASSETBUILD_BASE` is not a URL base that begins and ends with a slash; write `/assets/`",
        ),
        (
            {"APPLICATION_ROOT": "in"},
            "`in/static/` of `APPLICATION_ROOT` is not a URL base that begins and ends with a slash; "
            "write `/in/static/`",
        ),
        (
            {"ASSETBUILD_MOUNT": "assets/"},
            "`assets/` of `ASSETBUILD_MOUNT` is no path that files can answer under; write one such as `/static/`",
        ),
        (
            {"ASSETBUILD_MANIFST": "build/assets/manifest.json"},
            "`ASSETBUILD_MANIFST` is not a setting; did you mean `ASSETBUILD_MANIFEST`?",
        ),
        ({"ASSETBUILD_COLOUR": "red"}, "`ASSETBUILD_COLOUR` is not a setting"),
        ({"ASSETBUILD_RELOAD": "False"}, "expected `True` or `False` at `ASSETBUILD_RELOAD`, got `'False'`"),
        ({"ASSETBUILD_SERVE": None}, "expected `True` or `False` at `ASSETBUILD_SERVE`, got `None`"),
        (
            {"ASSETBUILD_FOLLOW_SCRIPT_NAME": 1},
            "expected `True` or `False` at `ASSETBUILD_FOLLOW_SCRIPT_NAME`, got `1`",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_by_its_name(make: Make, config: Mapping[str, Any], expected: str) -> None:
    with pytest.raises(AssetbuildError) as raised:
        make(config)

    assert expected == str(raised.value)


def test_an_application_without_a_static_path_says_where_the_files_of_a_cdn_answer(make: Make) -> None:
    with pytest.raises(MountError, match="give the path of the files as `ASSETBUILD_MOUNT`"):
        make({"ASSETBUILD_BASE": "https://cdn.example/"}, static_url_path="")


def test_settings_may_come_from_the_environment_as_flask_reads_it(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads values as JSON: a boolean is one."""
    monkeypatch.setenv("FLASK_ASSETBUILD_RELOAD", "true")
    monkeypatch.setenv("FLASK_ASSETBUILD_BASE", "https://cdn.example/")
    app = Flask("shop", root_path=str(tmp_path))
    app.config.from_prefixed_env()

    AssetBuild(app)

    assets = app.extensions["assetbuild"]
    assert (True, "https://cdn.example/") == (assets.is_reloading, assets.base)


def test_a_mount_of_its_own_leaves_the_static_route_alone(make: Make, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/upload.txt").write_text("mine")
    app = make({"ASSETBUILD_BASE": "/assets/", "ASSETBUILD_MOUNT": "/assets"})

    assert b"a{}" == app.test_client().get(f"/assets/{hashed(app, 'css/app.css')}").data
    assert "mine" == app.test_client().get("/static/upload.txt").text


def test_a_server_in_front_may_serve_instead(make: Make) -> None:
    app = make({"ASSETBUILD_BASE": "/assets/", "ASSETBUILD_SERVE": False})
    file = hashed(app, "css/app.css")

    assert 404 == app.test_client().get(f"/static/{file}").status_code
    assert f"/assets/{file}" == url_in(app, "{{ url_for('static', filename='css/app.css') }}")


def test_an_application_without_a_static_folder_has_the_base_of_the_manifest(make: Make) -> None:
    app = make(static_folder=None)
    url = url_in(app, "{{ asset_url('css/app.css') }}")

    assert f"/static/{hashed(app, 'css/app.css')}" == url
    assert b"a{}" == app.test_client().get(url).data


def test_a_page_under_a_script_root_that_its_urls_do_not_have_is_refused(make: Make) -> None:
    app = make()
    app.add_url_rule("/plain", view_func=lambda: "plain")

    with pytest.raises(MountError) as raised:
        url_in(app, "{{ asset_url('css/app.css') }}", environ_overrides={"SCRIPT_NAME": "/in"})

    assert (
        'the request came under `/in/` and the base of the assets is `/static/`; set APPLICATION_ROOT = "/in", '
        "or ASSETBUILD_FOLLOW_SCRIPT_NAME = True if it differs from request to request"
    ) == str(raised.value)
    with app.test_request_context(environ_overrides={"SCRIPT_NAME": "/in"}), pytest.raises(MountError):
        url_for("static", filename="css/app.css")
    assert "plain" == app.test_client().get("/plain", environ_overrides={"SCRIPT_NAME": "/in"}).text


def test_urls_follow_the_script_root_of_each_request_if_asked(make: Make) -> None:
    app = make({"ASSETBUILD_FOLLOW_SCRIPT_NAME": True, "SERVER_NAME": "localhost", "APPLICATION_ROOT": "/out"})
    file, text = (
        hashed(app, "css/app.css"),
        "{{ asset_url('css/app.css') }} {{ url_for('static', filename='css/app.css') }}",
    )

    found = {root: url_in(app, text, environ_overrides={"SCRIPT_NAME": root}) for root in ("", "/a", "/b")}

    assert {root: f"{root}/static/{file} {root}/static/{file}" for root in found} == found
    assert b"a{}" == app.test_client().get(f"/static/{file}", environ_overrides={"SCRIPT_NAME": "/a"}).data
    with app.app_context():
        assert f"http://localhost/out/static/{file}" == url_for("static", filename="css/app.css")


@pytest.mark.parametrize("is_outside", [True, False])
def test_a_proxy_that_names_its_prefix_gives_the_script_root(tmp_path: Path, manifest: Path, is_outside: bool) -> None:
    app = Flask("shop", root_path=str(tmp_path))
    app.config["APPLICATION_ROOT"] = "/in"
    if not is_outside:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    AssetBuild(app)
    if is_outside:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    app.add_url_rule("/", view_func=lambda: render_template_string("{{ asset_url('css/app.css') }}"))
    # What gunicorn makes of a request that the proxy has stripped; Flask's own client would add APPLICATION_ROOT.
    client, headers = Client(app), {"X-Forwarded-Prefix": "/in"}

    url = client.get("/", headers=headers).text

    assert f"/in/static/{hashed(app, 'css/app.css')}" == url
    assert b"a{}" == client.get(url.removeprefix("/in"), headers=headers).data


def test_the_tag_of_flask_assets_is_answered_from_the_manifest(tmp_path: Path, manifest: Path) -> None:
    """Also where the application still makes the environment of Flask-Assets, which a compile may read."""
    made = published(manifest.parent, {"css/app.css": b"a{}"})
    made["bundles"] = {"site": {"assets": ["css/app.css"], "extra": {"media": "print"}}}
    write(manifest.parent, made)
    app = Flask("shop", root_path=str(tmp_path))
    flask_assets.Environment(app)
    AssetBuild(app)
    text = "{% assets 'site' %}{{ ASSET_URL }} {{ EXTRA.media }}{% endassets %}"

    assert f"/static/{hashed(app, 'css/app.css')} print" == url_in(app, text)


def test_two_applications_of_one_extension_have_each_their_own_assets(tmp_path: Path) -> None:
    extension = AssetBuild()
    apps = []
    for name in ("one", "two"):
        output = tmp_path / name / "build/assets"
        write(output, published(output, {"a.css": name.encode()}))
        apps.append(Flask(name, root_path=str(tmp_path / name), static_url_path=f"/{name}"))
        extension.init_app(apps[-1])

    urls = [url_in(app, "{{ url_for('static', filename='a.css') }}") for app in apps]

    assert [f"/{app.name}/{hashed(app, 'a.css')}" for app in apps] == urls
    assert [b"one", b"two"] == [app.test_client().get(url).data for app, url in zip(apps, urls, strict=True)]


def package(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the application of a package or module that is imported from `folder`."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / name / "inner.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    monkeypatch.syspath_prepend(str(folder))
    module = __import__(f"{name}.inner")
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, f"{name}.inner")
    monkeypatch.setitem(sys.modules, name, module)
    app: Flask = module.app
    return app


def test_the_manifest_of_a_package_lies_beside_the_package(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = package(tmp_path, "roomy_shop", monkeypatch)
    inner: Flask = sys.modules["roomy_shop"].inner.app

    AssetBuild(app)
    AssetBuild(inner)

    assert {str(manifest)} == {each.extensions["assetbuild"].manifest.file for each in (app, inner)}


def test_a_manifest_inside_the_folder_of_the_application_is_nearer(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = package(tmp_path, "roomy_site", monkeypatch)
    inside = tmp_path / "roomy_site/build/assets"
    write(inside, published(inside, {"a.css": b""}))

    AssetBuild(app)

    assert ["a.css"] == list(app.extensions["assetbuild"])


def test_a_missing_manifest_stops_the_start_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        AssetBuild(Flask("shop", root_path=str(tmp_path)))

    file = tmp_path / "build/assets/manifest.json"
    assert (
        f"`{file}` is not there; run `assetbuild compile` in the build stage and copy its output, "
        "or name it in ASSETBUILD_MANIFEST"
    ) == str(raised.value)


def test_reload_follows_a_new_build_and_nothing_else_does(make: Make, manifest: Path, tmp_path: Path) -> None:
    app, still = make({"ASSETBUILD_RELOAD": True}), make({"DEBUG": True})
    text = "{{ asset_url('css/app.css') }} {{ url_for('static', filename='css/app.css') }}"
    before = url_in(app, text), url_in(still, text)

    output = manifest.parent
    again = write(output / "again", published(output, {"css/app.css": b"z{}"}))
    again.replace(manifest)

    after = url_in(app, text), url_in(still, text)
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert b"z{}" == app.test_client().get(after[0].split()[0]).data


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return a copy of the example, compiled by the command."""
    pytest.importorskip("yaml")
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("build")))
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", "."], cwd=project, check=True, capture_output=True)
    return project


def test_the_example_opens_clean_under_gunicorn(example: Path, chromium: str) -> None:
    asked = (
        "document.getElementById('greeting').textContent",
        "document.fonts.check('16px Brick')",
        "document.getElementById('hills').naturalWidth",
        "performance.getEntriesByType('resource').filter(each => each.transferSize > 0).length",
    )
    with running("gunicorn", "shop:create_app()", folder=example) as server, chromium_browser(chromium) as browser:
        ready = "document.documentElement.dataset.ready"
        first, second = (browser.look(f"{server.url}/", *asked, ready=ready) for _ in range(2))
        post = browser.look(
            f"{server.url}/blog/",
            "getComputedStyle(document.querySelector('article')).backgroundImage.includes('/static/blog/img/dot-')",
            ready="document.documentElement.dataset.ready",
        )

    assert [] == first.problems + second.problems + post.problems
    assert {200} == {*first.requests.values(), *second.requests.values(), *post.requests.values()}
    assert ["Bricks since 1926", True, 480] == first.values[:3] == second.values[:3]
    assert [True] == post.values
    assert (True, 0) == (first.values[3] > 0, second.values[3])


def test_the_example_starts_by_flasks_own_command(example: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "shop", "run", "--port", "{port}"]

    with running(command, folder=example) as server:
        page = httpx.get(f"{server.url}/").text
        robots = httpx.get(f"{server.url}/robots.txt")

    assert "/static/gen/site-" in page
    assert (200, "no-cache") == (robots.status_code, robots.headers["Cache-Control"])


def test_the_example_does_not_start_without_its_manifest(example: Path) -> None:
    (example / "build/assets/manifest.json").unlink()

    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "shop", "routes"],
        cwd=example, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip

    assert 0 != done.returncode
    assert "build/assets/manifest.json` is not there; run `assetbuild compile` in the build stage" in done.stderr

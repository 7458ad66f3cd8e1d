"""The pytest plugin, by real sessions: it is installed, and its entry point loads it there as it would anywhere."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from assetbuild import AssetNotFound, Assets
from assetbuild.compiler import Outcome
from assetbuild.manifest import Manifest
from assetbuild.testing.strict import promised
from assetbuild.web.inline import InlineError
from assetbuild.web.stub import StubManifest, stub_assets
from assetbuild.web.wsgi import AssetMiddleware
from tests.conftest import Tree

pytest_plugins = ["pytester"]

# An application opens its assets when it is imported, and is imported by a conftest.py.
APP = "from assetbuild import Assets\nassets = Assets.open('no/such/manifest.json')\n"
CONFTEST = "import app\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Callable[..., pytest.Pytester]:
    """Return a function that writes a project: its settings, its test, and files that are no Python."""
    # The plugins of others cost more than these sessions; `-p` finds ours by its entry point.
    alone = "addopts = --disable-plugin-autoload -p assetbuild\n"

    def build(settings: str, test: str, **files: str) -> pytest.Pytester:
        pytester.makeini(f"[pytest]\n{'' if 'addopts' in settings else alone}{settings}\n")
        pytester.makepyfile(app=APP, conftest=CONFTEST, test_app=test)
        for name, text in files.items():
            file = pytester.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return pytester

    return build


Project = Callable[..., pytest.Pytester]


def written(folder: Path) -> set[str]:
    """Return the files below `folder`, without those of the interpreter and of pytester."""
    files = (file.relative_to(folder) for file in folder.rglob("*"))
    foreign = ("stdout", "stderr", "runpytest-")
    return {str(file) for file in files if "__pycache__" not in file.parts and not file.parts[0].startswith(foreign)}


SOURCES = {
    "assets/css/plain.css": "a { color: red }",
    "assets/scss/app.scss": "a { color: red }",
    "assets/scss/_part.scss": "a { color: red }",
    "assets/js/main.ts": "import './main.css'\nexport {}",
    "assets/js/old.js": "var old = 1",
    "assets/js/page-one.ts": "export {}",
    "assets/sw.js": "self.x = 1",
    "assets/robots.txt": "User-agent: *",
    "assets/favicon.ico": "",
    "assetbuild.toml": """
base = "/files/"
keep_names = ["favicon.ico"]
site_root = ["sw.js", "robots.txt"]

[entries]
"js/app.js" = { module = "js/main.ts" }
"js/{name}.js" = { module = "js/page-{name}.ts" }
"js/classic.js" = { classic = ["js/old.js"] }
""",
}


def test_an_application_that_opens_its_assets_at_import_needs_no_manifest(project: Project) -> None:
    test = """
        import app

        def test_page():
            assert "/static/css/app.css" == app.assets.url("css/app.css")
            assert '<link rel="stylesheet" href="/static/css/app.css">' == app.assets.tag("css/app.css")
            assert '<script src="/static/js/app.js"></script>' == app.assets.tag("js/app.js")
            assert '<script type="module" src="/static/js/app.mjs"></script>' == app.assets.tag("js/app.mjs")
            assert '<img src="/static/img/logo.png">' == app.assets.tag("img/logo.png")
            assert [] == list(app.assets)
    """

    done = project("", test).runpytest()

    done.assert_outcomes(passed=1)


def test_a_session_leaves_everything_as_it_was(project: Project) -> None:
    before = Assets.__dict__["open"]

    project("", "import app\ndef test_page(): assert 'a.css' in app.assets").runpytest_inprocess()

    assert before is Assets.__dict__["open"]


def test_a_session_inside_another_opens_assets_by_its_own_mode(project: Project) -> None:
    inner = """
        import pytest
        from assetbuild import Assets, ManifestError

        def test_page():
            with pytest.raises(ManifestError):
                Assets.open("no/such/manifest.json")
    """
    outer = f"""
        from assetbuild import Assets

        pytest_plugins = ["pytester"]

        def test_inner(pytester):
            pytester.makeini("[pytest]\\naddopts = --disable-plugin-autoload -p assetbuild\\nassetbuild = off")
            pytester.makepyfile({textwrap.dedent(inner)!r})
            pytester.runpytest_inprocess().assert_outcomes(passed=1)
            assert "/static/a.css" == Assets.open("no/such/manifest.json").url("a.css")
    """

    done = project("", outer).runpytest()

    done.assert_outcomes(passed=1)


def test_a_stub_has_the_class_that_was_asked_for_and_says_whether_it_reloads(project: Project) -> None:
    test = """
        import pickle
        from assetbuild import Assets

        class Shop(Assets):
            pass

        def test_page():
            assert Shop is type(Shop.open())
            assert Assets is type(Assets.open())
            assert Assets.open(reload=True).is_reloading
            assert pickle.loads(pickle.dumps(Assets.open(reload=True).at("/b/"))).is_reloading
            assert not Assets.open().is_reloading
    """

    done = project("", test).runpytest()

    done.assert_outcomes(passed=1)


def test_a_session_whose_conftest_is_broken_leaves_everything_as_it_was(project: Project) -> None:
    before = Assets.__dict__["open"]
    broken = project("", "")
    broken.makepyfile(conftest="import app\nraise RuntimeError('broken')")

    broken.runpytest_inprocess()

    assert before is Assets.__dict__["open"]


def test_off_reads_the_manifest_that_is_asked_for(project: Project) -> None:
    test = """
        import pytest
        from assetbuild import Assets, ManifestError

        def test_page():
            with pytest.raises(ManifestError, match="no/such/manifest.json"):
                Assets.open("no/such/manifest.json")
    """
    off = project("assetbuild = off", test)
    (off.path / "conftest.py").unlink()

    done = off.runpytest()

    done.assert_outcomes(passed=1)


def test_the_base_of_a_stub_is_what_the_call_the_environment_or_the_settings_say(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSETBUILD_BASE", raising=False)
    test = """
        from assetbuild import Assets

        def test_base():
            environ = {"ASSETBUILD_BASE": "https://cdn.example/"}
            assert "/files/a.css" == Assets.open().url("a.css")
            assert "https://cdn.example/a.css" == Assets.open(environ=environ).url("a.css")
            assert "/here/a.css" == Assets.open(base="/here/", environ=environ).url("a.css")
    """

    done = project("assetbuild_base = /files/", test).runpytest()

    done.assert_outcomes(passed=1)


FRAMEWORKS = {
    "jinja": """
        import jinja2
        from assetbuild import Assets
        from assetbuild.web.jinja import install

        env = jinja2.Environment()
        install(env, Assets.open())

        def page():
            return env.from_string(TEXT + '{% assets "site" %}{{ ASSET_URL }}{% endassets %}').render()
    """,
    "flask": """
        import flask
        from assetbuild.web.flask import AssetBuild

        app = flask.Flask(__name__)
        AssetBuild(app)

        def page():
            with app.test_request_context():
                return flask.render_template_string(TEXT) + flask.url_for("static", filename="site")
    """,
    "starlette": """
        from assetbuild import Assets
        from assetbuild.web.starlette import AssetMount, install
        from starlette.applications import Starlette
        from starlette.templating import Jinja2Templates

        assets = Assets.open()
        app = Starlette(routes=[AssetMount("/static", assets)])
        templates = Jinja2Templates(".")
        install(templates, assets)

        def page():
            return templates.env.from_string(TEXT).render() + "/static" + app.url_path_for("static", path="/site")[7:]
    """,
    "litestar": """
        from assetbuild import Assets
        from assetbuild.web.litestar import AssetBuildPlugin
        from litestar import Litestar
        from litestar.plugins.jinja import JinjaTemplateEngine
        from litestar.template import TemplateConfig

        plugin = AssetBuildPlugin(Assets.open())
        app = Litestar([], plugins=[plugin], template_config=TemplateConfig(JinjaTemplateEngine, directory="."))

        def page():
            return app.template_engine.render_string(TEXT + "{{ asset_url('site') }}", {})
    """,
    "pyramid": """
        from pyramid.config import Configurator
        from pyramid.request import Request

        config = Configurator(settings={"assetbuild.static": "conftest:static"})
        config.include("pyramid_jinja2")
        config.include("assetbuild.web.pyramid")
        app = config.make_wsgi_app()

        def page():
            request = Request.blank("/")
            request.registry = config.registry
            path = request.static_path("conftest:static/site")
            return config.get_jinja2_environment().from_string(TEXT).render() + path
    """,
    "django": """
        import django
        from django.conf import settings
        from django.template import Context, Engine

        storage = {"BACKEND": "assetbuild.web.django.storage.ManifestStorage"}
        settings.configure(STATIC_URL="/static/", STORAGES={"staticfiles": storage}, BASE_DIR=".")
        django.setup()

        def page():
            text = "{% load assetbuild static %}{% asset_tag 'css/app.css' %}{% static 'site' %}"
            return Engine(libraries=LIBRARIES).from_string(text).render(Context())

        LIBRARIES = {
            "assetbuild": "assetbuild.web.django.templatetags.assetbuild",
            "static": "django.templatetags.static",
        }
    """,
}


def test_an_application_of_any_framework_starts_and_renders_under_a_stub(project: Project) -> None:
    test = """
        import importlib
        import pytest

        @pytest.mark.parametrize("framework", NAMES)
        def test_page(framework):
            page = importlib.import_module(f"{framework}_app").page()
            assert '<link rel="stylesheet" href="/static/css/app.css">/static/site' == page
    """
    made = project("", f"NAMES = {list(FRAMEWORKS)}\n{textwrap.dedent(test)}")
    text = "TEXT = \"{{ asset_tag('css/app.css') }}\"\n"
    made.makepyfile(**{f"{name}_app": text + textwrap.dedent(app) for name, app in FRAMEWORKS.items()})

    done = made.runpytest_subprocess()

    done.assert_outcomes(passed=len(FRAMEWORKS))


def test_a_mode_that_does_not_exist_is_refused_with_the_nearest_one(project: Project) -> None:
    wrong = project("assetbuild = strikt", "")

    done = wrong.runpytest()

    assert pytest.ExitCode.USAGE_ERROR == done.ret
    place = wrong.path / "tox.ini"
    expected = f"expected `stub`, `strict` or `off`, got `strikt` at `assetbuild` ({place}); did you mean `strict`?"
    assert [f"ERROR: {expected}"] == [line for line in done.errlines if line]


def test_strict_finds_what_the_sources_promise_and_nothing_else(project: Project) -> None:
    test = """
        import app
        import pytest
        from assetbuild import AssetNotFound

        def test_names():
            assert "/files/scss/app.css" == app.assets.url("scss/app.css")
            with pytest.raises(AssetNotFound) as caught:
                app.assets.url("scss/ap.css")
            assert "`scss/ap.css` is promised by no source; did you mean `scss/app.css`?" == str(caught.value)
    """

    done = project("assetbuild = strict", test, **SOURCES).runpytest()

    done.assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", [("-n", "2"), ()], ids=["two workers", "one process"])
def test_a_marked_test_opens_assets_as_its_mark_says(project: Project, workers: tuple[str, ...]) -> None:
    test = """
        import pytest
        from assetbuild import Assets, ManifestError

        @pytest.fixture
        def known():
            return "nowhere.css" in Assets.open()

        def test_stub(known):
            assert known

        @pytest.mark.assetbuild("strict")
        def test_strict(known):
            assert not known

        @pytest.mark.assetbuild("off")
        def test_off():
            with pytest.raises(ManifestError):
                Assets.open("no/such/manifest.json")

        @pytest.mark.parametrize("number", range(4))
        def test_stub_again(known, number):
            assert known
    """
    marked = project("addopts = --strict-markers", test, **SOURCES)
    before = written(marked.path)

    done = marked.runpytest_subprocess("-p", "no:cacheprovider", *workers)

    done.assert_outcomes(passed=7)
    assert before == written(marked.path)


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ('"of"', "expected `stub`, `strict` or `off`, got `of` at `test_app.py::test_page`; did you mean `off`?"),
        ("", '`assetbuild` takes one mode at `test_app.py::test_page`; write `mark.assetbuild("strict")`'),
    ],
)
def test_a_mark_that_says_nothing_is_refused_before_any_test_runs(project: Project, mark: str, message: str) -> None:
    test = f"import pytest\n@pytest.mark.assetbuild({mark})\ndef test_page(): pass\n"

    done = project("", test).runpytest()

    assert pytest.ExitCode.USAGE_ERROR == done.ret
    assert f"ERROR: {message}" in done.errlines + done.outlines


def test_the_plugin_loads_neither_jinja_nor_the_compiler_unless_strict_asks(project: Project) -> None:
    test = """
        import sys
        import app
        import pytest
        from assetbuild import Assets

        def test_stub():
            app.assets.tag("a.css")
            assert [] == [name for name in sys.modules if name.startswith(("jinja2", "assetbuild.compiler"))]

        @pytest.mark.assetbuild("strict")
        def test_strict():
            Assets.open()
            assert "assetbuild.compiler.plan" in sys.modules
    """

    done = project("", test, **SOURCES).runpytest_subprocess()

    done.assert_outcomes(passed=2)


def test_a_project_that_opens_no_assets_notices_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_page(): pass")

    with_plugin = pytester.runpytest_subprocess("-v", "--strict-config", "-W", "error")
    without = pytester.runpytest_subprocess("-v", "--strict-config", "-W", "error", "-p", "no:assetbuild")

    def told(lines: list[str]) -> list[str]:
        return [line for line in lines if not line.startswith(("plugins:", "=====", "test session", "rootdir"))]

    assert 0 == with_plugin.ret
    assert told(without.outlines) == told(with_plugin.outlines)


def test_a_replaced_open_refuses_what_the_real_one_refuses(project: Project) -> None:
    """Its signature is the real one, so that a wrong call does not pass a test and fail in production."""
    real = [(each.name, int(each.kind)) for each in inspect.signature(Assets.open).parameters.values()]
    test = f"""
        import inspect
        from assetbuild import Assets

        def test_signature():
            found = inspect.signature(Assets.open).parameters.values()
            assert {real!r} == [(each.name, int(each.kind)) for each in found]
    """

    done = project("", test).runpytest()

    done.assert_outcomes(passed=1)


def test_what_the_sources_promise_is_what_a_compile_gives(
    tree: Tree, compiled: Callable[..., Outcome], esbuild: Any
) -> None:
    folder = tree({**SOURCES, "assets/js/main.css": "b { color: red }"})

    names = promised(str(folder))
    outcome = compiled(folder)

    # Only the module's stylesheet is a find of esbuild's; it is there for whoever asks for it by name.
    assert {*names.assets(), "js/app.css"} == {asset.logical for asset in outcome.assets}
    assert "js/app.css" not in names.assets()
    stub, real = stub_assets(names), Assets(Manifest(outcome.manifest))
    for name in real:
        assert (real[name].kind, real[name].type) == (stub[name].kind, stub[name].type), name
    assert ["/sw.js", "/robots.txt"] == [stub.url("sw.js"), stub.url("robots.txt")]
    assert real.url("favicon.ico") == stub.url("favicon.ico")
    assert (
        {"/sw.js": "sw.js", "/robots.txt": "robots.txt"}
        == names.site_paths()
        == Manifest(outcome.manifest).site_paths()
    )


def test_what_a_compile_would_refuse_before_its_first_job_is_refused_at_open(project: Project) -> None:
    test = """
        import pytest
        from assetbuild import Assets
        from assetbuild.compiler.errors import CompileFailed

        def test_open():
            with pytest.raises(CompileFailed, match="scss/none.scss"):
                Assets.open()
    """
    broken = project("assetbuild = strict", test, **{"assetbuild.toml": '[entries]\n"a.css" = "scss/none.scss"'})
    (broken.path / "assets").mkdir()
    (broken.path / "conftest.py").unlink()

    done = broken.runpytest()

    done.assert_outcomes(passed=1)


def test_a_webassets_bundle_is_found_by_its_name(tree: Tree) -> None:
    folder = tree(
        {
            "assets/a.css": "a { color: red }",
            "bundles.yaml": "bundles:\n  site:\n    contents: [a.css]\n    output: gen/site.css\n",
            "assetbuild.toml": '[webassets]\nenvironment = "bundles.yaml"\n',
        }
    )

    names = promised(str(folder))

    assert {"site": ("gen/site.css",)} == {name: bundle.assets for name, bundle in names.bundles.items()}
    assert ("any",) == StubManifest().bundles["any"].assets


def test_a_stub_can_be_inlined_and_served_although_there_are_no_files() -> None:
    stub = stub_assets(StubManifest())

    assert ("<style></style>", "<script></script>") == (stub.inline("a.css"), stub.inline("a.js"))
    assert '<svg class="icon"></svg>' == stub.at("/x/").inline("a.svg", class_="icon")
    with pytest.raises(InlineError):
        stub.inline("a.png")
    answer = httpx.Client(transport=httpx.WSGITransport(AssetMiddleware(nobody, stub))).get("http://t/static/a.css")
    assert (200, "text/css; charset=utf-8", b"") == (answer.status_code, answer.headers["content-type"], answer.content)


def nobody(environ: object, start_response: object) -> list[bytes]:
    raise AssertionError("the middleware passed on what is its own")


def test_the_sources_tell_their_names_without_anything_that_compiles_them(tree: Tree) -> None:
    folder = tree(SOURCES)
    script = f"""
import sys
import assetbuild.testing
before = set(sys.modules)
from assetbuild.testing.strict import promised
names = list(promised({str(folder)!r}).assets())
print(len(names), *{{n for n in set(sys.modules) - before if n.partition(".")[0] not in sys.stdlib_module_names}})
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    count, *loaded = done.stdout.split()
    assert int(count) > 5
    assert [] == [name for name in loaded if name.partition(".")[0] != "assetbuild"]


def test_what_nobody_promised_is_not_served(tree: Tree) -> None:
    strict = stub_assets(promised(str(tree({"assets/a.css": "a { color: red }", "assets/b.txt": "b"}))))
    browser = httpx.Client(transport=httpx.WSGITransport(AssetMiddleware(nobody, strict)), base_url="http://t/static/")

    assert [200, 200, 404] == [browser.get(name).status_code for name in ("a.css", "b.txt", "c.css")]


@pytest.mark.parametrize("name", ["/css/app.css", "../app.css", "", "/static/css/app.css"])
def test_a_stub_refuses_what_can_be_no_logical_path(name: str) -> None:
    said = f"`{re.escape(name)}` is no logical path" if name else "the name of the asset is empty"

    with pytest.raises(AssetNotFound, match=f"^{said}"):
        stub_assets(StubManifest()).url(name)


def test_a_stub_survives_pickling(tree: Tree) -> None:
    folder = tree({"assets/a.css": "a { color: red }"})

    stub = pickle.loads(pickle.dumps(stub_assets(StubManifest("/x/"))))
    strict = pickle.loads(pickle.dumps(stub_assets(promised(str(folder)))))

    assert "/x/a.css" == stub.url("a.css")
    assert ["a.css"] == list(strict)


def test_other_names_are_another_build(tree: Tree) -> None:
    folder = tree({"assets/a.css": "a { color: red }"})
    before = promised(str(folder)).build_id

    tree({"assets/a.css": "a { color: blue }"})
    assert before == promised(str(folder)).build_id
    tree({"assets/b.css": "a { color: red }"})
    assert before != promised(str(folder)).build_id

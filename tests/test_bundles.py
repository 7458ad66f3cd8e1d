"""Existing webassets bundles compile as entries, and mean what webassets means by them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from assetbuild.compiler import Outcome, compile, config
from assetbuild.compiler.bundles import load
from assetbuild.compiler.errors import CompileFailed, ConfigError, DiagnosticsError, EngineUnavailable
from assetbuild.compiler.files import Library
from assetbuild.compiler.model import Job
from assetbuild.compiler.plan import Plan, confines, plan
from assetbuild.compiler.survey import survey
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import RealDisk
from tests.conftest import Tree, need

Files = Mapping[str, str | bytes]
Planning = Callable[..., Plan]


@pytest.fixture(autouse=True)
def packages() -> None:
    for package in ("webassets", "yaml", "flask", "flask_assets", "rcssmin", "rjsmin", "jsmin"):
        need(package, importlib.util.find_spec(package) is not None)


def planned_in(folder: Path, **flags: Any) -> Plan:
    """Return the plan of a project: its environment is opened, and no filter runs."""
    disk = RealDisk()
    project = config.read(str(folder), {}, disk, config.Flags(jobs=1, **flags))
    bundles = load(project, disk)
    return plan(project, survey(project, disk), Library(disk, project.folder, confines(project, bundles)), bundles)


def compiled_in(folder: Path) -> Outcome:
    return compile(config.read(str(folder), {}, RealDisk(), config.Flags(jobs=1)))


def configured(environment: str, templates: bool = False) -> str:
    paths = '\n[templates]\npaths = ["templates"]' if templates else ""
    return f'roots = ["static"]\n[webassets]\nenvironment = "{environment}"\n{paths}'


def yaml_project(bundles: str, files: Files) -> dict[str, str | bytes]:
    given = {f"static/{name}": text for name, text in files.items()}
    return {"assetbuild.toml": configured("bundles.yaml"), "bundles.yaml": bundles, **given}


def python_project(code: str, files: Files, environment: str = "shop:env") -> dict[str, str | bytes]:
    given = {f"static/{name}": text for name, text in files.items()}
    head = "from webassets import Bundle, Environment\nenv = Environment('static', '/static')\n"
    return {"assetbuild.toml": configured(environment), "shop.py": head + code, **given}


@pytest.fixture
def yaml(tree: Tree) -> Planning:
    """Return a function that plans a project of bundles in YAML: `yaml("css: …", {"a.css": "…"})`."""
    return lambda bundles, files, **flags: planned_in(tree(yaml_project(bundles, files)), **flags)


@pytest.fixture
def python(tree: Tree) -> Planning:
    """Return a function that plans a project of bundles in `shop.py`, behind `env = Environment(…)`."""
    return lambda code, files, *environment: planned_in(tree(python_project(code, files, *environment)))


def job(planned: Plan, logical: str) -> Job:
    (found,) = [one for one in planned.jobs if one.logicals == (logical,)]
    return found


def said(found: Diagnostic) -> str:
    place = f"{found.span.path}:{found.span.line} " if found.span else ""
    return f"{place}{found.rule}: {found.message}" + (f" | {found.hint}" if found.hint else "")


def faults(planning: Callable[[], Plan]) -> list[str]:
    try:
        return [said(one) for one in planning().diagnostics]
    except DiagnosticsError as error:
        return [said(one) for one in error.diagnostics]


def fault(planning: Callable[[], Plan]) -> str:
    (only,) = faults(planning)
    return only


def names(planned: Plan) -> dict[str, Any]:
    assert [] == [said(one) for one in planned.diagnostics if one.severity == "error"]
    return {name: dict(found) for name, found in planned.bundles.items()}


def text_of(outcome: Outcome, logical: str) -> str:
    (asset,) = [one for one in outcome.assets if one.logical == logical]
    assert isinstance(asset.body, bytes)
    return asset.body.decode()


# A Flask application with Flask-Assets, two static folders and bundles of most kinds.
SHOP_CODE = """
import os
from flask import Blueprint, Flask
from flask_assets import Bundle, Environment
from webassets.filter import get_filter

assets = Environment()

def create_app():
    print("starting")
    app = Flask(__name__)
    app.config["LIBSASS_STYLE"] = "compressed"
    app.register_blueprint(Blueprint("blog", __name__, static_folder="blog/static", url_prefix="/blog"))
    assets.init_app(app)
    jquery = Bundle("js/jquery.js", output="gen/jquery.js")
    own = Bundle("js/[ab].js", filters="jsmin")
    with app.app_context():
        assets.register("theme", Bundle("scss/app.scss", filters="libsass,rcssmin", depends="scss/**/*.scss",
                                        output="gen/theme.%(version)s.css"))
        assets.register("shrunk", Bundle(jquery, own, filters="rjsmin", output="gen/shrunk.js", extra={"defer": True}))
        assets.register("pages", Bundle("blog/css/post.css", "css/plain.css",
                                        filters=[get_filter("cssrewrite"), "rcssmin"], output="gen/pages.css"))
        assets.register("mixed", Bundle("css/plain.css", Bundle("scss/small.scss", filters="libsass"),
                                        Bundle("css/late.css", filters="rcssmin"), output="gen/mixed.css"))
        assets.register("in-blog", Bundle("blog/css/post.css", filters="cssrewrite", output="blog/gen/post.css"))
        assets.register("all", Bundle(jquery, Bundle("js/a.js", output="gen/a.js"), filters="rjsmin"))
    return app
"""
SHOP: Files = {
    "shop/__init__.py": SHOP_CODE,
    "shop/static/scss/app.scss": '$c: red; @import "parts/x"; .a { .b { color: $c; b: url(../img/x.png) } }',
    "shop/static/scss/parts/_x.scss": ".p { &:hover { color: blue } }",
    "shop/static/scss/small.scss": ".s { .t { color: red } }",
    "shop/static/css/plain.css": '.c { background: url("../img/x.png") }  /* said */\n.d :hover { top: 0 }\n',
    "shop/static/css/late.css": ".e { background: url( ../img/x.png ) ; }",
    "shop/static/js/jquery.js": "window.$ = function () { return 1 } ;  // all",
    "shop/static/js/a.js": "var a = 1 ;",
    "shop/static/js/b.js": "alert( a )\n",
    "shop/static/img/x.png": b"x",
    "shop/blog/static/css/post.css": ".post { background: url('../img/x.png') }",
    "shop/blog/static/img/x.png": b"of the blog",
    "assetbuild.toml": 'roots = ["shop/static", {path = "shop/blog/static", as = "blog"}]\n',
}


def with_contents(text: str, read: Callable[[str], bytes]) -> str:
    """Return a sheet whose references are the digests of what they lead to."""
    return re.sub(r'(url\(\s*["\']?)([^"\')]+?)(["\']?\s*\))', lambda m: m[1] + digest(read(m[2])) + m[3], text)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_a_project_that_uses_flask_assets_compiles_by_one_added_line(tree: Tree) -> None:
    folder = tree(SHOP)
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "shop:create_app", "assets", "build"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
    )
    theirs = {path.relative_to(folder / "shop") for path in (folder / "shop").rglob("gen/*")}
    urls = {"/static/": folder / "shop/static", "/blog/static/": folder / "shop/blog/static"}

    def of_flask(base: str, reference: str) -> bytes:
        url = posixpath.normpath(posixpath.join(base, reference))
        return next(
            root / url.removeprefix(prefix) for prefix, root in urls.items() if url.startswith(prefix)
        ).read_bytes()

    def of_ours(here: Path, reference: str) -> bytes:
        return (here / reference).read_bytes()

    with open(folder / "assetbuild.toml", "a") as toml:
        toml.write('webassets.environment = "shop:create_app()"\n')
    outcome = compiled_in(folder)

    assert [] == [said(one) for one in outcome.diagnostics if one.severity != "note"]
    bundles = json.loads(outcome.manifest)["bundles"]
    assert bundles == {
        "all": {"assets": ["gen/jquery.js", "gen/a.js"]},
        "in-blog": {"assets": ["blog/gen/post.css"]},
        "mixed": {"assets": ["gen/mixed.css"]},
        "pages": {"assets": ["gen/pages.css"]},
        "shrunk": {"assets": ["gen/shrunk.js"], "extra": {"defer": True}},
        "theme": {"assets": ["gen/theme.css"]},
    }
    built = {logical for bundle in bundles.values() for logical in bundle["assets"]}
    assert len(built) == len(theirs)
    for file in theirs:
        base = "/blog/static/gen" if "blog" in file.parts else "/static/gen"
        logical = ("blog/gen/" if "blog" in file.parts else "gen/") + re.sub(r"\.[0-9a-f]{8}", "", file.name)
        ours = text_of(outcome, logical)
        here = (folder / "build/assets" / logical).parent
        expected = with_contents((folder / "shop" / file).read_text(), partial(of_flask, base))

        assert with_contents(ours, partial(of_ours, here)) == expected, logical


def test_an_application_that_opens_its_assets_compiles_before_there_are_any(tree: Tree) -> None:
    code = SHOP_CODE.replace("    return app", "    AssetBuild(app)\n    return app")
    folder = tree({**SHOP, "shop/__init__.py": "from assetbuild.web.flask import AssetBuild\n" + code})
    with open(folder / "assetbuild.toml", "a") as toml:
        toml.write('webassets.environment = "shop:create_app()"\n')

    outcome = compiled_in(folder)

    assert "gen/theme.css" in {asset.logical for asset in outcome.assets}
    assert "ASSETBUILD_COMPILING" not in os.environ


def test_what_flask_assets_built_before_is_not_published(tree: Tree) -> None:
    old = {"shop/static/gen/theme.0123abcd.css": "old", "shop/static/gen/shrunk.js": "old"}
    kept = {"shop/static/gen/theme.min.css": ".kept{}", "shop/static/gen/shrunk.js.txt": "kept"}
    folder = tree({**SHOP, **old, **kept})
    with open(folder / "assetbuild.toml", "a") as toml:
        toml.write('webassets.environment = "shop:create_app()"\n')

    planned = planned_in(folder)

    assert [] == [said(one) for one in planned.diagnostics if one.severity == "error"]
    published = {logical for one in planned.jobs for logical in one.logicals if logical.startswith("gen/")}
    assert published >= {"gen/theme.css", "gen/shrunk.js", "gen/theme.min.css", "gen/shrunk.js.txt"}
    assert "gen/theme.0123abcd.css" not in published
    assert job(planned, "gen/shrunk.js").engine == "filters"
    assert planned.inventory.withheld["gen/theme.0123abcd.css"] == "is an old build of a bundle"


def test_a_project_of_bundles_in_yaml_compiles_as_webassets_builds_it(tree: Tree) -> None:
    bundles = """
directory: static
url: /static
config:
  RCSSMIN_KEEP_BANG_COMMENTS: true
bundles:
  css:
    filters: cssrewrite,rcssmin
    output: gen/all.css
    contents: [css/a.css, {contents: css/deep/*.css, filters: rcssmin}]
  js:
    filters: rjsmin
    output: gen/all.js
    contents: [base, js/app.js]
  base:
    contents: js/lib/*.js
    filters: jsmin
"""
    files: Files = {
        "css/a.css": "/*! kept */ .a { background: url(x.png) }",
        "css/x.png": b"a",
        "css/deep/b.css": '.b { background: url("x.png") }  /*! too */',
        "css/deep/c.css": ".c { top: 0 }",
        "css/deep/x.png": b"b",
        "js/lib/1.js": "var one = 1 ;",
        "js/lib/2.js": "var two = 2 ;",
        "js/app.js": "alert( one + two )",
    }
    folder = tree(yaml_project(bundles, files))
    build = """
from webassets.loaders import YAMLLoader
env = YAMLLoader("bundles.yaml").load_environment()
env.cache = env.manifest = False
for bundle in env:
    if bundle.output:
        bundle.build(force=True)
"""
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True)
    theirs = {name: (folder / "static/gen" / name).read_text() for name in ("all.css", "all.js")}

    outcome = compiled_in(folder)

    assert text_of(outcome, "gen/all.js") == theirs["all.js"]
    here = folder / "build/assets/gen"
    ours = with_contents(text_of(outcome, "gen/all.css"), lambda ref: (here / ref).read_bytes())
    assert ours == with_contents(theirs["all.css"], lambda ref: (folder / "static/gen" / ref).read_bytes())
    assert json.loads(outcome.manifest)["bundles"] == {
        "css": {"assets": ["gen/all.css"]},
        "js": {"assets": ["gen/all.js"]},
    }
    assert not (folder / "static/.webassets-cache").exists()


def test_a_bundle_without_output_and_filters_stands_for_its_files(yaml: Planning) -> None:
    planned = yaml(
        "plain: {contents: [b.js, a.js, inner]}\ninner: {contents: c.js, extra: {defer: true}}",
        {"a.js": "", "b.js": "", "c.js": ""},
    )

    assert names(planned) == {
        "plain": {"assets": ["b.js", "a.js", "c.js"], "extra": {}},
        "inner": {"assets": ["c.js"], "extra": {"defer": True}},
    }


def test_a_bundle_that_can_only_be_merged_has_no_name(yaml: Planning) -> None:
    planned = yaml(
        "sass: {contents: a.scss}\nshrunk: {contents: a.css, filters: rcssmin}\n"
        "all: {contents: [sass, shrunk], filters: libsass, output: all.css}",
        {"a.scss": "", "a.css": ""},
    )

    assert names(planned) == {"all": {"assets": ["all.css"], "extra": {}}}
    assert fault(lambda: yaml("sass: {contents: a.scss}", {"a.scss": ""})) == (
        'bundles."sass":0 unpublished: `static/a.scss` is used as it is and not published: it is compiled through '
        "entries and not published as it stands | give the bundle an output"
    )


def test_a_bundle_of_bundles_stands_for_their_outputs_and_hands_its_filters_on(yaml: Planning) -> None:
    planned = yaml(
        "all: {contents: [a, b], filters: rjsmin}\na: {contents: a.js, output: gen/a.js, filters: jsmin}\n"
        "b: {contents: [{contents: b.js, output: gen/b.js}]}",
        {"a.js": "", "b.js": ""},
    )

    # The same output with other filters: webassets would write it twice, and the last one would win.
    assert [said(one) for one in planned.diagnostics] == [
        'bundles."all":0 two-sources: `bundles."a"` and `bundles."all"` both make `gen/a.js`'
        " | give one of them another `output`",
        'bundles."b":0 two-sources: `bundles."all"` and `bundles."b"` both make `gen/b.js`'
        " | give one of them another `output`",
    ]


def test_filters_of_outer_bundles_run_over_the_sources_of_inner_ones_but_not_over_their_whole(yaml: Planning) -> None:
    planned = yaml(
        "out: {output: o.css, filters: 'cssrewrite,rcssmin', contents: [a.css, {filters: rcssmin, contents: b.css}]}",
        {"a.css": "", "b.css": ""},
    )

    options = job(planned, "o.css").options
    assert options["filters"] == [["cssrewrite", {}], ["rcssmin", {}]]
    first, second = cast("list[Any]", options["contents"])
    assert first == 0
    assert (second["filters"], second["inherited"], second["contents"]) == (
        [["rcssmin", {}]],
        [["cssrewrite", {}]],
        [1],
    )


@pytest.mark.parametrize(
    ("output", "logical"),
    [
        ("gen/app.%(version)s.css", "gen/app.css"),
        ("gen/app-%(version)s.min.css", "gen/app.min.css"),
        ("gen/app_%(version)s.css", "gen/app.css"),
        ("gen/%(version)s-app.css", "gen/app.css"),
        ("gen/%(version)s/app.css", "gen/app.css"),
        ("./gen/../app.css", "app.css"),
    ],
)
def test_the_version_of_an_output_goes_with_its_separator(yaml: Planning, output: str, logical: str) -> None:
    planned = yaml(f"app: {{contents: a.css, output: '{output}'}}", {"a.css": ""})

    assert names(planned)["app"]["assets"] == [logical]
    assert job(planned, logical).sources[0].logical == "a.css"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            "gen/%(version)s.css",
            "bad-output: output `gen/%(version)s.css` is nothing but a version"
            " | give it a name, such as `gen/app.%(version)s.css`",
        ),
        (
            "../app.css",
            "bad-output: output `../app.css` lies outside the project's roots"
            " | write a path that is relative to the environment's directory",
        ),
        ("app.txt", "bad-output: output `app.txt` must end in `.css` or `.js`"),
    ],
)
def test_an_output_that_cannot_be_published_is_refused(yaml: Planning, output: str, expected: str) -> None:
    assert fault(lambda: yaml(f"app: {{contents: a.css, output: '{output}'}}", {"a.css": ""})) == (
        f'bundles."app":0 {expected}'
    )


def test_files_that_a_bundle_depends_on_are_inputs_of_its_job(tree: Tree) -> None:
    bundles = "app: {contents: a.css, depends: parts/*.css, output: app.css}"
    folder = tree(yaml_project(bundles, {"a.css": "a{}", "parts/b.css": "b{}"}))
    (folder / "assetbuild.toml").write_text('exclude = ["parts/**"]\n' + configured("bundles.yaml"))
    before = json.loads(compiled_in(folder).manifest)["build"]["inputs"]
    assert job(planned_in(folder), "app.css").options["depends"] == ["static/parts/b.css"]
    (folder / "static/parts/b.css").write_text("c{}")

    assert json.loads(compiled_in(folder).manifest)["build"]["inputs"] != before


def test_debug_and_auto_build_are_ignored(python: Planning) -> None:
    planned = python(
        "env.debug = True\nenv.auto_build = True\nenv.cache = 'cache'\n"
        "env.register('app', Bundle('a.css', filters='rcssmin', debug='merge', output='app.css'))",
        {"a.css": ""},
    )

    assert job(planned, "app.css").options["filters"] == [["rcssmin", {}]]


def test_files_are_found_on_the_load_path_and_by_path(tree: Tree) -> None:
    code = (
        "import os\nenv.load_path = ['lib', 'static']\nhere = os.path.dirname(os.path.abspath(__file__))\n"
        "env.register('app', Bundle('a.css', os.path.join(here, 'b.css'), output='app.css'))"
    )
    folder = tree({**python_project(code, {"a.css": ".no{}"}), "lib/a.css": ".a{}", "b.css": ".b{}"})

    assert [one.shown for one in job(planned_in(folder), "app.css").sources] == ["lib/a.css", "b.css"]
    assert text_of(compiled_in(folder), "app.css") == ".a{}\n.b{}"


def test_an_option_comes_from_the_filter_the_bundle_or_the_environment(python: Planning) -> None:
    planned = python(
        "from webassets.filter import get_filter\nenv.config['LIBSASS_STYLE'] = 'compact'\n"
        "env.register('a', Bundle('a.scss', filters='libsass', output='a.css'))\n"
        "env.register('b', Bundle('a.scss', filters='libsass', config={'LIBSASS_STYLE': 'expanded'}, output='b.css'))\n"
        "env.register('c', Bundle('a.scss', filters=get_filter('libsass', style='nested'), output='c.css'))",
        {"a.scss": ""},
    )

    styles = [job(planned, f"{name}.css").options["filters"] for name in "abc"]
    assert styles == [[["libsass", {"style": style}]] for style in ("compact", "expanded", "nested")]


def test_sass_is_looked_for_in_the_folders_of_its_filter(tree: Tree) -> None:
    code = (
        "env.config['LIBSASS_INCLUDES'] = ['parts/of/sass']\n"
        "env.register('a', Bundle('a.scss', filters='libsass', output='a.css'))"
    )
    folder = tree({**python_project(code, {"a.scss": "@import 'b';"}), "parts/of/sass/_b.scss": ".b { c: d }"})

    assert text_of(compiled_in(folder), "a.css") == ".b {\n  c: d; }\n"


def test_a_reference_that_an_inner_bundle_minified_is_still_told_at_its_line(tree: Tree) -> None:
    bundles = "a: {output: o.css, contents: [{contents: [a.css, b.css], filters: 'cssrewrite,rcssmin'}]}"
    folder = tree(
        yaml_project(bundles, {"a.css": "a { b: c }", "b.css": "/* one */\nd {\n  e: url(#f) url(no.png);\n}"})
    )

    with pytest.raises(CompileFailed) as caught:
        compiled_in(folder)

    shown = {said(one) for one in caught.value.diagnostics}
    assert shown == {"static/b.css:3 missing-reference: `no.png` is not in any asset root"}


def test_the_definition_counts_as_an_input(tree: Tree) -> None:
    folder = tree(python_project("env.register('a', Bundle('a.css', output='b.css'))", {"a.css": ""}))
    project = config.read(str(folder), {}, RealDisk(), config.Flags(jobs=1))

    assert [one.file for one in load(project, RealDisk()).inputs] == [str(folder / "shop.py")]


def test_an_environment_is_found_by_name_by_call_and_in_an_application(tree: Tree) -> None:
    code = (
        "env.register('a', Bundle('a.css', output='b.css'))\n"
        "class Place:\n    held = env\n    @classmethod\n    def make(cls):\n        return env\n"
        "class App:\n    extensions = {'assets': env}\n"
        "class Jinja:\n    assets_environment = env\n"
    )
    folder = tree(python_project(code, {"a.css": ""}))
    for name in ("shop:env", "shop:Place.held", "shop:Place.make()", "shop:App()", "shop:Jinja"):
        (folder / "assetbuild.toml").write_text(configured(name))

        assert names(planned_in(folder)) == {"a": {"assets": ["b.css"], "extra": {}}}
    assert [] == list(folder.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("shop:en", "no-environment: `shop` has no `en` | did you mean `env`?"),
        ("shop:make", "no-environment: `shop:make` holds no webassets environment | to call it, write `shop:make()`"),
        ("shop:Bundle.merge", "no-environment: `shop` has no `merge`"),
        ("shop:number", "no-environment: `shop:number` holds no webassets environment | name the environment itself"),
        ("shops:env", "no-environment: there is no module `shops` in the project, nor installed"),
        ("shop.sub:env", "no-environment: there is no module `shop.sub` in the project, nor installed"),
        (
            "shop:loose",
            "unbound-environment: `shop:loose` is not bound to an application"
            " | name the application instead, such as `package:create_app()`",
        ),
    ],
)
def test_an_environment_that_is_not_there_is_refused(python: Planning, environment: str, expected: str) -> None:
    code = "import flask_assets\nloose = flask_assets.Environment()\nnumber = 1\ndef make():\n    return env\n"

    assert fault(lambda: python(code, {"a.css": ""}, environment)) == f"assetbuild.toml:0 {expected}"


def test_what_the_users_code_raises_is_told_at_its_line_with_what_it_printed(tree: Tree) -> None:
    code = "import os\nos.system('echo opening the shop')\ndef make():\n    return json.loads('{')\nimport json\n"
    folder = tree(python_project(code, {"a.css": ""}, "shop:make()"))

    with pytest.raises(DiagnosticsError) as caught:
        planned_in(folder)

    (found,) = caught.value.diagnostics
    assert said(found) == (
        "shop.py:6 environment-failed: `shop:make()` fails: JSONDecodeError: Expecting property name enclosed in "
        "double quotes: line 1 column 2 (char 1)"
    )
    assert found.span is not None
    assert found.span.text == "return json.loads('{')"
    assert [note.message for note in found.notes] == ["it printed: opening the shop"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nothing_here", "shop.py:3 environment-failed: `shop:env` fails: ModuleNotFoundError: No module named"),
        ("def make(:", "shop.py:3 environment-failed: `shop:env` fails: SyntaxError: "),
        ("raise SystemExit(3)", "shop.py:3 environment-failed: `shop:env` fails: SystemExit: 3"),
        (
            "import os\nos.environ['SECRET']",
            "shop.py:4 environment-failed: `shop:env` fails: KeyError: 'SECRET' | a compile",
        ),
        ("import os\nos.abort()", "shop:env:0 engine-crashed: engine `webassets` crashed (SIGABRT) on `shop:env`"),
    ],
)
def test_code_that_does_not_load_is_one_finding(python: Planning, code: str, expected: str) -> None:
    assert fault(lambda: python(code, {"a.css": ""})).startswith(expected)


def test_variables_of_the_machine_do_not_reach_the_users_code(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_NAME", "x")
    code = "import os\nenv.register('a', Bundle('a.css', output=os.environ.get('SHOP_NAME', 'none') + '.css'))"

    assert names(planned_in(tree(python_project(code, {"a.css": ""}))))["a"]["assets"] == ["none.css"]


def test_a_frozen_compile_reads_yaml_and_runs_no_code(tree: Tree) -> None:
    folder = tree(python_project("env.register('a', Bundle('a.css', output='b.css'))", {"a.css": ""}))

    assert fault(lambda: planned_in(folder, is_frozen=True)) == (
        "assetbuild.toml:0 unpinned-code: `shop:env` is Python code, which `--frozen` does not run"
        " | define the bundles in a YAML file"
    )
    with pytest.raises(ConfigError):
        planned_in(folder, is_frozen=True)
    (folder / "assetbuild.toml").write_text(configured("bundles.yaml"))
    (folder / "bundles.yaml").write_text("a: {contents: a.css, output: b.css}")
    assert names(planned_in(folder, is_frozen=True))["a"]["assets"] == ["b.css"]


@pytest.mark.parametrize(
    ("bundles", "expected"),
    [
        ("", "no-bundles: `bundles.yaml` has no bundles"),
        ("bundles: {}", "no-bundles: `bundles.yaml` has no bundles"),
        ("- a", "bundles.yaml:0 invalid-yaml: the file must be a mapping of names to bundles"),
        (
            "a: b",
            "bundles.yaml:0 invalid-yaml: bundles must be a mapping of names to their `contents`, `filters`, `output`",
        ),
        ("a: {\nb: [}", "bundles.yaml:2 invalid-yaml: the file is not YAML: "),
        ("bundles: {3: {contents: a.css}}", "bundles.yaml:0 invalid-yaml: bundles must be a mapping of names"),
        ("a: {contents: a.css, output: 3}", 'bundles."a":0 bad-output: output `3` of bundle `a` is no path'),
        (
            "a: {contents: a.css, output: b.css, extra: x}",
            'bundles."a":0 bad-extra: `extra` of bundle `a` is no mapping',
        ),
        ("a: {contents: [3]}", 'bundles."a":0 bad-contents: bundle `a` holds `3`, which is no path'),
        (
            "filters: [shop.Own]\nbundles: {a: {contents: a.css}}",
            "bundles.yaml:0 custom-filter: `filters` at the top name Python code, which is not run",
        ),
    ],
)
def test_a_yaml_file_that_cannot_be_meant_is_refused(yaml: Planning, bundles: str, expected: str) -> None:
    assert fault(lambda: yaml(bundles, {"a.css": ""})).startswith(expected)


def test_a_yaml_file_that_is_not_there_is_refused(tree: Tree) -> None:
    folder = tree({"static/a.css": "", "assetbuild.toml": configured("bundles.yaml")})

    assert fault(lambda: planned_in(folder)) == (
        "assetbuild.toml:0 unreadable: `bundles.yaml` cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("bundles", "expected"),
    [
        (
            "app: {contents: css/ap.css, output: o.css}",
            "missing-source: `css/ap.css` of bundle `app` is not there | did you mean `css/app.css`?",
        ),
        (
            "app: {contents: 'https://cdn.example/a.js', output: o.js}",
            "remote-contents: bundle `app` holds `https://cdn.example/a.js`: a compile reads nothing from the network"
            " | save the file in a root, or load it by a tag of its own",
        ),
        ("app: {contents: [], output: o.css}", "empty-bundle: bundle `app` is empty: there is nothing to build"),
        (
            "app: {contents: css/app.css, filters: rcssmin}",
            "no-output: bundle `app` has filters and no output"
            ' | give it one, such as `output="gen/name.css"`, or use it in another bundle',
        ),
        (
            "app: {contents: app, output: o.css}",
            "cyclic-bundle: bundle `app` holds a bundle that holds itself",
        ),
        (
            "app: {contents: css/app.css, output: o.css, extra: {sizes: [1]}}",
            "bad-extra: `extra` of bundle `app` holds `sizes`, which is no text, integer, true, false or none",
        ),
    ],
)
def test_contents_that_cannot_be_built_are_refused_by_the_bundles_name(
    yaml: Planning, bundles: str, expected: str
) -> None:
    assert fault(lambda: yaml(bundles, {"css/app.css": ""})) == f'bundles."app":0 {expected}'


def test_a_glob_without_a_match_is_a_warning_while_something_is_left(yaml: Planning) -> None:
    planned = yaml("app: {contents: [a.css, 'more/*.css'], output: o.css}", {"a.css": ""})

    assert [(one.severity, said(one)) for one in planned.diagnostics] == [
        ("warning", 'bundles."app":0 empty-glob: `more/*.css` of bundle `app` matches no file')
    ]
    assert len(job(planned, "o.css").sources) == 1


def test_a_built_file_is_no_source(yaml: Planning) -> None:
    assert fault(
        lambda: yaml("a: {contents: a.css, output: gen/a.css}\nb: {contents: gen/a.css, output: b.css}", {"a.css": ""})
    ) == (
        'bundles."b":0 built-source: `gen/a.css` of bundle `b` is built by bundle `a`'
        " | put that bundle itself in its place"
    )
    assert fault(
        lambda: yaml(
            "a: {contents: a.css, output: gen/a.css}\nb: {contents: gen/a.css, output: b.css}",
            {"a.css": "", "gen/a.css": "old"},
        )
    ) == (
        'bundles."b":0 built-source: `static/gen/a.css` of bundle `b` is built by bundle `a`'
        " | put that bundle itself in its place"
    )


def test_a_filter_that_does_not_exist_is_told_with_the_nearest_name(tree: Tree) -> None:
    for files in (
        yaml_project("app: {contents: a.css, filters: rcsmin, output: o.css}", {"a.css": ""}),
        python_project("env.register('app', Bundle('a.css', filters='rcsmin', output='o.css'))", {"a.css": ""}),
    ):
        folder = tree(files)

        with pytest.raises(CompileFailed) as caught:
            compiled_in(folder)
        assert [said(one) for one in caught.value.diagnostics] == [
            'bundles."app":0 unknown-filter: there is no filter `rcsmin` | did you mean `rcssmin`?'
        ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def shout(_in, out):\n    out.write(_in.read())\nown = shout", "shop.py:3 custom-filter: filter `shout`"),
        ("own = lambda _in, out: None", "shop.py:3 custom-filter: filter `<lambda>`"),
        (
            "from webassets.filter import Filter\nclass Shout(Filter):\n    name = 'shout'\nown = Shout()",
            "shop.py:4 custom-filter: filter `shout`",
        ),
        (
            "from webassets.filter import get_filter\nown = get_filter('cssrewrite', replace=lambda url: url)",
            'bundles."app":0 custom-filter: option `replace` of filter `cssrewrite`',
        ),
        ("import flask_assets\nown = 'jinja2'", 'bundles."app":0 custom-filter: filter `jinja2`'),
    ],
)
def test_a_filter_that_is_python_code_is_refused_where_it_is_defined(
    python: Planning, code: str, expected: str
) -> None:
    found = fault(
        lambda: python(f"{code}\nenv.register('app', Bundle('a.css', filters=[own], output='o.css'))", {"a.css": ""})
    )

    assert found.startswith(f"{expected} of bundle `app` is Python code, which is not run")


def with_template(template: str) -> dict[str, str | bytes]:
    made = yaml_project("base: {contents: b.js}", {"a.js": "var a = 1 ;", "b.js": "var b = 2 ;"})
    return {**made, "assetbuild.toml": configured("bundles.yaml", templates=True), "templates/page.html": template}


def test_inline_definitions_are_bundles_named_by_their_output(tree: Tree) -> None:
    template = """{% extends "layout.html" %}{% unheard_of %}
{# {% assets "no.js", output="no.js" %} #}{% raw %}{% assets "no.js", output="no.js" %}{% endraw %}
{% assets "base" %}<script src="{{ ASSET_URL }}"></script>{% endassets %}{% assets name %}{% endassets %}
{%- assets "base", "a.js",
   filters=("rjs" ~ "min",), output="gen/page.%(version)s.js", depends="*.js" -%}{{ ASSET_URL }}{% endassets %}
"""
    folder = tree({**with_template(template), "templates/logo.png": b"\\xff assets", "templates/a/b.txt": template})

    outcome = compiled_in(folder)

    assert text_of(outcome, "gen/page.js") == "var b=2;var a=1;"
    assert json.loads(outcome.manifest)["bundles"] == {
        "base": {"assets": ["b.js"]},
        "gen/page.%(version)s.js": {"assets": ["gen/page.js"]},
    }


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (
            '{% assets "a.js", output=target %}',
            "3 inline-bundle: `output` of this inline bundle is known only when the template is rendered"
            " | write it out, or give the bundle a name in the environment",
        ),
        (
            '{% assets one, output="o.js" %}',
            "3 inline-bundle: `contents` of this inline bundle is known only when the template is rendered"
            " | write it out, or give the bundle a name in the environment",
        ),
        (
            '{% assets "a.js", filters="rjsmin" %}',
            '3 inline-bundle: this inline bundle has no `output` | add `output="gen/name.css"`',
        ),
        (
            '{% assets "a.js", output=3 %}',
            "3 inline-bundle: `output` of this inline bundle must be a text or a list of texts",
        ),
        ('{% assets "a.js", output= %}', "3 unreadable-template: Jinja cannot read the template: "),
        (
            '{% assets "no.js", output="o.js" %}',
            "3 missing-source: `no.js` of bundle `o.js` is not there",
        ),
    ],
)
def test_an_inline_definition_that_cannot_be_compiled_is_refused_at_its_line(
    tree: Tree, tag: str, expected: str
) -> None:
    found = fault(lambda: planned_in(tree(with_template(f"<p>\n\n{tag}{{% endassets %}}"))))

    assert found.startswith(f"templates/page.html:{expected}")


def test_a_file_that_is_no_template_is_only_a_warning(tree: Tree) -> None:
    planned = planned_in(tree(with_template("<p>assets\n{{ 'open }}")))

    (found,) = planned.diagnostics
    assert (found.severity, said(found)) == (
        "warning",
        'templates/page.html:2 unreadable-template: Jinja cannot read the template: unexpected char "\'" at 13',
    )


def test_two_inline_definitions_of_one_output_must_agree(tree: Tree) -> None:
    tag = '{% assets "a.js", output="o.js" %}{% endassets %}'
    files = with_template(tag + tag)

    assert names(planned_in(tree(files)))["o.js"]["assets"] == ["o.js"]
    files["templates/page.html"] = tag + tag.replace("a.js", "b.js")
    assert fault(lambda: planned_in(tree(files))) == (
        "templates/page.html:1 two-bundles: bundle `o.js` is also defined in `templates/page.html`, with other contents"
        " | give one of them another output"
    )


def test_without_webassets_the_extra_is_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(yaml_project("a: {contents: a.css, output: b.css}", {"a.css": ""}))
    monkeypatch.setattr(sys, "path", [one for one in sys.path if "site-packages" not in one])

    with pytest.raises(EngineUnavailable) as caught:
        planned_in(folder)

    assert said(caught.value.diagnostics[0]) == (
        "assetbuild.toml:0 missing-extra: bundles need the package `webassets`, which is not installed"
        " | pip install 'assetbuild[compile]'"
    )

"""`init --from webassets` and `--from flask-assets`: bundles become entries that mean the same."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from tests.conftest import Tree
from tests.moving import Published, adopt, meaning, ours, python, run, warnings_of

Printed = pytest.CaptureFixture[str]

FILES = {
    "css/reset.css": "/* reset */ * { margin: 0 }\n",
    "css/site.css": "a { background: url('../img/dot.svg') }\n.b{ color : red }",
    "img/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "js/first.js": "var first = 1; // one\n",
    "js/lib/second.js": "function second(x) {\n  return x + first;\n}\n",
    "scss/theme.scss": "$ink: #123; a { b { color: $ink } }",
}
BUNDLES = """\
import os

from webassets import Bundle, Environment

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = ["rcssmin"]
VERSION = "%(version)s"

env = Environment(directory=os.path.join(HERE, "public"), url="/media")
scripts = Bundle("js/first.js", "js/lib/*.js")
bundles = {
    "site": Bundle("css/reset.css", "css/site.css", filters=["cssrewrite", *FILTERS], output=f"gen/site.{VERSION}.css"),
    "theme": Bundle(Bundle("scss/theme.scss", filters="libsass"), filters="rcssmin", output="gen/theme.css"),
}
env.register(bundles)
env.register("app", scripts, filters="rjsmin", output="gen/app.js")
"""
BUILD = "from shop.bundles import env\nfor bundle in env:\n    bundle.build(force=True, disable_cache=True)\n"
PAGE = '{% assets "site" %}<link href="{{ ASSET_URL }}">{% endassets %}\n{% assets "none" %}{% endassets %}\n'


def shop(**more: str) -> dict[str, str]:
    public = {f"shop/public/{name}": text for name, text in FILES.items()}
    code = {"shop/__init__.py": "", "shop/bundles.py": BUNDLES, "build_.py": BUILD, "shop/templates/page.html": PAGE}
    return {**public, **code, **more}


def built(public: Path, folder: Path) -> Published:
    """Return what the bundles were built to, and the files of `public` that are published as they are."""
    named = {name: name for name in FILES if not name.endswith(".scss")}
    for file in (public / folder).iterdir():
        if file.is_file():
            stem, _, ext = file.name.partition(".")
            named[f"{folder}/{stem}.{ext.rpartition('.')[2]}"] = f"{folder}/{file.name}"
    return Published.of(public, named)


def assert_same(theirs: Published, mine: Published, esbuild: Program, base: str) -> None:
    assert sorted(theirs.files) == sorted(mine.files)
    generated = [name for name in theirs.files if name.startswith("gen/")]
    assert ["gen/app.js", "gen/site.css", "gen/theme.css"] == sorted(generated)
    for logical in generated:
        assert meaning(theirs, logical, esbuild, base) == meaning(mine, logical, esbuild, base)


def test_what_bundles_publish_entries_publish(tree: Tree, esbuild: Program) -> None:
    folder = tree(shop())
    python(folder, "build_.py")
    theirs = built(folder / "shop/public", Path("gen"))

    adopt(folder, "webassets")

    assert_same(theirs, ours(folder), esbuild, "/media/")


def test_what_flask_assets_publishes_entries_publish(tree: Tree, esbuild: Program) -> None:
    application = """\
from flask import Blueprint, Flask
from flask_assets import Bundle, Environment
from webassets.filter import get_filter

assets = Environment()
blog = Blueprint("blog", __name__, static_folder="blog_static")

def create_app():
    app = Flask(__name__, static_folder="public", static_url_path="/media")
    app.register_blueprint(blog)
    assets.init_app(app)
    app.config["ASSETS_AUTO_BUILD"] = False
    css = Bundle("css/reset.css", "css/site.css", filters="rcssmin", output="gen/site.%(version)s.css")
    theme = get_filter("libsass", style="compressed")
    with app.app_context():
        assets.register("site", css)
        assets.register("theme", "scss/theme.scss", filters=(theme,), output="gen/theme.css")
        assets.register("app", "js/first.js", "blog/second.js", filters="rjsmin", output="gen/app.js")
    return app
"""
    files = shop()
    files["shop/blog_static/second.js"] = files.pop("shop/public/js/lib/second.js")
    folder = tree({**files, "shop/__init__.py": application, "shop/bundles.py": ""})
    run(folder, sys.executable, "-B", "-m", "flask", "--app", "shop:create_app", "assets", "build")
    public = folder / "shop/public"
    (public / "js/lib").mkdir()
    (public / "js/lib/second.js").write_bytes((folder / "shop/blog_static/second.js").read_bytes())
    theirs = built(public, Path("gen"))
    (public / "js/lib/second.js").unlink()
    shutil.rmtree(public / "gen")

    adopt(folder, "flask-assets")

    mine = ours(folder)
    renamed = {name.replace("blog/second", "js/lib/second"): body for name, body in mine.files.items()}
    assert_same(theirs, mine._replace(files=renamed), esbuild, "/media/")
    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert [{"path": "shop/blog_static", "as": "blog"}, "shop/public"] == document["roots"]


def test_bundles_become_entries_and_their_tags_are_listed(tree: Tree, capsys: Printed) -> None:
    folder = tree(shop())

    assert 0 == main(["init", "--from", "webassets", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {
        "base": "/media/",
        "roots": ["shop/public"],
        "exclude": ["**/gen/app.js", "**/gen/site.????????.css", "**/gen/theme.css"],
        "entries": {
            "gen/site.css": {"sources": ["css/reset.css", "css/site.css"], "filters": ["cssrewrite", "rcssmin"]},
            "gen/theme.css": {"sources": ["scss/theme.scss"], "filters": ["libsass", "rcssmin"]},
            "gen/app.js": {"sources": ["js/first.js", "js/lib/*.js"], "filters": ["rjsmin"]},
        },
        "sass": {"auto": False},
        "templates": {"paths": ["shop/templates"]},
    } == document
    said = """\
note: `assets 'site'` is a tag of webassets [to-change]
  shop/templates/page.html:1:1
  1 │ {% assets "site" %}<link href="{{ ASSET_URL }}">{% endassets %}
    │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  write {{ asset_tag('gen/site.css') }} in its place

warning: the tag `assets` names no bundle that was read: `none` [not-translated]
  shop/templates/page.html:2:1
  2 │ {% assets "none" %}{% endassets %}
    │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  name entries in its place

1 warning
"""
    assert capsys.readouterr().err.startswith(said)


def test_a_yaml_file_that_the_code_loads_is_read(tree: Tree) -> None:
    yaml = """\
bundles:
    site:
        contents: [css/reset.css, css/site.css]
        filters: rcssmin
        output: gen/site.css
    theme:
        contents: {contents: scss/theme.scss, filters: [{libsass: {style: compressed}}]}
        output: gen/theme.css
"""
    code = 'from webassets.loaders import YAMLLoader\nenv = YAMLLoader("bundles.yaml").load_environment()\n'
    folder = tree({f"static/{name}": text for name, text in FILES.items()} | {"bundles.yaml": yaml, "app.py": code})

    assert 0 == main(["init", "--from", "webassets", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {
        "gen/site.css": {"sources": ["css/reset.css", "css/site.css"], "filters": ["rcssmin"]},
        "gen/theme.css": {"sources": ["scss/theme.scss"], "filters": [{"libsass": {"style": "compressed"}}]},
    } == document["entries"]
    assert 0 == main(["compile", "--profile", "fast", str(folder)])


def test_a_yaml_file_without_code_is_read(tree: Tree, capsys: Printed) -> None:
    yaml = """\
directory: public
url: /media
bundles:
    site: {contents: [css/reset.css], output: gen/site.css}
    broken: {contents: [1], output: gen/broken.css}
"""
    files = {f"public/{name}": text for name, text in FILES.items()}
    folder = tree({**files, "bundles.yml": yaml, "ci.yaml": "bundles: {x: [y]}", "no.yaml": "bundles: contents: {"})

    assert 0 == main(["init", "--from", "webassets", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert ("/media/", ["public"]) == (document["base"], document["roots"])
    assert {"gen/site.css": {"sources": ["css/reset.css"], "filters": []}} == document["entries"]
    assert [
        ("bundle `broken` holds something that is neither a file nor a bundle", "bundles.yml:5:5"),
        ("the file is not YAML: mapping values are not allowed here", "no.yaml"),
    ] == warnings_of(capsys)


def test_what_only_the_running_code_knows_is_listed(tree: Tree, capsys: Printed) -> None:
    code = """\
import os
from webassets import Bundle, Environment
env = Environment(os.environ["STATIC"], "/static")
env.register("env", "a.css", os.environ["THEME"], output="env.css")
env.register("code", Bundle("a.css", filters=lambda _in, out: None, output="code.css"))
env.register("mixed", Bundle(Bundle("a.scss", filters="libsass"), "b.css", output="mixed.css"))
env.register("net", Bundle("https://cdn.example/a.css", output="net.css"))
env.register("unknown", Bundle("a.css", filters="my_filter", output="unknown.css"))
env.register("text", Bundle("a.txt", output="text.txt"))
env.register("plain", "css/reset.css")
env.register("own", Bundle("a.css", filters="libsass", config={"LIBSASS_STYLE": "compact"}, output="own.css"))
env.config["libsass_style"] = "compressed"
env.register("sass", "css/reset.css", filters="libsass", output="sass.css")
for name in ("x", "y"):
    env.register(name, Bundle(name + ".css", output=name))
"""
    folder = tree({"app.py": code, "static/css/reset.css": "", "templates/p.html": "{% assets 'a.css', output=x %}"})

    assert 0 == main(["init", "--from", "webassets", str(folder)])

    only = "is known only when the code runs:"
    assert [
        (f"`directory` {only} `os.environ['STATIC']`", "app.py:3:19"),
        (f"bundle `env` {only} `os.environ['THEME']`", "app.py:4:30"),
        (f"bundle `code` {only} `lambda _in, out: None`", "app.py:5:46"),
        ("bundle `mixed` holds bundles with filters of their own beside other files", "app.py:6:23"),
        ("bundle `net` holds `https://cdn.example/a.css`, and a compile reads nothing from the network", "app.py:7:21"),
        ("bundle `unknown` has the filter `my_filter`, which webassets does not bring", "app.py:8:25"),
        ("bundle `text` makes `text.txt`", "app.py:9:22"),
        ("bundle `own` has settings of its own for its filters", "app.py:11:1"),
        ("`LIBSASS_STYLE` is an option of the filter `libsass`", "app.py:12:1"),
        (f"bundle `…` {only} `name`", "app.py:15:18"),
        ("the tag `assets` names no bundle that was read", "templates/p.html:1:1"),
    ] == warnings_of(capsys)


def test_a_project_without_bundles_is_one_error(tree: Tree, capsys: Printed) -> None:
    assert 2 == main(["init", "--from", "webassets", str(tree({"static/a.css": "", "app.py": "import flask"}))])

    message = "error: no bundles are found: nothing calls `register` with a `Bundle`, or loads a YAML file"
    assert capsys.readouterr().err.startswith(message)

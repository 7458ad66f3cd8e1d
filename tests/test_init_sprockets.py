"""`init --from sprockets`: what a Rails application links becomes entries that mean the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from tests.conftest import Tree, need
from tests.moving import Published, adopt, meaning, ours, run, warnings_of

Printed = pytest.CaptureFixture[str]

ASSETS = "app/assets"
SITE = {
    f"{ASSETS}/config/manifest.js": """\
//= link_tree ../images
//= link_directory ../stylesheets .css
//= link app.js
""",
    f"{ASSETS}/images/icons/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    f"{ASSETS}/javascripts/app.js": """\
// The application.
//
//= require lib
//= require ./admin/menu
//= require_tree ./pages
//= stub pages/never
var app = 4;
""",
    f"{ASSETS}/javascripts/admin/menu.js": "//= require admin/base\nvar menu = 2;\n",
    f"{ASSETS}/javascripts/admin/base.js": "var base = 1;\n",
    f"{ASSETS}/javascripts/pages/a/z.js": "var z = 31;\n",
    f"{ASSETS}/javascripts/pages/a.js": "var a = 30; var s = '//= require nothing';\n",
    f"{ASSETS}/javascripts/pages/b.js": "var b = 32;\n",
    f"{ASSETS}/javascripts/pages/never.js": "var never = 0;\n",
    "vendor/assets/javascripts/lib/index.js": "var lib = 0;\n",
    f"{ASSETS}/stylesheets/application.css": """\
/*
 *= require parts/reset
 *= require_self
 *= require_tree ./parts
 */
b { color: red }
""",
    f"{ASSETS}/stylesheets/parts/reset.css": "* { margin: 0 }\n",
    f"{ASSETS}/stylesheets/parts/table.css": "td { color: blue }\n",
}


def compiled(folder: Path) -> Published:
    """Return what Sprockets compiles, by Debian's `ruby-sprockets`."""
    ruby = shutil.which("ruby")
    need("ruby", ruby is not None)
    has = subprocess.run([ruby or "", "-rsprockets", "-e", ""], capture_output=True, check=False)
    need("ruby-sprockets", 0 == has.returncode)
    script = """\
require 'logger'
require 'sprockets'
environment = Sprockets::Environment.new('.') do |env|
  Dir['{app,lib,vendor}/assets/*'].sort.each { |path| env.append_path path unless path.end_with?('config') }
  env.logger = Logger.new(File::NULL)
end
Sprockets::Manifest.new(environment, 'public').compile(*ARGV)
"""
    (folder / "compile_.rb").write_text(script)
    names = ["application.css", "app.js", "icons/dot.svg"]
    run(folder, "ruby", "compile_.rb", *names)
    (folder / "compile_.rb").unlink()
    manifest = next((folder / "public").glob(".sprockets-manifest-*.json"))
    named = json.loads(manifest.read_text())["assets"]
    return Published.of(folder / "public", named)


def test_what_sprockets_publishes_entries_publish(tree: Tree, esbuild: Program) -> None:
    folder = tree(SITE)
    theirs = compiled(folder)

    adopt(folder, "sprockets")

    mine = ours(folder)
    assert {"app.js", "application.css", "icons/dot.svg"} == set(theirs.files)
    assert set() == set(theirs.files) - set(mine.files)
    assert theirs.files["icons/dot.svg"] == mine.files["icons/dot.svg"]
    for logical in ("app.js", "application.css"):
        assert meaning(theirs, logical, esbuild, "/assets/") == meaning(mine, logical, esbuild, "/assets/")


def test_links_become_entries(tree: Tree) -> None:
    folder = tree({**SITE, f"{ASSETS}/stylesheets/admin.scss": "a { b { c: d } }"})

    assert 0 == main(["init", "--from", "sprockets", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    scripts = ["lib/index.js", "admin/base.js", "admin/menu.js", "pages/a.js", "pages/a/z.js", "pages/b.js", "app.js"]
    sheets = ["parts/reset.css", "application.css", "parts/table.css"]
    assert {
        "base": "/assets/",
        "roots": [f"{ASSETS}/images", f"{ASSETS}/javascripts", f"{ASSETS}/stylesheets", "vendor/assets/javascripts"],
        "entries": {
            "admin.css": "admin.scss",
            "app.js": {"classic": scripts},
            "application.css": {"sources": sheets, "filters": ["rcssmin"]},
        },
        "sass": {"auto": False},
    } == document


def test_without_links_the_application_files_are_entries(tree: Tree) -> None:
    files = {
        f"{ASSETS}/javascripts/application.js": "//= require_directory .\n//= require_self\nvar last = 1;",
        f"{ASSETS}/javascripts/other.js": "var other = 1;",
        f"{ASSETS}/javascripts/deep/other.js": "var deep = 1;",
        f"{ASSETS}/stylesheets/application.scss": "a { b { c: d } }",
    }
    folder = tree(files)

    assert 0 == main(["init", "--from", "sprockets", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    expected = {"application.css": "application.scss", "application.js": {"classic": ["other.js", "application.js"]}}
    assert expected == document["entries"]
    assert 0 == main(["compile", "--profile", "fast", str(folder)])


def test_what_ruby_or_another_compiler_makes_is_listed(tree: Tree, capsys: Printed) -> None:
    links = ("application.js", "application.css", "coffee.js", "gem.js", "data.json")
    files = {
        f"{ASSETS}/config/manifest.js": "".join(f"//= link {name}\n" for name in links),
        f"{ASSETS}/javascripts/application.js": "//= require jquery\n//= require_all .\nvar a;",
        f"{ASSETS}/javascripts/coffee.js.coffee.erb": "x = 1",
        f"{ASSETS}/javascripts/data.json": "{}",
        f"{ASSETS}/stylesheets/application.css": "/*\n *= require theme\n *= require plain\n */",
        f"{ASSETS}/stylesheets/theme.scss": 'a { background: image-url("dot.png") }',
        f"{ASSETS}/stylesheets/plain.css": "b { c: d }",
        "config/initializers/assets.rb": "# assets.precompile\nconfig.assets.precompile += %w( admin.js )\n",
    }
    folder = tree(files)

    assert 0 == main(["init", "--from", "sprockets", str(folder)])

    scripts = f"{ASSETS}/javascripts"
    assert [
        ("`gem.js` is in no folder of the load path", f"{ASSETS}/config/manifest.js:4:1"),
        ("`jquery` is in no folder of the load path", f"{scripts}/application.js:1:1"),
        ("the directive `require_all` is not known", f"{scripts}/application.js:2:1"),
        (
            "`coffee.js` holds `coffee.js.coffee.erb`, which another compiler reads",
            f"{ASSETS}/javascripts/coffee.js.coffee.erb",
        ),
        ("`application.css` joins Sass with other sheets", f"{ASSETS}/stylesheets/application.css:2:1"),
        ("`image-url` is a function of Sprockets", f"{ASSETS}/stylesheets/theme.scss:1:17"),
        ("Ruby code adds more entries", "config/initializers/assets.rb:2:1"),
    ] == warnings_of(capsys)


def test_a_project_without_a_load_path_is_one_error(tree: Tree, capsys: Printed) -> None:
    assert 2 == main(["init", "--from", "sprockets", str(tree({"static/a.css": ""}))])

    assert capsys.readouterr().err.startswith("error: there is no load path: looked for folders in `app/assets`")

"""`init --from pipeline`: the packages of django-pipeline become entries that mean the same."""

from __future__ import annotations

import json
import tomllib

import pytest

from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from tests.conftest import Tree
from tests.moving import Published, adopt, meaning, ours, warnings_of
from tests.moving.django_site import HEAD, SITE, collected

Printed = pytest.CaptureFixture[str]

SETTINGS = f"""\
{HEAD}
INSTALLED_APPS = ["django.contrib.staticfiles", "pipeline"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "pipeline.finders.PipelineFinder",
]
STORAGES = {{"staticfiles": {{"BACKEND": "pipeline.storage.PipelineManifestStorage"}}}}
CSS = "css/"
PIPELINE = {{
    "PIPELINE_ENABLED": True,
    "DISABLE_WRAPPER": True,
    "CSS_COMPRESSOR": "conf.compressors.Compressors",
    "JS_COMPRESSOR": "conf.compressors.Compressors",
    "STYLESHEETS": {{
        "site": {{
            "source_filenames": (f"{{CSS}}reset.css", "css/site.css"),
            "output_filename": "css/all.css",
            "extra_context": {{"media": "screen"}},
        }},
    }},
    "JAVASCRIPT": {{
        "app": {{"source_filenames": ["js/*.js"], "output_filename": "js/all.js", "extra_context": {{"defer": True}}}},
    }},
}}
"""
COMPRESSORS = """\
from pipeline.compressors import CompressorBase
from rcssmin import cssmin
from rjsmin import jsmin


class Compressors(CompressorBase):
    def compress_css(self, css):
        return cssmin(css)

    def compress_js(self, js):
        return jsmin(js)
"""
PAGE = "{% load pipeline %}\n{% stylesheet 'site' %}\n{% javascript \"app\" %}{% javascript other %}\n"
SHOP = {**SITE, "conf/settings.py": SETTINGS, "conf/compressors.py": COMPRESSORS, "pages/page.html": PAGE}


def test_what_packages_publish_entries_publish(tree: Tree, esbuild: Program) -> None:
    folder = tree(SHOP)
    output = collected(folder)
    named = json.loads((output / "staticfiles.json").read_text())["paths"]
    theirs = Published.of(output, {name: path for name, path in named.items() if not name.endswith(".scss")})

    adopt(folder, "pipeline")

    mine = ours(folder)
    assert sorted(theirs.files) == sorted(mine.files)
    for logical in ("css/all.css", "js/all.js"):
        assert meaning(theirs, logical, esbuild) == meaning(mine, logical, esbuild)


def test_packages_become_entries_and_their_tags_are_listed(tree: Tree, capsys: Printed) -> None:
    folder = tree(SHOP)

    assert 0 == main(["init", "--from", "pipeline", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {
        "css/all.css": {"sources": ["css/reset.css", "css/site.css"], "filters": ["rcssmin"]},
        "js/all.js": {"classic": ["js/*.js"]},
    } == document["entries"]
    said = """\
note: `stylesheet` is a tag of django-pipeline [to-change]
  pages/page.html:2:1
  2 │ {% stylesheet 'site' %}
    │ ^^^^^^^^^^^^^^^^^^^^^^^
  write {% asset_tag "css/all.css" media="screen" %}, after {% load assetbuild %}

note: `javascript` is a tag of django-pipeline [to-change]
  pages/page.html:3:1
  3 │ {% javascript "app" %}{% javascript other %}
    │ ^^^^^^^^^^^^^^^^^^^^^^
  write {% asset_tag "js/all.js" defer=True %}, after {% load assetbuild %}

warning: `javascript other` names no entry [not-translated]
  pages/page.html:3:23
  3 │ {% javascript "app" %}{% javascript other %}
    │                       ^^^^^^^^^^^^^^^^^^^^^^
  name an entry in its place

1 warning
"""
    assert said in capsys.readouterr().err


def test_what_is_no_css_and_no_script_is_listed(tree: Tree, capsys: Printed) -> None:
    settings = f"""\
{HEAD}
PIPELINE = {{
    "STYLESHEETS": {{
        "less": {{"source_filenames": ["a.less"], "output_filename": "a.css"}},
        "mixed": {{"source_filenames": ["scss/theme.scss", "css/reset.css"], "output_filename": "b.css"}},
        "theme": {{"source_filenames": ["scss/theme.scss"], "output_filename": "css/theme.css"}},
        "inside": {{"source_filenames": ["css/reset.css"], "output_filename": "c.css", "variant": "datauri"}},
        "empty": {{"output_filename": "d.css"}},
    }},
    "JAVASCRIPT": {{"jst": {{"source_filenames": ["js/*.js", "t/*.jst"], "output_filename": "e.js"}}}},
}}
"""
    folder = tree({**SITE, "conf/settings.py": settings})

    assert 0 == main(["init", "--from", "pipeline", str(folder)])

    assert [
        "`c.css` has its pictures inside as `data:`, and here they are files",
        "django-pipeline wraps each package of scripts in a function, and here its globals stay global",
        "package `empty` names no files",
        "package `jst` holds `t/*.jst`, which another compiler reads",
        "package `less` holds `a.less`, which another compiler reads",
        "package `mixed` joins Sass with other sheets",
    ] == [message for message, _ in warnings_of(capsys)]
    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {"css/theme.css": "scss/theme.scss"} == {
        name: source for name, source in document["entries"].items() if isinstance(source, str)
    }
    assert 0 == main(["compile", "--profile", "fast", str(folder)])

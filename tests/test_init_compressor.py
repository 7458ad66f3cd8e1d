"""`init --from compressor`: the blocks of django-compressor become entries that mean the same."""

from __future__ import annotations

import json
import re
import sys
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
INSTALLED_APPS = ["django.contrib.staticfiles", "compressor"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "compressor.finders.CompressorFinder",
]
COMPRESS_ENABLED = True
COMPRESS_OFFLINE = True
COMPRESS_ROOT = STATIC_ROOT
COMPRESS_PRECOMPILERS = [("text/x-scss", "{sys.executable} -m pysassc {{infile}} {{outfile}}")]
"""
PAGE = """\
{% load compress static %}
{% compress css file site %}
<link rel="stylesheet" href="{% static 'css/reset.css' %}">
<link rel="stylesheet" href="/static/css/site.css">
<link rel="stylesheet" media="print" href="{{ STATIC_URL }}css/print.css">
{% endcompress %}
{% compress css file theme %}
<link rel="stylesheet" type="text/x-scss" href="{% static "scss/theme.scss" %}">
{% endcompress %}
{# {% compress js %}<script src="{% static 'gone.js' %}"></script>{% endcompress %} #}
{% compress js file app %}
<script src="{% static 'js/first.js' %}"></script><script src="{% static 'js/second.js' %}"></script>
{% endcompress %}
"""
SHOP = {**SITE, "conf/settings.py": SETTINGS, "pages/page.html": PAGE}


def test_what_blocks_publish_entries_publish(tree: Tree, esbuild: Program) -> None:
    folder = tree(SHOP)
    output = collected(folder, "compress --force --verbosity=0")
    pages = "".join(json.loads((output / "CACHE/manifest.json").read_text()).values())
    named: dict[str, str] = {}
    for path in re.findall(r"(CACHE/[^\"]+)", pages):
        stem, _, ext = path.split(".")
        first = f"{stem}.{ext}"
        named[first if first not in named else f"{stem}-2.{ext}"] = path
    plain = {file.relative_to(folder / "static").as_posix() for file in (folder / "static").rglob("*.*")}
    plain -= {"scss/theme.scss"}
    theirs = Published.of(output, named | {name: name for name in plain})

    adopt(folder, "compressor")

    mine = ours(folder)
    assert {"CACHE/css/site.css", "CACHE/css/site-2.css", "CACHE/css/theme.css", "CACHE/js/app.js"} == named.keys()
    assert sorted(theirs.files) == sorted(mine.files)
    for logical in named:
        assert meaning(theirs, logical, esbuild) == meaning(mine, logical, esbuild)


def test_blocks_become_entries_and_are_listed(tree: Tree, capsys: Printed) -> None:
    folder = tree(SHOP)

    assert 0 == main(["init", "--from", "compressor", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {
        "CACHE/css/site.css": {"sources": ["css/reset.css", "css/site.css"], "filters": ["rcssmin"]},
        "CACHE/css/site-2.css": {"sources": ["css/print.css"], "filters": ["rcssmin"]},
        "CACHE/css/theme.css": "scss/theme.scss",
        "CACHE/js/app.js": {"classic": ["js/first.js", "js/second.js"]},
    } == document["entries"]
    tags = '{% asset_tag "CACHE/css/site.css" %} {% asset_tag "CACHE/css/site-2.css" media="print" %}'
    said = f"""\
note: `compress` is a tag of django-compressor [to-change]
  pages/page.html:2:1
  2 │ {{% compress css file site %}}
    │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  write {tags} in its place, after {{% load assetbuild %}}
"""
    assert capsys.readouterr().err.startswith(said)


def test_what_only_rendering_knows_is_listed(tree: Tree, capsys: Printed) -> None:
    page = """\
{% compress css %}
<link rel="stylesheet" href="{{ theme.url }}"><style>a { b: c }</style>
<link rel="stylesheet" href="{% static 'css/reset.css' %}"><link rel="stylesheet" href="https://cdn.example/x.css">
{% endcompress %}
{% compress js %}<script>var inline = 1;</script><script src="{% static 'a.coffee' %}"></script>{% endcompress %}
"""
    filters = "COMPRESS_FILTERS = {'css': ['compressor.filters.cssmin.rCSSMinFilter', 'conf.Mine']}\n"
    folder = tree({**SHOP, "pages/page.html": page, "conf/settings.py": SETTINGS + filters})

    assert 0 == main(["init", "--from", "compressor", str(folder)])

    unknown = "in a block of `compress` is known only when the page is rendered"
    assert [
        ("the filter `conf.Mine` is not run", "conf/settings.py:21:1"),
        ("`<style>` in a block of `compress` has its code inside", "pages/page.html:1:1"),
        (
            "`https://cdn.example/x.css` in a block of `compress` is known only when the page is rendered",
            "pages/page.html:1:1",
        ),
        (f"`…` {unknown}", "pages/page.html:1:1"),
        ("`<script>` in a block of `compress` has its code inside", "pages/page.html:5:1"),
        ("`a.coffee` in a block of `compress` is read by another compiler", "pages/page.html:5:1"),
    ] == warnings_of(capsys)
    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {"CACHE/css/page.css": {"sources": ["css/reset.css"], "filters": ["rcssmin"]}} == document["entries"]

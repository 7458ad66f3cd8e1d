"""`init --from django`: what a manifest storage collects, we publish."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from tests.conftest import Tree
from tests.moving import Published, adopt, meaning, ours, python, warnings_of

Printed = pytest.CaptureFixture[str]

MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings.production")
execute_from_command_line(sys.argv)
"""
BASE = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = "x"
INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "django_somewhere.apps.Config",
    "shop.apps.ShopConfig",
]
STATIC_URL = "assets/"
STATICFILES_DIRS = [BASE_DIR / "static", ("brand", BASE_DIR / "branding")]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "pages"]}]
"""
PRODUCTION = """\
from .base import *

INSTALLED_APPS += ["blog"]
STATIC_ROOT = BASE_DIR / "collected"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
"""
SITE = {
    "manage.py": MANAGE,
    "site_/__init__.py": "",
    "site_/settings/__init__.py": "",
    "site_/settings/base.py": BASE,
    "site_/settings/production.py": PRODUCTION,
    "pages/page.html": "{% load static %}<link href=\"{% static 'css/site.css' %}\">",
    "static/css/site.css": "/* site */ @import 'parts.css'; a { background: url('../img/dot.svg') }",
    "static/css/parts.css": "b { background: url(../brand/logo.svg#part) }",
    "static/img/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "static/js/site.js": "var site = 1; // one\n",
    "branding/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g id='part'/></svg>",
    "shop/__init__.py": "",
    "shop/apps.py": "from django.apps import AppConfig\n\nclass ShopConfig(AppConfig):\n    name = 'shop'\n",
    "shop/static/shop/shop.css": "i { color: red }",
    "shop/static/css/site.css": "shadowed { by: static }",
    "blog/__init__.py": "",
    "blog/static/blog/blog.js": "var blog = 2;",
}


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install an app outside of the project."""
    folder = tmp_path / "installed/django_somewhere"
    (folder / "static/somewhere").mkdir(parents=True)
    (folder / "__init__.py").touch()
    config = "from django.apps import AppConfig\n\nclass Config(AppConfig):\n    name = 'django_somewhere'\n"
    (folder / "apps.py").write_text(config)
    (folder / "static/somewhere/widget.css").write_text("u { color: blue }")
    monkeypatch.syspath_prepend(folder.parent)


def test_what_the_manifest_storage_publishes_we_publish(tree: Tree, esbuild: Program) -> None:
    folder = tree(SITE)
    python(folder, "manage.py", "collectstatic", "--noinput", "--verbosity=0")
    named = json.loads((folder / "collected/staticfiles.json").read_text())["paths"]
    theirs = Published.of(folder / "collected", named)

    adopt(folder, "django")

    mine = ours(folder)
    assert {logical for logical in theirs.files if logical not in mine.files} == set()
    assert {logical for logical in mine.files if logical not in theirs.files} == set()
    texts = [name for name in theirs.files if name.endswith((".css", ".js"))]
    assert 6 == len(texts)
    for logical in texts:
        assert meaning(theirs, logical, esbuild, "/assets/") == meaning(mine, logical, esbuild, "/assets/"), logical
    binary = [name for name in theirs.files if not name.endswith((".css", ".js"))]
    assert [] == [name for name in binary if theirs.files[name] != mine.files[name]]


def test_the_settings_of_the_server_become_roots(tree: Tree, capsys: Printed) -> None:
    folder = tree(SITE)

    assert 0 == main(["init", "--from", "django", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    expected = {
        "base": "/assets/",
        "roots": ["static", {"path": "branding", "as": "brand"}, "shop/static", "blog/static"],
        "python_packages": ["django_somewhere"],
        "exclude": ["**/CVS/**", "**/*~"],
        "sass": {"auto": False},
        "templates": {"paths": ["pages"], "engine": "django"},
    }
    assert expected == document
    said = """\
note: `django.contrib.staticfiles.storage.ManifestStaticFilesStorage` is the storage [to-change]
  site_/settings/production.py:5:1
  5 │ STORAGES = {
    │ ^^^^^^^^^^^^
  set the backend of `staticfiles` to "assetbuild.web.django.storage.ManifestStorage"
"""
    assert capsys.readouterr().err.startswith(said)


def test_what_only_the_running_settings_know_is_listed_with_its_place(tree: Tree, capsys: Printed) -> None:
    settings = f"""\
import os
{BASE}
STATIC_URL = os.environ["CDN"] + "/static/"
OURS = "assetbuild.web.django.finders.PublishedFinder"
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder", "shop.Finder", OURS]
STATICFILES_DIRS = [BASE_DIR / "gone", "/elsewhere"]
WHITENOISE_ROOT = BASE_DIR / "public"
STATICFILES_STORAGE = "shop.Storage"
if os.environ.get("BLOG"):
    INSTALLED_APPS.append("blog")
"""
    folder = tree({**SITE, "site_/settings/production.py": settings})

    assert 0 == main(["init", "--from", "django", str(folder)])

    at = "site_/settings/production.py"
    assert [
        ("`STATIC_URL` is known only when the settings run: `os.environ['CDN']`", f"{at}:15:14"),
        ("what the finder `shop.Finder` finds is not looked for", f"{at}:17:1"),
        ("`/elsewhere` in `STATICFILES_DIRS` lies outside the project", f"{at}:18:1"),
        ("`gone` in `STATICFILES_DIRS` is not there", f"{at}:18:1"),
        ("`public` of `WHITENOISE_ROOT` is served from `/`", f"{at}:19:1"),
        ("what `shop.Storage` does beyond hashing is not known", f"{at}:20:1"),
        ("`INSTALLED_APPS` is known only when the settings run: `INSTALLED_APPS.append('blog')`", f"{at}:22:5"),
    ] == warnings_of(capsys)


def test_a_file_of_a_package_that_django_finds_first_is_listed(tree: Tree, capsys: Printed) -> None:
    folder = tree({**SITE, "shop/static/somewhere/widget.css": "u { color: green }"})

    assert 0 == main(["init", "--from", "django", str(folder)])

    message = "`somewhere/widget.css` is that of `django_somewhere` in Django, and here that of `shop/static`"
    assert [(message, "site_/settings/production.py:3:1")] == warnings_of(capsys)


def test_a_folder_without_settings_is_one_error(tree: Tree, capsys: Printed) -> None:
    assert 2 == main(["init", "--from", "django", str(tree({"static/a.css": ""}))])

    message = "error: no settings are found: no `wsgi.py`, `asgi.py`, `manage.py` sets `DJANGO_SETTINGS_MODULE`"
    assert capsys.readouterr().err.startswith(message)

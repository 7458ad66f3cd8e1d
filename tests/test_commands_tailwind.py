"""Tailwind 4 as a command, end to end: templates of the project and of a Python package, caches, and `watch`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.cli import main
from tests.conftest import Tree
from tests.watching import watching

CONFIG = """\
[[commands]]
run = ["tailwindcss", "--input", "styles/app.css", "--output", "{output}/css/app.css", "--minify"]
inputs = ["styles/**/*.css", "templates/**/*.html", "pkg:crispy_forms9/templates/**/*.html"]
outputs = ["css/app.css"]
"""
SITE = {
    "assetbuild.toml": CONFIG,
    "styles/app.css": '@import "tailwindcss";\n@import "./part.css";\n',
    "styles/part.css": "@utility tight { line-height: 1 }\n",
    "templates/page.html": "{% extends 'base.html' %}<p class=\"mt-[7px] {{ 'pt-[8px]' if x else 'tight' }}\">",
    "assets/img/a.txt": "x",
}


@pytest.fixture
def site(
    tree: Tree,
    installed_packages: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """Return a project with npm's Tailwind, and a Python package with a template beside it."""
    folder = tree(SITE)
    (folder / "node_modules").symlink_to(installed_packages("npm-tailwind"))
    package = tmp_path / "packages/crispy_forms9"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "templates/form.html").write_text('<form class="mb-[9px]">')
    (package / "other.html").write_text('<form class="mb-[11px]">')
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    return folder


def sheet(folder: Path) -> str:
    manifest = json.loads((folder / "build/assets/manifest.json").read_text())
    file: str = manifest["assets"]["css/app.css"]["file"]
    return (folder / "build/assets" / file).read_text()


def sizes(css: str) -> list[str]:
    return sorted(set(re.findall(r"(?<![\d.])(?:[789]|1[0-9])px", css)))


def test_classes_of_templates_and_of_a_python_package_are_found(site: Path) -> None:
    assert 0 == main(["compile", str(site)])

    css = sheet(site)
    assert ["7px", "8px", "9px"] == sizes(css)
    assert ".tight{line-height:1}" in css
    tools = json.loads((site / "build/assets/manifest.json").read_text())["build"]["tools"]
    assert "4.1.13" == tools["@tailwindcss/cli"]


def test_a_second_compile_starts_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["compile", str(site)])
    (site / "assets/img/a.txt").write_text("y")
    capsys.readouterr()

    assert 0 == main(["compile", str(site), "--json"])

    assert {} == json.loads(capsys.readouterr().out)["engineRuns"]


def test_a_mistake_in_the_stylesheet_is_shown_where_it_is(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "styles/part.css").write_text(".a {\n  @apply not-a-class;\n}\n")

    assert 1 == main(["compile", str(site)])

    error = capsys.readouterr().err
    assert "error: `tailwindcss` ended with 1 [command-failed]" in error
    assert "Cannot apply unknown utility class `not-a-class`" in error


def test_a_class_that_a_template_begins_to_use_is_there_while_watching(site: Path) -> None:
    with watching(site, "--explain") as watch:
        watch.until("compiled")

        (site / "templates/new.html").write_text('<b class="ms-[12px]">')
        watch.until("made css/app.css: `templates/new.html` changed")
        watch.until("compiled")

        assert ["12px", "7px", "8px", "9px"] == sizes(sheet(site))

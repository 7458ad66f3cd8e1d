"""What the configuration names and no file has is told once, at its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from tests.conftest import Tree

SITE = {
    "assets/vendor/a.js": "var a = 1;\n",
    "assets/downloads/price.pdf": "%PDF",
    "assets/robots.txt": "",
    "assets/css/app.scss": "a { b: c }\n",
    "shared/_tones.scss": "",
}
Compiled = Callable[..., Outcome]


def told(project: Path, compiled: Compiled) -> list[tuple[object, ...]]:
    return [
        (
            found.severity,
            found.span and (found.span.path, found.span.line, found.span.column),
            found.message,
            found.hint,
        )
        for found in compiled(project).diagnostics
        if found.rule in {"unmatched", "no-load-path"}
    ]


@pytest.mark.parametrize(
    ("config", "message", "hint"),
    [
        ('exclude = ["vendr/**"]', "`vendr/**` in `exclude` matches no file in the roots", "did you mean `vendor/**`?"),
        (
            'exclude = ["assets/vendor/**"]',
            "`assets/vendor/**` in `exclude` matches no file in the roots",
            "did you mean `vendor/**`?",
        ),
        ('exclude = ["*.psd"]', "`*.psd` in `exclude` matches no file in the roots", ""),
        (
            'keep_names = ["download/*.pdf"]',
            "`download/*.pdf` in `keep_names` matches nothing that is published",
            "did you mean `downloads/*.pdf`?",
        ),
        (
            'site_root = ["robot.txt"]',
            "`robot.txt` in `site_root` matches nothing that is published",
            "did you mean `robots.txt`?",
        ),
        ('sass.load_paths = ["shred"]', "load path `shred` is not a folder", "did you mean `shared`?"),
    ],
)
def test_a_name_that_nothing_has_is_a_warning_at_its_place(
    tree: Tree, compiled: Compiled, config: str, message: str, hint: str
) -> None:
    project = tree(SITE | {"assetbuild.toml": f"{config}\n"})

    assert [("warning", ("assetbuild.toml", 1, config.index('"') + 1), message, hint)] == told(project, compiled)


def test_in_pyproject_the_place_is_found_too(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE | {"pyproject.toml": '[tool.assetbuild]\nexclude = ["vendor/**", "none/**"]\n'})

    message = "`none/**` in `exclude` matches no file in the roots"
    assert [("warning", ("pyproject.toml", 2, 25), message, "")] == told(project, compiled)


def test_what_matches_is_passed_over_and_so_is_what_may_turn_up_anywhere(tree: Tree, compiled: Compiled) -> None:
    config = """\
exclude = ["vendor/**", "**/*.psd"]
keep_names = ["downloads/**", "css/app.css"]
site_root = ["robots.txt"]
sass.load_paths = ["shared"]
"""

    assert [] == told(tree(SITE | {"assetbuild.toml": config}), compiled)


def test_a_load_path_that_appears_is_noticed(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE | {"assetbuild.toml": 'sass.load_paths = ["later"]\n'})
    before = told(project, compiled)

    (project / "later").mkdir()

    assert (1, []) == (len(before), told(project, compiled))

"""Gather: every reference gets a draft, every broken file its diagnostic, and no order of finishing shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.errors import CompileFailed
from tests.conftest import Tree


def names(outcome: Outcome) -> list[str]:
    return [asset.logical for asset in outcome.assets]


def text_of(outcome: Outcome, logical: str) -> str:
    body = next(asset.body for asset in outcome.assets if asset.logical == logical)
    assert isinstance(body, bytes)
    return body.decode()


def test_a_file_of_a_package_that_a_reference_names_becomes_an_asset_with_what_it_names(
    tree: Tree, compiled: Callable[..., Outcome]
) -> None:
    project = tree(
        {
            "assets/a.css": '@import "~icons/css/all.css"; a { color: red }',
            "node_modules/icons/css/all.css": "@font-face { font-family: I; src: url(../fonts/i.woff2) }",
            "node_modules/icons/fonts/i.woff2": b"\0font",
        }
    )

    outcome = compiled(project)

    assert ["a.css", "npm/icons/css/all.css", "npm/icons/fonts/i.woff2"] == names(outcome)
    sheet = next(asset for asset in outcome.assets if asset.logical == "npm/icons/css/all.css")
    assert f'@import "{sheet.path}"; a {{ color: red }}' == text_of(outcome, "a.css")


def test_every_broken_file_of_a_run_is_shown_at_once(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    project = tree(
        {
            "assets/a.css": "a { background: url(nowhere.png) }",
            "assets/b.scss": "a { color: $missing }",
            "assets/c.js": 'import "./nowhere.js"',
            "assets/d.css": b"a { content: '\xe9' }",
            "assets/good.css": "a {}",
        }
    )

    with pytest.raises(CompileFailed) as failed:
        compiled(project)

    assert [
        ("assets/a.css", 1, "missing-reference"),
        ("assets/b.scss", 1, "sass-error"),
        ("assets/c.js", 1, "missing-reference"),
        ("assets/d.css", 1, "not-utf8"),
    ] == [(each.span.path, each.span.line, each.rule) for each in failed.value.diagnostics if each.span]
    assert not (project / "build").exists()


@pytest.mark.usefixtures("esbuild")
def test_a_stylesheet_gives_way_to_the_bundle_that_is_made_of_it(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    project = tree(
        {
            "assetbuild.toml": '[entries]\n"js/app.js" = "js/app.ts"\n',
            "assets/js/app.ts": 'import "./app.css"; document.title = "x"',
            "assets/js/app.css": "a { color: red }",
        }
    )

    outcome = compiled(project)

    assert ["js/app.css", "js/app.js"] == names(outcome)
    assert "a{color:red}" == text_of(outcome, "js/app.css").strip()


@pytest.mark.usefixtures("esbuild")
def test_a_script_that_only_a_bundler_understands_is_no_fault_where_a_graph_holds_it(
    tree: Tree, compiled: Callable[..., Outcome]
) -> None:
    """A module in plain JavaScript imports its neighbours, and they import packages by their bare names."""
    project = tree(
        {
            "assetbuild.toml": '[entries]\n"js/out.js" = { module = "js/app.js" }\n',
            "assets/js/app.js": 'import { size } from "./dep.js"; document.title = size',
            "assets/js/dep.js": 'import size from "pkg"; export { size }',
            "node_modules/pkg/package.json": '{"name": "pkg", "main": "main.js", "type": "module"}',
            "node_modules/pkg/main.js": "export default 'seven'",
        }
    )

    outcome = compiled(project)

    assert {"js/app.js", "js/dep.js", "js/out.js"} <= set(names(outcome))
    assert "seven" in text_of(outcome, "js/out.js")
    assert () == outcome.diagnostics


@pytest.mark.usefixtures("esbuild")
def test_a_fault_of_a_script_in_a_graph_is_told_once(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    project = tree(
        {
            "assetbuild.toml": '[entries]\n"js/out.js" = { module = "js/app.js" }\n',
            "assets/js/app.js": 'import "nowhere"',
        }
    )

    with pytest.raises(CompileFailed) as failed:
        compiled(project)

    assert 1 == len(failed.value.diagnostics)


@pytest.mark.parametrize("jobs", [1, 8])
def test_the_number_of_jobs_does_not_show(tree: Tree, compiled: Callable[..., Outcome], jobs: int) -> None:
    files = {f"assets/{n}.scss": f"@use 'part'; a {{ b: {n} }}" for n in range(20)}
    project = tree(files | {"assets/_part.scss": ".p { c: d }"})

    first, second = compiled(project, jobs=2), compiled(project, jobs=jobs)

    assert first.manifest == second.manifest


def test_a_source_that_cannot_be_read_is_a_diagnostic(
    tree: Tree, compiled: Callable[..., Outcome], tmp_path: Path
) -> None:
    project = tree({"assets/a.scss": '@use "../../outside"', "assets/b.css": ""})
    (tmp_path / "_outside.scss").write_text("a { b: c }")

    with pytest.raises(CompileFailed) as failed:
        compiled(project)

    assert ["outside-roots"] == [each.rule for each in failed.value.diagnostics]


def test_a_css_entry_imports_a_sheet_that_is_excluded_and_nothing_else_may_name_it(
    tree: Tree, compiled: Callable[..., Outcome]
) -> None:
    """`exclude` governs publishing alone: what an entry takes in is published with the entry."""
    project = tree(
        {
            "assetbuild.toml": 'exclude = ["vendor/**"]\n[entries]\n"app.css" = "app.css"\n',
            "assets/app.css": '@import "vendor/part.css"; a { b: c }',
            "assets/vendor/part.css": "p { background: url(../dot.png) }",
            "assets/dot.png": b"dot",
        }
    )

    outcome = compiled(project)

    dot = next(asset.path for asset in outcome.assets if asset.logical == "dot.png")
    assert f"p{{background:url({dot})}}a{{b:c}}" == text_of(outcome, "app.css").strip()
    assert "vendor/part.css" not in names(outcome)
    (project / "assets/app.css").write_text("a { background: url(vendor/part.css) }")
    with pytest.raises(CompileFailed, match="is excluded"):
        compiled(project)


def test_a_sheet_that_becomes_excluded_is_named_no_longer(
    tree: Tree, compiled: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    files = {"assets/app.css": "a { background: url(vendor/part.css) }", "assets/vendor/part.css": ""}
    compiled(tree(files))

    with pytest.raises(CompileFailed, match="is excluded"):
        compiled(tree({"assetbuild.toml": 'exclude = ["vendor/**"]\n'}))

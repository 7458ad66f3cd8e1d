"""Real packages from npm, compiled as their documentation says, compared with the reference engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.serving import serving

BOOTSTRAP = """
$primary: #c45434;
$enable-shadows: true;
$grid-breakpoints: (xs: 0, md: 700px, xl: 1300px);
$container-max-widths: (md: 680px, xl: 1200px);
@import "bootstrap/scss/bootstrap";
.own { color: $primary; }
"""
BULMA = """
@use "bulma/sass" with ($family-primary: '"Brick", sans-serif', $primary: #c45434);
.own { color: red; }
"""
REACT = """
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { chunk, range } from "lodash-es";

function Rows({ count }: { count: number }) {
  const [rows] = useState(() => chunk(range(count), 3));
  const cells = (row: number[]) => row.map((n) => <td key={n}>{n}</td>);
  return <table><tbody>{rows.map((row) => <tr key={row[0]}>{cells(row)}</tr>)}</tbody></table>;
}

createRoot(document.getElementById("app")!).render(<StrictMode><Rows count={9} /></StrictMode>);
"""


@pytest.fixture
def project(tree: Tree, npm_packages: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Return a function that writes a project which has the packages in its `node_modules`."""

    def build(files: Mapping[str, str | bytes]) -> Path:
        folder = tree(files)
        shutil.copytree(npm_packages, folder / "node_modules", copy_function=os.link, symlinks=True)
        return folder

    return build


def text_of(outcome: Outcome, logical: str) -> str:
    body = next(asset.body for asset in outcome.assets if asset.logical == logical)
    assert isinstance(body, bytes)
    return body.decode()


def by_npm(folder: Path, source: str) -> str:
    """Return what npm's `sass` prints, expanded, without its byte order mark or @charset."""
    program = folder / "node_modules/sass/sass.js"
    command = ["node", str(program), "--no-source-map", "--no-charset", "--quiet", "--load-path=node_modules", source]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("name", "text"), [("bootstrap", BOOTSTRAP), ("bulma", BULMA)])
def test_a_framework_compiles_to_what_npms_sass_prints(
    project: Callable[[Mapping[str, str]], Path], compiled: Callable[..., Outcome], name: str, text: str
) -> None:
    folder = project(
        {f"assets/{name}.scss": text, "assetbuild.toml": "[css]\nminify = false\n[compress]\nbr = false\n"}
    )

    outcome = compiled(folder)

    assert by_npm(folder, f"assets/{name}.scss").strip() == text_of(outcome, f"{name}.css").strip()
    assert [] == [each for each in outcome.diagnostics if each.severity == "error"]


def test_minified_frameworks_keep_their_own_variables(
    project: Callable[[Mapping[str, str]], Path], compiled: Callable[..., Outcome]
) -> None:
    folder = project({"assets/bootstrap.scss": BOOTSTRAP, "assets/bulma.scss": BULMA})

    outcome = compiled(folder, profile="fast")

    bootstrap, bulma = text_of(outcome, "bootstrap.css"), text_of(outcome, "bulma.css")
    assert "--bs-primary:#c45434" in bootstrap
    assert "@media (min-width:700px)" in bootstrap
    assert ".own{color:#c45434}" in bootstrap
    assert '--bulma-family-primary:"Brick", sans-serif' in bulma
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)


def test_react_in_tsx_with_lodash_es_runs_in_the_browser(
    project: Callable[[Mapping[str, str]], Path], compiled: Callable[..., Outcome], chromium: str, esbuild: object
) -> None:
    config = '[entries]\n"js/app.js" = { module = "js/app.tsx" }\n'
    folder = project({"assets/js/app.tsx": REACT, "assetbuild.toml": config})

    outcome = compiled(folder, profile="fast")

    path = next(asset.path for asset in outcome.assets if asset.logical == "js/app.js")
    script = f'<script type="module" src="/static/{path}"></script>'
    page = f'<!doctype html><link rel="icon" href="data:,"><div id="app"></div>{script}'
    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        visit = browser.look(url, "document.querySelectorAll('td').length", ready="document.querySelector('td')")
    assert [] == visit.problems
    assert [9] == visit.values
    assert len(text_of(outcome, "js/app.js")) < 250_000, "lodash-es was not shaken"

"""The example site, compiled by the command and opened in a real browser from the output alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from assetbuild.compiler import Outcome
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import chromium_browser
from tests.serving import serving

EXAMPLE = Path(__file__).parents[1] / "example_assets"


@pytest.fixture
def example(tmp_path: Path, esbuild: str) -> Path:
    """Return a copy of the example without its output; its TypeScript needs `esbuild`."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("build")))


def rendered(project: Path) -> str:
    spec = spec_from_file_location("page", project / "page.py")
    assert spec
    assert spec.loader
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    page: str = module.render()
    return page


def test_the_page_opens_clean_from_the_output_alone(
    example: Path, compiled: Callable[..., Outcome], chromium: str, tmp_path: Path
) -> None:
    compiled(example)
    page = rendered(example)
    output = tmp_path / "elsewhere"
    shutil.move(example / "build/assets", output)
    shutil.rmtree(example)

    with serving(output, page) as url, chromium_browser(chromium) as browser:
        visit = browser.look(
            url,
            "document.fonts.check('16px Brick')",
            "document.getElementById('chart').textContent.split('\\n').length",
            "window.greeting",
            "document.getElementById('badge').naturalWidth",
            "getComputedStyle(document.querySelector('.hero')).backgroundImage.includes('/static/img/hills-')",
            "navigator.serviceWorker.ready.then(r => new URL(r.scope).pathname)",
            "document.querySelector('footer img:last-child').width",
            ready="document.documentElement.dataset.ready",
        )

    assert [] == visit.problems
    assert [True, 2, "Bricks since 1926", 20, True, "/", 480] == visit.values
    loaded = {url.rpartition("/")[2].partition("-")[0] for url in visit.requests}
    assert {"app", "chart", "brick", "hills", "dot", "sprite", "classic", "site", "print"} <= loaded


def test_the_output_is_verified_byte_by_byte(example: Path, compiled: Callable[..., Outcome]) -> None:
    outcome = compiled(example)

    report = verify(outcome.project.output, RealDisk())

    assert () == tuple(report.diagnostics)


def test_the_manifest_says_what_a_template_and_a_server_need(example: Path, compiled: Callable[..., Outcome]) -> None:
    manifest = json.loads(compiled(example).manifest)
    assets = manifest["assets"]

    assert ("module", True) == (assets["js/app.js"]["kind"], assets["js/app.js"]["entry"])
    assert ["js/chunks/chart.js"] == assets["js/app.js"]["dynamic"]
    assert ["icons/dot.svg", "js/chunks/chart.js"] == sorted(assets["js/app.js"]["refs"])[:2]
    assert "/sw.js" == assets["sw.js"]["at"]
    assert assets["site.webmanifest"]["keep"]
    assert ["icons/brick-192.png", "icons/brick-512.png"] == assets["site.webmanifest"]["refs"]
    assert "keep" not in assets["icons/brick-192.png"]
    assert (480, 200) == (assets["img/hills.png"]["width"], assets["img/hills.png"]["height"])
    assert {"assetbuild", "dart-sass", "esbuild", "brotli", "deflate"} <= set(manifest["build"]["tools"])


def test_the_classic_theme_runs_its_webassets_filters(compiled: Callable[..., Outcome], tmp_path: Path) -> None:
    project = Path(shutil.copytree(EXAMPLE / "classic", tmp_path / "classic", ignore=shutil.ignore_patterns("build")))

    outcome = compiled(project)

    css = next(asset for asset in outcome.assets if asset.logical == "css/theme.css")
    js = next(asset for asset in outcome.assets if asset.logical == "js/theme.js")
    kiln = next(asset for asset in outcome.assets if asset.logical == "img/kiln.svg")
    assert isinstance(css.body, bytes)
    assert f'url("../{kiln.path}")' in css.body.decode()
    assert css.body.startswith(b"/*! Kiln theme */")
    assert isinstance(js.body, bytes)
    assert b"//" not in js.body
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)


def test_the_command_compiles_the_example_and_says_so_in_one_line(example: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assetbuild", "compile", str(example)], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stdout), done.stderr
    assert done.stderr.startswith("compiled ")
    assert 1 == done.stderr.count("\n")

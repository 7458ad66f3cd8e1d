"""Real scripts from npm: bundled, joined, and as they are with an import map; each runs in a real browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.serving import serving

BUNDLED = """
output = "out"
[entries]
"js/scene.js" = { module = "js/scene.js" }
"js/alpine.js" = { module = "js/alpine.js" }
"js/hotwire.js" = { module = "js/hotwire.js" }
"js/preact.js" = { module = "js/preact.tsx" }
"js/htmx.js" = { classic = ["htmx.org/dist/htmx.js"] }
"js/ui.js" = { classic = ["jquery/dist/jquery.js", "jquery-ui/dist/jquery-ui.js", "js/dialog.js"] }
"css/ui.css" = "jquery-ui/dist/themes/base/jquery-ui.css"
[js]
jsx_import_source = "preact"
[compress]
gzip = false
br = false
"""

SCENE = """
import { PerspectiveCamera, REVISION, Scene } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const scene = new Scene(), camera = new PerspectiveCamera();
camera.position.z = 5;
new OrbitControls(camera, document.body).update();
const model = { asset: { version: "2.0" }, scene: 0, scenes: [{ nodes: [0] }], nodes: [{ name: "brick" }] };
const loaded = await new GLTFLoader().parseAsync(JSON.stringify(model), "");
scene.add(loaded.scene);
window.scene = [REVISION, scene.getObjectByName("brick").name];
"""
ALPINE = """
import Alpine from "alpinejs";
Alpine.data("counter", () => ({ count: 1, init() { this.count += 1; } }));
Alpine.start();
"""
HOTWIRE = """
import * as Turbo from "@hotwired/turbo";
import { Application, Controller } from "@hotwired/stimulus";
Application.start().register("hello", class extends Controller {
  static targets = ["name"];
  connect() { this.nameTarget.textContent = "stimulus"; }
});
document.querySelector("turbo-stream-source, #streamed").insertAdjacentHTML(
  "beforebegin", '<turbo-stream action="update" target="streamed"><template>turbo</template></turbo-stream>');
window.turbo = typeof Turbo.visit;
"""
PREACT = """
import { render } from "preact";
import { useState } from "preact/hooks";

function Name({ of }: { of: string }) {
  const [name] = useState<string>(of);
  return <><b>{name}</b></>;
}

render(<Name of="preact" />, document.getElementById("preact")!);
"""
DIALOG = '$(function () { $("#dialog").dialog({ title: "ui" }); });'

BODY = """
<p id="alpine" x-data="counter" x-text="count"></p>
<p id="stimulus" data-controller="hello"><span data-hello-target="name"></span></p>
<p id="streamed"></p> <p id="preact"></p> <div id="dialog">text</div>
<p id="htmx" hx-get="{part}" hx-trigger="load"></p>
"""
TEXTS = "[...document.querySelectorAll('p')].map((each) => each.textContent.trim())"
READY = "window.scene && window.turbo && document.querySelector('#htmx b') && document.querySelector('#preact b')"


@pytest.fixture
def project(tree: Tree, installed_packages: Callable[[str], Path]) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Return a function that writes a project which has the packages in its `node_modules`."""

    def build(files: Mapping[str, str | bytes]) -> Path:
        folder = tree(files)
        shutil.copytree(
            installed_packages("npm-scripts"), folder / "node_modules", copy_function=os.link, symlinks=True
        )
        return folder

    return build


def page_of(outcome: Outcome, modules: list[str], classics: list[str], styles: list[str]) -> str:
    document = json.loads(outcome.manifest)
    urls = {logical: document["base"] + asset["file"] for logical, asset in document["assets"].items()}
    imports = {name: urls[logical] for name, logical in document.get("importmap", {}).items()}
    return "\n".join(
        [
            '<!doctype html><link rel="icon" href="data:,">',
            f'<script type="importmap">{json.dumps({"imports": imports})}</script>' if imports else "",
            *(f'<link rel="stylesheet" href="{urls[logical]}">' for logical in styles),
            BODY.replace("{part}", urls["part.html"]),
            *(f'<script src="{urls[logical]}"></script>' for logical in classics),
            *(f'<script type="module" src="{urls[logical]}"></script>' for logical in modules),
        ]
    )


def test_packages_run_bundled_and_joined(
    project: Callable[[Mapping[str, str | bytes]], Path],
    compiled: Callable[..., Outcome],
    chromium: str,
    esbuild: object,
) -> None:
    sources = {"scene.js": SCENE, "alpine.js": ALPINE, "hotwire.js": HOTWIRE, "preact.tsx": PREACT, "dialog.js": DIALOG}
    files = {f"assets/js/{name}": text for name, text in sources.items()}
    folder = project({**files, "assets/part.html": "<b>htmx</b>", "assetbuild.toml": BUNDLED})

    outcome = compiled(folder)

    modules = ["js/scene.js", "js/alpine.js", "js/hotwire.js", "js/preact.js"]
    page = page_of(outcome, modules, ["js/htmx.js", "js/ui.js"], ["css/ui.css"])
    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        title = "document.querySelector('.ui-dialog-title').textContent"
        icon = "getComputedStyle(document.querySelector('.ui-icon-closethick')).backgroundImage"
        visit = browser.look(url, TEXTS, "window.scene", "window.turbo", title, icon, ready=READY)
    assert [] == visit.problems
    assert [["2", "stimulus", "turbo", "preact", "htmx"], ["180", "brick"], "function", "ui"] == visit.values[:4]
    assert visit.values[4].startswith(f'url("{url}/static/npm/jquery-ui/dist/themes/base/images/ui-icons')
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)
    assert [] == [each.message for each in outcome.diagnostics if each.severity != "note"]
    _are_references_found(outcome)


def _are_references_found(outcome: Outcome) -> None:
    assets = json.loads(outcome.manifest)["assets"]
    assert set() == {name for asset in assets.values() for name in asset.get("refs", [])} - assets.keys()
    assert [] == [a.logical for a in outcome.assets if isinstance(a.body, bytes) and b"assetbuild:" in a.body]


def test_packages_run_as_they_are_with_an_import_map(
    project: Callable[[Mapping[str, str | bytes]], Path], compiled: Callable[..., Outcome], chromium: str
) -> None:
    preact = "import { h, render } from 'preact'; import { useState } from 'preact/hooks';"
    preact += "render(h('b', null, h(() => useState('preact')[0])), document.getElementById('preact'));"
    sources = {"scene.js": SCENE, "alpine.js": ALPINE, "hotwire.js": HOTWIRE, "preact.js": preact}
    config = """
    output = "out"
    roots = ["assets", { path = "node_modules/htmx.org/dist", as = "htmx", include = ["htmx.js"] }]
    [js]
    importmap = true
    [compress]
    gzip = false
    br = false
    """
    files = {f"assets/js/{name}": text for name, text in sources.items()}
    folder = project({**files, "assets/part.html": "<b>htmx</b>", "assetbuild.toml": config})

    outcome = compiled(folder)

    page = page_of(outcome, [f"js/{name}" for name in sources], ["htmx/htmx.js"], [])
    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        visit = browser.look(url, TEXTS, "window.scene", "window.turbo", ready=READY)
    assert [] == visit.problems
    assert [["2", "stimulus", "turbo", "preact", "htmx"], ["180", "brick"], "function"] == visit.values
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)
    names = json.loads(outcome.manifest)["importmap"]
    assert "npm/three/build/three.module.js" == names["three"]
    assert "npm/three/examples/jsm/controls/OrbitControls.js" == names["three/addons/controls/OrbitControls.js"]

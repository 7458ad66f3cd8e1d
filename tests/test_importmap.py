from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler import Outcome
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.importmap import mapped, stable_name
from assetbuild.compiler.model import Draft, Piece, Ref, Stable
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.serving import serving

CONFIG = "[js]\nimportmap = true\n[compress]\ngzip = false\nbr = false\n"

SITE: Mapping[str, str | bytes] = {
    "assetbuild.toml": CONFIG,
    "assets/js/main.js": """
import { ring } from "./ring/one.js";
import * as kit from "kit";
import { deep } from "kit/deep";
import data from "../data.json" with { type: "json" };
const { lazy } = await import(`./lazy space.js`);
const again = await import("./lazy%20space.js?v=2");
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data: said }) => {
  window.seen = [ring(), kit.name, deep, data.n, lazy, again.lazy, said, import.meta.resolve("./ring/one.js")];
};
""",
    "assets/js/ring/one.js": "import { two } from './two.js';"
    " export const ring = () => 'r' + two(); export const n = 1;",
    "assets/js/ring/two.js": "import { three } from './three.js'; export const two = () => 2 + three();",
    "assets/js/ring/three.js": "import * as self from './three.js'; import { n } from './one.js';"
    " export const three = () => n + self.base; export const base = 4;",
    "assets/js/lazy space.js": "export { shared as lazy } from './shared.js'",
    "assets/js/shared.js": "import { leaf } from './leaf.js'; export const shared = 'shared ' + leaf;",
    "assets/js/leaf.js": "export const leaf = 'leaf';",
    "assets/js/worker.js": "import { shared } from './shared.js'; postMessage('worker ' + shared);",
    "assets/data.json": '{"n": 7}',
    "node_modules/kit/package.json": json.dumps(
        {
            "name": "kit",
            "exports": {
                ".": {"node": "./node.cjs", "browser": "./browser.js", "default": "./other.js"},
                "./deep": {"require": "./deep.cjs", "import": "./lib/deep.js"},
            },
            "imports": {"#depth": {"browser": "./lib/depth.js"}},
        }
    ),
    "node_modules/kit/browser.js": "import { tail } from 'tail/tail.js'; export const name = 'kit' + tail;",
    "node_modules/kit/lib/deep.js": "import { depth } from '#depth'; export const deep = 'deep' + depth;",
    "node_modules/kit/lib/depth.js": "import { tail } from 'tail'; export const depth = tail;",
    "node_modules/kit/node_modules/tail/package.json": '{"name": "tail", "module": "tail.js", "main": "tail.cjs"}',
    "node_modules/kit/node_modules/tail/tail.js": "export const tail = '!';",
}


@pytest.fixture
def site(tree: Tree, compiled: Callable[..., Outcome]) -> Callable[..., Outcome]:
    def run(**changed: str) -> Outcome:
        return compiled(tree({**SITE, **{f"assets/js/{name}.js": text for name, text in changed.items()}}))

    return run


def manifest_of(outcome: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(outcome.manifest)
    return document


def text_of(outcome: Outcome, logical: str) -> str:
    body = next(asset.body for asset in outcome.assets if asset.logical == logical)
    assert isinstance(body, bytes)
    return body.decode()


def paths_of(outcome: Outcome) -> dict[str, str]:
    return {asset.logical: asset.path for asset in outcome.assets}


def page_of(outcome: Outcome, entry: str) -> str:
    """Return a page with the import map that the manifest describes, and one module."""
    document = manifest_of(outcome)
    base, assets = document["base"], document["assets"]
    imports = {name: base + assets[logical]["file"] for name, logical in document["importmap"].items()}
    return (
        '<!doctype html><link rel="icon" href="data:,">'
        f'<script type="importmap">{json.dumps({"imports": imports})}</script>'
        f'<script type="module" src="{base}{assets[entry]["file"]}"></script>'
    )


def test_a_page_with_the_map_runs_modules_packages_and_workers(site: Callable[..., Outcome], chromium: str) -> None:
    outcome = site()

    with (
        serving(Path(outcome.project.output), page_of(outcome, "js/main.js")) as url,
        chromium_browser(chromium) as browser,
    ):
        visit = browser.look(url, "window.seen", ready="window.seen")

    ring = f"{url}/static/{paths_of(outcome)['js/ring/one.js']}"
    said = ["r7", "kit!", "deep!", 7, "shared leaf", "shared leaf", "worker shared leaf", ring]
    assert [] == visit.problems
    assert [said] == visit.values
    # A worker's own requests are not the page's.
    served = {f"{url}/static/{path}" for logical, path in paths_of(outcome).items() if logical != "js/worker.js"}
    assert served == {request.partition("?")[0] for request in visit.requests} - {url + "/"}
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)


def test_the_map_names_what_modules_ask_for_and_nothing_else(site: Callable[..., Outcome]) -> None:
    outcome = site()

    assert manifest_of(outcome)["importmap"] == {
        "#js/lazy%20space.js": "js/lazy space.js",
        "#js/ring/one.js": "js/ring/one.js",
        "#js/ring/three.js": "js/ring/three.js",
        "#js/ring/two.js": "js/ring/two.js",
        "#js/shared.js": "js/shared.js",
        "#npm/kit/lib/depth.js": "npm/kit/lib/depth.js",
        "kit": "npm/kit/browser.js",
        "kit/deep": "npm/kit/lib/deep.js",
        "tail": "npm/kit/node_modules/tail/tail.js",
        "tail/tail.js": "npm/kit/node_modules/tail/tail.js",
    }


def test_facts_name_what_a_module_imports_though_its_text_does_not(site: Callable[..., Outcome]) -> None:
    main = manifest_of(site())["assets"]["js/main.js"]

    assert ["data.json", "js/ring/one.js", "npm/kit/browser.js", "npm/kit/lib/deep.js"] == main["imports"]
    assert ["js/lazy space.js"] == main["dynamic"]
    assert ["data.json", "js/lazy space.js", "js/worker.js"] == main["refs"]
    assert "cycle" not in manifest_of(site())["assets"]["js/ring/one.js"]


def test_editing_a_leaf_renames_one_file(site: Callable[..., Outcome]) -> None:
    before, after = site(), site(**{"ring/three": "import { n } from './one.js'; export const three = () => n + 5;"})

    changed = [logical for logical, path in paths_of(after).items() if path != paths_of(before)[logical]]
    assert ["js/ring/three.js"] == changed
    assert set(manifest_of(before)["importmap"]) == set(manifest_of(after)["importmap"])


def test_editing_what_a_worker_loads_renames_what_refers_to_it(site: Callable[..., Outcome]) -> None:
    before, after = site(), site(leaf="export const leaf = 'other';")

    changed = {logical for logical, path in paths_of(after).items() if path != paths_of(before)[logical]}
    # main.js refers to the worker by its URL, and to the module with a query by its own.
    assert {"js/leaf.js", "js/shared.js", "js/worker.js", "js/main.js"} <= changed
    assert f'"./{paths_of(after)["js/leaf.js"].removeprefix("js/")}"' in text_of(after, "js/shared.js").replace(
        "'", '"'
    )


def test_two_versions_of_a_package_are_told_apart(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG,
            "assets/a.js": "import 'dep'; import 'outer';",
            "node_modules/dep/package.json": '{"module": "d.js"}',
            "node_modules/dep/d.js": "export default 1",
            "node_modules/outer/package.json": '{"module": "o"}',
            "node_modules/outer/o.js": "import 'dep';",
            "node_modules/outer/node_modules/dep/package.json": '{"module": "d.js"}',
            "node_modules/outer/node_modules/dep/d.js": "export default 2",
        }
    )

    outcome = compiled(folder)

    inner = "npm/outer/node_modules/dep/d.js"
    assert {"dep": "npm/dep/d.js", "outer": "npm/outer/o.js", f"#{inner}": inner} == manifest_of(outcome)["importmap"]
    assert f"import '#{inner}';" == text_of(outcome, "npm/outer/o.js")


def test_what_is_served_under_a_stable_name_needs_no_map(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    config = 'site_root = ["sw.js"]\nkeep_names = ["embed.js"]\n' + CONFIG
    files = {"sw.js": "import './lib.js'", "embed.js": "import './lib.js'", "lib.js": "import './leaf.js'"}
    leaves = {"leaf.js": "1", "page.js": "import './lib.js'; import './page2.js'", "page2.js": ""}

    outcome = compiled(tree({"assetbuild.toml": config, **{f"assets/{k}": v for k, v in (files | leaves).items()}}))

    paths = paths_of(outcome)
    assert f"import '/static/{paths['lib.js']}'" == text_of(outcome, "sw.js")
    assert f"import './{paths['lib.js']}'" == text_of(outcome, "embed.js")
    assert f"import './{paths['leaf.js']}'" == text_of(outcome, "lib.js")
    assert "import '#lib.js'; import '#page2.js'" == text_of(outcome, "page.js")


def test_a_bare_name_on_the_load_path_comes_before_packages(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    outcome = compiled(tree({"assetbuild.toml": CONFIG, "assets/js/a.js": "import 'js/b.js'", "assets/js/b.js": ""}))

    assert {"js/b.js": "js/b.js"} == manifest_of(outcome)["importmap"]
    assert "import 'js/b.js'" == text_of(outcome, "js/a.js")


def test_without_the_setting_there_is_no_map(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    outcome = compiled(tree({"assets/a.js": "import './b.js'", "assets/b.js": ""}))

    assert "importmap" not in manifest_of(outcome)
    assert f"import './{paths_of(outcome)['b.js']}'" == text_of(outcome, "a.js")


def test_what_no_browser_can_import_is_told_with_its_place(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG,
            "assets/a.js": "import 'gone';\nimport 'kit/hidden';\nimport 'path';\nimport x from 'old';\nimport '#own';",
            "node_modules/kit/package.json": '{"exports": {".": "./lost.js"}}',
            "node_modules/old/package.json": '{"main": "./old"}',
            "node_modules/old/old.js": "/* export default */ module.exports = require('path')",
        }
    )

    with pytest.raises(CompileFailed) as failed:
        compiled(folder)

    found = [(d.span.line if d.span else 0, d.rule, d.message) for d in failed.value.diagnostics]
    assert [
        (1, "missing-package", "package `gone` is not installed"),
        (2, "missing-package", "`kit/hidden` is not given out by `exports` of `kit`"),
        (3, "node-builtin", "`path` is built into Node and not into browsers"),
        (
            4,
            "no-exports",
            "`old` exports nothing that a browser could import: `node_modules/old/old.js` is no module",
        ),
        (5, "missing-package", "`#own` is private to a package, and this file is in none"),
    ] == found


names = st.text("ab#'\"`{$ /é", min_size=1, max_size=6)


@given(
    edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["url", "module"])), max_size=14),
    stable=st.sets(st.integers(0, 5), max_size=2),
)
def test_no_script_that_may_run_without_the_map_needs_it(edges: list[tuple[int, int, Any]], stable: set[int]) -> None:
    bodies: list[list[Piece]] = [[b""] for _ in range(6)]
    for source, target, style in edges:
        name = stable_name(f"{target}.js") if style == "module" else ""
        bodies[source].append(Ref(f"{target}.js", style, name))
    drafts = [Draft(f"{number}.js", "text/javascript", tuple(body)) for number, body in enumerate(bodies)]
    drafts = [d._replace(stable=Stable()) if n in stable else d for n, d in enumerate(drafts)]

    made = mapped(drafts)

    without = {f"{number}.js" for number in stable} | {f"{target}.js" for _, target, style in edges if style == "url"}
    for _ in range(6):
        without |= {f"{target}.js" for source, target, _ in edges if f"{source}.js" in without}
    for before, after in zip(drafts, made.drafts, strict=True):
        if before.logical in without:
            assert before == after
        else:
            assert not any(isinstance(piece, Ref) and piece.name for piece in after.body)
    used = {piece.decode() for draft in made.drafts for piece in draft.body if isinstance(piece, bytes) and piece}
    assert used == set(made.imports)


@given(names)
def test_a_stable_name_fits_into_any_literal_and_is_no_url(logical: str) -> None:
    name = stable_name(logical)

    assert name.startswith("#")
    assert not set("'\"`\\ {}\n") & set(name)


def test_a_short_alias_says_nothing_of_a_scoped_package(tree: Tree, compiled: Callable[..., Outcome]) -> None:
    project = tree(
        {
            "assetbuild.toml": '[js]\nimportmap = true\n[urls]\naliases = { "@" = "assets" }\n',
            "assets/a.js": 'import x from "@scope/pkg"; import "@/b.js"; f(x)',
            "assets/b.js": "export default 1",
            "node_modules/@scope/pkg/package.json": '{"name": "@scope/pkg", "type": "module", "main": "main.js"}',
            "node_modules/@scope/pkg/main.js": "export default 2",
        }
    )

    manifest = json.loads(compiled(project).manifest)

    assert "npm/@scope/pkg/main.js" == manifest["importmap"]["@scope/pkg"]

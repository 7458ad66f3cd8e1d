from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.engines import script
from assetbuild.compiler.model import Facts, Job, Result
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Js, Urls
from assetbuild.compiler.refs.js.lexed import Goal, Lexed
from assetbuild.compiler.refs.js.lexer import lex
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.script_shop import Files, Yard, draft_of, minifier_is_here, rules, written
from tests.serving import serving

Build = Callable[..., Result]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    minifier_is_here()
    with Workers(1) as one:
        yield one


@pytest.fixture
def build(tree: Tree) -> Build:
    def run(files: Files, name: str = "js/a.js", *, minify: bool = False, **options: object) -> Result:
        yard = Yard(tree({f"assets/{path}": content for path, content in files.items()}), **options)  # type: ignore[arg-type]
        return script.build(
            Job("script", (name,), (yard.sources[name],), {"minify": minify}), yard.reading(), yard.shop
        )

    return run


def test_references_of_a_module_become_refs_and_the_rest_stays_as_it_is(build: Build) -> None:
    text = """#!/x
import b from "./b.js"; // import "./no.js"
export * from '../c.mjs?v=1#d';
const e = await import(/* f */ `./b.js`), g = new URL("../img/g h.png#'", import.meta.url);
"""

    result = build({"js/a.js": text, "js/b.js": "export default 1", "c.mjs": "", "img/g h.png": b"x"})

    assert """#!/x
import b from "<./js/b.js>"; // import "./no.js"
export * from '<./c.mjs>?v=1#d';
const e = await import(/* f */ `<./js/b.js>`), g = new URL("<img/g h.png>#'", import.meta.url);
""" == written(result)
    assert Facts("module", imports=("c.mjs", "js/b.js"), dynamic=("js/b.js",)) == draft_of(result).facts
    assert "text/javascript; charset=utf-8" == draft_of(result).media_type
    assert () == result.diagnostics


@pytest.mark.parametrize("text", ["", "a = 'import \"./b.js\"'\r\n", "a / 'ü' // \u2028\n", "\ufeffx = `\r\n`"])
def test_a_script_without_references_stays_byte_identical(build: Build, text: str) -> None:
    result = build({"js/a.js": text})

    assert text.encode() == b"".join(piece for piece in draft_of(result).body if isinstance(piece, bytes))
    assert Facts("classic") == draft_of(result).facts


def test_a_query_keeps_its_quotes_apart_from_those_around_it(build: Build) -> None:
    result = build({"js/a.js": "import './b.js?\\'${c}\\\\'; import(`./b.js?\\`\\${c}`)", "js/b.js": ""})

    assert "import '<./js/b.js>?\\'${c}\\\\'; import(`<./js/b.js>?\\`\\${c}`)" == written(result)


def test_a_missing_reference_names_its_place_and_the_nearest_file(build: Build) -> None:
    result = build({"js/a.js": "b();\nimport './lib/helper.js'", "js/lib/helpers.js": ""})

    (found,) = result.diagnostics
    assert ("missing-reference", "error", "did you mean `./lib/helpers.js`?") == (
        found.rule,
        found.severity,
        found.hint,
    )
    assert found.span is not None
    assert ("assets/js/a.js", 2, 9, 15) == found.span[:4]
    assert "b();\nimport './lib/helper.js'" == written(result)


def test_a_missing_reference_of_a_vendored_script_is_a_warning_and_can_be_allowed(build: Build) -> None:
    files: Files = {"js/a.js": "import './none.js'"}

    assert [("missing-reference", "warning")] == rules(build(files, vendored=("js/a.js",)))
    assert [] == rules(build(files, missing_allow=("js/none.*",)))
    assert [] == rules(build(files, missing_allow=("js/a.js",)))


def test_a_bare_specifier_is_refused_in_own_scripts_and_told_in_vendored_ones(build: Build) -> None:
    files: Files = {
        "js/a.js": "import 'lodash'; import('@scope/b/c.js'); new URL('d.js', import.meta.url)",
        "js/d.js": "",
    }

    own = build(files)

    assert [("bare-specifier", "error"), ("bare-specifier", "error")] == rules(own)
    assert "a browser cannot find `lodash` by its bare name" == own.diagnostics[0].message
    assert "{ module = " in own.diagnostics[0].hint
    assert [("bare-specifier", "warning")] * 2 == rules(build(files, vendored=("js/a.js",)))
    assert [("missing-package", "error")] * 2 == rules(build(files, js=Js(importmap=True)))
    assert [("bare-specifier", "error")] == rules(build(files, js=Js(external=("lodash",))))


def test_urls_stay_as_they_are_and_an_alias_is_followed(build: Build) -> None:
    files: Files = {
        "js/a.js": "import 'https://x/y.js'; import 'data:text/javascript,'; import '@/b.js'",
        "js/b.js": "",
    }

    result = build(files, urls=Urls(aliases={"@": "assets/js"}))

    assert "import 'https://x/y.js'; import 'data:text/javascript,'; import '<./js/b.js>'" == written(result)
    assert () == result.diagnostics


def test_a_file_of_a_package_is_pulled_in_by_its_path(build: Build, tree: Tree) -> None:
    tree({"node_modules/p/x.js": "1"})

    result = build({"js/a.js": "import '../../node_modules/p/x.js'"})

    assert ["npm/p/x.js"] == [source.logical for source in result.found]
    assert "import '<./npm/p/x.js>'" == written(result)


def test_a_text_that_looks_like_a_token_is_no_obstacle(build: Build) -> None:
    from assetbuild.compiler.model import Ref
    from assetbuild.compiler.tokens import Tokens

    # A file cannot hold its own digest, so the clash is made with a table of its own.
    text = "a = 'b'"
    assert Tokens(text).token(Ref("x")) != Tokens(text, 1).token(Ref("x"))
    result = build({"js/a.js": f"import './b.js'; c = '{Tokens(text).token(Ref('x'))}'", "js/b.js": ""})
    assert written(result).startswith("import '<./js/b.js>'; c = 'assetbuild:")


def test_a_root_may_ask_for_minified_scripts(build: Build, workers: Workers) -> None:
    result = build(
        {"js/a.js": "import './b.js';\n\nexport const a = 1 + 1;\n", "js/b.js": ""}, minify=True, workers=workers
    )

    assert 'import"<./js/b.js>";export const a=1+1' == written(result)
    assert {"tdewolff-minify"} == set(result.tools)


def test_a_script_that_the_minifier_cannot_read_is_published_as_it_is(build: Build, workers: Workers) -> None:
    text = "import a from './b.json' with { type: 'json' }"

    result = build({"js/a.js": text, "js/b.json": "1"}, minify=True, workers=workers)

    assert [("unreadable-script", "warning")] == rules(result)
    assert "import a from '<./js/b.json>' with { type: 'json' }" == written(result)


def test_a_script_that_shows_no_reference_is_not_lexed(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    lexed: list[str] = []

    def counted(text: str, goal: Goal = "script") -> Lexed:
        lexed.append(text)
        return lex(text, goal)

    monkeypatch.setattr("assetbuild.compiler.refs.js.lex", counted)

    umd = "(function (root, make) { typeof exports === 'object' ? module.exports = make(require('x')) : make() })"
    for text in (umd, "important(); exported = reexport; /* imports */ $('.importer')", "éimport = 1"):
        build({"js/a.js": text})
    assert [] == lexed
    for text in ("import './b.js'", "/*export*/", "require.context('./x')", "if(a)import('./b.js')"):
        build({"js/a.js": text, "js/b.js": ""})
    assert 4 == len(lexed)


def test_a_require_in_a_module_is_refused_unless_the_module_asks_for_it(build: Build) -> None:
    own = build({"js/a.js": "export const a = 1;\nconst x = require('x'), y = a.require('y');"})

    assert [("left-require", "error")] == rules(own)
    assert "`require` of `x` stays in a module, and browsers do not have it" == own.diagnostics[0].message
    assert own.diagnostics[0].span is not None
    assert ("assets/js/a.js", 2, 11) == own.diagnostics[0].span[:3]
    for text in (
        "typeof require == 'function' && require('x'); export {}",
        "function f(require) { require('x') } export {}",
        "const require = (name) => name; require('x'); export {}",
        "// require('x')\nexport const a = \"require('x')\"",
        "module.exports = require('x')",
        "define(function (require) { require('x') })",
    ):
        assert [] == rules(build({"js/a.js": text}))
    assert [("left-require", "warning")] == rules(build({"js/a.js": "export {}; require('x')"}, vendored=("js/a.js",)))


def test_what_webpack_alone_understands_is_refused_in_any_script(build: Build) -> None:
    result = build({"js/a.js": "var all = require.context('./parts', true);"})

    assert [("require-context", "error")] == rules(result)
    assert result.diagnostics[0].span is not None
    assert ("assets/js/a.js", 1, 11) == result.diagnostics[0].span[:3]


@pytest.mark.parametrize("name", ["node:fs", "fs", "fs/promises", "node:test"])
def test_what_is_built_into_node_is_refused(build: Build, name: str) -> None:
    text = f"import '{name}'"

    assert [("node-builtin", "error")] == rules(build({"js/a.js": text}))
    assert [("node-builtin", "warning")] == rules(build({"js/a.js": text}, vendored=("js/a.js",)))
    assert [] == rules(build({"js/a.js": text}, js=Js(external=(name,))))


def test_taking_something_from_a_script_without_exports_is_refused(build: Build) -> None:
    common = "/* export */ module.exports = { a: 1 }"
    files: Files = {
        "js/c.js": common,
        "js/m.js": "exports.b = 1; export default 1",
        "js/e.js": "export * from './m.js'",
    }

    refused = build(
        {"js/a.js": "import a from './c.js'; export { b } from './c.js'; import*as c from'./c.js'", **files}
    )
    fine = build(
        {
            "js/a.js": "import'./c.js'; import('./c.js'); export*from'./c.js';"
            "import d from './m.js'; import { e } from './e.js'",
            **files,
        }
    )

    assert [("no-exports", "error")] * 3 == rules(refused)
    assert "`./c.js` exports nothing that a browser could import: `assets/js/c.js` is no module" == (
        refused.diagnostics[0].message
    )
    assert () == fine.diagnostics


UNBUNDLED: Files = {
    "js/main.js": """
import { one } from "./ring/one.js";
import { self } from "./self.js";
import data from "./data.json" with { type: "json" };
import sheet from "../css/a.css" with { type: "css" };
import{a as b}from"./min.js";import*as all from"./all.js";import d,{a}from"./min.js"
const lazy = "import('./no.js')" && (await import(/* webpackChunkName: "x" */ `./lazy.js`)).default;
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const answer = new Promise((done) => (worker.onmessage = (event) => done(event.data)));
const shared = new SharedWorker(new URL("./shared.js", import.meta.url), { type: "module" });
const second = new Promise((done) => (shared.port.onmessage = (event) => done(event.data)));
const sound = new OfflineAudioContext(1, 128, 44100);
await sound.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
new AudioWorkletNode(sound, "brick").connect(sound.destination);
const samples = (await sound.startRendering()).getChannelData(0);
const image = new Image();
image.src = new URL("../img/p.png", import.meta.url);
await image.decode();
window.seen = [one(), self(), data.n, sheet.cssRules.length, b, all.star, all.named, d, a, lazy,
  await answer, await second, samples[0], image.naturalWidth, import.meta.resolve("./lazy.js").includes("lazy-")];
""",
    "js/ring/one.js": "import { two } from './two.js'; export const one = () => 1 + two(); export const base = 100;",
    "js/ring/two.js": "import { three } from './three.js'; export const two = () => 20 + three();",
    "js/ring/three.js": "import { base } from './one.js'; export const three = () => 300 + base;",
    "js/self.js": "import * as me from './self.js'; export const self = () => Object.keys(me).join();",
    "js/min.js": "let a=1,b=a/2/1;export{a,b as default}",
    "js/all.js": "export*from'./star.js';export{default as named}from'./min.js'",
    "js/star.js": "export const star = /[/'\"`]export{x}from'no'/.test(\"/\") || 'star'",
    "js/lazy.js": "export default 'lazy'",
    "js/worker.js": "import { one } from './ring/one.js'; postMessage(one())",
    "js/shared.js": "import { star } from './star.js'; onconnect = (event) => event.ports[0].postMessage(star)",
    "js/worklet.js": "import { level } from './level.js'; class Brick extends AudioWorkletProcessor"
    " { process(inputs, [[channel]]) { channel.fill(level); return false } } registerProcessor('brick', Brick)",
    "js/level.js": "export const level = 0.5",
    "js/data.json": '{"n": 7}',
    "css/a.css": "a { color: red }",
}


def test_unbundled_modules_find_one_another_in_a_browser(
    tree: Tree, compiled: Callable[..., Outcome], chromium: str
) -> None:
    picture = (
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    )
    files = {f"assets/{path}": content for path, content in UNBUNDLED.items()}

    outcome = compiled(tree({**files, "assets/img/p.png": picture}), profile="fast")

    paths = {asset.logical: asset.path for asset in outcome.assets}
    module = f'<script type="module" src="/static/{paths["js/main.js"]}"></script>'
    page = '<!doctype html><link rel="icon" href="data:,">' + module
    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        visit = browser.look(url, "window.seen", ready="window.seen")
    assert [] == visit.problems
    assert [[421, "self", 7, 1, 1, "star", 0.5, 0.5, 1, "lazy", 421, "star", 0.5, 1, True]] == visit.values
    cycles = {asset.logical for asset in outcome.assets if asset.cycle_hex}
    assert {"js/ring/one.js", "js/ring/two.js", "js/ring/three.js", "js/self.js"} == cycles

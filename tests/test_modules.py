"""Module graphs through the real esbuild: names, references, facts, records and errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.engines.esbuild import Esbuild, EsbuildFault
from assetbuild.compiler.engines.modules.marks import BrokenMark, Marks
from assetbuild.compiler.errors import CompileFailed, DiagnosticsError
from assetbuild.compiler.model import Facts, Input, Ref, Result
from assetbuild.compiler.tokens import NonceClash
from assetbuild.diagnostic import Span
from tests import esbuild_shop
from tests.conftest import Tree
from tests.esbuild_shop import bundle, texts


@pytest.fixture(scope="module")
def service() -> Iterator[Esbuild]:
    with Esbuild(esbuild_shop.argv()) as opened:
        yield opened


SPLIT = {
    "assets/js/app.ts": 'import { shared } from "./shared"; import("./lazy").then(console.log); shared("app")',
    "assets/js/other.ts": 'import { shared } from "./shared"; import("./lazy").then(console.log); shared("other")',
    "assets/js/shared.ts": "export const shared = (name: string): void => console.log(name)",
    "assets/js/lazy.ts": 'import { shared } from "./shared"; shared("lazy")',
}
TWO = {"js/app.js": "js/app.ts", "js/other.js": "js/other.ts"}


def facts(result: Result) -> dict[str, Facts]:
    return {draft.logical: draft.facts for draft in result.drafts}


def findings(result: Result) -> list[tuple[str, str, str, int, int]]:
    """Return rule, message, path, line and column of each finding."""
    found = []
    for finding in result.diagnostics:
        span = finding.span
        assert span is not None, finding
        found.append((finding.rule, finding.message, span.path, span.line, span.column))
    return sorted(found)


def test_a_split_graph_comes_out_as_entries_and_named_chunks_that_refer_to_each_other(
    service: Esbuild, tree: Tree
) -> None:
    result = bundle(service, tree(SPLIT), TWO)

    assert () == result.diagnostics
    (shared,) = (name for name in texts(result) if "shared" in name)
    assert ["js/app.js", "js/chunks/lazy.js", shared, "js/other.js"] == list(texts(result))
    assert f'from "<{shared}>"' in texts(result)["js/app.js"]
    assert 'import("<js/chunks/lazy.js>")' in texts(result)["js/app.js"]
    assert {"module"} == {piece.style for d in result.drafts for piece in d.body if isinstance(piece, Ref)}
    entry = Facts("module", True, "assets/js/app.ts", imports=(shared,), dynamic=("js/chunks/lazy.js",))
    assert entry == facts(result)["js/app.js"]
    assert Facts("module", imports=(shared,)) == facts(result)["js/chunks/lazy.js"]
    assert {"esbuild": "0.28.2"} == result.tools


def test_minified_references_between_outputs_are_found_too(service: Esbuild, tree: Tree) -> None:
    result = bundle(service, tree(SPLIT), TWO, minify=True)

    (shared,) = (name for name in texts(result) if "shared" in name)
    minified = f'import{{a as o}}from"<{shared}>";import("<js/chunks/lazy-minified.js>").then(console.log);o("app");\n'
    assert minified == texts(result)["js/app.js"]


def test_an_edit_inside_a_file_renames_no_chunk(service: Esbuild, tree: Tree) -> None:
    before = texts(bundle(service, tree(SPLIT), TWO))
    after = texts(bundle(service, tree(SPLIT | {"assets/js/shared.ts": "export const shared = console.warn"}), TWO))

    assert before.keys() == after.keys()
    assert before["js/app.js"] == after["js/app.js"]
    assert before != after


def test_lazy_files_of_one_name_get_names_of_their_own(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/app.js": 'import("./a/index.js"); import("./b/index.js"); import("./c/page.js")',
        "assets/a/index.js": "console.log(1)",
        "assets/b/index.js": "console.log(2)",
        "assets/c/page.js": "console.log(3)",
    }

    result = bundle(service, tree(files), {"out.js": "app.js"})

    names = sorted(texts(result))
    assert "js/chunks/page.js" in names
    assert 2 == len([name for name in names if name.startswith("js/chunks/index-")])


def test_neither_folder_nor_order_of_entries_shows(service: Esbuild, tmp_path: Path) -> None:
    made = []
    for name, entries in (("a", TWO), ("b/c", dict(reversed(TWO.items())))):
        for file, text in (SPLIT | {"assets/js/x.css": ".a{b:c}"}).items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
        made.append(bundle(service, tmp_path / name, entries, minify=True).drafts)

    assert made[0] == made[1]


def test_json_typescript_and_jsx_compile_and_unused_code_goes(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/app.tsx": 'import { n } from "./n.json"; import { used } from "./lib"; /*! kept */ /* dropped */'
        " enum E { A = 7 }; used(<p class='x'>{n}{E.A as number}</p>)",
        "assets/n.json": '{"n": 42, "m": "unused json"}',
        "assets/lib.ts": "export const used = console.log; export const unused = () => 'unused code'",
        "assets/node_modules/x/jsx-runtime.js": "",
        "node_modules/h/jsx-runtime.js": "export const jsx = (...args) => args; export const jsxs = jsx",
        "node_modules/h/package.json": '{"name": "h", "sideEffects": false}',
    }

    result = bundle(service, tree(files), {"app.js": "app.tsx"}, minify=True, jsx_import_source="h")

    assert () == result.diagnostics
    text = texts(result)["app.js"]
    assert "42" in text
    assert "unused" not in text
    assert "dropped" not in text
    assert text.endswith("/*! kept */\n")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, 'console.log("production");\n'),
        ({"define": {"process.env.NODE_ENV": '"test"'}}, 'console.log("test");\n'),
        ({"define": {"VERSION": "7"}}, 'console.log("production");\n'),
    ],
)
def test_the_node_environment_is_production_unless_defined(
    service: Esbuild, tree: Tree, options: dict[str, Any], text: str
) -> None:
    result = bundle(service, tree({"assets/a.js": "console.log(process.env.NODE_ENV)"}), {"a.js": "a.js"}, **options)

    assert text == texts(result)["a.js"].partition("// assets/a.js\n")[2]


def test_targets_lower_syntax_and_keep_the_scripts_own_url(service: Esbuild, tree: Tree) -> None:
    files = {"assets/a.js": 'import("./b.js"); console.log(import.meta.url, window.x ?? 1)', "assets/b.js": "export {}"}

    result = bundle(service, tree(files), {"out.js": "a.js"}, targets=["es2017"])

    assert () == result.diagnostics
    assert "import.meta.url" in texts(result)["out.js"]
    assert 'import("<js/chunks/b.js>")' in texts(result)["out.js"]
    assert "??" not in texts(result)["out.js"]


def test_css_of_a_graph_comes_out_beside_the_entry(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/app.js": 'import "../css/a.css"; import m from "./m.module.css"; import("./lazy.js"); f(m.x)',
        "assets/js/lazy.js": 'import "../css/lazy.css"',
        "assets/js/m.module.css": ".x { color: red }",
        "assets/css/a.css": '@import "./b.css" layer(l); @import "https://cdn.example/c.css";'
        ".a { background: url('../img/x.png?v=(1)#f'); mask: image-set('../img/x.png' 1x); "
        "b: url(#g) url(data:,x) url(/z.png) }",
        "assets/css/b.css": "/* url(none.png) */ .b { background: url('../img/a b%20c.png') }",
        "assets/css/lazy.css": ".lazy { content: 'url(no.png)' }",
        "assets/img/x.png": "",
        "assets/img/a b c.png": "",
    }

    result = bundle(service, tree(files), {"js/main.js": "js/app.js"}, minify=True)

    assert () == result.diagnostics
    css = texts(result)["js/main.css"]
    assert '@import"https://cdn.example/c.css";' in css
    assert "@layer l{.b{background:url(<img/a b c.png>)}}" in css
    assert '.a{background:url(<img/x.png>?v=%281%29#f);mask:image-set("<img/x.png>" 1x);' in css
    assert "b:url(#g) url(data:,x) url(/z.png)}" in css
    assert '.lazy{content:"url(no.png)"}' in css
    assert ["js/chunks/lazy-minified.js", "js/main.css", "js/main.js"] == sorted(texts(result))
    assert ("js/main.css",) == facts(result)["js/main.js"].css
    assert "style" == facts(result)["js/main.css"].kind


def test_an_imported_asset_is_its_url_from_any_chunk_and_goes_if_unused(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/app.js": 'import url from "../img/x.svg#icon"; import y from "../img/y.png"; f(url)'
        '; import("./lazy.js")',
        "assets/js/lazy.js": 'import url from "../img/x.svg#icon"; import pkg from "pkg/z.woff2"; f(url, pkg)',
        "assets/img/x.svg": "<svg/>",
        "assets/img/y.png": "",
        "node_modules/pkg/z.woff2": "",
    }

    result = bundle(service, tree(files), {"js/out.js": "js/app.js"}, minify=True)

    assert () == result.diagnostics
    everything = "".join(texts(result).values())
    assert 1 == everything.count('new URL("<img/x.svg>#icon",import.meta.url).href')
    assert 1 == everything.count('new URL("<npm/pkg/z.woff2>",import.meta.url).href')
    assert "y.png" not in everything
    assert ["npm/pkg/z.woff2"] == [source.logical for source in result.found]


def test_urls_relative_to_the_module_are_references_in_every_dialect(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/a.js": '// new URL("./no.png", import.meta.url)\n'
        'f(new URL("../img/x.png?q", import.meta.url), `new URL("./no.png", import.meta.url)`)',
        "assets/js/b.ts": 'import "./a.js"; import "./c"; const x = <T,>(y: T): T => y;'
        'f(new URL("../img/\\u0078.png", import.meta.url) as unknown)',
        "assets/js/c.tsx": "f(<p>Don't `x / y {\"é→\"} <img src={new URL('../img/x.png', import.meta.url).href} /></p>)"
        "\r\n;f(new Worker(new URL(`./w.js`, import.meta.url)),"
        "new URL('.', import.meta.url), new URL('https://x.y', import.meta.url))",
        "assets/js/w.js": "",
        "assets/img/x.png": "",
        "node_modules/h/jsx-runtime.js": "export const jsx = f, jsxs = f",
    }

    result = bundle(service, tree(files), {"out.js": "js/b.ts"}, jsx_import_source="h")

    assert () == result.diagnostics
    text = texts(result)["out.js"]
    assert 'new URL("<img/x.png>?q", import.meta.url)' in text
    assert 3 == text.count("<img/x.png>")
    assert "new Worker(new URL(`<js/w.js>`, import.meta.url))" in text
    assert "./no.png" in text
    assert 'new URL(".", import.meta.url), new URL("https://x.y", import.meta.url)' in text


def test_white_space_and_comments_may_stand_within_import_meta_url(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/a.js": 'f(new URL("./x.png", import . meta . url), new URL("./x.png", import/* ? */.meta\n.url))',
        "assets/js/x.png": "",
    }

    result = bundle(service, tree(files), {"js/out.js": "js/a.js"})

    assert 2 == texts(result)["js/out.js"].count('new URL("<js/x.png>", import.meta.url)')


def test_a_worker_in_typescript_is_compiled_as_an_entry_of_its_own(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/app.ts": 'new Worker(new URL("./w.ts", import.meta.url), { type: "module" })',
        "assets/js/w.ts": 'new Worker(new URL("./deep.ts", import.meta.url), { type: "module" }); let w: number',
        "assets/js/deep.ts": "postMessage(1 as number)",
    }

    result = bundle(service, tree(files), {"js/app.js": "js/app.ts"})

    assert () == result.diagnostics
    assert 'new URL("<js/w.js>", import.meta.url)' in texts(result)["js/app.js"]
    assert 'new URL("<js/deep.js>", import.meta.url)' in texts(result)["js/w.js"]
    assert "postMessage(1)" in texts(result)["js/deep.js"]
    assert [True, False, False] == [facts(result)[name].is_entry for name in ("js/app.js", "js/w.js", "js/deep.js")]


def test_a_classic_script_finds_its_assets_by_its_own_url(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/app.js": 'import("./lazy.js").then(console.log)',
        "assets/lazy.js": 'import url from "./x.png"; export default [url, new URL("./x.png", import.meta.url)]',
        "assets/x.png": "",
    }

    result = bundle(service, tree(files), {"out.js": "app.js"}, format="iife")

    assert () == result.diagnostics
    text = texts(result)["out.js"]
    assert ["out.js"] == list(texts(result))
    assert "classic" == facts(result)["out.js"].kind
    assert text.startswith("(() => {")
    assert 2 == text.count('new URL("<x.png>", assetbuildScriptUrl)')
    assert text.index("init_assetbuild_here();") > text.index("document.currentScript")
    assert "import.meta" not in text


def test_what_a_graph_depends_on_is_recorded(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/app.ts": 'import "./b"; import "pkg"; import "./c.css"; import "alias/d"',
        "assets/js/b/index.js": "console.log(1)",
        "assets/js/c.css": "a{b:c}",
        "assets/d.js": "console.log(4)",
        "node_modules/pkg/package.json": '{"main": "m.js"}',
        "node_modules/pkg/m.js": "console.log(2)",
        "assets/tsconfig.json": '{ // comment\n "extends": "./base", }',
        "assets/base.json": '{"compilerOptions": {"paths": {"alias/*": ["./*"]}}}',
    }
    folder = tree(files)

    result = bundle(service, folder, {"out.js": "js/app.ts"})

    assert () == result.diagnostics
    assert {str(folder / file) for file in files} == {found.file for found in result.inputs}
    assert all(isinstance(found, Input) and len(found.digest_hex) == 64 for found in result.inputs)
    absent = {Path(file).relative_to(folder).as_posix() for file in result.absent}
    assert {"assets/package.json", "assets/node_modules", "package.json"} <= absent
    listed = {Path(each.folder).relative_to(folder).as_posix() for each in result.folders}
    assert {"assets", "assets/js", "assets/js/b", "node_modules", "node_modules/pkg"} == listed


def test_a_file_of_which_nothing_is_left_is_recorded_as_unused(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/app.js": 'import { a } from "pkg"; import { b } from "./b.js"; import "./c.css"; console.log(b)',
        "assets/b.js": "export const b = Date.now()",
        "assets/c.css": ".c{d:e}",
        "node_modules/pkg/package.json": '{"main": "m.js", "sideEffects": false}',
        "node_modules/pkg/m.js": "export const a = Math.random()",
    }
    folder = tree(files)

    result = bundle(service, folder, {"out.js": "app.js"})

    packaged = ("node_modules/pkg/m.js", "node_modules/pkg/package.json")
    assert {str(folder / each) for each in packaged} == {each for each in result.unused if "/pkg/" in each}
    assert {str(folder / each) for each in ("assets/app.js", "assets/b.js", "assets/c.css")} == {
        each.file for each in result.inputs if each.file not in result.unused
    }


def test_every_error_of_a_graph_is_shown_at_once_with_its_place(service: Esbuild, tree: Tree) -> None:
    app = """import fs from "fs"; import "node:path"
import "left-pad/x"; import "@a/b"; import "here/gone.js"
import "./brokn.js"; import logo from "./x.png"
import "./broken.js"; import "./latin.js"; import "./vue.vue"; import "./c.css"
new URL("./x.giff", import.meta.url)
"""
    files: dict[str, str | bytes] = {
        "assets/app.js": app,
        "assets/broken.js": "let é = 4 4",
        "assets/latin.js": b"'\xe9'",
        "assets/vue.vue": "",
        "assets/c.css": "@import './d.css'; a { b: url(./x.png) }",
        "assets/x.gif": "",
        "node_modules/here/package.json": "{}",
    }

    result = bundle(service, tree(files), {"out.js": "app.js"})

    assert () == result.drafts
    assert sorted(
        [
            ("node-builtin", "`fs` is built into Node and not into browsers", "assets/app.js", 1, 16),
            ("node-builtin", "`node:path` is built into Node and not into browsers", "assets/app.js", 1, 29),
            ("missing-package", "package `left-pad` is not installed", "assets/app.js", 2, 8),
            ("missing-package", "package `@a/b` is not installed", "assets/app.js", 2, 29),
            ("missing-package", "package `here` has no `here/gone.js`", "assets/app.js", 2, 44),
            ("missing-reference", "`./brokn.js` does not exist", "assets/app.js", 3, 8),
            ("missing-reference", "`./x.png` does not exist", "assets/app.js", 3, 39),
            ("esbuild", "no loader is configured for `.vue` files: assets/vue.vue", "assets/app.js", 4, 51),
            ("missing-reference", "`./x.giff` is not in any asset root", "assets/app.js", 5, 10),
            ("esbuild", "expected `;` but found `4`", "assets/broken.js", 1, 11),
            ("not-utf8", "byte 0xe9 is not UTF-8", "assets/latin.js", 1, 2),
            ("missing-reference", "`./d.css` does not exist", "assets/c.css", 1, 9),
            ("missing-reference", "`./x.png` is not in any asset root", "assets/c.css", 1, 31),
        ]
    ) == findings(result)
    hints = {finding.hint for finding in result.diagnostics}
    assert {"did you mean `./broken.js`?", "did you mean `./x.gif`?"} <= hints
    assert "run `npm install @a/b`, or name it in `external` under `[js]`" in hints


def test_a_missing_reference_that_is_allowed_stays_as_it_is(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.js": 'import "./a.css"; f(new URL("./gone.png", import.meta.url))',
        "assets/a.css": "a{b:url(gone.gif)}",
    }

    result = bundle(service, tree(files), {"out.js": "a.js"}, missing_allow=("gone.*",), minify=True)

    assert () == result.diagnostics
    assert 'new URL("./gone.png",import.meta.url)' in texts(result)["out.js"]
    assert "a{b:url(gone.gif)}\n" == texts(result)["out.css"]


def test_aliases_and_the_tilde_stand_for_folders_and_packages_in_imports(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/a.ts": 'import q from "@lib/q.js"; import t from "@lib/t"; import i from "@lib";'
        'import deep from "@lib/deep/d"; import home from "~/assets/home"; import p from "lib:p/m";'
        'import n from "~p/m"; import x from "@lib/x.png"; import "@lib/s.css";'
        'import n2 from "@lib/none-but-installed"; f(q, t, i, deep, home, p, n, x, n2)',
        "assets/lib/q.js": "export default 'q'",
        "assets/lib/t.ts": "export default 't' as string",
        "assets/lib/index.js": "export default 'i'",
        "assets/lib/x.png": "",
        "assets/lib/s.css": '@import "@lib/s2.css"; .s { b: url(@lib/x.png) }',
        "assets/lib/s2.css": ".s2 { c: d }",
        "assets/elsewhere/d.ts": "export default 'deep'",
        "assets/home.ts": "export default 'home'",
        "node_modules/p/m.js": "export default 'p'",
        "node_modules/p/package.json": "{}",
        "node_modules/@lib/none-but-installed/index.js": "export default 'installed'",
    }
    aliases = {"@lib": "assets/lib", "@lib/deep": "assets/elsewhere", "lib:": "node_modules"}

    result = bundle(service, tree(files), {"js/out.js": "js/a.ts"}, aliases=aliases)

    assert () == result.diagnostics
    text = texts(result)["js/out.js"]
    for name in ("q", "t", "i", "deep", "home", "p", "installed"):
        assert 1 == text.count(f'"{name}"'), name
    assert 'new URL("<lib/x.png>", import.meta.url)' in text
    assert ".s2" in texts(result)["js/out.css"]
    assert "url(<lib/x.png>)" in texts(result)["js/out.css"]


def test_a_package_behind_a_prefix_may_be_external(service: Esbuild, tree: Tree) -> None:
    result = bundle(
        service, tree({"assets/a.js": 'import x from "~react/x"; f(x)'}), {"o.js": "a.js"}, external=["react"]
    )

    assert () == result.diagnostics
    assert 'import x from "react/x";' in texts(result)["o.js"]


def test_a_folder_that_is_looked_into_behind_an_alias_is_recorded(service: Esbuild, tree: Tree) -> None:
    folder = tree({"assets/a.ts": 'import "@lib/q"', "assets/lib/q.js": "f(1)"})

    result = bundle(service, folder, {"out.js": "a.ts"}, aliases={"@lib": "assets/lib"})

    assert str(folder / "assets/lib") in {each.folder for each in result.folders}


def test_the_nearest_configuration_counts_behind_an_alias_too(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.ts": 'import "@lib/q"; import "@lib/deep/r"; import "@lib"',
        "assets/lib/q.ts": "class A { x = 7 } f(A)",
        "assets/lib/deep/r.ts": "class B { y = 8 } f(B)",
        "assets/lib/deep/tsconfig.json": "{}",
        "assets/lib/index.ts": "f(9)",
        "assets/lib/tsconfig.json": '{"compilerOptions": {"useDefineForClassFields": false}}',
    }

    result = bundle(service, tree(files), {"out.js": "a.ts"}, aliases={"@lib": "assets/lib"})

    assert () == result.diagnostics
    assert "this.x = 7" in texts(result)["out.js"]
    assert "class {\n  y = 8;" in texts(result)["out.js"]
    assert "f(9)" in texts(result)["out.js"]


def test_an_aliased_import_that_leads_nowhere_says_what_it_stands_for(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.js": 'import "@lib/qu.js"; import "@lib/far/away"; import "~/nope"; import "~gone/x"',
        "assets/lib/q.js": "f(1)",
    }

    result = bundle(service, tree(files), {"out.js": "a.js"}, aliases={"@lib": "assets/lib"})

    assert [
        ("missing-package", "package `gone` is not installed", "assets/a.js", 1, 70),
        ("missing-reference", "`@lib/far/away` does not exist", "assets/a.js", 1, 29),
        ("missing-reference", "`@lib/qu.js` does not exist", "assets/a.js", 1, 8),
        ("missing-reference", "`~/nope` does not exist", "assets/a.js", 1, 53),
    ] == findings(result)
    assert {
        "did you mean `@lib/q.js`?",
        "`@lib/far/away` stands for `assets/lib/far/away`",
        "`~/nope` stands for `nope`",
        "run `npm install gone`, or name it in `external` under `[js]`",
    } == {finding.hint for finding in result.diagnostics}


def test_a_stylesheet_that_must_be_compiled_is_refused_with_a_way_out(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.ts": 'import "./css/app.scss"; import "./b.css"; import "./c.less"',
        "assets/b.css": '@import "./css/app.scss";',
        "assets/c.less": "",
        "assets/css/app.scss": "$a: 1;",
    }

    result = bundle(service, tree(files), {"out.js": "a.ts"})

    assert [
        ("unsupported-import", "a script cannot import `app.scss`: it is Sass", "assets/a.ts", 1, 8),
        ("unsupported-import", "a script cannot import `c.less`: it is Less", "assets/a.ts", 1, 51),
        ("unsupported-import", "plain CSS cannot import `app.scss`: it is Sass", "assets/b.css", 1, 9),
    ] == findings(result)
    assert {
        'make it an entry of its own, such as `"css/app.css" = "assets/css/app.scss"`, and give it a tag',
        "compile it to CSS first, and import that",
    } == {finding.hint for finding in result.diagnostics}


def test_a_query_of_an_import_asks_for_the_url_or_the_text_of_a_file(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.ts": 'import u from "./t.txt?url"; import c from "./b.css?url#f"; import r from "./t.txt?raw";'
        'import s from "@lib/s.scss?raw"; import v from "./v.svg?raw"; import plain from "./t.txt";'
        "f(u, c, r, s, v, plain)",
        "assets/t.txt": "the text",
        "assets/b.css": ".b{}",
        "assets/v.svg": "<svg>",
        "assets/lib/s.scss": "$a: url(none.png)",
    }
    folder = tree(files)

    result = bundle(service, folder, {"js/out.js": "a.ts"}, aliases={"@lib": "assets/lib"})

    assert () == result.diagnostics
    text = texts(result)["js/out.js"]
    assert 'new URL("<t.txt>", import.meta.url)' in text
    assert 'new URL("<b.css>#f", import.meta.url)' in text
    assert 2 == text.count('"the text"')
    assert '"<svg>"' in text
    assert '"$a: url(none.png)"' in text
    assert ["js/out.js"] == list(texts(result))
    assert {str(folder / f"assets/{name}") for name in ("t.txt", "v.svg", "lib/s.scss")} <= {
        found.file for found in result.inputs
    }


def test_another_query_of_an_import_is_an_error_at_its_place(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.ts": 'import "./t.txt?inline"; import "./b?x"; f(() => import("./x.png?v=1"), require("./w.ts?url"))',
        "assets/b.ts": "",
        "assets/t.txt": "",
        "assets/w.ts": "",
        "assets/x.png": "",
    }

    result = bundle(service, tree(files), {"out.js": "a.ts"})

    said = "an import cannot have the query `{}`"
    assert [
        ("missing-reference", "`./w.ts?url` is compiled and never published", "assets/a.ts", 1, 81),
        ("unsupported-query", said.format("?inline"), "assets/a.ts", 1, 8),
        ("unsupported-query", said.format("?v=1"), "assets/a.ts", 1, 57),
        ("unsupported-query", said.format("?x"), "assets/a.ts", 1, 33),
    ] == findings(result)


def test_raw_text_is_read_through_the_same_door(service: Esbuild, tree: Tree) -> None:
    above = tree({"secret": "t0ken", "project/assets/a.js": 'import s from "../../secret?raw"; f(s)'})

    result = bundle(service, above / "project", {"out.js": "a.js"})

    assert [("outside-roots", f"`{above}/secret` lies outside the declared roots", "assets/a.js", 1, 15)] == findings(
        result
    )


def test_advice_names_settings_of_ours_and_not_options_of_esbuild(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.js": 'import "#gone"; f(<p/>)',
        "package.json": '{"imports": {"#gone": "./gone.js"}}',
    }

    result = bundle(service, tree(files), {"out.js": "a.js"})

    assert [
        ("could not resolve `#gone`", "name `#gone` in `external` under `[js]`"),
        ("could not resolve `react/jsx-runtime`", "name `react/jsx-runtime` in `external` under `[js]`"),
        ("the JSX syntax extension is not currently enabled", "name the file `.jsx`"),
    ] == sorted((finding.message, finding.hint) for finding in result.diagnostics)


def test_a_require_that_stays_is_an_error_in_own_files(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/app.js": 'import "pkg"; const a = require(self.name); const b = require.context("./x", true); f(a, b)',
        "node_modules/pkg/index.js": "module.exports = typeof require === 'function' && require(window.q)",
    }

    result = bundle(service, tree(files), {"out.js": "app.js"})

    assert [
        (
            "require-context",
            "`require.context` is webpack's own and does not exist in a browser",
            "assets/app.js",
            1,
            55,
        ),
        (
            "unsupported-require-call",
            "this call to `require` will not be bundled because the argument is not a string literal",
            "assets/app.js",
            1,
            25,
        ),
    ] == findings(result)


def test_a_require_that_may_fail_is_no_error(service: Esbuild, tree: Tree) -> None:
    files = {"assets/app.js": 'try { f(require("fs"), require("nope"), require("./gone")) } catch {}\n'}

    tolerated = bundle(service, tree(files), {"out.js": "app.js"})
    failed = bundle(service, tree({"assets/app.js": 'f(require("fs"), require("./gone"))'}), {"out.js": "app.js"})

    assert [] == [finding for finding in tolerated.diagnostics if finding.severity == "error"]
    assert [
        ("missing-reference", "`./gone` does not exist", "assets/app.js", 1, 26),
        ("node-builtin", "`fs` is built into Node and not into browsers", "assets/app.js", 1, 11),
    ] == findings(failed)


def test_an_external_import_stays_in_a_module_and_is_an_error_in_a_classic_script(service: Esbuild, tree: Tree) -> None:
    folder = tree({"assets/app.js": "import x from 'react'; f(x)"})

    module = bundle(service, folder, {"out.js": "app.js"}, external=["react"])
    classic = bundle(service, folder, {"out.js": "app.js"}, external=["react"], format="iife")

    assert 'import x from "react";' in texts(module)["out.js"]
    message = "`react` is external and would become a `require`, which browsers do not have"
    assert [("external-require", message, "assets/app.js", 1, 16)] == findings(classic)


def test_a_stylesheet_or_chunk_that_a_file_stands_for_already_is_an_error(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/js/app.js": 'import "./x.css"; import("./lazy.js")',
        "assets/js/x.css": "a{b:c}",
        "assets/js/out.css": "",
        "assets/js/lazy.js": "f()",
        "assets/js/chunks/lazy.js": "",
    }

    result = bundle(service, tree(files), {"js/out.js": "js/app.js"})

    assert [
        "two sources make `js/chunks/lazy.js`: `assets/js/chunks/lazy.js` and what `js/out.js` imports",
        "two sources make `js/out.css`: `assets/js/out.css` and what `js/out.js` imports",
    ] == [finding.message for finding in result.diagnostics]


@pytest.mark.parametrize(
    ("files", "written", "shown"),
    [
        ({}, "../../secret/key", "{above}/secret/key"),
        ({}, "{above}/secret/key", "{above}/secret/key"),
        ({}, "../../secret/key.json", "{above}/secret/key.json"),
        ({}, "../../secret/key.css", "{above}/secret/key.css"),
        ({}, "../../secret/key.txt", "{above}/secret/key.txt"),
        ({}, "../../secret/key.vue", "{above}/secret/key.vue"),
        ({}, "../.env", ".env"),
        ({"node_modules/p/package.json": '{"main": "../../../secret/key"}'}, "p", "{above}/secret/key"),
        (
            {"assets/tsconfig.json": '{"compilerOptions": {"paths": {"k": ["../../secret/key"]}}}'},
            "k",
            "{above}/secret/key",
        ),
        ({}, "./linked.js", "{above}/secret/key"),
        ({}, "./linked/key.js", "{above}/secret/key.js"),
    ],
)
def test_an_import_that_leads_out_of_the_declared_folders_is_refused_at_its_place(
    service: Esbuild, tree: Tree, files: dict[str, str], written: str, shown: str
) -> None:
    secrets = {f"secret/key{ext}": "t0ken: x y {" for ext in ("", ".js", ".json", ".css", ".txt", ".vue")}
    above = tree(secrets)
    written = written.replace("{above}", str(above))
    sources = {"assets/a.js": f'import x from "{written}"; f(x)', ".env": "t0ken: x y {", **files}
    tree({f"project/{file}": text for file, text in sources.items()})
    (above / "project/assets/linked.js").symlink_to(above / "secret/key")
    (above / "project/assets/linked").symlink_to(above / "secret")

    result = bundle(service, above / "project", {"out.js": "a.js"})

    message = f"`{shown.replace('{above}', str(above))}` lies outside the declared roots"
    assert [("outside-roots", message, "assets/a.js", 1, 15)] == findings(result)
    assert "t0ken" not in repr(result)


def test_a_broken_description_outside_is_named_and_not_quoted(service: Esbuild, tree: Tree) -> None:
    above = tree({"secret/package.json": "t0ken", "project/assets/a.js": 'import "../../secret"'})

    result = bundle(service, above / "project", {"out.js": "a.js"})

    assert {"outside-roots", "missing-reference"} == {finding.rule for finding in result.diagnostics}
    assert "t0ken" not in repr(result)


def test_what_only_we_may_import_is_refused_in_the_files_of_people(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.js": 'import "assetbuild:x"; import("assetbuild:y"); import "./a.css"\nimport "assetbuild-here"',
        "assets/a.css": '@import "assetbuild:z"; a { b: url(assetbuild:none-of-ours) }',
    }

    result = bundle(service, tree(files), {"out.js": "a.js"})

    said = "`assetbuild:{}` has the scheme of assetbuild's own placeholders"
    assert [
        ("missing-package", "package `assetbuild-here` is not installed", "assets/a.js", 2, 8),
        ("reserved-scheme", said.format("x"), "assets/a.js", 1, 8),
        ("reserved-scheme", said.format("y"), "assets/a.js", 1, 31),
        ("reserved-scheme", said.format("z"), "assets/a.css", 1, 9),
    ] == findings(result)


def test_a_stylesheet_imported_as_a_value_is_refused(service: Esbuild, tree: Tree) -> None:
    files = {
        "assets/a.js": 'import s from "./a.css" with { type: "css" }\nimport "./d.json" with { type: "json" }\nf(s)',
        "assets/a.css": "a { b: c }",
        "assets/d.json": "{}",
    }

    result = bundle(service, tree(files), {"out.js": "a.js"})

    said = 'a bundle cannot give a stylesheet as a value (`with { type: "css" }`)'
    assert [("css-module-script", said, "assets/a.js", 1, 15)] == findings(result)


GRAPH = {
    "project/assets/a.ts": 'import * as c from "c"; import "./lib/b"; class A { x = c } f(A, c.default)',
    "project/assets/lib/b.ts": "f(7)",
    "project/node_modules/c/index.js": "exports.a = 1",
}


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"tsconfig.json": '{"compilerOptions": {"useDefineForClassFields": false}}'},
        {"assets/lib/tsconfig.json": "{}", "tsconfig.json": "{}"},
    ],
)
def test_what_lies_above_the_project_decides_no_bytes(service: Esbuild, tree: Tree, own: dict[str, str]) -> None:
    alone = tree({**GRAPH, **{f"project/{file}": text for file, text in own.items()}})
    before = texts(bundle(service, alone / "project", {"out.js": "a.ts"}))
    above = tree({"tsconfig.json": '{"compilerOptions": {"useDefineForClassFields": false}}', "package.json": "{}"})

    after = bundle(service, above / "project", {"out.js": "a.ts"})

    assert () == after.diagnostics
    assert before == texts(after)


@pytest.mark.parametrize("own", [{}, {"tsconfig.json": "{}"}])
def test_a_broken_configuration_above_the_project_is_not_read(
    service: Esbuild, tree: Tree, own: dict[str, str]
) -> None:
    above = tree({**GRAPH, "tsconfig.json": "t0ken", **{f"project/{file}": text for file, text in own.items()}})

    assert () == bundle(service, above / "project", {"out.js": "a.ts"}).diagnostics


def test_a_configuration_that_only_part_of_the_graph_would_take_from_above_is_refused(
    service: Esbuild, tree: Tree
) -> None:
    above = tree({**GRAPH, "tsconfig.json": "{}", "project/assets/lib/tsconfig.json": "{}"})

    with pytest.raises(CompileFailed) as caught:
        bundle(service, above / "project", {"out.js": "a.ts"})

    message = f"`{above}/tsconfig.json` decides how `assets/a.ts` is compiled, and lies outside the declared roots"
    assert [("outside-roots", message)] == [finding[:1] + finding[2:3] for finding in caught.value.diagnostics]


@pytest.mark.parametrize(("before", "column"), [("", 210), ("/*" + "]" * 5_000 + "*/", 1)])
def test_a_configuration_that_nests_too_deep_to_be_read_is_refused(
    service: Esbuild, tree: Tree, before: str, column: int
) -> None:
    """esbuild reads to its end, and would follow what it extends; brackets in a comment may hide where it is deep."""
    deep = before + '{"files": ' + "[" * 5_000 + "]" * 5_000 + ', "extends": "../../outside.json"}'
    folder = tree({"outside.json": "{}", "project/assets/a.ts": "a()", "project/assets/tsconfig.json": deep})

    with pytest.raises(CompileFailed) as failed:
        bundle(service, folder / "project", {"a.js": "a.ts"})

    (found,) = failed.value.diagnostics
    assert ("too-deep", "assets/tsconfig.json", column) == (
        found.rule,
        found.span and found.span.path,
        found.span and found.span.column,
    )


@pytest.mark.parametrize("written", ["../../secret", "../../secret.json", "c/../../../secret"])
def test_a_configuration_that_extends_a_file_outside_is_refused(service: Esbuild, tree: Tree, written: str) -> None:
    above = tree({**GRAPH, "secret.json": "t0ken", "project/assets/tsconfig.json": f'{{"extends": "{written}"}}'})

    with pytest.raises(CompileFailed) as caught:
        bundle(service, above / "project", {"out.js": "a.ts"})

    (found,) = caught.value.diagnostics
    span = found.span
    assert span is not None
    assert ("assets/tsconfig.json", 1, 14) == (span.path, span.line, span.column)
    assert f"`{above}/secret.json` lies outside the declared roots" == found.message


@pytest.mark.parametrize("deciding", ['{"type": "module"}', '{"sideEffects": false}'])
def test_a_package_above_the_project_that_decides_something_is_refused(
    service: Esbuild, tree: Tree, deciding: str
) -> None:
    above = tree({**GRAPH, "package.json": deciding})

    refused = bundle(service, above / "project", {"out.js": "a.ts"})
    tree({"project/package.json": "{}"})
    shielded = bundle(service, above / "project", {"out.js": "a.ts"})
    tree({"package.json": "{}"})
    harmless = bundle(service, above / "project", {"out.js": "a.ts"})

    message = f"`{above}/package.json` decides how `assets/a.ts` is compiled, and lies outside the declared roots"
    assert message in [finding.message for finding in refused.diagnostics]
    assert () == shielded.diagnostics
    assert texts(harmless) == texts(shielded)


def test_the_descriptions_in_the_folder_of_the_project_are_inputs(service: Esbuild, tree: Tree) -> None:
    folder = tree({"assets/a.ts": "f(1)", "tsconfig.json": "{}", "package.json": "{}"})

    result = bundle(service, folder, {"out.js": "a.ts"})

    assert {str(folder / name) for name in ("tsconfig.json", "package.json")} <= {found.file for found in result.inputs}


def test_a_file_that_kills_esbuild_is_named_and_nothing_hangs(tree: Tree) -> None:
    files = {"assets/app.js": 'import "./deep.js"', "assets/deep.js": "x=" + "a=>" * 100_000 + "1"}

    with Esbuild(esbuild_shop.argv()) as service, pytest.raises(EsbuildFault) as caught:
        bundle(service, tree(files), {"out.js": "app.js"})

    assert ["esbuild ended before its work was done", "esbuild dies of this file"] == [
        finding.message for finding in caught.value.diagnostics
    ]
    assert Span("assets/deep.js") == caught.value.diagnostics[1].span


@pytest.mark.parametrize(
    "place", ["node_modules/p/package.json", "assets/sub/package.json", "assets/base.json", "assets/tsconfig.json"]
)
def test_a_description_that_is_a_fifo_is_named_and_nothing_waits_for_it(tree: Tree, place: str) -> None:
    """esbuild opens what it finds, and waits for a writer until its own time is over."""
    folder = tree(
        {
            "assets/a.ts": 'import "p"; import "./sub/b"',
            "assets/tsconfig.json": '{"extends": "./base.json"}',
            "assets/base.json": "{}",
            "assets/sub/b.ts": "b()",
            "node_modules/p/index.js": "p()",
        }
    )
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)

    with Esbuild(esbuild_shop.argv()) as service, pytest.raises(DiagnosticsError) as failed:
        bundle(service, folder, {"a.js": "a.ts"})

    (found,) = failed.value.diagnostics
    assert ("irregular-file", f"`{place}` is no regular file", Span(place)) == (found.rule, found.message, found.span)


def test_a_description_with_other_bytes_than_text_is_told_of_at_its_place(service: Esbuild, tree: Tree) -> None:
    """esbuild quotes the line as it stands in the file, and its protocol lets any byte through."""
    folder = tree({"assets/a.js": 'import "p"', "node_modules/p/package.json": "{}".encode("utf-16")})

    result = bundle(service, folder, {"out.js": "a.js"})

    assert ("esbuild", "node_modules/p/package.json") in [(rule, path) for rule, _, path, *_ in findings(result)]


@pytest.mark.parametrize(
    ("name", "text", "at"),
    [
        ("b.jsx", "export let b = " + "<a>" * 201 + "</a>" * 201, "<"),
        ("b.tsx", "export let b = " + "[" * 100_000, "["),
        ("b.json", "[" * 100_000 + "]" * 100_000, "["),
    ],
)
def test_elements_and_json_nest_no_deeper_than_the_door_allows(
    service: Esbuild, tree: Tree, name: str, text: str, at: str
) -> None:
    folder = tree({"assets/a.js": f'import b from "./{name}"; b()', f"assets/{name}": text})

    result = bundle(service, folder, {"out.js": "a.js"})

    said = f"{'elements' if at == '<' else 'brackets'} nest deeper than 200"
    width = text.index(at, text.index(at) + 1) - text.index(at)
    assert [("too-deep", said, f"assets/{name}", 1, text.index(at) + 200 * width + 1)] == findings(result)


def test_warnings_keep_their_notes_and_show_what_was_written(service: Esbuild, tree: Tree) -> None:
    text = 'f(new URL("./x.png", import.meta.url), { é: 1, é: 2 })'

    result = bundle(service, tree({"assets/a.js": text, "assets/x.png": ""}), {"out.js": "a.js"})

    (found,) = result.diagnostics
    assert found.span is not None
    assert ("duplicate-object-key", "warning", "duplicate key `é` in object literal") == found[:3]
    assert (48, 1, text) == (found.span.column, found.span.length, found.span.text)
    assert ["the original key `é` is here"] == [note.message for note in found.notes]


def test_a_source_that_holds_our_nonce_is_still_compiled(service: Esbuild, tree: Tree) -> None:
    nonce = Marks().mark(Ref("x"))

    result = bundle(service, tree({"assets/a.js": f"f('{nonce}')"}), {"out.js": "a.js"})

    assert () == result.diagnostics
    assert nonce in texts(result)["out.js"]


@given(st.lists(st.tuples(st.text(alphabet="ab/.é", min_size=1), st.text(alphabet="xyz:-0")), max_size=8))
def test_cutting_at_marks_gives_back_text_and_references(parts: list[tuple[str, str]]) -> None:
    marks = Marks()
    text = "".join(before + marks.mark(Ref(target)) for target, before in parts)

    pieces = marks.cut(text)

    expected = [piece for target, before in parts for piece in (before.encode(), Ref(target)) if piece != b""]
    assert expected == list(pieces)


def test_a_torn_mark_is_noticed_and_a_present_nonce_too() -> None:
    marks = Marks()
    mark = marks.mark(Ref("a"))

    with pytest.raises(BrokenMark):
        marks.cut(mark[:-3] + "zzz")
    with pytest.raises(NonceClash):
        marks.check(f"x {mark}")
    assert "a b" == marks.restored(f"{mark} b")
    assert mark[:-1] == marks.restored(mark[:-1])

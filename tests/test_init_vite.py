"""`init --from vite`: the inputs of a Vite build become entries that mean the same."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.adopt.objects import Unknown, exported
from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from tests.conftest import Tree
from tests.moving import Published, adopt, meaning, ours, run, warnings_of

Printed = pytest.CaptureFixture[str]

CONFIG = """\
import { resolve } from "node:path";
import { defineConfig } from "vite";

const base = "/static/"; // not { here

export default defineConfig(({ mode }) => ({
  base,
  root: "./frontend",
  resolve: { alias: { "@": resolve(__dirname, "frontend/src") } },
  define: { __RELEASE__: JSON.stringify("r1") },
  server: { port: 5173 },
  build: {
    manifest: true,
    outDir: "../collected",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: { input: { app: "src/main.ts", print: "src/print.css" } },
  },
}));
"""
SITE = {
    "vite.config.mjs": CONFIG,
    "frontend/.env": "VITE_TITLE='Shop' \nSECRET=no\n",
    "frontend/src/main.ts": """\
import "./main.css";
import logo from "./img/logo.svg";
import { add } from "@/lib/add";
import data from "./data.json";

const lazy = await import("./lazy.ts");
export const said: unknown[] = [add(1, 2), data.n, lazy.late, logo, __RELEASE__, import.meta.env.PROD];
console.log(JSON.stringify([...said, import.meta.env.MODE, import.meta.env.BASE_URL, import.meta.env.VITE_TITLE]));
""",
    "frontend/src/main.css": "@import './parts.css';\na { background: url(./img/logo.svg); }",
    "frontend/src/parts.css": "b { color: rebeccapurple }",
    "frontend/src/print.css": "@page { margin: 1cm }  .c { background: url('/badge.svg') }",
    "frontend/src/lib/add.ts": "export function add(a: number, b: number): number { return a + b; }",
    "frontend/src/lazy.ts": "export const late = 'late';",
    "frontend/src/data.json": '{"n": 7}',
    "frontend/src/img/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "frontend/public/badge.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>",
    "frontend/public/legal/robots.txt": "User-agent: *\n",
    "templates/page.html": "{% load django_vite %}{% vite_hmr_client %}\n{% vite_asset 'src/main.ts' %}",
}


def said(output: Path, published: Published, logical: str) -> str:
    """Return what a script prints under Node, with logical paths in the place of published ones."""
    path = next(path for path, name in published.urls.items() if name == logical)
    printed = run(output, "node", str(output / path))
    for base in (output.as_uri() + "/", "/static/"):
        for published_path, name in published.urls.items():
            printed = printed.replace(base + published_path, f"logical:{name}")
    return printed


def test_what_vite_publishes_entries_publish(
    tree: Tree, esbuild: Program, installed_packages: Callable[..., Path]
) -> None:
    folder = tree({**SITE, "package.json": '{"type": "module"}'})
    (folder / "node_modules").symlink_to(installed_packages("vite", "tests/moving"))
    run(folder, "node", "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    manifest = json.loads((folder / "collected/.vite/manifest.json").read_text())
    named = {"badge.svg": "badge.svg", "legal/robots.txt": "legal/robots.txt"}
    for source, chunk in manifest.items():
        stem, extension = os.path.splitext(source)
        if chunk.get("isEntry"):
            named[stem + (".css" if extension == ".css" else ".js")] = chunk["file"]
            named |= {f"{stem}.css": sheet for sheet in chunk.get("css", ())}
        elif extension == ".svg":
            named[source] = chunk["file"]
    theirs = Published.of(folder / "collected", named)

    adopt(folder, "vite")

    mine = ours(folder)
    expected = {"src/main.js", "src/main.css", "src/print.css", "src/img/logo.svg", "badge.svg", "legal/robots.txt"}
    assert expected == set(theirs.files)
    assert set() == set(theirs.files) - set(mine.files)
    for logical in ("src/main.css", "src/print.css"):
        assert meaning(theirs, logical, esbuild) == meaning(mine, logical, esbuild)
    for logical in ("src/img/logo.svg", "badge.svg", "legal/robots.txt"):
        assert theirs.files[logical] == mine.files[logical]
    (folder / "build/assets/package.json").write_text('{"type": "module"}')
    (folder / "collected/package.json").write_text('{"type": "module"}')
    printed = '[3,7,"late","logical:src/img/logo.svg","r1",true,"production","/static/","Shop"]\n'
    assert printed == said(folder / "collected", theirs, "src/main.js")
    assert printed == said(folder / "build/assets", mine, "src/main.js")
    assert (folder / "build/assets/legal/robots.txt").read_text() == SITE["frontend/public/legal/robots.txt"]


def test_inputs_become_entries_and_tags_are_listed(tree: Tree, capsys: Printed) -> None:
    folder = tree(SITE)

    assert 0 == main(["init", "--from", "vite", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    source, public = document.pop("roots")
    assert ("frontend/src", "src", "frontend/public") == (source["path"], source["as"], public)
    assert {
        "keep_names": ["badge.svg", "legal/**"],
        "entries": {"src/main.js": {"module": "frontend/src/main.ts"}, "src/print.css": "frontend/src/print.css"},
        "sass": {"auto": False},
        "urls": {"aliases": {"@": "frontend/src"}, "public": "/"},
        "js": {
            "define": {
                "__RELEASE__": '"r1"',
                "import.meta.env.BASE_URL": '"/static/"',
                "import.meta.env.DEV": "false",
                "import.meta.env.MODE": '"production"',
                "import.meta.env.PROD": "true",
                "import.meta.env.SSR": "false",
                "import.meta.env.VITE_TITLE": '"Shop"',
            },
            "targets": ["es2022"],
        },
        "templates": {"paths": ["templates"]},
    } == document
    printed = """\
note: `vite_hmr_client` is a tag of django-vite [to-change]
  templates/page.html:1:23
  1 │ {% load django_vite %}{% vite_hmr_client %}
    │                       ^^^^^^^^^^^^^^^^^^^^^
  take it away: there is no development server

note: `vite_asset` is a tag of django-vite [to-change]
  templates/page.html:2:1
  2 │ {% vite_asset 'src/main.ts' %}
    │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  write {% asset_tag "src/main.js" %}, after {% load assetbuild %}
"""
    assert capsys.readouterr().err.startswith(printed)


def test_a_page_is_an_input_where_none_is_named(tree: Tree) -> None:
    page = """\
<script type="module" src="/src/main.js"></script><link rel="stylesheet" href="/src/site.scss">
<script src="/x.js"></script><link rel="stylesheet" href="https://cdn.example/x.css">
"""
    folder = tree(
        {
            "vite.config.ts": "export default { publicDir: false } satisfies UserConfig\n",
            "index.html": page,
            "src/main.js": "export const a = 1;",
            "src/site.scss": "a { b { c: d } }",
        }
    )

    assert 0 == main(["init", "--from", "vite", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {"src/main.js": {"module": "src/main.js"}, "src/site.css": "src/site.scss"} == document["entries"]


def test_what_only_running_could_tell_is_listed(tree: Tree, capsys: Printed) -> None:
    config = """\
import vue from "@vitejs/plugin-vue"
export default {
  base: process.env.BASE,
  plugins: [vue(), legacy({ a: [1] }), react()],
  css: { postcss: "./x" },
  resolve: { alias: [{ find: /^x/, replacement: "/y" }, { find: "~", replacement: "npm" }] },
  build: { lib: { entry: "x" }, rollupOptions: { input: ["src/a.js", "src/gone.js", glob.sync("*"), "src/b.less"] } },
  ...more,
}
"""
    folder = tree(
        {
            "vite.config.js": config,
            "src/a.js": "// import.meta.glob('x')\nexport const a = import.meta.glob('./*.js');",
            "src/b.less": "",
            "src/App.vue": "",
            ".env.production": "VITE_A=$B\n",
        }
    )

    assert 0 == main(["init", "--from", "vite", str(folder)])

    at = "vite.config.js"
    assert [
        ("`VITE_A` is made of other variables", ".env.production:1:1"),
        ("`src/App.vue` is compiled by a plugin", "src/App.vue"),
        ("`import.meta.glob` is Vite's own", "src/a.js:2:18"),
        ("`base` is known only when the configuration runs", f"{at}:3:9"),
        ("the plugin `vue` is not run", f"{at}:4:13"),
        ("the plugin `legacy` is not run", f"{at}:4:20"),
        ("`css.postcss` is not translated", f"{at}:5:19"),
        ("the alias `…` is no prefix of a folder or package that is written out", f"{at}:6:49"),
        ("`build.lib` is not translated", f"{at}:7:17"),
        ("`src/gone.js` is not there", f"{at}:7:70"),
        ("an input is known only when the configuration runs", f"{at}:7:85"),
        ("`src/b.less` is read by another compiler", f"{at}:7:101"),
        ("`…` is not translated", f"{at}:8:6"),
    ] == warnings_of(capsys)


def test_a_project_without_vite_is_one_error(tree: Tree, capsys: Printed) -> None:
    assert 2 == main(["init", "--from", "vite", str(tree({"static/a.css": ""}))])

    assert capsys.readouterr().err.startswith("error: there is no `vite.config.js` or `.ts`")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("export default { a: 'b' + c }", Unknown()),
        ("export default { a: c ? 1 : 2, b: 3 }", Unknown()),
        ("const x = 'y'\nexport default { a: x }", "y"),
        ("const x = x\nexport default { a: x }", Unknown()),
        ("module.exports = { 'a': `b` };", "b"),
        ("export default { /* a: 1 */ a: 2 } // a: 3", 2),
        ("export default defineConfig(async () => { if (x) {} return { a: 1e3 } })", 1000.0),
        ("export default { a: new URL('./b', import.meta.url) }", "/folder/b"),
        ("export default { a: path.join('x', '..', 'y') }", "/folder/y"),
        ("export default { a() { return 1 } }", Unknown()),
    ],
)
def test_what_is_written_out_is_read(text: str, value: object) -> None:
    found = exported(text, "/folder")

    assert found is not None
    node = found.get("a")
    assert node is not None
    assert value == node.value


WORDS = "export default const a = { } [ ] ( ) , : ; => ... 'x' `y` 1 + . new return".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS)))
def test_no_text_is_too_broken_to_be_read(words: list[str]) -> None:
    text = "export default " + " ".join(words)

    found = exported(text, "/folder")

    assert found is None or 0 <= found.start <= found.end <= len(text)

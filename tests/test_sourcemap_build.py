"""Whole builds with maps, asked by npm's `source-map`: where was this written?"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.engines.css.minify import minified
from assetbuild.compiler.engines.css.traces import aligned
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.refs.css import survey
from assetbuild.compiler.refs.css.shape import shape
from assetbuild.compiler.refs.css.tokens import tokens
from assetbuild.compiler.sourcemap import encoded
from assetbuild.compiler.sourcemap.read import Origin
from assetbuild.compiler.tools import Program
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.conftest import Tree
from tests.mapped import Built, written

Make = Callable[..., Built]

PUBLIC = '[sourcemaps]\nmode = "public"\n'
HIDDEN = '[sourcemaps]\nmode = "hidden"\n'


@pytest.fixture
def build(tree: Tree, compiled: Callable[..., Outcome], npm_packages: Path) -> Make:
    """Return a function that compiles files with a configuration, and returns its output."""

    def run(files: Mapping[str, str], config: str, **flags: Any) -> Built:
        project = tree({**files, "assetbuild.toml": config})
        done = compiled(project, **flags)
        return Built(project / "build/assets", npm_packages, tuple(found.rule for found in done.diagnostics))

    return run


CLASSIC = PUBLIC + '[entries]\n"js/all.js" = { classic = ["js/a.js", "js/b.js"] }\n'
A = '/*! licence */\n// what it does\nvar first = function (left) {\n  return import("./deep/x.js"), left.right;\n};\n'
B = "function greet(name) {\n\n  throw new Error('é😀 ' + name + failed)\n}\n"
SCRIPTS = {"assets/js/a.js": A, "assets/js/b.js": B, "assets/js/deep/x.js": "export const x = 1\n"}


@pytest.mark.parametrize("minify", ["true", "false"])
def test_a_joined_script_leads_back_to_each_file(build: Make, minify: str) -> None:
    made = build(SCRIPTS, CLASSIC + f"[js]\nminify = {minify}\n")

    of_a = written(SCRIPTS, ("assets/js/a.js", "first"), ("assets/js/a.js", "right"))
    of_b = written(SCRIPTS, *(("assets/js/b.js", word) for word in ("greet", "throw", "failed")))
    assert of_a + of_b == made.origins("js/all.js", "first", "right", "greet", "throw", "failed")
    assert "import(" in made.text("js/all.js")


def test_a_map_is_an_asset_that_its_owner_names_on_its_last_line(build: Make) -> None:
    made = build(SCRIPTS, CLASSIC)

    assets = made.manifest()["assets"]
    assert "js/all.js.map" == assets["js/all.js"]["map"]
    name = Path(assets["js/all.js.map"]["file"]).name
    assert f"//# sourceMappingURL={name}" == made.text("js/all.js").splitlines()[-1]
    assert "js/all.js" == made.map("js/all.js")["file"]
    assert verify(str(made.output), RealDisk()).is_whole


def test_a_hidden_map_lies_beside_the_output_and_nothing_names_it(build: Make) -> None:
    made = build(SCRIPTS, CLASSIC.replace("public", "hidden"))

    assert written(SCRIPTS, ("assets/js/b.js", "failed")) == made.origins("js/all.js", "failed")
    assert "sourceMappingURL" not in made.text("js/all.js")
    assert not [path for path in made.output.rglob("*") if ".map" in path.name]
    assert ".map" not in json.dumps(made.manifest())
    assert verify(str(made.output), RealDisk()).is_whole


def test_without_maps_there_are_none(build: Make) -> None:
    made = build({**SCRIPTS, "assets/js/b.js": B + "//# sourceMappingURL=gone.map\n"}, CLASSIC[len(PUBLIC) :])

    assert "sourceMappingURL" not in made.text("js/all.js")
    assert "map" not in made.manifest()["assets"]["js/all.js"]
    assert not Path(f"{made.output}-maps").exists()
    assert made.rules == ("dangling-source-map",)  # of b.js, which is published as itself as well


SHEETS = {
    "assets/scss/app.scss": (
        '@use "parts/card";\n@import "../css/late.css";\n$edge: 1px;\n.app { border: $edge solid; }\n'
    ),
    "assets/scss/parts/_card.scss": (
        "// ä😀\n.card {\n  color: red;\n  background: url(pixel.png), url(../far/away/pixel.png);"
        " /* ä😀 */ width: 7px;\n  &:hover { opacity: 0.3 }\n}\n"
    ),
    "assets/scss/parts/pixel.png": "1",
    "assets/scss/far/away/pixel.png": "2",
    "assets/css/late.css": "@charset 'UTF-8';\n\n.late  :hover { z-index : 5 ; }\n",
}
STYLE = PUBLIC + '[entries]\n"css/app.css" = "scss/app.scss"\n'


@pytest.mark.parametrize("engine", ["minify = true", "minify = false", 'engine = "esbuild"\ntargets = ["chrome80"]'])
def test_a_stylesheet_leads_back_to_its_partials_and_imports(build: Make, engine: str, esbuild: Program) -> None:
    made = build(SHEETS, STYLE + f"[css]\n{engine}\n")

    card, app, late = "assets/scss/parts/_card.scss", "assets/scss/app.scss", "assets/css/late.css"
    expected = [(card, "color"), (card, "width"), (card, "&:hover"), (card, "opacity")]
    expected += [
        (app, ".app"),
        (app, "border"),
        (late, ".late"),
        (late, "z-index"),
    ]
    words = ("color", "width", ".card:hover", "opacity", ".app", "border", ".late", "z-index")
    assert written(SHEETS, *expected) == made.origins("css/app.css", *words)
    assert made.text("css/app.css").splitlines()[-1].startswith("/*# sourceMappingURL=app.css-")


def test_libsass_is_mapped_too(build: Make) -> None:
    files = {"assets/a.scss": '@import "part";\n.a { b: c; }\n', "assets/_part.scss": "\n.part { width: 1px; }\n"}

    made = build(files, PUBLIC + '[sass]\nengine = "libsass"\n')

    expected = written(files, ("assets/_part.scss", "width"), ("assets/a.scss", ".a"))
    assert expected == made.origins("a.css", "width", ".a")


MODULES = {
    "assets/js/app.ts": (
        'import { shared, type Kind } from "./shared";\nconst kind: Kind = 1;\n'
        'const image = new URL("../img/a-long-name-of-a-picture.png", import.meta.url); '
        "export const here = failing(image);\n"
        'export const later = () => import("./lazy");\nconsole.log(shared, kind, "said é😀", spoken());\n'
    ),
    "assets/js/lazy.tsx": 'import { shared } from "./shared";\n\nexport const lazy = () => shared + lazily();\n',
    "assets/js/shared.ts": "export type Kind = number;\nexport const shared: Kind = sharing();\n",
    "assets/img/a-long-name-of-a-picture.png": "1",
}
MODULE = PUBLIC + '[entries]\n"js/app.js" = "js/app.ts"\n'


@pytest.mark.parametrize("minify", ["true", "false"])
def test_a_module_graph_leads_back_to_its_sources(build: Make, minify: str, esbuild: Program) -> None:
    made = build(MODULES, MODULE + f"[js]\nminify = {minify}\n")

    app, lazy, common = "assets/js/app.ts", "assets/js/lazy.tsx", "assets/js/shared.ts"
    assert written(MODULES, (app, "failing"), (app, "spoken")) == made.origins("js/app.js", "failing", "spoken")
    assert written(MODULES, (lazy, "lazily")) == made.origins("js/chunks/lazy.js", "lazily")
    (shared,) = (name for name in made.manifest()["assets"] if name.startswith("js/chunks/shared") and name[-1] == "s")
    assert written(MODULES, (common, "sharing")) == made.origins(shared, "sharing")
    assert MODULES["assets/js/app.ts"] in made.map("js/app.js")["sourcesContent"]


JOINED_MAP = {
    "version": 3,
    "sections": [
        {
            "offset": {"line": 0, "column": 4},
            "map": {
                "version": 3,
                "sources": ["../src/lib.coffee", "/home/somebody/work/other.coffee", "webpack://lib/third.js"],
                "sourcesContent": ["\n  vendored\n", "elsewhere", "bundled"],
                "names": [],
                "mappings": encoded([(0, 0, Origin(0, 1, 2)), (1, 0, Origin(1, 0, 0)), (2, 0, Origin(2, 0, 0))]),
            },
        }
    ],
}
VENDOR = "var vendored=1;\nvar elsewhere=2;\nvar bundled=3;\n"
CARRIED = "data:application/json;base64," + base64.b64encode(json.dumps(JOINED_MAP).encode()).decode()


@pytest.mark.parametrize("comment", ["//@ sourceMappingURL=lib.js.map", f"/*# sourceMappingURL={CARRIED} */"])
def test_the_map_that_a_vendored_script_came_with_is_followed(build: Make, comment: str) -> None:
    files = {
        "assets/js/a.js": VENDOR + comment + "\n",
        "assets/js/lib.js.map": json.dumps(JOINED_MAP),
        "assets/js/b.js": B,
    }

    made = build(files, CLASSIC)

    expected = ["assets/src/lib.coffee:2:2", "other.coffee:1:0", "webpack://lib/third.js:1:0"]
    assert expected == made.origins("js/all.js", "vendored", "elsewhere", "bundled")
    assert written(files, ("assets/js/b.js", "failed")) == made.origins("js/all.js", "failed")
    assert "/home/" not in json.dumps(made.map("js/all.js"))
    assert 1 == made.text("js/all.js").count("sourceMappingURL")


def test_a_map_of_an_imported_sheet_and_of_a_module_is_followed(build: Make, esbuild: Program) -> None:
    sheet_map = {"version": 3, "sources": ["x.less"], "names": [], "mappings": "AAGA"}
    files = {
        "assets/x.less": "\n\n\n.less",
        "assets/vendor.css": ".vendor{a:b}\n/*# sourceMappingURL=vendor.css.map */\n",
        "assets/vendor.css.map": json.dumps(sheet_map),
        "assets/app.css": "@import 'vendor.css';\n",
        "assets/vendor.js": "vendored()\n//# sourceMappingURL=vendor.css.map\n",
        "assets/app.js": "import './vendor.js'\n\nown()\n",
    }
    config = PUBLIC + '[entries]\n"css/all.css" = "app.css"\n"js/all.js" = "app.js"\n'

    made = build(files, config)

    assert ["assets/x.less:4:0"] == made.origins("css/all.css", ".vendor")
    assert ["assets/x.less:4:0"] == made.origins("js/all.js", "vendored")
    assert ["assets/app.js:3:0"] == made.origins("js/all.js", "own")
    assert [files["assets/x.less"]] == made.map("css/all.css")["sourcesContent"]


DANGLING = {
    "assets/a.js": "go()\n//# sourceMappingURL=gone.js.map\n",
    "assets/a.css": "a{b:c}\n/*# sourceMappingURL=gone.css.map */\n",
}


def test_a_plain_file_loses_the_name_of_a_map_that_is_not_there(build: Make) -> None:
    made = build(DANGLING, "")

    assert ("go()\n\n", "a{b:c}\n\n") == (made.text("a.js"), made.text("a.css"))
    assert ("dangling-source-map", "dangling-source-map") == made.rules


def test_a_dangling_map_fails_a_strict_build(build: Make) -> None:
    with pytest.raises(CompileFailed) as caught:
        build(DANGLING, "", is_strict=True)

    assert ["strict", "dangling-source-map", "dangling-source-map"] == [d.rule for d in caught.value.diagnostics]


def test_a_plain_file_names_the_published_map_that_it_came_with(build: Make) -> None:
    own_map = json.dumps({"version": 3, "sources": ["x"], "names": [], "mappings": "AAAA"})
    files = {
        "assets/v/a.js": "go()\n//# sourceMappingURL=a.js.map\n",
        "assets/v/a.js.map": own_map,
        "assets/v/a.css": "a{b:c}\n/*# sourceMappingURL=a.css.map */\n",
        "assets/v/a.css.map": own_map,
        "assets/v/out.js": "go()\n//# sourceMappingURL=https://example.org/a.js.map\n",
    }

    made = build(files, "")

    names = {logical: Path(entry["file"]).name for logical, entry in made.manifest()["assets"].items()}
    assert f"go()\n//# sourceMappingURL={names['v/a.js.map']}\n" == made.text("v/a.js")
    assert f"a{{b:c}}\n/*# sourceMappingURL={names['v/a.css.map']} */\n" == made.text("v/a.css")
    assert files["assets/v/out.js"] == made.text("v/out.js")
    assert made.rules == ()


def test_a_plain_file_whose_references_are_rewritten_gets_its_map_fitted(build: Make) -> None:
    outer = {"version": 3, "sources": ["a.coffee"], "sourcesContent": ["\n  loading"], "names": []}
    files = {
        "assets/v/a.js": 'import "./with-a-long-name-of-its-own.js"; load()\n//# sourceMappingURL=a.js.map\n',
        "assets/v/with-a-long-name-of-its-own.js": "export {}",
        "assets/v/a.js.map": json.dumps({**outer, "mappings": encoded([(0, 0, None), (0, 43, Origin(0, 1, 2))])}),
        "assets/v/a.css": "a{b:url(x.png)} .z{y:x}\n/*# sourceMappingURL=a.css.map */\n",
        "assets/v/x.png": "",
        "assets/v/a.css.map": json.dumps({**outer, "mappings": encoded([(0, 0, None), (0, 16, Origin(0, 1, 2))])}),
    }

    made = build(files, PUBLIC)

    assert ["assets/v/a.coffee:2:2"] == made.origins("v/a.js", "load")
    assert ["assets/v/a.coffee:2:2"] == made.origins("v/a.css", ".z")
    assert verify(str(made.output), RealDisk()).is_whole


def test_maps_are_the_same_in_every_folder_and_with_any_number_of_jobs(
    tree: Tree, tmp_path: Path, compiled: Callable[..., Outcome], esbuild: Program
) -> None:
    entries = '[entries]\n"css/app.css" = "scss/app.scss"\n"js/app.js" = "js/app.ts"\n'
    entries += '"js/all.js" = { classic = ["js/a.js", "js/b.js"] }\n'
    first = tree({**SCRIPTS, **SHEETS, **MODULES, "assetbuild.toml": PUBLIC + entries})
    second = tmp_path / "quite" / "another" / "place"
    shutil.copytree(first, second)

    made, again = compiled(first, jobs=1), compiled(second, jobs=4)

    assert made.manifest == again.manifest
    assert not [a.logical for a in made.assets if isinstance(a.body, bytes) and str(tmp_path).encode() in a.body]


def test_a_map_follows_what_its_owner_refers_to_into_a_longer_name(build: Make) -> None:
    """The names of assets are as long as the configuration makes them, and columns count them."""
    made = build(SHEETS, 'names = "{stem}.a-very-long-form-of-a-name.{hash}{ext}"\n' + STYLE)

    card = "assets/scss/parts/_card.scss"
    assert written(SHEETS, (card, "width")) == made.origins("css/app.css", "width")


CHAINS = {
    "assets/css/one.css": "/* ä😀 */ .one  { background : url(../img/p.png) ; color : red }\n.uno { order: 1 }\n",
    "assets/css/two.css": "\n.two { z-index: 2; }\n",
    "assets/css/three.scss": "$n: 3;\n.three { opacity: $n; .deep { top: 0 } }\n",
    "assets/img/p.png": "",
    "assets/js/b.js": B,
    "assets/js/c.js": "/* 😀 */ var  later = 1;\n",
}


def chain(logical: str, sources: list[str], filters: list[Any]) -> str:
    """Return the configuration of one entry made by webassets filters."""
    return f'{PUBLIC}[entries]\n"{logical}" = {{ sources = {json.dumps(sources)}, filters = {json.dumps(filters)} }}\n'


@pytest.mark.parametrize("filters", [[], ["rcssmin"], ["cssrewrite"], ["cssrewrite", "rcssmin"]])
def test_filters_that_can_be_followed_leave_a_map(build: Make, filters: list[str]) -> None:
    made = build(CHAINS, chain("css/all.css", ["css/one.css", "css/two.css"], filters))

    expected = written(CHAINS, ("assets/css/one.css", ".uno"), ("assets/css/two.css", ".two"))
    assert expected == made.origins("css/all.css", ".uno", ".two")
    assert made.rules == ()


def test_a_chain_of_sass_and_minifier_leads_back_to_the_source(build: Make) -> None:
    made = build(CHAINS, chain("css/all.css", ["css/three.scss", "css/two.css"], ["libsass", "rcssmin"]))

    three, two = "assets/css/three.scss", "assets/css/two.css"
    expected = written(CHAINS, (three, "opacity"), (three, "top"), (two, ".two"))
    assert expected == made.origins("css/all.css", "opacity", "top", ".two")


@pytest.mark.parametrize("filters", [[], ["rjsmin"], ["jsmin"]])
def test_filtered_scripts_lead_back_to_their_files(build: Make, filters: list[str]) -> None:
    made = build(CHAINS, chain("js/all.js", ["js/b.js", "js/c.js"], filters))

    expected = written(CHAINS, ("assets/js/b.js", "failed"), ("assets/js/c.js", "later"))
    assert expected == made.origins("js/all.js", "failed", "later")


def test_a_filter_that_gives_no_map_is_said_to_give_none(build: Make) -> None:
    files = {"assets/css/t.css": ".t{{ 1 }}{order:1}\n"}

    made = build(files, chain("css/all.css", ["css/t.css"], ["jinja2"]))

    assert ".t1{order:1}" in made.text("css/all.css")
    assert "sourceMappingURL" not in made.text("css/all.css")
    assert made.rules == ("no-source-map",)


@pytest.mark.parametrize("sheet", ["bootstrap/dist/css/bootstrap.css", "bulma/css/bulma.css"])
def test_every_token_of_a_minified_sheet_is_followed_to_its_own(npm_packages: Path, sheet: str) -> None:
    text = (npm_packages / sheet).read_text()[:60_000].rpartition("}")[0] + "}"
    text += shape(text).closing
    made = minified(text, survey(text).customs)
    assert made is not None

    pairs = list(aligned(text, made))

    before = {token.start: text[token.start : token.end] for token in tokens(text)}
    after = {token.start: made[token.start : token.end] for token in tokens(made)}
    wrong = [(after[new], before[old]) for new, old in pairs if "url" not in after[new] and after[new] != before[old]]
    assert [] == wrong
    silent = {"{", "}", ";", ",", ")", "]", " ", "\n"}
    followed = {new for new, _ in pairs}
    left = [word for start, word in after.items() if start not in followed and word not in silent]
    assert all(word.startswith("/*!") for word in left)
    assert pairs == sorted(pairs, key=lambda pair: pair[1])


def test_a_sheet_that_is_left_open_is_closed_before_it_names_its_map(build: Make) -> None:
    files = {"assets/a.css": '.a{content:"x'}

    made = build(files, PUBLIC + '[css]\nminify = false\n[entries]\n"b.css" = "a.css"\n')

    assert made.text("b.css").startswith('.a{content:"x"}\n/*# sourceMappingURL=')


def test_names_in_the_place_of_references_are_counted_too(build: Make) -> None:
    files = {
        "assets/a.js": 'import { value } from "./deep/module.js"; import "preact"; value.asked();\n',
        "assets/deep/module.js": "export const value = {}",
        "node_modules/preact/package.json": '{"name": "preact", "module": "p.js"}',
        "node_modules/preact/p.js": "export {}",
    }
    config = 'roots = [{ path = "assets", minify = true }]\n' + PUBLIC + "[js]\nimportmap = true\n"

    made = build(files, config)

    assert '"preact"' in made.text("a.js")
    assert written(files, ("assets/a.js", "asked")) == made.origins("a.js", "asked")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("%00.map", "dangling-source-map"),
        ("/a.js.map", "dangling-source-map"),
        ("data:,", "broken-source-map"),
        ("data:application/json;base64,@", "broken-source-map"),
        ("broken.map", "broken-source-map"),
        ("odd.map", ""),
        ("//host/a.map", ""),
        ("https://[/a.map", ""),
    ],
)
def test_a_map_that_cannot_be_followed_leads_to_the_file_itself(build: Make, url: str, rule: str) -> None:
    odd = {"version": 3, "sources": ["file://[", "\0", "C:\\a\\b.js", "x" * 300], "names": [], "mappings": ""}
    files = {
        "assets/x/a.js": f"asked()\n//# sourceMappingURL={url}\n",
        "assets/x/broken.map": '{"version": 3, "sources": [], "mappings": "AAAA"}',
        "assets/x/odd.map": json.dumps({**odd, "mappings": encoded([(0, 0, Origin(n, 0, 0)) for n in range(4)])}),
    }

    made = build(files, 'exclude = ["x/*.js"]\n' + PUBLIC + '[entries]\n"all.js" = { classic = ["x/a.js"] }\n')

    expected = ["assets/x/" + "x" * 300 + ":1:0"] if url == "odd.map" else written(files, ("assets/x/a.js", "asked"))
    assert expected == made.origins("all.js", "asked")
    assert made.rules == ((rule,) if rule else ())

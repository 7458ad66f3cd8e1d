from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from assetbuild.compiler.engines import script
from assetbuild.compiler.model import Facts, Job, Result
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Js, Urls
from tests.conftest import Tree
from tests.script_shop import Files, Yard, draft_of, minifier_is_here, rules, written

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

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from assetbuild.compiler.engines import classic
from assetbuild.compiler.model import Facts, Job, Result
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.refs.js.lexed import Goal, Lexed
from assetbuild.compiler.refs.js.lexer import lex
from tests.conftest import Tree, need
from tests.script_shop import Yard, draft_of, minifier_is_here, rules, written

Build = Callable[..., Result]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    minifier_is_here()
    with Workers(1) as one:
        yield one


@pytest.fixture
def build(tree: Tree) -> Build:
    """Return a function that joins the given texts, named a.js, b.js, …; further files stand under their names."""

    def run(
        *texts: str | bytes, minify: bool = False, workers: Workers | None = None, files: dict[str, str] | None = None
    ) -> Result:
        named = {f"{'abcdefgh'[number]}.js": text for number, text in enumerate(texts)}
        yard = Yard(tree({f"assets/{name}": text for name, text in (named | (files or {})).items()}), workers)
        job = Job("classic", ("js/all.js",), tuple(yard.sources[name] for name in named), {"minify": minify})
        return classic.build(job, yard.reading(), yard.shop)

    return run


def values(*scripts: str) -> list[object]:
    """Return what Node gives for the global `out` after each script."""
    node = shutil.which("node")
    need("node", node is not None)
    program = """
        const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        const run = text => { const c = { out: [] }; require('vm').runInNewContext(text, c); return c.out };
        console.log(JSON.stringify(texts.map(run)))"""
    reply = subprocess.run(
        [str(node), "-e", program], input=json.dumps(scripts), capture_output=True, check=True, text=True
    )
    answers: list[object] = json.loads(reply.stdout)
    return answers


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a = 1", "b = 2"], "a = 1\n;\nb = 2\n;\n"),
        (["a = 1;", "b = 2;\n"], "a = 1;\nb = 2;\n"),
        (["a = 1 // c", "b = 2;"], "a = 1 // c\n;\nb = 2;\n"),
        (["function a() {}", "(b)()"], "function a() {}\n(b)()\n;\n"),
        (["a = function () {}", "(b)()"], "a = function () {}\n;\n(b)()\n;\n"),
        (["a\n--> b", "c"], "a\n--> b\n;\nc\n;\n"),
        (["a = b\n", "/c/.d"], "a = b\n;\n/c/.d\n;\n"),
        (["/* only */", "", "a;"], "/* only */\na;\n"),
        (["#!/usr/bin/env node\na;", "#!/x\nb;"], "\na;\n\nb;\n"),
        ([b"\xef\xbb\xbfa;", b"\xef\xbb\xbfb;"], "a;\nb;\n"),
        (["a;\n//# sourceMappingURL=a.map\n", "b /*# sourceMappingURL=b.map */ (c);"], "a;\n\nb   (c);\n"),
        (["do a\nwhile (b)", "c;"], "do a\nwhile (b)\n;\nc;\n"),
    ],
)
def test_a_statement_and_a_line_end_where_their_file_ends(build: Build, texts: list[str], expected: str) -> None:
    result = build(*texts)

    assert expected == written(result)
    assert () == result.diagnostics


# Each runs alone; joined without care, many pairs call, divide, comment out or continue one another.
ALONE = [
    "out.push(1)",
    "var f = function () { out.push('f') }",
    "(function () { out.push(2) })()",
    "[3].forEach(function (x) { out.push(x) })",
    "/4/.test('4') && out.push(4)",
    "`5`.length && out.push(5)",
    "out.push(6) // seven",
    "+out.push(8)",
    "++out.length",
    "var g = x => { out.push(x) }",
    "<!-- nine\nout.push(9)\n--> ten",
    "function h() { return out.push('h') }",
    "if (true) { out.push(11) }",
    "do out.push(12); while (0)",
    "/* nothing */",
    "'use strict'",
    "out.push((function () { return this === undefined })())",
    "{ out.push(13) }",
    "var o = { a: 1 }",
    "class A { a = out.push(14)\n b = 15 }; new A",
    "l: out.push(16)",
    "let i = 17\nout.push(i++)",
    "throw_ = typeof /x/",
    "out.push(`${ `}` }`)",
]


def test_no_file_breaks_the_next(build: Build, workers: Workers) -> None:
    pairs = [pair for pair in itertools.product(ALONE, repeat=2) if pair[0] != pair[1]][::5]
    expected = values(*(f"{first}\n;\n{second}\n" if first != "'use strict'" else second for first, second in pairs))

    joined = [written(build(*pair)) for pair in pairs]
    minified = [written(build(*pair, minify=True, workers=workers)) for pair in pairs]

    assert len(pairs) > 100
    assert expected == values(*joined)
    assert expected == values(*minified)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a;\n/* b", "comment is never closed", 2, 1),
        ("a = `b", "template is never closed", 1, 5),
        ("f(function () {\n", "`(` is never closed", 1, 2),
        ("a = 'b", "string is never closed", 1, 5),
        ("a = [", "`[` is never closed", 1, 5),
        ("a\n}", "`}` closes nothing", 2, 1),
        ("a = /b", "regular expression is never closed", 1, 5),
    ],
)
def test_a_file_that_leaves_something_open_is_an_error_with_its_place(
    build: Build, text: str, message: str, line: int, column: int
) -> None:
    result = build("x;", text, "y;")

    (found,) = result.diagnostics
    assert (message, "error") == (found.message, found.severity)
    assert found.span is not None
    assert ("assets/b.js", line, column) == found.span[:3]
    assert () == result.drafts


def test_every_broken_file_is_told_at_once(build: Build) -> None:
    result = build("(", b"\xff", "export {}", "(" * 300)

    assert ["unclosed", "not-utf8", "module-as-classic", "too-deep"] == [one.rule for one in result.diagnostics]


def test_a_module_is_refused_with_what_to_write(build: Build) -> None:
    (found,) = build("var a;\nimport b from './b.js'").diagnostics

    assert ("module-as-classic", 'write { module = "a.js" }') == (found.rule, found.hint)
    assert found.span is not None
    assert ("assets/a.js", 2, 1, 6) == found.span[:4]


def test_scripts_that_are_all_strict_stay_strict(build: Build) -> None:
    result = build("/* a */ 'use strict'; var a = 1;", "// only a comment", '"use strict"\nvar b = 2;')

    assert written(result).startswith("/* a */ 'use strict';")
    assert () == result.diagnostics


def test_strictness_neither_spreads_nor_is_lost_in_silence(build: Build, workers: Workers) -> None:
    strict, sloppy = "'use strict'; out.push(!this)", "out.push(function () { return !this }())"

    for minify in (False, True):
        first = build(strict, sloppy, minify=minify, workers=workers)
        last = build("// a", sloppy, strict, minify=minify, workers=workers)

        assert [[False, False]] * 2 == values(written(first), written(last))
        assert [("strict-mode-lost", "warning")] == rules(first) == rules(last)
        assert last.diagnostics[0].span is not None
        assert ("assets/c.js", 1, 1, 12) == last.diagnostics[0].span[:4]
        assert ["assets/b.js"] == [note.span.path for note in last.diagnostics[0].notes if note.span]


def test_a_string_that_ends_a_file_makes_no_directive_of_the_next_one(build: Build, workers: Workers) -> None:
    for minify in (False, True):
        result = build(
            "'a'", "'use strict'", "out.push(function () { return !this }())", minify=minify, workers=workers
        )

        assert [[False]] == values(written(result))


def test_functions_keep_their_own_strictness(build: Build, workers: Workers) -> None:
    text = "(function () { 'use strict'; out.push(!this) })()"

    assert [[True]] == values(written(build("var a", text, minify=True, workers=workers)))
    assert [] == rules(build("var a", text))


def test_scripts_that_a_search_clears_are_minified_without_the_lexer(
    build: Build, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexed: list[str] = []

    def counted(text: str, goal: Goal = "script") -> Lexed:
        lexed.append(text)
        return lex(text, goal)

    monkeypatch.setattr("assetbuild.compiler.refs.js.lex", counted)
    plain = "/*! licence */ // as the import() call does\nvar a = interval('with'), b = /'/.eval;"

    build(plain, "function f(x) { return x / 2 }", minify=True, workers=workers)
    assert [] == lexed
    build(plain, "eval(a)", "import('./b.js')", minify=True, workers=workers)
    assert ["eval(a)", "import('./b.js')"] == sorted(lexed)


def test_globals_stay_global(build: Build, workers: Workers) -> None:
    result = build(
        "var first = 1; function second(used) { return used } let third = 3; const fourth = 4; class Fifth {}",
        "out.push(first, second(2), third, fourth, typeof Fifth, typeof globalThis.second)",
        minify=True,
        workers=workers,
    )

    assert [[1, 2, 3, 4, "function", "function"]] == values(written(result))


def test_facts_name_the_source_of_a_single_script(build: Build) -> None:
    assert Facts("classic", is_entry=True, source="assets/a.js") == draft_of(build("a")).facts
    assert Facts("classic", is_entry=True) == draft_of(build("a", "b")).facts
    assert ("js/all.js", "text/javascript; charset=utf-8") == (
        draft_of(build("a")).logical,
        draft_of(build("a")).media_type,
    )


def test_a_dynamic_import_is_a_reference_from_the_joined_script_or_from_its_own(build: Build) -> None:
    files = {"js/lazy.js": "", "near.js": ""}

    result = build("import('./lazy.js')", "import('./near.js'); 'import(\"./no.js\")'", files=files)

    assert "import('<./js/lazy.js>')\n;\nimport('<./near.js>'); 'import(\"./no.js\")'\n;\n" == written(result)
    assert ("js/lazy.js", "near.js") == draft_of(result).facts.dynamic


def test_a_dynamic_import_that_leads_nowhere_is_told(build: Build, workers: Workers) -> None:
    result = build("a;\nimport('./none.js')", minify=True, workers=workers)

    (found,) = result.diagnostics
    assert "missing-reference" == found.rule
    assert found.span is not None
    assert ("assets/a.js", 2, 9) == found.span[:3]


def test_a_reference_survives_minifying(build: Build, workers: Workers) -> None:
    result = build("import( './b.js' ).then(function (module) { module.c() })", "", minify=True, workers=workers)

    assert 'import("<./b.js>").then(function(e){e.c()})\n;\n' == written(result)


def test_an_error_of_the_minifiers_parser_has_its_place_in_the_file(build: Build, workers: Workers) -> None:
    text = "#!/x\nvar ü = '💡'; import('./b.js');\n  x = = y;\n//# sourceMappingURL=a.map"

    result = build(text, "ok;", minify=True, workers=workers)

    (found,) = result.diagnostics
    assert ("unreadable-script", "error") == (found.rule, found.severity)
    assert found.span is not None
    assert ("assets/a.js", 3, 7) == found.span[:3]


def test_an_error_behind_a_reference_on_its_line_has_its_place_too(build: Build, workers: Workers) -> None:
    (found,) = build("import('./b.js'); x = = y;", "ok;", minify=True, workers=workers).diagnostics

    assert found.span is not None
    assert ("assets/a.js", 1, 23, "import('./b.js'); x = = y;") == (*found.span[:3], found.span.text)


def test_equal_input_gives_equal_output(build: Build, workers: Workers) -> None:
    texts = ["import('./b.js'); var a = 1", "var b = import('./a.js')"]

    assert build(*texts, minify=True, workers=workers) == build(*texts, minify=True, workers=workers)

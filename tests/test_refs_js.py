from __future__ import annotations

import itertools
import json
import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs import js
from assetbuild.compiler.refs.js import sieve
from assetbuild.compiler.refs.js import tokens as kinds
from assetbuild.compiler.refs.js.lexed import Goal
from assetbuild.compiler.refs.js.lexer import lex
from tests.conftest import need
from tests.linear import steps

# Pieces that confuse one another: what begins or ends a construct, and what decides about the slash behind it.
MARKS = "/ /* */ // ' \" ` ${ } { ( ) [ ] ; , : ? . ?. => ++ -- <!-- --> \\ # @ * ! = + - < > é 😀"
WORDS = "a b async await yield of let get static import export from default class function return if for while"
MORE = "case in typeof new meta url /x/ /[/]/ 1. .5 0x1f 1n 017.a \\u0061 #p `t` 's' import('x') import.meta.url"
PIECES = [*f"{MARKS} {WORDS} {MORE}".split(), " ", " ", "\n", "\r\n", "\u2028", "\t", "\ufeff", "import './x'", "\\\n"]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join),
    st.text(max_size=80),
)


def literals(text: str) -> list[str]:
    """Return the regular expressions and the division signs of a script, in order."""
    tokens = lex(text)
    return [tokens[i] for i in tokens.significant() if tokens.kinds[i] == kinds.REGEX or tokens[i] in ("/", "/=")]


def found(text: str) -> list[tuple[str, str]]:
    return [(ref.kind, ref.value) for ref in js.references(text)]


@given(texts, st.sampled_from(["script", "module"]))
def test_tokens_put_together_are_the_text(text: str, goal: Goal) -> None:
    tokens = lex(text, goal)

    assert text == "".join(tokens[index] for index in range(len(tokens)))
    assert "" not in [tokens[index] for index in range(len(tokens))]


@given(texts)
def test_nothing_raises_and_every_place_lies_in_the_text(text: str) -> None:
    script = js.Script(text)

    for ref in (*script.references, *script.requires):
        assert 0 <= ref.statement_start < ref.start <= ref.end < ref.statement_end <= len(text)
        assert text[ref.start - 1] == text[ref.end]
        assert text[ref.end] in "'\"`"
    assert all(text[place.start : place.end].startswith("import") for place in script.non_constant_imports)
    assert all(0 <= fault.start < len(text) for fault in script.faults)
    if not re.search(r"\d\w*(?:import|export)", text):  # ECMA-262 §12.9.3: no word may follow a number at once
        assert js.references(text) == script.references
        assert js.module_syntax(text) == script.is_module


@given(texts, st.sampled_from(["/* {} */", "// {}\n", "'{}'", '"{}"', "x = `{}`", "x = /{}/"]))
def test_what_stands_in_comments_strings_templates_and_regular_expressions_is_no_reference(
    text: str, shell: str
) -> None:
    for mark in "*/'\"`$\\\n\r\u2028\u2029[]":
        text = text.replace(mark, "")
    inside = f"{text} import x from {text} import(x) export * from"

    script = js.Script(shell.replace("{}", inside) + "\n;")

    assert ((), (), False) == (script.references, script.non_constant_imports, script.is_module)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a / b / c", ["/", "/"]),
        ("a /= b", ["/="]),
        ("x = /a/ / b", ["/a/", "/"]),
        ("x = /[/]\\//.y", ["/[/]\\//"]),
        ("() => /a  b/", ["/a  b/"]),
        ("(a) / b", ["/"]),
        ("if (a) /b/.c", ["/b/"]),
        ("while (a) /b/.c", ["/b/"]),
        ("for (;;) /b/.c", ["/b/"]),
        ("for (x of /b/.c) ;", ["/b/"]),
        ("with (a) /b/.c", ["/b/"]),
        ("f(a) / b", ["/"]),
        ("a[0] / b", ["/"]),
        ("{ } /b/.c", ["/b/"]),
        ("x = { } / b", ["/"]),
        ("({ }) / b", ["/"]),
        ("l: { } /b/.c", ["/b/"]),
        ("x = a ? { } / b : { } / c", ["/", "/"]),
        ("switch (a) { case b: { } /c/.d }", ["/c/"]),
        ("function f() { } /b/.c", ["/b/"]),
        ("x = function () { } / b", ["/"]),
        ("export default function () { } /b/.c", ["/b/"]),
        ("async function f() { } /b/.c", ["/b/"]),
        ("x = async function () { } / b", ["/"]),
        ("class A { } /b/.c", ["/b/"]),
        ("x = class { } / b", ["/"]),
        ("x = class extends { }.y { } / b", ["/"]),
        ("x = class extends class { } { } / b", ["/"]),
        ("x = () => { }\n/b/.c", ["/b/"]),
        ("x = { m() { /b/ } }", ["/b/"]),
        ("x = { m() { } } / b", ["/"]),
        ("`${ /a/ }` / b", ["/a/", "/"]),
        ("`${ { } / a }`", ["/"]),
        ("a.return / b", ["/"]),
        ("a?.if / b", ["/"]),
        ("return /b/", ["/b/"]),
        ("typeof /b/", ["/b/"]),
        ("a in /b/", ["/b/"]),
        ("this / b", ["/"]),
        ("a++ / b", ["/"]),
        ("a\n++/b/.c", ["/b/"]),
        ("a = b\n/c/d", ["/", "/"]),
        ("x = { return: 1, if: /b/ }", ["/b/"]),
        ("class A { return() { } if = /b/ }", ["/b/"]),
        ("class A { a = 1\nb = /c/ }", ["/c/"]),
        ("class A { static { /b/ } }", ["/b/"]),
        ("function* f() { yield /b/ }", ["/b/"]),
        ("yield / b", ["/"]),
        ("async () => await /b/", ["/b/"]),
        ("async x => { await /b/ }", ["/b/"]),
        ("await / b", ["/"]),
        ("import { a } from 'x'\n/b/.c", ["/b/"]),
        ("export { a }\n/b/.c", ["/b/"]),
        ("import 'x' with { type: 'css' }\n/b/.c", ["/b/"]),
        ("import.meta / b", ["/"]),
        ("break\n/b/.c", ["/b/"]),
        ("let / b", ["/"]),
        ("1 / 2 / 0x1f / 1n / .5 / 1. / 017.a / b", ["/"] * 7),
        ("/* a */ /b/ // /c/", ["/b/"]),
    ],
)
def test_a_slash_divides_behind_an_operand_and_begins_a_regular_expression_elsewhere(
    text: str, expected: Sequence[str]
) -> None:
    assert expected == literals(text)


def test_html_like_comments_are_comments_in_scripts_only() -> None:
    text = "a <!-- b\n--> c\nd --> e"

    assert 2 == sum(kind == kinds.LINE_COMMENT for kind in lex(text).kinds)
    assert 0 == sum(kind == kinds.LINE_COMMENT for kind in lex(text, "module").kinds)
    assert [("import", "./x")] == found("import './x'; a<!--b; f('./y')")


def test_await_at_the_top_of_a_module_is_an_operator() -> None:
    text = "await /'/; import './x'"

    assert [("import", "./x")] == found(text)


def test_a_hashbang_is_a_comment_at_the_beginning_only() -> None:
    assert kinds.HASHBANG == lex("#!/usr/bin/env node\na").kinds[0]
    assert kinds.HASHBANG not in lex(" #!/x\n").kinds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import a from "./x"', ("import", "./x")),
        ("import'./x'", ("import", "./x")),
        ('import{a}from"./x"', ("import", "./x")),
        ('import*as a from"./x"', ("import", "./x")),
        ("import a, { b as c, default as d } from './x'", ("import", "./x")),
        ("import { 'a b' as c } from './x'", ("import", "./x")),
        ("import from from './x'", ("import", "./x")),
        ("import a\n  from\n  /* c */ './x'", ("import", "./x")),
        ("import defer * as a from './x'", ("import", "./x")),
        ("import source a from './x'", ("import", "./x")),
        ("import a from './x' with { type: 'css' };", ("import", "./x")),
        ("export * from './x'", ("export", "./x")),
        ("export*as a from'./x'", ("export", "./x")),
        ("export * as 'a b' from './x'", ("export", "./x")),
        ("export * as default from './x'", ("export", "./x")),
        ("export { default as a, if } from './x'", ("export", "./x")),
        ("export{}from'./x'", ("export", "./x")),
        ("import('./x')", ("dynamic", "./x")),
        ("x = a.b(await import ( /* webpackChunkName: 'c' */ './x' ))", ("dynamic", "./x")),
        ("import(`./x`)", ("dynamic", "./x")),
        ("import('./x', { with: { type: 'json' } })", ("dynamic", "./x")),
        ("import('./x',)", ("dynamic", "./x")),
        ("import.defer('./x')", ("dynamic", "./x")),
        ("import.source('./x')", ("dynamic", "./x")),
        ("import.meta.resolve('./x')", ("resolve", "./x")),
        ("new URL('./x', import.meta.url)", ("url", "./x")),
        ("new URL(`./x`, import.meta.url, )", ("url", "./x")),
        ("new Worker(new URL('./x', import.meta.url), { type: 'module' })", ("worker", "./x")),
        ("new SharedWorker(new URL('./x', import.meta.url))", ("shared-worker", "./x")),
        ("context.audioWorklet.addModule(new URL('./x', import.meta.url))", ("worklet", "./x")),
        ("CSS.paintWorklet?.addModule(new URL('./x', import.meta.url))", ("worklet", "./x")),
        ("importScripts('./x')", ("import-scripts", "./x")),
        ("self.importScripts(`./x`, )", ("import-scripts", "./x")),
        ("importScripts('./x', y, './z')", ("import-scripts", "./x")),
        ("import '\\x2e\\u002f\\u{78}'", ("import", "./x")),
        ("import './\\\nx'", ("import", "./x")),
        ("import '\\ud83d\\ude00'", ("import", "😀")),
    ],
)
def test_every_form_of_reference_is_found(text: str, expected: tuple[str, str]) -> None:
    assert [expected] == found(text)
    assert [expected] == found(f"a = 'b'\n{text};/import './no'/.test(c)")


@pytest.mark.parametrize(
    "text",
    [
        "// import './x'",
        "/* import('./x') */",
        "/** @type {import('./x').T} */",
        "'import \"./x\"'",
        "`import './x' ${a}`",
        "x = /import('.')/",
        "a.import('./x')",
        "a?.import('./x')",
        "x = { import: './x', import('./x') { } }",
        "class A { import(a = './x') { } static import = './x'; #import = './x' }",
        "x.export = './x'",
        "export default './x'",
        "export { a }; './x'",
        "export const a = './x'",
        "import(x)",
        "import(`./${x}`)",
        "import('./x' + y)",
        "import(tag`./x`)",
        "new URL('./x', document.baseURI)",
        "new URL(x, import.meta.url)",
        "new URL('./x', import.meta.url + y)",
        "new Other('./x', import.meta.url)",
        "x.meta.resolve('./x')",
        "\\u0069mport('./x')",
        "require('./x')",
        "importScripts(x, './y')",
        "importScripts('./x' + y)",
        "importScripts(`./${x}`)",
        "x.importScripts('./x')",
        "importScripts",
        "x = { importScripts(a = './x') { } }",
        "function importScripts(a = './x') { }",
    ],
)
def test_what_only_looks_like_a_reference_is_none(text: str) -> None:
    assert [] == found(text)


def test_a_reference_knows_its_content_and_its_statement() -> None:
    text = "a(); import { b } from './b' with { type: 'json' }; c(import(/* d */ './e', { f: (1) }))"

    first, second = js.references(text)

    assert ("./b", "import { b } from './b' with { type: 'json' };") == (
        text[first.start : first.end],
        text[first.statement_start : first.statement_end],
    )
    assert ("./e", "import(/* d */ './e', { f: (1) })") == (
        text[second.start : second.end],
        text[second.statement_start : second.statement_end],
    )


def test_references_in_substitutions_and_nested_calls_are_found() -> None:
    text = "`a ${ import('./b') } ${ `${ new URL('./c', import.meta.url) }` }`; import(await import('./d'))"

    assert [("dynamic", "./b"), ("url", "./c"), ("dynamic", "./d")] == found(text)


def test_every_script_that_a_worker_imports_is_found() -> None:
    text = "import('./a'); importScripts('./b', \"./c\"); new URL('./d', import.meta.url)"

    assert [("dynamic", "./a"), ("import-scripts", "./b"), ("import-scripts", "./c"), ("url", "./d")] == found(text)


def test_imports_that_are_known_only_at_run_time_are_told() -> None:
    text = "import(a); import('./b' + c); import(`./${d}`); import('./e'); import()"

    places = js.non_constant_imports(text)

    assert ["import(a)", "import('./b' + c)", "import(`./${d}`)"] == [text[at:end] for at, end in places]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import './x'", True),
        ("import a from './x'", True),
        ("export {}", True),
        ("export default 1", True),
        ("f(import.meta.url)", True),
        ("import('./x')", False),
        ("a.export = 1; b = { import: 2 }", False),
        ("// export default\n'import x'", False),
        ("function f() { }", False),
    ],
)
def test_a_module_is_told_by_its_declarations(text: str, expected: bool) -> None:
    assert expected == js.module_syntax(text)


def test_require_is_found_as_a_call_of_that_name_only() -> None:
    text = "a = require('./b'); c.require('./no'); require(d); require.context('./e', true); 'require(\"./no\")'"

    assert [("require", "./b"), ("require-context", "./e")] == [(ref.kind, ref.value) for ref in js.requires(text)]


def test_source_map_comments_are_found_with_both_marks_and_only_as_comments() -> None:
    text = "a = '//# sourceMappingURL=no'\n//# sourceMappingURL=b.map\n//@ sourceMappingURL=c.map\n"
    text += "/*# sourceMappingURL=d */"

    comments = js.source_map_comments(text)

    assert ["b.map", "c.map", "d"] == [comment.url for comment in comments]
    assert "/*# sourceMappingURL=d */" == text[comments[2].start : comments[2].end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a /* b", [("comment", 2)]),
        ("a = 'b\nc", [("string", 4)]),
        ("a = 'b\\'", [("string", 4)]),
        ("a = `b ${c} d", [("template", 4)]),
        ("a = `b ${c", [("template", 4)]),
        ("a = /b\nc", [("regular expression", 4)]),
        ("a = /[/\n", [("regular expression", 4)]),
        ("f(function () { a", [("(", 1), ("{", 14)]),
        ("a }", [("}", 2)]),
        ("( ]", [("(", 0), ("]", 2)]),
        ("a = [1, {b: (2)}]; `c ${ {} } d`; '\\\n'; /[/]/", []),
    ],
)
def test_what_is_left_open_is_told_with_its_beginning(text: str, expected: list[tuple[str, int]]) -> None:
    assert expected == [(fault.what, fault.start) for fault in js.open_constructs(text)]


@pytest.mark.parametrize(
    ("opener", "at", "depth"),
    [
        ("(", 0, 1),
        ("[", 0, 1),
        ("f(", 1, 1),
        ("{", 0, 1),
        ("`${", 0, 1),
        ("a => {", 5, 1),
        ("if (a) {", 3, 1),
        ("{ [", 0, 2),
    ],
)
def test_nesting_over_the_limit_is_told_by_its_place(opener: str, at: int, depth: int) -> None:
    fine = opener * (NESTING_LIMIT // depth)

    assert js.check_nesting(fine) is None
    assert js.check_nesting(fine + opener + "'") == len(fine) + at


def test_a_text_that_is_nested_too_deep_is_not_read_to_its_end() -> None:
    tokens = lex("(" * 1_000_000)

    assert len(tokens) == NESTING_LIMIT + 2
    assert tokens.kinds[-1] == kinds.UNREAD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'use strict'", True),
        ('/* a */ "use strict"; b', True),
        ("'a'; 'use strict'\nb()", True),
        ("'use strict'\n+ 'a'", False),
        ("'use strict'.length", False),
        ("'use\\x20strict'", False),
        ("('use strict')", False),
        ("; 'use strict'", False),
        ("a; 'use strict'", False),
        ("function f() { 'use strict' }", False),
    ],
)
def test_a_directive_stands_in_the_prologue_and_is_written_plainly(text: str, expected: bool) -> None:
    assert expected == (js.Script(text).strict_directive is not None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("function f(a) { return eval('a') }", True),
        ("with (a) b", True),
        ("(0, eval)('a'); window.eval('b'); a.with(1)", False),
        ("// eval(a)\n'with (b)'", False),
        ("import 'x' with { type: 'css' }", False),
    ],
)
def test_code_that_may_use_any_name_is_known(text: str, expected: bool) -> None:
    assert expected == js.Script(text).reveals_names


# A slash that is read wrongly begins or ends a string here, so that Node's parser and ours part company.
_WITNESSES = ["/'/g", "/`/", "/[/']/.x", "/ 2 //'", "\n/'/.y", "/{/", "/}/g"]
_BEFORE = [
    "a", "(a)", "if (a)", "{}", "x = {}", "() => {}", "x = () => {}\n", "function f() {}", "x = function () {}",
    "class A {}", "x = class {}", "`${a}`", "a++", "a\n++", "return", "typeof", "a.return", "x = {a() {}}", "l:",
    "while (a)", "do a; while (b)", "[a]", "this", "a ? b :", "case", "async () => {}\n", "var a = b", "`${{}}`",
    "for (a of", "for (a of b)", "else", "1", "'s'", "x = async function () {}", "async x => {}\n", "a =>", "!", "a,",
    "x = {get a() {}}", "class A { a = 1\nb =", "class A { a() {} }", "if (a) {} else", "try {} catch {}", "a?.if",
]  # fmt: skip


def test_what_node_can_parse_has_no_faults_here_and_parses_again_without_white_space(tmp_path: Path) -> None:
    from assetbuild.compiler.engines.js.minify import squeezed

    node = shutil.which("node")
    need("node", node is not None)
    chosen = random.Random(7)
    ends = ["", ")", "}", ") ;", " }", ": 0", ":}"]
    scripts = [
        f"{chosen.choice(['', 'function* g() {', 'x = [', '('])}{before} {witness}{chosen.choice(ends)}"
        for before in _BEFORE
        for witness in _WITNESSES
        for _ in range(6)
    ]

    accepted = [text for text, is_read in zip(scripts, _parses(node, scripts), strict=True) if is_read]
    without = [squeezed(lex(text)) for text in accepted]

    assert len(accepted) > 100
    assert [] == [text for text in accepted if js.open_constructs(text)]
    assert all(_parses(node, without))


def _parses(node: str | None, scripts: Sequence[str]) -> list[bool]:
    program = """
        const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        const reads = text => { try { new (require('vm').Script)(text); return true } catch { return false } };
        console.log(JSON.stringify(texts.map(reads)))"""
    reply = subprocess.run(
        [str(node), "-e", program], input=json.dumps(scripts), capture_output=True, check=True, text=True
    )
    answers: list[bool] = json.loads(reply.stdout)
    return answers


@pytest.mark.parametrize(
    "unit", ["a/b;", "'\\", "x=/[/'", "/*", ")", "import a,{b} ", "async (a)=>", "<!--", "\\u", "x?"]
)
def test_reading_takes_time_in_proportion_to_the_text(unit: str) -> None:
    """Counted in Python's own steps, which no load of the machine changes."""
    small, large = (_steps(unit * (size // len(unit))) for size in (2_000, 16_000))

    assert large < 10 * small + 1_000


def _steps(text: str) -> int:
    return steps(lambda: js.Script(text).references)


TRIGGERS = (
    "import export importScripts eval with require 'use\\x20strict' 'use\\u0020strict' /*!x*/ //!\n @license // <!--"
)
sieved = st.lists(
    st.sampled_from([*PIECES, *TRIGGERS.split(), "'use strict'", '"use strict"', ";", "#!x\n"]), max_size=25
)


@given(sieved.map("".join), st.sampled_from(["script", "module"]))
def test_what_the_lexer_finds_is_never_sieved_out(text: str, goal: Goal) -> None:
    tokens = lex(text, goal)
    names = [tokens[at] for at in tokens.significant()]
    # No name stands right behind a number (ECMA-262 §12.9.3).
    assume(not any(kinds.NUMBER == kind for kind in tokens.kinds))

    calls = {(word, following) for word, following in itertools.pairwise(names)}
    read = js.Script(f"{text}\n// import x")
    assert sieve.may_refer(text) or not (read.references or read.non_constant_imports or read.is_module)
    assert sieve.may_reveal_names(text) or not calls & {("eval", "("), ("with", "(")}


@given(sieved.map("".join))
def test_comments_that_are_to_be_kept_are_known_without_the_lexer_or_not_at_all(text: str) -> None:
    tokens = lex(text)
    comments = [tokens[at] for at, kind in enumerate(tokens.kinds) if kind in (kinds.LINE_COMMENT, kinds.BLOCK_COMMENT)]

    assert sieve.legal_comments(text) in (None, [one for one in comments if sieve.is_legal(one)])


@given(sieved.map("".join))
def test_where_a_script_begins_is_known_without_the_lexer_or_not_at_all(text: str) -> None:
    tokens = lex(text)
    first, directives = sieve.first_token(text), sieve.after_directives(text)

    at = tokens.after(-1)
    assert first is None or first == (tokens.starts[at] if at < len(tokens) else len(text))
    assert (at < len(tokens)) == js.Script(text).has_code
    assert directives is None or first is None or first <= directives


@given(sieved.map("".join))
def test_a_directive_is_found_by_the_begin_of_a_script_alone(text: str) -> None:
    read = js.Script(text)
    # A comment that keeps the sieve from judging where the directives end.
    whole = js.Script(f"<!--\n{text}")
    assume(not (read.faults or read.is_module or whole.is_module or text.startswith("#!")))

    found = read.strict_directive
    assert whole.strict_directive == (None if found is None else js.Place(found.start + 5, found.end + 5))

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assetbuild.compiler.engines.js import minify as js_minify
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.refs.js import Script
from assetbuild.compiler.refs.js.lexer import lex
from tests.conftest import need
from tests.script_shop import minifier_is_here


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    minifier_is_here()
    with Workers(1) as one:
        yield one


@pytest.fixture(params=["rjsmin", "jsmin"])
def run(request: pytest.FixtureRequest) -> Callable[[str], str]:
    name = str(request.param)
    need(name, importlib.util.find_spec(name) is not None)
    minify: Callable[[str], str] = importlib.import_module(name).jsmin
    return minify


def minified(text: str, workers: Workers) -> str:
    return js_minify.minified(Script(text), "a.js", workers).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "var longName = 1;\nfunction f(used) { return used + longName }",
            "var longName=1;function f(e){return e+longName}",
        ),
        ("try { a() } catch (e) {} b == null ? c : b", "try{a()}catch(e){}b==null?c:b"),
        ("a = 'x\\n' + \"y\"", 'a="x\\ny"'),
        ("var s = '</script>'", 'var s="<\\/script>"'),
        (
            "'</script></script></script>'.split('</script>')",
            '"<\\/script><\\/script><\\/script>".split("<\\/script>")',
        ),
        ("#!/usr/bin/env node\na = 1", "a=1"),
        ("<!-- a\nb = 1\n--> c", "b=1"),
        ("'use strict';\na()", '"use strict";a()'),
        ("", ""),
        ("// nothing\n;", ""),
        ("ü = '💡'", 'ü="💡"'),
    ],
)
def test_a_script_is_made_smaller_and_stays_what_it_is(text: str, expected: str, workers: Workers) -> None:
    assert expected == minified(text, workers)


def test_comments_of_licences_are_kept_once_and_first_if_they_would_go(workers: Workers) -> None:
    text = "/** @license MIT */ a(); /* gone */ /*! kept */ b(); // @preserve me\nc() /** @license MIT */"

    made = minified(text, workers)

    assert made.startswith("/** @license MIT */\n// @preserve me\n")
    assert 1 == made.count("/*! kept */")
    assert "gone" not in made
    assert [] == list(Script(made).faults)
    assert "/*! only */\n" == minified("/*! only */", workers)


@pytest.mark.parametrize(
    "text",
    [
        "function f(seen, unseen) { return eval('unseen') }",
        "function f(seen) { with (seen) { return unseen } }",
    ],
)
def test_names_that_code_may_use_unseen_are_kept(text: str, workers: Workers) -> None:
    made = js_minify.minified(Script(text), "a.js", workers)

    assert (lex(text).text.replace(" ", ""), True) == (made.text.replace(" ", ""), len(made.text) < len(text))
    assert "its `eval` or `with` may use any name in it" == made.reason


def test_a_string_in_parentheses_does_not_become_a_directive(workers: Workers) -> None:
    for text in ("('use strict'); function f() {}", "('use strict')", "('use strict'), a"):
        assert Script(minified(text, workers)).strict_directive is None


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a;\n  b = ;", 2, 7), ("ü = '💡'; )", 1, 10), ("#!/x\n)", 2, 1), ("a;\r\nb c", 2, 3), ("return 1", 1, 1)],
)
def test_what_the_parser_refuses_has_its_place(text: str, line: int, column: int, workers: Workers) -> None:
    with pytest.raises(js_minify.Unreadable) as caught:
        minified(text, workers)

    offset = caught.value.offset
    assert offset is not None
    before = text[:offset].replace("\r\n", "\n")
    assert (line, column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


BREAKAGES = {
    "fields of a class without semicolons": ("class A {\n  #current = null\n  #queue = []\n}", 3),
    "a regular expression behind an arrow": ("a();\nb = () => /c  d/", 2),
    "a template within a template": ("a();\nb = `c${`d  //e ${f}`}`", 2),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_known_breakages_of_minifiers_are_caught(name: str, run: Callable[[str], str], workers: Workers) -> None:
    text, line = BREAKAGES[name]

    with pytest.raises(DiagnosticsError) as caught:
        js_minify.rjsmin_checked(text, "js/a.js", run, workers)

    (found,) = caught.value.diagnostics
    assert ("minifier-broke-script", "error") == (found.rule, found.severity)
    assert found.span is not None
    assert ("js/a.js", line) == found.span[:2]
    assert "`classic`" in found.hint
    assert lex(run(text)).kinds != lex(text).kinds or run(text).count("\n") < text.count("\n")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\nb", "a b"),
        ("return\na", "return a"),
        ("a\n++b", "a++b"),
        ("a = () => {}\nb", "a=()=>{}b"),
        ("a = 1\nb = '2  3'", "a=1\nb='2 3'"),
        ("return /*\n*/ a", "return a"),
        ("a /* b */ c", "a c d"),
        ("a c", "a"),
        ("a b", "a\nb"),
        ("break a\nb", "break a b"),
        ("class A { a\n*b() {} }", "class A{a*b(){}}"),
        ("import 'a'\nb", "import 'a' b"),
    ],
)
def test_any_other_change_of_what_is_said_is_caught(text: str, made: str, workers: Workers) -> None:
    with pytest.raises(DiagnosticsError, match="changes what the script says"):
        js_minify.rjsmin_checked(text, "a.js", lambda _: made, workers)


def test_a_result_that_says_the_same_is_accepted(run: Callable[[str], str], workers: Workers) -> None:
    text = "/* a */ var b = function (c) {\n  return c / 2 // d\n};\nif (b) {\n  b(1)\n}\nelse {\n  b('  ')\n}\n"

    made = js_minify.rjsmin_checked(text, "a.js", run, workers)

    assert run(text) == made
    assert len(made) < len(text)


def test_a_script_that_no_parser_reads_is_not_passed_on(run: Callable[[str], str], workers: Workers) -> None:
    with pytest.raises(DiagnosticsError, match="cannot read the script"):
        js_minify.rjsmin_checked("var = b", "a.js", run, workers)


WORDS = (
    "a b1 in of 1 1. .5 1n 's' `t` /x/ /x/g + ++ - -- / * < ! ( ) { } [ ] ; , . = > ? : => #p \\u0061 é return async"
)


@example(["a", "/", "=>"], " ")
@example([".", ".", "."], " ")
@given(st.lists(st.sampled_from(WORDS.split()), max_size=30), st.sampled_from([" ", "\n", " /* c */ ", " // c\n"]))
def test_taking_out_white_space_changes_no_token(pieces: list[str], between: str) -> None:
    before = lex(between.join(pieces))

    after = lex(js_minify.squeezed(before))

    assert [before[i] for i in before.significant()] == [after[i] for i in after.significant()] or before.faults

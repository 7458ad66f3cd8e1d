"""A bundled sheet means what the sheet and its imports mean in a browser."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.engines.css.bundle import bundle
from assetbuild.compiler.engines.css.parts import Bundle, Sheet
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css import imports, references
from assetbuild.compiler.refs.css.imports import Import
from assetbuild.compiler.refs.css.shape import shape


def bundled(files: Mapping[str, str]) -> Bundle:
    """Return the bundle of `main`; an import names a key of `files`, or stays one."""

    def load(source: Source) -> Sheet:
        return Sheet(source, files[source.file], (source,))

    def find(sheet: Sheet, rule: Import) -> Source | None:
        name = rule.ref.value
        return Source(name, name, name) if name in files else None

    return bundle(load(Source("main", "main", "main")), find, load)


def text_of(files: Mapping[str, str]) -> str:
    """Return the bundle without the line ends that only people need."""
    return bundled(files).text.replace("\n", "")


def test_imports_come_before_the_rules_of_the_sheet_that_imports() -> None:
    files = {"main": "@import 'a';@import url(b);.m{}", "a": "@import 'c';.a{}", "b": ".b{}", "c": ".c{}"}

    assert ".c{}.a{}.b{}.m{}" == text_of(files)


def test_a_sheet_without_imports_stays_as_it_is() -> None:
    text = "@layer a;\n@namespace b 'c';\n.m{}}.n{"

    assert text == bundled({"main": text}).text


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("layer", "@layer{.a{}}"),
        ("layer(x.y)", "@layer x.y{.a{}}"),
        ("supports(display: grid)", "@supports (display: grid){.a{}}"),
        ("supports(not (a:b))", "@supports (not (a:b)){.a{}}"),
        ("print, (width > 1px)", "@media print, (width > 1px){.a{}}"),
        ("layer(x) supports(a:b) print", "@supports (a:b){@media print{@layer x{.a{}}}}"),
    ],
)
def test_conditions_of_an_import_are_put_around_the_sheet(condition: str, expected: str) -> None:
    assert expected == text_of({"main": f"@import 'a' {condition};", "a": ".a{}"})


def test_conditions_of_nested_imports_stand_inside_each_other() -> None:
    files = {"main": "@import 'a' layer(x) print;", "a": "@import 'b' layer(y) screen;.a{}", "b": ".b{}"}

    assert "@media print{@layer x{@media screen{@layer y{.b{}}}.a{}}}" == text_of(files)


def test_a_nameless_layer_holds_a_sheet_together_with_its_imports() -> None:
    files = {"main": "@import 'a' layer;@import 'b' layer;", "a": "@import 'b';.a{}", "b": ".b{}"}

    assert "@layer{.b{}.a{}}@layer{.b{}}" == text_of(files)


def test_a_sheet_imported_twice_stands_where_it_is_imported_last() -> None:
    files = {"main": "@import 'a';@import 'b';@import 'a';.m{}", "a": "@import 'c';.a{}", "b": ".b{}", "c": ".c{}"}

    assert ".b{}.c{}.a{}.m{}" == text_of(files)


def test_a_sheet_imported_under_two_conditions_stands_twice() -> None:
    files = {"main": "@import 'a' print;@import 'b';@import 'a' screen;", "a": ".a{}", "b": ".b{}"}

    assert "@media print{.a{}}.b{}@media screen{.a{}}" == text_of(files)


def test_a_sheet_that_moves_leaves_the_order_of_its_layers_behind() -> None:
    files = {
        "main": "@import 'a';@import 'b';@import 'a';",
        "a": "@layer x{.a{}}@media print{@layer y{.a{}}}",
        "b": "@layer z{.b{}}",
    }

    assert "@layer x;@media print{@layer y;}@layer z{.b{}}@layer x{.a{}}@media print{@layer y{.a{}}}" == text_of(files)


def test_a_layer_that_an_import_names_keeps_its_first_place() -> None:
    files = {"main": "@import 'a' layer(x);@import 'b' layer(y);@import 'a' layer(x);", "a": ".a{}", "b": ".b{}"}

    assert "@layer x{}@layer y{.b{}}@layer x{.a{}}" == text_of(files)


def test_a_sheet_with_a_nameless_layer_is_never_moved() -> None:
    files = {"main": "@import 'a';@import 'b';@import 'a';", "a": "@layer{.a{}}", "b": ".b{}"}

    assert "@layer{.a{}}.b{}@layer{.a{}}" == text_of(files)


def test_layers_named_before_imports_keep_their_order() -> None:
    files = {"main": "@layer x,y;@import 'a' layer(y);@import 'b' layer(x);.m{}", "a": ".a{}", "b": ".b{}"}

    assert "@layer x,y;@layer y{.a{}}@layer x{.b{}}.m{}" == text_of(files)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main": "@import 'main';.m{}"}, ".m{}"),
        ({"main": "@import 'a';.m{}", "a": "@import 'main';.a{}"}, ".a{}.m{}"),
        (
            {"main": "@import 'a';@import 'b';.m{}", "a": "@import 'b';.a{}", "b": "@import 'a';.b{}"},
            ".a{}.b{}.m{}",
        ),
    ],
)
def test_a_cycle_is_cut_where_it_closes(files: Mapping[str, str], expected: str) -> None:
    assert expected == text_of(files)


def test_a_layer_is_declared_even_where_its_import_closes_a_cycle() -> None:
    files = {"main": "@import 'main' layer(x);@layer y{.m{}}@layer x{.m{}}"}

    assert "@layer x{}@layer y{.m{}}@layer x{.m{}}" == text_of(files)


def test_imports_of_other_sites_come_first_with_their_conditions() -> None:
    files = {"main": "@import 'a';@import url(//x/y.css) layer(z) print;.m{}", "a": ".a{}@import 'late';"}

    assert "@import url(//x/y.css) layer(z) print;.a{}@import 'late';.m{}" == text_of(files)


def test_layers_before_an_import_of_another_site_stay_before_it() -> None:
    files = {"main": "@import 'a' layer(x);@import 'http://h' layer(z);", "a": "@layer y{.a{}}@media print{@layer p;}"}

    assert "@layer x,x.y;@import 'http://h' layer(z);@layer x{@layer y{.a{}}@media print{@layer p;}}" == text_of(files)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("layer(x)", "layer(y)", "@import 'http://h' layer(x.y);"),
        ("supports(a:b)", "supports(not (c:d)) print", "@import 'http://h' supports((a:b) and (not (c:d))) print;"),
        ("layer", "", "@import 'http://h' layer;"),
        (
            "layer(x) screen",
            "print",
            '@import "data:text/css,@import%20%22http://h%22%20print;" layer(x) screen;',
        ),
    ],
)
def test_an_import_of_another_site_is_under_all_conditions_above_it(outer: str, inner: str, expected: str) -> None:
    files = {"main": f"@import 'a' {outer};", "a": f"@import 'http://h' {inner};"}

    assert expected == text_of(files)


def test_charset_rules_go_and_the_rest_of_the_head_stays() -> None:
    files = {"main": "@charset 'utf-8';/*! m */@import 'a';.m{}", "a": '@charset "utf-8";\n/*! a */.a{}'}

    assert "/*! a */.a{}/*! m */.m{}" == text_of(files)


def test_a_namespace_in_a_bundle_is_an_error_at_its_place() -> None:
    found = bundled({"main": "@import 'a';.m{}", "a": ".x{}", "b": ""}).diagnostics
    (error,) = bundled({"main": "@import 'a';.m{}", "a": "\n@namespace svg 'b';.x{}"}).diagnostics

    assert () == found
    assert ("namespace-in-bundle", "error") == (error.rule, error.severity)
    assert error.span is not None
    assert ("a", 2, 1) == error.span[:3]


def test_what_a_sheet_leaves_open_ends_with_it() -> None:
    files = {"main": "@import 'a';@import 'b';@import 'c';.m{}", "a": ".a{b:url('c", "b": ".b{}/* d", "c": ".c"}

    assert ".a{b:url('c')}.b{}/* d*/.c{}.m{}" == text_of(files)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("@import 'a' (width > 1px", "@media (width > 1px){.a{}}"),
        ("@import 'a' supports(b: c", "@supports (b: c){.a{}}"),
        ("@import 'a' screen };", "@media not all{.a{}}"),
        ("@import 'a' print 'b", "@media not all{.a{}}"),
    ],
)
def test_an_import_that_is_not_well_formed_keeps_its_conditions_to_itself(written: str, expected: str) -> None:
    assert expected == text_of({"main": written, "a": ".a{}"})


def test_a_stray_brace_does_not_end_the_conditions_around_a_sheet() -> None:
    files = {"main": "@import 'a' print;.m{}", "a": ".a{}} .b{} .c{};.d{}"}

    assert "@media print{.a{}] .b{} .c{}].d{}{}}.m{}".replace("{}{}}", "{}}") == text_of(files)


def test_every_character_of_a_sheet_leads_back_to_it() -> None:
    files = {"main": "@import 'a' print;.m{c:url(1)}", "a": "@import 'http://h';\n.a{b:url(2)}"}
    made = bundled(files)

    found = []
    for ref in references(made.text):
        sheet, offset = made.sheet_at(ref.start)
        found.append((sheet.source.file, sheet.text[offset : offset + len(ref.value)]))

    assert [("a", "http://h"), ("a", "2"), ("main", "1")] == found


def test_endless_imports_end_in_an_error() -> None:
    deep = {f"s{n}": f"@import 's{n + 1}';" for n in range(NESTING_LIMIT + 9)}
    wide = {f"s{n}": f"@import 's{n + 1}' layer;@import 's{n + 1}' layer;" for n in range(40)}

    for files in (deep, wide):
        with pytest.raises(CompileFailed) as caught:
            bundled({**files, "main": "@import 's0';"})

        assert ["too-many-imports"] == [error.rule for error in caught.value.diagnostics]


def test_a_diamond_of_imports_is_walked_once() -> None:
    files = {f"s{n}": f"@import 's{n + 1}';@import 's{n + 1}';.s{n}{{}}" for n in range(100)}

    assert 100 == text_of({**files, "main": "@import 's0';"}).count("{}")


names = st.sampled_from("abcd")
conditions = st.sampled_from(["", "print", "layer(x)", "layer(y) screen", "layer"])
sheets = st.dictionaries(names, st.lists(st.tuples(names, conditions), max_size=3), min_size=4, max_size=4)


@given(sheets)
def test_the_last_copy_of_each_sheet_stands_where_the_cascade_has_it(
    graph: Mapping[str, list[tuple[str, str]]],
) -> None:
    files = {
        name: "".join(f"@import '{target}' {condition};" for target, condition in edges) + f".{name}{{c:url({name})}}"
        for name, edges in graph.items()
    }
    files["main"] = files["a"]

    made = bundled(files)

    # What a browser would apply, each sheet at its last place.
    applied = _applied(files, "main", ())
    expected = [name for at, name in enumerate(applied) if name not in applied[at + 1 :]]
    found = [ref.value for ref in references(made.text)]
    assert expected == [name for at, name in enumerate(found) if name not in found[at + 1 :]]
    assert "" == shape(made.text).closing
    assert () == imports(made.text)


def _applied(files: Mapping[str, str], name: str, ancestors: tuple[str, ...]) -> list[str]:
    inner = [rule.ref.value for rule in imports(files[name]) if rule.ref.value not in (*ancestors, name)]
    own = references(files[name])[-1].value
    return [*(applied for target in inner for applied in _applied(files, target, (*ancestors, name))), own]

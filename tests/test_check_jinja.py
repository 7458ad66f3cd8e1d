"""What `check` reads in a Jinja template: the names, at their places, by Jinja's own judgement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic
from assetbuild.inspect.jinja import read
from assetbuild.inspect.jinja.parser import PlacedEnvironment, _closed
from assetbuild.inspect.uses import Use
from assetbuild.manifest import Manifest, dump
from assetbuild.web.assets import Assets
from assetbuild.web.jinja import install
from tests.manifests import document, file_entry


def read_in(text: str, *, name: str = "page.html", is_sure: bool = True, extensions: Any = ()) -> dict[str, Any]:
    return read({"project": "/nowhere", "extensions": extensions, "templates": [(name, text, is_sure)]})


def uses(text: str) -> list[str]:
    """Return each use as `function name line:column`; fail if anything but notes was found."""
    found = read_in(text)
    assert [] == [each.message for each in found["findings"] if each.severity != "note"]
    return [f"{use.function} {use.name} {use.place.line}:{use.place.column}" for use in found["uses"]]


def names(text: str) -> list[str | None]:
    return [use.name for use in read_in(text)["uses"]]


def said(text: str, **more: Any) -> list[str]:
    """Return each finding as `line:column severity rule: message`."""
    return [
        f"{each.span.line}:{each.span.column} {each.severity} {each.rule}: {each.message}"
        for each in read_in(text, **more)["findings"]
    ]


def underlined(found: Use | Diagnostic) -> str:
    span = found.place if isinstance(found, Use) else found.span
    assert span
    start = span.column - span.text_column
    return span.text[start : start + span.length]


def test_names_are_found_at_their_places() -> None:
    assert uses('<p>\n{{ asset_url("css/a.css") }}{{ asset_tag(\n  "js/a.js", defer=True) }}') == [
        "asset_url css/a.css 2:15",
        "asset_tag js/a.js 3:4",
    ]


@given(
    st.lists(
        st.sampled_from(["text", "", "\f", "{# asset_url('no') #}", "{{- x -}}  ", "{% raw %}{{ a }}{% endraw %}"])
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.text("ab/.é🎈 ", max_size=4),
    st.text(st.characters(exclude_characters="\"'\\\r\n{}%#", exclude_categories=("Cs", "Cc")), min_size=1),
)
def test_a_name_is_underlined_wherever_it_stands(lines: list[str], end: str, before: str, name: str) -> None:
    text = end.join([*lines, f"{before}{{{{ asset_url('{name}') }}}} {name}"])

    (use,) = [use for use in read_in(text)["uses"] if use.name == name]

    assert (len(lines) + 1, name) == (use.place.line, underlined(use))


def test_every_function_of_ours_is_read() -> None:
    text = "".join(f"{{{{ {function}('a') }}}}" for function in ("asset_inline", "asset_integrity", "asset_preload"))

    assert [use.function for use in read_in(text)["uses"]] == ["asset_inline", "asset_integrity", "asset_preload"]


def test_comments_raw_blocks_and_strings_use_nothing() -> None:
    assert uses("""{# {{ asset_url("a") }} #}{% raw %}{{ asset_url("b") }}{% endraw %}{{ "asset_url('c')" }}""") == []


def test_what_jinja_can_decide_is_a_name_and_the_rest_is_known_at_run_time() -> None:
    text = """{{ asset_url("css/" ~ "a.css") }}{{ asset_url("b" if dark else "c") }}{{ asset_url(name) }}
{% for each in ["d", "e"] %}{{ asset_url(each) }}{% endfor %}{{ asset_url("f"|upper) }}{{ asset_url("g"|mine) }}
{{ asset_url(*names) }}"""

    assert names(text) == ["css/a.css", "b", "c", None, None, "F", None, None]


@pytest.mark.parametrize(
    "text",
    [
        "{% macro card(asset_url) %}{{ asset_url('a') }}{% endmacro %}",
        "{% macro asset_url(name) %}{% endmacro %}{{ asset_url('a') }}",
        "{% set asset_url = mine %}{{ asset_url('a') }}",
        "{% set asset_url = mine %}{% block b %}{{ asset_url('a') }}{% endblock %}",
        "{% if x %}{% set asset_url = mine %}{% endif %}{{ asset_url('a') }}",
        "{% for asset_url in x %}{{ asset_url('a') }}{% endfor %}",
        "{% with asset_url = x %}{{ asset_url('a') }}{% endwith %}",
        "{% import 'm.html' as asset_url %}{{ asset_url('a') }}",
        "{% from 'm.html' import u as asset_url %}{{ asset_url('a') }}",
        "{% call(asset_url) card() %}{{ asset_url('a') }}{% endcall %}",
        "{{ mine.asset_url('a') }}",
    ],
)
def test_a_name_that_the_template_gives_to_something_else_is_not_ours(text: str) -> None:
    assert uses(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{% for asset_url in x %}{% endfor %}{{ asset_url('a') }}",
        "{% macro card(asset_url) %}{% endmacro %}{{ asset_url('a') }}",
        "{% macro card(x) %}{{ asset_url('a') }}{% endmacro %}",
        "{% extends 'b.html' %}{% block c %}{{ asset_url('a') }}{% endblock %}",
        "{% set asset_tag = 1 %}{{ asset_url('a') }}",
        "{% call card() %}{{ asset_url('a') }}{% endcall %}",
        "{% filter upper %}{{ asset_url('a') }}{% endfilter %}",
        "{% trans url=asset_url('a') %}x{% pluralize %}y{% endtrans %}",
        "{% set x %}{{ asset_url('a') }}{% endset %}",
        "{% include [asset_url('a')] ignore missing %}",
        "{{ card(x, y=asset_url('a')) }}",
        "{% do list.append(asset_url('a')) %}",
        "{{ asset_url('a')|safe if x }}",
        "{% autoescape x %}{{ asset_url('a') }}{% endautoescape %}",
    ],
)
def test_it_is_ours_everywhere_else(text: str) -> None:
    assert names(text) == ["a"]


PAGES = {
    "base.html": "{{ asset_url('base') }}{% block head %}{{ asset_url('unseen') }}{% endblock %}"
    "{% block body %}{% endblock %}",
    "page.html": """{% extends "base.html" %}{% from "macros.html" import icon %}{% set logo = asset_url("logo") %}
{% block head %}{{ super() }}{{ icon("star") }}{% endblock %}
{% block body %}{% for n in [1, 2] if n %}{{ asset_url("in" ~ "loop") }}{% else %}{{ asset_url("never") }}{% endfor %}
{% filter upper %}{% include "part.html" %}{% endfilter %}{{ asset_url("yes" if true else "no") }}{% endblock %}""",
    "macros.html": "{% macro icon(name) %}{{ asset_url('icons') }}"
    "{% call(x) inner() %}{{ asset_url(x) }}{% endcall %}{% endmacro %}"
    "{% macro inner() %}{{ caller('late') }}{{ asset_url('inner') }}{% endmacro %}",
    "part.html": "{% with a = asset_url('with') %}{{ a }}{% endwith %}",
}


def test_whatever_a_page_asks_for_was_found_in_its_templates() -> None:
    asked: set[str] = set()

    def asset_url(name: str) -> str:
        asked.add(name)
        return name

    environment = Environment(loader=DictLoader(PAGES))
    environment.globals["asset_url"] = asset_url

    environment.get_template("page.html").render()

    found = {use.name for text in PAGES.values() for use in read_in(text)["uses"]}
    assert asked == {"base", "unseen", "logo", "icons", "inner", "late", "inloop", "with", "yes"}
    assert asked - found == {"late"}
    assert None in found


def test_a_tag_of_an_unknown_extension_is_stepped_over_and_what_is_in_it_is_read() -> None:
    text = """{% cache 600, asset_url("key"), odd => grammar %}{{ asset_url("one") }}
{% cache x %}{{ asset_url("two") }}{% endcache %}{% else %}{{ asset_url("three") }}{% endcache "x" %}
{% single %}{% if x %}{% single %}{{ asset_url("four") }}{% else %}{% endif %}"""

    found = read_in(text)

    assert [use.name for use in found["uses"]] == ["key", "one", "two", "three", "four"]
    assert [(each.severity, each.group, each.message) for each in found["findings"]] == [
        ("note", "unknown-tag cache", "tag `cache` is not Jinja's own: what it does is not known here"),
        ("note", "unknown-tag cache", "tag `cache` is not Jinja's own: what it does is not known here"),
        ("note", "unknown-tag single", "tag `single` is not Jinja's own: what it does is not known here"),
        ("note", "unknown-tag single", "tag `single` is not Jinja's own: what it does is not known here"),
    ]
    assert ["cache", "cache", "single", "single"] == [underlined(each) for each in found["findings"]]


def test_an_end_of_nothing_that_is_there_is_an_unknown_tag_like_any_other() -> None:
    text = "{% endless %}{{ asset_url('a') }}{% end %}{% if x %}{% endcache %}{% endif %}{% less %}"

    assert names(text) == ["a"]
    assert [line.partition(" is not")[0] for line in said(text)] == [
        "1:4 note unknown-tag: tag `endless`",
        "1:37 note unknown-tag: tag `end`",
        "1:56 note unknown-tag: tag `endcache`",
        "1:81 note unknown-tag: tag `less`",
    ]


@pytest.mark.parametrize("written", ["{[]: 1}", "1 / 0", "'a' ~ 1 % 0"])
def test_what_fails_when_it_is_computed_is_known_at_run_time_only(written: str) -> None:
    text = f"{{{{ asset_url({written}) }}}}{{{{ url_for('static', filename={written}) }}}}"

    assert names(text) == [None]


class Counted(str):
    """A text that knows how often it was hashed, as it is each time that somebody looks for it in a set."""

    hashed = 0

    def __hash__(self) -> int:
        Counted.hashed += 1
        return super().__hash__()


def test_tags_that_are_closed_are_found_in_one_go() -> None:
    def closed(number: int) -> int:
        text = "{% open %}" * number + "{% a %}{% enda %}" * number
        tokens = ((line, kind, Counted(value)) for line, kind, value in PlacedEnvironment().lexer.tokeniter(text, "a"))
        Counted.hashed = 0
        assert number == len(_closed(tokens))
        return Counted.hashed

    assert 2 * closed(100) == closed(200)


def test_unknown_filters_and_tests_are_noted_and_the_rest_is_read() -> None:
    text = "{{ asset_url('a')|money }}{% if asset_url('b') is odd_one %}{% endif %}{{ [1]|map('mine')|list }}"

    assert names(text) == ["a", "b"]
    assert said(text) == [
        "1:19 note unknown-filter: filter `money` is not Jinja's own: what it does is not known here",
        "1:48 note unknown-test: test `odd_one` is not Jinja's own: what it does is not known here",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n{% if x %}\n{% endfor %}", "3:4 error unreadable-template: Jinja cannot read the template: "),
        ("{% cache %}{% if x %}{% endcache %}{% endif %}", "1:25 error unreadable-template: Jinja cannot"),
        ("a\r\n{% if x %}", "2:9 error unreadable-template: Jinja cannot read the template: Unexpected end"),
        ("a\n{{ 'open }}", "2:0 error unreadable-template: Jinja cannot read the template: unexpected char"),
        (
            "{% block a %}{% endblock %}\n{% block a %}{% endblock %}",
            "2:4 error unreadable-template: Jinja cannot read",
        ),
        ("a\n{% autoescape {[]: 1} %}{% endautoescape %}", "2:4 error unreadable-template: Jinja cannot read the"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "0:0 error unreadable-template: the template is nested too deeply"),
    ],
)
def test_a_broken_template_is_an_error_at_its_line(text: str, expected: str) -> None:
    (found,) = said(text)

    assert found.startswith(expected)


_PIECES = (
    *("{% if x %}", "{% else %}", "{% endif %}", "{% for a in b %}", "{% endfor %}", "{% block c %}", "{% endblock %}"),
    *("{{ asset_url('a') }}", "{{ x|upper }}", "{% set y = 1 %}", "{% set y %}", "{% endset %}", "{% raw %}", "text"),
    *(
        "{% endraw %}",
        "{#",
        "#}",
        "{{",
        "}}",
        "{%- macro m(x) %}",
        "{% endmacro -%}",
        "{% extends 'd' %}",
        "{% do x %}",
    ),
    *(
        "{% trans %}",
        "{% pluralize %}",
        "{% endtrans %}",
        "{% break %}",
        "{% call m() %}",
        "{% endcall %}",
        "'",
        "(",
        "\n",
    ),
)


@given(st.lists(st.sampled_from(_PIECES), max_size=8))
def test_a_template_is_broken_where_jinja_says_so_and_nowhere_else(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        Environment(extensions=["jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols"]).compile(text, raw=True)
        expected = []
    except TemplateSyntaxError as error:
        expected = [(error.lineno, f"Jinja cannot read the template: {(error.message or '').rstrip('.')}")]

    assert expected == [(each.span.line, each.message) for each in read_in(text)["findings"]]


def test_a_file_that_may_be_no_template_is_only_a_warning() -> None:
    assert said("class A{#x=1}", name="a.js", is_sure=False) == [
        "1:0 warning unreadable-template: Jinja cannot read the template: Missing end of comment tag"
    ]


def test_one_broken_template_hides_no_other() -> None:
    templates = [("a.html", "{% if %}", True), ("b.html", "{{ asset_url('b') }}", True)]

    found = read({"project": "", "extensions": [], "templates": templates})

    assert ["b"] == [use.name for use in found["uses"]]
    assert ["a.html"] == [each.span.path for each in found["findings"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ asset_url() }}", "1:4 error bad-call: `asset_url` is called without a name"),
        ("{{ asset_url(3) }}", "1:14 error bad-name: `asset_url` takes a logical path, not `3`"),
        ("{{ asset_tag(none) }}", "1:14 error bad-name: `asset_tag` takes a logical path, not `None`"),
    ],
)
def test_a_call_without_a_name_is_an_error(text: str, expected: str) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    "call",
    [
        "asset_url()",
        "asset_url(name='a')",
        "asset_url('a', 'b')",
        "asset_url('a', defer=True)",
        "asset_integrity('a', **{'x': 1, 'y': 2})",
        "asset_tag('a', 'b')",
        "asset_tag(media='x')",
        "asset_tag('a', **{'a b': 1})",
        "asset_preload('a', _='x')",
        "asset_importmap('a')",
        "asset_importmap(**{'=': 1})",
    ],
)
def test_a_call_that_fails_when_it_is_rendered_is_an_error_in_the_words_that_it_fails_with(call: str) -> None:
    manifest = Manifest(dump(document({"a": {"file": "a.css"}}, {"a.css": file_entry()}, importmap={"a": "a"})))
    environment = Environment()
    install(environment, Assets(manifest))
    with pytest.raises((TypeError, TemplateSyntaxError)) as raised:
        environment.from_string(f"{{{{ {call} }}}}").render()

    assert said(f"{{{{ {call} }}}}") == [f"1:4 error bad-call: {raised.value}"]


@pytest.mark.parametrize(
    "call",
    ["asset_importmap(nonce=n)", "asset_tag('a', **more)", "asset_tag('a', class_='b', **{'data-x': 1})", "card(1)"],
)
def test_a_call_that_may_be_right_is_no_fault(call: str) -> None:
    assert said(f"{{{{ {call} }}}}") == []


def test_what_is_wrong_with_a_call_hides_no_name() -> None:
    assert names("{{ asset_url('a', 1) }}") == ["a"]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("asset_tg", "asset_tag"),
        ("assets_tag", "asset_tag"),
        ("asset_ulr", "asset_url"),
        ("asset_utl", "asset_url"),
        ("asset_ur", "asset_url"),
        ("sset_inline", "asset_inline"),
    ],
)
def test_a_function_that_is_one_letter_from_ours_is_named(word: str, near: str) -> None:
    (found,) = read_in(f"<p>{{{{ {word}('a') }}}}")["findings"]

    assert ("unknown-function", "warning") == (found.rule, found.severity)
    assert f"function `{word}` is not one of assetbuild" == found.message
    assert f"did you mean `{near}`? if the application brings `{word}`, all is well" == found.hint
    assert word == underlined(found)


@pytest.mark.parametrize(
    "text",
    [
        "{{ asset() }}{{ asset_t() }}{{ asset_image() }}{{ static_url() }}",
        "{% from 'm.html' import asset_tg %}{{ asset_tg('a') }}",
        "{% macro asset_tags(x) %}{% endmacro %}{{ asset_tags('a') }}",
        "{{ mine.asset_tg('a') }}{{ asset_tg }}",
    ],
)
def test_no_other_function_is_taken_for_a_misspelt_one(text: str) -> None:
    assert said(text) == []


def test_the_tag_of_webassets_names_bundles_files_or_its_output() -> None:
    text = """{% assets "one", ["two.js", "three"], debug=false %}{{ ASSET_URL }}{% endassets %}
{% assets "four.js",
   filters="jsmin", output="gen/x.js" %}{{ EXTRA.media }}{% if EXTRA %}{% endif %}{% endassets %}
{% assets name %}{% endassets %}"""

    assert uses(text) == [
        "assets one 1:12",
        "assets two.js 1:20",
        "assets three 1:30",
        "assets gen/x.js 3:29",
        "assets None 4:4",
    ]


def test_a_bundle_that_is_defined_in_place_needs_an_output() -> None:
    assert said("{% assets 'a.js', filters='rjsmin' %}{% endassets %}") == [
        "1:4 error inline-bundle: this inline bundle has no `output`"
    ]


def test_the_static_route_of_flask_and_starlette_is_read() -> None:
    text = """{{ url_for("static", filename="a.css") }}{{ url_for('static', path="/b.css") }}
{{ request.url_for("static", path="c.css") }}{{ url_for("page", filename="no") }}{{ url_for("static", filename=x) }}
{% macro m(url_for) %}{{ url_for("static", filename="no") }}{% endmacro %}"""

    assert uses(text) == ["url_for a.css 1:32", "url_for b.css 1:69", "url_for c.css 2:36"]


def test_the_limit_of_an_inlined_asset_is_what_the_call_says() -> None:
    text = "{{ asset_inline('a') }}{{ asset_inline('b', limit_bytes=10 * 5) }}{{ asset_inline('c', limit_bytes=x) }}"

    assert [use.limit_bytes for use in read_in(text)["uses"]][:2] == [None, 50]
    assert read_in(text)["uses"][2].limit_bytes > 2**60


class Mine(Extension):
    """An extension whose end tag nobody could guess."""

    tags = {"mine"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        line = next(parser.stream).lineno
        argument = parser.parse_expression()
        return [nodes.Output([argument], lineno=line), *parser.parse_statements(("name:closed",), drop_needle=True)]


def test_an_extension_of_the_configuration_reads_its_own_tags() -> None:
    text = "{% mine asset_url('a') %}{{ asset_url('b') }}{% closed %}{% assets 'c' %}{% endassets %}"
    extensions = [("tests.test_check_jinja.Mine", None), ("webassets.ext.jinja2.AssetsExtension", None)]

    found = read_in(text, extensions=extensions)

    assert ["a", "b", "c"] == [use.name for use in found["uses"]]
    assert [] == found["findings"]


class Failing(Extension):
    """An extension that counts on its application."""

    tags = {"failing"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        return nodes.Const(self.environment.globals["application"])


def test_an_extension_that_misses_its_application_is_an_error_of_that_template() -> None:
    templates = [("a.html", "{% failing %}", True), ("b.html", "{{ asset_url('b') }}", True)]
    extensions = [("tests.test_check_jinja.Failing", None)]

    found = read({"project": "", "extensions": extensions, "templates": templates})

    assert ["b"] == [use.name for use in found["uses"]]
    assert ["an extension fails on the template: KeyError: 'application'"] == [f.message for f in found["findings"]]


def test_our_own_extension_would_open_a_manifest_and_is_left_out() -> None:
    found = read_in("{{ asset_url('a') }}", extensions=[("assetbuild.web.jinja.AssetExtension", None)])

    assert ["a"] == [use.name for use in found["uses"]]


def test_an_extension_that_cannot_be_loaded_is_an_error_at_its_place() -> None:
    with pytest.raises(DiagnosticsError) as raised:
        read_in("", extensions=[("no_such.Extension", ("assetbuild.toml", 3, 15, 19, "", 1))])

    (found,) = raised.value.diagnostics
    assert (
        found.message
        == "extension `no_such.Extension` cannot be loaded: ModuleNotFoundError: No module named 'no_such'"
    )
    assert found.span
    assert ("assetbuild.toml", 3) == (found.span.path, found.span.line)

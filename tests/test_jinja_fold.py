"""Folding: what Jinja can decide is text in the compiled template, and no page can tell the difference."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, TemplateSyntaxError, UndefinedError, nodes
from jinja2.compiler import CodeGenerator
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment
from markupsafe import Markup

from assetbuild import AssetNotFound, Assets
from assetbuild.web.jinja import UnknownAsset, asset_calls, install
from tests.manifests import Document, published, write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Document]:
    """An output folder and its manifest: a stylesheet, a module that needs it, an import map, an image, two bundles."""
    folder = tmp_path_factory.mktemp("out")
    bodies = {
        "css/app.css": b"a{}",
        "js/app.js": b"import()",
        "js/lib.js": b"1",
        "js/plain.js": b"2",
        "img/logo.png": b"png",
    }
    document = published(
        folder,
        bodies,
        js_app_js={"kind": "module", "css": ["css/app.css"], "imports": ["js/lib.js"]},
        js_lib_js={"kind": "module"},
    )
    document["importmap"] = {"lib": "js/lib.js"}
    document["bundles"] = {
        "all": {"assets": ["css/app.css", "img/logo.png"], "extra": {"media": "screen", "n": 1}},
        "lib": {"assets": ["js/lib.js"]},
    }
    return folder, document


@pytest.fixture(scope="module")
def assets(made: tuple[Path, Document]) -> Assets:
    """The assets of that folder."""
    folder, document = made
    return Assets.open(write(folder, document), environ={})


def environment(assets: Assets, kind: type[Environment] = Environment, **options: Any) -> Environment:
    env = kind(**options)
    install(env, assets)
    return env


def code(env: Environment, text: str) -> str:
    """Return the Python that Jinja makes of a template."""
    return env.compile(text, raw=True)


def test_a_page_of_constant_names_is_one_string(assets: Assets) -> None:
    env = environment(assets, autoescape=True)
    text = "<p>{{ asset_url('css/app.css') }}</p>{{ asset_tag('js/app.js', defer=true) }}{{ asset_importmap() }}"

    made = code(env, text)

    page = f"<p>{assets.url('css/app.css')}</p>{assets.tag('js/app.js', defer=True)}{assets.importmap()}"
    assert f"    yield {page!r}\n" in made
    assert 1 == made.count("yield '")


@pytest.mark.parametrize(
    "expression",
    [
        "asset_url('css/' ~ 'app.css')",
        "asset_url('CSS/APP.CSS'|lower)",
        "asset_url('css/app.css' if 1 < 2 else 'nothing')",
        "asset_url(['css/app.css'][0])",
        "asset_url(*['css/app.css'])",
        "asset_tag('css/app.css', **{'media': 'print'})",
        "asset_tag('img/logo.png', data_sheet=asset_url('css/app.css'))",
        "asset_url('css/app.css')|upper",
        "asset_url('css/app.css') ~ '#a'",
        "asset_integrity('css/app.css')",
        "asset_preload('js/app.js')",
        "asset_inline('css/app.css')",
        "asset_importmap()",
        "asset_live()",
    ],
)
@pytest.mark.parametrize("kind", [Environment, ImmutableSandboxedEnvironment, NativeEnvironment])
def test_whatever_jinja_can_decide_is_decided(assets: Assets, expression: str, kind: type[Environment]) -> None:
    env = environment(assets, kind, autoescape=True)

    assert "asset_" not in code(env, f"{{{{ {expression} }}}}").replace("assetbuild", "")


def test_a_condition_between_two_names_stays_and_its_names_do_not(assets: Assets) -> None:
    env = environment(assets)

    made = code(env, "{{ asset_url('css/app.css') if dark else asset_url('js/app.js') }}")

    assert repr(assets.url("css/app.css")) in made
    assert repr(assets.url("js/app.js")) in made
    assert "asset_url" not in made


@pytest.mark.parametrize("function", ["asset_url", "asset_tag"])
@pytest.mark.parametrize("text", ["{{{{ {} }}}}", "{{% set x = {} %}}{{{{ x }}}}"])
def test_a_choice_of_the_page_among_constant_names_stays_a_choice(assets: Assets, function: str, text: str) -> None:
    env = environment(assets, autoescape=True)
    text = text.format(f"{function}('css/app.css' if dark else 'js/app.js' if script else 'img/logo.png')")

    made, template = code(env, text), env.from_string(text)

    assert function not in made
    give = assets.url if function == "asset_url" else assets.tag
    assert give("css/app.css") == template.render(dark=True)
    assert give("js/app.js") == template.render(script=True)
    assert give("img/logo.png") == template.render()


@pytest.mark.parametrize(
    "name", ["name if known else 'no.css'", "'no.css' if known else name", "'a' if a else 'no.css'"]
)
def test_a_wrong_name_in_a_choice_is_an_error_of_the_template(assets: Assets, name: str) -> None:
    with pytest.raises(UnknownAsset, match="is not in the manifest"):
        environment(assets).from_string(f"{{{{ asset_url({name}) }}}}")


def test_a_choice_that_may_give_no_name_is_left_to_the_run(assets: Assets) -> None:
    template = environment(assets).from_string("{{ asset_url('css/app.css' if known) }}")

    assert assets.url("css/app.css") == template.render(known=True)
    with pytest.raises(UndefinedError):
        template.render()


def test_a_nonce_stays_dynamic_and_all_around_it_is_text(assets: Assets) -> None:
    env = environment(assets, autoescape=True)

    made = code(env, "<p>{{ asset_tag('js/lib.js', nonce=csp_nonce) }}</p>")

    before, after = assets.tag("js/lib.js", nonce="|").split(' nonce="|"')
    assert f"yield {'<p>' + before!r}\n" in made
    assert f"yield {after + '</p>'!r}\n" in made
    assert "context.call" not in made


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("r4nd0m", ' nonce="r4nd0m"'),
        ('"<&', ' nonce="&quot;&lt;&amp;"'),
        (Markup('&amp;"'), ' nonce="&amp;&quot;"'),
        (True, " nonce"),
        (False, ""),
        (None, ""),
        ("", ' nonce=""'),
    ],
)
def test_a_late_value_is_written_as_the_tag_writes_it(assets: Assets, value: object, written: str) -> None:
    env = environment(assets, autoescape=True)

    page = env.from_string("{{ asset_tag('js/lib.js', nonce=csp_nonce) }}").render(csp_nonce=value)

    assert assets.tag("js/lib.js", nonce=value) == page
    assert assets.tag("js/lib.js").replace("></", f"{written}></") == page


def test_a_value_that_may_have_an_effect_is_asked_once(assets: Assets) -> None:
    """The nonce of a module is written twice, into its stylesheet's tag and its own."""
    env = environment(assets, autoescape=True)
    asked: list[str] = []

    def nonce() -> str:
        asked.append("")
        return "n"

    page = env.from_string("{{ asset_tag('js/app.js', nonce=nonce()) }}").render(nonce=nonce)

    assert assets.tag("js/app.js", nonce="n") == page
    assert [""] == asked


def test_a_finalize_function_sees_what_an_expression_gives(assets: Assets) -> None:
    text = "{{ asset_tag('js/lib.js', nonce=nonce) }}{{ asset_url('css/app.css') }}"
    folded = environment(assets, finalize=lambda value: f"[{value}]")

    page = folded.from_string(text).render(nonce="n")

    assert f"[{assets.tag('js/lib.js', nonce='n')}][{assets.url('css/app.css')}]" == page


@pytest.mark.parametrize("prefix", [None, lambda: ""], ids=["folded", "asked"])
def test_a_parent_that_escapes_writes_a_tag_for_a_page_that_does_not(assets: Assets, prefix: Any) -> None:
    """What a function is told of autoescape is the page's; a template compiles its output by its own."""
    text = "{{ asset_tag('css/app.css') }}{{ asset_tag(name) }}{{ asset_tag('js/app.js', nonce=shout('n')) }}"
    loader = DictLoader({"base.html": text, "page.txt": "{% extends 'base.html' %}"})
    env = Environment(loader=loader, autoescape=is_page)
    install(env, assets, prefix=prefix)

    page = env.get_template("page.txt").render(name="js/lib.js", shout=str)

    expected = [assets.tag("css/app.css"), assets.tag("js/lib.js"), assets.tag("js/app.js", nonce="n")]
    assert "".join(expected) == page


HOSTS = [
    "{{ asset_url('img/logo.png')|absolute }}",
    "{{ (asset_url('img/logo.png') ~ '#a')|upper|absolute }}",
    "{{ asset_url('img/logo.png' if true else 'css/app.css')|absolute }}",
    "{{ asset_tag('img/logo.png', alt=asset_url('img/logo.png')|absolute) }}",
    "{% filter absolute %}{{ asset_url('img/logo.png') }}{% endfilter %}",
    "{% assets 'img/logo.png' %}{{ ASSET_URL|absolute }}{% endassets %}",
    "{% assets 'all' %}{{ EXTRA.media|absolute }}{% endassets %}",
]


@pytest.mark.parametrize("text", HOSTS)
def test_a_filter_of_the_application_is_asked_for_each_page(assets: Assets, text: str) -> None:
    """Jinja runs filters of constants once, while it compiles a template: one visitor's host would go to all others."""
    env = environment(assets)
    host = "evil.example"
    env.filters["absolute"] = lambda path: f"https://{host}{path}"
    template = env.from_string(text)

    first = template.render()
    host = "good.example"
    second = template.render()

    assert "evil.example" in first
    assert first.replace("evil.example", "good.example") == second


@pytest.mark.parametrize(
    "text", ["{{ asset_url('css/app.css') is ours }}", "{% if asset_url(n) is ours %}T{% endif %}"]
)
def test_a_test_of_the_application_is_asked_for_each_page(assets: Assets, text: str) -> None:
    env = environment(assets)
    answers = iter([True, False])
    env.tests["ours"] = lambda _: next(answers)
    template = env.from_string(text)

    assert template.render(n="css/app.css") != template.render(n="css/app.css")


@pytest.mark.parametrize("expression", ["asset_url('css/app.css')", "asset_tag('css/app.css')", "asset_tag(name)"])
def test_a_finalize_function_is_asked_for_each_page(assets: Assets, expression: str) -> None:
    pages = itertools.count(1)
    template = environment(assets, finalize=lambda _: next(pages)).from_string(f"{{{{ {expression} }}}}")

    assert ["1", "2"] == [template.render(name="css/app.css") for _ in range(2)]


@pytest.mark.parametrize("name", ["'css/app.css'", "name"])
@pytest.mark.parametrize(("autoescape", "kind"), [(True, "Markup"), (False, "str")])
def test_a_finalize_function_sees_markup_where_the_template_escapes(
    assets: Assets, name: str, autoescape: bool, kind: str
) -> None:
    env = environment(assets, autoescape=autoescape, finalize=lambda value: type(value).__name__)

    assert kind == env.from_string(f"{{{{ asset_tag({name}) }}}}").render(name="css/app.css")


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ("data_x=count.next(), src=count.next() ~ ''", ' src="2" data-x="1"'),
        ("data_x=count, title=count.next()", ' src="" data-x="asked 1" title="1"'),
        ("class=count.next(), class_=count.next() ~ ''", ' src="" class="2"'),
        ("class=count.next(), class_='a', title=count", ' src="" class="a" title="asked 1"'),
        ("media='print', **{'title': 'x'}", ' src="" media="print" title="x"'),
    ],
)
def test_values_are_asked_for_once_each_in_the_order_of_the_call(assets: Assets, attributes: str, written: str) -> None:
    env = environment(assets, autoescape=True)
    template = env.from_string(f"{{{{ asset_tag('js/plain.js', integrity=none, crossorigin=none, {attributes}) }}}}")

    page = template.render(count=Counter())

    assert f"<script{written}></script>" == page.replace(assets.url("js/plain.js"), "")


def test_a_generator_class_of_somebody_else_is_kept(assets: Assets) -> None:
    class Counting(CodeGenerator):
        def visit_Output(self, node: nodes.Output, frame: Any) -> None:  # noqa: N802
            self.writeline("counted = True")
            super().visit_Output(node, frame)

    class Theirs(Environment):
        code_generator_class = Counting

    made = code(environment(assets, Theirs), "{{ asset_url('css/app.css') }}")

    assert "counted = True" in made
    assert "asset_url" not in made


def test_an_unknown_name_is_an_error_of_the_template_at_its_line(assets: Assets) -> None:
    loader = DictLoader({"page.html": "<p>\n{{ dynamic }}\n{{ asset_url('css/ap.css') }}"})
    env = environment(assets, loader=loader)

    with pytest.raises(UnknownAsset) as caught:
        env.get_template("page.html")

    assert isinstance(caught.value, TemplateSyntaxError)
    assert isinstance(caught.value, AssetNotFound)
    assert "`css/ap.css` is not in the manifest; did you mean `css/app.css`?" == caught.value.message
    assert ("page.html", 3) == (caught.value.name, caught.value.lineno)


def test_an_unknown_name_is_found_where_no_page_goes(assets: Assets) -> None:
    env = environment(assets)

    for text in (
        "{% if false %}{{ asset_tag('no.css') }}{% endif %}",
        "{% macro m() %}{{ asset_tag('no.css', nonce=n) }}{% endmacro %}",
        "{% set x = asset_url('no.css') %}",
        "{% block b %}{{ asset_preload('no.css')|upper }}{% endblock %}",
    ):
        with pytest.raises(UnknownAsset, match=r"`no\.css` is not in the manifest"):
            env.from_string(text)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("asset_tag('css/app.css', **{'a b': 1})", "`a b` is not the name of an HTML attribute"),
        ("asset_inline('img/logo.png')", "`img/logo.png` cannot be inlined"),
        ("asset_inline('css/app.css', limit_bytes=1)", "`css/app.css` cannot be inlined"),
    ],
)
def test_what_cannot_be_right_is_an_error_of_the_template_too(assets: Assets, expression: str, message: str) -> None:
    env = environment(assets)

    with pytest.raises(TemplateSyntaxError) as caught:
        env.from_string(f"\n{{{{ {expression} }}}}")

    assert (caught.value.message or "").startswith(message)
    assert 2 == caught.value.lineno


def test_a_call_with_wrong_arguments_fails_when_it_is_made(assets: Assets) -> None:
    template = environment(assets).from_string("{% if called %}{{ asset_url('css/app.css', 1) }}{% endif %}")

    assert "" == template.render()
    with pytest.raises(TypeError, match="takes one name and nothing else"):
        template.render(called=True)


@pytest.mark.parametrize("function", ["asset_tag", "asset_url"])
@pytest.mark.parametrize("name", ["'css/app.css'", "'css/app.css' if flag else 'js/app.js'"])
def test_a_call_with_a_body_is_left_to_the_run(assets: Assets, function: str, name: str) -> None:
    """A body is one more argument, `caller`."""
    folded, asked = both(assets, f"{{% call {function}({name}) %}}body{{% endcall %}}", flag=True)

    assert asked == folded
    assert "caller" in str(asked)


def test_an_error_of_a_template_survives_a_pickle(assets: Assets) -> None:
    with pytest.raises(UnknownAsset) as caught:
        environment(assets).from_string("{{ asset_url('no.css') }}")

    again = pickle.loads(pickle.dumps(caught.value))

    assert (caught.value.message, 1) == (again.message, again.lineno)


SHADOWS = [
    "{% macro asset_url(n) %}own{{ n }}{% endmacro %}{{ asset_url('no.css') }}",
    "{% macro m(asset_url) %}{{ asset_url('no.css') }}{% endmacro %}{{ m(shout) }}",
    "{% set asset_url = shout %}{{ asset_url('no.css') }}",
    "{% set asset_url, b = shout, 1 %}{{ asset_url('no.css') }}",
    "{% set asset_url %}x{% endset %}{{ asset_url }}",
    "{% for asset_url in [shout] %}{{ asset_url('no.css') }}{% endfor %}",
    "{% for a, (b, asset_url) in [(1, (2, shout))] %}{{ asset_url('no.css') }}{% endfor %}",
    "{% with asset_url = shout %}{{ asset_url('no.css') }}{% endwith %}",
    "{% import 'macros' as asset_url %}{{ asset_url.link() }}",
    "{% from 'macros' import link as asset_url %}{{ asset_url() }}",
    "{% from 'macros' import asset_integrity %}{{ asset_integrity('no.css') }}",
    "{% macro m() %}{{ caller(shout) }}{% endmacro %}{% call(asset_url) m() %}{{ asset_url('no.css') }}{% endcall %}",
    "{% if flag %}{% set asset_url = shout %}{% endif %}{{ asset_url('css/app.css') }}",
    "{{ asset_url('css/app.css') }}{% with asset_url = shout %}{{ asset_url('no.css') }}{% endwith %}",
]


@pytest.mark.parametrize("text", SHADOWS)
@pytest.mark.parametrize("flag", [True, False])
def test_a_name_that_a_template_assigns_is_its_own(assets: Assets, text: str, flag: bool) -> None:
    assert both(assets, text, flag=flag)[0] == both(assets, text, flag=flag)[1]


def test_the_calls_of_a_template_are_listed_without_those_of_its_own_names() -> None:
    parsed = Environment().parse("{{ asset_url(x) }}{% set asset_tag = 1 %}{{ asset_tag('a') }}{{ url('b') }}")

    assert [("asset_url", 1)] == [(call.node.name, call.lineno) for call in asset_calls(parsed)]  # type: ignore[attr-defined]


def test_a_variable_of_the_page_does_not_replace_a_function_in_a_folded_call(assets: Assets) -> None:
    """The names are reserved: documented, because nobody can know at compile time what a page is rendered with."""
    template = environment(assets).from_string("{{ asset_url('css/app.css') }} {{ asset_url(name) }}")

    page = template.render(asset_url=lambda name: "theirs", name="css/app.css")

    assert f"{assets.url('css/app.css')} theirs" == page


def test_a_function_that_somebody_put_in_our_place_is_called(assets: Assets) -> None:
    env = environment(assets)
    env.globals["asset_url"] = lambda name: f"theirs {name}"

    assert "theirs css/app.css" == env.from_string("{{ asset_url('css/app.css') }}").render()


EXTENSIONS = ["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
# A variable that these are rendered with, as an include is, would be one of the page: they use no shadowed name.
PARTS = {
    "macros": "{% macro link() %}<a {{ asset_preload('css/app.css') }}>{{ asset_tag('img/logo.png') }}{% endmacro %}"
    "{% macro asset_integrity(n) %}own{{ n }}{% endmacro %}",
    "part.html": "({{ asset_preload('css/app.css') }}{{ asset_tag('css/app.css') }}{{ ASSET_URL }}{{ x }})",
    "base.html": "<{% block head %}{{ asset_tag('css/app.css') }}{% endblock %}|{% block body %}base{% endblock %}>",
}
EXPRESSIONS = st.recursive(
    st.sampled_from(
        [
            "asset_url('css/app.css')",
            "asset_url('css/' ~ 'app.css')",
            "asset_url(name)",
            "asset_url(name if flag else 'js/lib.js')",
            "asset_url('css/app.css' if flag else 'js/lib.js')",
            "asset_tag('css/app.css' if flag else 'js/lib.js')",
            "asset_tag('css/app.css' if flag else 'js/lib.js', nonce=nonce)",
            "asset_tag('css/app.css')",
            "asset_tag(name)",
            "asset_tag('css/app.css', media='a&b')",
            "asset_tag('img/logo.png', alt=words, title='<' ~ words)",
            "asset_tag('js/lib.js', nonce=nonce)",
            "asset_tag('js/app.js', nonce=nonce)",
            "asset_tag('js/app.js', nonce=shout(words), class_=nonce)",
            "asset_integrity('js/app.js')",
            "asset_preload('js/app.js', nonce=nonce)",
            "asset_inline('css/app.css', nonce=nonce, limit_bytes=limit)",
            "asset_inline('css/app.css', nonce=nonce)",
            "asset_importmap(nonce=nonce)",
            "asset_importmap()",
            "asset_tag('js/app.js', data_x=count.next(), type=count.next() ~ '')",
            "asset_tag('img/logo.png', alt=count, title=count.next())",
            "asset_tag('js/lib.js', class=count.next(), class_=count.next())",
            "asset_tag('js/lib.js', class=count.next(), class_='a')",
            "asset_tag('js/lib.js', defer=flag, **{'title': words, 'class': 'a'})",
            "asset_tag('css/app.css', media='print', **{'title': 'x'})",
            "asset_tag('css/app.css', title=asset_url('img/logo.png')|stamped)",
            "asset_tag('css/app.css', title=asset_tag('img/logo.png'))",
            "words",
        ]
    ),
    lambda inner: st.one_of(
        inner.map("({} ~ '<b>')".format),
        inner.map("({}|upper)".format),
        inner.map("({}|e)".format),
        inner.map("({}|safe)".format),
        inner.map("({}|length)".format),
        inner.map("shout({})".format),
        inner.map("({}|stamped)".format),
        inner.map("({} is fresh)".format),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} if flag else {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"([{two[0]}, {two[1]}]|join('&'))"),
    ),
    max_leaves=3,
)
WRAPPERS = [
    "{}",
    "{{% set x = {e} %}}{{{{ x }}}}{}",
    "{{% set x %}}{}{{% endset %}}{{{{ x }}}}",
    "{{% if flag %}}{}{{% else %}}{{{{ {e} }}}}{{% endif %}}",
    "{{% for i in [1, 2] %}}{}{{{{ loop.index }}}}{{% endfor %}}",
    "{{% macro m(a) %}}{}{{{{ a }}}}{{% endmacro %}}{{{{ m({e}) }}}}",
    "{{% macro m() %}}[{{{{ caller() }}}}]{{% endmacro %}}{{% call m() %}}{}{{% endcall %}}",
    "{{% filter upper %}}{}{{% endfilter %}}",
    "{{% autoescape true %}}{}{{% endautoescape %}}",
    "{{% autoescape false %}}{}{{% endautoescape %}}",
    "{{% autoescape flag %}}{}{{% endautoescape %}}",
    "{{% with x = {e} %}}{}{{{{ x }}}}{{% endwith %}}",
    "{{% trans x={e} %}}see {{{{ x }}}}{{% endtrans %}}{}",
    "{{% include 'part.html' %}}{}",
    "{{% import 'macros' as m %}}{{{{ m.link() }}}}{}",
    "{{% from 'macros' import link with context %}}{{{{ link() }}}}{}",
    '{{% assets "all" %}}{{{{ ASSET_URL }}}} {{{{ EXTRA.media }}}}{{{{ ASSET_SRI }}}}{}{{% endassets %}}',
    '{{% assets "all", "lib" %}}{{% include "part.html" %}}{}{{% endassets %}}',
    '{{% assets "all" %}}{{{{ ASSET_URL|stamped }}}}{{{{ EXTRA.n|stamped }}}}{}{{% endassets %}}',
    "{{% assets 'all' %}}{{% do EXTRA.update({{'n': count.next()}}) %}}{{{{ EXTRA.n }}}}{}{{% endassets %}}",
    "{{% assets 'all' %}}{{% for i in [1, 2] %}}{}{{% break %}}{{% endfor %}}{{% endassets %}}",
    "{{% for i in [1, 2] %}}{}{{% assets 'all' %}}{{% break %}}{{% endassets %}}{{% endfor %}}",
    "{{% for i in [1, 2] %}}{}{{% continue %}}{{% endfor %}}",
    '{{% assets bundle %}}{{% if EXTRA.media == "screen" %}}{}{{% endif %}}{{% endassets %}}',
    *(shadow.replace("{", "{{").replace("}", "}}") + "{}" for shadow in SHADOWS),
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return a template that nests a few statements around an expression."""
    text = f"<p>{{{{ {draw(EXPRESSIONS)} }}}}</p>"
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from(WRAPPERS)).format(text, e=draw(EXPRESSIONS))
    if draw(st.booleans()):
        text = f"{{% extends 'base.html' %}}{{% block body %}}{{{{ super() }}}}{text}{{% endblock %}}"
    return text


def both(assets: Assets, text: str, kind: type[Environment] = Environment, **values: Any) -> tuple[object, object]:
    """Return what a template gives with folding and without."""
    options = {name: values.pop(name) for name in ("autoescape", "enable_async", "finalize") if name in values}
    is_overlay = values.pop("is_overlay", False)
    results = []
    for prefix in (None, lambda: ""):
        env = kind(loader=DictLoader(PARTS), extensions=EXTENSIONS, **options)
        env.install_null_translations()  # type: ignore[attr-defined]
        install(env, assets, prefix=prefix)
        stamp = itertools.count()
        env.filters["stamped"] = lambda value, stamp=stamp: f"{next(stamp)}{value}"
        env.tests["fresh"] = lambda _, stamp=stamp: next(stamp) % 2 == 0
        env = env.overlay(trim_blocks=True) if is_overlay else env
        pages: list[object] = []
        try:
            template = env.from_string(text)
            for _ in range(2):
                given = {"shout": "{}!".format, "name": "css/app.css", "count": Counter(), **values}
                page = template.render(**given)
                pages += [type(page), page]
        except Exception as error:  # noqa: BLE001 - the same one, please
            pages.append(f"{type(error).__name__}: {error}")
        results.append(pages)
    return results[0], results[1]


class Counter:
    """Something that a page may ask, and that remembers that it did."""

    def __init__(self) -> None:
        self._asked = 0

    def next(self) -> int:
        """Return how often it was asked, this time included."""
        self._asked += 1
        return self._asked

    def __str__(self) -> str:
        return f"asked {self._asked}"


def is_page(name: str | None) -> bool:
    """Return whether a template is HTML: the page is not, and its parent is."""
    return name is not None and name.endswith(".html")


@given(
    text=texts(),
    kind=st.sampled_from([Environment, SandboxedEnvironment, ImmutableSandboxedEnvironment, NativeEnvironment]),
    options=st.fixed_dictionaries(
        {
            "autoescape": st.sampled_from([True, False, is_page]),
            "enable_async": st.booleans(),
            "is_overlay": st.booleans(),
            "finalize": st.sampled_from([None, lambda value: f"{type(value).__name__} {value}<i>"]),
            "flag": st.booleans(),
            "words": st.sampled_from(["plain", "<&\"'>", Markup("<b>&amp;</b>")]),
            "bundle": st.sampled_from(["all", "lib"]),
            "limit": st.sampled_from([100, 16384]),
        },
        optional={"nonce": st.sampled_from([None, False, True, "r4", "\"<'", Markup('a"b')])},
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_page_can_tell_whether_it_was_folded(
    assets: Assets, text: str, kind: type[Environment], options: dict[str, Any]
) -> None:
    folded, asked = both(assets, text, kind, **options)

    assert asked == folded

"""The functions of a template, rendered by Jinja itself in each of its environments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from jinja2 import ChainableUndefined, Environment, StrictUndefined, Undefined, UndefinedError, meta
from jinja2.exceptions import SecurityError
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from assetbuild import AssetNotFound, Assets
from assetbuild.manifest import Manifest, dump
from assetbuild.web.jinja import install
from tests.manifests import document, file_entry, published


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    """Assets with a stylesheet, a module that needs it, and an image."""
    made = published(
        tmp_path,
        {"css/app.css": b"a{}", "js/app.js": b"import()", "img/logo.png": b"png"},
        js_app_js={"kind": "module", "css": ["css/app.css"]},
    )
    return Assets(Manifest(dump(made)))


def environment(assets: Assets, kind: type[Environment] = Environment, **options: object) -> Environment:
    env = kind(**options)  # type: ignore[arg-type]
    install(env, assets)
    return env


def render(env: Environment, text: str, **values: object) -> str:
    return env.from_string(text).render(**values)


@pytest.mark.parametrize("kind", [Environment, SandboxedEnvironment, ImmutableSandboxedEnvironment])
@pytest.mark.parametrize("autoescape", [True, False])
def test_a_page_has_its_urls_tags_and_integrity(assets: Assets, kind: type[Environment], autoescape: bool) -> None:
    env = environment(assets, kind, autoescape=autoescape)

    page = render(
        env,
        "{{ asset_url('img/logo.png') }}|{{ asset_tag('css/app.css', media='print') }}|{{ asset_integrity(name) }}",
        name="js/app.js",
    )

    expected = [assets.url("img/logo.png"), assets.tag("css/app.css", media="print"), assets["js/app.js"].integrity]
    assert expected == page.split("|")


def test_values_are_escaped_by_the_tag_and_not_again_by_the_template(assets: Assets) -> None:
    text = "{{ asset_tag('img/logo.png', alt=alt) }}"

    escaped = render(environment(assets, autoescape=True), text, alt='"<b>&')
    plain = render(environment(assets, autoescape=False), text, alt='"<b>&')

    assert f'<img src="{assets.url("img/logo.png")}" alt="&quot;&lt;b&gt;&amp;">' == escaped
    assert escaped == plain


def test_a_tag_is_markup_where_autoescape_is_on_and_text_where_it_is_off(assets: Assets) -> None:
    """Markup escapes whatever is added to it, which a template without autoescape does not expect."""
    added = "{{ asset_tag('css/app.css') + '<hr>' }}"
    text = f"{added}{{% autoescape true %}}{added}{{% endautoescape %}}"

    page = render(environment(assets, autoescape=False), text)

    tag = assets.tag("css/app.css")
    assert f"{tag}<hr>{tag}&lt;hr&gt;" == page


def test_a_base_with_an_ampersand_cannot_be_and_a_url_needs_no_escape(assets: Assets) -> None:
    made = document({"a&'b.txt": {"file": "a.txt", "keep": True}}, {"a.txt": file_entry()})
    kept = Assets(Manifest(dump(made)))

    assert "/static/a%26%27b.txt" == render(environment(kept, autoescape=False), '{{ asset_url("a&\'b.txt") }}')


def test_an_async_template_has_the_same_functions(assets: Assets) -> None:
    env = environment(assets, enable_async=True, autoescape=True)
    template = env.from_string("{% for n in names %}{{ asset_url(n) }} {% endfor %}{{ asset_tag('css/app.css') }}")

    page = asyncio.run(template.render_async(names=["css/app.css"]))

    assert f"{assets.url('css/app.css')} {assets.tag('css/app.css')}" == page


def test_a_native_environment_gives_the_text_itself(assets: Assets) -> None:
    assert assets.url("css/app.css") == render(environment(assets, NativeEnvironment), "{{ asset_url('css/app.css') }}")


def test_macros_imports_and_includes_see_the_functions(assets: Assets) -> None:
    from jinja2 import DictLoader

    loader = DictLoader(
        {
            "macros": "{% macro logo() %}{{ asset_url('img/logo.png') }}{% endmacro %}",
            "part": "{{ asset_url('css/app.css') }}",
            "page": "{% import 'macros' as m %}{{ m.logo() }} {% include 'part' %}",
        }
    )

    page = environment(assets, loader=loader).get_template("page").render()

    assert f"{assets.url('img/logo.png')} {assets.url('css/app.css')}" == page


def test_an_unknown_name_is_an_error_with_the_near_miss(assets: Assets) -> None:
    with pytest.raises(AssetNotFound, match=r"`css/ap\.css` is not in the manifest; did you mean `css/app\.css`\?"):
        render(environment(assets), "{{ asset_url('css/ap.css') }}")


@pytest.mark.parametrize("undefined", [Undefined, StrictUndefined, ChainableUndefined])
@pytest.mark.parametrize("function", ["asset_url", "asset_integrity", "asset_tag", "asset_preload", "asset_inline"])
def test_an_undefined_name_is_named_as_jinja_names_it(
    assets: Assets, undefined: type[Undefined], function: str
) -> None:
    env = environment(assets, undefined=undefined)

    with pytest.raises(UndefinedError, match=r"^'nothing' is undefined$"):
        render(env, f"{{{{ {function}(nothing) }}}}")
    with pytest.raises(UndefinedError, match=r"^'dict object' has no attribute 'css'$"):
        render(env, f"{{{{ {function}({{}}.css) }}}}")


def test_an_empty_name_is_said_to_be_empty(assets: Assets) -> None:
    with pytest.raises(AssetNotFound, match=r"^the name of the asset is empty$"):
        render(environment(assets), "{{ asset_tag('') }}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("asset_url()", "`asset_url` is called without a name"),
        ("asset_url(name='css/app.css')", "`asset_url` is called without a name; write it without `name=`"),
        ("asset_tag(name='css/app.css')", "`asset_tag` is called without a name; write it without `name=`"),
        ("asset_url('css/app.css', 1)", "`asset_url` takes one name and nothing else"),
        ("asset_url('css/app.css', defer=True)", "`asset_url` takes one name and nothing else, not `defer=`"),
        ("asset_integrity('a', context=1)", "`asset_integrity` takes one name and nothing else, not `context=`"),
        (
            "asset_tag('css/app.css', 'x')",
            "`asset_tag` takes one name; whatever follows is written as an attribute, such as `defer=True`",
        ),
        ("asset_importmap('a')", "`asset_importmap` takes no name, only attributes such as `nonce=…`"),
        ("asset_live('a')", "`asset_live` takes no name, only attributes such as `nonce=…`"),
    ],
)
def test_wrong_arguments_are_told_in_the_words_of_templates(assets: Assets, call: str, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        render(environment(assets), f"{{{{ {call} }}}}")

    assert message == str(caught.value)


def test_an_undefined_attribute_is_left_out_as_jinja_does_itself(assets: Assets) -> None:
    text = "{{ asset_tag('img/logo.png', alt=nothing.at.all, title=none, hidden=true) }}"

    page = render(environment(assets, undefined=ChainableUndefined), text)

    assert f'<img src="{assets.url("img/logo.png")}" hidden>' == page


def test_a_nonce_passes_to_the_module_and_to_its_stylesheet(assets: Assets) -> None:
    page = render(
        environment(assets, autoescape=True), "{{ asset_tag('js/app.js', nonce=csp_nonce) }}", csp_nonce="r4nd0m"
    )

    assert assets.tag("js/app.js", nonce="r4nd0m") == page
    assert 2 == page.count('nonce="r4nd0m"')


def test_a_sandboxed_template_reaches_nothing_through_the_functions(assets: Assets) -> None:
    env = environment(assets, SandboxedEnvironment)

    for attack in ("asset_url.__globals__", "asset_tag.__closure__", "asset_url.__code__"):
        with pytest.raises(SecurityError):
            render(env, f"{{{{ {attack}.x }}}}")


def test_two_environments_may_have_two_manifests(assets: Assets) -> None:
    other = Assets(Manifest(dump(document({"css/app.css": {"file": "b.css"}}, {"b.css": file_entry()}))))

    first, second = environment(assets), environment(other)

    assert assets.url("css/app.css") == render(first, "{{ asset_url('css/app.css') }}")
    assert "/static/b.css" == render(second, "{{ asset_url('css/app.css') }}")


@pytest.mark.parametrize("text", ["{{ asset_url('css/app.css') }}", "{{ asset_url(name) }}", "{{ asset_tag(name) }}"])
def test_an_overlay_that_is_older_than_its_assets_has_those_of_its_original(assets: Assets, text: str) -> None:
    """It shares the globals, and the functions with them."""
    env = Environment(autoescape=True)
    overlay = env.overlay(trim_blocks=True).overlay(lstrip_blocks=True)
    install(env, assets)

    assert render(env, text, name="css/app.css") == render(overlay, text, name="css/app.css")


def test_globals_of_one_template_do_not_replace_a_function_in_a_folded_call(assets: Assets) -> None:
    """What a template was compiled to is kept, and is loaded again with other globals."""
    env = environment(assets)
    text = "{{ asset_url('css/app.css') }} {{ asset_url(name) }}"

    page = env.from_string(text, globals={"asset_url": "their {}".format}).render(name="css/app.css")

    assert f"{assets.url('css/app.css')} their css/app.css" == page


def test_the_names_in_a_template_are_these(assets: Assets) -> None:
    fresh = set(Environment().globals)

    assert [
        "asset_importmap",
        "asset_inline",
        "asset_integrity",
        "asset_live",
        "asset_preload",
        "asset_tag",
        "asset_url",
    ] == sorted(set(environment(assets).globals) - fresh)


def test_a_template_is_not_said_to_need_the_functions_from_its_page(assets: Assets) -> None:
    parsed = environment(assets).parse("{{ asset_tag('js/app.js', nonce=csp_nonce) }}{{ asset_url(name) }}")

    assert {"csp_nonce", "name"} == meta.find_undeclared_variables(parsed)


@pytest.mark.parametrize("name", ["'css/app.css'", "name", "'css/app.css' if name else 'js/app.js'"])
def test_an_expression_alone_has_the_functions(assets: Assets, name: str) -> None:
    expression = environment(assets).compile_expression(f"asset_url({name})")

    assert assets.url("css/app.css") == expression(name="css/app.css")

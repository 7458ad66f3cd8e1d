"""The tag `assets`, rendered beside webassets' own: the same pages, with nothing built."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, TemplateSyntaxError

from assetbuild import AssetNotFound, Assets
from assetbuild.compiler import Outcome
from assetbuild.manifest import Manifest, dump
from assetbuild.web.jinja import UnknownAsset, install
from tests.conftest import Tree
from tests.manifests import document, file_entry

THEIRS = "webassets.ext.jinja2.AssetsExtension"
LINK = '<link href="{{ ASSET_URL }}" media="{{ EXTRA.media }}">'


def kept(*names: str) -> dict[str, dict[str, Any]]:
    """Return assets under their own names, so that a URL has no hash in it."""
    return {name: {"file": name, "keep": True} for name in names}


@pytest.fixture
def assets() -> Assets:
    """What a compile says of `bundles_of_theirs`."""
    names = ("a.css", "b.css", "sub/c.css", "gen/one.css", "gen/two.css", "gen/inline.css", "gen/screen.css")
    bundles = {
        "one": {"assets": ["gen/one.css"], "extra": {"media": "screen", "rank": 1}},
        "two": {"assets": ["gen/two.css"], "extra": {"media": "print", "last": None}},
        "both": {"assets": ["gen/one.css", "gen/two.css"], "extra": {"media": "print", "rank": 1, "last": None}},
        "plain": {"assets": ["a.css", "b.css"]},
        "gen/inline.css": {"assets": ["gen/inline.css"]},
        "gen/screen.css": {"assets": ["gen/screen.css"], "extra": {"media": "screen", "rank": 1}},
    }
    return Assets(Manifest(dump(document(kept(*names), {name: file_entry() for name in names}, bundles=bundles))))


@pytest.fixture
def theirs(tmp_path: Path) -> Any:
    """A webassets environment with the same bundles, which builds nothing."""
    webassets: Any = import_module("webassets")
    for name in ("a.css", "b.css", "sub/c.css"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    bundles = webassets.Environment(
        str(tmp_path), "/static", auto_build=False, cache=False, manifest=False, versions=False, url_expire=False
    )
    bundles.register("one", webassets.Bundle("a.css", output="gen/one.css", extra={"media": "screen", "rank": 1}))
    bundles.register("two", webassets.Bundle("b.css", output="gen/two.css", extra={"media": "print", "last": None}))
    bundles.register("both", bundles["one"], bundles["two"])
    bundles.register("plain", webassets.Bundle("a.css", "b.css"))
    return bundles


@pytest.fixture
def side_by_side(assets: Assets, theirs: Any) -> Callable[..., tuple[str, str]]:
    """Return a function that renders a template by webassets' own tag and by ours, in an environment with both."""

    def render(text: str, **values: object) -> tuple[str, str]:
        pages = []
        for is_ours in (False, True):
            env = Environment(autoescape=True, loader=DictLoader({"part": LINK}))
            if is_ours:
                install(env, assets)
            env.add_extension(THEIRS)
            env.assets_environment = theirs  # type: ignore[attr-defined]
            pages.append(env.from_string(text).render(**values))
        return pages[0], pages[1]

    return render


@pytest.mark.parametrize(
    "tag",
    [
        '"one"',
        '"one", "two"',
        '"both"',
        '"plain"',
        '"one", "plain"',
        '"one", "one"',
        '"one", "a.css"',
        '"a.css", "sub/c.css"',
        '("one", "two")',
        '["one"], "two"',
        '"o" ~ "ne"',
        "name",
        '"one", debug=False',
        '"one", debug=none',
        '"https://other.example/x.css"',
        '"a.css", output="gen/inline.css"',
        '"a.css", "b.css", filters="rcssmin", output="gen/inline.css", depends="*.css"',
        '"one", filter="rcssmin", output="gen/screen.css"',
        'output="gen/inline.css", "a.css"',
        'name, output="gen/screen.css"',
    ],
)
@pytest.mark.filterwarnings("ignore:The .filter. option")
@pytest.mark.parametrize(
    "body",
    [
        LINK,
        "{{ EXTRA|dictsort }}{{ EXTRA.nothing }}{{ EXTRA['media'] }}",
        "{% if EXTRA.media == 'print' %}{{ ASSET_URL|upper }}{% else %}{{ EXTRA.rank }}{% endif %}",
        "{% set u = ASSET_URL ~ '?' %}{{ u }}{% set x = 2 %}{{ x }}",
        "{% include 'part' %}",
        "{% for ASSET_URL in [1] %}{{ ASSET_URL }}{% endfor %}",
        "{% macro m() %}{{ ASSET_URL }}{{ varargs }}{% endmacro %}{{ m() }}",
        "{{ ASSET_URL }}{{ caller is defined }}",
    ],
)
def test_a_tag_renders_what_webassets_renders(
    side_by_side: Callable[..., tuple[str, str]], tag: str, body: str
) -> None:
    text = f"{{% set x = 1 %}}<head>{{% assets {tag} %}}{body}\n{{% endassets %}}</head>{{{{ x }}}}{{{{ ASSET_URL }}}}"

    expected, found = side_by_side(text, name="one")

    assert expected == found


def test_a_digest_is_that_of_the_file(assets: Assets) -> None:
    made = document(
        {"a.css": {"file": "a-1.css"}, "b.css": {"file": "b.css", "keep": True}},
        {"a-1.css": file_entry(b"a{}"), "b.css": file_entry(b"b{}")},
        bundles={"all": {"assets": ["a.css", "b.css"]}},
    )
    env = Environment()
    install(env, Assets(Manifest(dump(made))))

    page = env.from_string('{% assets "all" %}{{ ASSET_URL }} {{ ASSET_SRI }} {% endassets %}').render()

    assert f"/static/a-1.css {file_entry(b'a{}')['integrity']} /static/b.css None " == page


def test_a_tag_with_constant_names_is_text_in_the_compiled_template(assets: Assets) -> None:
    env = Environment(autoescape=True)
    install(env, assets)

    made = env.compile(
        '{% assets "both" %}<link href="{{ ASSET_URL }}" rel={{ EXTRA.media }}>{% endassets %}', raw=True
    )

    for name in ("one", "two"):
        link = f'<link href="/static/gen/{name}.css" rel=print>'
        assert f"yield {link!r}" in made
    assert "call" not in made


@pytest.mark.parametrize("name", ["'both'", "name"])
def test_an_async_template_has_the_tag(assets: Assets, name: str) -> None:
    env = Environment(enable_async=True)
    install(env, assets)
    template = env.from_string(f"{{% assets {name} %}}{{{{ ASSET_URL }}}} {{% endassets %}}")

    page = asyncio.run(template.render_async(name="both"))

    assert "/static/gen/one.css /static/gen/two.css " == page


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ('"bot"', "`bot` is not a bundle in the manifest; did you mean `both`?"),
        ('"one", "sub/d.css"', "`sub/d.css` is not in the manifest; did you mean `sub/c.css`?"),
        (
            '"a.css", output="gen/inlin.css"',
            "`gen/inlin.css` is not a bundle in the manifest; did you mean `gen/inline.css`?",
        ),
        (
            '"a.css", output="elsewhere.js"',
            "`elsewhere.js` is not a bundle in the manifest; name the folder of this template under "
            "`[templates] paths` and compile again",
        ),
    ],
)
def test_what_is_no_bundle_and_no_file_is_an_error_of_the_template(assets: Assets, tag: str, message: str) -> None:
    env = Environment(loader=DictLoader({"page": f"<p>\n{{% assets {tag} %}}{{% endassets %}}"}))
    install(env, assets)

    with pytest.raises(UnknownAsset) as caught:
        env.get_template("page")

    assert (message, "page", 2) == (caught.value.message, caught.value.name, caught.value.lineno)


@pytest.mark.parametrize("tag", ['"one"', "name"])
@pytest.mark.parametrize("jump", ["break", "continue"])
@pytest.mark.parametrize(
    "body",
    ["{{% {} %}}", "{{% if a %}}{{% {} %}}{{% endif %}}", "{{% for b in c %}}{{% else %}}{{% {} %}}{{% endfor %}}"],
)
def test_a_tag_is_left_by_no_jump_to_a_loop_around_it(assets: Assets, tag: str, jump: str, body: str) -> None:
    """Its content is a function to Jinja, in which there is no such loop."""
    env = Environment(extensions=["jinja2.ext.loopcontrols"])
    install(env, assets)

    with pytest.raises(TemplateSyntaxError, match="`break` and `continue` cannot leave `assets`") as caught:
        env.from_string(f"{{% for a in b %}}\n{{% assets {tag} %}}\n{body.format(jump)}{{% endassets %}}{{% endfor %}}")

    assert 3 == caught.value.lineno


@pytest.mark.parametrize("tag", ['"one"', "name"])
def test_a_jump_may_leave_a_loop_inside_a_tag(assets: Assets, tag: str) -> None:
    env = Environment(extensions=["jinja2.ext.loopcontrols"])
    install(env, assets)

    text = f"{{% assets {tag} %}}{{% for a in [1, 2] %}}{{{{ a }}}}{{% break %}}{{% endfor %}}{{% endassets %}}"

    assert "1" == env.from_string(text).render(name="one")


@pytest.mark.parametrize("tag", ['"one"', "name"])
def test_what_a_page_writes_into_extra_is_its_own(assets: Assets, tag: str) -> None:
    env = Environment(extensions=["jinja2.ext.do"])
    install(env, assets)
    text = (
        f"{{% assets {tag} %}}{{{{ EXTRA.rank }}}}{{% do EXTRA.update(rank=5) %}}{{{{ EXTRA.rank }}}}{{% endassets %}}"
    )
    template = env.from_string(text * 2)

    assert ["1515", "1515"] == [template.render(name="one") for _ in range(2)]


def test_a_name_known_at_run_time_is_an_error_then(assets: Assets) -> None:
    env = Environment()
    install(env, assets)
    template = env.from_string("{% assets name %}{% endassets %}")

    with pytest.raises(AssetNotFound, match=r"`bot` is not a bundle in the manifest; did you mean `both`\?"):
        template.render(name="bot")


@pytest.mark.parametrize("tag", ["1", '"one", none', "names", 'output=["a.css"]'])
def test_what_is_no_text_is_an_error_when_the_page_is_rendered(assets: Assets, tag: str) -> None:
    env = Environment()
    install(env, assets)
    template = env.from_string(f"{{% assets {tag} %}}{{% endassets %}}")

    with pytest.raises(TypeError, match=r"a bundle is named by a text, not by `(int|NoneType|list)`"):
        template.render(names=["one"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{% assets "a.css", filters="rcssmin" %}{% endassets %}', "this inline bundle has no `output`"),
        (
            '{% assets "a.css", outptu="b.css" %}{% endassets %}',
            "`outptu` is not an option of `assets`; it has filters, output, debug, depends",
        ),
        ('{% assets "a.css" 1 %}{% endassets %}', "expected token ','"),
    ],
)
def test_a_tag_that_cannot_be_meant_is_an_error_of_the_template(assets: Assets, text: str, message: str) -> None:
    env = Environment()
    install(env, assets)

    with pytest.raises(TemplateSyntaxError) as caught:
        env.from_string(text)

    assert (caught.value.message or "").startswith(message)


@pytest.mark.parametrize("is_installed_first", [True, False])
def test_a_template_of_flask_assets_needs_no_change(assets: Assets, is_installed_first: bool) -> None:
    import flask
    import flask_assets

    app = flask.Flask(__name__)
    steps = [lambda: install(app.jinja_env, assets), lambda: flask_assets.Environment(app)]
    for step in steps if is_installed_first else reversed(steps):
        step()
    template = f'{{% assets "one" %}}{LINK}{{% endassets %}}'

    with app.app_context():
        assert '<link href="/static/gen/one.css" media="screen">' == flask.render_template_string(template)


def test_an_inline_bundle_is_found_by_the_compile_and_rendered_from_its_manifest(
    tree: Tree, compiled: Callable[..., Outcome]
) -> None:
    page = (
        '{% assets "base", "js/b.js", filters="rjsmin", output="gen/page.%(version)s.js" %}'
        '<script src="{{ ASSET_URL }}" integrity="{{ ASSET_SRI }}"></script>{% endassets %}'
    )
    folder = tree(
        {
            "assetbuild.toml": '[webassets]\nenvironment = "bundles.yaml"\n[templates]\npaths = ["templates"]\n',
            "bundles.yaml": "base: {contents: js/a.js}\n",
            "assets/js/a.js": "var a = 1 ;",
            "assets/js/b.js": "var b = 2 ;",
            "templates/page.html": page,
        }
    )

    compiled(folder, jobs=1)
    assets = Assets.open(folder / "build/assets/manifest.json", environ={})
    env = Environment()
    install(env, assets)

    made = assets["gen/page.js"]
    assert f'<script src="{made.url}" integrity="{made.integrity}"></script>' == env.from_string(page).render()
    assert "var a=1;var b=2;" == (folder / "build/assets" / made.file).read_text()


def test_the_compile_reads_a_tag_in_an_application_that_has_ours(assets: Assets) -> None:
    """The application's own environment is asked for its delimiters, and brings our extension along."""
    from assetbuild.compiler.bundles.tags import tags

    env = Environment(block_start_string="<%", block_end_string="%>")
    install(env, assets)
    text = '<% assets "a.js", filters="rjsmin", output="gen/o.js" %><% endassets %><% assets "one" %><% endassets %>'

    found, problems = tags([("page.html", text)], env)

    assert [] == problems
    assert [(("a.js",), "rjsmin", "gen/o.js")] == [(tag.contents, tag.filters, tag.output) for tag in found]

"""`{% load assetbuild %}`: what is folded while a template is parsed, and what is asked for while it is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import TemplateSyntaxError, VariableDoesNotExist, engines
from django.template.base import TextNode
from django.template.loader import get_template, render_to_string
from django.urls import clear_script_prefix, set_script_prefix
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe

from assetbuild.manifest import AssetNotFound
from assetbuild.web.django import get_assets
from assetbuild.web.django.storage import ManifestStorage
from tests.django_site import STUB_STORAGE, django_site, rendered
from tests.manifests import published, write

CSS = b"a{color:red}"
BODIES = {"css/app.css": CSS, "js/app.js": b"run()", "js/part.js": b"part()", "fonts/text.txt": b"T"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    output = tmp_path / "build/assets"
    module = {"kind": "module", "imports": ["js/part.js"]}
    write(output, published(output, BODIES, js_app_js=module) | {"importmap": {"part": "js/part.js"}})
    return tmp_path


@pytest.fixture
def site(project: Path) -> Iterator[Path]:
    with django_site(project):
        yield project


@pytest.fixture
def script_prefix() -> Iterator[None]:
    yield
    clear_script_prefix()


def nodes(text: str) -> list[object]:
    template = engines["django"].from_string("{% load assetbuild %}" + text)
    return [node for node in template.template.nodelist if type(node).__name__ != "LoadNode"]


CALLS = [
    ('{% asset_url "css/app.css" %}', lambda a: a.url("css/app.css")),
    ("{% asset_url 'css/app.css' %}", lambda a: a.url("css/app.css")),
    ('{% asset_integrity "css/app.css" %}', lambda a: a["css/app.css"].integrity),
    ('{% asset_tag "css/app.css" media="print" %}', lambda a: a.tag("css/app.css", media="print")),
    ('{% asset_tag "js/app.js" defer=True async=False x=None %}', lambda a: a.tag("js/app.js", defer=True)),
    ('{% asset_tag "js/app.js" data_a="<&" n=3 %}', lambda a: a.tag("js/app.js", data_a=mark_safe("<&"), n=3)),
    ('{% asset_preload "js/app.js" %}', lambda a: a.preload("js/app.js")),
    ('{% asset_inline "css/app.css" %}', lambda a: a.inline("css/app.css")),
    ("{% asset_importmap %}", lambda a: a.importmap()),
    ("{% asset_live %}", lambda _: ""),
]


@pytest.mark.parametrize(("written", "expected"), CALLS, ids=[written for written, _ in CALLS])
def test_a_constant_tag_is_text_after_parsing(site: Path, written: str, expected: object) -> None:
    text = expected(get_assets())  # type: ignore[operator]

    assert text == rendered(written)
    (node,) = nodes(written)
    assert isinstance(node, TextNode)
    assert text == node.s


@pytest.mark.parametrize(("written", "expected"), CALLS, ids=[written for written, _ in CALLS])
def test_every_tag_can_name_a_variable(site: Path, written: str, expected: object) -> None:
    text = expected(get_assets())  # type: ignore[operator]

    assert f"[{text}]" == rendered(written.replace(" %}", " as it %}[{{ it }}]"))


def test_a_name_out_of_the_context_is_looked_up_while_rendering(site: Path) -> None:
    assert get_assets().tag("css/app.css") == rendered("{% asset_tag name %}", name="css/app.css")
    assert get_assets().url("css/app.css") == rendered('{% asset_url "css/"|add:file %}', file="app.css")
    with pytest.raises(AssetNotFound, match=r"did you mean `css/app\.css`"):
        rendered("{% asset_tag name %}", name="css/ap.css")


def test_a_nonce_is_asked_for_at_each_rendering(site: Path) -> None:
    class Request:
        csp_nonce = SimpleLazyObject(lambda: "n1")

    of_django = rendered('{% asset_tag "js/app.js" nonce=csp_nonce %}', csp_nonce=SimpleLazyObject(lambda: 'a"b'))
    of_django_csp = rendered('{% asset_tag "js/app.js" nonce=request.csp_nonce %}', request=Request())

    assert get_assets().tag("js/app.js", nonce='a"b') == of_django
    assert get_assets().tag("js/app.js", nonce="n1") == of_django_csp


def test_an_undefined_attribute_is_left_out(site: Path) -> None:
    assert get_assets().tag("js/app.js") == rendered('{% asset_tag "js/app.js" nonce=csp_nonce %}')


@pytest.mark.parametrize("written", ['{% asset_tag "css/ap.css" %}', '{% asset_tag "css/ap.css" nonce=csp_nonce %}'])
def test_an_unknown_constant_is_an_error_of_the_template_with_its_place(project: Path, written: str) -> None:
    (project / "templates").mkdir()
    (project / "templates/home.html").write_text(f"{{% load assetbuild %}}\n\n{{% if no %}}{written}{{% endif %}}")
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [project / "templates"]}]

    with django_site(project, TEMPLATES=templates), pytest.raises(TemplateSyntaxError) as caught:
        get_template("home.html")

    expected = "`css/ap.css` is not in the manifest; did you mean `css/app.css`? (home.html:3)"
    assert expected == str(caught.value).rpartition("home.html, ")[2]  # Django 6 says the file in front
    assert 3 == caught.value.token.lineno


def test_an_error_in_a_text_has_its_line(site: Path) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"`x` is not in the manifest \(line 2\)"):
        rendered('\n{% asset_url "x" %}')


@pytest.mark.parametrize(
    ("written", "usage"),
    [
        ("{% asset_url %}", '`asset_url` is written `{% asset_url "css/app.css" [as variable] %}` (line 1)'),
        ('{% asset_url "css/app.css" media="print" %}', '`asset_url` is written `{% asset_url "css/app.css" [as'),
        ('{% asset_tag "css/app.css" "js/app.js" %}', '`asset_tag` is written `{% asset_tag "css/app.css" [attribute'),
        ('{% asset_tag "css/app.css" as %}', "`asset_tag` is written"),
        ("{% asset_url 5 %}", '`asset_url` is written `{% asset_url "css/app.css" [as variable] %}` (line 1)'),
        ("{% asset_tag None media=x %}", '`asset_tag` is written `{% asset_tag "css/app.css" [attribute'),
        ('{% asset_inline "css/app.css" limit_bytes="12" %}', "`limit_bytes` is a number, without quotes (line 1)"),
        (
            "{% asset_importmap 1 %}",
            "`asset_importmap` is written `{% asset_importmap [attribute=value …] [as variable",
        ),
    ],
)
def test_a_tag_that_is_written_wrongly_is_shown_how(site: Path, written: str, usage: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        rendered(written)

    assert str(caught.value).startswith(usage)


@pytest.mark.parametrize("name", ["nothing", "page.css.file", "nothing|lower"])
def test_an_undefined_name_is_an_error_that_names_the_variable(site: Path, name: str) -> None:
    with pytest.raises(VariableDoesNotExist) as caught:
        rendered(f"{{% asset_tag {name} %}}", page={})

    assert f"`{name.partition('|')[0]}` is undefined, and names no asset" == str(caught.value)


def test_an_undefined_name_may_have_a_default(site: Path) -> None:
    assert get_assets().url("css/app.css") == rendered('{% asset_url nothing|default:"css/app.css" %}')


@pytest.mark.parametrize("name", ['""', "empty"])
def test_an_empty_name_is_said_to_be_empty(site: Path, name: str) -> None:
    with pytest.raises((AssetNotFound, TemplateSyntaxError), match=r"^the name of the asset is empty"):
        rendered(f"{{% asset_tag {name} %}}", empty="")


@pytest.mark.parametrize("limit", ["nothing", "None", "99999"])
def test_a_limit_may_be_undefined_or_a_number(site: Path, limit: str) -> None:
    assert get_assets().inline("css/app.css") == rendered(f'{{% asset_inline "css/app.css" limit_bytes={limit} %}}')


def test_an_asset_without_a_tag_is_an_error_of_the_template(site: Path) -> None:
    with pytest.raises(TemplateSyntaxError, match="has no tag of its own; write one with its URL"):
        rendered('{% asset_tag "fonts/text.txt" %}')


def test_an_asset_that_cannot_be_inlined_is_an_error_of_the_template(site: Path) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"`css/app\.css` cannot be inlined.* \(line 1\)"):
        rendered('{% asset_inline "css/app.css" limit_bytes=3 %}')


@pytest.mark.parametrize("autoescape", ["on", "off"])
def test_autoescape_changes_nothing(site: Path, autoescape: str) -> None:
    text = f'{{% autoescape {autoescape} %}}{{% asset_tag name %}}{{% asset_tag "js/app.js" %}}{{% endautoescape %}}'

    tags = get_assets().tag("css/app.css") + get_assets().tag("js/app.js")
    assert tags == rendered(text, name="css/app.css")


def test_tags_work_in_loops_and_in_what_is_included(project: Path) -> None:
    (project / "templates").mkdir()
    texts = {
        "base.html": '{% load assetbuild %}{% block head %}{% asset_url "css/app.css" %}{% endblock %}',
        "home.html": '{% extends "base.html" %}{% load assetbuild %}{% block head %}{{ block.super }}'
        '{% for n in names %}{% asset_url n %}{% include "part.html" %}{% endfor %}{% endblock %}',
        "part.html": '{% load assetbuild %}|{% asset_url "js/part.js" as u %}{{ u }}|',
    }
    for name, text in texts.items():
        (project / "templates" / name).write_text(text)
    templates = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [project / "templates"]}]

    with django_site(project, TEMPLATES=templates):
        url = get_assets().url
        page = render_to_string("home.html", {"names": ["js/app.js", "css/app.css"]})

    part = f"|{url('js/part.js')}|"
    assert url("css/app.css") + url("js/app.js") + part + url("css/app.css") + part == page


@pytest.mark.usefixtures("script_prefix")
def test_a_prefix_that_may_change_is_asked_for_at_each_rendering(project: Path) -> None:
    with django_site(project, STATIC_URL="static/"):
        template = engines["django"].from_string('{% load assetbuild %}{% asset_url "css/app.css" %}')
        set_script_prefix("/one/")
        first = template.render()
        set_script_prefix("/two/")
        second = template.render()
        with pytest.raises(TemplateSyntaxError):
            rendered('{% asset_url "css/ap.css" %}')

    assert first.startswith("/one/static/css/app-")
    assert first.replace("/one/", "/two/") == second


def test_a_forced_prefix_is_folded(project: Path) -> None:
    with django_site(project, STATIC_URL="static/", FORCE_SCRIPT_NAME="/app"):
        (node,) = nodes('{% asset_url "css/app.css" %}')

    assert isinstance(node, TextNode)
    assert node.s.startswith("/app/static/css/app-")


def test_a_new_build_is_seen_by_templates_that_were_parsed_before(project: Path) -> None:
    output = project / "build/assets"
    with django_site(project, reload=True):
        template = engines["django"].from_string('{% load assetbuild %}{% asset_url "css/app.css" %}')
        before = template.render()
        write(output, published(output, {**BODIES, "css/app.css": b"b{}"}))
        after = template.render()

    assert before != after


def test_a_stub_has_tags_for_every_name(tmp_path: Path) -> None:
    with django_site(tmp_path, storage=STUB_STORAGE):
        page = rendered('{% asset_tag "css/any.css" %}{% asset_url "img/any.png" %}')

    assert '<link rel="stylesheet" href="/static/css/any.css">/static/img/any.png' == page


def test_rendering_a_folded_tag_asks_for_no_storage(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = engines["django"].from_string('{% load assetbuild %}{% asset_url "css/app.css" %}')
    asked: list[ManifestStorage] = []
    monkeypatch.setattr(ManifestStorage, "assets", property(asked.append))

    template.render()

    assert [] == asked

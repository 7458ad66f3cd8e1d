"""What `check` reads in a Django template: the names, at their places, by Django's own lexer and without settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.template import TemplateSyntaxError, engines
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.inspect.django import read
from tests.django_site import STUB_STORAGE, django_site


def read_in(text: str) -> dict[str, Any]:
    return read({"templates": [("page.html", text, True)]})


def uses(text: str) -> list[str]:
    """Return each use as `function name line:column`; fail if anything else was found."""
    found = read_in(text)
    assert [] == found["findings"]
    return [f"{use.function} {use.name} {use.place.line}:{use.place.column}" for use in found["uses"]]


def said(text: str) -> list[str]:
    return [
        f"{each.span.line}:{each.span.column}+{each.span.length} {each.rule}: {each.message}"
        for each in read_in(text)["findings"]
    ]


def test_our_tags_and_static_are_found_at_their_places() -> None:
    text = """{% load static assetbuild %}
<link href="{% static 'css/a.css' %}">{% asset_tag "js/a.js" defer=True nonce=csp_nonce %}
{% static "img/b.png" as picture %}{%  asset_url  "c.woff2"  as font %}"""

    assert uses(text) == [
        "static css/a.css 2:24",
        "asset_tag js/a.js 2:53",
        "static img/b.png 3:12",
        "asset_url c.woff2 3:52",
    ]


@given(
    st.lists(st.sampled_from(["text", "", "{# {% static 'no' %} #}", "{{ x|default:'static' }}", "{% if a %}"])),
    st.text("ab/.é🎈 ", max_size=4),
    st.text(st.characters(exclude_characters="\"'\\\r\n\f{}%#", exclude_categories=("Cs", "Cc")), min_size=1),
)
def test_a_name_is_underlined_wherever_it_stands(lines: list[str], before: str, name: str) -> None:
    (use,) = read_in("\n".join([*lines, f"{before}{{% asset_url '{name}' %}} {name}"]))["uses"]

    start = use.place.column - use.place.text_column
    assert (name, len(lines) + 1) == (use.name, use.place.line)
    assert name == use.place.text[start : start + use.place.length]


def test_comments_and_verbatim_blocks_use_nothing() -> None:
    text = """{# {% static "a" %} #}{% comment "why" %}{% static "b" %}{% endcomment %}
{% verbatim %}{% static "c" %}{% endverbatim %}
{% verbatim mine %}{% endverbatim %}{% static "d" %}{% endverbatim mine %}
{{ "{% static 'e' %}" }}{% static "f" %}"""

    assert [use.name for use in read_in(text)["uses"]] == ["f"]


def test_what_a_variable_a_filter_or_a_translation_gives_is_known_at_run_time() -> None:
    text = """{% load assetbuild %}
{% static name %}{% asset_url "a"|add:".css" %}{% static _("b c") %}{% asset_url page.css as x %}"""

    assert uses(text) == ["static None 2:11", "asset_url None 2:31", "static None 2:58", "asset_url None 2:82"]


def test_an_escaped_quote_is_part_of_the_name() -> None:
    assert [use.name for use in read_in(r"""{% static "a\"b" %}""")["uses"]] == ['a"b']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {% static %}", "1:3+12 bad-name: `static` is used without a name"),
        (
            '{% asset_url "a.css %}',
            "1:14+6 unreadable-template: Django cannot read `\"a.css`: Could not parse the remainder: '\"a.css' "
            "from '\"a.css'",
        ),
        (
            '{% asset_url _("a.css %}',
            "1:1+24 unreadable-template: Django cannot read the tag: what begins with `_(` has no end",
        ),
    ],
)
def test_a_tag_that_django_would_refuse_is_an_error(text: str, expected: str) -> None:
    assert [line for line in said(text) if "missing-load" not in line] == [expected]


@pytest.mark.parametrize(
    "written",
    [
        "{% asset_tag %}",
        '{% asset_url "a" media="x" %}',
        '{% asset_tag "a" "b" %}',
        '{% asset_tag "a" as %}',
        "{% asset_tag as x %}",
        "{% asset_importmap 1 %}",
        '{% asset_tag "a" media="x %}',
    ],
)
def test_a_tag_that_fails_when_its_template_is_loaded_is_an_error_in_the_same_words(
    tmp_path: Path, written: str
) -> None:
    with django_site(tmp_path, storage=STUB_STORAGE), pytest.raises(TemplateSyntaxError) as raised:
        engines["django"].from_string(f"{{% load assetbuild %}}\n{written}")

    (found,) = said(f"{{% load assetbuild %}}\n{written}")
    place, _, rest = found.partition(" ")
    rule, _, message = rest.partition(": ")
    assert (f"2:1+{len(written)}", True) == (place, rule in {"bad-call", "unreadable-template"})
    assert str(raised.value).removesuffix(" (line 2)") == message.removeprefix("Django cannot read the tag: ")


def test_what_is_wrong_with_a_tag_hides_no_name() -> None:
    assert ["a"] == [use.name for use in read_in('{% asset_tag "a" "b" %}')["uses"]]


@pytest.mark.parametrize(
    "load",
    ["{% load assetbuild %}", "{% load static assetbuild i18n %}", "{% load asset_tag asset_url from assetbuild %}"],
)
def test_a_tag_is_used_where_its_library_was_loaded(load: str) -> None:
    assert said(f'{load}{{% asset_tag "a" %}}{{% asset_url "b" %}}') == []


@pytest.mark.parametrize(
    "load",
    [
        "",
        "{% load static %}",
        "{% load assetbuild from static %}",
        "{% load asset_url from assetbuild %}",
        "{# {% load assetbuild %} #}",
        "{% comment %}{% load assetbuild %}{% endcomment %}",
    ],
)
def test_a_tag_whose_library_is_loaded_later_or_never_is_a_warning_once_in_a_file(load: str) -> None:
    text = f'{load}\n{{% asset_tag "a" %}}{{% load assetbuild %}}{{% asset_tag "b" %}}{{% asset_url "c" %}}'

    assert said(text) == [
        "2:1+19 missing-load: `asset_tag` is used, and `{% load assetbuild %}` does not stand before it"
    ]


def test_a_tag_that_is_one_letter_from_ours_is_named() -> None:
    (found,) = read_in('{% asset_ur "a" %}{% asset %}{% assets %}{% static_url %}')["findings"]

    assert ("unknown-function", "warning", "tag `asset_ur` is not one of assetbuild") == (
        found.rule,
        found.severity,
        found.message,
    )
    assert "did you mean `asset_url`? if the application brings `asset_ur`, all is well" == found.hint


def test_the_arguments_of_a_tag_that_is_not_ours_are_nobodys_affair_here() -> None:
    assert [] == said('{% foo _("abc %}{% comment _("abc %}{% static _("abc %}{% endcomment %}')


def test_no_settings_are_needed_and_none_are_made() -> None:
    script = """
from assetbuild.inspect.django import read
found = read({"templates": [["a.html", "{% load static %}{% static 'a'|upper %}{% static _('b') %}", True]]})
from django.conf import settings
print(len(found["uses"]), settings.configured)
"""
    environ = {"PATH": "/usr/bin:/bin"}

    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)

    assert done.stdout == "2 False\n"

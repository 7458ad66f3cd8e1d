"""Raw text: the same meaning in CSS, JavaScript and JSON, and nothing that ends the element it stands in."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.web.raw import css_text, json_text, script_text

ENDS = st.sampled_from(["</style", "</STYLE>", "</sTyLe ", "<style", "</script", "</SCRIPT>", "<script", "<!--", "-->"])


def pieces(*others: str) -> st.SearchStrategy[str]:
    """Texts that are full of what could end an element, in and between what a language has."""
    return st.lists(ENDS | st.sampled_from(others) | st.text("abc0 \n", max_size=3), max_size=12).map("".join)


class Element(HTMLParser):
    """What an HTML parser takes for the text of the first element, and whether anything follows it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self.text, self.tags = "", 0
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        if self.tags == 1:
            self.attributes = attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(pieces("'", '"', "url(", ")", "/*", "*/", "\\", "a{--b:", "}", "s", "1"))
def test_a_stylesheet_ends_nowhere_and_has_the_same_tokens(text: str) -> None:
    import tinycss2

    written = css_text(text)

    assert "</style" not in written.lower()
    assert meaning(tinycss2.parse_component_value_list(text)) == meaning(tinycss2.parse_component_value_list(written))


def meaning(tokens: object) -> object:
    """Return what CSS reads in tokens: not where they stand, how they were written, nor what a comment says."""
    if isinstance(tokens, list):
        return [meaning(token) for token in tokens if token.type != "comment"]
    fields = {name: getattr(tokens, name, None) for name in ("type", "value", "name", "kind", "unit")}
    inner = getattr(tokens, "content", None) or getattr(tokens, "arguments", None)
    return fields, meaning(inner) if isinstance(inner, list) else inner


def test_the_escape_of_a_stylesheet_keeps_the_case_and_touches_nothing_else() -> None:
    assert r"a{content:'</\73 tyle></\53 TYLE>'}" == css_text("a{content:'</style></STYLE>'}")
    assert "a{}</ style><style></s" == css_text("a{}</ style><style></s")


@given(pieces("'", '"', "//", "/*", "*/", "\\", "x=", ";"))
def test_a_script_without_templates_ends_nowhere(text: str) -> None:
    written = script_text(text)

    assert "</script" not in written.lower()
    assert not re.search(r"<!--.*<script", written, re.DOTALL | re.IGNORECASE)
    found = Element(f"<script>{written}</script>")
    assert (1, written) == (found.tags, found.text)
    assert text == re.sub(r"\\u00(73|53)(?=cript)", lambda m: chr(int(m[1], 16)), written, flags=re.IGNORECASE)


def test_a_script_that_ends_nowhere_stays_as_it_is() -> None:
    harmless = "if (a <script) { b = `<script>` } // <!-- "

    assert harmless == script_text(harmless)


def test_a_template_could_tell_how_it_is_escaped() -> None:
    for text in ("String.raw`</script>`", "x = `<!-- <script>`"):
        with pytest.raises(ValueError, match="a template literal, which could tell how it is escaped"):
            script_text(text)


@given(st.recursive(st.none() | st.integers() | pieces('"', "&"), lambda inner: st.lists(inner, max_size=3)))
def test_json_has_no_angle_and_says_the_same(value: object) -> None:
    written = json_text(json.dumps(value, ensure_ascii=False))

    assert "<" not in written
    assert value == json.loads(written)

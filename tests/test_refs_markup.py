"""Every place in SVG, XHTML and HTML from which a browser loads something, and no other."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.refs import webmanifest
from assetbuild.compiler.refs.markup import (
    HTML,
    XML,
    Dialect,
    Survey,
    declared_encoding,
    entities,
    html,
    may_refer,
    srcset,
    survey,
    xml,
)
from assetbuild.compiler.refs.written import Decoded
from tests.browser import chromium_browser
from tests.linear import gives_back
from tests.serving import serving

DIALECTS = pytest.mark.parametrize("dialect", [HTML, XML], ids=["html", "xml"])


def named(text: str, dialect: Dialect = HTML) -> list[str]:
    return [ref.value for ref in survey(text, dialect).references if ref.kind == "url"]


def links(text: str, dialect: Dialect = HTML) -> list[str]:
    return [ref.value for ref in survey(text, dialect).references if ref.kind == "link"]


def tiles(text: str, dialect: Dialect) -> list[tuple[str, str]]:
    return [(token.kind, text[token.start : token.end]) for token in dialect.tokens(text)]


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x>",
        "<IMG SRC='x'>",
        '<img\n\tsrc\r=\f"x">',
        "<img src= x />",
        "<img alt='>'src=x>",
        "<img/src=x>",
        "<img src=' \nx\t'>",
        "<input type=IMAGE src=x>",
        "<script src=x></script>",
        "<video src=x></video>",
        "<video poster=x></video>",
        "<audio src=x></audio>",
        "<source src=x>",
        "<track src=x>",
        "<embed src=x>",
        "<object data=x></object>",
        "<body background=x>",
        "<td background=x>",
        "<link rel=stylesheet href=x>",
        "<link href=x rel='alternate StyleSheet'>",
        "<link rel='shortcut icon' href=x>",
        "<link rel=preload imagesrcset='x 2x' as=image>",
        "<link rel=modulepreload href=x>",
        "<link rel=manifest href=x>",
        "<link rel=apple-touch-icon href=x>",
        "<link rel=mask-icon href=x>",
        "<svg><use href=x /></svg>",
        "<svg><use xlink:href=x></use></svg>",
        "<svg><image HREF=x /></svg>",
        "<svg><feImage href=x /></svg>",
        "<svg><linearGradient xlink:href=x /></svg>",
        "<svg><script href=x></script></svg>",
        "<p style=\"background:url('x')\">",
        "<p style='background:url(&quot;x&quot;)'>",
        "<p style='a:b;background:image-set(\"x\" 1x'>",
        "<style>a{b:url(x)}</style>",
        "<style type='text/CSS'>@import 'x';</style>",
        "<svg fill='url(x)'>",
        "<svg><path marker-end='url(&#34;x&#34;)'/></svg>",
        "<svg><style>a{b:url(&#x78;)}</style></svg>",
        "<noscript><img src=x></noscript>",
        "<!-- --><img src=x>",
        "<!--><img src=x>",
        "<!---><img src=x>",
        "<!-- --!><img src=x>",
        "<!doctype html '><img src=x>",
        "<?php '><img src=x>",
        "</ a='><img src=x>",
        "<![CDATA[><img src=x>]]>",
        "<script>'</scripty>'</SCRIPT ><img src=x>",
        "<script><!-- </script><img src=x>",
        "<script><!-- <script> </script> --></script><img src=x>",
        "<script><!--><script></script><img src=x>",
        "<title></ſtyle></title><img src=x>",
        "<svg><title><img src=x></title></svg>",
        "<svg><title></title><p><title></title><img src=x></p></svg>",
        "<svg><script/><img src=x>",
        "<svg><![CDATA[<img src=no>]]></svg><img src=x>",
        "<svg></svg><style>a{b:url(x)}</style>",
        "< img src=no><img src=x>",
        "<img src=x src=no>",
        "<p {% if a %}><img src=x>",
    ],
)
def test_html_names_what_a_browser_loads(text: str) -> None:
    assert ["x"] == named(text)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=no",
        "<img src='no>",
        "<img src=",
        "<img src>",
        "<img src src=no>",
        "<img src=''>",
        "<img src=' '>",
        "<img data-src=no alt=no>",
        "<img src='{{ no }}'>",
        "<img src='a/{% no %}'>",
        "<img srcset='{{ no }} 1x, no 2x'>",
        "<p style='{% if a %}b:url(no){% endif %}'>",
        "<style>a{b:url({{ no }})}</style>",
        "<img src='<%= no %>'>",
        "<img src='${no}'>",
        "<!-- <img src=no> -->",
        "<!-- <img src=no>",
        "<!--[if IE]><img src=no><![endif]-->",
        "<script>'<img src=no>'</script>",
        "<script><!-- <script> </script> <img src=no> --></script>",
        "<script/><img src=no></script>",
        "<textarea><img src=no></textarea>",
        "<title><img src=no></title>",
        "<xmp><img src=no></xmp>",
        "<iframe><img src=no></iframe>",
        "<plaintext><img src=no></plaintext>",
        "<style><img src=no></style>",
        "<style type=text/less>a{b:url(no)}</style>",
        "<style>/* url(no) */</style>",
        "<p title='<img src=no>'>",
        "<p style='color:red' class='url(no)'>",
        "<iframe srcdoc='<img src=no>'></iframe>",
        "<link rel=canonical href=no>",
        "<link rel=alternate href=no>",
        "<link href=no>",
        "<meta property=og:image content=no>",
        "<meta http-equiv=refresh content='0;url=no'>",
        "<form action=no><input src=no><button formaction=no>",
        "<blockquote cite=no>",
        "<linK rel=stylesheet href=no>".replace("K", "\u212a"),
        "</img src=no>",
        "</p style='a:url(no)'>",
        "<svg><style/>a{b:url(no)}",
    ],
)
def test_html_names_nothing_else(text: str) -> None:
    assert [] == named(text) + links(text)


@pytest.mark.parametrize(
    "text",
    [
        "<svg><image href='x'/></svg>",
        '<svg><image xlink:href="x"></image></svg>',
        "<svg><image xlink:href = ' x '/></svg>",
        "<svg xmlns:l='http://www.w3.org/1999/xlink'><image l:href='x'/></svg>",
        "<!DOCTYPE svg [<!ENTITY l 'http://www.w3.org/1999/xlink'>]><svg xmlns:xlink='&l;'><use xlink:href='x'/></svg>",
        "<svg:svg xmlns:svg='http://www.w3.org/2000/svg'><svg:use href='x'/></svg:svg>",
        "<s:svg xmlns:s='http://www.w3.org/2000/svg'><s:style>a{b:url(x)}</s:style></s:svg>",
        "<svg><feImage href='x'/></svg>",
        "<svg><script href='x'/></svg>",
        "<svg><font-face-uri xlink:href='x'/></svg>",
        "<svg><rect fill='url(x)'/></svg>",
        "<svg><rect style='mask:url(x)'/></svg>",
        "<svg><rect filter='url(&apos;x&apos;)'/></svg>",
        "<svg><style>a{b:url(x)}</style></svg>",
        "<svg><style><![CDATA[a{b:url(x)}]]></style></svg>",
        "<svg><style>a{b:c}/*<!-- no --><![CDATA[*/d{e:url(x)}]]></style></svg>",
        "<svg><style>a&gt;b{c:url(x)}</style></svg>",
        "<svg><style/><image href='x'/></svg>",
        "<?xml-stylesheet type='text/css' href='x'?><svg/>",
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://w3.org"><svg><image href=\'x\'/></svg>',
        "<!DOCTYPE svg [<!ENTITY a \"]>'<image href='no'/>\"><!-- ]> ' --><?a ]> ?>]><svg><image href='x'/></svg>",
        "<svg><foreignObject><img xmlns='http://www.w3.org/1999/xhtml' src='x'/></foreignObject></svg>",
        "<svg><title>a <b> c</title><image href='x'/></svg>",
        "<svg a='1'b='2'><image href='x'/></svg>",
        "<svg a=no><image href='x'/></svg>",
        "<html><script src='x'/></html>",
    ],
)
def test_xml_names_what_a_browser_loads(text: str) -> None:
    assert ["x"] == named(text, XML)


@pytest.mark.parametrize(
    "text",
    [
        "<svg><IMAGE href='no'/><image HREF='no'/><feimage href='no'/></svg>",
        "<svg><image href='no</svg>",
        "<svg><image href=no /></svg>",
        "<svg><!-- <image href='no'/> --></svg>",
        "<svg><![CDATA[<image href='no'/>]]></svg>",
        "<svg><?a <image href='no'/> ?></svg>",
        "<!DOCTYPE svg [<!ENTITY a \"<image href='no'/>\">]><svg/>",
        "<!DOCTYPE svg [<svg><image href='no'/></svg>",
        "<svg xmlns:o='urn:o'><o:image href='no'/><image o:href='no'/></svg>",
        "<svg><rect fill='none' title='url(no)'/></svg>",
        "<svg><style type='text/plain'>a{b:url(no)}</style></svg>",
    ],
)
def test_xml_names_nothing_else(text: str) -> None:
    assert [] == named(text, XML)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("a 1x, b 2x", ["a", "b"]),
        ("\n a\t100w ,\r\nb 200w", ["a", "b"]),
        ("a,b 1x", ["a,b"]),
        ("a,, b", ["a", "b"]),
        (", a", ["a"]),
        ("a (1, 2) 1x, b", ["a", "b"]),
        ("a (1, b", ["a"]),
        ("data:a,b 1x, c", ["data:a,b", "c"]),
        ("", []),
        (" , ", []),
    ],
)
def test_image_candidates_are_divided_as_browsers_divide_them(text: str, expected: list[str]) -> None:
    assert expected == named(f'<img srcset="{text}">')


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a&amp;b", "a&b"),
        ("a&ampb", "a&ampb"),
        ("a&amp=b", "a&amp=b"),
        ("a&amp", "a&"),
        ("a&#x2f;b", "a/b"),
        ("a&#X2Fz", "a/z"),
        ("a&#47b", "a/b"),
        ("a&nosuch;b", "a&nosuch;b"),
        ("a&#" + "9" * 5000 + ";", "a\ufffd"),
        ("a&#0;", "a\ufffd"),
        ("a&b=c&d", "a&b=c&d"),
    ],
)
def test_character_references_of_html_are_undone_as_in_attributes(written: str, value: str) -> None:
    assert [value] == named(f'<img src="{written}">')


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a&amp;b", "a&b"),
        ("a&ampb", "a&ampb"),
        ("a&#x2f;b", "a/b"),
        ("a&#X2f;b", "a&#X2f;b"),
        ("a&#47;b", "a/b"),
        ("a&#47b", "a&#47b"),
        ("a&#" + "9" * 5000 + ";", "a\ufffd"),
        ("a&#xd800;", "a\ufffd"),
    ],
)
def test_character_references_of_xml_are_undone(written: str, value: str) -> None:
    assert [value] == named(f'<image href="{written}"/>', XML)


@pytest.mark.parametrize(
    ("text", "path", "suffix"),
    [
        ('<use href=" a.svg#b "/>', "a.svg", "#b"),
        ('<use href="a.svg&#x23;b"/>', "a.svg", "&#x23;b"),
        ('<use href="a&amp;.svg?b&amp;c#d"/>', "a&amp;.svg", "?b&amp;c#d"),
        ("<rect fill='url( \"a.svg#b\" )'/>", "a.svg", "#b"),
        ("<rect fill='url(\" a.svg?b \")'/>", "a.svg", "?b"),
        ("<rect fill='url(a.svg&#35;b)'/>", "a.svg", "&#35;b"),
        ("<rect fill='url(a.svg\\23 b)'/>", "a.svg", "\\23 b"),
        ("<rect fill='url(&quot;a&#x2e;svg&quot;)'/>", "a&#x2e;svg", ""),
    ],
)
@DIALECTS
def test_query_and_fragment_stay_as_they_are_written(dialect: Dialect, text: str, path: str, suffix: str) -> None:
    (ref,) = survey(f"<svg>{text}</svg>", dialect).references

    found = f"<svg>{text}</svg>"
    assert (path, suffix) == (found[ref.start : ref.suffix_start], found[ref.suffix_start : ref.end])


def test_links_may_lead_to_pages_and_are_told_apart() -> None:
    text = "<a href=a><area href=b><iframe src=c></iframe><link rel=prefetch href=d><svg><a xlink:href=e></a></svg>"

    assert ([], ["a", "b", "c", "d", "e"]) == (named(text), links(text))


@DIALECTS
def test_what_a_template_holds_is_needed_only_if_it_is_used(dialect: Dialect) -> None:
    text = "<p><template><template></template><img src='a'/></template><img src='b'/></p>"

    assert (["b"], ["a"]) == (named(text, dialect), links(text, dialect))


def test_an_import_that_browsers_ignore_is_told_apart() -> None:
    (ref,) = survey("<style>a{b:c} @import 'x';</style>", HTML).references

    assert ("late-import", "x") == (ref.kind, ref.value)


@DIALECTS
def test_the_first_base_is_told(dialect: Dialect) -> None:
    text = "<p><base target='x'/><base href='/a/'/><base href='/b/'/></p>"

    base = survey(text, dialect).base

    assert base is not None
    assert "/a/" == text[slice(*base)]


def test_an_entity_of_the_document_is_never_expanded() -> None:
    text = """<!DOCTYPE svg [<!ENTITY ns "http://a"><!ENTITY e "x.png">]>
<svg xmlns:a="&ns;"><image href="&e;"/><a href="&e;"/><image href="y&e;#z" title="&e;"/>
<style>a{b:url(&e;)}</style></svg>"""

    found = survey(text, XML)

    assert () == found.references
    assert [("entity", "&e;"), ("entity", "y&e;#z"), ("entity", "&e;")] == [
        (problem.kind, text[problem.start : problem.end]) for problem in found.problems
    ]


def test_a_reference_with_markup_inside_is_told() -> None:
    text = "<svg><style>a{b:url(x<!-- no -->.png)}<![CDATA[c{d:url(]]>y.png)}</style></svg>"

    found = survey(text, XML)

    assert ["y.png"] == [ref.value for ref in found.references]
    assert [("split", "x<!-- no -->.png")] == [(p.kind, text[p.start : p.end]) for p in found.problems]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><svg/>", "ISO-8859-1"),
        (b'\xef\xbb\xbf<?xml version="1.0"\n encoding = "utf-8" ?>', "utf-8"),
        (b"<?xml version='1.0'?><svg encoding='no'/>", ""),
        (b" <?xml version='1.0' encoding='no'?>", ""),
        (b"<svg/>", ""),
    ],
)
def test_the_declared_encoding_is_read(content: bytes, expected: str) -> None:
    assert expected == declared_encoding(content)


WORDS = (
    *("<", ">", "</", "/>", "<!--", "-->", "--!>", "-", "--", "<![CDATA[", "]]>", "]", "[", "<?", "?>", "<!", "!", "="),
    *(
        '"',
        "'",
        " ",
        "\n",
        "\r",
        "\f",
        "\0",
        "&",
        ";",
        "&amp;",
        "&#35;",
        "&e;",
        "é",
        "\u212a",
        "<!DOCTYPE",
        "a",
        "x.png#y",
    ),
    *(
        "<img src=",
        "<img src='x'>",
        "<image href=",
        "<use xlink:href='x'/>",
        "<p style='a:url(",
        ")'",
        "<svg",
        "</svg>",
    ),
    *(
        "<style>",
        "</style>",
        "a{b:url(x.png?y)}",
        "<script>",
        "</script>",
        "<title>",
        "</title>",
        "<svg>",
        "<template>",
    ),
    *("</template>", "<foreignObject>", "<math>", "<desc>", "</desc>", "<p>", "srcset='a 1x, b'", "<?xml-stylesheet "),
    *("<textarea>", "</textarea>", "<plaintext>", "<ENTITY ", "{{", "xmlns:a=", "<a:image a:href="),
)
markup_like = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=40).map("".join)


@DIALECTS
@given(text=markup_like)
def test_tokens_lie_side_by_side_and_cover_the_text(dialect: Dialect, text: str) -> None:
    found = list(dialect.tokens(text))

    assert [0, *(token.end for token in found)][:-1] == [token.start for token in found]
    assert text == "".join(part for _, part in tiles(text, dialect))
    assert all(token.start < token.end for token in found)


@DIALECTS
@given(text=markup_like)
def test_a_plain_url_may_stand_in_the_place_of_every_reference(dialect: Dialect, text: str) -> None:
    """What is between the references stays as it is, and the next reading finds the new ones in the same places."""
    found = survey(text, dialect).references
    expected = []
    parts = []
    at = 0
    for ref in found:
        assert at <= ref.start < ref.suffix_start <= ref.end or ref.start == ref.suffix_start < ref.end
        parts += [text[at : ref.start], "https://h/new-1.png"]
        at = ref.suffix_start
        mark = re.search("[?#]", ref.value)
        expected.append("https://h/new-1.png" + (ref.value[mark.start() :] if mark else ""))

    again = survey("".join((*parts, text[at:])), dialect).references

    assert expected == [ref.value for ref in again]


@given(inside=markup_like)
def test_nothing_is_found_in_comments_and_raw_text(inside: str) -> None:
    comment = inside.replace("-", "").replace(">", " > ").lstrip("> ")
    raw = inside.replace("</", "< /").replace("<!--", "<!-")

    assert [] == named(f"<!--{comment}-->")
    assert [] == named(f"<!--{comment}-->", XML)
    assert [] == named(f"<script>{raw}</script>")
    assert [] == named(f"<textarea>{raw}</textarea>")
    assert [] == named(f"<svg><![CDATA[{inside.replace(']]>', '')}]]></svg>", XML)


@given(parts=st.lists(st.text(st.sampled_from("ab&/;#x2f.é"), min_size=1, max_size=6), min_size=1, max_size=6))
def test_every_character_of_a_value_leads_back_to_where_it_is_written(parts: list[str]) -> None:
    text = "&amp;".join(parts)
    value = Decoded(entities.xml_parts(text, 0, len(text)))

    for offset, character in enumerate(value.text):
        start, end = value.start(offset), value.end(offset + 1)
        assert character == text[start:end] if end - start == 1 else text[start] == "&" and text[end - 1] == ";"
        assert value.start(offset + 1) == end


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in (html, xml, srcset, entities, webmanifest):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value


def test_no_pattern_gives_back_what_it_has_matched() -> None:
    """So a match costs no more than the length that it passes."""
    parser = importlib.import_module("re._parser")
    assert gives_back(parser.parse("a(b+|c)"))

    assert [] == [name for name, each in patterns() if gives_back(parser.parse(each.pattern, each.flags & re.VERBOSE))]


HOSTILE = (
    *(
        "<",
        "<a",
        "<a ",
        '<a b="',
        "<a b='c' ",
        "</",
        "<!--",
        "<!-- --",
        "<![CDATA[",
        "<![CDATA[]]",
        "<?",
        "<!DOCTYPE a [",
    ),
    *(
        "<svg>",
        "<svg></a>",
        "<svg><desc>",
        "</svg>",
        "<style>",
        "<style></style>",
        "<script><!--<script>",
        "&amp",
        "&#1",
    ),
    *("<template>", "<a a=1>", "<img src=a&amp;b>", "<p style='a:url(", "<img srcset='a(,", "<a/", "=", "<math><mi>"),
)


def steps(run: Callable[[], object]) -> int:
    """Return how many lines of Python `run` takes."""
    count = 0

    def tracer(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += 1
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


# Tags, names and values that refer to something together, and pieces of their words.
PIECES = (
    *(
        "<svg ",
        "<image ",
        "<a ",
        "<img ",
        "<link rel=icon ",
        "<object ",
        "<style>",
        "</style>",
        "<rect ",
        "<base ",
        "/>",
        ">",
    ),
    *(
        "href",
        "HREF",
        "hr",
        "ef",
        "xlink:href",
        "src",
        "srcset",
        "data",
        "poster",
        "background",
        "style",
        "fill",
        "mask",
    ),
    *(
        "=",
        "'",
        '"',
        "x.png",
        "url(",
        "URL(",
        "u",
        "rl(",
        "src(",
        "image-set(",
        ")",
        "@import ",
        "@im",
        "port ",
        "\\75rl(",
    ),
    *(
        "&#117;rl(",
        "&#x40;import",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml-stylesheet ",
        "?>",
        "{",
        "}",
        ";",
        ":",
        " ",
    ),
)


@DIALECTS
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=24))
def test_a_document_that_cannot_refer_to_anything_names_nothing(dialect: Dialect, pieces: list[str]) -> None:
    text = "".join(pieces)

    found = survey(text, dialect)

    assert may_refer(text.encode()) or found == Survey((), (), None)


@pytest.mark.parametrize("page", [0, 1], ids=["html", "svg"])
def test_each_reference_of_a_page_shows_that_it_may_refer(page: int) -> None:
    text, dialect = ((HTML_PAGE, HTML), (SVG_PAGE, XML))[page]

    tags = [text[: ref.end][text[: ref.end].rindex("<") :] for ref in survey(text, dialect).references]

    assert all(may_refer(tag.encode()) for tag in tags if not tag.startswith("<!"))
    assert not may_refer(
        b'<svg xmlns="http://www.w3.org/2000/svg"><!--! by @icons --><path d="M1 2" fill="#fff"/></svg>'
    )


@DIALECTS
@pytest.mark.parametrize("word", HOSTILE)
def test_twice_the_text_is_twice_the_work(dialect: Dialect, word: str) -> None:
    small, large = (steps(lambda size=size: survey(word * size, dialect)) for size in (300, 600))  # type: ignore[misc]

    assert large <= 2.1 * small + 500


HTML_PAGE = """<!doctype html><html><head><title><img src=no-1></title>
<link rel=stylesheet href="yes-1?a&amp;b"><link rel=canonical href=no-2><style>body{background:url("yes-2")}</style>
<script>"<img src=no-3>"; <!-- <script> </script> <img src=no-4> --></script></head>
<body><!--[if IE]><img src=no-5><![endif]--><!--><img src=yes-3><!-- --!><img src=yes-4 src=no-6>
<img srcset=",yes-5 1x, no-a 9x"><img alt="<img src=no-7>"src=' yes-6 '><input type=image src=yes-7>
<p style="background:url(&quot;yes-8&quot;)">a</p><video poster=yes-9></video><object data=yes-10></object>
<svg><title><img src=yes-11></title></svg><svg width=9 height=9><image href=yes-12 width=9 height=9 />
<style>text{background:url(no-b)} svg{background:url(&#x79;es-13)}</style><![CDATA[<img src=no-8>]]></svg>
<textarea><img src=no-9></textarea><![CDATA[><img src=yes-14>]]><template><img src=no-c></template>
<p/background=no-10><img/src=yes-15><script src=yes-16></script></p <img src=no-11></p>
<table background=yes-17><tr><td>a</table><noscript><img src=no-d></noscript><img src=no-12"""

# Loaded in other circumstances: on another screen, by a rule that applies, at a use, in a browser without scripts.
ELSEWHERE = {"no-a", "no-b", "no-d"}

SVG_PAGE = """<?xml version="1.0"?><?xml-stylesheet href="yes-1" type="text/css"?>
<!DOCTYPE svg [<!ENTITY e "<image href='no-1'/>"> <!-- ]> -->]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink" width="99" height="99">
<!-- <image href="no-2"/> --><![CDATA[<image href="no-3"/>]]><image href="yes-2" width="9" height="9"/>
<image l:href="&#x79;es-3?a&amp;b" width="9" height="9"/><IMAGE href="no-4"/><image HREF="no-5"/>
<style>svg{background:u<![CDATA[rl("yes-4")}]]></style><o:image xmlns:o="urn:o" href="no-6"/>
<filter id="f"><feImage href="yes-5"/></filter><rect width="9" height="9" filter="url(#f)"/>
<script href="yes-6"/><rect width="9" height="9" style="mask:url('yes-7#a')"/></svg>"""


@pytest.fixture
def requested(tmp_path: Path, chromium: str) -> Callable[[str, str], set[str]]:
    """Return what a browser asks for when it opens a page."""

    def visit(page: str, content_type: str) -> set[str]:
        file = {"type": content_type, "size": len(page)}
        (tmp_path / "manifest.json").write_text(json.dumps({"base": "/s/", "assets": {}, "files": {"page": file}}))
        (tmp_path / "page").write_text(page)
        with serving(tmp_path, "") as url, chromium_browser(chromium) as browser:
            seen = browser.look(f"{url}/s/page")
        return {re.sub(r".*/", "", each) for each in seen.requests} - {"page", "favicon.ico"}

    return visit


def test_a_browser_asks_for_what_is_found_in_html(requested: Callable[[str, str], set[str]]) -> None:
    found = {value.partition("#")[0] for value in named(HTML_PAGE)}

    assert found - ELSEWHERE == requested(HTML_PAGE, "text/html")
    assert {f"yes-{number}" for number in range(1, 18)} == {value.partition("?")[0] for value in found - ELSEWHERE}


def test_a_browser_asks_for_what_is_found_in_svg(requested: Callable[[str, str], set[str]]) -> None:
    found = {value.partition("#")[0] for value in named(SVG_PAGE, XML) if not value.startswith("#")}

    assert found == requested(SVG_PAGE, "image/svg+xml")
    assert {f"yes-{number}" for number in range(1, 8)} == {value.partition("?")[0] for value in found}

"""SVG in a page: what HTML reads as XML does stands there as it is, and all else is refused."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.web.svg import svg_rest, svg_text
from tests.browser import chromium_browser
from tests.test_raw import Element

SVG = 'xmlns="http://www.w3.org/2000/svg"'
XLINK = "http://www.w3.org/1999/xlink"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'

# Each is well-formed, and an HTML parser makes something else of it.
OTHERWISE = [
    (f"<svg {SVG}><foreignObject><div {XHTML}/></foreignObject></svg>", "it holds an element in `<foreignObject>`"),
    (f"<svg {SVG}><desc><g/></desc></svg>", "it holds an element in `<desc>`"),
    (f"<svg {SVG}><title><a/></title></svg>", "it holds an element in `<title>`"),
    (f'<svg {SVG}><metadata><p xmlns="urn:x">t</p></metadata></svg>', "it holds `<p>`"),
    (f"<svg {SVG}><g><DIV/></g></svg>", "it holds `<DIV>`"),
    (f'<svg {SVG}><font color="red"/></svg>', "it holds `<font>`"),
    (f"<svg {SVG}><!--><script>a</script>--></svg>", "it holds a comment that begins with `>`"),
    (f"<svg {SVG}><!--->a--></svg>", "it holds a comment that begins with `>`"),
    (f"<svg {SVG}/><!--><script>a</script>-->", "it holds a comment that begins with `>`"),
    (f"<svg {SVG}><?x a><script>b</script>?></svg>", "its `<?x` holds `>`"),
    (f'<svg {SVG}><g xmlns="urn:x"/></svg>', "its `<g>` is in the namespace `urn:x`"),
    (f'<svg {SVG}><g xmlns=""/></svg>', "its `<g>` is in no namespace"),
    (f'<svg {SVG} xmlns:s="http://www.w3.org/2000/svg"><s:g/></svg>', "its `<s:g>` is no SVG to HTML"),
    (f"<svg {SVG}><SCRIPT/></svg>", "its `<SCRIPT>` is `<script>` to HTML"),
    (f"<svg {SVG}><lineargradient/></svg>", "its `<lineargradient>` is `<linearGradient>` to HTML"),
    (f'<svg {SVG} viewbox="0 0 1 1"/>', "its attribute `viewbox` is `viewBox` to HTML"),
    (f'<svg {SVG} onLoad="a"/>', "its attribute `onLoad` is `onload` to HTML"),
    (f'<svg {SVG} xmlns:y="{XLINK}"><use y:href="#a"/></svg>', "its attribute `y:href` has another namespace to HTML"),
    (f'<svg {SVG} xmlns:xlink="urn:x"><use xlink:href="a"/></svg>', "its attribute `xlink:href` has another namespace"),
]
# What drawing programs write.
THE_SAME = [
    f'<svg {SVG} viewBox="0 0 1 1"><title>a &lt; b</title><path d="M0 0"/></svg>',
    f"<svg {SVG}><title><![CDATA[<script>a</script>]]></title><style><![CDATA[a > b {{}}]]></style></svg>",
    f"<svg {SVG}><desc>a<!-- b --></desc><?b c?><linearGradient gradientUnits='userSpaceOnUse'/></svg>",
    f'<svg {SVG} xmlns:xlink="{XLINK}"><use xlink:href="#a" xml:space="preserve"/></svg>',
    f'<svg {SVG} xmlns:r="urn:r"><metadata><r:RDF r:About=""><r:li>a</r:li></r:RDF></metadata></svg>',
    f'<svg {SVG}><foreignObject width="1">a</foreignObject><font><a href="b">c</a></font></svg>',
]

# Of each text: the tree that XML has, the one that HTML has with a page around it, and whether the page is as it was.
COMPARE = """
((texts) => {
  const [drawn, linked] = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"]
  const tree = (node) => {
    if (node.nodeType === 3 || node.nodeType === 4) return node.data
    if (node.nodeType !== 1) return null
    const own = node.prefix || node.localName.includes(":") ? node.nodeName.toLowerCase() : node.nodeName
    const attributes = [...node.attributes]
      .filter((each) => each.name.split(":")[0] !== "xmlns")
      .map((each) => /^xlink:|^xml:|^[^:]*$/.test(each.name)
        ? [each.name, each.namespaceURI, each.value]
        : [each.name.toLowerCase(), each.namespaceURI === linked ? linked : "", each.value])
    const inner = []
    for (const each of [...node.childNodes].map(tree)) {
      if (typeof each === "string" && typeof inner.at(-1) === "string") inner.push(inner.pop() + each)
      else if (each !== null) inner.push(each)
    }
    const isUnknown = node.localName.includes(":") || (node.prefix && node.namespaceURI !== drawn)
    return [isUnknown ? "" : node.namespaceURI, own, attributes.sort(), inner]
  }
  return texts.map((text) => {
    const xml = new DOMParser().parseFromString(text, "image/svg+xml")
    const html = new DOMParser().parseFromString(`<!doctype html><body>${text}<main>page</main>`, "text/html")
    const [first, last] = [html.body.firstElementChild, html.body.lastElementChild]
    const isWhole = html.body.childElementCount === 2 && last.outerHTML === "<main>page</main>"
      && html.body.textContent === first.textContent + "page"
    return [xml.querySelector("parsererror") === null, isWhole
      && JSON.stringify(tree(first)) === JSON.stringify(tree(xml.documentElement))]
  })
})(%s)
"""


def trees(chromium: str, texts: list[str]) -> list[list[bool]]:
    """Return of each text whether it is XML, and whether it is the same tree inside a page."""
    with chromium_browser(chromium) as browser, browser.page("about:blank") as page:
        found: list[list[bool]] = page.value(COMPARE % json.dumps(texts))
    return found


@pytest.mark.parametrize(("text", "reason"), OTHERWISE)
def test_well_formed_xml_that_html_reads_otherwise_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        svg_text(text)


@pytest.mark.parametrize("text", THE_SAME)
def test_what_html_reads_as_xml_does_stays_as_it_is(text: str) -> None:
    assert text == svg_text(text)


def test_a_browser_agrees_on_what_it_reads_otherwise(chromium: str) -> None:
    otherwise = [text for text, _ in OTHERWISE]

    found = trees(chromium, [*otherwise, *THE_SAME])

    assert [[True, False]] * len(otherwise) + [[True, True]] * len(THE_SAME) == found


_NAMES_IN = """
g G a p table font desc title foreignObject clipPath clippath script style svg image math textarea plaintext template
select s:g x:p
"""
_ATTRIBUTES_IN = "x fill FILL size viewBox viewbox xlink:href XLINK:href y:href s:x xml:lang onLoad"
_names = st.sampled_from(_NAMES_IN.split())
_attributes = st.lists(
    st.sampled_from(_ATTRIBUTES_IN.split()).map('{}="1"'.format)
    | st.sampled_from([SVG, XHTML, 'xmlns="urn:x"', f'xmlns:y="{XLINK}"', 'xmlns:xlink="urn:x"']),
    max_size=2,
    unique_by=lambda each: each.partition("=")[0],
).map(lambda each: "".join(f" {one}" for one in each))
_leaves = st.sampled_from(
    ["", "a", "&lt;p>", "<!-- a -->", "<!-->a-->", "<!--->-->", "<?x a?>", "<?x >?>", "<![CDATA[<p>]]>", "<p/>", "</g>"]
)
_drawings = st.recursive(
    _leaves,
    lambda inner: st.builds(
        lambda name, attributes, children: (
            f"<{name}{attributes}>{''.join(children)}</{name}>" if children else f"<{name}{attributes}/>"
        ),
        _names,
        _attributes,
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
).map(
    lambda inside: (
        f'<svg {SVG} xmlns:s="http://www.w3.org/2000/svg" xmlns:x="urn:x" xmlns:y="urn:y" xmlns:xlink="{XLINK}"'
        f' xmlns:XLINK="urn:x">{inside}</svg>'
    )
)


def test_a_browser_reads_whatever_is_accepted_as_xml(chromium: str) -> None:
    accepted: set[str] = set()

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(_drawings)
    def collect(text: str) -> None:
        try:
            accepted.add(svg_text(text))
        except ValueError:
            return

    collect()
    texts = sorted(accepted)

    found = trees(chromium, texts)

    assert len(texts) > 20
    assert [] == [text for text, answer in zip(texts, found, strict=True) if answer != [True, True]]


def test_what_is_no_xml_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^it is not well-formed XML: mismatched tag$"):
        svg_text("<svg><g></svg>")
    with pytest.raises(ValueError, match=r"^it is not well-formed XML: undefined entity$"):
        svg_text("<svg>&nbsp;</svg>")


@pytest.mark.parametrize(
    "prolog",
    [
        "",
        "\n ",
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        "<!-- made > by <svg> hand -->\n",
        '<?xml version="1.0"?>\n<!-- a --><?b c?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">\n',
    ],
)
def test_an_svg_loses_what_stands_before_its_root(prolog: str) -> None:
    assert '<svg viewBox="0 0 1 1"><path/></svg>' == svg_text(f'{prolog}<svg viewBox="0 0 1 1"><path/></svg>\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html></html>", "its root element is not `<svg>`"),
        ("<svg:svg/>", "its root element is not `<svg>`"),
        ("", "its root element is not `<svg>`"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "its doctype declares entities, which HTML does not know"),
        ("<!-- a", "its `<!--` has no end"),
    ],
)
def test_an_svg_that_html_would_read_otherwise_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        svg_text(text)


_NAMES = st.sampled_from(["width", "WIDTH", "data-width", "xlink:href", "href", "viewBox", "é"])
_VALUES = st.sampled_from(['="a"', "='b'", ' = "> width="', "='\"'", "=c", "=c/", "", '="\n"'])
_ROOTS = st.lists(st.tuples(st.sampled_from([" ", "\n\t"]), _NAMES, _VALUES).map("".join), max_size=5).map("".join)


@given(_ROOTS, st.sampled_from(["", " ", "\n"]), st.sets(st.sampled_from(["Width", "href", "viewbox", "class"])))
def test_a_root_loses_the_attributes_that_are_given_and_nothing_else(root: str, space: str, given: set[str]) -> None:
    inside = '<path width="1" href="#a"/></svg>'

    rest = svg_rest(f"<svg{root}{space}>{inside}", given)

    before, after = Element(f"<svg{root}{space}>").attributes, Element(f"<svg{rest}").attributes
    assert [each for each in before if each[0] not in {name.lower() for name in given}] == after
    assert rest.endswith(f">{inside}")
    assert given or rest == f"{root}{space}>{inside}"


def test_an_svg_that_is_one_empty_element_keeps_its_end() -> None:
    assert ' id="a"/>' == svg_rest('<svg id="a" width="1"/>', ["width"])
    assert "/>" == svg_rest("<svg width='1'/>", ["width"])

"""Drawings that may do more than draw are told of, and what they may do is taken out where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler import Outcome
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.refs.markup import may_refer
from assetbuild.compiler.refs.markup.active import active_parts, flaw_of, may_act, without
from tests.browser import Browser, chromium_browser
from tests.conftest import Tree
from tests.linear import steps
from tests.serving import serving

Compiled = Callable[..., Outcome]

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
XHTML = "http://www.w3.org/1999/xhtml"
SHOUT = "console.error('ran')"
AWAY = "http://127.0.0.1:27999/away"
XSLT = (
    "%3Cx:stylesheet version='1.0' xmlns:x='http://www.w3.org/1999/XSL/Transform'%3E%3Cx:template match='/'%3E"
    f"%3Cs:svg xmlns:s='http://www.w3.org/2000/svg'%3E%3Cs:script%3E{SHOUT}%3C/s:script%3E%3C/s:svg%3E"
    "%3C/x:template%3E%3C/x:stylesheet%3E"
)
# What runs or loads by itself when Chromium opens the file, and what is left of it: title → text, kinds, rest.
RUNS = {
    "a script": (f"{HEAD}<g/><script>{SHOUT}</script><g/></svg>", ["script"], f"{HEAD}<g/><g/></svg>"),
    "a script in CDATA": (f"{HEAD}<script><![CDATA[{SHOUT};'</script>']]></script></svg>", ["script"], f"{HEAD}</svg>"),
    "a script of another prefix": (
        f'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>{SHOUT}</s:script></s:svg>',
        ["script"],
        '<s:svg xmlns:s="http://www.w3.org/2000/svg"></s:svg>',
    ),
    "a script of XHTML": (f'{HEAD}<script xmlns="{XHTML}">{SHOUT}</script></svg>', ["script"], f"{HEAD}</svg>"),
    "a script from elsewhere": (f'{HEAD}<script href="{AWAY}.js"/></svg>', ["script"], f"{HEAD}</svg>"),
    "a handler": (f'{HEAD[:-1]} onload="{SHOUT}" id="a"></svg>', ["handler"], f'{HEAD[:-1]}  id="a"></svg>'),
    "a handler with references": (
        f"{HEAD[:-1]}\n onload\n=\n'&#99;onsole.error(&quot;ran&quot;)'></svg>",
        ["handler"],
        f"{HEAD[:-1]}\n ></svg>",
    ),
    "a handler of an animation": (
        f'{HEAD}<set attributeName="x" to="1" onbegin="{SHOUT}"/></svg>',
        ["handler"],
        f'{HEAD}<set attributeName="x" to="1" /></svg>',
    ),
    "an image that is missing": (
        f'{HEAD}<image href="data:," onerror="{SHOUT}"/></svg>',
        ["handler"],
        f'{HEAD}<image href="data:," /></svg>',
    ),
    "a frame in a foreign object": (
        f'{HEAD}<foreignObject width="9" height="9"><iframe xmlns="{XHTML}" '
        f'srcdoc="&lt;script>{SHOUT}&lt;/script>"/></foreignObject><g/></svg>',
        ["foreign"],
        f"{HEAD}<g/></svg>",
    ),
    "a frame by a prefix": (
        f'{HEAD}<g xmlns:h="&#104;{XHTML[1:]}"><h:iframe srcdoc="&lt;script>{SHOUT}&lt;/script>"/></g></svg>',
        ["foreign"],
        f'{HEAD}<g xmlns:h="&#104;{XHTML[1:]}"></g></svg>',
    ),
    "an entity that holds markup": (
        f"<!DOCTYPE svg [<!ENTITY a \"<script xmlns='http://www.w3.org/2000/svg'>{SHOUT}</script>\">]>{HEAD}&a;</svg>",
        ["declaration"],
        None,
    ),
    "an entity that holds escaped markup": (
        "<!DOCTYPE svg [<!ENTITY a \"&#60;script xmlns='http://www.w3.org/2000/svg'>"
        f'{SHOUT}&#60;/script>">]>{HEAD}&a;</svg>',
        ["declaration"],
        None,
    ),
    "an attribute by declaration": (
        f'<!DOCTYPE svg [<!ATTLIST svg onload CDATA "{SHOUT}">]>{HEAD}</svg>',
        ["declaration"],
        f"{HEAD}</svg>",
    ),
    "a namespace by an entity": (
        f'<!DOCTYPE svg [<!ENTITY a "{XHTML}">]>{HEAD}'
        f'<iframe xmlns="&a;" srcdoc="&lt;script>{SHOUT}&lt;/script>"/></svg>',
        ["foreign"],
        f'<!DOCTYPE svg [<!ENTITY a "{XHTML}">]>{HEAD}</svg>',
    ),
    "XSLT": (
        f'<?xml-stylesheet type="text/xsl" href="data:text/xml,{XSLT}"?>{HEAD}</svg>',
        ["sheet"],
        f"{HEAD}</svg>",
    ),
    "an image from elsewhere": (
        f'{HEAD}<image xlink:href="{AWAY}.png" width="9" height="9"/></svg>',
        ["external"],
        f'{HEAD}<image  width="9" height="9"/></svg>',
    ),
    "CSS from elsewhere": (
        f'{HEAD}<style>@import "{AWAY}.css";</style></svg>',
        ["external"],
        f'{HEAD}<style>@import "";</style></svg>',
    ),
    "a picture in CSS from elsewhere": (
        f'{HEAD}<rect width="9" height="9" style="mask-image:url({AWAY}.svg#a)"/></svg>',
        ["external"],
        f'{HEAD}<rect width="9" height="9" style="mask-image:url()"/></svg>',
    ),
    "a sheet from elsewhere": (
        f'<?xml-stylesheet type="text/css" href="{AWAY}.css"?>{HEAD}</svg>',
        ["external"],
        f"{HEAD}</svg>",
    ),
}
# What runs when somebody clicks, or in an HTML page.
WAITS = {
    "a link": (f'{HEAD}<a href="javascript:{SHOUT}">a</a></svg>', ["link"], f"{HEAD}<a >a</a></svg>"),
    "a link with blanks": (
        f'{HEAD}<a xlink:href="&#32;&#9; java&#10;Script:{SHOUT}">a</a></svg>',
        ["link"],
        f"{HEAD}<a >a</a></svg>",
    ),
    "a link by an animation": (
        f'{HEAD}<a id="a"><animate attributeName="href" values="javascript:{SHOUT}"/>a</a></svg>',
        ["link"],
        f'{HEAD}<a id="a">a</a></svg>',
    ),
    "a drawing in a URL": (f'{HEAD}<use href="data:image/svg+xml,a#b"/></svg>', ["link"], f"{HEAD}<use /></svg>"),
    "capitals, for HTML": (
        f'{HEAD}<SCRIPT>1</SCRIPT><g ONLOAD="1"/></svg>',
        ["script", "handler"],
        f"{HEAD}<g /></svg>",
    ),
}
HARMLESS = [
    f"{HEAD}<title>script onload=1 javascript:</title><!-- <script/> --></svg>",
    f'{HEAD}<g id="onload" class="foreignObject" aria-label="javascript"/></svg>',
    f'{HEAD}<a href="https://example.org/">a</a><use href="#b"/><image href="a.png"/></svg>',
    f"{HEAD}<style>.a{{fill:url(#b)}} /* <![CDATA[ <script> ]]> */</style></svg>",
    f'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">{HEAD}</svg>',
    '<!DOCTYPE svg [<!ENTITY ns_svg "http://www.w3.org/2000/svg">]><svg xmlns="&ns_svg;"/>',
    f'{HEAD}<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata></svg>',
    f'{HEAD}<animate attributeName="opacity" values="0;1"/></svg>',
]


@pytest.mark.parametrize(("text", "kinds", "rest"), [*RUNS.values(), *WAITS.values()], ids=[*RUNS, *WAITS])
def test_active_parts_are_found_and_nothing_else_is_taken_out(text: str, kinds: list[str], rest: str | None) -> None:
    parts = active_parts(text)

    assert kinds == [part.kind for part in parts]
    assert rest is None or rest == without(text, parts)
    assert "" == flaw_of(text)
    assert may_act(text.encode()) or may_refer(text.encode())


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_it_is_not_active(text: str) -> None:
    assert () == active_parts(text)
    assert "" == flaw_of(text)


@given(
    st.lists(
        st.sampled_from(
            [
                *("<script>", "</script>", "<script/>", "<g>", "</g>", '<g onload="1">', "<![CDATA[", "]]>", "<!--"),
                *("-->", "a", "&a;", "<foreignObject>", "</foreignObject>", '<a href="javascript:1"/>', "<", '"', ">"),
                *(
                    '<!DOCTYPE svg [<!ENTITY a "<b/>">]>',
                    "é",
                    f'<style>@import "{AWAY}"</style>',
                    "<?xml-stylesheet ?>",
                ),
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_what_is_left_of_well_formed_text_has_no_active_parts(inner: str) -> None:
    for text in (inner, f"{HEAD}{inner}</svg>"):
        parts = active_parts(text)
        rest = without(text, parts)

        assert not flaw_of(text) or not flaw_of(rest) or parts == active_parts(text)
        assert flaw_of(text) or () == active_parts(rest)


@pytest.mark.parametrize(
    "unit",
    ["<script>", "<script/>", "<g onload='1'/>", "<!DOCTYPE [", "&a;", "<g xmlns='a'>", "</g>", "<a href='//b'/>"],
)
def test_the_look_is_linear(unit: str) -> None:
    once, twice = (steps(partial(active_parts, HEAD + unit * size)) for size in (1000, 2000))

    assert twice <= 2.1 * once


NAMES = {title: f"img/{title.replace(' ', '-').replace(',', '').lower()}.svg" for title in RUNS}


@pytest.fixture
def drawings(tree: Tree) -> Callable[[str], Path]:
    """Return a function that writes a project of every drawing that runs by itself. config: what it says beside."""

    def write(config: str) -> Path:
        stable = "keep_names = ['img/*.svg']\n"
        files = {f"assets/{NAMES[title]}": RUNS[title][0] for title in RUNS}
        return tree({"assetbuild.toml": f"{stable}{config}", **files})

    return write


def ran(browser: Browser, output: Path) -> dict[str, bool]:
    """Return of each drawing whether Chromium ran or loaded anything when it opened it."""
    found = {}
    with serving(output, "") as url:
        for title, name in NAMES.items():
            visit = browser.look(f"{url}/static/{name}")
            asked = [*visit.requests, *visit.failures]
            found[title] = any("ran" in line for line in visit.console) or any(AWAY in each for each in asked)
    return found


def test_chromium_runs_nothing_of_a_sanitised_drawing(
    drawings: Callable[[str], Path], compiled: Compiled, chromium: str
) -> None:
    """And it does run every one of them before, so that the test would see it."""
    broken = {title for title, (*_, rest) in RUNS.items() if rest is None}
    with chromium_browser(chromium) as browser:
        before = ran(browser, Path(compiled(drawings("")).project.output))
        allowed = [NAMES[title] for title in broken]
        project = drawings(f"[svg]\nsanitize = true\nallow = {allowed}\n")
        after = ran(browser, Path(compiled(project).project.output))

    assert dict.fromkeys(NAMES, True) == before
    assert {title: title in broken for title in NAMES} == after


def told(outcome: Outcome) -> list[tuple[str, str, int]]:
    found = [each for each in outcome.diagnostics if each.rule == "active-svg"]
    return [(each.severity, each.message, each.span.column if each.span else 0) for each in found]


def test_first_party_drawings_are_warned_of_and_others_noted(tree: Tree, compiled: Compiled) -> None:
    text = f"{HEAD}<script/><g onclick='1' onload='2'/></svg>"
    project = tree(
        {
            "assetbuild.toml": 'roots = ["assets", { path = "theirs", missing = "warn" }]\n',
            "assets/a.svg": text,
            "theirs/b.svg": text,
        }
    )

    assert [
        ("warning", "`a.svg` holds a script", 105),
        ("warning", "`a.svg` holds 2 event handlers", 117),
        ("note", "`b.svg` holds a script", 105),
        ("note", "`b.svg` holds 2 event handlers", 117),
    ] == told(compiled(project))


def test_a_drawing_that_is_allowed_is_left_alone(tree: Tree, compiled: Compiled) -> None:
    text = RUNS["a script"][0]
    config = '[svg]\nsanitize = true\nallow = ["charts/*.svg"]\n'

    outcome = compiled(tree({"assetbuild.toml": config, "assets/charts/a.svg": text}))

    assert [] == told(outcome)
    assert [text.encode()] == [file.read_bytes() for file in Path(outcome.project.output).rglob("*.svg")]


def test_references_beside_what_is_taken_out_are_rewritten(tree: Tree, compiled: Compiled) -> None:
    text = f'{HEAD}<image href="a.png" onload="1"/><script href="gone.js"/><image href="a.png"/></svg>'
    project = tree({"assetbuild.toml": "[svg]\nsanitize = true\n", "assets/a.svg": text, "assets/a.png": b"png"})

    outcome = compiled(project)

    png = next(asset.path for asset in outcome.assets if asset.logical == "a.png")
    (svg,) = Path(outcome.project.output).glob("a-*.svg")
    assert f'{HEAD}<image href="{png}" /><image href="{png}"/></svg>' == svg.read_text()
    assert ["note", "note"] == [severity for severity, *_ in told(outcome)]


@pytest.mark.parametrize("text", [f"{HEAD}<script>", RUNS["an entity that holds markup"][0]])
def test_what_cannot_be_sanitised_is_an_error(tree: Tree, compiled: Compiled, text: str) -> None:
    project = tree({"assetbuild.toml": "[svg]\nsanitize = true\n", "assets/a.svg": text})

    with pytest.raises(CompileFailed) as failed:
        compiled(project)

    assert ["active-svg"] == [each.rule for each in failed.value.diagnostics]


def test_a_warm_build_says_the_same(tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tree({"assets/a.svg": RUNS["a script"][0], "assets/b.svg": RUNS["a handler"][0]})
    monkeypatch.setenv("ASSETBUILD_CACHE", str(project.parent / "cache"))

    found = [told(compiled(project)) for _ in range(3)]

    assert 2 == len(found[0])
    assert [found[0]] * 2 == found[1:]

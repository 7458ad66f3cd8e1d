"""Names that people give to files, from the source to the browser: each language writes them in its own way."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from assetbuild.compiler import Outcome
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.serving import serving

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STEMS = [
    "two words",
    "hash#tag",
    "what?",
    "100%",
    "100%25",
    "%zz",
    "it's",
    'say "hi"',
    "back`tick",
    "🎈",
    "éte\u0301",
    "z" * 251,
    "ü" * 125,
    "-dash",
    ".dot",
    "~tilde",
    "(round)",
    "[square]",
    "{curly}",
    "${x}",
    "a&amp;b",
    "a<b>",
    "a,b;c=d+e",
    "a*b!",
    "@at",
    "none",
    "trailing.",
]
PICTURES = [f"{stem}.png" for stem in STEMS]
MODULES = [stem for stem in STEMS if stem != ".dot"]
SCRIPTS = ("js/plain.js", "js/bundle #1%.js")
CONFIG = """
output = "out"
keep_names = ["img/.dot.png"]
[entries]
"js/bundle #1%.js" = { module = "js/the bundle's source.js" }
[js]
minify = false
[compress]
gzip = false
br = false
"""


def as_url(path: str) -> str:
    """Return `path` with no more percent-encoding than a relative URL needs."""
    return path.replace("%", "%25").replace("#", "%23").replace("?", "%3F")


def css_string(path: str) -> str:
    return '"' + as_url(path).replace('"', '\\"') + '"'


def css_bare(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9./%\x80-\U0010ffff]", lambda found: f"\\{ord(found[0]):x} ", as_url(path))


def css_bytes(path: str) -> str:
    return "'../" + "".join(f"%{byte:02x}" for byte in path.removeprefix("../").encode()).replace("%2f", "/") + "'"


def js_template(path: str) -> str:
    return "`" + as_url(path).replace("`", "\\`").replace("${", "\\${") + "`"


def js_escaped(path: str) -> str:
    return '"' + "".join(f"\\u{{{ord(char):x}}}" for char in as_url(path)) + '"'


WAYS_IN_CSS: list[Callable[[str], str]] = [css_string, css_bare, quote, css_bytes]
WAYS_IN_JS: list[Callable[[str], str]] = [
    lambda path: json.dumps(as_url(path)),
    js_template,
    js_escaped,
    lambda path: f"'{quote(path)}'",
]


def urls_in_js() -> str:
    """Return an array of the URLs of all pictures, each written in every way."""
    literals = [way(f"../img/{name}") for name in PICTURES for way in WAYS_IN_JS]
    return "[" + ",\n".join(f"new URL({literal}, import.meta.url).href" for literal in literals) + "]"


def refs_of(outcome: Outcome, logical: str) -> list[str]:
    assets: dict[str, Any] = json.loads(outcome.manifest)["assets"]
    return [name for name in assets[logical].get("refs", []) if name.startswith("img/")]


@pytest.fixture(params=["false", "true"], ids=["relative", "importmap"])
def outcome(request: pytest.FixtureRequest, tree: Tree, compiled: Callable[..., Outcome], esbuild: object) -> Outcome:
    pictures = {f"assets/img/{name}": PIXEL + name.encode() for name in PICTURES}
    modules = {f"assets/js/{name}.js": f"export const name = {json.dumps(name)};" for name in MODULES}
    imports = [f"import({WAYS_IN_JS[n % 4](f'./{name}.js')})" for n, name in enumerate(MODULES)]
    plain = f"window.plain = {urls_in_js()};\n"
    plain += f"window.names = await Promise.all([{', '.join(imports)}].map(async (one) => (await one).name));"
    styles = [f"#i{n}{{background:url({css_string(f'../img/{name}')})}}\n" for n, name in enumerate(PICTURES)]
    # A brace could begin a template's expression, which markup leaves alone.
    written = [escape(as_url(f"../img/{name}")).replace("{", "%7B") for name in PICTURES]
    images = "".join(f'<image href="{one}"/>' for one in written)
    return compiled(
        tree(
            {
                **pictures,
                **modules,
                "assetbuild.toml": CONFIG.replace("[js]", f"[js]\nimportmap = {request.param}"),
                "assets/css/all.css": "".join(
                    f"a{{--a:url({way(f'../img/{n}')})}}" for n in PICTURES for way in WAYS_IN_CSS
                ),
                "assets/css/page.css": "".join(styles),
                "assets/js/plain.js": plain,
                "assets/js/the bundle's source.js": f"window.bundled = {urls_in_js()};",
                "assets/svg/all.svg": f'<svg xmlns="http://www.w3.org/2000/svg">{images}</svg>',
            }
        )
    )


def test_every_way_to_write_a_name_finds_its_file_in_every_language(outcome: Outcome) -> None:
    expected = sorted(f"img/{name}" for name in PICTURES)

    for logical in ("css/all.css", "css/page.css", "js/plain.js", "js/bundle #1%.js", "svg/all.svg"):
        assert expected == refs_of(outcome, logical), logical


def test_published_names_are_plain_ascii_and_short(outcome: Outcome) -> None:
    for asset in outcome.assets:
        assert re.fullmatch(r"([A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*", asset.path), asset.path
        assert len(Path(asset.path).name) <= 120
    assert len({asset.path for asset in outcome.assets}) == len(outcome.assets)
    assert () == tuple(verify(outcome.project.output, RealDisk()).diagnostics)


def test_a_browser_loads_every_one_of_them(outcome: Outcome, chromium: str) -> None:
    paths = {asset.logical: asset.path for asset in outcome.assets}
    boxes = "".join(f'<p id="i{number}">' for number in range(len(PICTURES)))
    scripts = "".join(f'<script type="module" src="/static/{paths[one]}"></script>' for one in SCRIPTS)
    specifiers: dict[str, str] = json.loads(outcome.manifest).get("importmap", {})
    imports = {"imports": {name: "/static/" + paths[logical] for name, logical in specifiers.items()}}
    head = f'<link rel="stylesheet" href="/static/{paths["css/page.css"]}">'
    head += f'<script type="importmap">{json.dumps(imports)}</script>'
    page = f'<!doctype html><link rel="icon" href="data:,">{head}{boxes}{scripts}'

    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        ready = "window.names && window.bundled"
        visit = browser.look(url, "window.names", "window.plain", "window.bundled", ready=ready)

    pictures = [f"{url}/static/{paths[f'img/{name}']}" for name in PICTURES]
    assert [] == visit.problems
    assert MODULES == visit.values[0]
    assert [picture for picture in pictures for _ in WAYS_IN_JS] == visit.values[1] == visit.values[2]
    assert set(pictures) <= visit.requests.keys()

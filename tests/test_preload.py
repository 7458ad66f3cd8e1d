"""Preload: what a page will ask for, asked for once, in the way in which the page will ask."""

from __future__ import annotations

import pytest

from assetbuild import AssetNotFound, Assets
from assetbuild.manifest import Manifest, dump
from tests.manifests import Document, document, file_entry

JS = "text/javascript; charset=utf-8"
TYPES = {"js": JS, "css": "text/css; charset=utf-8", "woff2": "font/woff2", "png": "image/png", "txt": "text/plain"}
KINDS: dict[str, Document] = {
    "js/app.js": {"kind": "module", "css": ["css/app.css"], "imports": ["js/b.js", "js/a.js"], "dynamic": ["js/d.js"]},
    "js/a.js": {"imports": ["js/c.js", "js/app.js"]},
    "js/b.js": {"imports": ["js/c.js", "js/facts.json"]},
    "js/c.js": {"keep": True},
    "js/old.js": {"kind": "classic"},
    "css/app.css": {"kind": "style"},
}
NAMES = [*KINDS, "js/d.js", "js/facts.json", "text.woff2", "logo.png", "a.txt"]


@pytest.fixture
def assets() -> Assets:
    """A module with imports, and one asset of each kind."""
    files = {}
    for name in NAMES:
        files[f"{name}-1"] = file_entry(name.encode(), TYPES.get(name.rpartition(".")[2], "application/json"))
    entries = {name: {"file": f"{name}-1", **KINDS.get(name, {})} for name in NAMES}
    return Assets(Manifest(dump(document(entries, files))))


def checked(assets: Assets, name: str) -> str:
    return f'integrity="{assets[name].integrity}" crossorigin="anonymous"'


def test_a_module_brings_its_stylesheets_itself_and_all_that_it_imports_at_once(assets: Assets) -> None:
    """`js/a.js` and `js/b.js` both import `js/c.js`, which has a stable name; JSON is no module to preload."""
    expected = (
        f'<link rel="preload" href="/static/css/app.css-1" as="style" {checked(assets, "css/app.css")}>\n'
        f'<link rel="modulepreload" href="/static/js/app.js-1" {checked(assets, "js/app.js")}>\n'
        f'<link rel="modulepreload" href="/static/js/b.js-1" {checked(assets, "js/b.js")}>\n'
        f'<link rel="modulepreload" href="/static/js/a.js-1" {checked(assets, "js/a.js")}>\n'
        '<link rel="modulepreload" href="/static/js/c.js">'
    )

    assert expected == assets.preload("js/app.js")


def test_a_plain_script_that_imports_is_a_module(assets: Assets) -> None:
    assert assets.preload("js/b.js").startswith('<link rel="modulepreload" href="/static/js/b.js-1"')


def test_a_script_and_a_stylesheet_are_asked_for_as_their_tags_do(assets: Assets) -> None:
    script = f'<link rel="preload" href="/static/js/old.js-1" as="script" {checked(assets, "js/old.js")}>'
    style = f'<link rel="preload" href="/static/css/app.css-1" as="style" {checked(assets, "css/app.css")}>'

    assert script == assets.preload("js/old.js")
    assert style == assets.preload("css/app.css")


def test_a_font_is_always_asked_for_in_cors_mode_and_never_with_a_digest(assets: Assets) -> None:
    expected = '<link rel="preload" href="/static/text.woff2-1" as="font" type="font/woff2" crossorigin="anonymous">'

    assert expected == assets.preload("text.woff2")


def test_an_image_is_asked_for_as_an_img_does(assets: Assets) -> None:
    assert '<link rel="preload" href="/static/logo.png-1" as="image" type="image/png">' == assets.preload("logo.png")


def test_what_no_tag_loads_is_not_preloaded(assets: Assets) -> None:
    with pytest.raises(ValueError, match=r"`a\.txt` \(text/plain\) is nothing that a page preloads; write a link"):
        assets.preload("a.txt")
    with pytest.raises(AssetNotFound):
        assets.links("a.css")


def test_attributes_are_for_every_link_and_are_escaped(assets: Assets) -> None:
    html = assets.preload("js/app.js", nonce='"n', fetchpriority="low", crossorigin=None)

    assert 5 == html.count(' nonce="&quot;n" fetchpriority="low">')
    assert "crossorigin" not in html


def test_link_headers_ask_for_the_same_each_url_once(assets: Assets) -> None:
    def tail(name: str) -> str:
        return f'integrity="{assets[name].integrity}"; crossorigin=anonymous'

    expected = (
        f"</static/css/app.css-1>; rel=preload; as=style; {tail('css/app.css')}",
        f"</static/js/b.js-1>; rel=modulepreload; {tail('js/b.js')}",
        "</static/js/c.js>; rel=modulepreload",
        '</static/text.woff2-1>; rel=preload; as=font; type="font/woff2"; crossorigin=anonymous',
    )

    assert expected == assets.links("css/app.css", "js/b.js", "css/app.css", "text.woff2")


def test_a_link_header_holds_no_character_that_would_end_its_url(assets: Assets) -> None:
    made = document({'a>b"c.png': {"file": "a.png", "keep": True}}, {"a.png": file_entry(b"", "image/png")})

    (value,) = Assets(Manifest(dump(made))).links('a>b"c.png')

    assert '</static/a%3Eb%22c.png>; rel=preload; as=image; type="image/png"' == value

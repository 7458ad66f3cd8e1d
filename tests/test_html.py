"""Tags: what a browser needs by what the asset is, and nothing that could break out of an attribute."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.manifest import AssetEntry, FileEntry
from assetbuild.web.html import Asset, Html, asset_from, tag
from tests.manifests import INTEGRITY

CHECKED = f'integrity="{INTEGRITY}" crossorigin="anonymous"'


def asset(name: str, media_type: str, **more: object) -> Asset:
    fields: dict[str, object] = {"kind": "", "size": 1, "integrity": INTEGRITY} | more
    return Asset(name=name, url=f"/static/{name}", file=name, type=media_type, **fields)  # type: ignore[arg-type]


MODULE = asset("js/app.js", "text/javascript; charset=utf-8", kind="module")
CLASSIC = asset("js/old.js", "text/javascript; charset=utf-8", kind="classic")
STYLE = asset("css/app.css", "text/css; charset=utf-8", kind="style")
IMAGE = asset("img/logo.png", "image/png", width=120, height=32)


def test_a_module_is_a_module_script() -> None:
    assert f'<script type="module" src="/static/js/app.js" {CHECKED}></script>' == tag(MODULE, {})


def test_a_classic_script_has_no_type() -> None:
    assert f'<script src="/static/js/old.js" {CHECKED}></script>' == tag(CLASSIC, {})


def test_a_script_of_no_kind_is_what_html_takes_it_for_unless_the_page_says_module() -> None:
    plain = asset("js/vendor.js", "text/javascript; charset=utf-8")

    assert f'<script src="/static/js/vendor.js" {CHECKED}></script>' == tag(plain, {})
    assert f'<script src="/static/js/vendor.js" {CHECKED} type="module"></script>' == tag(plain, {"type": "module"})


def test_a_stylesheet_is_a_link() -> None:
    expected = f'<link rel="stylesheet" href="/static/css/app.css" {CHECKED} media="print">'

    assert expected == tag(STYLE, {"media": "print"})
    assert expected == tag(STYLE._replace(kind=""), {"media": "print"})


def test_a_module_brings_its_stylesheets_first_with_the_same_nonce() -> None:
    expected = (
        f'<link rel="stylesheet" href="/static/css/app.css" {CHECKED} nonce="n&#39;1">\n'
        f'<script type="module" src="/static/js/app.js" {CHECKED} nonce="n&#39;1" data-x="2"></script>'
    )

    assert expected == tag(MODULE, {"nonce": "n'1", "data_x": 2}, [STYLE])


def test_an_attribute_is_written_once_in_whatever_letters_it_is_given() -> None:
    expected = '<link rel="stylesheet" href="/other.css" integrity="x" crossorigin="anonymous" nonce="n">'

    assert expected == tag(STYLE, {"Integrity": "x", "HREF": "/other.css", "nonce": "m", "Nonce_": "n"})


def test_an_image_has_its_size_so_that_the_page_does_not_jump() -> None:
    assert '<img src="/static/img/logo.png" width="120" height="32" alt="Logo">' == tag(IMAGE, {"alt": "Logo"})


def test_the_page_may_give_an_image_another_size_and_an_unknown_size_is_left_out() -> None:
    assert '<img src="/static/img/logo.png" width="60" height="16">' == tag(IMAGE, {"width": 60, "height": 16})
    assert '<img src="/static/img/logo.png">' == tag(IMAGE._replace(width=0, height=0), {})


def test_a_web_app_manifest_is_a_link() -> None:
    app = asset("site.webmanifest", "application/manifest+json")

    assert '<link rel="manifest" href="/static/site.webmanifest">' == tag(app, {})


def test_a_font_has_no_tag_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"`a\.woff2` \(font/woff2\) has no tag of its own; write one with its URL"):
        tag(asset("a.woff2", "font/woff2"), {})


def test_a_stable_url_promises_no_bytes() -> None:
    """The next release may already answer there while an old page is open."""
    assert '<script src="/static/js/old.js"></script>' == tag(CLASSIC._replace(is_immutable=False), {})


def test_attributes_say_true_false_and_nothing() -> None:
    given_attributes = {
        "defer": True,
        "async_": False,
        "class_": "a b",
        "http_equiv": "x",
        "id": None,
        "integrity": None,
    }

    assert '<script src="/static/js/old.js" crossorigin="anonymous" defer class="a b" http-equiv="x"></script>' == tag(
        CLASSIC, given_attributes
    )


def test_an_attribute_may_replace_what_would_be_there() -> None:
    html = tag(CLASSIC, {"crossorigin": "use-credentials"})

    assert f'<script src="/static/js/old.js" integrity="{INTEGRITY}" crossorigin="use-credentials"></script>' == html


@pytest.mark.parametrize("name", ["a b", 'a"', "a>", "a/", "a=b", "", "_", "a\n", "a\0", "<a"])
def test_what_is_no_attribute_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of an HTML attribute"):
        tag(CLASSIC, {name: "x"})


def test_markup_is_not_escaped_twice_and_still_cannot_end_the_attribute() -> None:
    assert 'title="a&amp;b &quot; \'"' in tag(CLASSIC, {"title": Html("a&amp;b \" '")})


class Reader(HTMLParser):
    """What a parser makes of a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.rest = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.rest += data


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_no_value_breaks_out_of_its_attribute(value: str) -> None:
    html = tag(CLASSIC, {"title": value})

    read = Reader(html)
    assert [
        ("script", {"src": CLASSIC.url, "integrity": INTEGRITY, "crossorigin": "anonymous", "title": value})
    ] == read.found
    assert "" == read.rest


def test_the_url_of_an_asset_is_its_hashed_path_below_the_base() -> None:
    entry = AssetEntry("css/app-abcdefghij.css", kind="style", width=1, css=("a",), imports=("b",), dynamic=("c",))
    file = FileEntry("text/css", 5, "0" * 64, INTEGRITY, {"br": 3})

    found = asset_from("css/app.css", entry, file, "https://cdn.example/x/")

    assert found == Asset(
        name="css/app.css",
        url="https://cdn.example/x/css/app-abcdefghij.css",
        file="css/app-abcdefghij.css",
        kind="style",
        type="text/css",
        size=5,
        integrity=INTEGRITY,
        width=1,
        imports=("b",),
        dynamic=("c",),
        css=("a",),
    )


def test_a_kept_file_has_its_own_name_below_the_base_and_a_site_file_its_own_place() -> None:
    file = FileEntry("text/plain", 5, "0" * 64, INTEGRITY, {})

    kept = asset_from("get/a b.txt", AssetEntry("get/a-b-abcdefghij.txt", keep=True), file, "/s/")
    site = asset_from("sw.js", AssetEntry("sw-abcdefghij.js", at="/sw.js"), file, "https://cdn.example/")

    assert ("/s/get/a%20b.txt", False) == (kept.url, kept.is_immutable)
    assert ("/sw.js", False) == (site.url, site.is_immutable)

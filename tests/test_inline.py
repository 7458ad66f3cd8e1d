"""Inline: an asset in the page itself, as it was compiled, or the reason why not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from assetbuild import AssetNotFound, Assets
from assetbuild.web.files import FileFault
from assetbuild.web.html import Html
from assetbuild.web.inline import InlineError
from tests.manifests import file_entry, published, write

TYPES = {"svg": "image/svg+xml", "json": "application/json", "jsonld": "application/ld+json", "woff2": "font/woff2"}


def opened(folder: Path, bodies: Mapping[str, bytes], **more: Any) -> Assets:
    """Return the assets of an output folder that holds `bodies`."""
    made = published(folder, bodies, **more)
    for logical, body in bodies.items():
        media_type = TYPES.get(logical.rpartition(".")[2])
        if media_type:
            made["files"][made["assets"][logical]["file"]] = file_entry(body, media_type)
    return Assets.open(write(folder, made), environ={})


def test_a_stylesheet_is_a_style_element_with_the_hash_of_its_text(tmp_path: Path) -> None:
    html = opened(tmp_path, {"a.css": b"a{color:red}"}).inline("a.css", nonce="'", media="print")

    digest = base64.b64encode(hashlib.sha256(b"a{color:red}").digest()).decode()
    assert '<style nonce="&#39;" media="print">a{color:red}</style>' == html
    assert f"'sha256-{digest}'" == html.csp_hash
    assert html.csp_hash == pickle.loads(pickle.dumps(html)).csp_hash


def test_a_script_is_a_script_element_and_a_module_says_so(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.js": b"a()", "m.js": b"m()"}, m_js={"kind": "module"})

    assert "<script>a()</script>" == assets.inline("a.js")
    assert '<script type="module">a()</script>' == assets.inline("a.js", type="module")
    assert '<script type="module" id="x">m()</script>' == assets.inline("m.js", id="x")


def test_json_is_a_data_block_of_its_type(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.json": b'"</script>"', "b.jsonld": b"{}"})

    assert r'<script type="application/json" id="a">"\u003c/script>"</script>' == assets.inline("a.json", id="a")
    assert '<script type="application/ld+json">{}</script>' == assets.inline("b.jsonld")
    assert '<script type="speculationrules">{}</script>' == assets.inline("b.jsonld", type="speculationrules")


def test_an_svg_is_its_markup_with_the_attributes_of_the_page_first(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.svg": b'<?xml version="1.0"?>\n<svg class="a"><path/></svg>\n'})

    html = assets.inline("a.svg", class_="b", aria_hidden="true")

    assert '<svg class="b" aria-hidden="true"><path/></svg>' == html
    assert ("", True) == (html.csp_hash, isinstance(html, Html))


def test_an_attribute_of_the_page_replaces_that_of_an_svg_whose_other_attributes_stay(tmp_path: Path) -> None:
    root = """<svg xmlns="http://www.w3.org/2000/svg" width='1 > 2' viewBox="0 0 9 9" data-width="3" height = "8">"""
    assets = opened(tmp_path, {"a.svg": f'{root}<path width="4"/></svg>'.encode()})

    html = assets.inline("a.svg", width=20, viewbox="0 0 1 1", height=None, role="img")

    page = ElementTree.fromstring(html)
    assert {"width": "20", "viewbox": "0 0 1 1", "role": "img", "data-width": "3"} == page.attrib
    assert ({"width": "4"}, "{http://www.w3.org/2000/svg}svg") == (page[0].attrib, page.tag)


def test_line_ends_and_a_byte_order_mark_are_what_an_html_parser_makes_of_them(tmp_path: Path) -> None:
    html = opened(tmp_path, {"a.css": b"\xef\xbb\xbfa{}\r\nb{}\rc{}\n"}).inline("a.css")

    assert "<style>a{}\nb{}\nc{}\n</style>" == html


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.css", b"a{}\n/*# sourceMappingURL=a.css-1.map */\n"),
        ("a.js", b"a()\n//# sourceMappingURL=a.js-1.map\n"),
        ("a.js", b"a()\r//# sourceMappingURL=a.js-1.map\n"),
    ],
)
def test_the_comment_that_names_the_map_stays_behind(tmp_path: Path, name: str, body: bytes) -> None:
    facts = {"map": f"{name}.map", "refs": [f"{name}.map"]}
    assets = opened(tmp_path, {name: body, f"{name}.map": b"{}"}, a_css=facts, a_js=facts)

    assert body[:3].decode() == assets.inline(name).partition(">")[2].rpartition("<")[0]


@pytest.mark.parametrize(
    ("facts", "other"),
    [
        ({"refs": ["a.css.map", "img/logo.png"], "map": "a.css.map"}, "img/logo.png"),
        ({"kind": "module", "imports": ["b.js"]}, "b.js"),
        ({"kind": "module", "dynamic": ["c.js"]}, "c.js"),
        ({"kind": "module", "css": ["d.css"]}, "d.css"),
    ],
)
def test_what_refers_to_another_file_is_refused_with_its_name(
    tmp_path: Path, facts: dict[str, object], other: str
) -> None:
    assets = opened(tmp_path, {"a.css": b"a{}"}, a_css=facts)

    with pytest.raises(InlineError) as caught:
        assets.inline("a.css")

    assert (
        f"`a.css` cannot be inlined: it refers to `{other}`, which would be looked for beside the page; "
        "load it by its URL" == str(caught.value)
    )


def test_what_is_large_is_refused_unless_the_page_says_how_large_it_may_be(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.css": b" " * 16_385})

    with pytest.raises(InlineError) as caught:
        assets.inline("a.css")

    assert "`a.css` cannot be inlined: its 16385 bytes are more than `limit_bytes=16384`; load it by its URL" == str(
        caught.value
    )
    assert assets.inline("a.css", limit_bytes=16_385)
    with pytest.raises(InlineError, match="more than `limit_bytes=3`"):
        assets.inline("a.css", limit_bytes=3)


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.png", b"png", "image/png has no form inside a page"),
        ("a.woff2", b"", "font/woff2 has no form inside a page"),
        ("a.css", b"\xff", "it is not UTF-8"),
        ("a.js", b"a\0", "it holds a NUL character"),
        ("a.js", b"`</script>`", "it holds `</script` or `<script` and a template literal"),
        ("a.svg", b"<g/>", "its root element is not `<svg>`"),
    ],
)
def test_what_cannot_keep_its_meaning_is_refused(tmp_path: Path, name: str, body: bytes, reason: str) -> None:
    assets = opened(tmp_path, {name: body})

    with pytest.raises(InlineError, match=f"^`{name}` cannot be inlined: {reason}"):
        assets.inline(name)


def test_an_unknown_name_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(AssetNotFound, match=r"did you mean `a\.css`"):
        opened(tmp_path, {"a.css": b""}).inline("b.css")


def test_other_bytes_of_the_same_size_are_refused(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.css": b"a{}"})
    (tmp_path / assets["a.css"].file).write_bytes(b"b{}")

    with pytest.raises(InlineError, match=r"was changed after it was compiled; copy the whole output"):
        assets.inline("a.css")


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    assets = opened(tmp_path / "out", {"a.css": b"a{}"})
    file = tmp_path / "out" / assets["a.css"].file
    os.rename(file, tmp_path / "elsewhere.css")
    file.symlink_to(tmp_path / "elsewhere.css")

    with pytest.raises(FileFault, match=assets["a.css"].file):
        assets.inline("a.css")


def test_a_text_is_read_once(tmp_path: Path) -> None:
    assets = opened(tmp_path, {"a.css": b"a{}"})
    before = assets.inline("a.css")
    (tmp_path / assets["a.css"].file).unlink()

    assert before == assets.inline("a.css")


def test_a_manifest_without_a_folder_has_nothing_to_read(tmp_path: Path) -> None:
    from assetbuild.manifest import Manifest, dump

    assets = Assets(Manifest(dump(published(tmp_path, {"a.css": b"a{}"}))))

    with pytest.raises(FileFault, match="its manifest was not opened from an output folder"):
        assets.inline("a.css")


def test_the_import_map_has_urls_and_the_digest_of_each_module_that_stays(tmp_path: Path) -> None:
    made = published(tmp_path, {"a.js": b"a", "b.js": b"b"}, b_js={"keep": True})
    made["importmap"] = {"lodash": "a.js", "#</script>": "b.js"}
    assets = Assets.open(write(tmp_path, made), environ={})

    html = assets.importmap(nonce="n")

    start, text, end = html[: html.index("{")], html[html.index("{") : html.rindex("}") + 1], html[-9:]
    url = assets.url("a.js")
    expected = {"imports": {"#</script>": "/static/b.js", "lodash": url}, "integrity": {url: assets["a.js"].integrity}}
    assert ('<script type="importmap" nonce="n">', expected, "</script>") == (start, json.loads(text), end)
    assert "<" not in text
    assert html.csp_hash.startswith("'sha256-")


def test_a_build_without_an_import_map_has_no_element_for_it(tmp_path: Path) -> None:
    html = opened(tmp_path, {"a.js": b""}).importmap(nonce="n")

    assert ("", "") == (html, html.csp_hash)

"""SVG, XHTML and HTML are published as themselves, what they name rewritten and nothing else touched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.door import Refused
from assetbuild.compiler.engines import markup
from assetbuild.compiler.model import Blob, Job, Result
from assetbuild.compiler.project import Urls
from tests.browser import chromium_browser
from tests.conftest import Tree
from tests.script_shop import Files, Yard, draft_of, rules, written
from tests.serving import serving

Build = Callable[..., Result]


@pytest.fixture
def build(tree: Tree) -> Build:
    def run(files: Files, name: str = "a.svg", *, stable: tuple[str, ...] = (), **options: object) -> Result:
        yard = Yard(tree({f"assets/{path}": content for path, content in files.items()}), **options)  # type: ignore[arg-type]
        shop = yard.shop._replace(project=yard.shop.project._replace(keep_names=stable))
        return markup.build(Job("markup", (name,), (yard.sources[name],), {}), yard.reading(), shop)

    return run


def page(build: Build, text: str, files: Files | None = None, **options: object) -> Result:
    """Return what becomes of the HTML page `p/a.html`."""
    others = {"p/b.png": b"b", "p/c d.css": "", "doc.pdf": b"d", "p/other.html": "", "keep/e.pdf": b"e"}
    return build({"p/a.html": text, **others, **(files or {})}, "p/a.html", **options)


def test_references_of_svg_become_refs_and_the_rest_stays_as_it_is(build: Build) -> None:
    text = """<?xml version="1.0"?>\r
<?xml-stylesheet href='s.css' type="text/css"?><!-- <image href="b.png"/> -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20" height="10.4">
<style><![CDATA[ @import "s.css"; a > b { fill: url( 'img/b&amp;.png?v#w' ) } ]]></style>
<use xlink:href="sprite.svg#a&amp;b" href = '#local'/><image href="img/%C3%A9.png" style="mask:url(&quot;b.png&quot;)"/>
<a href="https://example.org/">é</a></svg>"""
    files = {"s.css": "", "img/b&amp;.png": b"1", "sprite.svg": "", "img/é.png": b"2", "b.png": b"3"}

    result = build({"a.svg": text, **files})

    expected = text
    for old, new in [
        ("href='s.css'", "href='<s.css>'"),
        ('"s.css"', '"<s.css>"'),
        ("img/b&amp;.png", "<img/b&amp;.png>"),
        ("sprite.svg", "<sprite.svg>"),
        ("img/%C3%A9.png", "<img/é.png>"),
        ("&quot;b.png", "&quot;<b.png>"),
    ]:
        expected = expected.replace(old, new)
    assert expected == written(result)
    assert () == result.diagnostics
    assert ("image/svg+xml", 20, 10) == (draft_of(result).media_type, draft_of(result).width, draft_of(result).height)
    assert ["assets/a.svg"] == [Path(each.file).as_posix().partition("project/")[2] for each in result.inputs]


def test_references_of_html_become_refs_and_the_rest_stays_as_it_is(build: Build) -> None:
    text = """<img SRC=b.png srcset="b.png, ../doc.pdf 2x"><link rel=stylesheet href='c%20d.css?v=1'>
<p style="background:url(&quot;b.png&quot;)"><style>p{src:url(b.png)}</style><script>"<img src=b.png>"</script>"""

    result = page(build, text)

    assert """<img SRC=<p/b.png> srcset="<p/b.png>, <doc.pdf> 2x"><link rel=stylesheet href='<p/c d.css>?v=1'>
<p style="background:url(&quot;<p/b.png>&quot;)"><style>p{src:url(<p/b.png>)}</style>\
<script>"<img src=b.png>"</script>""" == written(result)
    assert "text/html; charset=utf-8" == draft_of(result).media_type


@pytest.mark.parametrize(
    "text", ["", "<svg/>", "\ufeff<svg>\r\n<use href='#a'/></svg>", "<svg><image href='data:,'/></svg>"]
)
def test_a_file_without_references_stays_on_the_disk_to_the_byte(build: Build, text: str) -> None:
    body = draft_of(build({"a.svg": text})).body

    assert isinstance(body, Blob)
    assert text.encode() == Path(body.file).read_bytes()


def test_a_missing_reference_names_its_place_and_the_nearest_file(build: Build) -> None:
    result = build({"a.svg": "<svg>\n<image href=' img/hil.png?v '/></svg>", "img/hill.png": b""})

    (found,) = result.diagnostics
    assert (
        "missing-reference",
        "error",
        "`img/hil.png?v` is not in any asset root",
        "did you mean `img/hill.png`?",
    ) == (
        found.rule,
        found.severity,
        found.message,
        found.hint,
    )
    assert found.span is not None
    assert ("assets/a.svg", 2, 15, 13) == found.span[:4]
    assert isinstance(draft_of(result).body, Blob)


def test_a_missing_reference_is_a_warning_in_vendored_files_and_can_be_allowed(build: Build) -> None:
    files: Files = {"a.svg": "<svg><rect fill='url(none.svg#a)'/></svg>"}

    assert [("missing-reference", "warning")] == rules(build(files, vendored=("a.svg",)))
    assert [] == rules(build(files, missing_allow=("none.*",)))


def test_one_broken_reference_does_not_keep_the_others_from_being_rewritten(build: Build) -> None:
    result = page(build, "<img src=none.png><img src=b.png>")

    assert "<img src=none.png><img src=<p/b.png>>" == written(result)
    assert [("missing-reference", "error")] == rules(result)


def test_a_link_is_rewritten_if_it_leads_to_a_published_file_that_is_no_page(build: Build) -> None:
    links = "<a href={}><area href={}><iframe src={}>"
    same = ("other.html", "none.pdf", "../about", "https://e.org/x.pdf", "#top", "mailto:a@b.org", "/app/x.pdf")

    rewritten = page(build, links.format(*["../doc.pdf#p=2"] * 3))

    assert links.format(*["<doc.pdf>#p=2"] * 3) == written(rewritten)
    for each in same:
        untouched = page(build, links.format(*[each] * 3))
        assert (True, ()) == (isinstance(draft_of(untouched).body, Blob), untouched.diagnostics), each


def test_a_link_to_a_file_with_a_name_of_its_own_keeps_that_name(build: Build) -> None:
    assert isinstance(draft_of(page(build, "<a href=../keep/e.pdf>", stable=("keep/**",))).body, Blob)


def test_what_a_template_engine_fills_in_is_left_alone(build: Build) -> None:
    result = page(build, "<img src='{{ url('x') }}'><img src=\"{% static 'b.png' %}\"><img src=b.png>")

    assert "<img src='{{ url('x') }}'><img src=\"{% static 'b.png' %}\"><img src=<p/b.png>>" == written(result)
    assert () == result.diagnostics


def test_a_template_element_may_name_what_does_not_exist(build: Build) -> None:
    result = page(build, "<template><img src=b.png><img src=SOURCE></template>")

    assert "<template><img src=<p/b.png>><img src=SOURCE></template>" == written(result)
    assert () == result.diagnostics


def test_with_a_base_element_relative_references_are_left_with_a_warning(build: Build) -> None:
    text = "<head><base href='/app/'>\n<img src=b.png><img src=/static/p/b.png><use href=#a><img src=https://e.org/>"

    result = page(build, text)

    assert text.replace("/static/p/b.png", "<p/b.png>") == written(result)
    (found,) = result.diagnostics
    assert found.span is not None
    assert ("base-element", "warning", 1, 19, 5) == (found.rule, found.severity, *found.span[1:4])
    assert () == page(build, "<base href=/app/><img src=/static/p/b.png>").diagnostics


def test_an_entity_of_the_document_is_left_with_a_warning(build: Build) -> None:
    text = '<!DOCTYPE svg [<!ENTITY e "b.png">]>\n<svg><image href="&e;"/></svg>'

    result = build({"a.svg": text, "b.png": b""})

    (found,) = result.diagnostics
    assert found.span is not None
    assert ("unreadable-reference", "warning", 2, 19, 3) == (found.rule, found.severity, *found.span[1:4])
    assert "reference holds an entity that the document declares and is left as it is" == found.message
    assert isinstance(draft_of(result).body, Blob)


def test_a_late_import_of_a_style_element_is_reported(build: Build) -> None:
    assert [("late-import", "warning")] == rules(page(build, "<style>a{b:c} @import 'c%20d.css';</style>"))


def test_another_encoding_is_refused_with_what_to_do(build: Build) -> None:
    text = '<?xml version="1.0" encoding="iso-8859-1"?>\n<svg><title>\xe9</title></svg>'.encode("latin-1")

    with pytest.raises(Refused) as caught:
        build({"a.svg": text})

    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert ("not-utf8", "byte 0xe9 is not UTF-8", 2, 13) == (found.rule, found.message, *found.span[1:3])
    assert "save the file as UTF-8, and write that in the place of `iso-8859-1` in its first line" == found.hint


def test_another_encoding_of_a_vendored_file_is_a_warning_and_the_file_stays_as_it_is(build: Build) -> None:
    content = "<p>\xe9<img src=b.png>".encode("latin-1")

    result = build({"a.html": content}, "a.html", vendored=("a.html",))

    body = draft_of(result).body
    assert isinstance(body, Blob)
    assert content == Path(body.file).read_bytes()
    assert [("not-utf8", "warning")] == rules(result)


def test_ascii_under_another_declared_encoding_is_read(build: Build) -> None:
    text = "<?xml version='1.0' encoding='windows-1252'?><svg><image href='b.png'/></svg>"

    assert text.replace("b.png", "<b.png>") == written(build({"a.svg": text, "b.png": b""}))


def test_a_file_of_a_package_is_pulled_in(build: Build, tree: Tree) -> None:
    tree({"node_modules/p/x.svg": "<svg/>"})

    result = build({"a.svg": "<svg><use href='~p/x.svg#a'/></svg>"})

    assert ["npm/p/x.svg"] == [source.logical for source in result.found]
    assert "<svg><use href='<npm/p/x.svg>#a'/></svg>" == written(result)


def test_an_alias_is_followed_in_pages_too(build: Build) -> None:
    result = page(build, "<img src=@/p/b.png>", urls=Urls(aliases={"@": "assets"}))

    assert "<img src=<p/b.png>>" == written(result)


@pytest.mark.parametrize("base", ["/static/", "https://cdn.example/s/"])
def test_what_a_page_writes_from_the_root_stays_so_because_scripts_put_pages_into_others(
    build: Build, compiled: Callable[..., Outcome], tree: Tree, base: str
) -> None:
    text = f"<img src={base}b.png><img src=b.png>"
    drawing = f"<svg><image href='{base}b.png'/></svg>"
    project = tree({"assets/p.html": text, "assets/b.png": b"b", "assets/s/a.svg": drawing})
    (project / "assetbuild.toml").write_text(f'base = "{base}"\n')

    assets = {asset.logical: asset for asset in compiled(project).assets}

    picture = assets["b.png"].path
    assert f"<img src={base}{picture}><img src={picture}>".encode() == assets["p.html"].body
    assert f"<svg><image href='../{picture}'/></svg>".encode() == assets["s/a.svg"].body


def test_pictures_that_name_each_other_are_named_by_their_cycle(compiled: Callable[..., Outcome], tree: Tree) -> None:
    drawing = "<svg><use href='{}.svg#x'/></svg>"
    pairs = [("a", "b"), ("b", "a"), ("c", "c")]
    project = tree({f"assets/{name}.svg": drawing.format(other) for name, other in pairs})

    assets = {asset.logical: asset for asset in compiled(project).assets}

    assert [drawing.format(assets[f"{other}.svg"].path[:-4]).encode() for other in "bac"] == [
        assets[f"{name}.svg"].body for name in "abc"
    ]
    assert all(asset.cycle_hex for asset in assets.values())


def test_a_page_opens_clean_from_the_output(compiled: Callable[..., Outcome], tree: Tree, chromium: str) -> None:
    """Sprites, sheets of drawings, candidates and icons are asked for by their published names, and are there."""
    files = {
        "p/page.html": """<!doctype html><link rel=manifest href=../site.webmanifest>
<link rel=icon href="../i%20(1).svg"><link rel=stylesheet href='&#46;./s.css?v=1'>
<img srcset="../i%20(1).svg 1x" src=../none.svg hidden><body>
<p style="background:url(&quot;../d.svg?a&amp;b#c&quot;)">a</p><svg><use xlink:href="/static/sprite.svg#wall" /></svg>
<style>p{mask:url(../i%20\\(1\\).svg)}</style>""",
        "site.webmanifest": '{"icons": [{"src": "i%20\\u00281).svg", "sizes": "any"}]}',
        "d.svg": """<?xml-stylesheet href="s.css"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">
<style><![CDATA[rect { fill: url(#none) }]]></style><use href="sprite.svg#wall"/></svg>""",
        "i (1).svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
        "sprite.svg": '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="wall"><path d="M0 0h9v9z"/></symbol></svg>',
        "s.css": "body{margin:0}",
    }
    project = tree({f"assets/{name}": content for name, content in files.items()})
    (project / "assetbuild.toml").write_text('[missing]\nallow = ["none.svg"]\n')
    outcome = compiled(project)
    paths = {asset.logical: asset.path for asset in outcome.assets}
    manifest = f"fetch('/static/{paths['site.webmanifest']}').then(r => r.json())"
    icon = f"{manifest}.then(m => fetch('/static/' + m.icons[0].src)).then(r => r.status)"

    with serving(Path(outcome.project.output), "") as url, chromium_browser(chromium) as browser:
        visit = browser.look(f"{url}/static/{paths['p/page.html']}", icon)

    assert ([], [200]) == (visit.problems, visit.values)
    asked = {re.sub(r"[?#].*", "", each.removeprefix(url)) for each in visit.requests}
    assert {f"/static/{path}" for path in paths.values()} == asked - {"/favicon.ico"}


def test_a_new_picture_renames_the_page_and_the_drawing_that_use_it(
    compiled: Callable[..., Outcome], tree: Tree
) -> None:
    files: Files = {
        "a.svg": "<svg><image href='b.png'/></svg>",
        "a.html": "<img src=a.svg>",
        "b.png": b"1",
        "c.svg": "<svg/>",
    }
    project = tree({f"assets/{name}": content for name, content in files.items()})
    before = {asset.logical: asset.path for asset in compiled(project).assets}

    (project / "assets/b.png").write_bytes(b"2")
    after = {asset.logical: asset.path for asset in compiled(project).assets}

    assert {"a.svg", "a.html", "b.png"} == {name for name in before if before[name] != after[name]}

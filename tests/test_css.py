"""Stylesheets from their files to pieces: published as they are, or as entries bundled, minified and lowered."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from assetbuild.compiler.engines import css
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild import Esbuild
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Blob, Draft, Facts, Job, Ref, Result, Source
from assetbuild.compiler.project import Project, Root
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.disk import RealDisk
from tests import esbuild_shop
from tests.conftest import Tree

PLAIN = {"bundle": False, "minify": False, "engine": "builtin", "targets": []}
ENTRY = {"bundle": True, "minify": True, "engine": "builtin", "targets": []}
PIXEL = "assets/img/x.png"


class Bench:
    """A project, and what the CSS engine makes of its files."""

    def __init__(self, folder: Path, service: Esbuild | None = None, **settings: object) -> None:
        roots = (Root(str(folder / "assets"), "assets"),)
        self.project = Project(str(folder), str(folder / "build"), roots, **settings)  # type: ignore[arg-type]
        files = sorted(str(file.relative_to(folder / "assets")) for file in (folder / "assets").rglob("*.*"))
        self.sources = {name: Source(name, str(folder / "assets" / name), f"assets/{name}") for name in files}
        inventory = Inventory(self.sources, {source.file: source for source in self.sources.values()}, {})
        resolver = Resolver(self.project, inventory)
        self.shop = Shop(self.project, resolver, _closed, _closed, _closed, lambda: service or _closed())
        confines = tuple(os.path.realpath(folder / name) for name in ("assets", "node_modules"))
        self.reading = Reading(Library(RealDisk(), str(folder), confines))

    def build(self, source: str, options: Mapping[str, object], logical: str = "") -> Result:
        """Return the result of a job that makes `logical`, the source's own path by default."""
        job = Job("css", (logical or source,), (self.sources[source],), options)
        return css.build(job, self.reading, self.shop)


def _closed(*_: object) -> NoReturn:
    raise AssertionError("not open on this bench")


@pytest.fixture(scope="module")
def service() -> Iterator[Esbuild]:
    with Esbuild(esbuild_shop.argv()) as opened:
        yield opened


def text_of(result: Result) -> str:
    """Return the one draft's text, each reference written as `<logical path>`."""
    (draft,) = result.drafts
    assert not isinstance(draft.body, Blob)
    return "".join(f"<{piece.target}>" if isinstance(piece, Ref) else piece.decode() for piece in draft.body)


def test_a_plain_sheet_keeps_every_byte_around_its_references(tree: Tree) -> None:
    sheet = (
        "@charset \"utf-8\";\r\n@import 'b.css'  screen;\r\n\r\n/* url(../img/x.png) */\r\n"
        ".a :hover { background : URL( ../img/x.png?v=1#f ) ; --x: url('../img/x.png') ;"
        " c: image-set( \"../img/x.png\" 1x type('image/png') ); d: url(#g) url() url(data:,x) url(//h/x.png) }\r\n"
    )
    bench = Bench(tree({"assets/css/a.css": sheet, "assets/css/b.css": "", PIXEL: ""}))

    result = bench.build("css/a.css", PLAIN)

    expected = sheet.replace("'b.css'", "'<css/b.css>'")
    head, comment, tail = expected.partition("/* url(../img/x.png) */")
    assert head + comment + tail.replace("../img/x.png", "<img/x.png>") == text_of(result)
    assert () == result.diagnostics
    (draft,) = result.drafts
    assert ("css/a.css", "text/css; charset=utf-8") == (draft.logical, draft.media_type)
    assert Facts(kind="style", source="assets/css/a.css") == draft.facts
    assert [bench.sources["css/a.css"].file] == [given.file for given in result.inputs]


def test_an_entry_is_bundled_and_minified_in_one_piece(tree: Tree) -> None:
    files = {
        "assets/css/a.css": "@import 'lib/b.css' layer(b);\n.a :hover { background: url( '../img/x.png#f' ) }",
        "assets/css/lib/b.css": "@layer c { .b :focus { background: url(../../img/x.png) ",
        PIXEL: "",
    }
    bench = Bench(tree(files))

    result = bench.build("css/a.css", ENTRY)

    assert (
        "@layer b{@layer c{.b :focus{background:url(<img/x.png>)}}}.a :hover{background:url('<img/x.png>#f')}"
    ) == text_of(result)
    assert Facts(kind="style", is_entry=True, source="assets/css/a.css") == result.drafts[0].facts
    assert ["css/a.css", "css/lib/b.css"] == [given.file.partition("assets/")[2] for given in result.inputs]
    assert ["rcssmin"] == list(result.tools)


def test_a_reference_of_an_entry_is_relative_to_where_it_is_published_then_to_its_source(tree: Tree) -> None:
    files = {"assets/src/a.css": "a{b:url(x.png);c:url(y.png)}", "assets/css/x.png": "x", "assets/src/y.png": "y"}
    bench = Bench(tree(files))

    result = bench.build("src/a.css", ENTRY, logical="css/a.css")

    assert "a{b:url(<css/x.png>);c:url(<src/y.png>)}" == text_of(result)


def test_a_missing_reference_is_an_error_with_place_and_near_name(tree: Tree) -> None:
    bench = Bench(tree({"assets/css/a.css": ".a{}\n.b{background:url(imgs/x.png)}", PIXEL: ""}))

    (found,) = bench.build("css/a.css", PLAIN).diagnostics

    place = Span("assets/css/a.css", 2, 19, 10, ".b{background:url(imgs/x.png)}")
    message, hint = "`imgs/x.png` is not in any asset root", "did you mean `../img/x.png`?"
    assert Diagnostic("missing-reference", "error", message, place, hint, found.notes) == found
    assert found.notes[0].message.startswith("looked for `css/imgs/x.png`, `imgs/x.png`")


def test_a_missing_reference_in_an_imported_sheet_is_reported_there(tree: Tree) -> None:
    files = {"assets/a.css": "@import 'b.css' print;.a{}", "assets/b.css": "/* */\n\n.b{c:url(gone.png)}"}
    bench = Bench(tree(files))

    (found,) = bench.build("a.css", ENTRY).diagnostics

    assert found.span is not None
    assert ("assets/b.css", 3, 10) == found.span[:3]


def test_what_a_package_lacks_is_a_warning(tree: Tree) -> None:
    files = {"assets/a.css": "@import 'p/b.css';", "node_modules/p/b.css": ".b{c:url(gone.png);d:url(here.png)}"}
    bench = Bench(tree({**files, "node_modules/p/here.png": ""}))

    result = bench.build("a.css", ENTRY)

    assert [("missing-reference", "warning")] == [(found.rule, found.severity) for found in result.diagnostics]
    assert ".b{c:url(gone.png);d:url(<npm/p/here.png>)}" == text_of(result)
    assert ["npm/p/here.png"] == [source.logical for source in result.found]


@pytest.mark.parametrize("allowed", ["css/*.css", "assets/css/a.css", "css/gone/**", "gone/x.png"])
def test_a_missing_reference_may_be_allowed_by_where_it_is_or_by_what_it_names(tree: Tree, allowed: str) -> None:
    bench = Bench(tree({"assets/css/a.css": ".a{b:url(gone/x.png)}"}), missing_allow=(allowed,))

    result = bench.build("css/a.css", PLAIN)

    assert (".a{b:url(gone/x.png)}", ()) == (text_of(result), result.diagnostics)


def test_an_import_that_browsers_ignore_is_a_warning_and_stays(tree: Tree) -> None:
    bench = Bench(tree({"assets/a.css": ".a{b:c}@import 'gone.css';"}))

    result = bench.build("a.css", ENTRY)

    assert ".a{b:c}@import 'gone.css'" == text_of(result)
    assert [("late-import", "warning")] == [(found.rule, found.severity) for found in result.diagnostics]


def test_a_sheet_of_another_language_cannot_be_inlined(tree: Tree) -> None:
    bench = Bench(tree({"assets/a.css": "@import 'b.scss';", "assets/b.scss": "$c: d;"}))

    (found,) = bench.build("a.css", ENTRY).diagnostics

    assert "`b.scss` is compiled from `assets/b.scss` and cannot be inlined" == found.message


@pytest.mark.parametrize(
    ("options", "has_map", "expected", "rules"),
    [
        (PLAIN, True, "a{}/*# sourceMappingURL=<a.css.map> */", []),
        (PLAIN, False, "a{}", ["dangling-source-map"]),
        ({**PLAIN, "minify": True}, True, "a{}", []),
        ({**ENTRY, "minify": False}, True, "a{}", []),
    ],
)
def test_a_source_map_is_named_only_where_it_is_still_true(
    tree: Tree, options: Mapping[str, object], has_map: bool, expected: str, rules: list[str]
) -> None:
    files = {"assets/a.css": "a{}/*# sourceMappingURL=a.css.map */"} | ({"assets/a.css.map": "{}"} if has_map else {})
    bench = Bench(tree(files))

    result = bench.build("a.css", options)

    assert (expected, rules) == (text_of(result), [found.rule for found in result.diagnostics])


def test_a_broken_string_keeps_a_sheet_from_being_minified_and_is_shown(tree: Tree) -> None:
    sheet = "a { b: 'c\n; }\nd { e: f }"
    bench = Bench(tree({"assets/a.css": sheet}))

    result = bench.build("a.css", ENTRY)

    (found,) = result.diagnostics
    assert sheet == text_of(result)
    assert ("not-minified", "warning", 1, 8) == (found.rule, found.severity, *(found.span or Span(""))[1:3])


def test_a_sheet_nested_too_deep_is_refused_at_its_place(tree: Tree) -> None:
    bench = Bench(tree({"assets/a.css": "@import 'b.css';", "assets/b.css": "a{\n" + "(" * 300}))

    with pytest.raises(CompileFailed) as caught:
        bench.build("a.css", ENTRY)

    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert ("too-deep", "assets/b.css", 2, 200) == (found.rule, *found.span[:3])


@pytest.mark.parametrize("options", [PLAIN, ENTRY])
def test_a_block_that_is_never_closed_is_a_warning_at_its_place(tree: Tree, options: dict[str, object]) -> None:
    bench = Bench(tree({"assets/a.css": "a{b:c}\n/* { */ @media all {\n d{e:f}\n"}))

    found = [each for each in bench.build("a.css", options).diagnostics if each.rule == "unclosed"]

    assert [("warning", "`{` is never closed", 2, 20)] == [
        (f.severity, f.message, *f.span[1:3]) for f in found if f.span
    ]


@pytest.mark.parametrize("text", ["a{b:c}", "a{/* { */}", "a{b:'{'}", "a{b:url(data:,{)}", "a{--b:{c}}"])
def test_a_sheet_that_closes_what_it_opens_gets_no_such_warning(tree: Tree, text: str) -> None:
    assert () == Bench(tree({"assets/a.css": text})).build("a.css", PLAIN).diagnostics


def test_a_text_that_holds_a_token_is_told_apart_from_our_own(tree: Tree) -> None:
    first = Bench(tree({"assets/a.css": "a{b:url(x.png)}", "assets/x.png": ""})).build("a.css", PLAIN)

    forged = "a{b:url(x.png)}/* assetbuild:0123456789ab-000000 */"
    second = Bench(tree({"assets/a.css": forged, "assets/x.png": ""})).build("a.css", PLAIN)

    assert text_of(first) + "/* assetbuild:0123456789ab-000000 */" == text_of(second)


def test_compiled_css_is_finished_with_the_partials_it_came_from(tree: Tree) -> None:
    files = {
        "assets/scss/app.scss": "",
        "assets/scss/parts/_p.scss": "\n.p{b:url(x.png)}",
        "assets/scss/parts/x.png": "",
    }
    bench = Bench(tree(files))
    compiled = ".m{a:b}\n.p{b:url(x.png);c:url(gone.png)}"
    partial = bench.sources["scss/parts/_p.scss"]

    def origin(offset: int) -> tuple[Source, Span]:
        return (
            (partial, span_at(partial.shown, ".p{…}", 0)) if offset > 8 else (bench.sources["scss/app.scss"], Span(""))
        )

    finished = css.bundle_and_finish(
        compiled, bench.sources["scss/app.scss"], "css/app.css", bench.reading, bench.shop, ENTRY, origin
    )

    (found,) = finished.diagnostics
    draft = Draft("css/app.css", "text/css", finished.pieces)
    assert ".m{a:b}.p{b:url(<scss/parts/x.png>);c:url(gone.png)}" == text_of(Result((draft,)))
    assert ("missing-reference", partial.shown) == (found.rule, (found.span or Span("")).path)


def test_where_a_url_was_written_is_only_asked_where_its_meaning_depends_on_that(tree: Tree) -> None:
    bench = Bench(tree({"assets/scss/app.scss": "", "assets/css/x.png": ""}))
    compiled = "a{b:url(data:,x);c:url(' https://d/e ');f:url(#g);h:url(x.png)}"
    asked = []

    def origin(offset: int) -> tuple[Source, Span]:
        asked.append(compiled[offset : offset + 5])
        return bench.sources["scss/app.scss"], Span("")

    css.bundle_and_finish(
        compiled, bench.sources["scss/app.scss"], "css/app.css", bench.reading, bench.shop, ENTRY, origin
    )

    assert ["x.png"] == asked


def test_an_entry_is_lowered_for_its_targets(tree: Tree, service: Esbuild) -> None:
    sheet = ".a{.b &{c:url('../img/x.png?v#f')}mask-image:url(../img/x.png);inset:0}"
    bench = Bench(tree({"assets/css/a.css": sheet, PIXEL: ""}), service)

    result = bench.build("css/a.css", {**ENTRY, "engine": "esbuild", "targets": ["chrome80"]})

    assert "&" not in text_of(result)
    assert "url(<img/x.png>?v#f)" in text_of(result)
    assert "-webkit-mask-image:url(<img/x.png>)" in text_of(result)
    assert ["esbuild"] == list(result.tools)


def test_what_esbuild_says_stands_where_it_was_written(tree: Tree, service: Esbuild) -> None:
    files = {
        "assets/a.css": "@import 'b.css';\n.a{}",
        "assets/b.css": "\n.b{c:url(x.png);d url(x.png)}",
        "assets/x.png": "",
    }
    bench = Bench(tree(files), service)

    (found,) = bench.build("a.css", {**ENTRY, "engine": "esbuild"}).diagnostics

    assert "assetbuild:" not in f"{found}"
    assert found.span is not None
    assert ("assets/b.css", 2, 18) == found.span[:3]

from __future__ import annotations

import base64
import importlib.util
import os
import pickle
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.engines import libsass, libsass_api, libsass_worker, sass_scan
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.sass import Compiled
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Project, Root, Sass
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import RealDisk
from tests.conftest import Tree, need

Compile = Callable[..., Compiled]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    need("libsass", importlib.util.find_spec("_sass") is not None)
    with Workers(1) as one:
        yield one


class Bench:
    """A project on disk, its shop and the reading of one job."""

    def __init__(self, folder: Path, workers: Workers) -> None:
        self.folder = os.path.realpath(folder)
        assets = os.path.join(self.folder, "assets")
        load_path = os.path.join(self.folder, "lib")
        project = Project(
            self.folder,
            os.path.join(self.folder, "build"),
            (Root(assets, "assets"),),
            sass=Sass(engine="libsass", load_paths=(load_path,)),
        )

        def absent(*_: object) -> None:
            raise AssertionError("libsass needs no other tool")

        resolver = Resolver(project, Inventory({}, {}, {}))
        self.shop = Shop(project, resolver, absent, absent, lambda: workers)  # type: ignore[arg-type]
        self.reading = Reading(Library(RealDisk(), self.folder, (assets, load_path)))

    def source(self, name: str) -> Source:
        return Source(f"{name.removesuffix('.scss')}.css", f"{self.folder}/assets/{name}", f"assets/{name}")

    def compile(self, name: str = "a.scss", **options: object) -> Compiled:
        return libsass.compile(self.source(name), self.reading, self.shop, **options)  # type: ignore[arg-type]

    def finding(self, name: str = "a.scss") -> Diagnostic:
        with pytest.raises(DiagnosticsError) as caught:
            self.compile(name)
        return caught.value.diagnostics[0]


Bed = Callable[[dict[str, str | bytes]], Bench]


@pytest.fixture
def bed(tree: Tree, workers: Workers) -> Bed:
    return lambda files: Bench(tree({f"assets/{name}": text for name, text in files.items()}), workers)


def place(found: Diagnostic) -> tuple[str, int, int]:
    assert found.span is not None
    return found.span[:3]


def test_a_sheet_with_partials_compiles(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'parts/b';\n.a { &:hover { c: $c; } }\n", "parts/_b.scss": "$c: red;\n.b { d: e }"})

    made = bench.compile()

    assert made.css == ".b {\n  d: e;\n}\n\n.a:hover {\n  c: red;\n}\n"
    assert made.diagnostics == ()
    assert made.version.startswith("3.6.")


def test_the_indented_syntax_compiles_as_a_source_and_as_a_partial(bed: Bed) -> None:
    bench = bed({"a.sass": "@import b\n.a\n  c: $c\n", "_b.sass": "$c: red\n.b\n  d: e\n"})

    assert bench.compile("a.sass").css == ".b {\n  d: e;\n}\n\n.a {\n  c: red;\n}\n"


def test_what_was_read_and_what_was_absent_is_recorded(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'b';", "_b.scss": ".b { c: d }"})

    bench.compile()

    assets = f"{bench.folder}/assets"
    assert [one.file for one in bench.reading.inputs()] == [f"{assets}/_b.scss", f"{assets}/a.scss"]
    assert f"{assets}/b.scss" in bench.reading.absent()


def test_every_place_of_the_output_leads_to_where_it_was_written(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'b';\n.a { c: d }\n", "_b.scss": "\n.b {\n  background: url(x.png);\n}\n"})

    made = bench.compile()

    source, span = made.origin(made.css.index("x.png"))
    assert (source.shown, span[:3]) == ("assets/_b.scss", ("assets/_b.scss", 3, 19))
    assert made.origin(made.css.index("d;"))[1][:2] == ("assets/a.scss", 2)


def test_a_file_on_a_load_path_is_found(tree: Tree, workers: Workers) -> None:
    bench = Bench(tree({"assets/a.scss": "@import 'mixins/m';", "lib/mixins/_m.scss": ".m { n: o }"}), workers)

    assert bench.compile().css == ".m {\n  n: o;\n}\n"


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ("@use 'b';\n.a { c: d }", "@use", 1, 1),
        ("/* x */ @use 'b' with ($c: red);", "@use", 1, 9),
        (".a { c: d }\n@forward 'b';", "@forward", 2, 1),
        ("@forward 'b' show c;", "@forward", 1, 1),
        ('@use "sass:math";\n.a { w: math.div(1, 2) }', "@use", 1, 1),
        (".a {\n  @include meta.load-css('b');\n}", "meta.load-css", 2, 12),
        ("// '\n@use 'b';", "@use", 2, 1),
        (".a { c: 'x#{\"y\"}' }\n@use 'b';", "@use", 2, 1),
        (".a { b: url(//x.example/*.png) }\n@use 'b';", "@use", 2, 1),
    ],
)
def test_module_syntax_is_refused_at_its_place(bed: Bed, text: str, word: str, line: int, column: int) -> None:
    found = bed({"a.scss": text, "_b.scss": ".b { c: d }"}).finding()

    assert (found.rule, found.message) == ("unsupported-syntax", f"libsass cannot read `{word}`")
    assert found.hint == 'set `engine = "dart-sass"` under `[sass]`'
    assert place(found) == ("assets/a.scss", line, column)


def test_module_syntax_is_refused_in_the_indented_syntax(bed: Bed) -> None:
    found = bed({"a.sass": "// c\n   @use 'not this'\n.a\n  b: c\n@use 'b'\n"}).finding("a.sass")

    assert (found.message, place(found)) == ("libsass cannot read `@use`", ("assets/a.sass", 5, 1))


def test_module_syntax_in_a_partial_of_a_partial_is_refused_there(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'b';", "_b.scss": "@import 'c';", "_c.scss": "\n  @forward 'd';", "_d.scss": ""})

    found = bench.finding()

    assert (found.message, place(found)) == ("libsass cannot read `@forward`", ("assets/_c.scss", 2, 3))


def test_module_syntax_in_comments_and_strings_is_no_module_syntax(bed: Bed) -> None:
    text = (
        "// @use 'b'\n/* @forward 'b' */\n.a { content: \"@use 'b'\"; b: '\\'@use'; c: url(@use); d: 'm.load-css(' }\n"
    )

    made = bed({"a.scss": text}).compile()

    assert "content: \"@use 'b'\"" in made.css


@pytest.mark.parametrize(
    ("text", "word"),
    [("a { --x: $y; }", "$y"), ("a { --x: { @include y; } }", "@include")],
)
def test_sass_that_libsass_leaves_in_its_output_is_refused(bed: Bed, text: str, word: str) -> None:
    found = bed({"a.scss": f".b {{ c: '$y @include' }}\n{text}"}).finding()

    assert (found.rule, found.message) == ("unsupported-syntax", f"libsass left `{word}` in its output")
    assert place(found)[:2] == ("assets/a.scss", 2)


def test_an_attribute_selector_with_a_dollar_is_no_variable(bed: Bed) -> None:
    assert bed({"a.scss": '[a$=b], [c$="$d"] { e: f }'}).compile().css == '[a$=b], [c$="$d"] {\n  e: f;\n}\n'


def test_statements_without_output_are_refused(bed: Bed) -> None:
    found = bed({"a.scss": "$a: 1;\n"}).finding()

    assert (found.rule, found.message, place(found)) == (
        "empty-output",
        "libsass made no CSS of this file",
        ("assets/a.scss", 0, 0),
    )


@pytest.mark.parametrize("text", ["", "\n", "// nothing yet\n", "\ufeff"])
def test_an_empty_sheet_compiles_to_nothing(bed: Bed, text: str) -> None:
    assert bed({"a.scss": text}).compile().css == ""


def test_an_empty_partial_is_no_error(bed: Bed) -> None:
    assert bed({"a.scss": "@import 'b'; .a { c: d }", "_b.scss": ""}).compile().css == ".a {\n  c: d;\n}\n"


def test_an_error_has_its_place_in_characters(bed: Bed) -> None:
    found = bed({"a.scss": "@import 'b';", "_b.scss": "/* üü */ .b { c: 'ü' + $none }"}).finding()

    assert (found.rule, found.message) == ("sass-error", 'undefined variable: "$none"')
    assert place(found) == ("assets/_b.scss", 1, 24)


def test_a_missing_partial_is_reported_where_it_is_imported(bed: Bed) -> None:
    found = bed({"a.scss": ".a { b: c }\n@import 'buttonz';", "_buttons.scss": ""}).finding()

    assert (found.rule, found.message) == ("missing-stylesheet", "stylesheet `buttonz` is not found")
    assert (place(found), found.hint) == (("assets/a.scss", 2, 9), "did you mean `buttons`?")


@pytest.mark.parametrize("written", ["../../outside", "/etc/passwd", "../../outside.scss"])
def test_nothing_outside_the_declared_folders_is_read(tree: Tree, workers: Workers, written: str) -> None:
    bench = Bench(tree({"assets/a.scss": f"@import '{written}';", "../outside.scss": ".secret { b: c }"}), workers)

    found = bench.finding()

    assert found.rule in ("outside-roots", "missing-stylesheet")
    assert place(found) == ("assets/a.scss", 1, 9)
    assert "secret" not in str(found)


def test_a_link_that_leads_out_is_not_followed(tree: Tree, workers: Workers) -> None:
    bench = Bench(tree({"assets/a.scss": "@import 'b';", "../outside.scss": ".secret { b: c }"}), workers)
    os.symlink(f"{bench.folder}/../outside.scss", f"{bench.folder}/assets/_b.scss")

    assert bench.finding().rule == "outside-roots"


def test_what_a_partial_holds_passes_the_door(bed: Bed) -> None:
    found = bed({"a.scss": "@import 'b';", "_b.scss": b".b { c: '\xff' }"}).finding()

    assert (found.rule, place(found)) == ("not-utf8", ("assets/_b.scss", 1, 10))


def test_plain_css_imports_stay(bed: Bed) -> None:
    text = "@import 'b.css', url(c.css);\n@import 'd' screen, print;\n@import 'https://e.example/f';\n@import 'g';\n"

    made = bed({"a.scss": text, "_d.scss": ".wrong { a: b }", "_g.scss": ".g { h: i }"}).compile()

    assert made.css.splitlines()[:4] == [
        "@import url(b.css);",
        "@import url(c.css);",
        "@import 'd' screen, print;",
        "@import 'https://e.example/f';",
    ]
    assert "wrong" not in made.css


def test_one_name_cannot_be_imported_as_sass_and_as_css(bed: Bed) -> None:
    found = bed({"a.scss": "@import 'b'; @import 'b' print;", "_b.scss": ""}).finding()

    assert found.message == "libsass cannot import `b` once as Sass and once as CSS in one file"


def test_characters_beyond_ascii_bring_no_charset_and_no_mark(bed: Bed) -> None:
    bench = bed({"a.scss": ".ä { b: 'ü' }"})

    assert bench.compile().css == "\n.ä {\n  b: 'ü';\n}\n"
    assert bench.compile(style="compressed").css == ".ä{b:'ü'}\n"


def test_warnings_come_back_with_their_place(bed: Bed) -> None:
    made = bed(
        {"a.scss": "@import 'b';\n.a { c: d }", "_b.scss": "\n@warn 'be ' + 'careful';\n@debug (1, 2);"}
    ).compile()

    assert [(d.rule, d.severity, d.message, place(d)[:2]) for d in made.diagnostics] == [
        ("sass-warn", "warning", "be careful", ("assets/_b.scss", 2)),
        ("sass-debug", "note", "1, 2", ("assets/_b.scss", 3)),
    ]


@pytest.mark.parametrize("name", ["a.scss", "a.sass"])
def test_nesting_is_limited_before_libsass_sees_it(bed: Bed, name: str) -> None:
    deep = "".join(" " * n + f".a{n}\n" for n in range(300)) if name == "a.sass" else "@media x{" * 6000

    assert bed({name: deep}).finding(name).rule == "too-deep"


def test_an_endless_recursion_is_an_error(bed: Bed) -> None:
    found = bed({"a.scss": "@function f($a) { @return f($a) }\n.a { b: f(1) }"}).finding()

    assert (found.message, place(found)[:2]) == ("stack depth exceeded max of 1024", ("assets/a.scss", 1))


def test_an_endless_loop_ends_at_the_limit(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsass, "TIMEOUT_S", 0.5)

    found = bed({"a.scss": "@while true { $a: 1 }"}).finding()

    assert found.rule == "engine-timeout"
    assert found.message == "engine `libsass` was still busy with `assets/a.scss` after 0.5 s"


def test_an_import_loop_is_an_error(bed: Bed) -> None:
    found = bed({"a.scss": "@import 'b';", "_b.scss": "@import 'a';"}).finding()

    assert (found.rule, found.span is not None) == ("sass-error", True)


def test_equal_input_gives_equal_output(bed: Bed) -> None:
    files: dict[str, str | bytes] = {"a.scss": "@import 'b';\n.a { c: $c / 3 }", "_b.scss": "$c: 1px;"}

    assert bed(files).compile().css == bed(files).compile().css


@given(st.text(alphabet="@use'\"/*#{}()\\ \n;$a:url", max_size=40), st.booleans())
def test_the_scan_reads_any_text_to_its_end(text: str, indented: bool) -> None:
    found = list(sass_scan.places(text, indented))

    assert all(one.start < one.end <= len(text) for one in found)
    assert found == sorted(found, key=lambda one: one.start)


@given(st.text(alphabet="ab@ ;{}'\\n", max_size=20).filter(lambda text: "*" not in text))
def test_what_stands_in_a_comment_is_never_code(text: str) -> None:
    commented = f"/*{text}@use*/\n// {text.splitlines()[0] if text.splitlines() else ''} @use\n"

    assert sass_scan.unsupported(commented, "a.scss", indented=False) is None


@pytest.mark.parametrize(
    ("machine", "hint"),
    [
        ("x86_64", "pip install 'assetbuild[libsass]'"),
        (
            "aarch64",
            'take `engine = "dart-sass"`: libsass has no wheel for `linux-arm64`, and '
            "`pip install 'assetbuild[libsass]'` has to compile it",
        ),
    ],
)
def test_without_libsass_the_way_out_is_that_of_the_machine(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, machine: str, hint: str
) -> None:
    folder = tree({"assets/a.scss": "a { b: c }\n"})
    project = Project(str(folder), str(folder / "build"), (Root(str(folder / "assets"), "assets"),))
    request = {
        "project": base64.b64encode(pickle.dumps(project)).decode(),
        "confines": [str(folder / "assets")],
        "file": str(folder / "assets/a.scss"),
        "shown": "assets/a.scss",
        "text": None,
        "is_indented": False,
        "style": "expanded",
        "precision": 10,
    }
    monkeypatch.setitem(sys.modules, "_sass", None)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.36")
    libsass_api.library.cache_clear()

    with pytest.raises(DiagnosticsError) as caught:
        libsass_worker.compile_sheet(request)

    assert [Diagnostic("missing-extra", "error", "libsass is not installed", Span("assets/a.scss"), hint)] == [
        *caught.value.diagnostics
    ]

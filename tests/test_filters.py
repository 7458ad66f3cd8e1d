from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from assetbuild.compiler.engines import filters
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.errors import CompileFailed, DiagnosticsError, EngineUnavailable
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Blob, Job, Result, Source
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Project, Root
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import RealDisk
from tests.conftest import Tree, need

Filters = list[str | tuple[str, Mapping[str, object]]]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    for package in ("webassets", "_sass", "rcssmin", "rjsmin", "jsmin"):
        need(package, importlib.util.find_spec(package) is not None)
    with Workers(1) as one:
        yield one


class Bench:
    """A project on disk whose files are all published, and jobs of filters over it."""

    def __init__(self, folder: Path, workers: Workers) -> None:
        self.folder = os.path.realpath(folder)
        self.root = os.path.join(self.folder, "assets")
        project = Project(self.folder, os.path.join(self.folder, "build"), (Root(self.root, "assets"),))
        files = [str(file.relative_to(self.root)) for file in Path(self.root).rglob("*") if file.is_file()]
        sources = [self.source(name) for name in sorted(files)]

        def absent(*_: object) -> None:
            raise AssertionError("filters need no such tool")

        inventory = Inventory({one.logical: one for one in sources}, {one.file: one for one in sources}, {})
        self.shop = Shop(project, Resolver(project, inventory), absent, absent, lambda: workers)  # type: ignore[arg-type]

    def source(self, name: str) -> Source:
        return Source(name, f"{self.root}/{name}", f"assets/{name}")

    def build(self, logical: str, sources: list[str], chain: Filters) -> Result:
        named = [[one, {}] if isinstance(one, str) else list(one) for one in chain]
        options = {"filters": named, "minify": True}
        job = Job("filters", (logical,), tuple(map(self.source, sources)), options, f'entries."{logical}"')
        return filters.build(job, Reading(Library(RealDisk(), self.folder, (self.root,))), self.shop)

    def finding(self, logical: str, sources: list[str], chain: Filters) -> Diagnostic:
        with pytest.raises(DiagnosticsError) as caught:
            self.build(logical, sources, chain)
        return caught.value.diagnostics[0]


Bed = Callable[[dict[str, str | bytes]], Bench]


@pytest.fixture
def bed(tree: Tree, workers: Workers) -> Bed:
    return lambda files: Bench(tree({f"assets/{name}": text for name, text in files.items()}), workers)


def written(result: Result) -> str:
    """Return the text of the one draft, each reference as `<logical path>`."""
    (draft,) = result.drafts
    assert not isinstance(draft.body, Blob)
    return "".join(piece.decode() if isinstance(piece, bytes) else f"<{piece.target}>" for piece in draft.body)


def test_a_theme_of_libsass_and_rcssmin_compiles(bed: Bed) -> None:
    bench = bed(
        {
            "theme/a.scss": "@import 'parts/b';\n.a { &:hover { background: url(img/x.png) } }\n",
            "theme/parts/_b.scss": "/* gone */\n.b { background: url('img/y.png?v=1#f') }\n",
            "theme/img/x.png": b"x",
            "theme/parts/img/y.png": b"y",
        }
    )

    result = bench.build("css/theme.css", ["theme/a.scss"], ["libsass", "rcssmin"])

    assert written(result) == (
        '.b{background:url("<theme/parts/img/y.png>?v=1#f")}.a:hover{background:url(<theme/img/x.png>)}'
    )
    assert [result.drafts[0].logical, result.drafts[0].media_type] == ["css/theme.css", "text/css; charset=utf-8"]
    assert (result.drafts[0].facts.kind, result.drafts[0].facts.is_entry) == ("style", True)
    assert result.drafts[0].facts.source == "assets/theme/a.scss"
    assert result.diagnostics == ()
    assert f"{bench.root}/theme/parts/_b.scss" in [one.file for one in result.inputs]
    assert f"{bench.root}/theme/parts/b.scss" in result.absent
    assert set(result.tools) == {"webassets", "libsass", "rcssmin"}


@pytest.mark.parametrize("chain", [["cssrewrite"], [], ["cssrewrite", "rcssmin"], ["rcssmin", "cssrewrite"]])
def test_each_source_keeps_what_it_refers_to(bed: Bed, chain: Filters) -> None:
    bench = bed(
        {
            "one/a.css": ".a{b:url(img/x.png)}",
            "two/deep/b.css": ".c{d:url(../img/x.png)}",
            "one/img/x.png": b"1",
            "two/img/x.png": b"2",
        }
    )

    result = bench.build("css/all.css", ["one/a.css", "two/deep/b.css"], chain)

    joint = "" if "rcssmin" in chain else "\n"
    assert written(result) == f".a{{b:url(<one/img/x.png>)}}{joint}.c{{d:url(<two/img/x.png>)}}"


def test_cssrewrite_takes_its_replacements(bed: Bed) -> None:
    bench = bed({"one/a.css": ".a{b:url(../old/x.png)}"})

    result = bench.build("css/all.css", ["one/a.css"], [("cssrewrite", {"replace": {"old": "https://cdn.example/"}})])

    assert written(result) == ".a{b:url(https://cdn.example/x.png)}"


def test_rcssmin_cannot_drop_the_space_of_a_name(bed: Bed) -> None:
    bench = bed({"a.css": '@font-face { src: url("a b.woff2") }', "a b.woff2": b"font"})

    assert written(bench.build("all.css", ["a.css"], ["rcssmin"])) == '@font-face{src:url("<a b.woff2>")}'


def test_rcssmin_alone_needs_neither_webassets_nor_a_worker(tree: Tree) -> None:
    workers = Workers(1)
    workers.close()

    result = Bench(tree({"assets/a.css": "a { color: red }"}), workers).build("out.css", ["a.css"], ["rcssmin"])

    assert "a{color:red}" == written(result)
    assert {"rcssmin"} == set(result.tools)


def test_rcssmin_keeps_the_space_before_a_pseudo_class(bed: Bed) -> None:
    bench = bed({"a.css": "@layer x { .a :hover { --b: [1, 2]; c: d/**/e } }"})

    assert written(bench.build("all.css", ["a.css"], ["rcssmin"])) == "@layer x{.a :hover{--b:[1, 2];c:d/**/e}}"


def test_options_reach_the_filter(bed: Bed) -> None:
    bench = bed({"a.css": "/*! kept */ a { b: c }\n/* gone */"})

    assert written(bench.build("all.css", ["a.css"], [("rcssmin", {"keep_bang_comments": True})])) == (
        "/*! kept */a{b:c}"
    )
    assert written(bench.build("all.css", ["a.css"], ["rcssmin"])) == "a{b:c}"


def test_the_environment_is_no_option(bed: Bed, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCSSMIN_KEEP_BANG_COMMENTS", "1")

    with Workers(1) as fresh:
        bench = Bench(tree({"assets/a.css": "/*! gone */a{b:c}"}), fresh)
        assert written(bench.build("all.css", ["a.css"], ["rcssmin"])) == "a{b:c}"


def test_libsass_takes_its_style_and_its_includes(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'm';\n.a { b: $m }", "lib/_m.scss": "$m: 1px / 3;"})
    options = {"style": "compressed", "includes": ["assets/lib"]}

    assert written(bench.build("all.css", ["a.scss"], [("libsass", options)])) == ".a{b:.33333px}\n"


def test_libsass_as_an_output_filter_sees_all_sources_as_one(bed: Bed) -> None:
    bench = bed({"a.scss": "$a: red;", "b.scss": ".b { c: $a }"})

    result = bench.build("all.css", ["a.scss", "b.scss"], [("libsass", {"as_output": True, "style": "compact"})])

    assert written(result) == ".b { c: red; }\n"


def test_libsass_is_the_guarded_engine(bed: Bed) -> None:
    bench = bed({"a.scss": "@import 'b';", "_b.scss": "\n@use 'c';", "_c.scss": ""})

    found = bench.finding("all.css", ["a.scss"], ["libsass", "rcssmin"])

    assert (found.message, found.span and found.span[:3]) == ("libsass cannot read `@use`", ("assets/_b.scss", 2, 1))


def test_a_missing_reference_is_reported_where_it_was_written(bed: Bed) -> None:
    bench = bed({"one/a.css": ".x {}\n", "two/b.css": "\n.b { c: url(none.png) }"})

    result = bench.build("css/all.css", ["one/a.css", "two/b.css"], ["rcssmin"])

    (found,) = result.diagnostics
    assert (found.rule, found.severity) == ("missing-reference", "error")
    assert found.span is not None
    assert found.span[:2] == ("assets/two/b.css", 2)


def test_a_reference_that_cssrewrite_rewrote_is_still_reported_by_its_line(bed: Bed) -> None:
    bench = bed({"one/a.css": ".x {}\n", "two/b.css": "\n\n.b { c: url(none.png) }"})

    (found,) = bench.build("css/all.css", ["one/a.css", "two/b.css"], ["cssrewrite", "rcssmin"]).diagnostics

    assert found.message == "`../two/none.png` is not in any asset root"
    assert found.span is not None
    assert (found.span[:2], found.span.text) == (("assets/two/b.css", 3), ".b { c: url(none.png) }")


def test_libsass_and_cssrewrite_together_keep_the_line_of_the_partial(bed: Bed) -> None:
    bench = bed({"one/a.scss": "@import 'b';", "one/_b.scss": "\n\n.b { c: url(none.png) }"})

    (found,) = bench.build("css/all.css", ["one/a.scss"], ["libsass", "cssrewrite"]).diagnostics

    assert found.span is not None
    assert found.span[:2] == ("assets/one/_b.scss", 3)


def test_scripts_are_joined_and_minified(bed: Bed) -> None:
    bench = bed({"a.js": "var a = 1; // one\n", "b.js": "var b  =  2;\n"})

    result = bench.build("all.js", ["a.js", "b.js"], ["rjsmin"])

    assert written(result) == "var a=1;var b=2;"
    assert (result.drafts[0].media_type, result.drafts[0].facts.kind) == ("text/javascript; charset=utf-8", "classic")
    assert set(result.tools) >= {"webassets", "rjsmin"}
    assert written(bench.build("all.js", ["a.js", "b.js"], ["jsmin"])) == "var a=1;var b=2;"
    assert written(bench.build("all.js", ["a.js", "b.js"], [])) == "var a = 1; // one\n\nvar b  =  2;\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rjsmin", "class Q {\n  #current = null\n  #queue = []\n}\n"),
        ("rjsmin", "f(() => /a  b/.test(c))\n"),
        ("rjsmin", "g = `a${`b  //c ${d}`}`\n"),
        ("jsmin", "g = `a${`b  //c ${d}`}`\n"),
    ],
)
def test_a_script_that_a_minifier_breaks_is_refused(bed: Bed, name: str, text: str) -> None:
    assert bed({"a.js": text}).finding("all.js", ["a.js"], [name]).rule == "minifier-broke-script"


def test_a_filter_that_joins_takes_the_place_of_the_line_feed(bed: Bed) -> None:
    bench = bed({"t/a.jst": "<p>one</p>", "t/b.jst": "<p>two</p>"})

    text = written(bench.build("all.js", ["t/a.jst", "t/b.jst"], [("jst", {"bare": True})]))

    assert text.splitlines()[2:] == [
        """window.JST['a'] = template("<p>one</p>");""",
        """window.JST['b'] = template("<p>two</p>");""",
    ]


def test_two_filters_that_join_cannot_be_combined(bed: Bed) -> None:
    found = bed({"a.jst": "x"}).finding("all.js", ["a.jst"], ["jst", "jst"])

    assert found.message == "filters `jst` and `jst` cannot be combined: each joins the sources"


def test_input_filters_run_before_the_join_in_their_order(bed: Bed) -> None:
    bench = bed({"a.css": "{{ 'a' }}{b:url(x.png)}", "x.png": b"x"})

    result = bench.build("css/all.css", ["a.css"], [("jinja2", {"context": {}}), "cssrewrite"])

    assert written(result) == "a{b:url(<x.png>)}"


@pytest.mark.parametrize(
    ("chain", "error", "message", "hint"),
    [
        (["rcsmin"], DiagnosticsError, "there is no filter `rcsmin`", "did you mean `rcssmin`?"),
        (
            [("rcssmin", {"keep_bang": True})],
            DiagnosticsError,
            "filter `rcssmin` has no option `keep_bang`",
            "it has `keep_bang_comments`",
        ),
        (
            [("libsass", {"style": "expandet"})],
            CompileFailed,
            "filter `libsass` has no style `expandet`",
            "did you mean `expanded`?",
        ),
        (
            ["slimmer_css"],
            EngineUnavailable,
            "filter `slimmer_css` needs the package `slimmer`, which is not installed",
            "pip install slimmer",
        ),
        (
            ["pyscss"],
            EngineUnavailable,
            "filter `pyscss` needs the package `pyScss`, which is not installed",
            "pip install pyScss",
        ),
    ],
)
def test_a_filter_that_cannot_be_is_named(
    bed: Bed, chain: Filters, error: type[DiagnosticsError], message: str, hint: str
) -> None:
    bench = bed({"a.css": "a{b:c}"})

    with pytest.raises(error) as caught:
        bench.build("all.css", ["a.css"], chain)

    (found,) = caught.value.diagnostics
    assert (found.message, found.hint) == (message, hint)
    assert type(caught.value) is error


def test_an_absent_program_is_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with Workers(1) as fresh:
        bench = Bench(tree({"assets/a.css": "a{b:c}"}), fresh)
        with pytest.raises(EngineUnavailable) as caught:
            bench.build("all.css", ["a.css"], ["cleancss"])

    (found,) = caught.value.diagnostics
    assert found.message == "filter `cleancss` needs the program `cleancss`, which is not on the PATH"


def test_what_a_filter_raises_is_a_finding_about_its_source(bed: Bed) -> None:
    found = bed({"a.css": "{{ a.b }}"}).finding("all.css", ["a.css"], [("jinja2", {"context": {}})])

    assert (found.rule, found.message) == ("filter-failed", "filter `jinja2` failed: UndefinedError: 'a' is undefined")
    assert found.span is not None
    assert found.span.path == "assets/a.css"


def test_a_source_passes_the_door(bed: Bed) -> None:
    found = bed({"a.css": b"a{b:'\xff'}"}).finding("all.css", ["a.css"], ["rcssmin"])

    assert (found.rule, found.span and found.span.path) == ("not-utf8", "assets/a.css")


def test_equal_input_gives_equal_drafts_and_nothing_is_written_beside_the_sources(bed: Bed) -> None:
    bench = bed({"a.scss": ".a { b: url(x.png) }", "x.png": b"x"})
    before = sorted(Path(bench.folder).rglob("*"))

    chain: Filters = ["libsass", "cssrewrite", "rcssmin"]
    made = [bench.build("css/all.css", ["a.scss"], chain) for _ in range(2)]

    assert made[0].drafts == made[1].drafts
    assert sorted(Path(bench.folder).rglob("*")) == before

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from assetbuild.compiler.door import Refused
from assetbuild.compiler.engines import sass
from assetbuild.compiler.engines.sass import Compiled
from assetbuild.compiler.errors import CompileFailed, DiagnosticsError
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project, Root, Sass, Urls
from assetbuild.diagnostic import Diagnostic, Note, Span
from tests.conftest import Tree
from tests.sass_shop import project_at, reading_of, shop_of, source_at

MORE_ON_IMPORT = "more info and automated migrator: https://sass-lang.com/d/import"


class Run(NamedTuple):
    """A compile that is over: what it made and what it read."""

    made: Compiled
    reading: Reading
    folder: Path

    def inputs(self) -> list[str]:
        return [os.path.relpath(found.file, self.folder) for found in self.reading.inputs()]

    def absent(self) -> list[str]:
        return [os.path.relpath(file, self.folder) for file in self.reading.absent()]


class Bench:
    """Compiles entries of small projects."""

    def __init__(self, tree: Tree, stack: ExitStack) -> None:
        self._tree = tree
        self._stack = stack

    def run(
        self,
        files: Mapping[str, str | bytes],
        entry: str = "app.scss",
        *,
        roots: tuple[str, ...] = ("assets",),
        settings: Sass | None = None,
        urls: Urls | None = None,
    ) -> Run:
        folder = self._tree(files)
        given = tuple(Root(str(folder / root), root) for root in roots)
        settings = settings or Sass()
        load_paths = tuple(str(folder / path) for path in settings.load_paths)
        project = project_at(folder, given, settings._replace(load_paths=load_paths), urls)
        reading = reading_of(project)
        shop = self._stack.enter_context(shop_of(project))
        return Run(sass.compile(source_at(project, entry), reading, shop), reading, folder)

    def css(self, files: Mapping[str, str | bytes], entry: str = "app.scss") -> str:
        return self.run(files, entry).made.css

    def errors(
        self, files: Mapping[str, str | bytes], kind: type[DiagnosticsError] = CompileFailed, entry: str = "app.scss"
    ) -> tuple[Diagnostic, ...]:
        with pytest.raises(kind) as caught:
            self.run(files, entry)
        return caught.value.diagnostics


@pytest.fixture
def bench(tree: Tree) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tree, stack)


def test_modules_are_configured_forwarded_and_loaded_as_css(bench: Bench) -> None:
    css = bench.css(
        {
            "assets/app.scss": '@use "lib" with ($c: red); @use "sass:meta";\na { b: lib.$c }\n'
            'c { @include meta.load-css("lib/part") }',
            "assets/lib/_index.scss": '@forward "vars";',
            "assets/lib/_vars.scss": "$c: blue !default;",
            "assets/lib/_part.scss": "d { e: f }",
        }
    )

    assert css == "a {\n  b: red;\n}\n\nc d {\n  e: f;\n}"


def test_the_indented_syntax_loads_scss_and_the_other_way_round(bench: Bench) -> None:
    css = bench.css(
        {
            "assets/app.sass": '@use "b"\n.x\n  @include b.m',
            "assets/_b.scss": '@use "c"; @mixin m { y: c.$z }',
            "assets/_c.sass": "$z: 1px",
        },
        "app.sass",
    )

    assert css == ".x {\n  y: 1px;\n}"


def test_plain_css_imports_stay_and_loaded_css_is_taken_as_it_is(bench: Bench) -> None:
    css = bench.css(
        {
            "assets/app.scss": '@import url(a.css); @import "b.css"; @import "http://x/c"; @import "d" screen;\n'
            '@import "e";',
            "assets/_e.css": "a { & b { c: d } }",
        }
    )

    kept = '@import url(a.css);\n@import "b.css";\n@import "http://x/c";\n@import "d" screen;\n'
    assert css == kept + "a {\n  & b {\n    c: d;\n  }\n}"


def test_loads_come_from_load_paths_roots_packages_and_aliases(bench: Bench) -> None:
    in_packages = ["kit", "~kit/scss/tilde", "pkg:kit/scss/scheme", "kit/scss/bare"]
    written = ["beside", "loadpath", "other/rooted", *in_packages, "~/loose/project", "@/aliased", "l:a b"]
    files = {
        "assets/scss/app.scss": "".join(f'@use "{name}" as *;\n' for name in written),
        "assets/scss/_beside.scss": "beside { a: b }",
        "styles/_loadpath.scss": "loadpath { a: b }",
        "more/other/_rooted.scss": "rooted { a: b }",
        "loose/_project.scss": "project { a: b }",
        "more/al/_aliased.scss": "aliased { a: b }",
        "more/al/_a b.scss": "spaced { a: b }",
        "node_modules/kit/package.json": '{"exports": {"sass": "./main.scss"}}',
        "node_modules/kit/main.scss": '@use "scss/inner"; main { a: b }',
        "node_modules/kit/scss/_inner.scss": '@use "pkg:dep"; inner { a: b }',
        "node_modules/kit/scss/_tilde.scss": "tilde { a: b }",
        "node_modules/kit/scss/_scheme.scss": "scheme { a: b }",
        "node_modules/kit/scss/_bare.scss": "bare { a: b }",
        "node_modules/kit/node_modules/dep/package.json": "{}",
        "node_modules/kit/node_modules/dep/_index.scss": "dep { a: b }",
    }

    run = bench.run(
        files,
        "scss/app.scss",
        roots=("assets", "more", "loose"),
        settings=Sass(load_paths=("absent", "styles")),
        urls=Urls({"@": "more/al", "l:": "more/al"}),
    )

    rules = [line.removesuffix(" {") for line in run.made.css.splitlines() if line.endswith("{")]
    names = [
        "beside",
        "loadpath",
        "rooted",
        "dep",
        "inner",
        "main",
        "tilde",
        "scheme",
        "bare",
        "project",
        "aliased",
        "spaced",
    ]
    assert rules == names
    packages = {name for name in files if name.endswith("package.json")}
    assert set(run.inputs()) == {name for name in files if name.endswith(".scss")} | packages


def test_names_that_would_have_won_are_recorded(bench: Bench) -> None:
    run = bench.run({"assets/scss/app.scss": '@use "b";', "assets/_b.css": ""}, "scss/app.scss")

    names = ("_b.sass", "b.sass", "_b.scss", "b.scss", "_b.css", "b.css")
    beside = {f"assets/scss/{name}" for name in names} | {
        f"assets/scss/b/{name}" for name in (first.replace("b.", "index.") for first in names)
    }
    rooted = {f"assets/{name}" for name in names if name != "_b.css"}
    assert run.inputs() == ["assets/_b.css", "assets/scss/app.scss"]
    assert set(run.absent()) == beside | rooted


def test_names_with_odd_characters_are_found(bench: Bench) -> None:
    css = bench.css(
        {"assets/ä #1/app & 2.scss": '@use "ü b" as *;', "assets/ä #1/_ü b.scss": "a { b: c }"}, "ä #1/app & 2.scss"
    )

    assert css == "a {\n  b: c;\n}"


def test_every_sheet_passes_the_door(bench: Bench) -> None:
    (found,) = bench.errors({"assets/app.scss": '@use "b";', "assets/_b.scss": b"a { b: \xe4 }"}, Refused)

    assert (found.rule, found.span and found.span[:3]) == ("not-utf8", ("assets/_b.scss", 1, 8))


def test_a_byte_order_mark_does_not_shift_places(bench: Bench) -> None:
    (found,) = bench.errors({"assets/app.scss": b"\xef\xbb\xbfa { b: $c }"})

    assert found.span == Span("assets/app.scss", 1, 8, 2, "a { b: $c }")


def test_an_error_says_where_it_is_in_characters_and_how_it_was_reached(bench: Bench) -> None:
    found = bench.errors(
        {
            "assets/app.scss": '@use "parts/b";\n\n.x { @include b.outer }',
            "assets/parts/_b.scss": "@mixin outer { @include inner }\r\n@mixin inner { /* é𝒳 */ y: $z }",
        }
    )

    outer, inner = "@mixin outer { @include inner }", "@mixin inner { /* é𝒳 */ y: $z }"
    assert found == (
        Diagnostic(
            "sass-error",
            "error",
            "undefined variable",
            Span("assets/parts/_b.scss", 2, 28, 2, inner),
            "",
            (
                Note("outer()", Span("assets/parts/_b.scss", 1, 16, 1, outer)),
                Note("root stylesheet", Span("assets/app.scss", 3, 6, 1, ".x { @include b.outer }")),
            ),
        ),
    )


def test_an_error_of_the_project_s_own_keeps_its_words(bench: Bench) -> None:
    (found,) = bench.errors({"assets/app.scss": '@error "Set $x. Please";'})

    assert (found.rule, found.message) == ("sass-error", '"Set $x. Please"')
    assert found.span == Span("assets/app.scss", 1, 1, 23, '@error "Set $x. Please";')


@pytest.mark.parametrize(
    ("files", "rule", "message", "hint"),
    [
        (
            {"assets/_colours.scss": ""},
            "missing-stylesheet",
            "stylesheet `colour` is not found",
            "did you mean `colours`?",
        ),
        (
            {"assets/_colour.scss": "", "assets/colour.scss": ""},
            "ambiguous-stylesheet",
            "it is not clear which file is meant: `assets/_colour.scss` and `assets/colour.scss`",
            "rename or remove all but one",
        ),
        (
            {"assets/colour.scss/x": ""},
            "missing-stylesheet",
            "stylesheet `colour` is not found",
            "looked in `assets`, package `colour`",
        ),
    ],
)
def test_a_load_that_gives_no_file_is_an_error_at_the_load(
    bench: Bench, files: Mapping[str, str], rule: str, message: str, hint: str
) -> None:
    text = '// colours\n@use "colour" as c;'

    found = bench.errors({"assets/app.scss": text, **files})

    span = Span("assets/app.scss", 2, 1, 18, '@use "colour" as c;')
    assert found == (Diagnostic(rule, "error", message, span, hint),)


def test_a_load_from_outside_the_declared_folders_is_refused_at_the_load(bench: Bench) -> None:
    (found,) = bench.errors({"assets/app.scss": '@use "../secret/keys";', "secret/_keys.scss": "a { b: c }"})

    assert (found.rule, found.message) == ("outside-roots", "`secret/_keys.scss` lies outside the declared roots")
    assert found.span == Span("assets/app.scss", 1, 1, 21, '@use "../secret/keys";')


def test_deprecations_of_the_project_are_grouped_and_have_places(bench: Bench) -> None:
    made = bench.run(
        {"assets/app.scss": '@import "b";\n@import "c";', "assets/_b.scss": "a { b: c }", "assets/_c.scss": ""}
    ).made

    message = "Sass @import rules are deprecated and will be removed in Dart Sass 3.0.0"
    assert made.diagnostics == tuple(
        Diagnostic(
            "sass-deprecation",
            "warning",
            message,
            Span("assets/app.scss", line, 9, 3, f'@import "{name}";'),
            MORE_ON_IMPORT,
            group="sass:import",
        )
        for line, name in ((1, "b"), (2, "c"))
    )


def test_what_the_compiler_recommends_is_the_hint(bench: Bench) -> None:
    (found,) = bench.run({"assets/app.scss": "a { b: if(true, 1, 2) }"}).made.diagnostics

    assert found.message == "the Sass if() syntax is deprecated in favor of the modern CSS syntax"
    assert found.hint == "suggestion: if(sass(true): 1; else: 2); more info: https://sass-lang.com/d/if-function"
    assert (found.span, found.group) == (
        Span("assets/app.scss", 1, 8, 14, "a { b: if(true, 1, 2) }"),
        "sass:if-function",
    )


def test_more_than_five_deprecations_of_a_kind_are_all_told(bench: Bench) -> None:
    names = "bcdefghij"
    files = {f"assets/_{name}.scss": "" for name in names}

    made = bench.run({"assets/app.scss": "".join(f'@import "{name}";\n' for name in names), **files}).made

    assert len(made.diagnostics) == len(names)


def test_deprecations_of_a_package_are_counted_in_one_note(bench: Bench) -> None:
    made = bench.run(
        {
            "assets/app.scss": '@use "kit";\n@use "@other/set";',
            "node_modules/@other/set/package.json": "{}",
            "node_modules/@other/set/_index.scss": '@import "a";',
            "node_modules/@other/set/_a.scss": "",
            "node_modules/kit/package.json": "{}",
            "node_modules/kit/_index.scss": '@import "a", "b";\nc { d: lighten(red, 1%) }',
            "node_modules/kit/_a.scss": "",
            "node_modules/kit/_b.scss": "",
        }
    ).made

    other = "package `@other/set` uses deprecated Sass once: `import` 1"
    kit = "package `kit` uses deprecated Sass 4 times: `color-functions` 1, `global-builtin` 1, `import` 2"
    assert made.diagnostics == (
        Diagnostic("sass-deprecation", "note", other, group="sass:package:@other/set"),
        Diagnostic("sass-deprecation", "note", kit, group="sass:package:kit"),
    )


def test_a_deprecation_can_be_silenced(bench: Bench) -> None:
    files = {"assets/app.scss": '@import "b";', "assets/_b.scss": ""}

    assert bench.run(files, settings=Sass(silence=("import",))).made.diagnostics == ()


def test_a_deprecation_can_be_made_fatal(bench: Bench) -> None:
    with pytest.raises(CompileFailed) as caught:
        bench.run({"assets/app.scss": '@import "b";', "assets/_b.scss": ""}, settings=Sass(fatal=("import",)))

    (found,) = caught.value.diagnostics
    assert found.message == "Sass @import rules are deprecated and will be removed in Dart Sass 3.0.0"
    assert found.span == Span("assets/app.scss", 1, 9, 3, '@import "b";')


def test_an_unknown_id_is_a_warning_that_names_the_settings(bench: Bench) -> None:
    made = bench.run({"assets/app.scss": "a { b: c }"}, settings=Sass(silence=("nonsense",))).made

    message = 'invalid deprecation id "nonsense"'
    hint = "`silence` and `fatal` under `[sass]` take the compiler's own ids"
    assert made.diagnostics == (Diagnostic("sass-setting", "warning", message, None, hint, group="sass:settings"),)


def test_warn_and_debug_keep_their_words_and_have_places(bench: Bench) -> None:
    made = bench.run(
        {
            "assets/app.scss": '@use "b";\n.x { @include b.m }',
            "assets/_b.scss": '@mixin m {\n  @warn "Old Name.";\n  @debug 1 + 1;\n}',
        }
    ).made

    warning, debug = made.diagnostics
    calls = (Note("root stylesheet", Span("assets/app.scss", 2, 6, 1, ".x { @include b.m }")),)
    place = Span("assets/_b.scss", 2, 3, 1, '  @warn "Old Name.";')
    assert warning == Diagnostic("sass-warning", "warning", "Old Name.", place, "", calls)
    assert debug == Diagnostic("sass-debug", "note", "2", Span("assets/_b.scss", 3, 3, 12, "  @debug 1 + 1;"))


def test_warnings_are_told_beside_the_error_that_follows_them(bench: Bench) -> None:
    found = bench.errors({"assets/app.scss": '@warn "first";\na { b: $c }'})

    assert [(one.severity, one.message) for one in found] == [("warning", "first"), ("error", "undefined variable")]


def origin(run: Run, text: str) -> tuple[Source, Span]:
    return run.made.origin(run.made.css.index(text))


def test_text_in_the_css_leads_back_to_the_partial_that_it_was_written_in(bench: Bench) -> None:
    run = bench.run(
        {
            "assets/app.scss": '@use "sub/b";\n@use "kit";\n/* 𝒳é */ a { b: url(own.png) }\n'
            ".x { @include b.m; y: b.$image }",
            "assets/sub/_b.scss": '$image: url("sub.png");\r\n@mixin m {\r\n  z: 1px\r\n    url(far.png);\r\n}',
            "node_modules/kit/package.json": "{}",
            "node_modules/kit/_index.scss": "k { l: url('kit.png') }",
        }
    )

    folder = str(run.folder)
    partial = Source("sub/_b.scss", f"{folder}/assets/sub/_b.scss", "assets/sub/_b.scss")
    kit_file = "node_modules/kit/_index.scss"
    kit = Source("npm/kit/_index.scss", f"{folder}/{kit_file}", kit_file, is_first_party=False)
    app = Source("app.scss", f"{folder}/assets/app.scss", "assets/app.scss")
    own_line = "/* 𝒳é */ a { b: url(own.png) }"
    assert origin(run, "own.png") == (app, Span("assets/app.scss", 3, 21, 7, own_line))
    assert origin(run, "sub.png") == (partial, Span("assets/sub/_b.scss", 1, 14, 7, '$image: url("sub.png");'))
    assert origin(run, "far.png") == (partial, Span("assets/sub/_b.scss", 4, 9, 7, "    url(far.png);"))
    assert origin(run, "kit.png") == (kit, Span(kit_file, 1, 13, 7, "k { l: url('kit.png') }"))


def test_a_root_that_only_warns_is_not_first_party(bench: Bench, tree: Tree) -> None:
    folder = tree({"assets/app.scss": '@use "admin/b";', "lib/admin/_b.scss": "a { b: url(c.png) }"})
    library = Root(str(folder / "lib"), "lib", missing="warn")
    project: Project = project_at(folder, (Root(str(folder / "assets"), "assets"), library))

    with shop_of(project) as shop:
        made = sass.compile(source_at(project, "app.scss"), reading_of(project), shop)

    found = made.origin(made.css.index("c.png"))[0]
    assert found == Source(
        "admin/_b.scss", str(folder / "lib/admin/_b.scss"), "lib/admin/_b.scss", is_first_party=False
    )


def test_an_empty_sheet_is_an_empty_sheet(bench: Bench) -> None:
    made = bench.run({"assets/app.scss": "// nothing\n"}).made

    assert made.css == ""
    assert made.origin(0)[1] == Span("assets/app.scss")


def test_the_version_is_the_compiler_s_own(bench: Bench) -> None:
    assert bench.run({"assets/app.scss": "a{b:c}"}).made.version == "1.99.0"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"assets/app.scss": "// {\n" + "@media x{" * 201}, ("assets/app.scss", 2, 9 * 201)),
        ({"assets/app.scss": '@use "deep";', "assets/_deep.scss": "$a: " + "(" * 201}, ("assets/_deep.scss", 1, 205)),
        (
            {"assets/app.scss": '@use "deep";', "assets/_deep.sass": "".join(f"{' ' * n}a\n" for n in range(202))},
            ("assets/_deep.sass", 202, 202),
        ),
    ],
    ids=["the entry", "a sheet that is loaded", "the indented syntax"],
)
def test_what_nests_too_deep_is_named_before_the_compiler_breaks_down(
    bench: Bench, files: Mapping[str, str], place: tuple[str, int, int]
) -> None:
    (found,) = bench.errors(files)

    assert found.span is not None
    assert ("too-deep", "blocks nest deeper than 200") == (found.rule, found.message)
    assert place == (found.span.path, found.span.line, found.span.column)


def test_brackets_in_comments_nest_nothing(bench: Bench) -> None:
    assert "a {\n  b: c;\n}" == bench.css({"assets/app.scss": f"// {'{' * 300}\na {{ b: c }}"})

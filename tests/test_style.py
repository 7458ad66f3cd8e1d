from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from assetbuild.compiler.engines import style
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.model import Blob, Facts, Job, Ref, Result
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.diagnostic import Diagnostic
from tests.conftest import Tree
from tests.sass_shop import project_at, reading_of, shop_of, source_at

OPTIONS = {"bundle": True, "minify": False, "engine": "builtin", "targets": [], "sass": "dart-sass"}


def knowing(shop: Shop, folder: Path) -> Shop:
    """Return the shop with every file below `assets` published."""
    files = sorted(file for file in (folder / "assets").rglob("*") if file.is_file())
    sources = [source_at(shop.project, file.relative_to(folder / "assets").as_posix()) for file in files]
    published = [source for source in sources if not source.file.endswith((".scss", ".sass"))]
    inventory = Inventory({s.logical: s for s in published}, {s.file: s for s in published}, {})
    return shop._replace(resolver=Resolver(shop.project, inventory))


def built(tree: Tree, files: Mapping[str, str | bytes], entry: str, logical: str, **options: object) -> Result:
    folder = tree(files)
    project = project_at(folder)
    with shop_of(project) as shop:
        job = Job("style", (logical,), (source_at(project, entry),), {**OPTIONS, **options}, "entries")
        return style.build(job, reading_of(project), knowing(shop, folder))


def body(result: Result) -> list[str]:
    """Return the pieces of the only draft, references as `<target>`."""
    (draft,) = result.drafts
    assert not isinstance(draft.body, Blob)
    return [f"<{piece.target}>" if isinstance(piece, Ref) else piece.decode() for piece in draft.body]


def test_references_are_found_beside_the_entry_or_beside_the_partial_that_wrote_them(tree: Tree) -> None:
    made = built(
        tree,
        {
            "assets/scss/app.scss": '@use "parts/b";\na { b: url("own.png") }',
            "assets/scss/parts/_b.scss": "c { d: url(far.png?x#y) }",
            "assets/css/own.png": b"1",
            "assets/scss/parts/far.png": b"2",
        },
        "scss/app.scss",
        "css/app.css",
    )

    far = 'c {\n  d: url(<scss/parts/far.png>?x#y);\n}\n\na {\n  b: url("<css/own.png>");\n}'
    assert "".join(body(made)).strip() == far
    assert made.diagnostics == ()


def test_an_entry_names_its_source_its_compiler_and_all_that_it_read(tree: Tree) -> None:
    made = built(tree, {"assets/a.sass": '@use "b"', "assets/_b.scss": "c { d: e }"}, "a.sass", "a.css")

    (draft,) = made.drafts
    assert (draft.logical, draft.media_type) == ("a.css", "text/css; charset=utf-8")
    assert draft.facts == Facts(kind="style", is_entry=True, source="assets/a.sass")
    assert [Path(found.file).name for found in made.inputs] == ["_b.scss", "a.sass"]
    assert "_b.sass" in {Path(file).name for file in made.absent}
    assert made.tools == {"dart-sass": "1.99.0"}


def test_libsass_compiles_where_it_is_chosen(tree: Tree) -> None:
    pytest.importorskip("sass", reason="needs libsass")

    made = built(tree, {"assets/a.scss": "$x: 1px;\na { b { c: $x } }"}, "a.scss", "a.css", sass="libsass")

    assert "".join(body(made)).split() == ["a", "b", "{", "c:", "1px;", "}"]
    assert list(made.tools) == ["libsass"]


def test_plain_css_needs_no_sass(tree: Tree) -> None:
    made = built(tree, {"assets/a.css": "a { b: $x }"}, "a.css", "css/a.css")

    assert "".join(body(made)).strip() == "a { b: $x }"
    assert made.tools == {}


def test_a_missing_reference_is_told_where_it_was_written(tree: Tree) -> None:
    files = {"assets/a.scss": '@use "b";', "assets/_b.scss": '$image: "none.png";\nc {\n  d: url("gone.png");\n}'}

    try:
        found = built(tree, files, "a.scss", "a.css").diagnostics
    except DiagnosticsError as error:
        found = error.diagnostics

    (missing,) = [one for one in found if one.severity == "error"]
    assert isinstance(missing, Diagnostic)
    assert missing.rule == "missing-reference"
    assert missing.span is not None
    assert missing.span[:4] == ("assets/_b.scss", 3, 11, 8)


def test_minifying_keeps_the_references(tree: Tree) -> None:
    made = built(
        tree, {"assets/a.scss": "a { b: url( i.png ); }", "assets/i.png": b"1"}, "a.scss", "a.css", minify=True
    )

    assert body(made) == ["a{b:url(", "<i.png>", ")}"]

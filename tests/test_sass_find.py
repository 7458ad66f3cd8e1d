from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from assetbuild.compiler.engines.sass.find import Finder, Refusal
from assetbuild.compiler.files import Reading
from assetbuild.compiler.project import Project, Root, Sass, Urls
from tests.conftest import Tree
from tests.sass_shop import project_at, reading_of


def found(
    project: Project, written: str, loader: str = "assets/app.scss", *, from_import: bool = False
) -> str | Refusal:
    """Return what `written` means in `loader`, as a path relative to the project."""
    file = Finder(project, reading_of(project)).load(written, os.path.join(project.folder, loader), from_import)
    return file if isinstance(file, Refusal) else os.path.relpath(file, project.folder)


def absent(reading: Reading, folder: Path) -> list[str]:
    return [os.path.relpath(file, folder) for file in reading.absent()]


@pytest.mark.parametrize(
    ("files", "written", "expected"),
    [
        (["a.scss"], "a", "a.scss"),
        (["_a.scss"], "a", "_a.scss"),
        (["_a.scss"], "_a", "_a.scss"),
        (["a.sass"], "a", "a.sass"),
        (["a.css"], "a", "a.css"),
        (["a.css", "_a.scss"], "a", "_a.scss"),
        (["a.css", "a.scss"], "a.css", "a.css"),
        (["_a.css"], "a.css", "_a.css"),
        (["a/index.scss"], "a", "a/index.scss"),
        (["a/_index.scss"], "a", "a/_index.scss"),
        (["a/_index.sass", "_a.scss"], "a", "_a.scss"),
        (["a.css", "a/_index.scss"], "a", "a.css"),
        (["b/c/_d.scss"], "b/c/d", "b/c/_d.scss"),
        (["a.b.scss"], "a.b", "a.b.scss"),
        (["a.import.scss", "a.scss"], "a", "a.scss"),
        (["a.scss", "a/_index.scss"], "a/", "a/_index.scss"),
    ],
)
def test_a_path_stands_for_a_file_as_the_specification_says(
    tree: Tree, files: list[str], written: str, expected: str
) -> None:
    folder = tree({f"assets/{file}": "" for file in files})

    assert found(project_at(folder), written) == f"assets/{expected}"


@pytest.mark.parametrize(
    ("files", "written", "expected"),
    [
        (["a.import.scss", "a.scss"], "a", "a.import.scss"),
        (["_a.import.sass", "a.scss"], "a", "_a.import.sass"),
        (["a.import.scss", "a.scss"], "a.scss", "a.import.scss"),
        (["a/index.import.scss", "a/_index.scss"], "a", "a/index.import.scss"),
        (["a.scss"], "a", "a.scss"),
    ],
)
def test_an_import_prefers_files_made_for_it(tree: Tree, files: list[str], written: str, expected: str) -> None:
    folder = tree({f"assets/{file}": "" for file in files})

    assert found(project_at(folder), written, from_import=True) == f"assets/{expected}"


@pytest.mark.parametrize(
    ("files", "written"),
    [
        (["_a.scss", "a.scss"], "a"),
        (["a.sass", "a.scss"], "a"),
        (["_a.css", "a.css"], "a"),
        (["_a.scss", "a.scss"], "a.scss"),
        (["a/_index.scss", "a/index.scss"], "a"),
    ],
)
def test_two_equally_good_files_are_both_named(tree: Tree, files: list[str], written: str) -> None:
    folder = tree({f"assets/{file}": "" for file in files})

    assert found(project_at(folder), written) == Refusal(
        "ambiguous-stylesheet",
        f"it is not clear which file is meant: `assets/{files[0]}` and `assets/{files[1]}`",
        "rename or remove all but one",
    )


def test_the_sheet_beside_comes_before_load_paths_roots_and_packages(tree: Tree) -> None:
    files = {
        "assets/scss/_a.scss": "",
        "styles/_a.scss": "",
        "styles/_b.scss": "",
        "assets/_b.scss": "",
        "assets/c/_d.scss": "",
        "more/c/_d.scss": "",
        "more/e/_f.scss": "",
        "node_modules/c/package.json": "{}",
        "node_modules/c/_d.scss": "",
        "node_modules/e/package.json": "{}",
        "node_modules/e/_g.scss": "",
    }
    folder = tree(files)
    roots = (Root(str(folder / "assets"), "assets"), Root(str(folder / "more"), "more"))
    project = project_at(folder, roots, Sass(load_paths=(str(folder / "styles"),)))

    written = ["a", "b", "c/d", "e/f", "e/g"]
    files_found = [found(project, name, "assets/scss/app.scss") for name in written]

    places = ["assets/scss/_a.scss", "styles/_b.scss", "assets/c/_d.scss", "more/e/_f.scss", "node_modules/e/_g.scss"]
    assert files_found == places


def test_a_mounted_root_is_found_below_its_mount(tree: Tree) -> None:
    folder = tree({"vendor/fa/scss/_core.scss": "", "assets/app.scss": ""})
    project = project_at(folder, (Root(str(folder / "vendor/fa"), "vendor/fa", mount="fa"),))

    assert found(project, "fa/scss/core") == "vendor/fa/scss/_core.scss"
    assert isinstance(found(project, "scss/core"), Refusal)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("kit", "node_modules/kit/scss/main.scss"),
        ("~kit", "node_modules/kit/scss/main.scss"),
        ("pkg:kit", "node_modules/kit/scss/main.scss"),
        ("kit/scss/part", "node_modules/kit/scss/_part.scss"),
        ("~kit/scss/part", "node_modules/kit/scss/_part.scss"),
        ("pkg:kit/scss/part", "node_modules/kit/scss/_part.scss"),
        ("@scope/plain", "node_modules/@scope/plain/_index.scss"),
        ("~@scope/plain/deep/x.css", "node_modules/@scope/plain/deep/x.css"),
        ("styled", "node_modules/styled/dist/s.css"),
        ("mained", "node_modules/mained/m.scss"),
        ("given", "node_modules/given/lib/given.scss"),
        ("given/button", "node_modules/given/lib/_button.scss"),
        ("given/folder", "node_modules/given/lib/folder/_index.scss"),
        ("given/unlisted", "node_modules/given/unlisted.scss"),
        ("~/other/x", "other/_x.scss"),
    ],
)
def test_packages_give_sheets_by_exports_fields_and_paths(tree: Tree, written: str, expected: str) -> None:
    exports = '{".": {"sass": "./lib/given.scss", "default": "./given.js"}, "./*": "./lib/*"}'
    folder = tree(
        {
            "assets/app.scss": "",
            "other/_x.scss": "",
            "node_modules/kit/package.json": '{"main": "kit.js", "style": "kit.css", "sass": "scss/main.scss"}',
            "node_modules/kit/kit.css": "",
            "node_modules/kit/scss/main.scss": "",
            "node_modules/kit/scss/_part.scss": "",
            "node_modules/@scope/plain/package.json": "{}",
            "node_modules/@scope/plain/_index.scss": "",
            "node_modules/@scope/plain/deep/x.css": "",
            "node_modules/styled/package.json": '{"style": "./dist/s.css", "sass": "gone.scss"}',
            "node_modules/styled/dist/s.css": "",
            "node_modules/mained/package.json": '{"main": "m.scss"}',
            "node_modules/mained/m.scss": "",
            "node_modules/given/package.json": f'{{"exports": {exports}, "sass": "no.scss"}}',
            "node_modules/given/no.scss": "",
            "node_modules/given/given.js": "",
            "node_modules/given/lib/given.scss": "",
            "node_modules/given/lib/_button.scss": "",
            "node_modules/given/lib/folder/_index.scss": "",
            "node_modules/given/unlisted.scss": "",
        }
    )
    roots = (Root(str(folder / "assets"), "assets"), Root(str(folder / "other"), "other", mount="elsewhere"))

    assert found(project_at(folder, roots), written) == expected


def test_exports_that_fit_two_spellings_are_both_named(tree: Tree) -> None:
    folder = tree(
        {
            "node_modules/kit/package.json": '{"exports": {"./*": "./*"}}',
            "node_modules/kit/_a.scss": "",
            "node_modules/kit/a.scss": "",
        }
    )

    refusal = found(project_at(folder), "kit/a")

    both = "`node_modules/kit/a.scss` and `node_modules/kit/_a.scss`"
    assert isinstance(refusal, Refusal)
    assert refusal.message == f"it is not clear which file is meant: {both}"


def test_a_broken_package_json_is_named(tree: Tree) -> None:
    folder = tree({"node_modules/kit/package.json": "[]", "node_modules/kit/_a.scss": ""})

    assert found(project_at(folder), "kit/a") == Refusal(
        "broken-package", "`node_modules/kit/package.json` cannot be used: it holds no object"
    )


@pytest.mark.parametrize(
    ("aliases", "written", "expected"),
    [
        ({"@": "assets/scss"}, "@/a", "assets/scss/_a.scss"),
        ({"theme:": "assets/scss"}, "theme:a", "assets/scss/_a.scss"),
        ({"~": "assets/scss"}, "~/a", "assets/scss/_a.scss"),
        ({"x": "assets", "x/y": "assets/scss"}, "x/y/a", "assets/scss/_a.scss"),
        ({"a": "assets/scss/_a.scss"}, "a", "assets/scss/_a.scss"),
        ({"fa": "@scope/kit"}, "fa/k", "node_modules/@scope/kit/_k.scss"),
        ({"x": "node_modules/@scope/kit"}, "x/k", "node_modules/@scope/kit/_k.scss"),
    ],
)
def test_an_alias_stands_for_a_folder_or_a_package(
    tree: Tree, aliases: Mapping[str, str], written: str, expected: str
) -> None:
    folder = tree(
        {
            "assets/scss/_a.scss": "",
            "assets/scss/deep/app.scss": "",
            "node_modules/@scope/kit/package.json": "{}",
            "node_modules/@scope/kit/_k.scss": "",
        }
    )

    assert found(project_at(folder, urls=Urls(aliases)), written, "assets/scss/deep/app.scss") == expected


def test_an_alias_is_a_whole_part_of_the_name(tree: Tree) -> None:
    folder = tree({"assets/scss/_a.scss": "", "assets/brand-new/_a.scss": ""})

    assert found(project_at(folder, urls=Urls({"brand": "assets/scss"})), "brand-new/a") == "assets/brand-new/_a.scss"


def test_every_file_that_would_have_won_is_recorded_as_absent(tree: Tree) -> None:
    folder = tree({"assets/scss/app.scss": "", "assets/_a.scss": ""})
    project = project_at(folder)
    reading = reading_of(project)

    Finder(project, reading).load("a", str(folder / "assets/scss/app.scss"), from_import=False)

    beside = ["a/_index.css", "a/_index.sass", "a/_index.scss", "a/index.css", "a/index.sass", "a/index.scss"]
    names = ["_a.css", "_a.sass", "_a.scss", "a.css", "a.sass", "a.scss", *beside]
    expected = [f"assets/scss/{name}" for name in names] + ["assets/_a.sass", "assets/a.sass", "assets/a.scss"]
    assert absent(reading, folder) == sorted(expected)


def test_a_file_outside_the_declared_folders_is_refused_by_name(tree: Tree) -> None:
    folder = tree({"secret/_a.scss": "", "assets/app.scss": ""})

    assert found(project_at(folder), "../secret/a") == Refusal(
        "outside-roots",
        "`secret/_a.scss` lies outside the declared roots",
        "name its folder in `load_paths` under `[sass]`",
    )


def test_a_link_that_leads_out_of_the_declared_folders_is_refused(tree: Tree) -> None:
    folder = tree({"secret/a.scss": "", "assets/app.scss": ""})
    (folder / "assets/_a.scss").symlink_to(folder / "secret/a.scss")

    refusal = found(project_at(folder), "a")

    assert isinstance(refusal, Refusal)
    assert refusal.rule == "outside-roots"


def test_a_miss_suggests_the_name_that_was_clearly_meant(tree: Tree) -> None:
    folder = tree({"assets/app.scss": "", "assets/parts/_buttons.scss": "", "assets/parts/_forms.scss": ""})

    assert found(project_at(folder), "parts/button") == Refusal(
        "missing-stylesheet", "stylesheet `parts/button` is not found", "did you mean `parts/buttons`?"
    )


def test_a_miss_without_a_near_name_lists_where_it_was_looked_for(tree: Tree) -> None:
    folder = tree({"assets/scss/app.scss": "", "styles/x.scss": ""})
    project = project_at(folder, sass=Sass(load_paths=(str(folder / "styles"),)))

    refusal = found(project, "parts/zzz", "assets/scss/app.scss")

    places = "looked in `assets/scss/parts`, `styles/parts`, `assets/parts`"
    hint = f"{places}; package `parts` is not installed: run `npm install parts`"
    assert refusal == Refusal("missing-stylesheet", "stylesheet `parts/zzz` is not found", hint)


def test_a_folder_with_a_sheet_s_name_is_no_sheet(tree: Tree) -> None:
    folder = tree({"assets/app.scss": "", "assets/_a.scss/x": "", "assets/a.css": ""})

    assert found(project_at(folder), "a") == "assets/a.css"


def test_an_absolute_path_is_looked_for_nowhere(tree: Tree) -> None:
    folder = tree({"assets/app.scss": "", "assets/a.scss": ""})

    refusal = found(project_at(folder), "/a")

    assert isinstance(refusal, Refusal)
    assert refusal.rule == "missing-stylesheet"


def test_a_sheet_of_another_site_is_none_of_ours(tree: Tree) -> None:
    folder = tree({"assets/app.scss": ""})

    assert found(project_at(folder), "https://example.org/a.css") == Refusal(
        "missing-stylesheet",
        "stylesheet `https://example.org/a.css` is not found",
        "a sheet of another site is loaded by `@import url(…)`",
    )

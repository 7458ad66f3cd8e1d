"""Survey: what the roots hold, taken once; names that could not stand beside each other are refused on every system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assetbuild.compiler.project import Project, Root
from assetbuild.compiler.survey import Survey, name_problems, survey
from assetbuild.disk import Found, RealDisk
from tests.conftest import Tree


def surveyed(project: Path, *roots: Root, **settings: object) -> Survey:
    chosen = roots or (Root(str(project / "assets"), "assets"),)
    return survey(Project(str(project), str(project / "build/assets"), chosen, **settings), RealDisk())  # type: ignore[arg-type]


def messages(found: Survey) -> list[str]:
    return [f"{each.severity}: {each.message}" for each in found.diagnostics]


def test_every_file_is_published_and_source_languages_are_not(tree: Tree) -> None:
    project = tree(
        {"assets/a.css": "", "assets/x/b.png": "", "assets/c.scss": "", "assets/d.TS": "", "assets/e.jsx": ""}
    )

    found = surveyed(project)

    assert {"a.css", "x/b.png"} == found.published
    assert {"c.scss", "d.TS", "e.jsx"} == set(found.withheld)


def test_dotfiles_stay_out_unless_a_stable_name_asks_for_them(tree: Tree) -> None:
    project = tree(
        {"assets/.env": "", "assets/.git/x": "", "assets/.well-known/security.txt": "", "assets/.keep/y": ""}
    )

    assert set() == surveyed(project).published
    assert {".well-known/security.txt"} == surveyed(project, site_root=(".well-known/**",)).published
    assert {".env"} == surveyed(project, keep_names=(".env",)).published


def test_the_first_root_wins_and_the_shadowed_file_is_reported(tree: Tree) -> None:
    project = tree({"one/a.css": "", "two/a.css": "", "two/b.css": ""})

    found = surveyed(project, Root(str(project / "one"), "one"), Root(str(project / "two"), "two"))

    assert str(project / "one/a.css") == found.sources["a.css"].file
    assert ["note: `two/a.css` is shadowed by `one/a.css`"] == messages(found)


def test_a_mounted_root_appears_under_its_folder(tree: Tree) -> None:
    project = tree({"fa/webfonts/x.woff2": "", "fa/metadata/y.json": ""})

    found = surveyed(project, Root(str(project / "fa"), "fa", mount="lib/fa", include=("webfonts/*",)))

    assert {"lib/fa/webfonts/x.woff2"} == found.published
    assert "is not included by the root `fa`" == found.withheld["lib/fa/metadata/y.json"]


def test_exclude_governs_publishing_only(tree: Tree) -> None:
    found = surveyed(tree({"assets/README.md": "", "assets/x/README": ""}), exclude=("**/README*",))

    assert set() == found.published
    assert {"README.md", "x/README"} == set(found.sources)


def test_node_modules_and_the_output_are_not_part_of_a_root(tree: Tree) -> None:
    project = tree({"assets/node_modules/x/y.js": "", "assets/build/z.css": "", "assets/a.js": ""})

    found = survey(
        Project(str(project), str(project / "assets/build"), (Root(str(project / "assets"), "assets"),)), RealDisk()
    )

    assert {"a.js"} == found.published


@pytest.mark.parametrize(
    ("first", "second"), [("A.css", "a.css"), ("caf\u00e9.png", "cafe\u0301.png"), ("x/Straße.svg", "x/STRASSE.svg")]
)
def test_names_that_differ_only_in_case_or_form_are_an_error_that_lists_both(first: str, second: str) -> None:
    (problem,) = name_problems({first: f"assets/{first}", second: f"assets/{second}"})

    low, high = sorted((first, second))
    assert f"`{low}` and `{high}` differ only in case or Unicode form" == problem.message
    assert f"the other is `assets/{low}`" == problem.notes[0].message


@pytest.mark.parametrize("name", ["aux.css", "CON", "x/nul/y.css", "com1.tar.gz", "a\nb.css", "a\\b.css", "a:b.css"])
def test_a_name_that_no_system_can_hold_everywhere_is_an_error(name: str) -> None:
    assert ["bad-name"] == [each.rule for each in name_problems({name: name})]


def test_names_with_blanks_marks_and_emoji_are_fine() -> None:
    names = ["a b.css", "100%.png", "x#y?.js", "“quoted”.css", "🎉.svg", "-dash.css", "auxiliary.css"]

    assert [] == name_problems({name: name for name in names})


def test_links_are_followed_inside_the_roots_and_refused_outside(tree: Tree) -> None:
    project = tree({"assets/real/a.css": "", "secret.css": ""})
    assets = project / "assets"
    (assets / "inside.css").symlink_to("real/a.css")
    (assets / "folder").symlink_to("real")
    (assets / "outside.css").symlink_to("../secret.css")
    (assets / "dangling.css").symlink_to("nowhere.css")
    (assets / "real/loop").symlink_to("..")
    os.mkfifo(assets / "fifo.css")

    found = surveyed(project)

    assert {"real/a.css", "inside.css", "folder/a.css"} == found.published
    assert {
        "assets/dangling.css": "the link leads nowhere",
        "assets/fifo.css": "not a regular file, folder or link",
        "assets/folder/loop": "the link leads back to a folder above it",
        "assets/outside.css": "the link leads out of the roots",
        "assets/real/loop": "the link leads back to a folder above it",
    } == {each.span.path: each.message for each in found.diagnostics if each.span}


def test_a_folder_that_cannot_be_listed_is_an_error_and_never_an_empty_tree(tree: Tree) -> None:
    class Broken(RealDisk):
        def scan(self, folder: str) -> list[Found]:
            if folder.endswith("css"):
                raise OSError(5, "Input/output error", folder)
            return super().scan(folder)

    project = tree({"assets/css/a.css": "", "assets/b.css": ""})

    with pytest.raises(OSError, match="Input/output error"):
        survey(Project(str(project), str(project / "build"), (Root(str(project / "assets"), "assets"),)), Broken())

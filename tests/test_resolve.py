"""Resolve: what a written reference means, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.plan import confines, plan
from assetbuild.compiler.project import Entry, Project, Root, Urls
from assetbuild.compiler.resolve import Ambiguous, Found, Missing, Outcome, Resolver, Untouched
from assetbuild.compiler.survey import survey
from assetbuild.diagnostic import nearest
from assetbuild.disk import RealDisk
from tests.conftest import Tree

SITE = {"assets/css/site.css": "", "assets/img/logo.png": "logo", "assets/img/my photo.png": "photo"}


def resolved(folder: Path, written: str, *referrers: str, **settings: Any) -> Outcome:
    """Return the outcome; a referrer is `logical=file` or a file of the root `assets`."""
    project = Project(str(folder), str(folder / "build"), (Root(str(folder / "assets"), "assets"),), **settings)
    library = Library(RealDisk(), str(folder), confines(project))
    inventory = plan(project, survey(project, RealDisk()), library).inventory
    return Resolver(project, inventory).reference(written, sources(folder, referrers), Reading(library))


def sources(folder: Path, referrers: Sequence[str]) -> list[Source]:
    pairs = [each.split("=") if "=" in each else (each, f"assets/{each}") for each in referrers or ("css/site.css",)]
    return [Source(logical, str(folder / file), file) for logical, file in pairs]


def logical(outcome: Outcome) -> str:
    assert isinstance(outcome, Found), outcome
    return outcome.source.logical


@pytest.mark.parametrize(
    "written",
    [
        *("", "#id", "?x", "none", "NONE", "http://x/y.png", "//cdn/x.png", "  https://x/y  ", "mailto:x@y"),
        *("data:image/png;base64,AA", "DATA:,x", "about:blank", "blob:x", "/media/upload.png"),
    ],
)
def test_what_is_none_of_ours_stays_untouched(tree: Tree, written: str) -> None:
    assert isinstance(resolved(tree(SITE), written), Untouched)


@pytest.mark.parametrize(
    ("written", "name", "suffix"),
    [
        ("../img/logo.png", "img/logo.png", ""),
        ("../img/logo.png?v=1#x", "img/logo.png", "?v=1#x"),
        ("../img/logo.png#", "img/logo.png", "#"),
        ("../img/my%20photo.png", "img/my photo.png", ""),
        ("../img/my photo.png", "img/my photo.png", ""),
        ("\n ../img/logo.png\t", "img/logo.png", ""),
        ("..\\img\\logo.png?a\\b", "img/logo.png", "?a\\b"),
        ("../im\tg/lo\r\ngo.png", "img/logo.png", ""),
        ("/static/img/logo.png", "img/logo.png", ""),
        ("img/logo.png", "img/logo.png", ""),
        ("../css/../img/./logo.png", "img/logo.png", ""),
    ],
)
def test_a_path_is_found(tree: Tree, written: str, name: str, suffix: str) -> None:
    outcome = resolved(tree(SITE), written)

    assert isinstance(outcome, Found)
    assert (name, suffix) == (outcome.source.logical, outcome.suffix)


def test_a_percent_encoded_hash_is_part_of_the_name(tree: Tree) -> None:
    project = tree(SITE | {"assets/img/a#b?.png": "x"})

    assert "img/a#b?.png" == logical(resolved(project, "../img/a%23b%3F.png#frag"))


def test_relative_to_the_entry_and_else_to_the_partial(tree: Tree) -> None:
    project = tree(SITE | {"assets/scss/parts/x.png": "x", "assets/scss/parts/_a.scss": ""})

    chain = ("css/site.css", "scss/site.scss=assets/scss/site.scss", "scss/parts/_a.scss")
    assert "img/logo.png" == logical(resolved(project, "../img/logo.png", *chain))
    assert "scss/parts/x.png" == logical(resolved(project, "x.png", *chain))


def test_two_candidates_with_different_bytes_are_ambiguous_and_equal_ones_are_not(tree: Tree) -> None:
    chain = ("css/site.css", "scss/parts/_a.scss")
    files = SITE | {"assets/css/x.png": "one", "assets/scss/parts/_a.scss": ""}

    different = resolved(tree(files | {"assets/scss/parts/x.png": "two"}), "x.png", *chain)
    assert isinstance(different, Ambiguous)
    assert ("css/x.png", "scss/parts/x.png") == (different.first.logical, different.second.logical)

    assert "css/x.png" == logical(resolved(tree(files | {"assets/scss/parts/x.png": "one"}), "x.png", *chain))


def test_npm_packages_are_found_bare_with_a_tilde_and_relative_to_their_own_files(tree: Tree) -> None:
    project = tree(SITE | {"node_modules/@fa/free/webfonts/s.woff2": "f", "node_modules/@fa/free/css/all.css": ""})

    name = "npm/@fa/free/webfonts/s.woff2"
    assert name == logical(resolved(project, "@fa/free/webfonts/s.woff2"))
    assert name == logical(resolved(project, "~@fa/free/webfonts/s.woff2"))
    own = "npm/@fa/free/css/all.css=node_modules/@fa/free/css/all.css"
    assert name == logical(resolved(project, "../webfonts/s.woff2", own))


def test_a_package_inside_a_package_has_a_name_of_its_own(tree: Tree) -> None:
    inner = "a/node_modules/b/x.png"
    project = tree(SITE | {f"node_modules/{inner}": "1", "node_modules/b/x.png": "2", "node_modules/a/css/a.css": ""})
    own = "npm/a/css/a.css=node_modules/a/css/a.css"

    assert f"npm/{inner}" == logical(resolved(project, "~b/x.png", own))
    assert "npm/b/x.png" == logical(resolved(project, "~b/x.png"))


def test_the_tilde_slash_is_the_project(tree: Tree) -> None:
    assert "img/logo.png" == logical(resolved(tree(SITE), "~/assets/img/logo.png"))


def test_aliases_name_folders_and_packages_and_the_longest_wins(tree: Tree) -> None:
    project = tree(SITE | {"node_modules/pkg/x.png": "x"})
    urls = Urls(aliases={"@": "assets", "@/img": "assets/img", "pkg:": "node_modules/pkg"})

    assert "img/logo.png" == logical(resolved(project, "@/img/logo.png", urls=urls))
    assert "css/site.css" == logical(resolved(project, "@/css/site.css", urls=urls))
    assert "npm/pkg/x.png" == logical(resolved(project, "pkg:x.png", urls=urls))


def test_the_public_prefix_may_differ_from_the_base(tree: Tree) -> None:
    urls = Urls(public="/assets/")

    assert "img/logo.png" == logical(resolved(tree(SITE), "/assets/img/logo.png", urls=urls))
    assert "img/logo.png" == logical(
        resolved(tree(SITE), "https://cdn.example/s/img/logo.png", base="https://cdn.example/s/")
    )


def test_mounts_say_what_another_tool_copies_where(tree: Tree) -> None:
    project = tree(SITE | {"assets/fa/webfonts/s.woff2": "f"})
    urls = Urls(mounts={"fonts": "fa/webfonts"})

    assert "fa/webfonts/s.woff2" == logical(resolved(project, "../fonts/s.woff2", urls=urls))
    assert "fa/webfonts/s.woff2" == logical(resolved(project, "/static/fonts/s.woff2", urls=urls))
    public = Urls(public="/s/", mounts={"fonts": "fa/webfonts"})
    assert "fa/webfonts/s.woff2" == logical(resolved(project, "/s/fonts/s.woff2", urls=public))


def test_a_site_root_file_is_found_at_its_absolute_path(tree: Tree) -> None:
    project = tree(SITE | {"assets/sw.js": ""})

    assert "sw.js" == logical(resolved(project, "/sw.js", site_root=("sw.js",)))


def test_an_entry_is_found_by_its_logical_path(tree: Tree) -> None:
    project = tree(SITE | {"assets/scss/app.scss": ""})
    entries = (Entry("css/app.css", "style", ("scss/app.scss",)),)

    assert "css/app.css" == logical(resolved(project, "app.css", entries=entries))


def test_a_miss_lists_the_places_and_the_nearest_name_as_it_would_be_written(tree: Tree) -> None:
    outcome = resolved(tree(SITE), "img/logo.pgn")

    assert isinstance(outcome, Missing)
    assert ("css/img/logo.pgn", "img/logo.pgn") == outcome.tried[:2]
    assert "../img/logo.png" == outcome.nearest


def test_a_mistyped_folder_is_recognised_by_the_name_in_it(tree: Tree) -> None:
    outcome = resolved(tree(SITE), "../Images/LOGO.png")

    assert isinstance(outcome, Missing)
    assert "../img/logo.png" == outcome.nearest


def test_a_miss_is_compared_with_its_neighbours_and_not_with_every_asset(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def counting(word: str, candidates: Iterable[str]) -> str | None:
        compared.extend(candidates)
        return nearest(word, compared)

    monkeypatch.setattr("assetbuild.compiler.resolve.nearest", counting)
    outcome = resolved(tree(SITE | {f"assets/icons/{n}.svg": "" for n in range(300)}), "../img/logo.pgn")

    assert isinstance(outcome, Missing)
    assert "../img/logo.png" == outcome.nearest
    assert ["img/logo.png", "img/my photo.png"] == sorted(compared)


def test_a_file_that_exists_and_is_withheld_says_why(tree: Tree) -> None:
    outcome = resolved(tree(SITE | {"assets/img/raw.psd": ""}), "../img/raw.psd", exclude=("**/*.psd",))

    assert isinstance(outcome, Missing)
    assert "`img/raw.psd` is excluded" == outcome.why


def test_no_reference_reaches_out_of_the_roots(tree: Tree) -> None:
    project = tree(SITE | {"secret.png": "s", "other/x.png": "x"})

    for written in (
        "../../secret.png",
        "../../../../etc/passwd",
        "..%2f..%2fsecret.png",
        "~/secret.png",
        "~/other/x.png",
    ):
        assert isinstance(resolved(project, written), Missing), written


def test_a_project_below_a_node_modules_folder_has_files_of_its_own(tree: Tree) -> None:
    files = {"assets/a.css": "", "other/_x.png": "", "node_modules/p/y.png": ""}
    folder = tree({f"node_modules/app/{file}": text for file, text in files.items()}) / "node_modules/app"
    aliases = Urls(aliases={"@": "other"})

    assert isinstance(resolved(folder, "@/_x.png", "a.css", urls=aliases), Missing)
    assert "npm/p/y.png" == logical(resolved(folder, "../node_modules/p/y.png", "a.css"))

"""Plan: entries are expanded, their sources found, every published file gets a job; what is wrong names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assetbuild.compiler.config import Flags, read
from assetbuild.compiler.files import Library
from assetbuild.compiler.model import Draft, Job, Stable
from assetbuild.compiler.plan import Plan, confines, plan, with_stable_name
from assetbuild.compiler.project import Entry, Project, Root, Sass
from assetbuild.compiler.survey import survey
from assetbuild.disk import RealDisk
from tests.conftest import Tree


def planned(folder: Path, *entries: Entry, **settings: Any) -> Plan:
    project = Project(
        str(folder), str(folder / "out"), (Root(str(folder / "assets"), "assets"),), entries=entries, **settings
    )
    return plan(project, survey(project, RealDisk()), Library(RealDisk(), str(folder), confines(project)))


def by_engine(found: Plan, engine: str) -> list[Job]:
    return [job for job in found.jobs if job.engine == engine]


def problems(found: Plan) -> list[str]:
    return [f"{each.message} | {each.hint}" for each in found.diagnostics]


def test_every_published_file_gets_the_job_of_its_language(tree: Tree) -> None:
    found = planned(
        tree({"assets/a.css": "", "assets/b.js": "", "assets/c.mjs": "", "assets/d.png": "", "assets/e": ""})
    )

    assert [("css", "a.css"), ("script", "b.js"), ("script", "c.mjs"), ("copy", "d.png"), ("copy", "e")] == [
        (job.engine, job.logicals[0]) for job in found.jobs
    ]


def test_pages_pictures_and_manifests_have_languages_too_and_json_has_none(tree: Tree) -> None:
    names = ("a.svg", "b.html", "c.HTM", "d.xhtml", "e.webmanifest", "manifest.json")

    found = planned(tree({f"assets/{name}": "" for name in names}))

    assert ["markup", "markup", "markup", "markup", "webmanifest", "copy"] == [job.engine for job in found.jobs]


def test_sass_that_no_entry_names_compiles_to_the_css_beside_it(tree: Tree) -> None:
    project = tree({"assets/a.scss": "", "assets/_part.scss": "", "assets/x/b.sass": "", "assets/c.scss": ""})

    found = planned(project, Entry("css/c.css", "style", ("c.scss",)))

    assert ["a.css", "css/c.css", "x/b.css"] == [job.logicals[0] for job in by_engine(found, "style")]
    off = planned(project, sass=Sass(auto=False))
    assert [] == by_engine(off, "style")


def test_a_pattern_is_one_entry_per_file_and_skips_partials(tree: Tree) -> None:
    project = tree({"assets/themes/red.scss": "", "assets/themes/blue.scss": "", "assets/themes/_base.scss": ""})

    found = planned(project, Entry("css/{name}.css", "style", ("themes/{name}.scss",)))

    assert ["css/blue.css", "css/red.css"] == [job.logicals[0] for job in by_engine(found, "style")]


def test_a_source_is_found_in_the_roots_in_the_project_and_in_npm_packages(tree: Tree) -> None:
    project = tree({"assets/in/a.js": "", "frontend/b.js": "", "node_modules/pkg/dist/c.js": ""})

    found = planned(project, Entry("x.js", "classic", ("in/a.js", "frontend/b.js", "pkg/dist/c.js")))

    (job,) = by_engine(found, "classic")
    assert ["assets/in/a.js", "frontend/b.js", "node_modules/pkg/dist/c.js"] == [source.shown for source in job.sources]
    assert [True, True, False] == [source.is_first_party for source in job.sources]


def test_two_different_hits_are_an_error_that_names_both(tree: Tree) -> None:
    found = planned(tree({"assets/a.js": "", "a.js": ""}), Entry("x.js", "classic", ("a.js",), place="entries.x"))

    assert ["`a.js` is both `assets/a.js` and `a.js` | write the longer path"] == problems(found)


def test_a_missing_source_and_an_empty_glob_name_the_place_and_the_nearest_word(tree: Tree) -> None:
    found = planned(
        tree({"assets/js/app.js": ""}),
        Entry("x.js", "classic", ("js/ap.js", "lib/*.js"), place='entries."x.js"'),
        Entry("{name}.css", "style", ("t/{name}.scss",), place='entries."{name}.css"'),
    )

    assert [
        "`js/ap.js` is in no root, not in the project and in no npm package | did you mean `js/app.js`?",
        "`lib/*.js` matches no file | ",
        "`t/{name}.scss` matches no file | ",
    ] == problems(found)


def test_a_glob_adds_what_is_not_listed_before_it(tree: Tree) -> None:
    project = tree({"assets/js/a.js": "", "assets/js/b.js": "", "assets/js/c.js": ""})

    (job,) = by_engine(planned(project, Entry("x.js", "classic", ("js/c.js", "js/*.js"))), "classic")

    assert ["js/c.js", "js/a.js", "js/b.js"] == [source.logical for source in job.sources]


def test_an_entry_and_a_foreign_file_of_the_same_name_are_an_error_that_lists_both(tree: Tree) -> None:
    project = tree({"assets/app.css": "", "assets/app.scss": ""})

    assert ["two sources make `app.css`: `assets/app.scss` and `assets/app.css`"] == [
        each.message for each in planned(project).diagnostics
    ]


def test_a_source_that_an_entry_stands_for_gives_way_to_it(tree: Tree) -> None:
    found = planned(tree({"assets/app.css": ""}), Entry("app.css", "style", ("app.css",)))

    assert [("style", ("app.css",))] == [(job.engine, job.logicals) for job in found.jobs]
    assert () == found.diagnostics


def test_an_entry_may_use_what_is_excluded(tree: Tree) -> None:
    project = tree({"assets/vendor/a.js": "", "assets/vendor/b.js": ""})

    found = planned(project, Entry("v.js", "classic", ("vendor/*.js",)), exclude=("vendor/**",))

    assert [("classic", 2)] == [(job.engine, len(job.sources)) for job in found.jobs]


def test_a_bare_script_must_show_that_it_is_a_module(tree: Tree) -> None:
    project = tree({"assets/m.js": "import './x.js'", "assets/c.js": "// import x\nvar a"})

    found = planned(
        project, Entry("a.js", "script", ("m.js",)), Entry("b.js", "script", ("c.js",), place='entries."b.js"')
    )

    assert [
        "`assets/c.js` shows neither `import` nor `export`: is it a module or a classic script? "
        '| write { module = "c.js" } or { classic = ["c.js"] }'
    ] == problems(found)


def test_all_module_graphs_are_one_job_unless_they_differ_in_minifying(tree: Tree) -> None:
    project = tree({"assets/a.ts": "", "assets/b.ts": "", "assets/c.ts": ""})
    entries = [Entry(f"{n}.js", "module", (f"{n}.ts",), minify=False if n == "c" else None) for n in "abc"]

    assert [("a.js", "b.js"), ("c.js",)] == [job.logicals for job in by_engine(planned(project, *entries), "modules")]


def test_names_that_collide_between_an_entry_and_a_file_are_an_error(tree: Tree) -> None:
    found = planned(tree({"assets/App.css": "", "assets/x.scss": ""}), Entry("app.css", "style", ("x.scss",)))

    assert ["`App.css` and `app.css` differ only in case or Unicode form"] == [
        each.message for each in found.diagnostics
    ]


def test_stable_names_are_declared_never_inferred(tree: Tree) -> None:
    project = Project("/p", "/p/out", (), keep_names=("downloads/**",), site_root=("sw.js", ".well-known/**"))

    def stable(logical: str) -> Stable | None:
        return with_stable_name(Draft(logical, "text/plain", ()), project).stable

    assert Stable() == stable("downloads/a.pdf")
    assert Stable(at="/sw.js") == stable("sw.js")
    assert Stable(at="/.well-known/x") == stable(".well-known/x")
    assert stable("robots.txt") is None


def test_a_fault_points_into_the_configuration(tree: Tree) -> None:
    text = '[entries]\n"x.js" = { classic = ["a.js", "nowhere.js"] }\n"y.css" = "z.scss"\n'
    project = tree({"assetbuild.toml": text, "assets/a.js": ""})
    settings = read(str(project), {}, RealDisk(), Flags())

    found = plan(settings, survey(settings, RealDisk()), Library(RealDisk(), str(project), confines(settings)))

    assert [("assetbuild.toml", 2, 31, '"nowhere.js"'), ("assetbuild.toml", 3, 11, '"z.scss"')] == [
        (each.span.path, each.span.line, each.span.column, each.span.text[each.span.column - 1 :][: each.span.length])
        for each in found.diagnostics
        if each.span
    ]


def test_what_was_probably_meant_otherwise_is_a_warning(tree: Tree) -> None:
    scripts = planned(tree({"assets/js/app.ts": "", "assets/_only.scss": ""}))

    assert [
        "`assets/js/app.ts` is compiled through an entry alone, and no entry is a module "
        '| write "js/app.js" = { module = "js/app.ts" } under `[entries]`',
    ] == problems(scripts)
    assert {"warning"} == {each.severity for each in scripts.diagnostics}

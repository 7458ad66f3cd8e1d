from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.packages import (
    Bare,
    Package,
    Packages,
    Unreadable,
    Unresolved,
    resolve_exports,
    resolve_imports,
    split_specifier,
)
from tests.conftest import Tree
from tests.sass_shop import project_at, reading_of

SASS = {"sass", "style"}


def package(**fields: Any) -> Package:
    return Package("kit", "/kit", fields)


def exported(exports: object, subpath: str = "") -> object:
    return resolve_exports(package(exports=exports), subpath, SASS)


@pytest.mark.parametrize(
    ("specifier", "name", "subpath"),
    [
        ("bootstrap", "bootstrap", ""),
        ("bootstrap/scss/root", "bootstrap", "scss/root"),
        ("@scope/kit", "@scope/kit", ""),
        ("@scope/kit/a/b", "@scope/kit", "a/b"),
        ("@scope", "", ""),
        ("./a", "", ""),
        ("../a", "", ""),
        ("/a", "", ""),
        ("", "", ""),
        ("http://a/b", "", ""),
        ("a\\b/c", "", ""),
        ("a%2fb/c", "", ""),
    ],
)
def test_a_specifier_is_a_name_and_a_path_inside(specifier: str, name: str, subpath: str) -> None:
    assert split_specifier(specifier) == (name, subpath)


def test_the_nearest_package_counts_and_nearer_absences_are_recorded(tree: Tree) -> None:
    folder = tree(
        {
            "node_modules/kit/package.json": "{}",
            "node_modules/host/node_modules/kit/package.json": '{"version": "2"}',
            "node_modules/host/scss/a.scss": "",
            "assets/scss/a.scss": "",
        }
    )
    reading = reading_of(project_at(folder))
    packages = Packages(str(folder))

    nested = packages.find("kit", str(folder / "node_modules/host/scss"), reading)
    own = packages.find("kit", str(folder / "assets/scss"), reading)

    assert nested == Package("kit", str(folder / "node_modules/host/node_modules/kit"), {"version": "2"})
    assert own == Package("kit", str(folder / "node_modules/kit"), {})
    tried = ["assets/node_modules", "assets/scss/node_modules", "node_modules/host/scss/node_modules"]
    assert reading.absent() == tuple(str(folder / f"{place}/kit/package.json") for place in tried)
    assert [Path(found.file).parent for found in reading.inputs()] == [Path(nested.folder), Path(own.folder)]


def test_a_sheet_from_outside_the_project_uses_the_project_s_packages(tree: Tree) -> None:
    folder = tree({"node_modules/@a/kit/package.json": "{}"})

    found = Packages(str(folder)).find("@a/kit", "/elsewhere/static", reading_of(project_at(folder)))

    assert found == Package("@a/kit", str(folder / "node_modules/@a/kit"), {})


@pytest.mark.parametrize(
    ("content", "why"), [("{", "it is not JSON: "), ("[]", "it holds no object"), (b"\xff", "it is not JSON: ")]
)
def test_a_package_json_that_is_none_is_named(tree: Tree, content: str | bytes, why: str) -> None:
    folder = tree({"node_modules/kit/package.json": content})

    found = Packages(str(folder)).find("kit", str(folder), reading_of(project_at(folder)))

    assert isinstance(found, Unreadable)
    assert found.file == str(folder / "node_modules/kit/package.json")
    assert found.why.startswith(why)


def test_a_package_json_that_changes_is_read_again(tree: Tree) -> None:
    folder = tree({"node_modules/kit/package.json": "{}"})
    packages = Packages(str(folder))
    packages.find("kit", str(folder), reading_of(project_at(folder)))
    (folder / "node_modules/kit/package.json").write_text('{"sass": "a.scss"}')

    found = packages.find("kit", str(folder), reading_of(project_at(folder)))

    assert isinstance(found, Package)
    assert found.fields == {"sass": "a.scss"}


def test_a_package_without_exports_says_nothing() -> None:
    assert resolve_exports(package(main="a.js"), "b", SASS) is None


@pytest.mark.parametrize(
    ("exports", "subpath", "file"),
    [
        ("./a.scss", "", "a.scss"),
        ({"sass": "./a.scss", "default": "./a.js"}, "", "a.scss"),
        ({"default": "./a.js", "sass": "./a.scss"}, "", "a.js"),
        ({"import": "./a.mjs", "style": "./a.css"}, "", "a.css"),
        ({"node": {"sass": "./no.scss"}, "default": {"style": "./a.css"}}, "", "a.css"),
        ({"sass": {"import": "./no.scss"}, "default": "./a.js"}, "", "a.js"),
        (["./a.scss", "./b.scss"], "", "a.scss"),
        (["a.scss", {"import": "./no"}, "./b.scss"], "", "b.scss"),
        ({".": "./a.scss", "./b": "./lib/b.scss"}, "b", "lib/b.scss"),
        ({"./*": "./lib/*.scss"}, "b/c", "lib/b/c.scss"),
        ({"./*": "./lib/*/*.scss"}, "b", "lib/b/b.scss"),
        ({"./*.scss": "./lib/*.scss"}, "b.scss", "lib/b.scss"),
        ({"./*": "./lib/*", "./x/*": "./lib/y/*"}, "x/b", "lib/y/b"),
        ({"./x/*": "./lib/*", "./x/*.css": "./css/*.css"}, "x/b.css", "css/b.css"),
        ({"./*": "./lib/*", "./b": "./b.scss"}, "b", "b.scss"),
    ],
)
def test_exports_give_out_a_file(exports: object, subpath: str, file: str) -> None:
    assert exported(exports, subpath) == os.path.join("/kit", file)


@pytest.mark.parametrize(
    ("exports", "subpath"),
    [
        ({".": "./a.scss"}, "b"),
        ({"./b": "./b.scss"}, ""),
        ({"./*": "./lib/*", "./private/*": None}, "private/b"),
        ({"./b": {"sass": None, "default": "./b.js"}}, "b"),
        ({"./b": {"import": "./b.mjs"}}, "b"),
        ({"./b": []}, "b"),
        ({"./b/*": "./lib/*"}, "b/"),
        ({"./b*": "./lib/*"}, "b"),
        ("./a.scss", "b"),
        ([], ""),
    ],
)
def test_what_exports_do_not_give_out_is_refused_by_name(exports: object, subpath: str) -> None:
    shown = f"kit/{subpath}" if subpath else "kit"

    assert exported(exports, subpath) == Unresolved(f"`{shown}` is not given out by `exports` of `kit`")


@pytest.mark.parametrize(
    "target",
    [
        "../a",
        "a.scss",
        "/a",
        "./../a",
        "./a/../../b",
        "./%2e%2e/a",
        "./a//b",
        "./node_modules/x/a",
        "./a/./b",
        "./a\\..\\b",
    ],
)
def test_a_target_that_leaves_the_package_is_refused(target: str) -> None:
    assert exported(target) == Unresolved(f"target `{target}` of `kit` is not below the package")


@pytest.mark.parametrize("subpath", ["../a", "a/../../b", "%2e%2e/a", "node_modules/x"])
def test_a_pattern_cannot_be_filled_with_a_way_out(subpath: str) -> None:
    assert exported({"./*": "./lib/*"}, subpath) == Unresolved("target `./lib/*` of `kit` is not below the package")


def test_exports_that_mix_paths_and_conditions_are_refused() -> None:
    assert exported({".": "./a", "sass": "./b"}) == Unresolved("`exports` of `kit` mixes paths and conditions")


def test_a_target_that_is_no_text_is_refused() -> None:
    assert exported({".": 7}) == Unresolved("package.json of `kit` names a target that is no text")


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("#theme", "/kit/theme.scss"),
        ("#dep", Bare("other/sub")),
        ("#in/a", "/kit/src/a.scss"),
        ("#to/a", Bare("other/a")),
        ("#none", Unresolved("`#none` is not among `imports` of `kit`")),
        ("#", Unresolved("`#` is not among `imports` of `kit`")),
        ("#up", Unresolved("target `../up` of `kit` is not below the package")),
    ],
)
def test_imports_lead_to_a_file_or_another_package(specifier: str, expected: object) -> None:
    imports = {
        "#theme": {"sass": "./theme.scss", "default": "./theme.js"},
        "#dep": "other/sub",
        "#in/*": "./src/*.scss",
        "#to/*": "other/*",
        "#up": "../up",
    }

    assert resolve_imports(package(imports=imports), specifier, SASS) == expected


key = st.one_of(
    st.sampled_from([".", "./a", "./*", "./b/*", "./b/*.scss", "sass", "default", "#x"]), st.text(max_size=4)
)
target = st.recursive(
    st.one_of(st.none(), st.integers(), st.sampled_from(["./a.scss", "./l/*", "../x", "b"]), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(key, inner, max_size=4)),
    max_leaves=8,
)


@given(target, st.sampled_from(["", "a", "b/c", "b/c.scss", "../x", "b//c"]))
def test_whatever_a_package_says_no_file_outside_it_is_given_out(exports: object, subpath: str) -> None:
    found = resolve_exports(package(exports=json.loads(json.dumps(exports))), subpath, SASS)

    if isinstance(found, str):
        assert os.path.normpath(found).startswith("/kit/")

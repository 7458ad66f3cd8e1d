"""Kept module graphs: whatever could change what esbuild finds makes the graph anew, and nothing else does.

Each attack is something that esbuild would find, read or follow in another way than when the graph was made.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.compiler import Outcome
from assetbuild.compiler.engines.esbuild import Built, Esbuild
from assetbuild.compiler.errors import CompileFailed
from assetbuild.noting import is_settled
from tests.conftest import Tree

Compiled = Callable[..., Outcome]
Edit = Mapping[str, str | None]

APP = """
import { a } from "./a";
import { d } from "./dir";
import { x } from "pkg/lib/x";
import { m } from "main-pkg";
import { q } from "@s/scoped";
import { t } from "@lib/t";
import { n } from "#inner/n";
import "fx";
import "./s.css";
let v, w;
try { v = require("./maybe"); w = require("maybe-pkg"); } catch {}
class Field { one = 1 }
export const late = () => import("./late.js");
console.log(a, d, x, m, q, t, n, v, w, new Field());
"""


def module(name: str, value: str) -> str:
    return f'export const {name} = "{value}";\n'


SITE = {
    "assetbuild.toml": '[entries]\n"js/app.js" = { module = "js/app.ts" }\n[compress]\ngzip = false\nbr = false\n',
    "package.json": json.dumps({"name": "site", "imports": {"#inner/*": ["./assets/inner/*.js"]}}),
    "tsconfig.json": '{ "extends": ["./base", "@cfg/shared"], // loose\n "compilerOptions": { "baseUrl": "." } }',
    "base.json": '{ "compilerOptions": { "paths": { "@lib/*": ["assets/gen/*", "assets/lib/*"] }, } }',
    "node_modules/@cfg/shared/tsconfig.json": '{ "compilerOptions": { "useDefineForClassFields": true } }',
    "assets/js/app.ts": APP,
    "assets/js/a.js": module("a", "a.js"),
    "assets/js/other.js": module("a", "other.js"),
    "assets/js/dir/index.js": module("d", "dir/index.js"),
    "assets/js/dir/main.js": module("d", "dir/main.js"),
    "assets/js/late.js": "export default 1;\n",
    "assets/js/s.css": '@import "./part.css";\n.s { color: red }\n',
    "assets/js/part.css": ".part { color: blue }\n",
    "assets/lib/t.ts": module("t", "lib"),
    "assets/inner/n.js": module("n", "inner"),
    "assets/img/dot.png": "dot",
    "node_modules/pkg/lib/x.js": module("x", "x.js"),
    "node_modules/main-pkg/package.json": '{"browser": "./dist/browser.js", "main": "lib/main"}',
    "node_modules/main-pkg/lib/main.js": module("m", "lib"),
    "node_modules/main-pkg/dist/else.js": module("m", "else"),
    "node_modules/@s/scoped/index.js": module("q", "far"),
    "node_modules/fx/index.js": "globalThis.fx = 1;\n",
}

ATTACKS: dict[str, Edit] = {
    "a source of another language beside the one in use": {"assets/js/a.ts": module("a", "a.ts")},
    "a file of the name as it is written": {"assets/js/dir": None, "assets/js/dir.js": module("d", "dir.js")},
    "a file beside a folder with an index": {"assets/js/dir.js": module("d", "dir.js")},
    "another index": {"assets/js/dir/index.ts": module("d", "index.ts")},
    "a package.json in a folder with an index": {"assets/js/dir/package.json": '{"main": "main.js"}'},
    "a folder in the place of a file": {"assets/js/a.js": None, "assets/js/a/index.js": module("a", "folder")},
    "another file in a package": {"node_modules/pkg/lib/x.jsx": module("x", "x.jsx")},
    "a file that a package lacked": {"node_modules/main-pkg/dist/browser.js": module("m", "browser")},
    "a package's description is edited": {"node_modules/main-pkg/package.json": '{"main": "dist/else.js"}'},
    "a package's description goes": {
        "node_modules/main-pkg/package.json": None,
        "node_modules/main-pkg/index.js": module("m", "index"),
    },
    "a package gets a description": {
        "node_modules/pkg/package.json": '{"exports": {"./lib/x": "./y.js"}}',
        "node_modules/pkg/y.js": module("x", "y.js"),
    },
    "a package is free of side effects": {"node_modules/fx/package.json": '{"sideEffects": false}'},
    "a nearer package": {"assets/node_modules/@s/scoped/index.js": module("q", "near")},
    "a nearer file in node_modules": {"assets/js/node_modules/pkg/lib/x.js": module("x", "near")},
    "a target that comes first in paths": {"assets/gen/t.js": module("t", "gen")},
    "a folder of the base URL before a package": {"main-pkg.js": module("m", "base URL")},
    "an extended configuration": {"base.json": '{ "compilerOptions": { "paths": { "@lib/*": ["assets/inner/n"] } } }'},
    "an extended configuration in a package": {
        "node_modules/@cfg/shared/tsconfig.json": '{ "compilerOptions": { "useDefineForClassFields": false } }'
    },
    "a configuration that comes before the extended one": {
        "assets/tsconfig.json": '{ "extends": "../base", "compilerOptions": { "useDefineForClassFields": false } }'
    },
    "the project's description": {
        "package.json": json.dumps({"name": "site", "imports": {"#inner/*": "./assets/js/other.js"}})
    },
    "a file that the project's own names come to": {"assets/inner/n.js": module("n", "edited")},
    "a browser field on the way": {"assets/package.json": '{"browser": {"./js/a.js": "./js/other.js"}}'},
    "a kind of module on the way": {"assets/js/package.json": '{"type": "commonjs", "sideEffects": false}'},
    "a source that was tried": {"assets/js/maybe.js": "module.exports = 1;\n"},
    "a package that was tried": {"node_modules/maybe-pkg/index.js": "module.exports = 1;\n"},
    "a sheet in the graph": {"assets/js/part.css": ".part { color: green }\n"},
    "Yarn's own way to find packages": {".pnp.data.json": "{}"},
}


@pytest.fixture(autouse=True)
def cache_folder(no_compile_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def edit(project: Path, files: Edit) -> None:
    for name, text in files.items():
        place = project / name
        if text is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        elif place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def settle(project: Path) -> None:
    """Wait until nothing in a project is as young as a tick of the clock."""
    while not all(is_settled(place.lstat(), time.time_ns()) for place in (project, *project.rglob("*"))):
        os.sched_yield()


def published(outcome: Outcome) -> list[tuple[str, str, str]]:
    return sorted((asset.logical, asset.path, asset.sha256_hex) for asset in outcome.assets)


def answer(compiled: Compiled, project: Path, **flags: Any) -> object:
    """Return what a compile gives, or says is wrong."""
    try:
        outcome = compiled(project, **flags)
    except CompileFailed as failed:
        return failed.diagnostics
    return published(outcome), outcome.diagnostics, outcome.manifest


def is_kept(compiled: Compiled, project: Path) -> bool:
    return "modules" not in compiled(project).engine_runs


@pytest.fixture(scope="module")
def kept_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a project, and the cache that its compile filled."""
    from assetbuild.compiler import compile, config
    from assetbuild.disk import RealDisk
    from tests.conftest import need, pinned

    need("esbuild", pinned("esbuild") is not None)
    folder = tmp_path_factory.mktemp("kept")
    edit(folder / "project", SITE)
    settle(folder / "project")
    environ = {**os.environ, "ASSETBUILD_CACHE": str(folder / "cache")}
    compile(config.read(str(folder / "project"), environ, RealDisk(), config.Flags()), environ=environ)
    return folder


@pytest.fixture
def site(kept_site: Path, tmp_path: Path, compiled: Compiled) -> Path:
    """Return a copy of the project in another folder, whose graph is in the cache."""
    shutil.copytree(kept_site, tmp_path, dirs_exist_ok=True)
    assert is_kept(compiled, tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_could_change_the_graph_makes_it_anew(site: Path, compiled: Compiled, attack: str) -> None:
    before = answer(compiled, site)
    edit(site, ATTACKS[attack])

    after = answer(compiled, site)

    assert answer(compiled, site, is_cached=False) == after
    assert before != after or attack in ("Yarn's own way to find packages", "a kind of module on the way")


UNRELATED: dict[str, Edit] = {
    "an image": {"assets/img/more.png": "more"},
    "a sheet elsewhere": {"assets/css/new.css": "a{b:c}"},
    "an editor's file": {"assets/js/.app.ts.swp": "", "assets/js/app.ts~": ""},
    "a file in the project's folder": {"db.sqlite3-journal": "", "notes.txt": ""},
    "a package that nobody imports": {"node_modules/.package-lock.json": "{}"},
}


@pytest.mark.parametrize("name", UNRELATED)
def test_what_cannot_change_the_graph_does_not(site: Path, compiled: Compiled, name: str) -> None:
    edit(site, UNRELATED[name])

    assert is_kept(compiled, site)


def test_a_graph_in_a_moved_project_is_kept_and_one_with_another_description_above_is_not(
    site: Path, compiled: Compiled
) -> None:
    """A `browser` field counts below the nearest `package.json` too, if that one has none."""
    (site.parent / "package.json").write_text('{"browser": {"./project/assets/js/a.js": false}}')

    after = answer(compiled, site)

    assert answer(compiled, site, is_cached=False) == after


def test_a_description_above_that_changes_nothing_more_is_kept_with(site: Path, compiled: Compiled) -> None:
    (site.parent / "package.json").write_text("{}")
    compiled(site)

    assert is_kept(compiled, site)


PNPM = {
    "assetbuild.toml": SITE["assetbuild.toml"],
    "assets/js/app.ts": 'import { x } from "p"; console.log(x);\n',
    "node_modules/.pnpm/p@1/node_modules/p/index.js": 'export { y as x } from "q";\n',
    "node_modules/.pnpm/p@2/node_modules/p/index.js": module("x", "p 2"),
    "node_modules/.pnpm/q@1/node_modules/q/index.js": module("y", "q 1"),
    "node_modules/.pnpm/q@2/node_modules/q/index.js": module("y", "q 2"),
}


@pytest.fixture
def linked(tree: Tree, compiled: Compiled, esbuild: Any) -> Path:
    """Return a project whose packages are laid out as pnpm does it, and whose graph is in the cache."""
    project = tree(PNPM)
    link(project / "node_modules/p", ".pnpm/p@1/node_modules/p")
    link(project / "node_modules/.pnpm/p@1/node_modules/q", "../../q@1/node_modules/q")
    settle(project)
    compiled(project)
    assert is_kept(compiled, project)
    return project


def link(place: Path, target: str) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


LINKS: dict[str, Callable[[Path], object]] = {
    "a package is linked to another version": lambda p: link(p / "node_modules/p", ".pnpm/p@2/node_modules/p"),
    "a package of a package is linked to another version": lambda p: link(
        p / "node_modules/.pnpm/p@1/node_modules/q", "../../q@2/node_modules/q"
    ),
    "a package is shadowed inside another": lambda p: edit(
        p, {"node_modules/.pnpm/p@1/node_modules/p/node_modules/q/index.js": module("y", "q inside")}
    ),
    "a description beside the linked package": lambda p: edit(
        p, {"node_modules/.pnpm/q@1/node_modules/q/package.json": '{"main": "other"}'}
    ),
    "a folder that becomes a link": lambda p: link((p / "assets/js").rename(p / "assets/moved").parent / "js", "moved"),
}


@pytest.mark.parametrize("change", LINKS)
def test_links_are_followed_anew(linked: Path, compiled: Compiled, change: str) -> None:
    LINKS[change](linked)

    after = answer(compiled, linked)

    assert answer(compiled, linked, is_cached=False) == after


UNKNOWABLE: dict[str, Edit] = {
    "names that match a pattern": {
        "assets/js/app.ts": "export const load = (n: string) => import(`./x/${n}.js`);\n",
        "assets/js/x/one.js": "export default 1;\n",
    },
    "a package above that is tried": {
        "assets/js/app.ts": 'let v; try { v = require("far") } catch {}\nconsole.log(v);\n',
        "../node_modules/near/index.js": "",
    },
    "a folder that is a link out of the project": {
        "assets/js/app.ts": 'import "../../away/b.js";\n',
    },
}


@pytest.mark.parametrize("name", UNKNOWABLE)
def test_a_graph_of_which_not_everything_can_be_known_is_not_kept(
    tree: Tree, compiled: Compiled, esbuild: Any, name: str
) -> None:
    project = tree({"assetbuild.toml": 'roots = ["assets", "away"]\n' + SITE["assetbuild.toml"]})
    edit(project, {"../elsewhere/b.js": "console.log(1);\n", **UNKNOWABLE[name]})
    link(project / "away", "../elsewhere")
    settle(project)
    compiled(project)

    assert not is_kept(compiled, project)


def test_what_comes_while_esbuild_runs_is_found_by_the_next_compile(
    tree: Tree, compiled: Compiled, esbuild: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tree(SITE)
    settle(project)
    build = Esbuild.build

    def interrupted(self: Esbuild, *args: Any, **others: Any) -> Built:
        built = build(self, *args, **others)
        edit(project, {"assets/js/a.ts": module("a", "meanwhile")})
        return built

    monkeypatch.setattr(Esbuild, "build", interrupted)
    compiled(project)
    monkeypatch.undo()
    monkeypatch.setenv("ASSETBUILD_CACHE", str(project.parent / "cache"))

    after = answer(compiled, project)

    assert answer(compiled, project, is_cached=False) == after


PLACES = ("assets", "assets/js", "assets/js/dir", "node_modules/pkg", "node_modules/main-pkg/dist", ".")
NAMES = ("a", "dir", "index", "maybe", "browser", "lib/x", "node_modules/pkg/lib/x", "late")
CONTENTS = {
    ".js": 'export const [a, d, x, m] = ["new"];\n',
    ".ts": "export const a: number = 2, d = 3, x = 4, m = 5;\n",
    ".css": ".new { color: red }\n",
    ".json": '{"browser": {"./a.js": "./other.js"}, "main": "main.js"}',
}
edits = st.one_of(
    st.builds(
        lambda place, name, extension: {f"{place}/{name}{extension}": CONTENTS[extension]},
        st.sampled_from(PLACES),
        st.sampled_from(NAMES),
        st.sampled_from(sorted(CONTENTS)),
    ),
    st.builds(
        lambda place, name: {f"{place}/{name}": CONTENTS[".json"] if name == "package.json" else "{}"},
        st.sampled_from(PLACES),
        st.sampled_from(["package.json", "tsconfig.json", "jsconfig.json"]),
    ),
    st.sampled_from(sorted(SITE)[1:]).map(lambda name: {name: None}),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(series=st.lists(edits, min_size=1, max_size=3))
def test_any_series_of_edits_gives_what_a_fresh_compile_gives(
    kept_site: Path, tmp_path: Path, compiled: Compiled, series: list[dict[str, str | None]]
) -> None:
    project = tmp_path / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(kept_site, tmp_path, dirs_exist_ok=True)
    for each in series:
        edit_if_possible(project, each)

        after = answer(compiled, project)

        assert answer(compiled, project, is_cached=False) == after


def edit_if_possible(project: Path, files: Edit) -> None:
    """Edit, unless a file stands where an edit needs a folder or the other way round."""
    for name, text in files.items():
        above = [place for place in (project / name).parents if place.is_relative_to(project)]
        if not any(place.is_file() for place in above) and not (project / name).is_dir():
            edit(project, {name: text})

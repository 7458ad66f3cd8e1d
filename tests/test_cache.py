"""The compile cache, through the compile itself: what is made again, what is not, and why."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assetbuild.compiler import Outcome, cache
from assetbuild.compiler.cache import toolchain
from assetbuild.compiler.encode import encoders
from assetbuild.compiler.errors import CompileFailed
from assetbuild.noting import is_settled
from tests.conftest import Tree

Compiled = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def cache_folder(no_compile_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every compile of a test use one cache."""
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(project: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        if text is None:
            (project / name).unlink()
        else:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)


def settle(project: Path) -> None:
    """Wait until nothing in a project is as young as a tick of the clock."""
    while not all(is_settled(place.lstat(), time.time_ns()) for place in (project, *project.rglob("*"))):
        os.sched_yield()


def made(outcome: Outcome) -> dict[str, str]:
    return dict(outcome.reasons)


SITE = {
    "assetbuild.toml": '[entries]\n"css/app.css" = "scss/app.scss"\n"css/other.css" = "scss/other.scss"\n'
    '"js/old.js" = { classic = ["js/a.js", "js/b.js"] }\n',
    "assets/scss/app.scss": "@use 'part';\n.a { color: part.$c; background: url(../img/dot.png) }\n",
    "assets/scss/_part.scss": "$c: red;\n",
    "assets/scss/other.scss": ".other { color: blue }\n",
    "assets/css/plain.css": "@import 'more.css';\nb{c:url(../img/dot.png)}\n",
    "assets/css/more.css": "i{j:k}\n",
    "assets/js/a.js": "var first = 1;\n",
    "assets/js/b.js": "var second = 2;\n",
    "assets/img/dot.png": "dot",
    "assets/page.html": "<img src='img/dot.png'>\n",
}


def test_a_second_compile_runs_no_engine_and_gives_the_same_bytes(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    first = compiled(project)

    second = compiled(project)

    assert {} == second.engine_runs
    assert first.engine_jobs == second.engine_jobs
    assert first.manifest == second.manifest
    assert first.assets == second.assets
    assert second.published
    assert 0 == second.published.written


def test_a_compile_without_the_cache_gives_the_bytes_of_one_with_it(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    compiled(project)

    cached = compiled(project)
    plain = compiled(project, is_cached=False)

    assert {**plain.engine_runs, "copy": 3} == plain.engine_jobs
    assert (cached.manifest, cached.assets, cached.variants) == (plain.manifest, plain.assets, plain.variants)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"assets/scss/_part.scss": "$c: green;\n"}, {"css/app.css": "`assets/scss/_part.scss` changed"}),
        ({"assets/scss/other.scss": ".o{d:e}\n"}, {"css/other.css": "`assets/scss/other.scss` changed"}),
        (
            {"assets/js/b.js": "var third = 3;\n"},
            {"js/old.js": "`assets/js/b.js` changed"},
        ),
        ({"assets/img/dot.png": "another"}, {}),
        ({"assets/img/new.png": "new"}, {}),
        ({"assets/css/new.css": "n{}\n"}, {"css/new.css": "it is not in the cache yet"}),
    ],
)
def test_an_edit_makes_what_depends_on_it_and_nothing_else(
    tree: Tree, compiled: Compiled, change: dict[str, str], expected: dict[str, str]
) -> None:
    project = tree(SITE)
    compiled(project)

    write(project, change)
    second = compiled(project)

    assert expected == made(second)
    assert second.manifest == compiled(project, is_cached=False).manifest


def test_a_partial_that_appears_before_the_one_in_use_is_seen(tree: Tree, compiled: Compiled) -> None:
    """Dart Sass looks for `part.scss` beside `_part.scss`: the answer was no, and is part of the input."""
    project = tree(SITE | {"assets/scss/app.scss": "@use 'kit';\n", "assets/scss/kit/_index.scss": ".kit{d:e}\n"})
    compiled(project)

    write(project, {"assets/scss/_kit.scss": ".single{d:e}\n"})
    second = compiled(project)

    assert {"css/app.css": "`assets/scss/_kit.scss` came or went"} == made(second)
    assert b".single" in next(asset.body for asset in second.assets if asset.logical == "css/app.css")


def test_a_reference_whose_target_goes_is_an_error_again(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    compiled(project)

    write(project, {"assets/img/dot.png": None})

    with pytest.raises(CompileFailed) as failed:
        compiled(project)
    assert 3 == sum(each.rule == "missing-reference" for each in failed.value.diagnostics)


def test_a_reference_that_was_missing_is_found_when_its_file_comes(tree: Tree, compiled: Compiled) -> None:
    warned = {
        "assetbuild.toml": 'roots = [{ path = "assets", missing = "warn" }]\n',
        "assets/a.css": "a{b:url(img/late.png)}\n",
    }
    project = tree(warned)
    first = compiled(project)

    write(project, {"assets/img/late.png": "late"})
    second = compiled(project)

    assert ["missing-reference"] == [each.rule for each in first.diagnostics]
    assert [] == [each.rule for each in second.diagnostics]
    assert ("img/late.png",) == next(asset.refs for asset in second.assets if asset.logical == "a.css")


def test_warnings_are_told_again_from_the_cache(tree: Tree, compiled: Compiled) -> None:
    project = tree({"assets/a.scss": "@import 'b';\n", "assets/_b.scss": "c{d:e}\n"})
    first = compiled(project)

    second = compiled(project)

    assert {} == made(second)
    assert [each.rule for each in first.diagnostics]
    assert first.diagnostics == second.diagnostics


def test_a_secret_that_one_file_may_publish_is_told_of_in_its_copy(tree: Tree, compiled: Compiled) -> None:
    secret = "AKIA" + "QYLPMN5HHHFPZAM2"
    allowed = '[secrets]\nallow = ["allowed.txt"]\n'
    project = tree({"assets/allowed.txt": secret, "assets/other.txt": "", "assetbuild.toml": allowed})
    first = compiled(project)
    write(project, {"assets/copy.txt": secret})

    second = compiled(project)

    assert ([], ["published-secret"]) == tuple([found.rule for found in each.diagnostics] for each in (first, second))


def test_nothing_is_kept_of_a_job_with_an_error(tree: Tree, compiled: Compiled) -> None:
    project = tree({"assets/a.scss": "a { b: $c }\n"})

    errors = []
    for _ in range(2):
        with pytest.raises(CompileFailed) as failed:
            compiled(project)
        errors.append(failed.value.diagnostics)

    assert errors[0] == errors[1]


def test_what_was_good_is_kept_although_the_build_failed(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE | {"assets/scss/app.scss": "a { b: $c }\n"})
    with pytest.raises(CompileFailed):
        compiled(project)

    write(project, {"assets/scss/app.scss": "a { b: c }\n"})
    second = compiled(project)

    assert {"css/app.css": "it is not in the cache yet"} == made(second)


# One for each setting that every job depends on, and for what an entry says itself.
SETTINGS = {
    'base = "/elsewhere/"': "settings.base",
    "[css]\nminify = false": "options.minify",
    "[js]\nminify = false": "settings.js.minify",
    'keep_names = ["page.html"]': "settings.keep_names",
    '[missing]\nallow = ["x/**"]': "settings.missing_allow",
    '[secrets]\nallow = ["x/**"]': "settings.secrets_allow",
    "[svg]\nsanitize = true": "settings.svg.sanitize",
    'salt = "s"': "settings.salt",
    '[sass]\nsilence = ["import"]': "settings.sass.silence",
    'site_root = ["page.html"]': "settings.site_root",
    '[sourcemaps]\nmode = "public"': "settings.sourcemaps",
    '[urls]\npublic = "/p/"': "settings.urls.public",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_is_a_part_of_the_key(tree: Tree, compiled: Compiled, setting: str) -> None:
    project = tree(SITE)
    compiled(project)

    config = SITE["assetbuild.toml"]
    write(project, {"assetbuild.toml": f"{config}\n{setting}\n" if "[" in setting[0] else f"{setting}\n{config}"})
    second = compiled(project)

    reasons = set(made(second).values())
    assert reasons
    assert all(f"`{SETTINGS[setting]}`" in reason for reason in reasons)
    assert second.manifest == compiled(project, is_cached=False).manifest


def test_a_setting_of_sheets_makes_no_script_anew(tree: Tree, compiled: Compiled, esbuild: Any) -> None:
    graph = {"assets/js/app.ts": "console.log(1);\n", "assets/js/m.js": "import './b.js';\n"}
    project = tree(SITE | graph)
    config = SITE["assetbuild.toml"] + '"js/app.js" = "js/app.ts"\n'
    write(project, {"assetbuild.toml": config})
    settle(project)
    compiled(project)

    write(project, {"assetbuild.toml": f'{config}[css]\nminify = false\n[sass]\nsilence = ["import"]\n'})

    assert {"style"} == compiled(project).engine_runs.keys()


def test_a_new_root_before_the_others_is_a_part_of_the_key(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE | {"first/only.txt": "x"})
    compiled(project)

    write(project, {"assetbuild.toml": 'roots = ["first", "assets"]\n' + SITE["assetbuild.toml"]})
    second = compiled(project)

    assert {"`settings.roots` changed"} == {*made(second).values()}


def test_what_an_entry_says_is_a_part_of_the_key(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    compiled(project)

    config = SITE["assetbuild.toml"].replace('"scss/other.scss"', '{ sources = ["scss/other.scss"], minify = false }')
    write(project, {"assetbuild.toml": config})
    second = compiled(project)

    assert {"css/other.css": "`options.minify` changed"} == made(second)


def test_the_sources_of_an_entry_are_a_part_of_the_key(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    compiled(project)

    config = SITE["assetbuild.toml"].replace('["js/a.js", "js/b.js"]', '["js/b.js", "js/a.js"]')
    write(project, {"assetbuild.toml": config})
    second = compiled(project)

    assert {"js/old.js": "`sources` changed"} == made(second)


def test_another_version_of_a_package_invalidates(
    tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tree(SITE)
    compiled(project)
    installed = toolchain.packages()

    monkeypatch.setattr(cache, "packages", lambda: {**installed, "rcssmin": "9.9.9 0"})
    second = compiled(project)

    assert {"`tools.rcssmin` changed"} == {*made(second).values()}


def test_another_build_of_a_pinned_tool_invalidates(
    tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetbuild.compiler import tools

    project = tree(SITE)
    compiled(project)

    monkeypatch.setattr(tools, "promised", lambda name, project, environ: "another")
    second = compiled(project)

    again = {"css/app.css": "`dart-sass` is another build", "css/other.css": "`dart-sass` is another build"}
    assert again == made(second)


def test_another_format_of_the_cache_invalidates(
    tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetbuild.compiler.cache import keys

    project = tree(SITE)
    compiled(project)

    monkeypatch.setattr(keys, "EPOCH", 999)
    second = compiled(project)

    assert {"`epoch` changed"} == {*made(second).values()}


def test_a_cache_moves_with_a_project_to_another_folder(tree: Tree, compiled: Compiled, tmp_path: Path) -> None:
    project = tree(SITE)
    first = compiled(project)
    elsewhere = Path(shutil.copytree(project, tmp_path / "deep/er/elsewhere"))
    shutil.rmtree(elsewhere / "build")

    second = compiled(elsewhere)

    assert {} == made(second)
    assert first.manifest == second.manifest


def test_the_time_of_a_file_decides_nothing(tree: Tree, compiled: Compiled) -> None:
    import os

    project = tree(SITE)
    compiled(project)
    part = project / "assets/scss/_part.scss"
    before = part.stat()

    part.write_text("$c: tan;\n")  # as long as before
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    edited = compiled(project)
    os.utime(project / "assets/scss/other.scss", (1, 1))
    touched = compiled(project)

    assert {"css/app.css": "`assets/scss/_part.scss` changed"} == made(edited)
    assert {} == made(touched)


def test_branches_that_alternate_stay_in_the_cache(tree: Tree, compiled: Compiled) -> None:
    project = tree(SITE)
    main = compiled(project)
    write(project, {"assets/scss/_part.scss": "$c: green;\n"})
    branch = compiled(project)

    write(project, {"assets/scss/_part.scss": "$c: red;\n"})
    back = compiled(project)
    write(project, {"assets/scss/_part.scss": "$c: green;\n"})
    forth = compiled(project)

    assert [{}, {}] == [made(back), made(forth)]
    assert [main.manifest, branch.manifest] == [back.manifest, forth.manifest]


def test_a_broken_cache_is_a_slow_compile_with_the_same_bytes(
    tree: Tree, compiled: Compiled, cache_folder: Path
) -> None:
    project = tree(SITE)
    first = compiled(project)
    for file in cache_folder.rglob("*"):
        if file.is_file():
            file.write_bytes(bytes(reversed(file.read_bytes())))

    second, third = compiled(project), compiled(project)

    assert first.engine_runs == second.engine_runs
    assert {} == third.engine_runs
    assert first.manifest == second.manifest == third.manifest


def test_module_graphs_are_kept_whole(tree: Tree, compiled: Compiled, esbuild: Any) -> None:
    """tests/test_module_cache.py says what makes one anew."""
    project = tree(
        {
            "assetbuild.toml": '[entries]\n"js/app.js" = { module = "js/app.ts" }\n',
            "assets/js/app.ts": 'import { one } from "./one";\nimport("./late").then(() => one);\n',
            "assets/js/one.ts": "export const one: number = 1;\n",
            "assets/js/late.ts": 'export const url = new URL("../img/dot.png", import.meta.url);\n',
            "assets/img/dot.png": "dot",
        }
    )
    settle(project)
    first = compiled(project)

    second = compiled(project)
    write(project, {"assets/js/one.ts": "export const one: number = 2;\n"})
    third = compiled(project)

    assert {} == made(second)
    assert (first.manifest, first.assets) == (second.manifest, second.assets)
    assert ["`assets/js/one.ts` changed"] == list(made(third).values())
    assert third.manifest == compiled(project, is_cached=False).manifest


TEXTS = {f"assets/{n}.css": f".class-{n} {{ color: red; background: blue }}\n" * 20 for n in range(5)}


def test_variants_are_made_once(tree: Tree, compiled: Compiled, tmp_path: Path) -> None:
    """Also where the output is empty, as in an image build that keeps nothing but the cache."""
    project = tree(TEXTS)
    first = compiled(project)
    write(project, {"assets/0.css": "edited{a:b}" * 50})

    second = compiled(project, output=str(tmp_path / "another"))

    assert (10, 2) == (first.encoder_runs, second.encoder_runs)
    assert second.variants == compiled(project, is_cached=False).variants


@pytest.mark.parametrize("change", [{"level": 1}, {"version": "0"}, {"tool": "other"}])
def test_an_encoder_of_another_level_version_or_make_makes_its_own(
    tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    project = tree(TEXTS)
    compiled(project)

    changed = lambda *args: tuple(each._replace(**change) for each in encoders(*args))  # noqa: E731
    monkeypatch.setattr("assetbuild.compiler.spine.encoders", changed)
    second = compiled(project)

    assert 10 == second.encoder_runs


def test_the_job_that_took_longest_goes_first_the_next_time(
    tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetbuild.compiler import engines
    from assetbuild.compiler.engines import css

    files = {f"assets/{name}.css": f".{name}{{a:b}}\n" for name in "abc"}
    project = tree({**files, "assetbuild.toml": 'roots = [{ path = "assets", minify = true }]\n'})
    clock = iter([0.0, 1.0, 10.0, 15.0, 20.0, 22.0])  # a takes 1 s, b 5 s, c 2 s
    room = sys.modules["assetbuild.compiler.make"]
    monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: next(clock, 99.0)))
    compiled(project, jobs=1)
    began: list[str] = []

    def build(job: Any, reading: Any, shop: Any) -> Any:
        began.append(job.logicals[0])
        return css.build(job, reading, shop)

    write(project, {f"assets/{name}.css": f".{name}{{c:d}}\n" for name in "abc"})
    monkeypatch.setattr(engines, "engine", lambda name: type("Room", (), {"build": staticmethod(build)}))
    compiled(project, jobs=1)

    assert ["b.css", "c.css", "a.css"] == began

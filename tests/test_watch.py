"""`assetbuild watch` as a whole: the same compile on change, kept warm, and nothing that ends it but a signal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild import Assets
from assetbuild.cli import main
from tests.conftest import Tree
from tests.watching import Watch, watching

if TYPE_CHECKING:
    from assetbuild.compiler.tools import Program

SITE = {
    "assets/css/app.scss": "@use 'part';\n.a { color: part.$c }\n",
    "assets/css/_part.scss": "$c: red;\n",
    "assets/css/other.scss": ".b { color: tan }\n",
    "assets/img/dot.png": "dot",
    "assets/js/plain.js": "export {};\n",
    "assetbuild.toml": "",
}
COPIES = {"assets/a.txt": "a", "assetbuild.toml": ""}


@pytest.fixture
def cached(tmp_path: Path) -> Mapping[str, str]:
    """Return the environment of a process that has a compile cache of its own."""
    return {"ASSETBUILD_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def watched(tree: Tree, cached: Mapping[str, str]) -> Iterator[tuple[Path, Watch]]:
    """Give a project and the command that watches it, after its first build."""
    project = tree(SITE)
    with watching(project, "--explain", environ=cached) as watch:
        watch.until("compiled")
        yield project, watch


def fresh(project: Path, folder: Path) -> bytes:
    """Return the manifest that a compile without any memory makes."""
    assert 0 == main(["compile", str(project), "--no-cache", "--output", str(folder)])
    return (folder / "manifest.json").read_bytes()


def timeless(lines: list[str]) -> list[str]:
    return [re.sub(r" → .*", "", line) for line in lines]


def test_an_edit_gives_what_a_compile_gives(watched: tuple[Path, Watch], tmp_path: Path) -> None:
    project, watch = watched
    manifest = project / "build/assets/manifest.json"
    before = manifest.read_bytes()
    events = watch.events()
    events.next()

    (project / "assets/css/_part.scss").write_text("$c: blue;\n")
    told = events.next()

    after = manifest.read_bytes()
    assert before != after == fresh(project, tmp_path / "fresh")
    assert f"{json.loads(after)['build']['id']}+0" == told["state"]


def test_an_application_that_reloads_sees_the_new_build(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    assets = Assets.open(project / "build/assets/manifest.json", reload=True)
    before = assets.url("css/app.css"), assets.build_id

    (project / "assets/css/_part.scss").write_text("$c: blue;\n")
    watch.until("compiled")

    assert before[0] != assets.url("css/app.css")
    assert before[1] != assets.build_id


def test_engines_start_once_and_make_only_what_changed(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    engines = watch.children()

    made = []
    for colour in ("blue", "tan", "green"):
        (project / "assets/css/_part.scss").write_text(f"$c: {colour};\n")
        watch.lines.clear()
        watch.until("compiled")
        made.append(timeless(watch.lines))

    edit = [
        "made css/app.css: `assets/css/_part.scss` changed",
        "compressed 2 times: bytes, coder or level are new to the cache",
    ]
    assert [edit] * 3 == [lines[:-1] for lines in made]
    assert engines
    assert engines == watch.children()


def test_modules_find_their_engine_running(tree: Tree, cached: Mapping[str, str], esbuild: Program) -> None:
    project = tree(
        {
            "assets/app.ts": "import { a } from './a';\nconsole.log(a satisfies number);\n",
            "assets/a.ts": "export const a = 1;\n",
            "assetbuild.toml": '[entries]\n"js/app.js" = "app.ts"\n',
        }
    )
    with watching(project, environ=cached) as watch:
        watch.until("compiled")
        engines = watch.children()

        (project / "assets/a.ts").write_text("export const a = 2;\n")
        watch.until("compiled")

        assert engines
        assert engines == watch.children()
        made = Assets.open(project / "build/assets/manifest.json")["js/app.js"].file
        assert "2" in (project / "build/assets" / made).read_text()


def test_what_changes_nothing_is_passed_over_in_silence(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    watch.lines.clear()

    os.utime(project / "assets/css/_part.scss", (1, 1))
    (project / "notes.txt").write_text("a file of nobody's")
    (project / "assets/css/.app.scss.swp").write_text("an editor's")
    (project / "assets/css/.app.scss.swp").unlink()
    (project / "assets/css/other.scss").write_text(".b { color: plum }\n")
    watch.until("compiled")

    assert [
        "made css/other.css: `assets/css/other.scss` changed",
        "compressed 2 times: bytes, coder or level are new to the cache",
        "compiled 4 assets (2 files written, 3 unchanged)",
    ] == (timeless(watch.lines))


def test_a_build_that_still_stands_is_not_made_again(tree: Tree, cached: Mapping[str, str]) -> None:
    project = tree(SITE)
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "assetbuild", "compile", str(project)],
            env={**os.environ, **cached},
            check=True,
            capture_output=True,
        )

    with watching(project, "--explain", environ=cached) as watch:
        line = watch.until("compiled")

        assert ["compiled 4 assets (0 files written, 5 unchanged)"] == timeless([line])
        assert set() == watch.children()


def test_an_error_is_shown_once_and_the_next_change_mends_it(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    events = watch.events()
    events.next()

    (project / "assets/css/_part.scss").write_text("$c blue;\n")
    trouble = events.next()["trouble"]
    (project / "assets/css/unused.txt").write_text("it is still wrong")
    (project / "assets/css/_part.scss").write_text("$c: blue;\n")
    mended = events.next()

    assert trouble.startswith('error: expected ":" [sass-error]\n  assets/css/_part.scss:1:4\n')
    assert ["", {"css/app.css"}] == [mended["trouble"], {name.partition("-")[0] + ".css" for name in mended["styles"]}]
    watch.until("compiled")
    assert 1 == [line.startswith("error:") for line in watch.lines].count(True)


def test_an_error_that_is_taken_back_needs_no_compile(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    part = project / "assets/css/_part.scss"
    part.write_text("$c red;\n")
    watch.until("1 error")
    watch.lines.clear()

    part.write_text("$c: red;\n")
    watch.until("compiled")

    assert [
        "the error is gone",
        "made nothing: all that an earlier compile made still stands",
        "compiled 4 assets (0 files written, 5 unchanged)",
    ] == timeless(watch.lines)


def test_pages_hear_that_an_error_was_taken_back(watched: tuple[Path, Watch]) -> None:
    project, watch = watched
    part = project / "assets/css/_part.scss"
    events = watch.events()
    state = events.next()["state"]

    part.write_text("$c red;\n")
    told = events.next()
    part.write_text("$c: red;\n")
    mended = events.next()

    assert [(state, True), (state, False)] == [(each["state"], bool(each["trouble"])) for each in (told, mended)]


def test_an_error_that_was_there_before_is_told_once(tree: Tree) -> None:
    project = tree(SITE | {"assets/css/app.scss": "a {\n"})
    with watching(project) as watch:
        watch.until("1 error")
        (project / "assets/css/unused.txt").write_text("still wrong")
        (project / "assets/css/app.scss").write_text("a { b: c }\n")
        watch.until("compiled")

        assert 1 == [line.startswith("error:") for line in watch.lines].count(True)


def test_the_first_build_may_fail(tree: Tree) -> None:
    project = tree({"assetbuild.toml": "roots = [\n", "assets/a.txt": "a"})
    with watching(project) as watch:
        watch.until("1 error")
        events = watch.events()
        state = events.next()

        (project / "assetbuild.toml").write_text("")
        told = events.next()

    assert "the file is not TOML" in state["trouble"]
    assert [state["state"], None, ""] == [told["after"], told["styles"], told["trouble"]]


def test_the_configuration_is_read_again(watched: tuple[Path, Watch]) -> None:
    project, watch = watched

    (project / "assetbuild.toml").write_text('output = "elsewhere"\nbase = "/a/"\n')
    watch.until("compiled")
    (project / "assets/css/_part.scss").write_text("$c: blue;\n")
    watch.until("compiled")

    manifest = json.loads((project / "elsewhere/manifest.json").read_text())
    assert "/a/" == manifest["base"]
    assert "blue" in (project / "elsewhere" / manifest["assets"]["css/app.css"]["file"]).read_text()


def test_folders_may_come_and_go(tree: Tree) -> None:
    project = tree(COPIES)
    with watching(project) as watch:
        watch.until("compiled 1 asset")
        (project / "assets/new/deep").mkdir(parents=True)
        (project / "assets/new/deep/b.txt").write_text("b")
        watch.until("compiled 2 assets")
        (project / "assets/new/deep/c.txt").write_text("c")
        watch.until("compiled 3 assets")
        shutil.rmtree(project / "assets/new")
        watch.until("compiled 1 asset")
        shutil.copytree(project / "assets", project / "assets/new")
        watch.until("compiled 2 assets")
        (project / "assets/new/d.txt").write_text("d")
        watch.until("compiled 3 assets")
        shutil.rmtree(project / "assets")
        watch.until("error: there is no folder of assets")
        (project / "assets").mkdir()
        (project / "assets/e.txt").write_text("e")
        watch.until("compiled 1 asset")


def test_a_partial_beside_the_roots_mends_a_build_that_never_was(tree: Tree) -> None:
    """libsass reads in a worker process, and of a sheet that fails nobody knows where it looked."""
    project = tree(
        {
            "assets/a.scss": "@import 'tones';\n",
            "shared/other.scss": "",
            "assetbuild.toml": '[sass]\nengine = "libsass"\nload_paths = ["shared"]\n',
        }
    )
    with watching(project) as watch:
        watch.until("1 error")

        (project / "shared/_tones.scss").write_text("a { color: red }\n")

        watch.until("compiled 1 asset")


def test_another_template_turns_the_page_and_compiles_nothing(tree: Tree) -> None:
    project = tree(COPIES | {"assetbuild.toml": '[templates]\npaths = ["pages"]\n', "pages/deep/a.html": "a"})
    with watching(project) as watch:
        watch.until("compiled")
        events = watch.events()
        state = events.next()["state"]

        (project / "pages/deep/a.html").write_text("b")
        edited = events.next()
        (project / "pages/new.html").write_text("c")
        added = events.next()

        assert [(state, None), (edited["state"], None)] == [(e["after"], e["styles"]) for e in (edited, added)]
        watch.end()
        assert 1 == ["compiled" in line for line in watch.lines].count(True)


NAMES = ("a.txt", "b.txt", "new/c.txt")
EDITS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("", "1", "22", None))), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_series_of_edits_ends_in_what_a_compile_gives(
    edits: list[tuple[str, str | None]], busy: tuple[Path, Watch], tmp_path: Path
) -> None:
    """Nobody waits between two of them, so that some come before, during and after a compile."""
    project, watch = busy
    for name, content in edits:
        file = project / "assets" / name
        if content is None:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)

    wanted = json.loads(fresh(project, tmp_path / "fresh"))["build"]["id"]

    events = watch.events()
    while events.next()["state"] != f"{wanted}+0":
        pass
    events.close()


@pytest.fixture
def busy(tree: Tree) -> Iterator[tuple[Path, Watch]]:
    """Give a project of copies, and the command that watches it."""
    project = tree(COPIES)
    with watching(project) as watch:
        watch.until("compiled")
        yield project, watch


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_everything_that_it_started(tree: Tree, signum: int, code: int) -> None:
    with watching(tree(SITE)) as watch:
        watch.until("compiled")
        engines = watch.children()
        events = watch.events()
        events.next()

        ended = watch.end(signum)

        assert code == ended
        assert f"ended by {signal.Signals(signum).name}" == watch.lines[-1]
        assert not any("Traceback" in line for line in watch.lines)
        assert engines
        assert not any(Path(f"/proc/{pid}").exists() for pid in engines)


def test_a_port_that_is_taken_is_one_sentence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        assert 2 == main(["watch", str(tree(COPIES)), "--port", str(port)])

    assert (
        f"error: port {port} of 127.0.0.1 cannot be used: address already in use\n"
        "  end the other one, or choose a port with `--port N` (0: any that is free)\n"
    ) == capsys.readouterr().err


def test_a_project_that_is_not_there_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["watch", str(tmp_path / "no"), "--port", "0"])

    assert "is not a folder" in capsys.readouterr().err


def test_without_its_library_it_names_the_extra(
    tree: Tree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    assert 2 == main(["watch", str(tree(COPIES)), "--port", "0"])

    assert (
        "error: this needs the extra `watch`: its package `watchfiles` is not installed\n"
        "  pip install 'assetbuild[watch]'\n"
    ) == capsys.readouterr().err


def test_code_that_was_exchanged_compiles_nothing_more(tree: Tree, tmp_path: Path) -> None:
    """What the old code makes would be kept in the cache as made by the new."""
    shutil.copytree(Path(__file__).parents[1] / "assetbuild", tmp_path / "code/assetbuild")
    project = tree(COPIES)
    with watching(project, environ={"PYTHONPATH": str(tmp_path / "code")}) as watch:
        watch.until("compiled")

        with open(tmp_path / "code/assetbuild/compiler/seal.py", "a") as seal:
            seal.write("\n")
        watch.until("error: `assetbuild`, or a package that it compiles with, was exchanged")

        assert 2 == watch.process.wait(30)

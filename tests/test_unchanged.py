"""A compile with nothing to do: it says so only if everything that was read and written is as it was."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.cli import main
from assetbuild.cli.last import LastBuild
from assetbuild.compiler.pool import Workers
from assetbuild.disk import TEMP_MARK
from assetbuild.noting import Row, Watched
from tests.conftest import Tree, need

Run = Callable[..., dict[str, Any]]

SITE = {
    "assets/css/app.scss": "@use 'part';\n.a { color: part.$c; background: url(../img/dot.png) }\n",
    "assets/css/_part.scss": "$c: red;\n",
    "assets/img/dot.png": "dot",
    "assets/js/plain.js": "import './other.js';\n",
    "assets/js/other.js": "export {};\n",
    "assets/js/lone.js": "var lone = 1;\n",
    "assets/img/icon.svg": "<svg/>\n",
    "assets/img/large.png": "large" * 99_999,
    "assets/robots.txt": "User-agent: *\n",
    "assetbuild.toml": 'site_root = ["robots.txt"]\n',
}


@pytest.fixture(autouse=True)
def cache_folder(no_compile_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that compiles a project by the command and gives its JSON."""

    def compile(project: Path, *flags: str) -> dict[str, Any]:
        assert 0 == main(["compile", str(project), "--json", *flags])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return compile


@pytest.fixture
def site(tree: Tree, run: Run) -> Path:
    """Return a project that was compiled, old enough for its times to vouch for it."""
    project = tree(SITE)
    run(project)
    settle(project)
    run(project)
    return project


def settle(project: Path) -> None:
    """Wait until no file is as young as a tick of the clock."""
    newest = max(file.stat().st_ctime_ns for file in project.rglob("*"))
    while time.time_ns() < newest + 50_000_000:
        os.sched_yield()


def standing(output: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(file): (file.stat().st_mtime_ns, file.stat().st_ctime_ns, file.stat().st_ino) for file in output.rglob("*")
    }


def did_nothing(document: dict[str, Any]) -> bool:
    return not document["engineRuns"] and not document["filesWritten"]


def looked_anew(document: dict[str, Any]) -> bool:
    """Return whether the answer came from a compile, which at least reads its configuration."""
    hashed_bytes: int = document["bytesHashed"]
    return hashed_bytes > 0


def test_a_second_compile_reads_hashes_and_writes_nothing(site: Path, run: Run) -> None:
    before = standing(site / "build")

    document = run(site)

    counts = ("engineRuns", "encoderRuns", "filesWritten", "bytesHashed", "bytesWritten")
    assert [{}, 0, 0, 0, 0] == [document[each] for each in counts]
    assert before == standing(site / "build")


def test_the_answer_is_that_of_the_compile_but_for_what_was_done(tree: Tree, run: Run) -> None:
    project = tree(SITE | {"assets/css/old.scss": "@import 'part';\n"})
    first = run(project)

    second = run(project)

    told = ("ok", "output", "build", "assets", "variants", "engineJobs", "bytes", "diagnostics")
    assert [first[each] for each in told] == [second[each] for each in told]
    assert first["diagnostics"]
    assert first["filesWritten"] == second["filesUnchanged"]


def test_a_compile_with_nothing_to_do_imports_no_compiler(site: Path) -> None:
    script = (
        "import sys\nfrom assetbuild.cli import main\n"
        f"assert main(['compile', {str(site)!r}]) == 0\n"
        "print(*(name for name in sys.modules if name.startswith(('assetbuild.compiler', 'jinja2', 'webassets'))))"
    )

    command = [sys.executable, "-c", script]
    subprocess.run(command, capture_output=True, check=True)  # with the `sys.path` of this command
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "" == done.stdout.strip()
    assert "0 files written" in done.stderr


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source is edited": lambda p: (p / "assets/css/_part.scss").write_text("$c: blue;\n"),
    "a file appears": lambda p: (p / "assets/img/new.png").write_text("new"),
    "a file goes": lambda p: (p / "assets/js/plain.js").unlink(),
    "a file is renamed": lambda p: (p / "assets/js/plain.js").rename(p / "assets/js/plane.js"),
    "a folder appears with a file": lambda p: shutil.copytree(p / "assets/img", p / "assets/more"),
    "the configuration is edited": lambda p: (p / "assetbuild.toml").write_text('salt = "s"\n'),
    "the configuration goes": lambda p: (p / "assetbuild.toml").unlink(),
    "another configuration comes": lambda p: (p / "pyproject.toml").write_text("[tool.x]\n"),
    "a published file may not be read by others": lambda p: next((p / "build/assets/css").glob("*.css")).chmod(0o600),
    "a published file is cut": lambda p: os.truncate(next((p / "build/assets/img").glob("dot-*.png")), 1),
    "a published file goes": lambda p: next((p / "build/assets/css").glob("*.css")).unlink(),
    "a stable copy is edited": lambda p: (p / "build/assets/robots.txt").write_text("User-agent: x\n"),
    "the manifest goes": lambda p: (p / "build/assets/manifest.json").unlink(),
    "the output goes": lambda p: shutil.rmtree(p / "build"),
    "a published file is another's": lambda p: (p / "build/assets/manifest.json").write_bytes(
        (p / "build/assets/manifest.json").read_bytes().replace(b"sha256:", b"sha256;")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_seen_and_mended(site: Path, run: Run, tmp_path: Path, change: str) -> None:
    CHANGES[change](site)

    document = run(site)

    fresh = run(site, "--no-cache", "--output", str(tmp_path / "fresh"))
    assert fresh["build"] == document["build"]
    mended = {file.relative_to(tmp_path / "fresh"): file.read_bytes() for file in files(tmp_path / "fresh")}
    assert mended == {path: (site / "build/assets" / path).read_bytes() for path in mended}


def test_a_file_that_makes_an_error_of_it_is_seen(site: Path) -> None:
    """Dart Sass looked for `part.scss` beside `_part.scss` and found nothing."""
    (site / "assets/css/part.scss").write_text("$c: tan;\n")

    assert 1 == main(["compile", str(site)])


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_file_that_was_only_touched_is_looked_at_once(site: Path, run: Run) -> None:
    part = site / "assets/css/_part.scss"
    os.utime(part, (1, 1))
    settle(site)

    touched, after = run(site), run(site)

    assert did_nothing(touched)
    assert [part.stat().st_size, 0] == [touched["bytesHashed"], after["bytesHashed"]]


def test_an_edit_of_equal_length_whose_time_is_set_back_is_seen(site: Path, run: Run) -> None:
    part = site / "assets/css/_part.scss"
    before = part.stat()
    part.write_text("$c: tan;\n")
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))

    document = run(site)

    assert {"style": 1} == document["engineRuns"]


def test_one_edited_partial_compiles_the_entries_that_use_it_and_hashes_nothing_else(site: Path, run: Run) -> None:
    part = site / "assets/css/_part.scss"
    part.write_text("$c: green;\n")

    document = run(site)

    asked = ("assets/css/_part.scss", "assets/css/app.scss", "assetbuild.toml")  # what changed, and who asks for it
    assert {"style": 1} == document["engineRuns"]
    assert sum((site / name).stat().st_size for name in asked) == document["bytesHashed"]


def test_a_file_as_young_as_the_record_is_held_against_its_digest() -> None:
    """git's racily clean entries: a change in the same tick would have left size and times alike."""
    status = os.stat(__file__)
    standing = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    old = Row(*standing, status.st_ctime_ns + 3_000_000_000, "")
    racy = Row(*standing, status.st_ctime_ns + 1_000_000, "")

    assert [True, False] == [old.vouches(status), racy.vouches(status)]


@pytest.mark.parametrize(
    "flags", [("--profile", "fast"), ("--revision", "r2"), ("--strict",), ("--frozen",), ("--output", "elsewhere")]
)
def test_each_flag_that_decides_a_build_is_a_part_of_what_it_was(
    site: Path, run: Run, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.chdir(site)

    assert looked_anew(run(site, *flags))


def test_flags_that_decide_nothing_do_not_count(site: Path, run: Run) -> None:
    assert did_nothing(run(site, "--jobs", "1"))
    assert did_nothing(run(site, "--explain"))


def test_an_environment_variable_of_ours_counts(site: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETBUILD_REVISION", "r9")

    assert looked_anew(run(site))


def test_without_the_cache_everything_is_made(site: Path, run: Run) -> None:
    document = run(site, "--no-cache")

    assert {**document["engineRuns"], "copy": 5} == document["engineJobs"]


def test_a_broken_record_is_no_record(site: Path, run: Run, cache_folder: Path) -> None:
    for file in (cache_folder / "v1/builds").iterdir():
        file.write_bytes(file.read_bytes().replace(b"dot", b"dog"))

    assert looked_anew(run(site))
    assert not looked_anew(run(site))


def test_a_cache_folder_of_the_configuration_is_used(
    tree: Tree, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ASSETBUILD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    project = tree(SITE | {"assetbuild.toml": '[cache]\nlocal = ".cache"\n'})

    run(project)

    assert did_nothing(run(project))
    assert (project / ".cache/v1/builds").is_dir()
    assert not (tmp_path / "home").exists()


def test_a_cache_that_is_off_leaves_no_trace(
    tree: Tree, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ASSETBUILD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    project = tree(SITE | {"assetbuild.toml": '[cache]\nlocal = "off"\n'})
    run(project)

    assert looked_anew(run(project))
    assert not (tmp_path / "home").exists()


NAMES = ("css/app.scss", "css/_part.scss", "css/part.scss", "css/plain.css", "img/dot.png", "js/a.js", "js/b.js")
TEXTS = ("", "$c: red;\n", "$c: tan;\n", "a{b:url(../img/dot.png)}\n", "import './b.js';\n", "export {};\n")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((*TEXTS, None))), min_size=1, max_size=5))
def test_any_series_of_edits_gives_what_a_fresh_compile_gives(
    edits: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("edits")
    (folder / "assets/img").mkdir(parents=True)
    (folder / "assets/img/kept.png").write_text("kept")

    for name, text in edits:
        file = folder / "assets" / name
        file.parent.mkdir(exist_ok=True)
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text)
        answers = []
        for flags in ((), ("--no-cache", "--output", str(folder / "fresh"))):
            code = main(["compile", str(folder), "--json", *flags])
            document = json.loads(capsys.readouterr().out)
            answers.append((code, document.get("build"), document["diagnostics"]))

        assert answers[0] == answers[1]


def test_a_root_that_appears_before_the_one_that_was_found_is_seen(tree: Tree, run: Run) -> None:
    project = tree({"static/a.css": "a{}"})
    run(project)
    (project / "assets").mkdir()
    (project / "assets/b.css").write_text("b{}")

    assert {"css": 1} == run(project)["engineRuns"]


def test_a_link_that_led_nowhere_and_leads_somewhere_now_is_seen(tree: Tree, run: Run) -> None:
    project = tree({"assets/a.scss": "@use 'x';\n", "lib2/_x.scss": ".two{c:d}\n", "lib1/keep.txt": ""})
    (project / "assetbuild.toml").write_text('[sass]\nload_paths = ["lib1", "lib2"]\n')
    (project / "lib1/_x.scss").symlink_to("_real.scss")
    run(project)
    (project / "lib1/_real.scss").write_text(".one{c:d}\n")

    assert {"style": 1} == run(project)["engineRuns"]


def test_a_folder_of_the_output_that_became_a_link_is_an_error_as_without_a_record(site: Path) -> None:
    shutil.move(site / "build/assets/css", site / "elsewhere")
    (site / "build/assets/css").symlink_to(site / "elsewhere")

    assert 2 == main(["compile", str(site)])


def test_a_tool_that_the_environment_chose_is_asked_for_every_time(
    site: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSETBUILD_ESBUILD", str(tmp_path / "absent"))
    run(site)

    assert looked_anew(run(site))


def test_another_python_path_is_another_build(site: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))

    assert looked_anew(run(site))


@pytest.mark.parametrize("content", ['{"format":2,"files":[],"outputs":{}}', "[" * 100_000, '"text"', "{}"])
def test_a_record_of_another_shape_is_no_record(site: Path, run: Run, cache_folder: Path, content: str) -> None:
    (file,) = (cache_folder / "v1/builds").iterdir()
    file.write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}")

    assert looked_anew(run(site))


def test_a_record_that_is_huge_is_not_read(site: Path, run: Run, cache_folder: Path) -> None:
    (file,) = (cache_folder / "v1/builds").iterdir()
    os.truncate(file, 6 << 30)

    assert looked_anew(run(site))


def test_a_configuration_behind_a_link_that_led_nowhere_is_seen(tree: Tree, run: Run) -> None:
    project = tree({"assets/a.css": "a{}"})
    run(project)
    (project / "assetbuild.toml").symlink_to("real.toml")
    assert 2 == main(["compile", str(project)])
    (project / "real.toml").write_text('salt = "s"\n')

    assert {"css": 1} == run(project)["engineRuns"]


def test_a_record_that_is_kept_removes_what_a_dead_writer_left(site: Path, run: Run, cache_folder: Path) -> None:
    left = cache_folder / f"v1/builds/{TEMP_MARK}4194304-0"
    left.write_bytes(b"torn")
    (site / "assets/robots.txt").write_text("User-agent: new\n")

    run(site)

    assert not left.exists()


@pytest.fixture
def packaged(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """Return a project with a root in a Python package and one in a namespace package, built."""
    project = tree({"assets/a.css": "a{}", "assetbuild.toml": 'python_packages = ["plain_ui", "spread_ui.part"]\n'})
    for name in ("plain_ui", "spread_ui/part"):
        (tmp_path / "second" / name / "static").mkdir(parents=True)
        (tmp_path / "second" / name / f"static/{name.replace('/', '_')}.css").write_text("b{c:d}")
    (tmp_path / "second/plain_ui/__init__.py").write_text("")
    (tmp_path / "first").mkdir()
    for folder in ("second", "first"):
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    settle(tmp_path)
    run(project)
    return project


def test_roots_in_python_packages_are_looked_at_and_not_compiled(packaged: Path, run: Run) -> None:
    document = run(packaged)

    assert did_nothing(document)
    assert 3 == document["assets"]


INSTALLED: dict[str, Callable[[Path], object]] = {
    "a file of the package is edited": lambda p: (p / "second/plain_ui/static/plain_ui.css").write_text("e{f:g}"),
    "a file of the package comes": lambda p: (p / "second/plain_ui/static/more.css").write_text("e{f:g}"),
    "a package comes before": lambda p: (
        shutil.copytree(p / "second/plain_ui", p / "first/plain_ui")
        and (p / "first/plain_ui/static/first.css").write_text("h{i:j}")
    ),
    "another part of the namespace comes": lambda p: (
        shutil.copytree(p / "second/spread_ui", p / "first/spread_ui")
        and (p / "first/spread_ui/part/static/first.css").write_text("h{i:j}")
    ),
    "a package takes the place of the namespace": lambda p: (
        (p / "second/spread_ui/__init__.py").write_text("")
        and shutil.copytree(p / "second/spread_ui", p / "first/spread_ui")
    ),
    "the package goes": lambda p: shutil.rmtree(p / "second/plain_ui"),
}


@pytest.mark.parametrize("change", INSTALLED)
def test_whatever_is_installed_is_seen(
    packaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    INSTALLED[change](tmp_path)
    importlib.invalidate_caches()  # as in a process that begins

    answers = []
    for flags in ((), ("--no-cache", "--output", str(tmp_path / "fresh"))):
        code = main(["compile", str(packaged), "--json", *flags])
        document = json.loads(capsys.readouterr().out)
        answers.append((code, document.get("build"), document["diagnostics"]))

    assert answers[1] == answers[0]


def test_a_compile_that_is_stopped_while_another_publishes_keeps_no_record(
    site: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one saw another partial, which is as it was when the first one goes on."""
    partial, keep = site / "assets/css/_part.scss", LastBuild.keep
    was = partial.read_text()

    def stopped(self: LastBuild, *args: Any) -> None:
        partial.write_text("$c: blue;\n")
        subprocess.run([sys.executable, "-m", "assetbuild", "compile", site], capture_output=True, check=True)
        partial.write_text(was)
        keep(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(LastBuild, "keep", stopped)
        (site / "assets/robots.txt").write_text("User-agent: x\n")
        run(site)
    document = run(site)

    assert run(site, "--no-cache", "--output", str(tmp_path / "fresh"))["build"] == document["build"]
    assert json.loads((site / "build/assets/manifest.json").read_bytes())["build"]["id"] == document["build"]


class Meddled(Watched):
    """A disk on which somebody changes each stylesheet as soon as it has its name, and may set its time back."""

    is_set_back = False

    def write(self, folder: str, path: str, body: bytes) -> bool:
        is_new = super().write(folder, path, body)
        if is_new and path.endswith(".css"):
            file = Path(folder, path)
            was = file.stat()
            with file.open("r+b") as stream:
                stream.write(b"!")
            if self.is_set_back:
                os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
        return is_new


@pytest.mark.parametrize("is_set_back", [False, True])
def test_an_output_that_is_changed_as_soon_as_it_has_its_name_is_not_vouched_for(
    tree: Tree, run: Run, monkeypatch: pytest.MonkeyPatch, is_set_back: bool
) -> None:
    project = tree(SITE)
    monkeypatch.setattr(Meddled, "is_set_back", is_set_back)
    with monkeypatch.context() as patch:
        patch.setattr("assetbuild.cli.last.Watched", Meddled)
        run(project)
    settle(project)
    run(project)  # whose record, if it had believed the other, would be settled

    document = run(project)

    assert did_nothing(document)
    assert [] == [file for file in (project / "build").rglob("*.css") if file.read_bytes()[:1] == b"!"]
    assert document["build"] == run(project, "--no-cache", "--output", str(project / "fresh"))["build"]


def test_outputs_that_nobody_touched_are_not_read_by_the_next_compile(tree: Tree, run: Run) -> None:
    """But for those that are as young as the record."""
    project = tree(SITE)
    run(project)
    large = sum(file.stat().st_size for file in (project / "build").rglob("large-*"))
    settle(project)
    (project / "assets/js/lone.js").write_text("var other = 1;\n")
    run(project)
    settle(project)

    hashed = [run(project)["bytesHashed"] for _ in range(2)]

    assert hashed[0] < large
    assert 0 == hashed[1]


def test_a_partial_that_is_edited_after_libsass_has_read_it_is_read_again(
    tree: Tree, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("libsass", importlib.util.find_spec("_sass") is not None)
    files = {"assets/a.scss": "@import 'part';\n", "assets/_part.scss": ".one{a:b}\n"}
    project = tree(files | {"assetbuild.toml": '[sass]\nengine = "libsass"\n'})
    settle(project)
    call = Workers.call

    def edited(self: Workers, *args: Any, **others: Any) -> Mapping[str, Any]:
        answer = call(self, *args, **others)
        (project / "assets/_part.scss").write_text(".two{a:b}\n")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Workers, "call", edited)
        first = run(project)
    second = run(project)

    assert first["build"] != second["build"]
    assert run(project, "--no-cache", "--output", str(tmp_path / "fresh"))["build"] == second["build"]


MODULES = {
    "assetbuild.toml": '[entries]\n"js/app.js" = "js/app.ts"\n',
    "assets/js/app.ts": 'import { x } from "pkg/lib/x";\nimport "./b";\nconsole.log(x);\n',
    "assets/js/b.js": "console.log(2);\n",
    "node_modules/pkg/lib/x.js": "export const x = 1;\n",
}

LOOKED_FOR = (
    "assets/js/b.ts",
    "assets/js/package.json",
    "assets/node_modules/pkg/lib/x.js",
    "node_modules/pkg/lib/x.jsx",
    "node_modules/pkg/package.json",
    "package.json",
    "tsconfig.json",
    "../package.json",
)


def test_a_compile_with_module_graphs_and_nothing_to_do_runs_no_esbuild(tree: Tree, run: Run, esbuild: Any) -> None:
    project = tree(MODULES)
    settle(project)
    first = run(project)

    second = run(project)

    assert {"modules": 1} == {name: runs for name, runs in first["engineRuns"].items() if name == "modules"}
    assert did_nothing(second)
    for name in LOOKED_FOR:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("{}" if name.endswith(".json") else "export const x = 3;\n")
        assert {"modules": 1} == {n: runs for n, runs in run(project)["engineRuns"].items() if n == "modules"}, name
        settle(project)
        run(project)

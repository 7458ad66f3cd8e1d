"""Other tools as jobs: what they make are sources, and nothing runs, is left behind or is believed that need not be."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.cli import main
from assetbuild.compiler.commands.inputs import declared
from assetbuild.compiler.commands.program import program_of
from assetbuild.compiler.config import Flags, read
from assetbuild.compiler.errors import CompileFailed, EngineUnavailable
from assetbuild.compiler.globs import matches
from assetbuild.compiler.project import Command, Project
from assetbuild.disk import RealDisk
from tests.conftest import Tree
from tests.patience import until
from tests.watching import watching

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome

# Makes a stylesheet of all words in the templates, and counts how often it was called.
TOOL = f"""\
#!{sys.executable}
import os, pathlib, sys
out = pathlib.Path(sys.argv[1])
words = sorted(word for file in pathlib.Path("templates").rglob("*.html") for word in file.read_text().split())
(out / "css/words.css").write_text("".join(f".{{word}} {{{{ margin: 0 }}}}\\n" for word in words))
with open(os.environ["HOME"] + "/calls", "a") as calls:
    calls.write("x")
"""
CONFIG = """\
[[commands]]
run = ["./tool", "{output}"]
inputs = ["templates/**/*.html"]
outputs = ["css/words.css"]
"""
SITE = {"tool": TOOL, "templates/a.html": "one", "templates/in/b.html": "two", "assetbuild.toml": CONFIG}

Compiled = Callable[..., "Outcome"]
Site = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which the tool counts its calls; the cache of these tests is in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("ASSETBUILD_CACHE", str(folder / "cache"))
    return folder


@pytest.fixture
def site(tree: Tree) -> Callable[..., Path]:
    """Return a function that writes the project, with other files beside or in place of its own."""

    def build(files: Mapping[str, str] = MappingProxyType({})) -> Path:
        folder = tree({**SITE, **files})
        for tool in folder.glob("tool*"):
            tool.chmod(0o755)
        return folder

    return build


def config(run: str, more: str = "", inputs: str = '"templates/**/*.html"', outputs: str = '"css/words.css"') -> str:
    return f"[[commands]]\nrun = {run}\ninputs = [{inputs}]\noutputs = [{outputs}]\n{more}\n"


def python(code: str) -> str:
    """Return a `run` that executes Python code, which finds the private folder in `out`."""
    return json.dumps(
        [sys.executable, "-c", f"import os, pathlib, sys\nout = pathlib.Path(sys.argv[1])\n{code}", "{output}"]
    )


def calls(home: Path) -> int:
    return len((home / "calls").read_text()) if (home / "calls").exists() else 0


def text_of(outcome: Outcome, logical: str) -> str:
    (body,) = [asset.body for asset in outcome.assets if asset.logical == logical]
    assert isinstance(body, bytes)
    return body.decode()


def failed(compiled: Compiled, folder: Path, **flags: Any) -> str:
    """Return the only finding of a compile that fails, as `place rule: message | hint | note`."""
    with pytest.raises((CompileFailed, EngineUnavailable)) as caught:
        compiled(folder, **flags)
    (found,) = caught.value.diagnostics
    span = found.span
    place = f"{span.path}:{span.line}:{span.column}" if span else "-"
    notes = "".join(f" | {note.message}" for note in found.notes)
    return f"{place} {found.rule}: {found.message} | {found.hint}{notes}"


def private_folders() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("assetbuild-private-*"))


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test does, no private folder is left after it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    assert [] == list(temporary.iterdir())


def test_what_a_command_makes_is_published_and_other_sources_refer_to_it(site: Site, compiled: Compiled) -> None:
    folder = site({"assets/page.css": "@import 'css/words.css';\n"})

    outcome = compiled(folder)

    url = next(asset.path for asset in outcome.assets if asset.logical == "css/words.css")
    assert ".one { margin: 0 }\n.two { margin: 0 }\n" == text_of(outcome, "css/words.css")
    assert f"@import '{url}';\n" == text_of(outcome, "page.css")


def test_what_a_command_makes_is_compiled_further(site: Site, compiled: Compiled) -> None:
    entry = '[entries]\n"css/all.css" = "all.scss"\n'
    folder = site({"assetbuild.toml": CONFIG + entry, "assets/all.scss": "@use 'css/words';\n.three { top: 0 }\n"})

    assert ".one{margin:0}.two{margin:0}.three{top:0}" == text_of(compiled(folder), "css/all.css").strip()


def test_what_it_refers_to_lies_in_the_roots(site: Site, compiled: Compiled) -> None:
    run = python('(out / "css/words.css").write_text(".a { background: url(../img/a.png) }")')
    folder = site({"assetbuild.toml": config(run), "assets/img/a.png": "picture"})

    assert re.fullmatch(r"\.a { background: url\(\.\./img/a-\w+\.png\) }", text_of(compiled(folder), "css/words.css"))


def test_an_output_goes_before_a_source_of_the_same_name(site: Site, compiled: Compiled) -> None:
    outcome = compiled(site({"assets/css/words.css": ".source { top: 0 }"}))

    assert ".one" in text_of(outcome, "css/words.css")
    assert ["`assets/css/words.css` is shadowed by `{output}/css/words.css`"] == [
        each.message for each in outcome.diagnostics
    ]


def test_a_command_uses_what_an_earlier_one_made(site: Site, compiled: Compiled) -> None:
    run = python('(out / "css/b.css").write_text((out / "css/words.css").read_text().upper())')
    later = config(run, inputs='"{output}/css/*.css"', outputs='"css/b.css"')
    folder = site({"assetbuild.toml": CONFIG + later})

    assert ".ONE { MARGIN: 0 }\n.TWO { MARGIN: 0 }\n" == text_of(compiled(folder), "css/b.css")


def test_a_command_sees_no_output_that_it_has_not_declared(site: Site, compiled: Compiled) -> None:
    run = python('(out / "css/b.css").write_text(str(sorted(map(str, out.rglob("*.css")))))')
    folder = site({"assetbuild.toml": CONFIG + config(run, outputs='"css/b.css"')})

    assert "[]" == text_of(compiled(folder), "css/b.css")


def test_outputs_are_globs_and_the_rest_is_dropped(site: Site, compiled: Compiled) -> None:
    run = python('[(out / "icons" / name).write_text("x") for name in ("a.svg", "b.svg", "note.txt")]')
    folder = site({"assetbuild.toml": config(run, outputs='"icons/*.svg"')})

    assert ["icons/a.svg", "icons/b.svg"] == [asset.logical for asset in compiled(folder).assets]


def test_the_folders_of_the_user_stay_as_they_are(site: Site, compiled: Compiled) -> None:
    run = python(
        '(out / "css/words.css").touch(); [pathlib.Path(name).write_text("x") for name in ("a", "templates/a.html")]'
    )
    folder = site({"assetbuild.toml": config(run)})
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    compiled(folder, output=str(folder.parent / "output"))

    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_is_not_declared_is_not_there(site: Site, compiled: Compiled) -> None:
    names = 'sorted(str(file) for file in pathlib.Path().rglob("*") if file.is_file())'
    run = python(f'(out / "css/words.css").write_text(" ".join({names}))')
    folder = site({"assetbuild.toml": config(run), "templates/note.txt": "x", "node_modules/maker/a.js": "x"})

    assert "templates/a.html templates/in/b.html" == text_of(compiled(folder), "css/words.css")


def test_packages_of_npm_are_there(site: Site, compiled: Compiled) -> None:
    run = python('(out / "css/words.css").write_text(pathlib.Path("node_modules/maker/a.css").read_text())')
    folder = site({"assetbuild.toml": config(run), "node_modules/maker/a.css": ".a{}"})

    assert ".a{}" == text_of(compiled(folder), "css/words.css")


def test_a_command_with_the_same_inputs_runs_once(site: Site, compiled: Compiled, home: Path) -> None:
    folder = site()

    first, second = compiled(folder), compiled(folder)

    assert 1 == calls(home)
    assert ({"commands": 1, "css": 1}, {}) == (first.engine_runs, second.engine_runs)
    assert {"commands": 1, "css": 1} == second.engine_jobs
    assert first.manifest == second.manifest


def test_without_a_cache_it_runs_each_time(
    site: Site, compiled: Compiled, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETBUILD_CACHE", "off")
    folder = site()

    assert compiled(folder).manifest == compiled(folder).manifest
    assert 2 == calls(home)


def edit(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


CHANGES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "an edited input": (lambda folder: edit(folder, "templates/a.html", "three"), "`templates/a.html` changed"),
    "a new input": (lambda folder: edit(folder, "templates/new/c.html", "c"), "`templates/new/c.html` changed"),
    "a lost input": (lambda folder: (folder / "templates/a.html").unlink(), "`templates/a.html` changed"),
    "a renamed input": (
        lambda folder: os.rename(folder / "templates/a.html", folder / "templates/z.html"),
        "`templates/a.html` and `templates/z.html` changed",
    ),
    "another program": (lambda folder: edit(folder, "tool", TOOL + "# new\n"), "`program` changed"),
    "other arguments": (
        lambda folder: edit(folder, "assetbuild.toml", CONFIG.replace('"{output}"', '"{output}", "--more"')),
        "`run` changed",
    ),
    "another environment": (
        lambda folder: edit(folder, "assetbuild.toml", CONFIG + 'environment = { MODE = "x" }'),
        "`environment` changed",
    ),
    "more outputs": (
        lambda folder: edit(folder, "assetbuild.toml", CONFIG.replace('s.css"]', 's.css", "css/w*"]')),
        "it is not in the cache yet",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_runs_again_after(site: Site, compiled: Compiled, home: Path, change: str) -> None:
    folder = site()
    compiled(folder)
    act, reason = CHANGES[change]

    act(folder)
    outcome = compiled(folder)

    assert 2 == calls(home)
    assert reason == outcome.reasons["css/words.css"]


def test_a_changed_output_of_an_earlier_command_runs_the_later_one(site: Site, compiled: Compiled, home: Path) -> None:
    later = config('["./tool", "{output}", "x"]', inputs='"{output}/css/words.css"', outputs='"css/words*"')
    run = python('(out / "css/words.css").write_text(pathlib.Path("templates/a.html").read_text())')
    folder = site({"assetbuild.toml": config(run) + later.replace("words*", "other.css")})
    (folder / "tool").write_text(TOOL.replace('"css/words.css"', '"css/other.css"'))
    compiled(folder)
    edit(folder, "templates/a.html", "three")

    outcome = compiled(folder)

    assert 2 == calls(home)
    assert "`{output}/css/words.css` changed" == outcome.reasons["css/other.css"]


def test_a_file_that_an_argument_names_counts_as_an_input(site: Site, compiled: Compiled, home: Path) -> None:
    folder = site({"assetbuild.toml": config(json.dumps([sys.executable, "tool", "{output}"]))})
    compiled(folder)
    edit(folder, "tool", TOOL + "# new\n")

    assert "`tool` changed" == compiled(folder).reasons["css/words.css"]


def test_the_interpreter_of_a_script_counts(site: Site, compiled: Compiled, home: Path) -> None:
    """What its first line names is found as the system finds it, by `env` too."""
    folder = site({"tool": "#!/usr/bin/env -S sh7 -e\n" + 'echo x >>"$HOME/calls"; echo .a{} >"$1/css/words.css"\n'})
    (folder / "node_modules/.bin").mkdir(parents=True)
    shell = folder / "node_modules/.bin/sh7"
    for number in (1, 2):
        shell.write_text(f'#!/bin/sh\n# {number}\nexec /bin/sh "$@"\n')
        shell.chmod(0o755)
        outcome = compiled(folder)

    assert len("x\n" * 2) == calls(home)
    assert "`program` changed" == outcome.reasons["css/words.css"]


def test_packages_of_npm_count_by_the_record_of_what_is_installed(site: Site, compiled: Compiled, home: Path) -> None:
    folder = site({"assetbuild.toml": CONFIG.replace("./tool", "tool7"), "node_modules/maker/tool.py": TOOL})
    (folder / "node_modules/maker/package.json").write_text('{"name": "@x/maker", "version": "7.1.0"}')
    (folder / "node_modules/maker/tool.py").chmod(0o755)
    (folder / "node_modules/.bin").mkdir()
    (folder / "node_modules/.bin/tool7").symlink_to("../maker/tool.py")
    (folder / "node_modules/.package-lock.json").write_text('{"packages": {}}')
    first = compiled(folder)

    (folder / "node_modules/.package-lock.json").write_text('{"packages": {"tailwindcss": {}}}')
    second = compiled(folder)

    assert 2 == calls(home)
    assert "`program` changed" == second.reasons["css/words.css"]
    assert "7.1.0" == json.loads(first.manifest)["build"]["tools"]["@x/maker"]


def test_an_edit_while_a_command_runs_is_for_the_next_run(site: Site, compiled: Compiled, home: Path) -> None:
    run = python(
        '(out / "css/words.css").write_text(f".{pathlib.Path("templates/a.html").read_text()}{{}}")\n'
        'pathlib.Path(os.environ["SOURCE"]).write_text("three")'.replace('("templates/a.html")', "('templates/a.html')")
    )
    folder = site()
    where = json.dumps(str(folder / "templates/a.html"))
    (folder / "assetbuild.toml").write_text(config(run, f"environment = {{ SOURCE = {where} }}"))

    texts = [text_of(compiled(folder), "css/words.css") for _ in range(2)]

    assert [".one{}", ".three{}"] == texts


def compile_json(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, Any]:
    assert 0 == main(["compile", str(folder), "--json", *flags])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def settle(folder: Path) -> None:
    """Wait until no file is as young as a tick of the clock."""
    newest = max(file.lstat().st_ctime_ns for file in folder.rglob("*"))
    while time.time_ns() < newest + 50_000_000:
        os.sched_yield()


def test_a_compile_with_nothing_to_do_looks_and_reads_nothing(
    site: Site, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site()
    compile_json(folder, capsys)
    settle(folder)
    compile_json(folder, capsys)

    again = compile_json(folder, capsys)

    assert ({}, 0, 0) == (again["engineRuns"], again["bytesHashed"], again["filesWritten"])
    assert 1 == calls(home)


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "more outputs"])
def test_the_record_of_the_last_build_knows_what_commands_depend_on(
    site: Site, home: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    folder = site()
    compile_json(folder, capsys)

    CHANGES[change][0](folder)

    assert 1 == compile_json(folder, capsys)["engineRuns"]["commands"]
    assert 2 == calls(home)


def test_a_program_that_comes_before_it_on_the_path_is_another(
    site: Site, compiled: Compiled, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site({"assetbuild.toml": CONFIG.replace("./tool", "tool7")})
    for name in ("one", "two"):
        file = home / name / "tool7"
        file.parent.mkdir()
        file.write_text(TOOL + f"# {name}\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}/two")
    compile_json(folder, capsys)

    monkeypatch.setenv("PATH", f"{home}/one:{home}/two")

    assert 1 == compile_json(folder, capsys)["engineRuns"]["commands"]


def test_a_folder_on_the_path_that_may_not_be_entered_is_passed_over(site: Site, home: Path) -> None:
    class Closed(RealDisk):
        def is_file(self, file: str) -> bool:
            if file.startswith("/closed/"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), file)
            return super().is_file(file)

    folder = site({"assetbuild.toml": CONFIG.replace("./tool", "tool7"), "bin/tool7": TOOL})
    (folder / "bin/tool7").chmod(0o755)
    project = read(str(folder), os.environ, RealDisk(), Flags())

    program = program_of(project.commands[0], project, f"/closed:{folder}/bin", Closed())

    assert f"{folder}/bin/tool7" == program.file


def test_it_is_told_why_a_command_ran(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site()
    compile_json(folder, capsys)
    (folder / "templates/a.html").write_text("three")
    capsys.readouterr()

    assert 0 == main(["compile", str(folder), "--explain"])

    assert "made css/words.css: `templates/a.html` changed" == capsys.readouterr().err.split("\n")[0]


def test_a_failure_is_one_finding_with_the_first_place_that_it_names(site: Site, compiled: Compiled) -> None:
    run = python(
        'print("\\x1b[31mreading\\x1b[0m /etc/passwd:1:1")\n'
        'print(f"bad word in {os.getcwd()}/templates/in/b.html:1:2", file=sys.stderr)\n'
        'print(f"nothing in {out}/css", file=sys.stderr)\n'
        "sys.stdout.flush(); sys.exit(3)"
    )
    folder = site({"assetbuild.toml": config(run)})

    found = failed(compiled, folder)

    place, _, rest = found.partition(" ")
    assert "templates/in/b.html:1:2" == place
    assert f"command-failed: `{sys.executable}` ended with 3 |  | it said:" == rest.split("\n")[0]
    assert {"reading /etc/passwd:1:1", "bad word in templates/in/b.html:1:2", "nothing in {output}/css"} == set(
        rest.split("\n")[1:]
    )


def test_a_failure_without_a_place_points_at_the_configuration(site: Site, compiled: Compiled) -> None:
    folder = site({"assetbuild.toml": CONFIG, "tool": "#!/bin/sh\nkill -SEGV $$\n"})

    expected = "assetbuild.toml:2:7 command-failed: `./tool` was ended by SIGSEGV |  | it said nothing"
    assert expected == failed(compiled, folder)


def test_of_a_flood_of_words_the_first_and_the_last_are_told(site: Site, compiled: Compiled) -> None:
    run = python('print("first"); print("x\\n" * 9_000_000); print("last"); sys.exit(1)')
    folder = site({"assetbuild.toml": config(run)})

    lines = failed(compiled, folder).split("\n")

    assert ("first", "last", 32) == (lines[1], lines[-1], len(lines))


def test_a_flood_of_one_word_holds_no_place_and_holds_up_nobody(site: Site, compiled: Compiled) -> None:
    """Were it looked at from each of its characters, this test would take minutes."""
    folder = site({"assetbuild.toml": config(python('print("x" * 9_000_000); sys.exit(1)'))})

    assert "assetbuild.toml:2:7" == failed(compiled, folder).split(" ")[0]


def test_a_command_that_fails_is_run_again(site: Site, compiled: Compiled, home: Path) -> None:
    folder = site({"tool": TOOL + "sys.exit(len(words) - 2)\n", "templates/c.html": "bad"})
    failed(compiled, folder)
    failed(compiled, folder)

    assert 2 == calls(home)


def alive(marker: str) -> list[int]:
    """Return the processes whose command line holds `marker`, this one aside."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


SLOW = """import subprocess
subprocess.Popen(["sh", "-c", "sleep 7777 # {marker}"])
pathlib.Path(os.environ["HOME"], "started").touch()
subprocess.run(["sh", "-c", "sleep 7777 # {marker}"])
"""


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(site: Site, compiled: Compiled) -> None:
    marker = f"slow-{os.getpid()}-late"
    folder = site({"assetbuild.toml": config(python(SLOW.replace("{marker}", marker)), "time_limit = 1")})

    found = failed(compiled, folder)

    assert f"command-timeout: `{sys.executable}` was still busy after 1 s" in found
    until(lambda: not alive(marker))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_compile_that_ends_takes_the_command_with_it(site: Site, home: Path, signum: int) -> None:
    marker = f"slow-{os.getpid()}-{signum}"
    folder = site({"assetbuild.toml": config(python(SLOW.replace("{marker}", marker)))})
    command = [sys.executable, "-m", "assetbuild", "compile", str(folder)]
    process = subprocess.Popen(command, cwd=home, stderr=subprocess.DEVNULL)
    until((home / "started").exists)

    process.send_signal(signum)
    code = process.wait(20)

    assert code == (143 if signum == signal.SIGTERM else -signum)
    until(lambda: not alive(marker))
    assert (signum == signal.SIGKILL) == bool(private_folders())
    if signum == signal.SIGKILL:  # of which nobody could take care but the next run
        (home / "started").unlink()
        again = subprocess.Popen(command, cwd=home, stderr=subprocess.DEVNULL)
        until((home / "started").exists)
        again.terminate()
        again.wait(20)


def test_a_background_process_that_holds_the_streams_holds_up_nothing(site: Site, compiled: Compiled) -> None:
    marker = f"slow-{os.getpid()}-background"
    started = f'import subprocess; subprocess.Popen(["sh", "-c", "sleep 7777 # {marker}"])'
    code = f'(out / "css/words.css").write_text(".a{{}}"); {started}'
    folder = site({"assetbuild.toml": config(python(code))})

    assert ".a{}" == text_of(compiled(folder), "css/words.css")
    until(lambda: not alive(marker))


def test_a_command_knows_nothing_of_the_environment_but_a_closed_list(
    site: Site, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("NODE_OPTIONS", "--inspect")
    run = python('(out / "css/words.css").write_text(" ".join(sorted(set(os.environ) - {"LC_CTYPE"})))')
    folder = site({"assetbuild.toml": config(run, 'environment = { MODE = "x" }')})

    assert "HOME LANG LC_ALL MODE NO_COLOR PATH SOURCE_DATE_EPOCH TMPDIR TZ" == text_of(
        compiled(folder), "css/words.css"
    ).replace("LD_LIBRARY_PATH ", "")


def test_frozen_asks_for_a_digest_and_says_which(site: Site, compiled: Compiled) -> None:
    digest = hashlib.sha256(TOOL.encode()).hexdigest()
    folder = site()

    assert failed(compiled, folder, is_frozen=True) == (
        "assetbuild.toml:2:7 unpinned-tool: `./tool` is not pinned, and `--frozen` was asked for | "
        f'add `program_sha256 = "{digest}"`'
    )
    (folder / "assetbuild.toml").write_text(CONFIG + f'program_sha256 = ["{"0" * 64}", "{digest}"]')
    assert {"./tool", f"sha256:{digest}"} & set(
        json.loads(compiled(folder, is_frozen=True).manifest)["build"]["tools"].values()
    )


def test_a_program_that_is_another_than_the_pinned_one_never_runs(site: Site, compiled: Compiled, home: Path) -> None:
    folder = site({"assetbuild.toml": CONFIG + f'program_sha256 = "{"0" * 64}"'})

    assert failed(compiled, folder) == (
        "assetbuild.toml:5:18 other-program: `./tool` is another program than `program_sha256` names | "
        f"its sha256 is {hashlib.sha256(TOOL.encode()).hexdigest()}"
    )
    assert 0 == calls(home)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (
            "tailwindcs",
            "`tailwindcs` is neither in `node_modules/.bin`, nor beside Python, nor in PATH | "
            "did you mean `tailwindcss`?",
        ),
        (
            "gulp-of-nobody",
            "`gulp-of-nobody` is neither in `node_modules/.bin`, nor beside Python, nor in PATH | "
            "install it, or write its path in the project",
        ),
        ("./bin/tool", "`./bin/tool` is not an executable file of the project | "),
    ],
)
def test_a_program_that_is_not_there_is_told_with_its_place(
    site: Site, compiled: Compiled, word: str, expected: str
) -> None:
    folder = site({"assetbuild.toml": CONFIG.replace("./tool", word), "node_modules/.bin/tailwindcss": "x"})

    assert f"assetbuild.toml:2:7 no-program: {expected}" == failed(compiled, folder)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ('"templates/*.htm"', "3:11 empty-glob: `templates/*.htm` matches no file | "),
        (
            '"templates/aa.html"',
            "3:11 empty-glob: `templates/aa.html` matches no file | did you mean `templates/a.html`?",
        ),
        ('"tool", "{output}/x"', "3:19 empty-glob: no command before this one makes `{output}/x` | "),
        (
            '"pkg:nobody_here/x"',
            "3:11 empty-glob: `nobody_here` is not an installed package | install it where assetbuild runs",
        ),
    ],
)
def test_an_input_that_is_not_there_is_told_with_its_place(
    site: Site, compiled: Compiled, inputs: str, expected: str
) -> None:
    folder = site({"assetbuild.toml": config('["./tool", "{output}"]', inputs=inputs)})

    assert f"assetbuild.toml:{expected}" == failed(compiled, folder)


def test_an_output_that_was_not_written_is_told_with_what_was(site: Site, compiled: Compiled) -> None:
    folder = site({"assetbuild.toml": CONFIG.replace('["css/words.css"]', '["css/words.css", "css/word.css"]')})

    assert failed(compiled, folder) == (
        "assetbuild.toml:4:29 missing-output: `./tool` did not write `css/word.css` | it wrote `css/words.css`"
    )


@pytest.mark.parametrize(
    "code", ["out.symlink_to('/etc')", "out.symlink_to(pathlib.Path.cwd())", "out.touch()", "os.mkfifo(out)", ""]
)
def test_what_stands_in_the_place_of_its_folder_is_no_output(site: Site, compiled: Compiled, code: str) -> None:
    run = python(f"import shutil; shutil.rmtree(out); {code}")
    folder = site({"assetbuild.toml": config(run, outputs='"{passwd,templates/*}"')})

    expected = f"`{sys.executable}` did not write `{{passwd,templates/*}}` | it wrote nothing into `{{output}}`"
    assert f"assetbuild.toml:4:12 missing-output: {expected}" == failed(compiled, folder)


def test_folders_that_a_command_makes_may_be_nested_deeper_than_calls(site: Site, compiled: Compiled) -> None:
    run = python('for _ in range(1100): os.mkdir(out / "a"); os.chdir(out / "a"); out = pathlib.Path(".")')
    folder = site({"assetbuild.toml": config(run)})

    assert failed(compiled, folder).endswith(" did not write `css/words.css` | it wrote nothing into `{output}`")


def test_two_commands_cannot_make_the_same_output(site: Site, compiled: Compiled) -> None:
    folder = site({"assetbuild.toml": CONFIG + CONFIG})

    expected = "assetbuild.toml:8:11 two-sources: `commands[0]` and `commands[1]` both make `css/words.css` | "
    assert expected == failed(compiled, folder)


def test_an_output_that_names_a_place_of_this_machine_is_warned_of(site: Site, compiled: Compiled) -> None:
    run = python('(out / "css/words.css").write_text(f"/* {os.getcwd()} */")')
    folder = site({"assetbuild.toml": config(run)})

    first, recalled = compiled(folder), compiled(folder)

    message = "`{output}/css/words.css` holds an absolute path of this machine, and differs on the next"
    assert [[message], [message]] == [[each.message for each in outcome.diagnostics] for outcome in (first, recalled)]


def test_files_of_a_python_package_are_inputs(
    site: Site, compiled: Compiled, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages/crispy7/templates/crispy"
    package.mkdir(parents=True)
    (package.parents[1] / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "form.html").write_text("form")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    tool = TOOL.replace('Path("templates")', 'Path("python_packages/crispy7/templates")')
    inputs = '"pkg:crispy7/templates/**"'
    folder = site({"assetbuild.toml": config('["./tool", "{output}"]', inputs=inputs), "tool": tool})
    first = compiled(folder)

    (package / "form.html").write_text("other")
    second = compiled(folder)

    assert 2 == calls(home)
    assert "`pkg:crispy7/templates/crispy/form.html` changed" == second.reasons["css/words.css"]
    assert ".other { margin: 0 }\n" == text_of(second, "css/words.css")
    assert str(package / "form.html") in first.inputs


def test_a_package_that_lies_elsewhere_than_at_the_last_build_is_looked_at(
    site: Site, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An editable installation moves without a change of `sys.path`: a finder says where it is."""
    folder = site({"assetbuild.toml": config('["./tool", "{output}"]', inputs='"templates/**", "pkg:crispy9/*.html"')})
    for name in ("one", "two"):
        edit(tmp_path, f"{name}/crispy9/__init__.py", "")
        edit(tmp_path, f"{name}/crispy9/{name}.html", "form")

    class Finder:
        where = "one"

        @classmethod
        def find_spec(cls, name: str, *_: object) -> ModuleSpec | None:
            return PathFinder.find_spec(name, [str(tmp_path / cls.where)]) if name == "crispy9" else None

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    compile_json(folder, capsys)

    Finder.where = "two"

    assert 1 == compile_json(folder, capsys)["engineRuns"]["commands"]


def test_a_mended_input_is_noticed_while_watching(site: Site, home: Path) -> None:
    folder = site({"tool": TOOL + "sys.exit(3 if 'bad' in words else 0)\n", "templates/a.html": "bad"})
    with watching(folder) as watch:
        watch.until("ended with 3")

        (folder / "templates/a.html").write_text("good")

        watch.until("compiled")
    assert 2 == calls(home)


def test_the_manifest_is_the_same_wherever_project_and_packages_lie(
    tmp_path: Path, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = set()
    for name in ("one", "another"):
        folder = tmp_path / name
        package = folder / "packages/crispy8"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "a.html").write_text("form")
        for file, text in SITE.items():
            edit(folder / "project", file, text)
        (folder / "project/tool").chmod(0o755)
        more = config('["./tool", "{output}"]', inputs='"templates/**", "pkg:crispy8/*.html"')
        (folder / "project/assetbuild.toml").write_text('[sourcemaps]\nmode = "public"\n' + more)
        with monkeypatch.context() as context:
            context.syspath_prepend(str(folder / "packages"))
            manifests.add(compiled(folder / "project").manifest)

    assert 1 == len(manifests)


def test_a_cache_serves_the_same_project_in_another_folder(
    site: Site, compiled: Compiled, home: Path, tmp_path: Path
) -> None:
    """Whatever is kept of a command, and of what is made of its outputs, has no path of this machine in its key."""
    folder = site({"assets/a.png": "x"})
    (folder / "tool").write_text(TOOL.replace("margin: 0", "background: url(../a.png)"))
    first = compiled(folder)
    shutil.copytree(folder, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("build"))

    again = compiled(tmp_path / "elsewhere")

    assert 1 == calls(home)
    assert {} == again.engine_runs
    assert first.manifest == again.manifest


def test_check_runs_commands_and_writes_nothing(site: Site, home: Path) -> None:
    folder = site()

    assert 0 == main(["check", str(folder)])

    assert 1 == calls(home)
    assert not (folder / "build").exists()


NAMES = st.lists(st.sampled_from(["a", "b", "templates", "x.html", "y.js"]), min_size=1, max_size=4).map("/".join)
GLOBS = st.lists(
    st.sampled_from(["a", "*", "**", "?", "{a,b}", "*.html", "templates", "x.html", "[ab]", "**.js", "{a/b,x.html}"]),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, max_size=6), pattern=GLOBS)
def test_what_is_listed_is_what_the_glob_means(tmp_path: Path, names: set[str], pattern: str) -> None:
    """Folders that cannot hold a match are not listed, and no match is lost by it."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as top:
        files = {name for name in names if not any(other.startswith(f"{name}/") for other in names)}
        for name in files:
            edit(Path(top), name, "")
        command = Command(("x",), (pattern,), ("y",))

        found = declared(command, Project(top, f"{top}/build", ()), {}, RealDisk())

        assert {name for name in files if matches(pattern, name)} == set(found.files)

"""The command line from outside: what it prints, what it exits with, and what it does not import."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild.cli import COMMANDS, main
from assetbuild.cli.compile import closing_line, summary_of
from assetbuild.cli.progress import Progress
from assetbuild.cli.render import Look, Terminal
from assetbuild.cli.signals import Ended, ended_by_signals
from assetbuild.compiler import compile as compile_project
from assetbuild.compiler.config import Flags, read
from assetbuild.disk import RealDisk
from tests.conftest import Tree
from tests.test_render import Screen

Printed = pytest.CaptureFixture[str]
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
HERE = str(Path(__file__).parent.parent)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "ASSETBUILD_REVISION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project that needs no engine, and stand in it."""
    folder = tree({"assets/robots.txt": "User-agent: *\n" * 40, "assets/img/dot.gif": b"GIF89a"})
    monkeypatch.chdir(folder)
    return folder


def timeless(text: str) -> str:
    return re.sub(r"in [0-9.]+ m?s\b", "in T", text)


def test_compile_ends_with_one_line_and_a_second_one_writes_nothing(site: Path, capsys: Printed) -> None:
    assert main(["compile"]) == 0
    first = capsys.readouterr()
    assert main(["compile"]) == 0
    second = capsys.readouterr()

    assert (first.out, second.out) == ("", "")
    assert timeless(first.err) == (
        'without configuration: roots = ["assets"]\n'
        "compiled 2 assets (5 files written, 0 unchanged) → build/assets  566 B, 43 B with br  in T\n"
    )
    assert timeless(second.err) == (
        'without configuration: roots = ["assets"]\n'
        "compiled 2 assets (0 files written, 5 unchanged) → build/assets  566 B, 43 B with br  in T\n"
    )


def test_the_closing_line_names_only_codings_that_were_made(site: Path) -> None:
    (site / "assetbuild.toml").write_text("[compress]\nbr = false\ngzip = false\n")
    project = read(str(site), {}, RealDisk(), Flags())

    outcome = compile_project(project, is_written=False)

    line = closing_line(summary_of(outcome, 0), 0.314, Look(is_unicode=False))
    assert line == "compiled 2 assets -> build/assets  566 B  in 0.31 s"


def test_compile_answers_in_json_on_stdout_and_in_words_on_stderr(site: Path, capsys: Printed) -> None:
    assert main(["compile", "--json", "--revision", "r1"]) == 0

    printed = capsys.readouterr()
    manifest = json.loads((site / "build/assets/manifest.json").read_bytes())
    document = json.loads(printed.out)
    written = sum(file.stat().st_size for file in (site / "build/assets").rglob("*") if file.is_file())
    assert document == {
        "ok": True,
        "output": str(site / "build/assets"),
        "build": manifest["build"]["id"],
        "assets": 2,
        "variants": 2,
        "engineJobs": {"copy": 2},
        "engineRuns": {},
        "encoderRuns": 2,
        "filesWritten": 5,
        "filesUnchanged": 0,
        "bytesHashed": 566,
        "bytesWritten": written,
        "bytes": {"identity": 566, "br": 43},
        "diagnostics": [],
    }
    assert manifest["build"]["revision"] == "r1"
    assert timeless(printed.err).endswith("with br  in T\n")


@pytest.mark.parametrize("flags", [["--no-cache"], []], ids=["by the command line", "by the environment"])
def test_without_a_cache_that_is_why_everything_was_made(site: Path, capsys: Printed, flags: list[str]) -> None:
    (site / "assets/a.css").write_text("a { b: c }\n")

    assert 0 == main(["compile", "--explain", *flags])

    assert "made everything: the compile cache is off" == capsys.readouterr().err.splitlines()[1]


def test_it_is_explained_what_was_made_and_that_nothing_was(
    site: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    (site / "assets/a.css").write_text("a { b: c }\n")

    said = []
    for content in (None, None, "User-agent: me\n" * 40):
        if content is not None:
            (site / "assets/robots.txt").write_text(content)
        assert 0 == main(["compile", "--explain"])
        said.append(capsys.readouterr().err.splitlines()[1:-1])

    news = "bytes, coder or level are new to the cache"
    assert [
        ["made a.css: it is not in the cache yet", f"compressed 4 times: {news}"],
        ["made nothing: all that an earlier compile made still stands"],
        [f"compressed 2 times: {news}"],
    ] == said


def test_a_project_elsewhere_is_compiled_to_an_output_elsewhere(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["compile", "project", "--output", "served"]) == 0

    assert (tmp_path / "served/manifest.json").is_file()
    assert not (site / "build").exists()
    assert "→ served  " in capsys.readouterr().err


def test_a_fault_of_the_configuration_exits_with_2_in_words_and_in_json(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text("ouput = 1\n")

    assert main(["compile", "--json"]) == 2

    printed = capsys.readouterr()
    assert printed.err == (
        "error: `ouput` is not a key of assetbuild.toml [unknown-key]\n"
        "  assetbuild.toml:1:1\n"
        "  1 │ ouput = 1\n"
        "    │ ^^^^^\n"
        "  did you mean `output`?\n"
        "\n"
        "1 error\n"
    )
    assert json.loads(printed.out) == {
        "ok": False,
        "diagnostics": [
            {
                "rule": "unknown-key",
                "severity": "error",
                "message": "`ouput` is not a key of assetbuild.toml",
                "path": "assetbuild.toml",
                "line": 1,
                "column": 1,
                "length": 5,
                "hint": "did you mean `output`?",
            }
        ],
    }


def test_a_fault_of_the_assets_exits_with_1(site: Path, capsys: Printed) -> None:
    (site / "assets/Robots.txt").write_text("")

    assert main(["compile"]) == 1

    assert capsys.readouterr().err == (
        "error: `Robots.txt` and `robots.txt` differ only in case or Unicode form [name-collision]\n"
        "  assets/robots.txt\n"
        "  rename one of them\n"
        "  note: the other is `assets/Robots.txt`\n"
        "\n"
        "1 error\n"
    )
    assert not (site / "build").exists()


def test_a_warning_fails_only_a_strict_compile_and_then_nothing_is_published(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text('roots = [{ path = "assets", missing = "warn" }]\n')
    (site / "assets/site.css").write_text(".a{background:url(logo.png)}\n")
    warning = (
        "warning: `logo.png` is not in any asset root [missing-reference]\n"
        "  assets/site.css:1:19\n"
        "  1 │ .a{background:url(logo.png)}\n"
        "    │                   ^^^^^^^^\n"
        "  note: looked for `logo.png`\n"
        "\n"
    )

    assert main(["compile", "--strict"]) == 1

    error = "error: warnings fail this compile: it was called with `--strict` [strict]\n\n"
    assert capsys.readouterr().err == f"{error}{warning}1 error, 1 warning\n"
    assert not (site / "build").exists()
    assert main(["compile"]) == 0
    assert capsys.readouterr().err.startswith(f"{warning}1 warning\ncompiled 3 assets ")


def test_an_output_that_cannot_be_written_exits_with_2(site: Path, capsys: Printed) -> None:
    (site / "build").write_text("a file where a folder is wanted")

    assert main(["compile"]) == 2

    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert "Traceback" not in printed


def test_verify_looks_where_compile_has_written(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text('output = "dist"\n')
    assert main(["compile"]) == 0
    capsys.readouterr()

    assert main(["verify"]) == 0
    words = capsys.readouterr()
    assert main(["verify", "dist", "--json"]) == 0
    document = capsys.readouterr()

    assert (words.out, timeless(words.err)) == ("", "verified 2 assets, 2 files, 2 variants in dist  566 B  in T\n")
    assert json.loads(document.out) == {
        "ok": True,
        "output": str(site / "dist"),
        "assets": 2,
        "files": 2,
        "variants": 2,
        "bytes": 566,
        "diagnostics": [],
    }


def test_verify_exits_with_1_when_a_file_was_changed(site: Path, capsys: Printed) -> None:
    assert main(["compile"]) == 0
    capsys.readouterr()
    (gif,) = (site / "build/assets/img").glob("dot-*.gif")
    gif.write_bytes(b"GIF87a")

    assert main(["verify", "--json"]) == 1

    printed = capsys.readouterr()
    assert printed.err == (
        f"error: `img/{gif.name}` does not hold the bytes that the manifest describes [wrong-digest]\n"
        f"  img/{gif.name}\n"
        "  compile again, or copy the whole output again\n"
        "\n"
        "1 error\n"
    )
    assert json.loads(printed.out)["ok"] is False


def test_verify_warns_of_odd_modes_once_and_strictly_fails(site: Path, capsys: Printed) -> None:
    assert main(["compile"]) == 0
    capsys.readouterr()
    for file in (site / "build/assets").glob("robots-*"):
        file.chmod(0o600)

    assert [0, 1] == [main(["verify"]), main(["verify", "--strict"])]

    warning = (
        "warning: `robots-7ao3nl32zt.txt` cannot be read by every user: its mode is 0600 [odd-mode]\n"
        "  robots-7ao3nl32zt.txt\n"
        "  give it mode 0644, as a compile does\n"
        "  2 more like this: robots-7ao3nl32zt.txt.br, robots-7ao3nl32zt.txt.gz\n"
    )
    assert (
        f"{warning}\n3 warnings\nverified 2 assets, 2 files, 2 variants in build/assets  566 B  in T\n"
        f"error: warnings fail this check: it was called with `--strict` [strict]\n\n{warning}\n1 error, 3 warnings\n"
    ) == timeless(capsys.readouterr().err)


def test_verify_without_an_output_is_one_sentence(site: Path, capsys: Printed) -> None:
    assert main(["verify", "assets"]) == 2

    assert capsys.readouterr().err == (
        f"error: `{site}/assets/manifest.json` is not there; name the folder that `assetbuild compile` wrote\n"
    )


@pytest.mark.parametrize("is_there", [False, True], ids=["no folder", "an empty folder"])
def test_verify_before_the_first_compile_says_what_comes_first(site: Path, capsys: Printed, is_there: bool) -> None:
    if is_there:
        (site / "build/assets").mkdir(parents=True)

    assert main(["verify"]) == 2

    assert capsys.readouterr().err == (
        f"error: `{site}/build/assets/manifest.json` is not there; "
        "run `assetbuild compile`, or name the folder that holds it\n"
    )


def test_verify_says_why_an_edit_leaves_a_file_behind(site: Path, capsys: Printed) -> None:
    (site / "assets/note.txt").write_text("1")
    assert main(["compile"]) == 0
    (site / "assets/note.txt").write_text("2")
    assert main(["compile"]) == 0
    (left,) = (file.name for file in (site / "build/assets").glob("note-*.txt") if file.read_text() == "1")
    capsys.readouterr()

    assert main(["verify"]) == 1

    assert capsys.readouterr().err == (
        f"error: `{left}` is not in the manifest [unlisted-file]\n"
        f"  {left}\n"
        "  `assetbuild clean` removes what earlier compiles left, and with `--unknown` whatever else lies there\n"
        "\n"
        "1 error\n"
    )


def test_verify_tells_files_that_many_edits_left_behind_once(site: Path, capsys: Printed) -> None:
    output = site / "build/assets"
    assert main(["compile"]) == 0
    for name in ("a.txt", "b.txt", "c.txt"):
        (output / name).write_text("left")
    capsys.readouterr()

    assert main(["verify"]) == 1

    assert capsys.readouterr().err == (
        "error: `a.txt` is not in the manifest [unlisted-file]\n"
        "  a.txt\n"
        "  `assetbuild clean` removes what earlier compiles left, and with `--unknown` whatever else lies there\n"
        "  2 more like this: b.txt, c.txt\n"
        "\n"
        "3 errors\n"
    )


def test_verify_of_a_folder_that_is_not_there_is_one_sentence(site: Path, capsys: Printed) -> None:
    assert main(["verify", "nowhere"]) == 2

    assert capsys.readouterr().err == f"error: no such file or directory: `{site}/nowhere`\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["compil"], "error: `compil` is not a command\n  did you mean `compile`?\n"),
        (
            ["compile", "--watch"],
            "error: `--watch` is not an option of `assetbuild compile`\n  did you mean `assetbuild watch`?\n",
        ),
        (["brew"], "error: `brew` is not a command\n  `assetbuild --help` lists what there is\n"),
        (
            ["compile", "--ofline"],
            "error: `--ofline` is not an option of `assetbuild compile`\n  did you mean `--offline`?\n",
        ),
        (
            ["compile", "--off"],
            "error: `--off` is not an option of `assetbuild compile`\n"
            "  `assetbuild compile --help` lists what there is\n",
        ),
        (
            ["verify", "a", "b"],
            "error: `b` is not an argument of `assetbuild verify`\n  `assetbuild verify --help` lists what there is\n",
        ),
        (
            ["compile", "--jobs", "0"],
            "error: argument --jobs: expected a whole number above 0, got `0`\n"
            "  `assetbuild compile --help` shows what it takes\n",
        ),
        (
            ["compile", "--profile", "fst"],
            "error: `fst` is not a value of `--profile`\n  did you mean `fast`?\n",
        ),
        (
            ["check", "--format", "junit"],
            "error: `junit` is not a value of `--format`\n  there are `text`, `github`, `sarif`, `json`\n",
        ),
        (
            ["init", "--from", "djano"],
            "error: `djano` is not a value of `--from`\n  did you mean `django`?\n",
        ),
        (
            ["tools", "instal"],
            "error: `instal` is not a value of `ACTION`\n  did you mean `install`?\n",
        ),
        (
            ["--offline"],
            "error: `--offline` is not an option of `assetbuild`\n  `assetbuild --help` lists what there is\n",
        ),
    ],
)
def test_what_was_mistyped_is_named_with_the_nearest_right_word(
    arguments: list[str], expected: str, capsys: Printed
) -> None:
    assert main(arguments) == 2

    assert capsys.readouterr() == ("", expected)


HEAD = "assetbuild 0.1.0 compiles web assets to content-addressed files and one manifest.\n\n"
TAIL = "\n`assetbuild --help` lists every command.\n"


def test_the_command_alone_says_what_is_here_and_what_comes_next(site: Path, capsys: Printed) -> None:
    assert main([]) == 0

    here = "here: root `assets`, found without configuration\n"
    steps = "next: `assetbuild compile`\n      `assetbuild init` writes down what was found\n"
    assert f"{HEAD}{here}{steps}{TAIL}" == capsys.readouterr().out


def test_the_command_alone_says_what_to_install_where_nothing_can_compile(site: Path) -> None:
    bare = [sys.executable, "-S", "-m", "assetbuild"]

    done = subprocess.run(bare, env={**os.environ, "PYTHONPATH": HERE}, capture_output=True, text=True, check=True)

    here = "here: root `assets`, found without configuration\n"
    steps = (
        "next: `pip install 'assetbuild[compile]'`, then `assetbuild compile`\n"
        "      `assetbuild init` writes down what was found\n"
    )
    assert (f"{HEAD}{here}{steps}{TAIL}", "") == (done.stdout, done.stderr)


def test_the_command_alone_asks_for_a_source_where_there_is_none(site: Path, capsys: Printed) -> None:
    for file in (site / "assets").rglob("*.*"):
        file.unlink()
    assert main(["compile"]) == 0
    capsys.readouterr()

    assert main([]) == 0

    here = "here: root `assets`, found without configuration\n"
    steps = (
        "next: put a stylesheet, a script or an image into `assets`, then `assetbuild compile`\n"
        "      `assetbuild init` writes down what was found\n"
    )
    assert f"{HEAD}{here}{steps}{TAIL}" == capsys.readouterr().out


def test_the_command_alone_says_where_the_configuration_is_wrong(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text('salt = "1"\nbase = "static"\n')

    assert main([]) == 0

    found = "`static` is not a URL base: expected `/static/` or `https://cdn.example/static/`, at `base`"
    here = f"here: {found} (assetbuild.toml), assetbuild.toml:2:8\n"
    assert f"{HEAD}{here}next: did you mean `/static/`?\n{TAIL}" == capsys.readouterr().out


def test_the_command_alone_says_how_to_use_what_was_compiled(site: Path, capsys: Printed) -> None:
    (site / "assets/site.css").write_text("a { b: c }\n")
    assert main(["compile"]) == 0
    capsys.readouterr()

    assert main([]) == 0

    printed = capsys.readouterr().out
    assert printed == (
        f"{HEAD}here: root `assets`, found without configuration\n"
        "      3 assets compiled into `build/assets`\n"
        "next: let the application read the manifest\n"
        "        assetbuild.web.flask      AssetBuild(app)\n"
        "        assetbuild.web.django     the storage `assetbuild.web.django.storage.ManifestStorage`\n"
        '        assetbuild.web.starlette  AssetMount("/static", Assets.open())\n'
        "        assetbuild.web.litestar   AssetBuildPlugin(Assets.open())\n"
        '        assetbuild.web.pyramid    config.include("assetbuild.web.pyramid")\n'
        "        assetbuild.web.asgi       AssetMiddleware(app, Assets.open()); also .wsgi\n"
        "      name an asset in a template: {{ asset_tag('site.css') }}\n"
        "      while you work, `assetbuild watch` compiles what is saved\n"
        f"{TAIL}"
    )
    for module, name in re.findall(r"^        (assetbuild\S+) +([A-Z]\w+)\(", printed, re.MULTILINE):
        assert callable(getattr(importlib.import_module(module), name))


def test_the_command_alone_says_what_is_wrong_with_what_was_compiled(site: Path, capsys: Printed) -> None:
    assert main(["compile"]) == 0
    (site / "build/assets/manifest.json").write_text("{}")
    capsys.readouterr()

    assert main([]) == 0

    printed = capsys.readouterr().out.splitlines()
    assert str(site / "build/assets/manifest.json") in printed[3]
    assert "next: `assetbuild compile`" == printed[4]


def test_the_command_alone_helps_where_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([]) == 0

    assert capsys.readouterr().out == (
        "assetbuild 0.1.0 compiles web assets to content-addressed files and one manifest.\n"
        "\n"
        "here: there is no folder of assets: looked for `assets`, `static`, `app/static`, `src/*/static`, `*/static`\n"
        'next: make one of them, or say in `assetbuild.toml` where the assets are: `roots = ["some/folder"]`\n'
        "\n"
        "`assetbuild --help` lists every command.\n"
    )


def test_the_version_is_printed(capsys: Printed) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr() == ("assetbuild 0.1.0\n", "")


@pytest.mark.parametrize("words", ["", *COMMANDS, "tools list", "tools install", "tools vendor"])
def test_help_fits_a_screen_and_shows_an_example(words: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert main([*words.split(), "--help"]) == 0

    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert len(lines) < 24  # with the prompt that follows
    assert [] == [line for line in lines if len(line) > 80]
    assert re.search(r"^examples?:(\n| assetbuild)", printed.out, re.MULTILINE)
    assert printed.err == ""


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_asking_for_words_imports_neither_compiler_nor_engines(argument: str) -> None:
    code = (
        "import sys; from assetbuild.cli import main\n"
        f"assert main([{argument!r}]) == 0\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)"
    )
    environ = {**os.environ, "PYTHONPATH": HERE}

    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)

    loaded = done.stderr.split()
    assert "assetbuild.cli.render" in loaded
    heavy = ("assetbuild.compiler", "assetbuild.release", "jinja2", "webassets", "tqdm", "brotli")
    assert [name for name in loaded if name.startswith(heavy)] == []


def test_a_missing_package_names_the_extra_that_brings_it(site: Path) -> None:
    code = "import sys; sys.modules['brotli'] = None\nfrom assetbuild.cli import main; sys.exit(main(['compile']))"
    environ = {**os.environ, "PYTHONPATH": HERE}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=site, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "brotli" in done.stderr
    assert "pip install 'assetbuild[compile]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_shows_its_traceback_and_asks_to_be_reported(site: Path, capsys: Printed) -> None:
    assert main([1]) == 2  # type: ignore[list-item]

    printed = capsys.readouterr().err
    assert printed.startswith("Traceback (most recent call last):\n")
    assert printed.endswith(
        "error: this is a bug in assetbuild 0.1.0\n"
        "  please report it, with the lines above, where assetbuild is developed\n"
    )


def test_a_closed_pipe_ends_the_command_quietly(site: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "assetbuild", "compile", "--json"]

    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": HERE}, text=True, check=False
    )

    os.close(writer)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_closed_stderr_ends_the_command_quietly(site: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "assetbuild", "compile"]

    done = subprocess.run(command, stderr=writer, env={**os.environ, "PYTHONPATH": HERE}, check=False)

    os.close(writer)
    assert done.returncode == 141


def test_a_full_disk_behind_stdout_is_an_error(site: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assetbuild", "compile", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": HERE},
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.endswith("error: the output cannot be written: no space left on device\n")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_with_its_own_code(site: Path, tmp_path: Path, signum: int, code: int) -> None:
    """The command is held in the middle of an installation, by a registry that takes the request and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        environ = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "PYTHONPATH": HERE,
            "ASSETBUILD_TOOLS": str(tmp_path / "tools"),
            "ASSETBUILD_REGISTRY": f"http://127.0.0.1:{registry.getsockname()[1]}/",
        }
        command = [sys.executable, "-m", "assetbuild", "tools", "install", "esbuild"]
        registry.settimeout(30)
        with subprocess.Popen(command, cwd=site, env=environ, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = registry.accept()
            process.send_signal(signum)
            _, printed = process.communicate(timeout=30)
            connection.close()

    assert process.returncode == code
    assert printed.splitlines()[-1] == f"ended by {signal.Signals(signum).name}"
    assert "Traceback" not in printed


ENDED_TWICE = """
import signal, time
from assetbuild.cli.signals import Ended, ended_by_signals
with ended_by_signals():
    try:
        signal.raise_signal(signal.{0})
    except Ended:
        signal.raise_signal(signal.{1})
        time.sleep(60)
"""


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_ends_the_process_at_once(first: signal.Signals, second: signal.Signals) -> None:
    script = ENDED_TWICE.format(first.name, second.name)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert (-second, "") == (done.returncode, done.stderr)


IN_A_CALLBACK = """
import signal, time, weakref
from assetbuild.cli.signals import ended_by_signals
class Lost: pass
with ended_by_signals():
    lost = Lost()
    reference = weakref.ref(lost, lambda _: signal.raise_signal(signal.SIGTERM))
    del lost
    time.sleep(60)
"""


def test_a_signal_is_not_lost_where_nothing_can_be_raised() -> None:
    """Python ignores what is raised in callbacks of weak references, of which its own imports have some."""
    done = subprocess.run([sys.executable, "-c", IN_A_CALLBACK], capture_output=True, text=True, timeout=9, check=False)

    assert (143, "") == (done.returncode, done.stderr)


def test_the_handlers_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with ended_by_signals(), pytest.raises(Ended, match=r"^$"):
        signal.raise_signal(signal.SIGTERM)

    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Screen() as stream:
        yield stream


def test_progress_appears_only_after_a_while_and_leaves_nothing_behind(screen: Screen) -> None:
    with Progress(Terminal(None, screen, {})) as progress:
        progress.stage("compile", 3)
        progress.step()
        early = screen.getvalue()
        progress.appear()
        progress.step()
        progress.notice("installing esbuild")
        progress.stage("encode", 2)
        progress.step()

    assert early == ""
    seen = screen.getvalue()
    assert "compile 1/3 " in seen
    assert "installing esbuild\n" in seen
    assert "encode 0/2 " in seen
    assert seen.rstrip("\r").rpartition("\r")[2].strip() == ""


@pytest.mark.parametrize(
    ("stream", "environ"), [(Screen(), {"CI": "true"}), (Screen(), {"TERM": "dumb"}), (io.StringIO(), {})]
)
def test_progress_is_silent_where_nobody_watches(stream: io.StringIO, environ: dict[str, str]) -> None:
    before = threading.enumerate()

    with Progress(Terminal(None, stream, environ)) as progress:
        progress.stage("compile", 1)
        progress.step()
        running = threading.enumerate()

    assert running == before
    assert stream.getvalue() == ""


def test_a_notice_is_shown_even_where_no_progress_is() -> None:
    stream = io.StringIO()

    with Progress(Terminal(None, stream, {})) as progress:
        progress.notice("installing esbuild 0.28.2")

    assert stream.getvalue() == "installing esbuild 0.28.2\n"

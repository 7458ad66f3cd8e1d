"""Fixtures that every room's tests share: small trees built inline, and tools that may be absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome

Tree = Callable[[Mapping[str, str | bytes]], Path]


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

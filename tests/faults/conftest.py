"""The stages that the tests share, in memory where there is such a file system: each run syncs what it wrote."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import need, pinned
from tests.faults.space import scratch
from tests.faults.stage import ENGINES, LEVELS, PLAIN, SMALL, Stage


@pytest.fixture(scope="session")
def small() -> Iterator[Stage]:
    """Return a stage with an image and a sheet."""
    with scratch() as folder, Stage(folder, SMALL) as stage:
        yield stage


@pytest.fixture(scope="session")
def plain() -> Iterator[Stage]:
    """Return a stage with some of everything that needs no engine outside the process."""
    with scratch() as folder, Stage(folder, PLAIN) as stage:
        yield stage


@pytest.fixture(scope="session")
def levels() -> Iterator[Stage]:
    """Return a stage with a sheet whose variants another level of the encoders makes anew."""
    with scratch() as folder, Stage(folder, LEVELS, profile="fast") as stage:
        yield stage


@pytest.fixture(scope="session")
def engines() -> Iterator[Stage]:
    """Return a stage with what Sass and esbuild compile."""
    need("esbuild", pinned("esbuild") is not None)
    with scratch() as folder, Stage(folder, ENGINES) as stage:
        yield stage


@pytest.fixture
def strace() -> None:
    """Need strace, and the right to trace."""
    found = shutil.which("strace")
    is_able = found is not None and subprocess.run([found, "-o", "/dev/null", "true"], check=False).returncode == 0
    need("strace", is_able)


@pytest.fixture
def mounts() -> None:
    """Need a namespace in which file systems can be mounted."""
    command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    found = shutil.which("unshare")
    need("unshare", found is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0)

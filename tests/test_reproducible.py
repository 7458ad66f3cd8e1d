"""The same sources give the same bytes, whatever the folder, clock, umask, locale, hash seed or number of jobs."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.compiler import Outcome
from tests.conftest import need

EXAMPLE = Path(__file__).parents[1] / "example_assets"

ENVIRONMENTS: list[dict[str, str]] = [
    {"PYTHONHASHSEED": "0", "jobs": "1", "umask": "022", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "jobs": "8", "umask": "077", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "random", "jobs": "2", "umask": "002", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
]


def tree_digest(output: Path) -> str:
    """Return one digest over names, modes and bytes of everything below `output`."""
    digest = hashlib.sha256()
    for file in sorted(output.rglob("*")):
        digest.update(f"{file.relative_to(output)} {file.stat().st_mode:o}\n".encode())
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def varied(project: Path, environment: dict[str, str], clock: str = "") -> str:
    """Compile in a process of its own and return the digest of the output."""
    settings = {key: value for key, value in environment.items() if key not in ("jobs", "umask")}
    command = [sys.executable, "-m", "assetbuild", "compile", str(project), "--jobs", environment["jobs"]]
    if clock:
        command = ["faketime", clock, *command]
    subprocess.run(
        ["/bin/sh", "-c", f'umask {environment["umask"]}; exec "$@"', "sh", *command],
        env=os.environ | settings,
        cwd=project.parent,
        check=True,
        capture_output=True,
    )
    return tree_digest(project / "build/assets")


def copied(folder: Path, seed: int) -> Path:
    """Return a copy of the example made in another order, with other modification times."""
    rng = random.Random(seed)
    files = [file for file in EXAMPLE.rglob("*") if file.is_file() and "build" not in file.relative_to(EXAMPLE).parts]
    rng.shuffle(files)
    for file in files:
        target = folder / file.relative_to(EXAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        os.utime(target, (rng.randint(0, 2**31), rng.randint(0, 2**32)))
    return folder


@pytest.mark.usefixtures("esbuild")
def test_two_folders_and_three_environments_give_one_digest(tmp_path: Path) -> None:
    digests = {
        varied(copied(tmp_path / f"folder{number}" / ("x" * number) / "site", number), environment)
        for number, environment in enumerate(ENVIRONMENTS)
    }

    assert 1 == len(digests)


@pytest.mark.usefixtures("esbuild")
def test_another_clock_changes_nothing(tmp_path: Path) -> None:
    need("faketime", shutil.which("faketime") is not None)
    project = copied(tmp_path / "site", 1)

    digests = {varied(project, ENVIRONMENTS[0], clock) for clock in ("", "1971-01-02 03:04:05", "2041-05-06 07:08:09")}

    assert 1 == len(digests)


def test_a_second_compile_rewrites_no_file(compiled: Callable[..., Outcome], tmp_path: Path) -> None:
    project = Path(shutil.copytree(EXAMPLE / "classic", tmp_path / "classic", ignore=shutil.ignore_patterns("build")))
    first = compiled(project)
    before = {file: file.stat().st_mtime_ns for file in Path(first.project.output).rglob("*")}

    second = compiled(project)

    assert second.published
    assert 0 == second.published.written
    assert before == {file: file.stat().st_mtime_ns for file in Path(first.project.output).rglob("*")}

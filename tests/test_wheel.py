"""The wheel: what `pip install assetbuild` brings beside the code."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import need

REPOSITORY = Path(__file__).parent.parent
SCHEMA = "assetbuild/manifest/manifest.schema.json"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of the sources as they are, built without a network: no isolated environment is made for it."""
    need("setuptools 77", int(importlib.metadata.version("setuptools").partition(".")[0]) >= 77)
    folder = tmp_path_factory.mktemp("wheel")
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "assetbuild", folder / "assetbuild", symlinks=True, ignore=without)
    for name in ("pyproject.toml", "README.md", "LICENSE", "manifest.schema.json"):
        shutil.copy(REPOSITORY / name, folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder / "made"), str(folder)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    (made,) = (folder / "made").iterdir()
    return made


def test_it_holds_the_schema_of_the_manifest_as_a_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert (REPOSITORY / "manifest.schema.json").read_bytes() == archive.read(SCHEMA)


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("assetbuild/")}

    files = (file for file in (REPOSITORY / "assetbuild").rglob("*") if file.is_file())
    assert {str(file.relative_to(REPOSITORY)) for file in files if file.suffix != ".pyc"} == held


def test_a_checkout_has_the_schema_where_the_wheel_has_it() -> None:
    found = json.loads((REPOSITORY / SCHEMA).read_text())

    assert json.loads((REPOSITORY / "manifest.schema.json").read_text()) == found

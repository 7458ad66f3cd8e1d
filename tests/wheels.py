"""The wheel that `pip install assetbuild` would bring, made of the sources as they are."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import need

__all__ = ["built"]

_REPOSITORY = Path(__file__).parent.parent


def built(folder: Path, *, isolated: bool = False) -> Path:
    """Return a wheel in `folder`, by the setuptools that is installed here, without a network.

    isolated: as pip does it by itself, in an environment of its own that takes setuptools from a package index.
    """
    needed = [] if isolated else ["--no-index", "--no-build-isolation"]
    if needed:
        need("setuptools 77", int(importlib.metadata.version("setuptools").partition(".")[0]) >= 77)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_REPOSITORY / "assetbuild", folder / "assetbuild", symlinks=True, ignore=without)
    for name in ("pyproject.toml", "README.md", "LICENSE", "manifest.schema.json"):
        shutil.copy(_REPOSITORY / name, folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *needed]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder / "made"), str(folder)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    (made,) = (folder / "made").iterdir()
    return made

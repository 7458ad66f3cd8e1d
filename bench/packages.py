"""npm packages for benchmarks: those of a lock file of this repository, installed once into the build folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["REPOSITORY", "installed", "package_of", "stylesheets"]

REPOSITORY = Path(__file__).resolve().parents[1]


def installed(source: str, folder: Path | None = None) -> Path:
    """Return `node_modules` with exactly the packages that the lock file in `source` names.

    source: a folder of this repository. folder: where they go, below its build folder if nothing is said.
    """
    folder = folder or REPOSITORY / "build/bench" / source.replace("/", "-")
    lock = REPOSITORY / source / "package-lock.json"
    modules = folder / "node_modules"
    if not modules.exists() or (folder / lock.name).read_bytes() != lock.read_bytes():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(lock.with_name(name), folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True)
    return modules


def package_of(file: Path, modules: Path) -> str:
    """Return the name of the package that `file` lies in."""
    first, second = file.relative_to(modules).parts[:2]
    return f"{first}/{second}" if first.startswith("@") else first


def stylesheets(modules: Path) -> Iterator[tuple[str, Path]]:
    """Yield package and file of every `.css` file, sorted."""
    for file in sorted(modules.rglob("*.css")):
        if file.is_file():
            yield package_of(file, modules), file

"""The peers' programs: installed into the work folder, found, and asked for their versions."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packages import REPOSITORY

__all__ = ["Toolbox"]

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PACKAGES = REPOSITORY / "bench/npm-peers/package.json"
_ASK = "import importlib.metadata as m, json; print(json.dumps([(d.name, d.version) for d in m.distributions()]))"


class Toolbox:
    """What a run may call. work: where it is installed; is_installing: False to take what is there.

    Python peers come from an environment in `work`; without it, from the one that runs the benchmark.
    """

    def __init__(self, work: Path, *, is_installing: bool) -> None:
        self._venv, self.modules = work / "venv", work / "npm-peers/node_modules"
        if is_installing:
            self._install()
        own = self._venv / "bin/python"
        self.python = own if own.exists() else Path(sys.executable)

    def _install(self) -> None:
        if not (self._venv / "bin/python").exists():
            subprocess.run([sys.executable, "-m", "venv", self._venv], check=True)
        pip = [str(self._venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(_REQUIREMENTS)], check=True)
        folder = self.modules.parent
        folder.mkdir(exist_ok=True)
        shutil.copy(_PACKAGES, folder)
        # No lock file: it would hold one platform's binaries, since npm leaves out what a registry does not have.
        npm = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=folder, check=True)

    def missing(self, needs: tuple[str, ...]) -> str:
        """Return why a peer cannot run, "" if it can. needs: `pip:NAME`, `npm:NAME` or a program."""
        for need in needs:
            if not self.version(need):
                kind, _, name = need.rpartition(":")
                where = {"pip": "in the Python environment", "npm": "in node_modules"}.get(kind, "on PATH")
                return f"`{name}` is not {where}"
        return ""

    def version(self, need: str) -> str:
        """Return the version of what `missing` would ask for, "" if it is not there."""
        kind, _, name = need.rpartition(":")
        if kind == "pip":
            return self._distributions.get(_normal(name), "")
        if kind == "npm":
            file = self.modules / name / "package.json"
            return str(json.loads(file.read_text())["version"]) if file.exists() else ""
        found = shutil.which(name)
        return _version_of(found) if found else ""

    @functools.cached_property
    def _distributions(self) -> dict[str, str]:
        done = subprocess.run([self.python, "-I", "-c", _ASK], capture_output=True, text=True, check=True)
        return {_normal(name): version for name, version in json.loads(done.stdout)}

    @property
    def esbuild(self) -> str:
        """The binary of esbuild, without the Node script around it."""
        return str(next(iter(sorted(self.modules.glob("@esbuild/*/bin/esbuild"))), ""))

    @property
    def bun(self) -> str:
        """The binary of bun."""
        return str(next(iter(sorted(self.modules.glob("@oven/bun-*/bin/bun"))), ""))

    @property
    def sass(self) -> list[str]:
        """Dart Sass without the shell script around it."""
        folder = next(iter(sorted(self.modules.glob("sass-embedded-*/dart-sass/src"))), Path())
        return [str(folder / "dart"), str(folder / "sass.snapshot")]


def _normal(name: str) -> str:
    """Return the one form of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _version_of(program: str) -> str:
    """Return the first number that the program says of itself."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else "present"

"""The CI jobs in the documents, run step by step as they stand: one compiles and packs, another unpacks and serves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from assetbuild.version import __version__
from tests.conftest import need
from tests.test_docker import REPOSITORY, copied, fenced

DOCUMENT = "docs/how-to/ci-artifact.md"
COMMIT = "0123456789abcdef" * 2 + "01234567"
SOURCES = {
    "assets/css/site.css": "body { background: url(../img/dot.png) }",
    "assets/img/dot.png": "",
    "assets/robots.txt": "User-agent: *\n",
    "assetbuild.toml": 'site_root = ["robots.txt"]\n',
}
Step = tuple[str, Mapping[str, str]]
Shell = Callable[[Path, str, Sequence[Step]], None]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a function that runs the steps of a job in a checkout, with a Python that the jobs of its kind share.

    What the documents install from an index is the wheel of this repository; everything else comes from the index.
    """
    need("curl", shutil.which("curl") is not None)
    folder = tmp_path_factory.mktemp("ci")
    source = str(copied(folder / "source"))
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), source]
    # The project's own build asks the index for setuptools first.
    need("a package index for pip", subprocess.run(build, check=False, capture_output=True).returncode == 0)
    pip = folder / "bin/pip"
    pip.parent.mkdir()
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python "$JOB_PYTHON" "$@"\n')
    pip.chmod(0o755)
    local = ("ASSETBUILD_", "PYTHON", "VIRTUAL", "CI", "GITHUB", "GITLAB")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(local)}
    inherited |= {
        "ASSETBUILD_CACHE": "off",
        "PIP_FIND_LINKS": f"{folder} {os.environ.get('PIP_FIND_LINKS', '')}".strip(),
    }
    inherited |= {"PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # to save time

    def run(checkout: Path, kind: str, steps: Sequence[Step]) -> None:
        venv = folder / kind
        if not venv.exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        path = f"{venv}/bin:{pip.parent}:/usr/local/bin:/usr/bin:/bin"
        environ = {**inherited, "PATH": path, "JOB_PYTHON": f"{venv}/bin/python"}
        for script, more in steps:
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
                cwd=checkout,
                env={**environ, **more},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        (installed,) = venv.glob("lib/python*/site-packages/assetbuild/release/archive.py")
        assert (REPOSITORY / "assetbuild/release/archive.py").read_bytes() == installed.read_bytes()
        has_compilers = any(installed.parents[2].glob("rcssmin*"))
        assert (kind == "compile") == has_compilers

    return run


@pytest.fixture
def checkouts(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Return two checkouts of the application in the document, on two machines as it were."""
    (shop,) = fenced(DOCUMENT, "python")
    made = tmp_path / "compiling", tmp_path / "deploying"
    for checkout in made:
        for name, text in {**SOURCES, "shop.py": shop}.items():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_text(text)
    yield made
    with suppress(FileNotFoundError, ProcessLookupError):  # a step that failed has left its server
        os.kill(int((made[1] / "shop.pid").read_text()), signal.SIGKILL)


def proved(compiling: Path, deploying: Path) -> None:
    """Hold what was deployed against what was compiled."""
    manifests = [json.loads((each / "build/assets/manifest.json").read_text()) for each in (compiling, deploying)]
    assert manifests[0] == manifests[1]
    assert COMMIT == manifests[0]["build"]["revision"]
    served = (deploying / "site.css").read_bytes()
    assert served == (deploying / "build/assets" / manifests[0]["assets"]["css/site.css"]["file"]).read_bytes()
    assert "User-agent: *\n" == (deploying / "build/assets/robots.txt").read_text()


def test_the_jobs_for_github_compile_verify_pack_hand_on_unpack_and_serve(
    shell: Shell, checkouts: tuple[Path, Path]
) -> None:
    workflow: Any = yaml.safe_load(fenced(DOCUMENT, "yaml")[0])
    compiling, deploying = checkouts

    for name, checkout in zip(("compile", "deploy"), checkouts, strict=True):
        steps = workflow["jobs"][name]["steps"]
        actions = {step["uses"]: step.get("with", {}) for step in steps if "uses" in step}
        if download := actions.get("actions/download-artifact@v4"):
            assert workflow["jobs"]["compile"]["steps"][-1]["with"]["name"] == download["name"]
            shutil.copy(compiling / workflow["jobs"]["compile"]["steps"][-1]["with"]["path"], deploying)
        shell(checkout, name, [(step["run"], filled(step.get("env", {}))) for step in steps if "run" in step])

    proved(compiling, deploying)


def test_the_jobs_for_gitlab_do_the_same(shell: Shell, checkouts: tuple[Path, Path]) -> None:
    jobs: Any = yaml.safe_load(fenced(DOCUMENT, "yaml")[1])
    compiling, deploying = checkouts

    for name, checkout in zip(("compile", "deploy"), checkouts, strict=True):
        # GitLab joins the lines of a script into one shell.
        script = "\n".join(jobs[name]["script"])
        shell(checkout, name, [(script, filled(jobs[name].get("variables", {})))])
        for path in jobs[name].get("artifacts", {}).get("paths", ()):
            shutil.copy(compiling / path, deploying)

    assert [jobs["compile"]["stage"]] == jobs["deploy"]["needs"]
    proved(compiling, deploying)


def filled(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a job with the commit in the place of what each platform calls it."""
    made = {
        name: re.sub(r"\$\{\{ github\.sha \}\}|\$CI_COMMIT_SHA", COMMIT, value) for name, value in variables.items()
    }
    assert not any("$" in value for value in made.values())
    return made


def test_the_jobs_install_the_version_that_they_were_tested_with() -> None:
    text = (REPOSITORY / DOCUMENT).read_text()

    assert {__version__} == set(re.findall(r"assetbuild(?:\[compile\])?==([0-9.]+)", text))

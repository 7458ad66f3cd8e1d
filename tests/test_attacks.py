"""Hostile projects through the whole compile: what it says, what it leaves behind, and what it never touches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.manifest import Manifest
from assetbuild.release.verify import verify
from tests.conftest import Tree

TIMEOUT_S = 60


def command(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Return what `assetbuild` did."""
    return subprocess.run(
        [sys.executable, "-m", "assetbuild", *map(str, args)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def whole(output: Path) -> bool:
    """Return whether the output is what its manifest says."""
    return verify(str(output), RealDisk()).is_whole


def manifest_of(project: Path) -> Manifest:
    file = project / "build/assets/manifest.json"
    return Manifest(file.read_bytes(), str(file))


@pytest.mark.parametrize("writer", ["0-1", "99999999999999999999-1", "²-1", "-1", "x"])
def test_a_temporary_file_whose_writer_never_was_is_removed(tree: Tree, writer: str) -> None:
    project = tree({"assets/a.css": "a{b:c}", f"build/assets/{TEMP_MARK}{writer}": "torn"})

    done = command("compile", project)

    assert (0, True) == (done.returncode, whole(project / "build/assets"))
    assert {"manifest.json"} == {p.name for p in (project / "build/assets").iterdir() if "a-" not in p.name}


def test_a_control_character_of_latin_1_in_a_name_is_an_error_that_names_the_file(tree: Tree) -> None:
    done = command("compile", tree({"assets/a\x85b.png": ""}))

    assert 1 == done.returncode
    assert "error: `a<U+0085>b.png` holds a control character [bad-name]" == done.stderr.splitlines()[0]


def test_a_picture_that_boasts_of_its_size_has_none(tree: Tree) -> None:
    boast = '<svg xmlns="http://www.w3.org/2000/svg" width="99999999999999999999" height="3"/>'
    project = tree({"assets/boast.svg": boast, "assets/plain.svg": boast.replace("9" * 20, "7")})

    done = command("compile", project)

    assert 0 == done.returncode, done.stderr
    sizes = {name: manifest_of(project).asset(name) for name in ("boast.svg", "plain.svg")}
    assert {"boast.svg": (0, 0), "plain.svg": (7, 3)} == {n: (a.width, a.height) for n, a in sizes.items() if a}


def test_a_number_of_too_many_digits_in_the_configuration_is_one_error(tree: Tree) -> None:
    done = command("compile", tree({"assets/a.css": "", "assetbuild.toml": f"budgets = {'9' * 5000}"}))

    assert 2 == done.returncode
    assert "error: the file holds a number of too many digits [invalid-toml]" == done.stderr.splitlines()[0]

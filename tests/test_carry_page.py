"""The page on rolling deploys: its Dockerfile and its commands, run as they stand."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild.cli import main
from assetbuild.disk import RealDisk
from assetbuild.release.pack import pack
from assetbuild.release.verify import verify
from tests.conftest import need
from tests.dockerfile import needed_machine, parse
from tests.test_carry import ONE, TWO, build_of, manifest_of, output, path_of
from tests.test_docker import copied, fenced

PAGE = "docs/how-to/rolling-deploys.md"
OLD_CSS, NEW_CSS = (path_of("css/app.css", bodies["css/app.css"]) for bodies in (ONE, TWO))


def commands(marker: str) -> Iterator[list[str]]:
    """Yield the words of each command in the one block of the page that holds `marker`."""
    (block,) = (each for each in fenced(PAGE, "console") if marker in each)
    for line in re.findall(r"^\$ assetbuild (.*)$", block, re.MULTILINE):
        yield shlex.split(line)


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the archives of two releases; it is the current one."""
    for name, bodies in (("shop-41", ONE), ("shop-42", TWO)):
        pack(str(output(tmp_path / "made" / name, bodies)), str(tmp_path / f"{name}.tar"), RealDisk())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_whole(folder: Path) -> bool:
    return () == verify(str(folder), RealDisk()).diagnostics


def test_the_two_steps_give_two_outputs_that_hold_each_others_files(archives: Path) -> None:
    for words in commands("carry step"):
        assert 0 == main(words)

    step, following = archives / "step", archives / "next"
    assert [NEW_CSS, OLD_CSS] == [manifest_of(each)["assets"]["css/app.css"]["file"] for each in (following, step)]
    assert all((folder / path).exists() for folder in (step, following) for path in (OLD_CSS, NEW_CSS))
    assert is_whole(step)
    assert is_whole(following)


def test_a_folder_that_lives_on_holds_both_releases_until_it_is_cleaned(archives: Path) -> None:
    lives = output(archives / "srv/shop/build/assets", ONE)

    for words in commands("pack next"):
        assert 0 == main([word.replace("/srv", f"{archives}/srv") for word in words])

    assert is_whole(lives)
    assert NEW_CSS == manifest_of(lives)["assets"]["css/app.css"]["file"]
    assert (lives / OLD_CSS).exists()
    assert 0 == main(["clean", str(lives), "--keep", "0"])
    assert is_whole(lives)
    assert not (lives / OLD_CSS).exists()


def test_the_dockerfile_takes_the_files_of_the_previous_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("machine", "source", "wheels", "context/assets/css"):
        (tmp_path / name).mkdir(parents=True)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "wheels")]
    done = subprocess.run([*wheel, str(copied(tmp_path / "source"))], check=False, capture_output=True)
    need("a package index for pip", done.returncode == 0)
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    monkeypatch.setenv("PIP_NO_COMPILE", "1")  # to save time
    previous = output(tmp_path / "previous/app/build/assets", ONE)
    (tmp_path / "context/assets/css/app.css").write_text("a { color: blue }")
    (snippet,) = fenced(PAGE, "dockerfile")
    (arguments,) = (re.findall(r"--build-arg (\w+)=", each) for each in fenced(PAGE, "console") if "build-arg" in each)

    with needed_machine(tmp_path / "machine") as machine:
        stages = parse(snippet)
        images = machine.build(
            stages,
            tmp_path / "context",
            machine.base(wheels=tmp_path / "wheels"),
            contexts={"previous": tmp_path / "previous"},
            arguments=dict.fromkeys(arguments, "1700000000"),
        )
        made = machine.outside(images[stages[-1].name], "/app/build/assets")
        manifest = manifest_of(made)
        carried = (made / OLD_CSS).read_bytes()

    assert ONE["css/app.css"] == carried
    assert {build_of(previous): 1_700_000_000} == manifest["build"]["superseded"]
    assert ["css/app.css"] == [*manifest["assets"]]

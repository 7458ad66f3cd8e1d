"""Private folders: gone with their owner, or with the next run if it was killed; never one of a living process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assetbuild.ending import FOLDERS
from assetbuild.private import private_folder, private_prefix

OWNER = """
import sys
from assetbuild.private import private_folder
with private_folder() as folder:
    open(folder + "/half", "w").close()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files of this process and of those that it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def owner() -> tuple[subprocess.Popen[str], Path]:
    """Return a process that holds a private folder until its input ends, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_private_folder_is_there_for_its_owner_alone_and_gone_afterwards(temporary: Path) -> None:
    with private_folder() as folder:
        Path(folder, "a").touch()
        found = (os.listdir(temporary), Path(folder).stat().st_mode & 0o777, folder in FOLDERS)

    assert ([os.path.basename(folder)], 0o700, True) == found
    assert folder.startswith(private_prefix())
    assert ([], False) == (os.listdir(temporary), folder in FOLDERS)


def test_what_a_killed_process_has_left_is_swept_by_the_next(temporary: Path) -> None:
    killed, left = owner()
    killed.kill()
    killed.communicate()
    stayed = (left / "half").exists()

    with private_folder() as folder:
        found = os.listdir(temporary)

    assert (True, -signal.SIGKILL) == (stayed, killed.returncode)
    assert [os.path.basename(folder)] == found


def test_the_folder_of_a_living_process_is_left_alone() -> None:
    living, folder = owner()

    with private_folder():
        stayed = (folder / "half").exists()
    living.communicate()

    assert (True, False) == (stayed, folder.exists())


def test_nothing_is_swept_that_only_looks_alike(temporary: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    names = [
        "assetbuild-checkout",
        "assetbuild-private-file_123",
        "assetbuild-private-link_123",
        "assetbuild-private-notes",
    ]
    (temporary / names[0]).mkdir()
    (temporary / names[3]).mkdir()
    (temporary / names[1]).touch()
    (temporary / names[2]).symlink_to(outside)

    with private_folder():
        pass

    assert names == sorted(os.listdir(temporary))
    assert outside.exists()


def test_a_process_sweeps_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: str) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)

    for _ in range(3):
        with private_folder():
            pass

    assert 1 == listed.count(os.path.dirname(private_prefix()))


def test_a_folder_that_another_run_takes_for_a_dead_ones_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making a folder and locking it, nothing tells it from one whose owner was killed."""
    taken: list[str] = []
    make = tempfile.mkdtemp

    def made_and_swept(**named: str) -> str:
        folder = make(**named)
        if not taken:
            taken.append(folder)
            os.rmdir(folder)
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", made_and_swept)

    with private_folder() as folder:
        assert os.path.isdir(folder)
        assert [folder] != taken


def test_what_lies_deeper_than_calls_can_is_removed(temporary: Path) -> None:
    with private_folder() as folder:
        deepest = os.open(folder, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("long-name-of-a-folder", dir_fd=deepest)
            outer, deepest = deepest, os.open("long-name-of-a-folder", os.O_RDONLY, dir_fd=deepest)
            os.close(outer)
        os.close(os.open("file", os.O_CREAT, dir_fd=deepest))
        os.close(deepest)

    assert [] == os.listdir(temporary)


def test_what_nobody_may_enter_or_write_to_is_removed_and_what_a_link_leads_to_is_not(
    temporary: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "inside").mkdir(parents=True)

    with private_folder() as folder:
        Path(folder, "a/b").mkdir(parents=True)
        Path(folder, "a/b/link").symlink_to(elsewhere)
        Path(folder, "link").symlink_to(elsewhere)
        Path(folder, "a/b").chmod(0)
        Path(folder, "a").chmod(0o500)

    assert ([], ["inside"]) == (os.listdir(temporary), os.listdir(elsewhere))

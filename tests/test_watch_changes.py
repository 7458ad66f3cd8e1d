"""Where `watch` listens, and that it misses nothing when it listens elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assetbuild.watch.changes import Changes
from assetbuild.watch.folders import Standing, folders_of, standing_of


def standing(*folders: Path) -> dict[str, Standing]:
    return dict(standing_of(map(str, folders), ()))


def until(changes: Changes, file: Path) -> None:
    """Return when a change of `file` was told."""
    while str(file) not in changes.next():
        pass


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return two empty folders."""
    found = tmp_path / "a", tmp_path / "b"
    for folder in found:
        folder.mkdir()
    return found


def test_nothing_is_missed_while_other_folders_are_taken_over(folders: tuple[Path, Path]) -> None:
    first, second = folders
    with Changes() as changes:
        changes.watch(standing(first), ())
        assert frozenset() == changes.next()

        changes.watch(standing(first, second), ())
        (first / "x").write_text("1")
        until(changes, first / "x")

        (second / "y").write_text("1")
        until(changes, second / "y")


def test_a_folder_of_the_same_name_is_watched_again(folders: tuple[Path, Path]) -> None:
    """Its inode may be the same, too: file systems use them again at once."""
    first = folders[0]
    with Changes() as changes:
        changes.watch(standing(first, first.parent), ())
        changes.next()

        shutil.rmtree(first)
        first.mkdir()
        until(changes, first)
        changes.watch(standing(first, first.parent), ())
        while changes.next():
            pass

        (first / "x").write_text("1")
        until(changes, first / "x")


def test_what_we_write_ourselves_is_no_news(folders: tuple[Path, Path]) -> None:
    first, second = folders
    with Changes() as changes:
        changes.watch(standing(first, second), (f"{first}/",))
        changes.next()

        (first / "x").write_text("1")
        (second / "y").write_text("1")

        assert {str(second / "y")} == changes.next()


def test_a_folder_that_goes_before_it_is_watched_is_asked_for_again(folders: tuple[Path, Path]) -> None:
    first, second = folders
    wanted = standing(first, second)
    first.rmdir()
    with Changes() as changes:
        changes.watch(wanted, ())
        assert frozenset() == changes.next()

        changes.watch(standing(second), ())
        assert frozenset() == changes.next()
        (second / "y").write_text("1")
        until(changes, second / "y")


def test_leaving_in_the_middle_leaves_nobody_behind(folders: tuple[Path, Path]) -> None:
    before = threading.active_count()
    with Changes() as changes:
        for number in range(4):
            (folders[0] / str(number)).mkdir()
            changes.watch(standing(*folders, *folders[0].iterdir()), ())

    assert before == threading.active_count()


REFUSED = """
import os, resource
from assetbuild.watch.changes import Changes, Unwatchable
from assetbuild.watch.folders import standing_of

with Changes() as changes:
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    changes.watch(standing_of(["/"], ()), ())
    try:
        changes.next()
    except Unwatchable as error:
        print(error, "/", error.hint)
"""


def test_a_system_that_tells_of_no_changes_is_named_as_the_reason() -> None:
    """Here it has no descriptor left for another listener; the limit of watched folders cannot be lowered by a test."""
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True, timeout=30)

    assert "changes cannot be watched: " in done.stdout
    assert "fs.inotify.max_user_*" in done.stdout


def test_a_build_is_watched_where_it_read_listed_and_looked_in_vain(tmp_path: Path) -> None:
    (tmp_path / "root/css").mkdir(parents=True)
    (tmp_path / "packages/one").mkdir(parents=True)
    here = str(tmp_path)

    found = folders_of(
        files=[f"{here}/packages/one/index.js"],
        listed=[f"{here}/root", f"{here}/root/css"],
        absent=[f"{here}/root/css/_a.scss", f"{here}/other/deep/a.js"],
    )

    assert {here, f"{here}/root", f"{here}/root/css", f"{here}/packages/one"} == found


def test_what_is_ours_or_gone_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "build/assets/css").mkdir(parents=True)
    names = [str(tmp_path), f"{tmp_path}/gone", f"{tmp_path}/build/assets", f"{tmp_path}/build/assets/css"]

    found = standing_of(names, (f"{tmp_path}/build/assets/",))

    assert {str(tmp_path): (os.stat(tmp_path).st_dev, os.stat(tmp_path).st_ino)} == found

"""Any call of the disk may fail, once or from then on, or be the last one: the shortened form of the campaign."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from assetbuild.disk import RealDisk
from assetbuild.noting import standing_at
from tests.faults.builds import files_in
from tests.faults.shim import DEATH, SHORT, Plan, run_tampered, strike, strikes, tampered
from tests.faults.stage import Stage
from tests.faults.verdict import tally


@pytest.mark.parametrize(
    ("what", "is_lasting", "start"),
    [
        ("EIO", False, 1),
        ("ENOSPC", True, 3),
        ("EACCES", False, 5),
        ("EMFILE", True, 7),
        (DEATH, False, 9),
        (SHORT, True, 1),
    ],
)
def test_whatever_fails_the_output_is_whole_and_a_plain_rerun_heals(
    small: Stage, what: str, is_lasting: bool, start: int
) -> None:
    total = tally(strikes(small, what, is_lasting=is_lasting, start=start, step=13))

    assert () == total.wrongs
    assert total.points == total.fired == total.old + total.new > 1


def test_a_link_that_cannot_be_looked_at_is_an_error_and_not_a_link_to_nowhere(plain: Stage) -> None:
    seen: list[tuple[str, object]] = []
    plain.reset()
    run_tampered(plain.run(), note=lambda name, args, _: seen.append((name, args[0])))
    looks = [n for n, call in enumerate(seen, 1) if call == ("stat", str(plain.project / "assets/img/same.png"))]

    fates = [strike(plain, Plan(number, "EIO")) for number in looks]

    assert fates
    assert () == tally(fates).wrongs


def test_a_folder_is_not_absent_because_the_disk_cannot_say(tmp_path: Path) -> None:
    with tampered(tmp_path, Plan(1, "EIO", is_lasting=True)):
        for ask in (RealDisk().is_folder, RealDisk().is_file, RealDisk().make_folder):
            with pytest.raises(OSError, match="Input/output error"):
                ask(str(tmp_path / "a/b"))


def test_a_reading_that_ends_early_prints_nothing_when_its_file_cannot_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)

    with tampered(tmp_path) as calls:
        next(RealDisk().parts(str(tmp_path / "a")))
    with tampered(tmp_path, Plan(len(calls.called), "EIO")) as failing:
        next(RealDisk().parts(str(tmp_path / "a")))

    assert (["close"], []) == (failing.fired, printed)


def test_making_a_folder_ends_when_no_folder_can_be_looked_at() -> None:
    with tampered(Path("/"), Plan(1, "EIO", is_lasting=True)), pytest.raises(OSError, match="Input/output error"):
        RealDisk().make_folder("/a/b")


def test_what_cannot_be_looked_at_is_neither_something_nor_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")

    with tampered(tmp_path, Plan(1, "EIO", is_lasting=True)):
        seen = standing_at(str(tmp_path / "a"))

    assert [f"unseen {errno.EIO}", "file", ""] == [
        seen,
        standing_at(str(tmp_path / "a")),
        standing_at(str(tmp_path / "b")),
    ]


def test_a_command_that_finds_no_descriptor_left_says_so_in_one_line(small: Stage) -> None:
    with tampered(Path(os.devnull), Plan(1, "EMFILE")):
        ended, _ = run_tampered(small.run())

    assert (2, f"error: too many open files: `{os.devnull}`\n") == (ended.code, ended.text)


def test_what_a_failed_sync_leaves_in_doubt_is_taken_back(small: Stage) -> None:
    """The kernel may call pages clean that never reached the disk, and a re-run would read them from memory."""
    small.reset()
    _, calls = run_tampered(small.run())
    small.reset()

    ended, failing = run_tampered(small.run(), Plan(calls.called.index("syncfs") + 1, "EIO"))

    assert (["syncfs"], 2) == (failing.fired, ended.code)
    assert small.old.files == files_in(small.output)

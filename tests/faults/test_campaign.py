"""The campaign in its shortened form: processes that die, disks that are full, power that goes, and company."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from assetbuild.manifest import dump
from tests.faults.builds import Build, Read, build_of, standing
from tests.faults.crowd import crowd
from tests.faults.forge import Ended
from tests.faults.kills import kills
from tests.faults.peers import row
from tests.faults.power import Operation, lost, recorded, states
from tests.faults.stage import Stage
from tests.faults.traced import KILL, Fault, calls_of, faults, strike
from tests.faults.verdict import fate_of, tally

REPOSITORY = Path(__file__).parents[2]


def changed(build: Build, path: str, body: bytes) -> dict[str, bytes]:
    return {**build.files, path: body}


def thinned(manifest: bytes) -> bytes:
    """Return the manifest without its Brotli variants."""
    document = json.loads(manifest)
    for entry in document["files"].values():
        entry.get("enc", {}).pop("br", None)
    return dump(document)


def after(operations: Sequence[Operation]) -> set[tuple[tuple[str, bytes], ...]]:
    """Return what may be there when the power goes after all of them."""
    found = [files for done, files in states({}, operations, 40) if done == len(operations)]
    return {tuple(sorted(files.items())) for files in found}


def below(files: Mapping[str, bytes], folder: str) -> Read:
    return lambda path: files.get(folder + path)


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("call", ["rename", "write", "fsync"])
def test_a_compile_that_is_killed_or_fails_at_a_call_of_the_system_leaves_a_whole_build(
    plain: Stage, call: str
) -> None:
    plain.reset()
    calls = calls_of(plain.forge, plain.run())
    chosen = [fault for fault in faults({call: calls[call]}, step=9) if fault.what in (KILL, "ENOSPC")]

    total = tally(strike(plain, fault) for fault in chosen)

    assert () == total.wrongs
    assert len(chosen) == total.fired == total.old + total.new > 0


@pytest.mark.usefixtures("strace")
def test_a_call_that_is_interrupted_is_made_again(plain: Stage) -> None:
    fates = [strike(plain, Fault(call, "EINTR", 3)) for call in ("read", "write")]

    assert (2, 2, ()) == (tally(fates).fired, tally(fates).new, tally(fates).wrongs)


@pytest.mark.usefixtures("strace")
def test_a_file_that_cannot_be_closed_is_named(plain: Stage) -> None:
    fates = [strike(plain, Fault("close", "EIO", number)) for number in (1, 71, 141)]

    assert () == tally(fates).wrongs


@pytest.mark.usefixtures("strace")
def test_engines_that_cannot_be_read_or_die_end_the_build_in_words(engines: Stage) -> None:
    fates = [strike(engines, fault, is_ours=False) for fault in (Fault("read", "EIO", 1), Fault("execve", KILL, 1))]

    assert () == tally(fates).wrongs
    assert [(True, "old"), (True, "old")] == [(fate.has_fired, fate.standing) for fate in fates]


def test_a_group_that_is_killed_at_any_moment_leaves_a_whole_build(plain: Stage) -> None:
    total = tally(kills(plain, 12))

    assert () == total.wrongs
    assert 0 < total.fired <= total.points == total.old + total.new


def test_no_loss_of_what_was_not_synced_spoils_a_build(small: Stage) -> None:
    total = tally(lost(small, 40, healed_every=97))

    assert () == total.wrongs
    assert total.points == total.old + total.new


@pytest.mark.usefixtures("strace")
def test_variants_of_another_level_take_the_place_of_the_old_ones_and_no_moment_is_torn(levels: Stage) -> None:
    levels.reset()
    calls = calls_of(levels.forge, levels.run())
    chosen = [Fault(call, KILL, n) for call in ("rename", "syncfs", "fsync") for n in range(1, calls[call] + 1)]

    total = tally(strike(levels, fault) for fault in chosen)

    assert () == total.wrongs
    assert len(chosen) == total.fired == total.old + total.thin + total.new
    assert min(total.old, total.thin, total.new) > 0


def test_no_loss_of_power_spoils_a_build_whose_variants_were_replaced(levels: Stage) -> None:
    total = tally(lost(levels, 20, healed_every=97))

    assert () == total.wrongs
    assert min(total.old, total.thin, total.new) > 0


def test_a_build_whose_files_are_not_synced_before_their_manifest_is_torn_by_a_power_cut(small: Stage) -> None:
    """The simulator sees what it is there for."""
    loose = [each for each in recorded(small) if each.kind != "sync all"]
    inside = f"{small.output.relative_to(small.run().folder)}/"
    before = {inside + path: body for path, body in small.old.files.items()}

    found = {standing(below(files, inside), small.old, small.new) for _, files in states(before, loose, 20)}

    assert {"old", "new", "torn"} == found


def test_a_name_is_sure_only_after_its_folder_was_synced() -> None:
    written = [Operation("create", "d/t", 1), Operation("write", "", 1, b"body"), Operation("sync", "", 1)]
    named = [*written, Operation("link", "d/a", old_path="d/t")]

    assert {(), (("d/a", b"body"),), (("d/t", b"body"),)} == after(named)
    assert {(("d/a", b"body"),)} == after([*named, Operation("sync folder", "d")])


@pytest.mark.usefixtures("mounts")
def test_a_full_and_a_read_only_disk_keep_the_old_build() -> None:
    command = [sys.executable, "-m", "tests.faults", "space"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert ["full disk", "read-only"] == [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert "fired 0" not in done.stdout


def test_compiles_at_once_share_an_output_and_a_cache(plain: Stage) -> None:
    rounds = list(crowd(plain, 4))

    assert () == tally(fate for fate, _ in rounds).wrongs
    assert all(seen.keys() <= {"old", "new"} and seen.total() > 0 for _, seen in rounds)


@pytest.mark.usefixtures("strace")
def test_the_harness_finds_torn_files_where_there_are_some(tmp_path: Path) -> None:
    found = row("Django collectstatic", KILL, tmp_path, limit=2)

    assert (2, 2, 2) == (found.points, found.torn, found.wrong)


def test_a_build_is_judged_by_its_own_bytes(plain: Stage) -> None:
    old, new = plain.old, plain.new
    name = next(path for path in new.promised if path.endswith(".css"))
    other = build_of(new.files)

    assert "new" == standing(new.files.get, old, new)
    assert "old" == standing({**new.files, **old.files}.get, old, new)
    assert "torn" == standing(changed(new, name, b"").get, old, new)
    assert "torn" == standing(changed(new, "manifest.json", b"{}").get, old, new)
    assert "torn" == standing(below({}, ""), old, new)
    assert "mixed" == standing(other.files.get, old, old)
    assert "thin" == standing(changed(new, "manifest.json", thinned(new.manifest)).get, old, new)
    assert "mixed" == standing(changed(new, "manifest.json", thinned(new.manifest)).get, old, old)
    assert "torn" == standing(changed(other, name, b"").get, old, old)


def test_a_run_that_says_too_little_is_held_against_it(plain: Stage) -> None:
    plain.reset()
    silent = fate_of(plain, "fault", Ended(2, "error: it failed\n"), has_fired=True, reason="No space left on device")
    nameless = fate_of(
        plain, "fault", Ended(2, "error: input/output error\n"), has_fired=True, reason="Input/output error"
    )
    lying = fate_of(plain, "fault", Ended(0, ""), has_fired=True)
    plain.reset()
    lying_first = fate_of(plain, "fault", Ended(0, "Traceback (most recent call last):\n"), has_fired=True)

    assert ("does not say `No space left on device`: 'error: it failed\\n'",) == silent.wrongs
    assert ("names no file: 'error: input/output error\\n'",) == nameless.wrongs
    assert () == lying.wrongs
    assert ("exit 0 and the output is old", "traceback") == lying_first.wrongs

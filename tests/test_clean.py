"""Clean: what no kept release names goes, whatever nobody knows stays, and the output serves all the while."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from assetbuild.cli import main
from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.manifest import ManifestError, hash_name
from assetbuild.release.clean import Cleaned, clean
from assetbuild.release.lineage import Limits
from tests.conftest import need
from tests.manifests import Document, file_entry, published, write
from tests.test_carry import (
    DAY_S,
    NO_LIMITS,
    ONE,
    ROBOTS,
    THREE,
    TWO,
    build_of,
    carried,
    deaths,
    killed_at,
    manifest_of,
    output,
    path_of,
    rules,
    snapshot,
)

OLD_CSS = path_of("css/app.css", ONE["css/app.css"])


def cleaned(folder: Path, limits: Limits = NO_LIMITS, **flags: bool) -> Cleaned:
    return clean(str(folder), RealDisk(), limits, **flags)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An output that carries two releases; they were superseded at the first and the ninth day."""
    two = output(tmp_path / "two", TWO)
    carried(two, output(tmp_path / "one", ONE), limits=Limits(now_s=DAY_S))
    site = output(tmp_path / "site", THREE)
    carried(site, two, limits=Limits(now_s=9 * DAY_S))
    return site


def test_an_output_of_which_every_file_is_named_is_left_as_it_is(site: Path) -> None:
    before = snapshot(site)

    done = cleaned(site)

    assert ((), ()) == (done.removed, done.unknown)
    assert before == snapshot(site)


def test_what_earlier_compiles_left_in_the_folder_goes_and_verify_is_content(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    for bodies in (ONE, THREE, TWO):
        output(folder, bodies)
    assert {"unlisted-file"} == set(rules(folder))

    done = cleaned(folder)

    assert [] == rules(folder)
    assert {OLD_CSS, f"{OLD_CSS}.gz"} < {*done.removed}
    assert snapshot(output(tmp_path / "fresh", TWO)) == snapshot(folder)


def test_the_salt_of_the_build_is_part_of_the_proof(tmp_path: Path) -> None:
    write(tmp_path, published(tmp_path, {"a.css": b"old{}"}, salt="pepper"))
    write(tmp_path, published(tmp_path, {"a.css": b"new{}"}, salt="pepper"))

    done = cleaned(tmp_path)

    old = f"a-{hash_name('pepper', b'old{}')}.css"
    assert (old, f"{old}.gz") == done.removed


def test_releases_are_kept_by_number(site: Path) -> None:
    two, one = manifest_of(site)["build"]["previous"]

    done = cleaned(site, Limits(keep=1))

    assert [two] == manifest_of(site)["build"]["previous"]
    assert {OLD_CSS, f"{OLD_CSS}.gz"} < {*done.removed}
    assert not (site / OLD_CSS).exists()
    assert one not in (site / "manifest.json").read_text()
    assert [] == rules(site)


def test_days_count_from_when_a_release_was_superseded_and_not_from_when_a_file_was_made(site: Path) -> None:
    two, one = manifest_of(site)["build"]["previous"]
    for file in site.rglob("*"):
        os.utime(file, (0, 0))

    cleaned(site, Limits(days=14, now_s=15 * DAY_S))
    assert [two, one] == manifest_of(site)["build"]["previous"]
    cleaned(site, Limits(days=14, now_s=15 * DAY_S + 1))
    assert [two] == manifest_of(site)["build"]["previous"]
    cleaned(site, Limits(days=14, now_s=24 * DAY_S))

    assert [] == rules(site)
    assert "previous" not in manifest_of(site)["build"]
    assert snapshot(output(site.parent / "fresh", THREE)) == snapshot(site)


def test_a_release_of_which_nobody_told_is_kept_and_counts_from_now_on(tmp_path: Path) -> None:
    site = output(tmp_path / "site", TWO)
    carried(site, output(tmp_path / "one", ONE))

    cleaned(site, Limits(days=14, now_s=DAY_S))
    assert [DAY_S] == [*manifest_of(site)["build"]["superseded"].values()]
    cleaned(site, Limits(days=14, now_s=16 * DAY_S))

    assert "previous" not in manifest_of(site)["build"]
    assert [] == rules(site)


def test_an_unknown_file_stays_unless_it_is_asked_for(site: Path) -> None:
    named_like_ours = f"css/app-{'a' * 10}.css"
    for path in (named_like_ours, "notes.txt", f"css/lonely-{hash_name('', b'')}.css.br"):
        (site / path).write_bytes(b"mine")
    (site / "link").symlink_to("/etc/hosts")
    unknown = tuple(sorted([named_like_ours, "notes.txt", "link", f"css/lonely-{hash_name('', b'')}.css.br"]))

    first = cleaned(site)
    assert ((), unknown) == (first.removed, first.unknown)
    second = cleaned(site, with_unknown=True)

    assert (unknown, ()) == (second.removed, second.unknown)
    assert [] == rules(site)


def test_a_hidden_map_goes_with_the_file_that_it_is_of(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    for bodies in (ONE, TWO):
        output(folder, bodies)
    hidden = tmp_path / "site-maps"
    kept, lonely = path_of("css/app.css", TWO["css/app.css"]), f"js/old-{'a' * 10}.js"
    for path in (OLD_CSS, kept, lonely):
        (hidden / f"{path}.map").parent.mkdir(parents=True, exist_ok=True)
        (hidden / f"{path}.map").write_bytes(b"{}")

    dry = cleaned(folder, is_dry=True)
    done = cleaned(folder)

    assert dry == done
    assert f"../site-maps/{OLD_CSS}.map" in done.removed
    assert (f"../site-maps/{lonely}.map",) == done.unknown
    assert {f"{kept}.map", f"{lonely}.map"} == snapshot(hidden).keys()
    assert (f"../site-maps/{lonely}.map",) == cleaned(folder, with_unknown=True).removed


def test_a_folder_of_hidden_maps_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    for bodies in (ONE, TWO):
        output(folder, bodies)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "css").mkdir(parents=True)
    (elsewhere / f"{OLD_CSS}.map").write_bytes(b"{}")
    (tmp_path / "site-maps").symlink_to(elsewhere)

    cleaned(folder, with_unknown=True)

    assert [f"{OLD_CSS}.map"] == [*snapshot(elsewhere)]


def test_a_folder_behind_a_link_is_not_entered(site: Path, tmp_path: Path) -> None:
    other = output(tmp_path / "other", ONE)
    before = snapshot(other)
    (site / "more").symlink_to(other)

    done = cleaned(site, with_unknown=True)

    assert ("more",) == done.removed
    assert before == snapshot(other)


def test_a_file_of_a_cycle_is_unknown_once_no_manifest_names_it(tmp_path: Path) -> None:
    folder = output(tmp_path / "site", TWO)
    path = f"a-{hash_name('', bytes(32), b'a.js')}.js"
    (folder / path).write_bytes(b"import './b.js'")

    assert (path,) == cleaned(folder).unknown


def test_a_dry_run_says_the_same_and_changes_nothing(site: Path) -> None:
    (site / "notes.txt").write_bytes(b"mine")
    before = snapshot(site)

    said = cleaned(site, Limits(keep=0), with_unknown=True, is_dry=True)

    assert before == snapshot(site)
    assert cleaned(site, Limits(keep=0), with_unknown=True) == said


def test_what_a_dead_writer_left_goes_and_what_a_living_one_writes_stays(site: Path) -> None:
    dead, living = site / f"{TEMP_MARK}999999999-1", site / f"{TEMP_MARK}{os.getppid()}-1"
    dead.write_bytes(b"half")
    living.write_bytes(b"half")

    cleaned(site, with_unknown=True)

    assert [False, True] == [dead.exists(), living.exists()]


def test_a_manifest_that_cannot_be_believed_removes_nothing(site: Path) -> None:
    file = site / "manifest.json"
    file.write_bytes(file.read_bytes().replace(b"/static/", b"/public/"))
    before = snapshot(site)

    with pytest.raises(ManifestError, match="was changed or cut after it was written"):
        cleaned(site, with_unknown=True)

    assert before == snapshot(site)


def test_a_folder_without_a_manifest_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(ManifestError):
        cleaned(tmp_path, with_unknown=True)

    assert (tmp_path / "mine.txt").exists()


def test_whenever_it_dies_all_that_the_manifest_names_is_there_and_the_next_run_ends_it(site: Path) -> None:
    wanted = {path: body for path, body in snapshot(site).items() if path != "manifest.json"}
    own = {path for path, entry in manifest_of(site)["files"].items() if "build" not in entry}
    count = 0

    for _ in deaths(lambda disk: clean(str(site), disk, Limits(keep=0))):
        count += 1
        named: Document = manifest_of(site)["files"]
        assert all(wanted[path] == (site / path).read_bytes() for path in named)
        assert own <= named.keys()

    assert count > 4
    assert [] == rules(site)
    assert snapshot(output(site.parent / "fresh", THREE)) == snapshot(site)


@pytest.mark.parametrize(("call", "when"), [("rename", 1), ("unlink", 1), ("unlink", 5)])
def test_killed_as_a_process_it_leaves_a_whole_output_and_the_next_run_ends_it(
    site: Path, call: str, when: int
) -> None:
    need("strace", shutil.which("strace") is not None)

    killed_at(call, when, "clean", str(site), "--keep", "0")

    assert {"unlisted-file", "temporary-file"} >= set(rules(site))
    cleaned(site, Limits(keep=0))
    assert snapshot(output(site.parent / "fresh", THREE)) == snapshot(site)


def test_a_file_that_is_named_with_another_hash_is_not_taken_for_an_earlier_one(site: Path) -> None:
    made = manifest_of(site)
    foreign = "css/foreign-bbbbbbbbbb.css"
    made["files"][foreign] = file_entry(b"x{}", build=made["build"]["previous"][0])
    (site / foreign).write_bytes(b"x{}")
    write(site, made)

    assert () == cleaned(site).removed
    assert foreign in cleaned(site, Limits(keep=0)).removed


class TestTheCommand:
    def test_a_dry_run_lists_every_file(self, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (site / "notes.txt").write_bytes(b"mine")
        removed = cleaned(site, Limits(keep=1), is_dry=True).removed

        assert 0 == main(["clean", str(site), "--keep", "1", "--dry-run"])

        lines = "".join(f"would remove {path}\n" for path in removed)
        size_bytes = sum((site / path).stat().st_size for path in removed)
        assert (
            "warning: `notes.txt` belongs to no release that is known, and stays [unknown-file]\n"
            "  notes.txt\n"
            "  `assetbuild clean --unknown` removes it\n"
            "\n"
            "1 warning\n"
            f"{lines}would remove 6 files from {site}  {size_bytes} B  in T\n"
        ) == re.sub(r"in [0-9.]+ m?s\b", "in T", capsys.readouterr().err)

    def test_without_a_time_days_count_from_the_clock(self, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main(["clean", str(site), "--days", "14", "--json"])

        document = json.loads(capsys.readouterr().out)
        assert (True, str(site), build_of(site), []) == tuple(
            document[key] for key in ("ok", "output", "build", "releases")
        )
        assert 8 == len(document["removed"])
        assert ROBOTS not in document["removed"]

    def test_a_time_that_was_told_wins(self, site: Path) -> None:
        before = snapshot(site)

        assert 0 == main(["clean", str(site), "--days", "14", "--now", str(10 * DAY_S)])

        assert before == snapshot(site)

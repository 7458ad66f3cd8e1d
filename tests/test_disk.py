"""Disk: complete bytes or nothing, errors that surface, no trace of a dead writer."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest

from assetbuild.disk import TEMP_MARK, NotRegular, RealDisk


def names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_file_is_written_once_and_then_believed(tmp_path: Path) -> None:
    disk = RealDisk()

    assert disk.write(str(tmp_path), "css/a.css", b"one")
    before = (tmp_path / "css/a.css").stat()
    assert not disk.write(str(tmp_path), "css/a.css", b"one")

    assert before == (tmp_path / "css/a.css").stat()
    assert ["css/a.css"] == names(tmp_path)


@pytest.mark.parametrize("torn", [b"", b"on", b"onE", b"one more"])
def test_an_existing_name_is_believed_only_after_its_bytes_match(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "a.css").write_bytes(torn)

    assert RealDisk().write(str(tmp_path), "a.css", b"one")

    assert b"one" == (tmp_path / "a.css").read_bytes()


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        RealDisk().write(str(tmp_path), "new/a.css", b"one")
    finally:
        os.umask(previous)

    assert 0o644 == stat.S_IMODE((tmp_path / "new/a.css").stat().st_mode)
    assert 0o755 == stat.S_IMODE((tmp_path / "new").stat().st_mode)


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"one")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.css").symlink_to(outside)

    assert RealDisk().write(str(tmp_path / "out"), "a.css", b"one")

    assert not (tmp_path / "out/a.css").is_symlink()


def test_an_error_while_writing_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a.css").mkdir()

    with pytest.raises(OSError, match="directory"):
        RealDisk().write(str(tmp_path), "a.css", b"one")

    assert [] == names(tmp_path)


def test_a_copy_appears_only_under_the_digest_that_was_promised(tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    disk = RealDisk()

    assert (True, digest) == disk.copy(str(source), str(tmp_path / "out"), "a.bin", 3_000_000, digest)
    assert (False, digest) == disk.copy(str(source), str(tmp_path / "out"), "a.bin", 3_000_000, digest)
    disk.copy(str(source), str(tmp_path / "out"), "b.bin", 3_000_000, "0" * 64)

    assert ["a.bin"] == names(tmp_path / "out")


def test_a_fifo_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(NotRegular):
        RealDisk().read(str(tmp_path / "fifo"))


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RealDisk().scan(str(tmp_path / "absent"))


def test_scan_tells_links_from_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"12")
    (tmp_path / "c").symlink_to("b")
    os.mkfifo(tmp_path / "d")

    found = RealDisk().scan(str(tmp_path))

    assert [("a", "file"), ("b", "folder"), ("c", "link"), ("d", "other")] == [(f.name, f.kind) for f in found]


def test_digests_are_one_pass_over_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes")

    found = RealDisk().digests(str(tmp_path / "a"), b"salt")

    assert (5, hashlib.sha256(b"bytes").digest()) == (found.size, found.sha256)
    assert hashlib.sha384(b"bytes").digest() == found.sha384
    assert hashlib.sha256(b"saltbytes").digest() == found.salted


@pytest.mark.parametrize(("size", "is_kept"), [(0, True), (10, True), (11, False), (3 << 20, False)])
def test_few_bytes_are_kept_and_many_are_not(tmp_path: Path, size: int, is_kept: bool) -> None:
    (tmp_path / "a").write_bytes(b"x" * size)

    found = RealDisk().digests(str(tmp_path / "a"), b"", 10)

    assert (size, hashlib.sha256(b"x" * size).digest()) == (found.size, found.sha256)
    assert (b"x" * size if is_kept else None) == found.body


def test_sweep_removes_temporary_files_of_dead_writers_only(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as writer:
        dead, alive = f"{TEMP_MARK}4194304-1", f"{TEMP_MARK}{writer.pid}-1"
        for name in (f"css/{dead}", alive, "kept.css"):
            (tmp_path / name).write_bytes(b"")

        assert 1 == RealDisk().sweep(str(tmp_path))

    assert 0 == writer.returncode
    assert sorted([alive, "kept.css"]) == names(tmp_path)


def test_two_writers_take_turns(tmp_path: Path) -> None:
    import fcntl

    with RealDisk().lock(str(tmp_path)) as is_held:
        other = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)

    assert is_held
    assert [] == names(tmp_path)


def test_commit_makes_the_name_durable(tmp_path: Path) -> None:
    disk = RealDisk()

    assert disk.commit(str(tmp_path), "manifest.json", b"{}")
    assert not disk.commit(str(tmp_path), "manifest.json", b"{}")
    disk.sync(str(tmp_path))

    assert b"{}" == (tmp_path / "manifest.json").read_bytes()


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_every_file_of_a_locked_folder_has_its_mode(tmp_path: Path, umask: int) -> None:
    disk, previous = RealDisk(), os.umask(umask)
    try:
        with disk.lock(str(tmp_path)):
            for name in ("a/b/one.css", "a/b/two.css", "a/three.css"):
                disk.write(str(tmp_path), name, b"x")
    finally:
        os.umask(previous)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*")}
    assert {0o644, 0o755} == modes


def test_in_a_locked_folder_what_is_there_is_believed_and_what_is_torn_is_mended(tmp_path: Path) -> None:
    disk, folder = RealDisk(), str(tmp_path)
    disk.write(folder, "css/whole.css", b"whole")
    disk.write(folder, "css/torn.css", b"torn")
    (tmp_path / "css/torn.css").write_bytes(b"t")

    with disk.lock(folder):
        disk.sweep(folder)
        written = [disk.write(folder, f"css/{name}.css", name.encode()) for name in ("whole", "torn", "new", "new")]

    assert [False, True, True, False] == written
    assert b"torn" == (tmp_path / "css/torn.css").read_bytes()


def test_in_a_locked_folder_a_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/css").symlink_to(tmp_path / "elsewhere")
    disk = RealDisk()

    with disk.lock(str(tmp_path / "out")):
        disk.sweep(str(tmp_path / "out"))
        with pytest.raises(NotADirectoryError, match="is a link"):
            disk.write(str(tmp_path / "out"), "css/a.css", b"x")

    assert [] == list((tmp_path / "elsewhere").iterdir())

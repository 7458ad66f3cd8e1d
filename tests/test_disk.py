"""Disk: complete bytes or nothing, errors that surface, no trace of a dead writer."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assetbuild.disk import TEMP_MARK, Found, Measured, NotRegular, RealDisk, Small, mode_at, place_of_file


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


@pytest.mark.parametrize(("umask", "expected"), [(0o022, [0o644]), (0o077, [0o644] * 3)])
def test_modes_are_set_where_the_umask_takes_some_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int, expected: list[int]
) -> None:
    fchmod, modes = os.fchmod, list[int]()

    def counted(descriptor: int, mode: int) -> None:
        modes.append(mode)
        fchmod(descriptor, mode)

    monkeypatch.setattr("os.fchmod", counted)
    disk, previous = RealDisk(), os.umask(umask)

    try:
        for name in "abc":
            disk.write(str(tmp_path), name, b"x")
    finally:
        os.umask(previous)

    assert expected == modes


def test_a_file_that_others_may_not_read_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_bytes(b"one")
    (tmp_path / "a.css").chmod(0o600)

    assert RealDisk().write(str(tmp_path), "a.css", b"one")

    assert 0o644 == stat.S_IMODE((tmp_path / "a.css").stat().st_mode)


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


def test_bytes_are_kept_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert RealDisk().digests(written(tmp_path / "a", b"x"), b"").body is None


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
        with pytest.raises(NotADirectoryError, match=r"\] is a link and not a folder: ") as caught:
            disk.write(str(tmp_path / "out"), "css/a.css", b"x")

    assert (errno.ENOTDIR, str(tmp_path / "out/css")) == (caught.value.errno, caught.value.filename)

    assert [] == list((tmp_path / "elsewhere").iterdir())


def folder_of_each_kind(folder: Path) -> None:
    """Make one entry of each kind in a folder, among them names that sort otherwise as text than as bytes."""
    (folder / "b").mkdir()
    for name, body in (("a.css", b"four"), (os.fsdecode(b"\xff"), b""), ("\uffee", b"")):
        (folder / name).write_bytes(body)
    (folder / "link").symlink_to("b")
    os.mkfifo(folder / "pipe")


def test_a_folder_is_listed_in_the_order_of_bytes_with_the_kind_of_each_entry(tmp_path: Path) -> None:
    folder_of_each_kind(tmp_path)

    assert [
        Found("a.css", "file"),
        Found("b", "folder"),
        Found("link", "link"),
        Found("pipe", "other"),
        Found("\uffee", "file"),
        Found("\udcff", "file"),
    ] == RealDisk().scan(str(tmp_path))


def test_a_folder_is_measured_without_following_links(tmp_path: Path) -> None:
    folder_of_each_kind(tmp_path)
    os.utime(tmp_path / "a.css", ns=(1, 2_000_000_003))
    (tmp_path / "a.css").chmod(0o4600)

    found = RealDisk().measure(str(tmp_path))

    assert RealDisk().scan(str(tmp_path)) == [Found(each.name, each.kind) for each in found]
    assert Measured("a.css", "file", 4, 2_000_000_003, 0o4600) == found[0]
    assert os.lstat(tmp_path / "link").st_size == next(each.size for each in found if each.name == "link")


@pytest.mark.parametrize("look", [RealDisk.scan, RealDisk.measure])
def test_a_folder_that_cannot_be_listed_is_no_empty_one(
    tmp_path: Path, look: Callable[[RealDisk, str], object]
) -> None:
    with pytest.raises(FileNotFoundError):
        look(RealDisk(), str(tmp_path / "gone"))


class Noting(RealDisk):
    """A disk that writes down what it hears of files."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, str]] = []

    def _saw(self, file: str, status: os.stat_result, noted_ns: int, sha256_hex: str) -> None:
        assert abs(time.time_ns() - noted_ns) < 60 * 10**9
        self.seen.append((file, status.st_size, sha256_hex))


@pytest.mark.parametrize("body", [b"", b"four"])
def test_a_small_file_is_read_with_its_digest(tmp_path: Path, body: bytes) -> None:
    disk, file = Noting(), str(tmp_path / "a")
    (tmp_path / "a").write_bytes(body)

    sha256_hex = hashlib.sha256(body).hexdigest()
    assert Small(body, sha256_hex) == disk.small(file, 4) == RealDisk().small(file, 4)
    assert [(file, len(body), sha256_hex)] == disk.seen


def test_a_file_above_the_limit_and_a_link_are_not_small(tmp_path: Path) -> None:
    disk = Noting()
    (tmp_path / "a").write_bytes(b"four")
    (tmp_path / "link").symlink_to("a")

    assert disk.small(str(tmp_path / "a"), 3) is None
    assert disk.small(str(tmp_path / "link"), 9) is None
    assert [] == disk.seen


def test_a_small_file_that_is_absent_or_not_regular_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(FileNotFoundError):
        RealDisk().small(str(tmp_path / "gone"), 9)
    for read in (lambda file: RealDisk().small(file, 9), RealDisk().read):
        with pytest.raises(NotRegular) as caught:
            read(str(tmp_path / "pipe"))
        fields = (caught.value.errno, caught.value.strerror, caught.value.filename)
        assert (errno.EINVAL, "not a regular file", str(tmp_path / "pipe")) == fields


def test_a_file_is_read_in_bounded_parts_and_asked_for_its_end_at_most_once(tmp_path: Path) -> None:
    body = os.urandom(2_500_000)
    (tmp_path / "a").write_bytes(body)

    parts = list(RealDisk().parts(str(tmp_path / "a")))

    assert body == b"".join(parts) == RealDisk().read(str(tmp_path / "a"))
    assert [1 << 20, 1 << 20, 2_500_000 - (2 << 20)] == [len(part) for part in parts]
    assert [b"x"] == list(RealDisk().parts(written(tmp_path / "b", b"x")))


def written(file: Path, body: bytes) -> str:
    file.write_bytes(body)
    return str(file)


@pytest.mark.parametrize(
    ("size", "calls"), [(0, 1), (1, 1), ((1 << 20) - 1, 1), (1 << 20, 2), ((1 << 20) + 1, 2), (2_500_000, 3)]
)
def test_no_call_is_spent_on_an_end_that_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, calls: int
) -> None:
    file, read, asked = written(tmp_path / "a", b"x" * size), os.read, list[int]()

    def counted(descriptor: int, wanted: int) -> bytes:
        asked.append(wanted)
        return read(descriptor, wanted)

    monkeypatch.setattr("os.read", counted)

    assert size == sum(map(len, RealDisk().parts(file)))

    assert calls == len(asked)


def test_what_was_read_is_believed_though_its_file_closes_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, close = written(tmp_path / "a", b"x"), os.close

    def failing(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.close", failing)
    assert [b"x"] == list(RealDisk().parts(file))


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (1 << 20))
    parts = RealDisk().parts(str(tmp_path / "a"))

    first = next(parts)
    with open(tmp_path / "a", "ab") as file:
        file.write(b"more")

    assert (1 << 20, [b"more"]) == (len(first), list(parts))


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 5])
@pytest.mark.parametrize("salt", [b"", b"salt"])
def test_digests_are_those_of_the_whole_file(tmp_path: Path, size: int, salt: bytes) -> None:
    body = os.urandom(size)

    found = RealDisk().digests(written(tmp_path / "a", body), salt)

    expected = (hashlib.sha256(body), hashlib.sha384(body), hashlib.sha256(salt + body))
    assert (size, *(each.digest() for each in expected)) == found[:4]


def test_no_digest_is_known_before_a_file_is_read(tmp_path: Path) -> None:
    assert RealDisk().known_digest(written(tmp_path / "a", b"x")) is None


def test_a_file_and_a_folder_are_told_through_links_and_nothing_is_neither(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for name in ("folder", "file", "gone", "loop"):
        (tmp_path / f"to-{name}").symlink_to("to-loop" if name == "loop" else name)
    names = ["file", "to-file", "folder", "to-folder", "gone", "to-gone", "file/x", "to-loop", "x" * 300]

    files = [name for name in names if RealDisk().is_file(str(tmp_path / name))]
    folders = [name for name in names if RealDisk().is_folder(str(tmp_path / name))]

    assert (["file", "to-file"], ["folder", "to-folder"]) == (files, folders)
    assert {0} == {mode_at(str(tmp_path / name), os.stat) for name in names[4:]}


def test_what_nobody_can_say_is_an_error() -> None:
    def look(_: str) -> os.stat_result:
        raise OSError(errno.EIO, "the disk is broken")

    with pytest.raises(OSError, match="the disk is broken"):
        mode_at("a", look)


def test_a_folder_is_made_with_its_parents_and_may_be_there_already(tmp_path: Path) -> None:
    folder = tmp_path / "a/b/c"

    for _ in range(2):
        RealDisk().make_folder(str(folder))

    assert [0o755] * 3 == [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent, folder.parent.parent)]


def test_a_new_folder_is_at_no_time_open_to_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chmod, modes = os.chmod, list[int]()

    def changed(path: str, mode: int) -> None:
        modes.append(stat.S_IMODE(os.stat(path).st_mode))
        chmod(path, mode)

    monkeypatch.setattr("os.chmod", changed)
    previous = os.umask(0)
    try:
        RealDisk().make_folder(str(tmp_path / "a/b"))
    finally:
        os.umask(previous)

    assert [0o755, 0o755] == modes


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(FileExistsError):
        RealDisk().make_folder(str(tmp_path / "file"))


@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_where_there_are_no_locks_everything_is_written_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    disk, folder = RealDisk(), str(tmp_path)
    monkeypatch.setattr("fcntl.flock", failing(code))

    with disk.lock(folder) as is_held:
        disk.sweep(folder)
        written(tmp_path / "a.css", b"one")  # by another writer
        is_new = disk.write(folder, "a.css", b"one")

    assert (False, False) == (is_held, is_new)


def failing(code: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_lock_that_fails_otherwise_is_an_error_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", failing(errno.EIO))
    before = os.listdir("/proc/self/fd")

    with pytest.raises(OSError, match="Input/output error"), RealDisk().lock(str(tmp_path)):
        pass

    assert before == os.listdir("/proc/self/fd")


def test_temporary_names_of_nobody_are_swept_and_those_of_others_are_kept(tmp_path: Path) -> None:
    nobody = [f"{TEMP_MARK}{writer}" for writer in ("0-1", f"{os.getpid()}-1", "x-1", "²-1", "-1", "9" * 10)]
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as writer:
        kept = [f"{TEMP_MARK}{writer.pid}-1", f"{TEMP_MARK}{writer.pid}-1-1", "plain", f"x{TEMP_MARK}1"]
        for name in (*kept, *nobody):
            (tmp_path / name).write_bytes(b"")

        assert len(nobody) == RealDisk().sweep(str(tmp_path))

    assert 0 == writer.returncode
    assert sorted(kept) == names(tmp_path)


def test_a_writer_that_may_not_be_asked_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{TEMP_MARK}5-1").write_bytes(b"")
    monkeypatch.setattr("os.kill", failing(errno.EPERM))

    assert 0 == RealDisk().sweep(str(tmp_path))


def test_a_file_that_was_swept_away_by_another_is_no_error(tmp_path: Path) -> None:
    RealDisk().remove(str(tmp_path), "gone")

    written(tmp_path / "a", b"")
    RealDisk().remove(str(tmp_path), "a")
    assert [] == names(tmp_path)


def test_parts_are_put_under_a_name_if_they_have_the_digest_that_was_promised(tmp_path: Path) -> None:
    disk, folder = RealDisk(), str(tmp_path)
    sha256_hex, other_hex = hashlib.sha256(b"onetwo").hexdigest(), hashlib.sha256(b"x").hexdigest()

    unasked = iter([b"onetwo"])

    assert (True, sha256_hex) == disk.fill(folder, "css/a", [b"one", b"two"], 6, sha256_hex)
    assert (False, sha256_hex) == disk.fill(folder, "css/a", unasked, 6, sha256_hex)
    assert [b"onetwo"] == list(unasked)
    assert (True, sha256_hex) == disk.fill(folder, "css/b", [b"one", b"two"], 6, other_hex)
    assert (True, sha256_hex) == disk.copy(str(tmp_path / "css/a"), folder, "c", 6, sha256_hex)
    assert ["c", "css/a"] == names(tmp_path)
    assert b"onetwo" == (tmp_path / "c").read_bytes()


def test_an_installed_program_replaces_the_old_one_and_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    written(tmp_path / "bin/tool", b"old")

    RealDisk().install(str(tmp_path), "bin/tool", [b"n", b"ew"])
    RealDisk().install(str(tmp_path), "bin/text", [b"x"], 0o600)

    assert b"new" == (tmp_path / "bin/tool").read_bytes()
    assert [0o755, 0o600] == [stat.S_IMODE((tmp_path / "bin" / name).stat().st_mode) for name in ("tool", "text")]


def test_whatever_the_parts_raise_is_raised_and_nothing_appears(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        RealDisk().install(str(tmp_path), "tool", parts())

    assert [] == names(tmp_path)


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("os.write", lambda descriptor, body: write(descriptor, body[:3]))

    RealDisk().write(str(tmp_path), "a", b"ten bytes!")

    assert b"ten bytes!" == (tmp_path / "a").read_bytes()


def test_the_mark_of_the_last_use_is_set_when_the_old_one_is_old(tmp_path: Path) -> None:
    for name, age_s in (("old", 100), ("new", 10)):
        file = written(tmp_path / name, b"")
        os.utime(file, (time.time() - age_s,) * 2)
        RealDisk().touch(str(tmp_path), name, 50)

    ages = [time.time() - (tmp_path / name).stat().st_mtime for name in ("old", "new")]
    assert ages[0] < 5 < ages[1] < 60


def test_a_file_system_is_synced_by_the_call_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("os.sync", lambda: synced.append("all"))
    monkeypatch.setattr("assetbuild.disk._syncfs", lambda: None)

    RealDisk().sync(str(tmp_path))

    assert ["all"] == synced


def test_a_file_system_that_cannot_be_synced_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> int:
        ctypes.set_errno(errno.ENOSPC)
        return -1

    monkeypatch.setattr("assetbuild.disk._syncfs", lambda: full)
    before = os.listdir("/proc/self/fd")

    with pytest.raises(OSError, match="No space left on device") as caught:
        RealDisk().sync(str(tmp_path))

    assert (errno.ENOSPC, str(tmp_path)) == (caught.value.errno, caught.value.filename)
    assert before == os.listdir("/proc/self/fd")


def test_a_commit_reaches_the_disk_before_its_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append(f"sync {os.readlink(f'/proc/self/fd/{descriptor}').rpartition('/')[2][: len(TEMP_MARK)]}")
        fsync(descriptor)

    def replaced(old: str, new: str) -> None:
        done.append(f"rename to {os.path.basename(new)}")
        replace(old, new)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.replace", replaced)

    RealDisk().commit(str(tmp_path / "out"), "manifest.json", b"{}")

    assert [f"sync {TEMP_MARK}", "rename to manifest.json", "sync out"] == done
    done.clear()
    RealDisk().commit(str(tmp_path / "out"), "manifest.json", b"{}")
    assert ["sync out"] == done


def test_a_file_system_is_synced_by_one_of_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []

    def sync_one(descriptor: int) -> int:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        return 0

    monkeypatch.setattr("assetbuild.disk._syncfs", lambda: sync_one)

    RealDisk().sync(str(tmp_path))
    with pytest.raises(NotADirectoryError):
        RealDisk().sync(written(tmp_path / "file", b""))

    assert [str(tmp_path)] == synced


def test_a_sync_under_a_lock_hears_of_all_that_went_wrong_since_it_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor is told of the errors since it was opened, syncfs(2)."""
    synced: list[int] = []

    def sync_one(descriptor: int) -> int:
        synced.append(descriptor)
        return 0

    monkeypatch.setattr("assetbuild.disk._syncfs", lambda: sync_one)
    disk = RealDisk()

    with disk.lock(str(tmp_path)):
        listed = os.listdir("/proc/self/fd")
        known = {int(name) for name in listed if os.path.exists(f"/proc/self/fd/{name}")}  # without the one of listing
        disk.sync(str(tmp_path))
        (held,) = synced
        assert str(tmp_path) == os.readlink(f"/proc/self/fd/{held}")
        disk.sync(str(tmp_path.parent))
    disk.sync(str(tmp_path))

    assert [True, False, True] == [held in known, synced[1] == held, len(synced) == 3]


def test_what_stands_under_a_name_is_compared_with_what_should(tmp_path: Path) -> None:
    written(tmp_path / "a", b"body")
    written(tmp_path / "b", b"else")
    (tmp_path / "c").symlink_to("a")
    os.mkfifo(tmp_path / "d")
    expected = 4, hashlib.sha256(b"body").hexdigest()

    def nobody() -> tuple[int, str]:
        raise AssertionError("nothing is there to be compared")

    for disk in (RealDisk(), locked := RealDisk()):
        with disk.lock(str(tmp_path)) if disk is locked else contextlib.nullcontext():
            disk.sweep(str(tmp_path))
            found = [disk.compared(str(tmp_path), name, lambda: expected) for name in "abcd"]
            ask = nobody if disk is locked else lambda: expected
            assert ["same", "other", "other", "other"] == found
            assert ["absent", "absent"] == [disk.compared(str(tmp_path), name, ask) for name in ("e", "f/g")]


def test_a_pipe_in_the_place_of_an_empty_file_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a", 0o644)
    os.chmod(tmp_path / "a", 0o644)

    assert RealDisk().write(str(tmp_path), "a", b"")

    assert (tmp_path / "a").is_file()


def test_in_a_locked_folder_nobody_looks_for_what_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "there.css", b"there")
    looked: list[str] = []
    lstat = os.lstat

    def look(path: str) -> os.stat_result:
        looked.append(os.path.relpath(path, tmp_path))
        return lstat(path)

    monkeypatch.setattr("os.lstat", look)
    disk, folder = RealDisk(), str(tmp_path)

    with disk.lock(folder):
        disk.sweep(folder)
        for path in ("css/a.css", "css/b.css", "new.css", "there.css"):
            disk.write(folder, path, b"there")

    assert ["css", "css", ".", "there.css"] == looked


def test_a_file_that_a_user_names_is_put_where_its_link_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")

    assert str(tmp_path / "file") == place_of_file(str(tmp_path / "link"))
    (tmp_path / "file").write_text("old")
    assert str(tmp_path / "file") == place_of_file(str(tmp_path / "link"))


def test_no_file_is_put_in_the_place_of_a_fifo_or_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    for place in (tmp_path / "fifo", tmp_path):
        with pytest.raises(NotRegular, match="not a regular file"):
            place_of_file(str(place))

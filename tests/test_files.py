"""Published files are opened one by one, and only as what they were published."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import pytest

from assetbuild.web.files import PIECE_BYTES, FileFault, OpenFile, open_published, read_published


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "output/css").mkdir(parents=True)
    (tmp_path / "output/css/a.css").write_bytes(b"a{}")
    (tmp_path / "secret").write_bytes(b"key")
    return tmp_path / "output"


def test_a_published_file_is_read(output: Path) -> None:
    assert b"a{}" == read_published(str(output), "css/a.css", 3)


def test_a_large_file_is_read_in_pieces(output: Path) -> None:
    body = os.urandom(2 * PIECE_BYTES + 1)
    (output / "film").write_bytes(body)
    file = OpenFile(open_published(str(output), "film", len(body)), "film", range(len(body)), is_whole=True)

    pieces = list(file.pieces())
    file.close()

    assert [PIECE_BYTES, PIECE_BYTES, 1] == [len(piece) for piece in pieces]
    assert body == b"".join(pieces)


def test_the_folder_itself_may_be_a_link_as_mounted_volumes_are(output: Path) -> None:
    link = output.parent / "current"
    link.symlink_to(output)

    assert b"a{}" == read_published(str(link), "css/a.css", 3)


def replace_by_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parents[2] / "secret")


def replace_parent_by_link(file: Path) -> None:
    file.parent.rename(file.parents[2] / "elsewhere")
    file.parent.symlink_to(file.parents[2] / "elsewhere")


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replace_by_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replace_parent_by_file(file: Path) -> None:
    file.unlink()
    file.parent.rmdir()
    file.parent.write_bytes(b"a{}")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (Path.unlink, "`css/a.css` cannot be opened in `{}` (No such file or directory)"),
        (replace_by_link, "`css/a.css` cannot be opened in `{}` (Symbolic link)"),
        (replace_parent_by_link, "`css/a.css` cannot be opened in `{}` (Not a directory)"),
        (replace_parent_by_file, "`css/a.css` cannot be opened in `{}` (Not a directory)"),
        (replace_by_folder, "`css/a.css` in `{}` is not a regular file"),
        (replace_by_fifo, "`css/a.css` in `{}` is not a regular file"),
        (lambda file: file.write_bytes(b"a{"), "`css/a.css` in `{}` holds 2 bytes, and the manifest says 3"),
        (lambda file: file.write_bytes(b"a{} "), "`css/a.css` in `{}` holds 4 bytes, and the manifest says 3"),
    ],
)
def test_whatever_else_lies_there_is_refused_and_leaves_no_descriptor(
    output: Path, harm: Callable[[Path], object], reason: str
) -> None:
    harm(output / "css/a.css")
    before = open_descriptors()

    with pytest.raises(FileFault) as raised:
        read_published(str(output), "css/a.css", 3)

    assert f"{reason.format(output)}; copy the whole output of `assetbuild compile` again" == str(raised.value)
    assert before == open_descriptors()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFault, match=r"^`a\.css` cannot be opened in `.*/gone` \(No such file or directory\)"):
        read_published(str(tmp_path / "gone"), "a.css", 3)


def test_a_manifest_that_is_no_file_has_no_files() -> None:
    with pytest.raises(FileFault) as raised:
        read_published("", "a.css", 3)

    assert "`a.css` cannot be served: its manifest was not opened from an output folder" == str(raised.value)


def test_a_file_that_is_cut_while_it_is_read_raises_and_is_not_padded(output: Path) -> None:
    body = bytes(2 * PIECE_BYTES)
    (output / "film").write_bytes(body)
    file = OpenFile(open_published(str(output), "film", len(body)), "film", range(len(body)), is_whole=True)
    pieces = file.pieces()
    assert PIECE_BYTES == len(next(pieces))
    os.truncate(output / "film", PIECE_BYTES)

    with pytest.raises(FileFault) as raised:
        next(pieces)
    file.close()

    assert "`film` was cut while it was being sent; copy the whole output of `assetbuild compile` again" == str(
        raised.value
    )


def test_closing_twice_closes_once(output: Path) -> None:
    before = open_descriptors()
    file = OpenFile(open_published(str(output), "css/a.css", 3), "a.css", range(3), is_whole=True)
    file.close()
    other = os.open(output, os.O_RDONLY)  # takes the same number

    file.close()

    os.close(other)
    assert before == open_descriptors()


def test_a_file_that_nobody_closes_is_closed_when_it_is_dropped(output: Path) -> None:
    before = open_descriptors()
    file = OpenFile(open_published(str(output), "css/a.css", 3), "a.css", range(3), is_whole=True)
    pieces = file.pieces()

    del file
    assert [b"a{}"] == list(pieces)
    del pieces

    assert before == open_descriptors()


def test_a_file_that_was_handed_on_is_left_to_its_new_owner(output: Path) -> None:
    before = open_descriptors()
    file = OpenFile(open_published(str(output), "css/a.css", 3), "a.css", range(3), is_whole=True)
    stream = file.stream()

    file.close()
    del file

    assert [b"a{}", b""] == [stream.read(10), stream.read(10)]
    stream.close()
    stream.close()
    assert before == open_descriptors()


def cut_and_handed_on(output: Path) -> FileIO:
    file = OpenFile(open_published(str(output), "css/a.css", 3), "a.css", range(3), is_whole=True)
    os.truncate(output / "css/a.css", 1)
    return file.stream()


def test_a_server_that_reads_a_cut_file_is_stopped_at_the_early_end(output: Path) -> None:
    stream = cut_and_handed_on(output)

    assert [b"a", b""] == [stream.read(10), stream.read(0)]
    with pytest.raises(FileFault, match="was cut while it was being sent"):
        stream.read(10)
    with pytest.raises(FileFault):
        stream.close()


def test_a_server_that_has_the_kernel_send_a_cut_file_learns_it_at_the_close(output: Path) -> None:
    """sendfile takes an early end for the end, and gunicorn would answer the next request inside the body."""
    before = open_descriptors()
    stream = cut_and_handed_on(output)
    here, there = socket.socketpair()

    with here, there:
        assert 1 == here.sendfile(stream, count=3)
    with pytest.raises(FileFault, match="was cut while it was being sent"):
        stream.close()

    assert before == open_descriptors()

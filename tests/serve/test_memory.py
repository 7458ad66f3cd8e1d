"""Where bodies come from, and what becomes of an answer whose file is not what was published."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assetbuild import Assets
from assetbuild.web.files import PIECE_BYTES
from tests.manifests import Document, published, write
from tests.serve.site import CSS, PHOTO, url
from tests.test_files import open_descriptors
from tests.transports import Answer, Transport


def test_bodies_stay_in_memory_up_to_the_budget(
    transport: Transport, assets: Assets, made: Document, tmp_path: Path
) -> None:
    """What is in memory is sent even when the disk is gone, and nothing else is."""
    app = transport.middleware(transport.page, assets, memory_bytes=8 * len(PHOTO) + 7)
    paths = [url(made, logical) for logical in ("css/app.css", "img/photo.png", "terms.txt")]
    first = [transport.ask(app, path) for path in paths]
    shutil.rmtree(tmp_path / "output")

    assert first == [transport.ask(app, path) for path in paths]


@pytest.mark.parametrize("memory_bytes", [0, 8 * len(PHOTO) - 1])
def test_what_exceeds_its_share_of_the_budget_is_read_each_time(
    transport: Transport, assets: Assets, made: Document, tmp_path: Path, memory_bytes: int
) -> None:
    app = transport.middleware(transport.page, assets, memory_bytes=memory_bytes)
    assert PHOTO == transport.ask(app, url(made, "img/photo.png")).body
    shutil.rmtree(tmp_path / "output")

    assert 500 == transport.ask(app, url(made, "img/photo.png")).status


def test_a_body_from_the_disk_is_the_same_as_one_from_memory(
    transport: Transport, assets: Assets, made: Document
) -> None:
    held = transport.middleware(transport.page, assets)
    read = transport.middleware(transport.page, assets, memory_bytes=0)
    before = open_descriptors()

    for method in ("GET", "HEAD"):
        for headers in (
            {},
            {"accept-encoding": "gzip"},
            {"range": "bytes=5-9"},
            {"range": "bytes=-0"},
            {"if-none-match": "*"},
        ):
            path = url(made, "css/app.css")
            assert transport.ask(held, path, method, headers) == transport.ask(read, path, method, headers)
    assert before == open_descriptors()


def test_a_large_file_and_its_parts_are_sent_from_the_disk(transport: Transport, tmp_path: Path) -> None:
    film = os.urandom(3 * PIECE_BYTES + 5)
    app = transport.files(Assets.open(write(tmp_path, made := published(tmp_path, {"film": film}))), memory_bytes=0)
    path = "/" + made["assets"]["film"]["file"]

    assert film == transport.ask(app, path).body
    part = transport.ask(app, path, headers={"range": f"bytes=7-{2 * PIECE_BYTES}"})
    assert film[7 : 2 * PIECE_BYTES + 1] == part.body


def harm_by_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to(file.with_name("elsewhere"))


def harm_by_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def harm_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


HARMS: list[Callable[[Path], Any]] = [
    Path.unlink,
    harm_by_link,
    harm_by_fifo,
    harm_by_folder,
    lambda file: file.write_bytes(CSS[:-1]),
    lambda file: file.write_bytes(CSS + b"\n"),
    lambda file: file.write_bytes(CSS.replace(b"red", b"tan")),
]


@pytest.mark.parametrize("harm", HARMS)
def test_a_file_that_is_not_what_was_published_is_a_500_logged_once(
    transport: Transport,
    assets: Assets,
    made: Document,
    tmp_path: Path,
    harm: Callable[[Path], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = url(made, "css/app.css")
    file = tmp_path / "output" / made["assets"]["css/app.css"]["file"]
    harm(file)
    app = transport.middleware(transport.page, assets)
    before = open_descriptors()

    with caplog.at_level(logging.ERROR, "assetbuild"):
        answers = [transport.ask(app, path, method) for method in ("GET", "GET", "HEAD")]

    assert [500] * 3 == [answer.status for answer in answers]
    assert {"no-store"} == {answer["cache-control"] for answer in answers}
    assert [b"the file cannot be served\n"] * 2 + [b""] == [answer.body for answer in answers]
    assert ["assetbuild"] == [record.name for record in caplog.records]
    assert made["assets"]["css/app.css"]["file"] in caplog.messages[0]
    assert before == open_descriptors()
    assert 200 == transport.ask(app, path, headers={"accept-encoding": "gzip"}).status  # that file is in order


def test_a_file_that_is_put_right_is_sent_again(
    transport: Transport, assets: Assets, made: Document, tmp_path: Path
) -> None:
    file = tmp_path / "output" / made["assets"]["css/app.css"]["file"]
    file.rename(file.with_name("away"))
    app = transport.middleware(transport.page, assets)
    assert 500 == transport.ask(app, url(made, "css/app.css")).status
    file.with_name("away").rename(file)

    assert CSS == transport.ask(app, url(made, "css/app.css")).body


def test_answers_share_no_list_of_headers(ask: Callable[..., Answer], made: Document) -> None:
    """Middleware around us may add to the list that it was given."""
    path = url(made, "css/app.css")

    assert ask(path) == ask(path)

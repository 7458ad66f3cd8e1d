"""Where bodies come from, and what becomes of an answer whose file is not what was published."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assetbuild import Assets
from assetbuild.web.files import PIECE_BYTES, read_published
from assetbuild.web.serve.memory import Memory
from assetbuild.web.serve.resources import Variant
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


def test_threads_that_load_at_once_hold_no_more_than_the_budget(tmp_path: Path) -> None:
    size_bytes, fitting, threads = 100_000, 8, 64
    bodies = {f"{number}.bin": bytes([number]) * size_bytes for number in range(threads)}
    made = published(tmp_path, bodies)
    paths = [made["assets"][name]["file"] for name in bodies]
    variants = [Variant("", path, size_bytes, "", made["files"][path]["sha256"]) for path in paths]
    memories = [Memory(str(tmp_path), fitting * size_bytes) for _ in range(10)]
    start = threading.Barrier(threads)

    def load(variant: Variant) -> list[bytes | None]:
        found = []
        for memory in memories:
            start.wait()
            found.append(memory.body(variant))
        return found

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            held = [*pool.map(load, variants)]
    finally:
        sys.setswitchinterval(usual)

    counts = [sum(body is not None for body in bodies_of_one) for bodies_of_one in zip(*held, strict=True)]
    assert [fitting] * len(memories) == counts
    assert {True} == {body in (None, bodies[name]) for name, found in zip(bodies, held, strict=True) for body in found}


def test_a_file_that_was_loaded_by_another_meanwhile_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {f"{number}.bin": bytes([number]) * 100 for number in range(8)}
    made = published(tmp_path, bodies)
    paths = [made["assets"][name]["file"] for name in bodies]
    variants = [Variant("", path, 100, "", made["files"][path]["sha256"]) for path in paths]
    memory = Memory(str(tmp_path), 800)

    def overtaken(folder: str, path: str, size_bytes: int) -> bytes:
        monkeypatch.undo()
        memory.body(variants[0])
        return read_published(folder, path, size_bytes)

    monkeypatch.setattr("assetbuild.web.serve.memory.read_published", overtaken)

    assert [*bodies.values()] == [memory.body(variant) for variant in variants]


def test_threads_that_load_the_same_file_all_have_it(tmp_path: Path) -> None:
    """The budget holds it once: who comes second may not find that his own copy no longer fits."""
    body, threads = bytes(1000), 16
    made = published(tmp_path, {"a.bin": body, **{f"{number}.bin": bytes([number + 1]) * 1000 for number in range(7)}})
    asked, *others = [Variant("", asset["file"], 1000, "", "") for _, asset in sorted(made["assets"].items())[::-1]]
    memory = Memory(str(tmp_path), 8 * 1000)
    for variant in others:
        memory.body(variant)
    start = threading.Barrier(threads)

    def load(_: int) -> bytes | None:
        start.wait()
        return memory.body(asked)

    with ThreadPoolExecutor(threads) as pool:
        found = [*pool.map(load, range(threads))]

    assert [body] * threads == found


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


@pytest.mark.parametrize("memory_bytes", [0, 32 << 20])
def test_a_variant_that_another_build_has_replaced_gives_way_to_the_file_itself(
    transport: Transport,
    assets: Assets,
    made: Document,
    tmp_path: Path,
    memory_bytes: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = url(made, "css/app.css")
    variant = tmp_path / "output" / f"{made['assets']['css/app.css']['file']}.gz"
    variant.write_bytes(gzip.compress(CSS, 0))
    app = transport.middleware(transport.page, assets, memory_bytes=memory_bytes)
    before = open_descriptors()
    accepting = {"accept-encoding": "gzip"}

    with caplog.at_level(logging.ERROR, "assetbuild"):
        answers = [transport.ask(app, path, headers=accepting) for _ in range(2)]
        (head, part) = (
            transport.ask(app, path, "HEAD", headers=accepting),
            transport.ask(app, path, headers={**accepting, "range": "bytes=2-4"}),
        )

    assert [transport.ask(app, path)] * 2 == answers
    assert [(200, CSS, None, "Accept-Encoding")] * 2 == [
        (each.status, each.body, each["content-encoding"], each["vary"]) for each in answers
    ]
    assert (200, b"", 206, CSS[2:5]) == (head.status, head.body, part.status, part.body)
    assert [variant.name in message for message in caplog.messages] == [True]
    assert before == open_descriptors()


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

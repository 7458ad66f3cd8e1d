"""The store under everything that may happen to a folder of a cache."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.compiler.cache import store as store_module
from assetbuild.compiler.cache.pack import opened, packed
from assetbuild.compiler.cache.store import Store
from assetbuild.disk import TEMP_MARK, RealDisk


def name(text: str, kind: str = "action") -> str:
    return f"{kind}/{hashlib.sha256(text.encode()).hexdigest()}"


def store(folder: Path, warnings: list[str] | None = None) -> Store:
    return Store(str(folder), RealDisk(), (warnings if warnings is not None else []).append)


def filled(folder: Path, items: Mapping[str, bytes]) -> None:
    made = store(folder)
    for key, body in items.items():
        made.put(key, body)
    made.flush()
    made.close()


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


DAYS_AGO = int(time.time()) - 3 * 24 * 3600
LARGE = random.Random(1).randbytes(300_000)


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"small", name("b"): LARGE, name("c"): b""})

    found = store(tmp_path)

    assert [b"small", LARGE, b""] == [found.get(name(each)) for each in "abc"]
    assert found.get(name("d")) is None
    assert (3, 1, 0) == found.tally


def test_a_store_that_goes_on_after_a_flush_has_what_it_was_given(tmp_path: Path) -> None:
    made = store(tmp_path)
    missing = made.get(name("a"))
    made.put(name("a"), b"one")
    made.flush()
    first = made.get(name("a"))
    made.put(name("a"), b"two")
    made.flush()

    assert [None, b"one", b"two"] == [missing, first, made.get(name("a"))]


def test_small_items_lie_in_one_file_and_large_ones_alone(tmp_path: Path) -> None:
    filled(tmp_path, {name(str(n)): b"x" * n for n in range(500)} | {name("big"): LARGE})

    assert 2 == len(files(tmp_path))


def test_a_later_item_of_the_same_name_counts(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"old"})
    os.utime(files(tmp_path)[0], (DAYS_AGO, DAYS_AGO))
    filled(tmp_path, {name("a"): b"new"})

    assert b"new" == store(tmp_path).get(name("a"))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_a_file_is_a_miss_and_never_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("store")
    items = {name("a"): b"alpha" * 20, name("b"): b"beta" * 20, name("big"): LARGE}
    filled(folder, items)
    file = data.draw(st.sampled_from(files(folder)))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, min(len(content) - 1, 600)) | st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "empty"])):
        case "flip":
            content[at] ^= data.draw(st.integers(1, 255))
        case "cut":
            del content[at:]
        case "insert":
            content[at:at] = b"\0"
        case "empty":
            content.clear()
    file.write_bytes(content)

    found = store(folder)
    got = {key: found.get(key) for key in items}

    assert all(body in (None, items[key]) for key, body in got.items())
    assert None in got.values()
    assert found.tally.broken > 0
    shutil.rmtree(folder)


def test_two_items_cannot_be_exchanged(tmp_path: Path) -> None:
    """The digest covers the name: a whole, valid file under another name is no hit."""
    other = bytes(reversed(LARGE))
    filled(tmp_path, {name("a"): LARGE, name("b"): other})
    first, second = files(tmp_path)
    swapped = first.read_bytes(), second.read_bytes()
    first.write_bytes(swapped[1])
    second.write_bytes(swapped[0])

    found = store(tmp_path)

    assert [None, None] == [found.get(name(each)) for each in "ab"]


def test_ten_thousand_corrupted_or_swapped_entries_are_all_refused(tmp_path: Path) -> None:
    chance = random.Random(23)
    small = {name(str(number)): chance.randbytes(40) for number in range(20)}
    large = {name(f"large {number}"): chance.randbytes(300_000) for number in range(3)}
    filled(tmp_path, small | large)
    (pack,) = (file for file in files(tmp_path) if file.parent.name == "packs")
    alone = {key: next(file for file in files(tmp_path) if key[-60:] in file.name) for key in large}
    whole = {file: file.read_bytes() for file in files(tmp_path)}
    index = opened(str(pack))
    assert index is not None

    accepted = []
    for _ in range(10_000):
        # A large entry is a file of its own, whose digest takes as long as that of a thousand small ones.
        items = large if chance.random() < 0.02 else small
        key, other = chance.sample(sorted(items), 2)
        file = alone.get(key, pack)
        start, end = (0, len(whole[file])) if key in alone else (index.items[key].start, sum(index.items[key][:2]))
        there = whole[alone[other]] if key in alone else items[other]
        changed(file, corrupted(chance, whole[file], start, end, there))
        found = Store(str(tmp_path), RealDisk(), is_writable=False)  # else it would remove what is broken
        got = {each: found.get(each) for each in (key, other)}
        found.close()
        changed(file, whole[file])
        if got[key] is not None or got[other] not in (None, items[other]):
            accepted.append((key, got))
    index.close()

    assert [] == accepted


def changed(file: Path, content: bytes) -> None:
    """Write a file in place: to make it anew costs some file systems a hundred times as much."""
    with open(file, "r+b") as opened:
        opened.write(content)
        if opened.seek(0, os.SEEK_END) != len(content):
            opened.truncate(len(content))


def corrupted(chance: random.Random, content: bytes, start: int, end: int, other: bytes) -> bytes:
    """Return a file in which the entry from `start` to `end` is another than it was. other: a whole entry beside it."""
    at = chance.randrange(start, end)
    match chance.choice(["flip", "cut", "swap", "insert", "zero", "repeat"]):
        case "flip":
            return content[:at] + bytes([content[at] ^ chance.randrange(1, 256)]) + content[at + 1 :]
        case "cut":
            return content[:at]
        case "swap":
            return content[:start] + other + content[end:]
        case "insert":
            return content[:at] + bytes([content[at] ^ 1]) + content[at:]
        case "zero":
            return content[:start] + bytes(end - start) + content[end:]
        case _:
            half = content[start : start + (end - start) // 2]
            return content[:start] + (half + half).ljust(end - start, b"?")[: end - start] + content[end:]


def test_a_broken_item_is_repaired_by_the_next_build(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"whole", name("b"): LARGE})
    for file in files(tmp_path):
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    again = store(tmp_path)

    missed = [again.get(name(each)) for each in "ab"]
    again.put(name("a"), b"whole")
    again.put(name("b"), LARGE)
    again.flush()

    assert [None, None] == missed
    assert [b"whole", LARGE] == [store(tmp_path).get(name(each)) for each in "ab"]


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    warnings: list[str] = []
    made = store(tmp_path / "cache", warnings)

    made.put(name("a"), LARGE)
    made.put(name("b"), LARGE)
    made.put(name("c"), b"small")
    made.flush()

    assert made.get(name("b")) is None
    assert [
        f"the compile cache `{tmp_path}/cache` cannot be written: not a directory; "
        "the compile goes on, and keeps nothing for the next one\n"
        "  choose another folder with `ASSETBUILD_CACHE` or `[cache] local`; `off` in either goes without"
    ] == warnings


def test_links_and_pipes_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    filled(tmp_path / "other", {name("a"): b"body"})
    pack = files(tmp_path / "other")[0]
    packs = tmp_path / "cache/v1/packs"
    packs.mkdir(parents=True)
    (packs / "link").symlink_to(pack)
    os.mkfifo(packs / "pipe")

    assert store(tmp_path / "cache").get(name("a")) is None


def test_many_packs_become_one_and_nothing_is_lost(tmp_path: Path) -> None:
    for number in range(17):
        filled(tmp_path, {name(str(number)): b"%d" % number, name("all"): b"%d" % number})
        os.utime(max(files(tmp_path), key=lambda file: file.stat().st_mtime_ns), (DAYS_AGO, DAYS_AGO + number))

    assert 1 == len(files(tmp_path))
    found = store(tmp_path)
    assert [b"%d" % number for number in range(17)] == [found.get(name(str(number))) for number in range(17)]


def test_what_waits_in_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PACK_BYTES", 1000)
    made = store(tmp_path)

    for number in range(100):
        made.put(name(str(number)), b"x" * 100)

    assert 10 == len(files(tmp_path))
    made.flush()
    assert all(made.get(name(str(number))) for number in range(100))


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    for number in range(4):
        filled(tmp_path, {name(str(number)): bytes([number]) * 300_000})
        newest = max(files(tmp_path), key=lambda file: file.stat().st_mtime_ns)
        os.utime(newest, (DAYS_AGO, DAYS_AGO + number))
    made = store(tmp_path)
    assert made.get(name("0"))  # used now, and so marked

    gone = made.prune(max_bytes=700_000, unused_s=10**10)

    assert 600_128 == gone
    assert [True, False, False, True] == [store(tmp_path).get(name(str(number))) is not None for number in range(4)]


def test_what_was_not_used_for_long_goes(tmp_path: Path) -> None:
    filled(tmp_path, {name("old"): b"old"})
    os.utime(files(tmp_path)[0], (DAYS_AGO, DAYS_AGO))
    filled(tmp_path, {name("new"): b"new"})

    store(tmp_path).prune(max_bytes=10**9, unused_s=3600)

    found = store(tmp_path)
    assert [None, b"new"] == [found.get(name("old")), found.get(name("new"))]


def test_two_processes_may_fill_one_folder(tmp_path: Path) -> None:
    items = {name(str(n)): b"%d" % n * (1 + n * 997 % 70_000) for n in range(60)}

    threads = [threading.Thread(target=filled, args=(tmp_path, items)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = store(tmp_path)
    assert items == {key: found.get(key) for key in items}


def test_an_item_that_a_running_process_has_open_survives_a_prune(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"a", name("b"): b"b"})
    reader = store(tmp_path)
    assert reader.get(name("a")) == b"a"

    store(tmp_path).prune(max_bytes=0, unused_s=0)

    assert b"b" == reader.get(name("b"))
    assert [] == files(tmp_path)


def test_equal_items_make_equal_packs(tmp_path: Path) -> None:
    items = {name("a"): b"1", name("b"): b"2"}
    (tmp_path / "pack").write_bytes(packed(items))
    pack = opened(str(tmp_path / "pack"))

    assert packed(dict(reversed(items.items()))) == packed(items)
    assert pack
    assert items == {key: pack.read(key) for key in pack.items}
    pack.close()


def test_a_build_that_writes_prunes_what_nobody_has_used_for_a_month(tmp_path: Path) -> None:
    filled(tmp_path, {name("old"): b"old"})
    os.utime(files(tmp_path)[0], (1, 1))

    filled(tmp_path, {name("new"): b"new"})

    assert 1 == len(files(tmp_path))


def test_what_another_process_is_writing_is_neither_read_nor_removed(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"one"})
    unfinished = [tmp_path / folder / f"{TEMP_MARK}{os.getppid()}-0" for folder in ("v1/packs", "v1/items/aa")]
    for file in unfinished:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    warnings: list[str] = []

    made = store(tmp_path, warnings)
    assert b"one" == made.get(name("a"))
    made.put(name("b"), b"two")
    made.flush()

    assert all(file.exists() for file in unfinished)
    assert (0, []) == (made.tally.broken, warnings)


def test_a_file_that_is_swept_while_it_is_written_is_written_again(tmp_path: Path) -> None:
    """A process of another PID namespace cannot see that the writer lives."""

    class Swept(RealDisk):
        times = 1

        def write(self, folder: str, path: str, body: bytes) -> bool:
            self.times -= 1
            if self.times >= 0:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            return super().write(folder, path, body)

    warnings: list[str] = []
    made = Store(str(tmp_path), Swept(), warnings.append)
    made.put(name("a"), b"one")
    made.flush()

    assert (b"one", []) == (store(tmp_path).get(name("a")), warnings)


def test_a_build_that_writes_removes_what_a_dead_writer_left(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"one"})
    left = [tmp_path / folder / f"{TEMP_MARK}4194304-0" for folder in ("v1/packs", "v1/items/aa", "v1/builds")]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"torn")

    filled(tmp_path, {name("b"): b"two"})

    assert [] == [file for file in left if file.exists()]


def test_a_store_that_is_only_read_leaves_its_folder_as_it_is(tmp_path: Path) -> None:
    filled(tmp_path, {name("a"): b"small", name("b"): LARGE, name("c"): LARGE})
    for file in files(tmp_path):
        os.utime(file, (DAYS_AGO, DAYS_AGO))
    broken = next(file for file in files(tmp_path / "v1/items") if name("c")[-8:] in file.name)
    broken.write_bytes(broken.read_bytes()[:-1])
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files(tmp_path)}
    found = Store(str(tmp_path), RealDisk(), is_writable=False)

    found.put(name("d"), b"new")
    found.put(name("e"), LARGE)
    bodies = [found.get(name(each)) for each in "abcde"]
    found.flush()

    assert [b"small", LARGE, None, None, None] == bodies
    assert (2, 3, 1) == found.tally
    assert before == {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files(tmp_path)}


def test_a_store_that_is_only_read_makes_no_folder(tmp_path: Path) -> None:
    warnings: list[str] = []
    found = Store(str(tmp_path / "cache"), RealDisk(), warnings.append, is_writable=False)

    found.put(name("a"), LARGE)
    found.flush()

    assert found.get(name("a")) is None
    assert [] == warnings
    assert [] == list(tmp_path.iterdir())

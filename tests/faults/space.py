"""Space: a place for many short builds, and file systems that are full or may not be written.

A full disk is a tmpfs of a size, a read-only one a bind mount. Both are mounted in a namespace of their own, into which
`python -m tests.faults` brings itself with unshare(1), so that nothing outlives the campaign.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.builds import Files, files_in
from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["NOBODY", "full", "read_only", "scratch"]

NOBODY = 65534
"""A user who may write nothing of ours. Source: the kernel's overflowuid."""

_MEMORY = "/dev/shm"
_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder, in memory where the system has such a place, and remove it."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=place) as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def full(stage: Stage, *, step: int = 2) -> Iterator[Fate]:
    """Compile into an output, then with a cache, whose disk has from 0 to 110 % of the room that a build needs.

    step: in percent of that room.
    """
    for folder, is_output in ((stage.output, True), (stage.cache, False)):
        stage.reset()
        before = _room(files_in(folder))
        stage.must(stage.run())
        needed = _room(files_in(folder)) - before
        for percent in range(0, 111, step):
            stage.reset()
            with _mounted(folder, before + needed * percent // 100):
                ended = stage.forge.run(stage.run())
                _mount("-o", "remount,size=1g", str(folder))
                word = os.strerror(errno.ENOSPC)
                fault = f"{'output' if is_output else 'cache'} with {percent} % of {needed} bytes"
                fate = fate_of(stage, fault, ended, has_fired=word.lower() in ended.text.lower(), reason=word)
            is_ended_by_cache = not is_output and ended.code != 0
            yield fate._replace(wrongs=(*fate.wrongs, *["a full cache ended the build"] * is_ended_by_cache))


def read_only(stage: Stage) -> Iterator[Fate]:
    """Compile into an output, then with a cache, that is mounted read-only, then as a user who may not write it."""
    for folder in (stage.output, stage.cache):
        stage.reset()
        _mount("--bind", str(folder), str(folder))
        try:
            _mount("-o", "remount,ro,bind", str(folder))
            ended = stage.forge.run(stage.run())
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        word = os.strerror(errno.EROFS)
        yield _refused(stage, fate_of(stage, f"{folder.name} mounted read-only", ended, has_fired=True, reason=word))
        if not _is_mapped(NOBODY):
            continue
        stage.reset()
        ended = stage.forge.run(stage.run(uid=NOBODY))
        word = os.strerror(errno.EACCES)
        yield _refused(stage, fate_of(stage, f"{folder.name} of another user", ended, has_fired=True, reason=word))


def _refused(stage: Stage, fate: Fate) -> Fate:
    """Hold against a fate that an output was written that could not be, or that a cache ended the build."""
    expected = 0 if fate.fault.startswith(f"{stage.cache.name} mounted") else 2
    wrong = [f"exit {fate.ended.code}: {fate.ended.text!r}"] * (fate.ended.code != expected)
    return fate._replace(wrongs=(*fate.wrongs, *wrong))


def _is_mapped(uid: int) -> bool:
    """Return whether a process here can become that user; in a namespace of anybody but root, only root is one."""
    ranges = [[int(number) for number in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= uid < first + count for first, _, count in ranges)


def _room(files: Files) -> int:
    """Return how much a tmpfs needs for files: whole pages, one for each folder as a name to spare."""
    folders = {os.path.dirname(path) for path in files}
    return sum(-(-len(body) // _PAGE) for body in files.values()) * _PAGE + (len(folders) + 1) * _PAGE


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    """Put what a folder holds on a disk of its own, of `size` bytes."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)

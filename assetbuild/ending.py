"""Ending at once: what a process that was told to end takes with it while its threads are still at work.

A thread in a compressor or a download cannot be interrupted, and the interpreter would wait for it. So the process
leaves without, and whatever such a thread would have cleared up stands here while it lasts. Standard library only.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from typing import NoReturn

__all__ = ["FILES", "FOLDERS", "GROUPS", "leave", "remove_folder", "starting", "tidy"]

_START_S = 0.5
_LOOK_S = 0.001

# Changed by single calls of sets, which are atomic.
FILES: set[str] = set()
"""Temporary files that are being written; absolute paths."""

FOLDERS: set[str] = set()
"""Temporary folders, absolute paths."""

GROUPS: set[int] = set()
"""Process groups of programs that do not notice that we are gone, or only when they have done what they are at."""


_STARTING: set[object] = set()


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Begin a program and put its group into `GROUPS` inside: whoever ends the process meanwhile waits for that."""
    mark = object()
    _STARTING.add(mark)
    try:
        yield
    finally:
        _STARTING.discard(mark)


def leave(code: int) -> NoReturn:
    """End this process with an exit code, without waiting for anybody. Standard streams have to be flushed before."""
    tidy()
    os._exit(code)


def tidy() -> None:
    """End the programs and remove the files that stand here.

    A program that another thread is just starting is waited for, but not for long: that thread may be this one.
    """
    deadline_s = time.monotonic() + _START_S
    while _STARTING and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    for group in [*GROUPS]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for file in [*FILES]:
        with contextlib.suppress(OSError):
            os.unlink(file)
    for folder in [*FOLDERS]:
        remove_folder(folder)


def remove_folder(folder: str) -> None:
    """Remove a folder of ours with all that is in it, as far as this user can.

    Folders may be nested deeper than calls, descriptors and paths can be, and closed to their own owner: the inside of
    each one is brought up and opened first.
    """
    import shutil  # late: most processes have none

    names = (f"{folder}/up-{os.getpid()}-{number}" for number in itertools.count())
    with contextlib.suppress(OSError):
        while below := _folders_in(folder):
            for each in below:
                os.chmod(each, 0o700)
                for inner in _folders_in(each):
                    os.chmod(inner, 0o700)
                    os.rename(inner, next(names))
                shutil.rmtree(each)
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


def _folders_in(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]

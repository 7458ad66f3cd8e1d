"""Descriptions that are no files: esbuild opens what has the right name, waits for a FIFO, and reads a device for ever.

Receives the project's folder; hands on errors. Looked for only when esbuild stands still or has died: it asks us for no
description that it reads, and which folders it has come to nobody knows.
Source: `dirInfoUncached` in internal/resolver/resolver.go of esbuild 0.28, for which all that is no folder is a file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from assetbuild.compiler.door import TEXT_LIMIT_BYTES
from assetbuild.compiler.files import Reading
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["awaited", "irregular", "unreadable"]


def awaited(reading: Reading) -> list[Diagnostic]:
    """Return an error for each FIFO that somebody waits for, where a description should be."""
    return [irregular(file, reading) for file, mode, _ in _descriptions(reading) if _is_awaited(file, mode)]


def unreadable(reading: Reading) -> list[Diagnostic]:
    """Return an error for each description that is no file, or one that the door would not let in."""
    found = []
    for file, mode, size in _descriptions(reading):
        if not stat.S_ISREG(mode):
            found.append(irregular(file, reading))
        elif size > TEXT_LIMIT_BYTES:
            message = f"text of {size:,} bytes is over the limit of {TEXT_LIMIT_BYTES:,}"
            found.append(Diagnostic("too-large", "error", message, Span(reading.shown(file))))
    return found


def irregular(file: str, reading: Reading) -> Diagnostic:
    """Return the error for a description that is no file."""
    shown = reading.shown(file)
    hint = "put a file in its place, or remove it"
    return Diagnostic("irregular-file", "error", f"`{shown}` is no regular file", Span(shown), hint)


def _is_awaited(file: str, mode: int) -> bool:
    """Return whether somebody waits for a writer. Without a reader, nobody can write at once (fifo(7), open(2))."""
    if not stat.S_ISFIFO(mode):
        return False
    with contextlib.suppress(OSError):
        os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        return True
    return False


def _descriptions(reading: Reading) -> Iterator[tuple[str, int, int]]:
    """Yield all in the project that may be a description, links followed: path, mode, and size in bytes."""
    waiting = [reading.library.folder]
    while waiting:
        # A folder that cannot be read is none to esbuild either.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.endswith(".json"):
                    with contextlib.suppress(OSError):
                        found = entry.stat()
                        if not stat.S_ISDIR(found.st_mode):
                            yield entry.path, found.st_mode, found.st_size

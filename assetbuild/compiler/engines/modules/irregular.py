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

__all__ = ["awaited", "fault", "unreadable"]


def awaited(reading: Reading) -> list[Diagnostic]:
    """Return an error for each FIFO that somebody waits for, where a description should be."""
    return [_irregular(file, reading) for file in _descriptions(reading) if _is_awaited(file)]


def unreadable(reading: Reading) -> list[Diagnostic]:
    """Return an error for each description that is no file, or one that the door would not let in."""
    return [found for file in _descriptions(reading) if (found := fault(file, reading))]


def fault(file: str, reading: Reading) -> Diagnostic | None:
    """Return the error for a description that is there and is no file, or one that the door would not let in."""
    try:
        status = os.stat(file)
    except OSError:  # gone meanwhile
        return None
    if not stat.S_ISREG(status.st_mode):
        return _irregular(file, reading)
    if status.st_size > TEXT_LIMIT_BYTES:
        message = f"text of {status.st_size:,} bytes is over the limit of {TEXT_LIMIT_BYTES:,}"
        return Diagnostic("too-large", "error", message, Span(reading.shown(file)))
    return None


def _irregular(file: str, reading: Reading) -> Diagnostic:
    shown = reading.shown(file)
    hint = "put a file in its place, or remove it"
    return Diagnostic("irregular-file", "error", f"`{shown}` is no regular file", Span(shown), hint)


def _is_awaited(file: str) -> bool:
    """Return whether somebody waits for a writer. Without a reader, nobody can write at once (fifo(7), open(2))."""
    with contextlib.suppress(OSError):
        if stat.S_ISFIFO(os.stat(file).st_mode):
            os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            return True
    return False


def _descriptions(reading: Reading) -> Iterator[str]:
    """Yield all in the project that may be a description: no folder, and no link that leads nowhere."""
    waiting = [reading.library.folder]
    while waiting:
        # A folder that cannot be read is none to esbuild either.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.endswith(".json") and os.path.exists(entry.path) and not entry.is_dir():
                    yield entry.path

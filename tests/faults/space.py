"""Space: a place for many short builds, and file systems that are full or may not be written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["scratch"]

_MEMORY = "/dev/shm"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder, in memory where the system has such a place, and remove it."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=place) as folder:
        yield Path(folder)

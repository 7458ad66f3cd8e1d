"""Waiting for what another process does: as long as it takes, within reason, and without a guess how long that is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

__all__ = ["until"]

_LIMIT_S = 20


def until(claim: Callable[[], object]) -> None:
    """Return when `claim` holds; fail if it still does not after a time that no machine needs."""
    deadline_s = time.monotonic() + _LIMIT_S
    while not claim():
        assert time.monotonic() < deadline_s
        os.sched_yield()

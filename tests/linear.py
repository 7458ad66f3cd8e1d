"""Whether a pattern can cost more than the length that it passes, seen in its parsed form: counted, never timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["gives_back", "steps"]


def steps(work: Callable[[], object]) -> int:
    """Return how many calls of functions some work takes, which no load of the machine changes."""
    count = 0

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def gives_back(parsed: Any) -> bool:
    """Whether a pattern holds a repetition without end whose matches are tried again in other lengths."""
    if isinstance(parsed, (list, tuple)) or hasattr(parsed, "data"):
        parts = parsed.data if hasattr(parsed, "data") else parsed
        for part in parts:
            if isinstance(part, tuple) and part and str(part[0]) == "ATOMIC_GROUP":
                # `(?>(?:…)*)` is how a group is repeated for good: what stands inside the repetition counts.
                inner = [each[1][2] if str(each[0]) == "MAX_REPEAT" else each for each in part[1]]
                if gives_back(inner if len(inner) == 1 else part[1]):
                    return True
            elif isinstance(part, tuple) and part and str(part[0]) in {"MAX_REPEAT", "MIN_REPEAT"}:
                if str(part[1][1]) == "MAXREPEAT" or gives_back(part[1][2]):
                    return True
            elif gives_back(part):
                return True
    return False

"""Kills: the whole group of a compile is killed at a random moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator

from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["kills"]


def kills(stage: Stage, count: int, *, seed: int = 1) -> Iterator[Fate]:
    """Kill `count` runs of two workers, each after a delay uniform over 1.2 times what one takes."""
    rng = random.Random(seed)
    run = stage.run(jobs=2)
    stage.reset()
    began_s = time.monotonic()
    stage.must(run)
    duration_s = time.monotonic() - began_s
    for _ in range(count):
        stage.reset()
        delay_s = rng.uniform(0, 1.2 * duration_s)
        pid = stage.forge.start(run)
        time.sleep(delay_s)  # the moment is the fault
        with contextlib.suppress(ProcessLookupError):  # before it leads a group
            os.killpg(pid, signal.SIGKILL)
        ended = stage.forge.finish(pid)
        fault = f"SIGKILL after {delay_s * 1000:.1f} ms"
        yield fate_of(stage, fault, ended, has_fired=ended.code == -signal.SIGKILL)

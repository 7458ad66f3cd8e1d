"""Crowd: several compiles into one output and one cache at once, while somebody reads what is published."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

from tests.faults.builds import reader, standing
from tests.faults.forge import Ended
from tests.faults.stage import Stage
from tests.faults.verdict import Fate, fate_of

__all__ = ["Watch", "crowd"]


class Watch:
    """Reads the output again and again in a thread, until the end of the block. seen: what stood there, how often."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        read = reader(self._stage.output)
        while not self._is_over.is_set():
            self.seen[standing(read, self._stage.old, self._stage.new)] += 1


def crowd(stage: Stage, rounds: int, *, seed: int = 1) -> Iterator[tuple[Fate, Counter[str]]]:
    """Give the fate of each round of two to eight compiles, and what its reader saw.

    In every other round half of them compile the old edition, in a project of its own.
    """
    rng = random.Random(seed)
    for number in range(rounds):
        stage.reset()
        count, is_mixed = rng.randint(2, 8), number % 2 == 1
        other = stage.write(stage.editions[0], "other") if is_mixed else None
        runs = [stage.run(jobs=rng.randint(1, 2), project=other if each % 2 else None) for each in range(count)]
        with Watch(stage) as watch:
            started = [stage.forge.start(run) for run in runs]
            ended = [stage.forge.finish(pid) for pid in started]
        fault = f"{count} compiles of {'two editions' if is_mixed else 'one edition'}"
        worst = max(ended, key=lambda each: (abs(each.code), "cache" in each.text))
        fate = fate_of(stage, fault, worst._replace(code=worst.code or -is_mixed), has_fired=True)
        wrongs = (*fate.wrongs, *_wrongs(worst, watch))
        yield fate._replace(ended=worst, wrongs=wrongs), watch.seen


def _wrongs(worst: Ended, watch: Watch) -> Iterator[str]:
    if worst.code != 0 or "cache" in worst.text:
        yield f"exit {worst.code}: {worst.text!r}"
    for what in watch.seen.keys() - {"old", "new"}:
        yield f"a reader saw it {what} {watch.seen[what]} times"

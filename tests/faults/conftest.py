"""A place for stages: in memory where there is such a file system, since thousands of runs sync what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.space import scratch
from tests.faults.stage import Editions, Stage


@pytest.fixture(scope="module")
def staged() -> Iterator[Callable[[Editions], Stage]]:
    """Return a function that gives a stage with a project in two editions."""
    with ExitStack() as stack:
        yield lambda editions: stack.enter_context(Stage(stack.enter_context(scratch()), editions))

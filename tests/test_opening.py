"""What a build works with is opened when it is needed, each thing for itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from assetbuild.compiler.opening import Services

_LIMIT_S = 20


class Engine:
    """A service that only counts how it ends."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.ends = 0

    def close(self) -> None:
        self.ends += 1
        if self.fault:
            raise OSError(self.fault)


def test_an_engine_that_is_slow_to_start_holds_up_no_other() -> None:
    is_other_there = threading.Event()

    def slow() -> Engine:
        assert is_other_there.wait(_LIMIT_S)
        return Engine()

    def quick() -> Engine:
        is_other_there.set()
        return Engine()

    with Services() as services, ThreadPoolExecutor(2) as pool:
        made = [pool.submit(services.kept, name, None, make) for name, make in (("slow", slow), ("quick", quick))]

        assert [0, 0] == [each.result(_LIMIT_S).ends for each in made]


def test_two_that_ask_for_one_engine_share_it() -> None:
    both = threading.Barrier(2)

    def asked(services: Services) -> Engine:
        both.wait(_LIMIT_S)
        return services.kept("engine", None, Engine)

    with Services() as services, ThreadPoolExecutor(2) as pool:
        one, other = pool.map(asked, [services, services])

    assert one is other
    assert 1 == one.ends


def test_an_engine_that_fails_to_end_keeps_none_of_the_others_open() -> None:
    broken, sound = Engine("stuck"), Engine()
    services = Services()
    services.kept("sound", None, lambda: sound)
    services.kept("broken", None, lambda: broken)

    with pytest.raises(OSError, match="stuck"):
        services.close()

    assert (1, 1) == (broken.ends, sound.ends)
    services.close()
    assert (1, 1) == (broken.ends, sound.ends)


def test_an_engine_made_of_something_else_takes_the_place_of_the_one_before() -> None:
    with Services() as services:
        before = services.kept("engine", "old", Engine)
        after = services.kept("engine", "new", Engine)

        assert (1, 0) == (before.ends, after.ends)

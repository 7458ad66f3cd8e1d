"""Rolling deploys in a real browser: pages of two releases, servers of two releases, and tabs that stay open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, chromium_browser
from tests.conftest import need
from tests.rolling import WAYS, releases, walk

NOTHING, NEW, BOTH = WAYS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one browser for all walks."""
    chromium = shutil.which("chromium")
    need("chromium", chromium is not None)
    with chromium_browser(chromium or "") as browser:
        yield browser


@pytest.mark.usefixtures("esbuild")
def test_two_releases_that_carry_each_other_miss_nothing(browser: Browser, tmp_path: Path) -> None:
    seen = walk(browser, *releases(tmp_path, BOTH))

    assert [] == seen.misses
    assert {} == seen.broken
    assert 40 == seen.requests


@pytest.mark.usefixtures("esbuild")
def test_a_new_release_that_carries_the_old_one_misses_only_what_old_servers_cannot_have(
    browser: Browser, tmp_path: Path
) -> None:
    one, two = releases(tmp_path, NEW)
    old = {f"/static/{file.relative_to(one)}" for file in one.rglob("*")}

    seen = walk(browser, one, two)

    assert seen.misses != []
    assert {*seen.misses}.isdisjoint(old)
    assert [] == [each for found in seen.broken.values() for each in found if each.startswith("one")]
    assert [] == seen.storable


@pytest.mark.usefixtures("esbuild")
def test_without_carry_pages_break_and_no_miss_may_be_stored(browser: Browser, tmp_path: Path) -> None:
    seen = walk(browser, *releases(tmp_path, NOTHING))

    assert seen.misses != []
    found = {each for found in seen.broken.values() for each in found}
    assert {"one has no style", "two has no style", "one has no lazy chunk"} <= found
    assert [] == seen.storable

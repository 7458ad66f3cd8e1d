"""Rolling deploys in a real browser: pages of two releases, servers of two releases, and tabs that stay open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, chromium_browser
from tests.conftest import need
from tests.rolling import WAYS, walk

NOTHING, NEW, ASKING_ON, BOTH = WAYS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one browser for all walks."""
    chromium = shutil.which("chromium")
    need("chromium", chromium is not None)
    with chromium_browser(chromium or "") as browser:
        yield browser


@pytest.mark.usefixtures("esbuild")
@pytest.mark.parametrize("way", [ASKING_ON, BOTH])
def test_pages_of_two_releases_miss_nothing_where_each_way_is_covered(
    browser: Browser, tmp_path: Path, way: str
) -> None:
    seen = walk(browser, way, tmp_path)

    assert [] == seen.misses
    assert {} == seen.broken
    assert (10, 40) == (seen.pages, seen.requests)


@pytest.mark.usefixtures("esbuild")
def test_a_new_release_that_carries_the_old_one_misses_only_what_old_servers_cannot_have(
    browser: Browser, tmp_path: Path
) -> None:
    seen = walk(browser, NEW, tmp_path)

    one = tmp_path / "one/build/assets"
    old = {f"/static/{file.relative_to(one)}" for file in one.rglob("*")}
    assert seen.misses != []
    assert {*seen.misses}.isdisjoint(old)
    assert {"two"} == {each.partition(" ")[0] for found in seen.broken.values() for each in found}
    assert [] == seen.storable


@pytest.mark.usefixtures("esbuild")
def test_without_carry_pages_break_and_no_miss_may_be_stored(browser: Browser, tmp_path: Path) -> None:
    seen = walk(browser, NOTHING, tmp_path)

    assert seen.misses != []
    assert {"one", "two"} == {each.partition(" ")[0] for found in seen.broken.values() for each in found}
    assert [] == seen.storable

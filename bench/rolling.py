"""A rolling deploy in a real browser: requests made, and what was not there, without `carry` and with it.

Two releases of a site, every file of which differs, behind a proxy that asks their servers in turn. A headless Chromium
loads pages of both and their lazy chunks; two tabs stay open and ask for theirs when only the new release is left.

    python bench/rolling.py
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path[0] = str(REPOSITORY)

from tests.browser import chromium_browser  # noqa: E402
from tests.rolling import WAYS, walk  # noqa: E402


def main() -> int:
    """Walk each way and print a row for it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("rolling.py needs chromium")
    os.environ["ASSETBUILD_CACHE"] = "off"
    print("| | requests for assets | 404 | of them storable | pages and tabs that broke |")
    print("|---|---|---|---|---|")
    with (
        chromium_browser(chromium) as browser,
        tempfile.TemporaryDirectory(prefix="rolling-") as folder,
    ):
        for number, way in enumerate(WAYS):
            seen = walk(browser, way, Path(folder, str(number)))
            cells = (way, seen.requests, len(seen.misses), len(seen.storable), f"{len(seen.broken)} of {seen.pages}")
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

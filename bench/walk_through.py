"""A walk-through of examples/ before and after its change: what the image holds, and what a browser asks for.

The commands of the walk's README are typed as they stand, in a copy. `assets in the image` are the files of its folders
of assets, `Python packages` what pip installed into the environment that runs, pip itself left out. `start` is from the
command of the server to the end of its first page, the median of the rounds. The visits are headless Chromium's: bytes
over the network, headers with them. `clone to page` is a clone of this repository from the disk, all commands, and the
first page; the wheel of assetbuild is there already, and the caches of pip and npm are as they are. `commands` are
those of a build, one by one where `&&` joins them; those of the change itself are typed once, and counted apart.

    python bench/walk_through.py flask [--rounds 5]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.browser import Visit, chromium_browser  # noqa: E402
from tests.walks import WALKS, Walk, changed, commands, copied, lines_changed, served, typed, words_of  # noqa: E402
from tests.wheels import built  # noqa: E402

_NOT_OURS = ("pip", "setuptools", "__pycache__")


class Measured(NamedTuple):
    """What one state of an application costs. assets, packages: number of files, and their bytes."""

    assets: tuple[int, int]
    packages: tuple[int, int]
    start_s: float
    first: Visit
    second: Visit
    commands: int
    page_s: float


def main() -> None:
    """Print the table of one walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walk", choices=sorted(WALKS))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    walk, words = WALKS[args.walk], words_of(WALKS[args.walk])
    with tempfile.TemporaryDirectory(prefix="walk-") as folder:
        wheel = built(Path(folder), isolated=True)
        asked = {"cloned_s": clone_s(Path(folder) / "clone"), "rounds": args.rounds}
        here = copied(walk, Path(folder) / "copy")
        before = measured(walk, words.before, walk.before, here, wheel, **asked)
        typed(words.change, here, wheel)
        after = measured(walk, words.after, walk.after, here, wheel, **asked)
    print(table(before, after, commands(words.change), *lines_changed(walk)))


def clone_s(folder: Path) -> float:
    """Return how long a clone takes."""
    began = time.perf_counter()
    subprocess.run(["git", "clone", "--quiet", f"file://{REPOSITORY}", str(folder)], check=True)
    return time.perf_counter() - began


def measured(
    walk: Walk, lines: Sequence[str], assets: Sequence[str], here: Path, wheel: Path, *, cloned_s: float, rounds: int
) -> Measured:
    """Type the commands, and return what they make."""
    began = time.perf_counter()
    typed(lines[:-1], here, wheel)
    typed_s = time.perf_counter() - began
    starts_s = [start_s(walk, lines[-1], here) for _ in range(rounds)]
    with served(lines[-1], here) as server, chromium_browser(shutil.which("chromium") or "") as browser:
        first, second = (browser.look(server.url + walk.page, ready=walk.ready) for _ in range(2))
    packages = next((here / ".venv/lib").glob("*/site-packages"))
    return Measured(
        total(here / name for name in assets),
        total(each for each in packages.iterdir() if not each.name.startswith(_NOT_OURS)),
        statistics.median(starts_s),
        first,
        second,
        commands(lines),
        cloned_s + typed_s + starts_s[0],
    )


def start_s(walk: Walk, line: str, here: Path) -> float:
    """Return how long the server takes from its command to the last byte of its first page."""
    began = time.perf_counter()
    with served(line, here) as server, urllib.request.urlopen(server.url + walk.page) as page:
        page.read()
        return time.perf_counter() - began


def total(folders: Iterable[Path]) -> tuple[int, int]:
    """Return how many files are there, and their bytes."""
    files = [file for each in folders for file in ([each] if each.is_file() else each.rglob("*")) if file.is_file()]
    counted = [file.stat().st_size for file in files if "__pycache__" not in file.parts]
    return len(counted), sum(counted)


def table(before: Measured, after: Measured, typed_once: int, added: int, taken: int) -> str:
    """Return the figures as Markdown."""
    rows = [
        (
            "assets in the image",
            *(f"{count} files, {size / 1e3:.1f} kB" for count, size in (before.assets, after.assets)),
        ),
        ("Python packages in the image", *(f"{size / 1e6:.1f} MB" for _, size in (before.packages, after.packages))),
        ("start to the first page", *(f"{each.start_s:.2f} s" for each in (before, after))),
        ("first visit", *(visited(each.first) for each in (before, after))),
        ("second visit", *(visited(each.second) for each in (before, after))),
        ("commands", *(str(each.commands) for each in (before, after))),
        ("clone to page", *(f"{each.page_s:.0f} s" for each in (before, after))),
    ]
    lines = ["| | before | after |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, "", changed(typed_once, added, taken)])


def visited(visit: Visit) -> str:
    """Return how much came over the network."""
    return f"{visit.received_bytes / 1e3:.1f} kB"


if __name__ == "__main__":
    main()

"""`python -m tests.faults`: the campaign, one line for each class of faults; exit 1 if a promise was broken."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.conftest import pinned
from tests.faults import shim
from tests.faults.crowd import crowd
from tests.faults.durability import cost
from tests.faults.kills import kills
from tests.faults.peers import PEERS, row
from tests.faults.power import lost
from tests.faults.space import full, read_only, scratch
from tests.faults.stage import ENGINES, LEVELS, PLAIN, SMALL, Editions, Stage
from tests.faults.traced import ERRORS, KILL, calls_of, faults, strike
from tests.faults.verdict import Fate, Tally, tally


class Form(NamedTuple):
    """How much is done. every: each n-th point of what strace does, 0 for what `is_full` says of it.

    calls: the system calls that it hits, none for all.
    """

    is_full: bool
    every: int
    calls: tuple[str, ...]


_IS_INSIDE = "FAULTS_INSIDE_A_NAMESPACE"


def _traced(stage: Stage, name: str, form: Form, step: int, *, is_ours: bool = True) -> Iterator[Tally]:
    stage.reset()
    calls = calls_of(stage.forge, stage.run())
    wanted = {call: count for call, count in calls.items() if not form.calls or call in form.calls}
    found = list(faults(wanted, step=form.every or step))
    for what in (KILL, *ERRORS):
        for is_lasting in (False, True):
            chosen = [fault for fault in found if (fault.what, fault.is_lasting) == (what, is_lasting)]
            if chosen:
                yield _told(
                    f"{name}: {what}{' from then on' * is_lasting}",
                    (strike(stage, fault, is_ours=is_ours) for fault in chosen),
                )


def _strace(form: Form) -> Iterator[Tally]:
    with _staged(PLAIN) as stage:
        yield from _traced(stage, "strace", form, 1 if form.is_full else 97)


def _levels(form: Form) -> Iterator[Tally]:
    with _staged(LEVELS, profile="fast") as stage:
        yield from _traced(stage, "another level", form, 1 if form.is_full else 97)
        for what in (shim.DEATH, "EIO"):
            fates = shim.strikes(stage, what, step=1 if form.is_full else 29)
            yield _told(f"another level, shim: {what}", fates)
        fates = lost(stage, 1000 if form.is_full else 50, healed_every=500 if form.is_full else 200)
        yield _told("another level: power loss", fates)


def _engines(form: Form) -> Iterator[Tally]:
    esbuild = pinned("esbuild")
    if esbuild is None:
        sys.exit("engines: needs esbuild")
    with _staged(ENGINES) as stage:
        yield from _traced(stage, "with Sass and esbuild", form, 40 if form.is_full else 400, is_ours=False)


def _shim(form: Form) -> Iterator[Tally]:
    for name, editions in (("small", SMALL), ("plain", PLAIN)):
        with _staged(editions) as stage:
            for what in ("EIO", "ENOSPC", "EACCES", "EMFILE", shim.DEATH, shim.SHORT):
                for is_lasting in (False, True):
                    if what == shim.DEATH and is_lasting:
                        continue
                    fates = shim.strikes(stage, what, is_lasting=is_lasting, step=1 if form.is_full else 29)
                    yield _told(f"shim, {name}: {what}{' from then on' * is_lasting}", fates)


def _kills(form: Form) -> Iterator[Tally]:
    with _staged(PLAIN) as stage:
        yield _told("random SIGKILLs of the group", kills(stage, 1000 if form.is_full else 40))


def _power(form: Form) -> Iterator[Tally]:
    for name, editions in (("small", SMALL), ("plain", PLAIN)):
        with _staged(editions) as stage:
            fates = lost(stage, 1000 if form.is_full else 50, healed_every=500 if form.is_full else 200)
            yield _told(f"power loss, {name}", fates)


def _space(form: Form) -> Iterator[Tally]:
    with _staged(PLAIN) as stage:
        yield _told("full disk", full(stage, step=2 if form.is_full else 37))
        yield _told("read-only", read_only(stage))


def _crowd(form: Form) -> Iterator[Tally]:
    with _staged(PLAIN) as stage:
        seen: Counter[str] = Counter()

        def counted() -> Iterator[Fate]:
            for fate, looks in crowd(stage, 200 if form.is_full else 8):
                seen.update(looks)
                yield fate

        yield _told("two to eight at once", counted())
        print(f"  a reader saw: {', '.join(f'{what} {count} times' for what, count in sorted(seen.items()))}")


def _peers(form: Form) -> Iterator[Tally]:
    print("| command | fault | points | torn file under a final name | re-run fails | still wrong after it |")
    print("|---|---|---|---|---|---|")
    for name in PEERS:
        for what in (KILL, "ENOSPC", "EIO"):
            with scratch() as folder:
                print(row(name, what, folder, limit=40 if form.is_full else 4), flush=True)
    yield Tally()


def _durability(form: Form) -> Iterator[Tally]:
    with tempfile.TemporaryDirectory(prefix="faults-", dir=".") as folder:
        durable_s, loose_s = cost(Path(folder), rounds=15 if form.is_full else 3)
    print(f"publish 500 files of 8 kB: {durable_s:.3f} s durable, {loose_s:.3f} s not: {durable_s / loose_s:.2f} x")
    yield Tally()


_CLASSES: dict[str, Callable[[Form], Iterator[Tally]]] = {
    "strace": _strace,
    "levels": _levels,
    "engines": _engines,
    "shim": _shim,
    "kills": _kills,
    "power": _power,
    "space": _space,
    "crowd": _crowd,
    "peers": _peers,
    "durability": _durability,
}


@contextmanager
def _staged(editions: Editions, profile: str = "production") -> Iterator[Stage]:
    with scratch() as folder, Stage(folder, editions, profile=profile) as stage:
        yield stage


def _told(name: str, fates: Iterator[Fate]) -> Tally:
    total = tally(fates)
    print(f"{name:<40} {total}", flush=True)
    for wrong in total.wrongs:
        print(f"  WRONG {wrong}")
    return total


def main() -> int:
    """Run the classes that are asked for and return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("classes", nargs="*", metavar="CLASS", help=f"of {', '.join(_CLASSES)} (default: all)")
    parser.add_argument("--full", action="store_true", help="every point, and not a few of each class")
    parser.add_argument(
        "--every", type=int, default=0, metavar="N", help="of strace, levels and engines, only each N-th point"
    )
    parser.add_argument("--calls", default="", metavar="NAME,…", help="of them, only these system calls")
    args = parser.parse_args()
    if unknown := sorted({*args.classes} - {*_CLASSES}):
        parser.error(f"no class of faults: {', '.join(unknown)}")
    if "space" in (args.classes or _CLASSES) and _IS_INSIDE not in os.environ:
        return _inside(sys.argv[1:])
    form = Form(args.full, args.every, tuple(filter(None, args.calls.split(","))))
    totals = [total for name in args.classes or _CLASSES for total in _CLASSES[name](form)]
    return int(any(total.wrongs for total in totals))


def _inside(arguments: list[str]) -> int:
    """Run this command again in a namespace of mounts, as its root."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *mapped, sys.executable, "-m", "tests.faults", *arguments]
    return subprocess.run(command, env={**os.environ, _IS_INSIDE: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

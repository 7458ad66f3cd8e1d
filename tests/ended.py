"""`python -m tests.ended`: commands that are told to end at a random moment, and what becomes of them.

Each command of the table runs in every engine's company, is hit by each blow at moments spread evenly at random over
its whole life, and is judged: exit code, words, processes, temporary files, and the build that the output holds.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.builds import build_of, files_in, leftovers, reader, standing
from tests.faults.stage import ENGINES, Edition

__all__ = ["BLOWS", "COMMANDS", "EVERY_ENGINE", "SIGNALS", "Fate", "Yard", "struck"]

SIGNALS = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}
BLOWS = (*SIGNALS, "closed", "twice")
"""A signal, both streams closed by who read them, or a signal and at once another one."""
COMMANDS = ("compile", "check", "verify", "watch")

_GONE_S = 1.0
_PATIENCE_S = 20.0
_READER_GONE = 141
_PR_SET_CHILD_SUBREAPER = 36
_WHOLE = ("old", "new")

_MORE: Edition = {
    "assetbuild.toml": b"""
[entries]
"js/app.js" = { module = "js/app.ts" }
"js/old.js" = { classic = ["js/one.js", "js/two.js"] }
"css/low.css" = { sources = ["css/low.css"], engine = "esbuild" }
"css/libsass.css" = { sources = ["css/libsass.scss"], engine = "libsass" }
"css/filters.css" = { sources = ["css/filters.scss"], filters = ["libsass", "rcssmin"] }
[css]
engine = "esbuild"
targets = ["chrome109"]
[sourcemaps]
mode = "public"
""",
    "assets/js/one.js": b"var one = function () { return 1; };\n" * 400,
    "assets/js/two.js": b"var two = one() + one();\n",
    "assets/css/low.css": b".a { .b { color: red } }\n" * 900,
    "assets/css/libsass.scss": b".c { .d { color: blue } }\n" * 900,
    "assets/css/filters.scss": b".e { .f { color: green } }\n" * 900,
    "assets/large.txt": "".join(f"{number * number:x}" for number in range(20_000)).encode(),
}

_EDITIONS = tuple(
    {path: body for path, body in {**each, **_MORE}.items() if isinstance(body, bytes)} for each in ENGINES
)
EVERY_ENGINE = _EDITIONS[0]
"""A project for every engine: path → what a file holds."""


class Fate(NamedTuple):
    """What a blow did. delay_s: after the start of the command. faults: what may not be, in words."""

    command: str
    blow: str
    delay_s: float
    code: int
    faults: tuple[str, ...]


class Yard:
    """A project of every engine, its old build, and a cache without anything.

    lives_s: how long each command takes that was measured.
    """

    def __init__(self, folder: Path) -> None:
        self.project = folder / "state/project"
        self.lives_s: dict[str, float] = {}
        self._start = folder / "start"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._environ = {
            **os.environ,
            "ASSETBUILD_CACHE": str(folder / "state/cache"),
            "TMPDIR": str(self.temporary),
        }
        builds = []
        for edition in (1, 0):
            _write(_EDITIONS[edition], self.project)
            shutil.rmtree(self.project / "build", ignore_errors=True)
            argv = self._argv("compile")
            made = subprocess.run(argv, env=self._environ, capture_output=True, text=True, cwd=folder, check=False)
            assert made.returncode == 0, made.stderr
            builds.append(build_of(files_in(self.project / "build/assets")))
        self.new, self.old = builds
        shutil.rmtree(folder / "state/cache")
        _write(_EDITIONS[1], self.project)
        shutil.copytree(folder / "state", self._start)
        self.state = folder / "state"

    def reset(self) -> None:
        """Set back the old build, the new sources, the empty cache and the empty folder for temporary files."""
        for folder in (self.state, *self.temporary.iterdir()):
            shutil.rmtree(folder)
        shutil.copytree(self._start, self.state)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command whose two streams somebody reads."""
        return subprocess.Popen(
            self._argv(command),
            env=self._environ,
            cwd=self._start.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _argv(self, command: str) -> list[str]:
        where = self.project / "build/assets" if command == "verify" else self.project
        options = {"verify": [], "watch": ["--jobs", "2", "--port", "0"]}.get(command, ["--jobs", "2"])
        return [sys.executable, "-m", "assetbuild", command, *options, str(where)]


def struck(yard: Yard, command: str, blow: str, count: int, *, seed: int = 1) -> Iterator[Fate]:
    """Yield what `count` blows do to a command."""
    rng = random.Random(f"{seed} {command} {blow}")
    if command not in yard.lives_s:
        yard.lives_s[command] = _life_s(yard, command)
    life_s = yard.lives_s[command]
    for number in range(count):
        yield _struck(yard, command, blow, life_s * (number + rng.random()) / count)


def _life_s(yard: Yard, command: str) -> float:
    """Return how long the command takes by itself; a watch is over when its first build is."""
    yard.reset()
    began_s = time.monotonic()
    with yard.start(command) as process:
        assert process.stderr is not None
        if command == "watch":
            any(b"compiled" in line for line in process.stderr)
            life_s = time.monotonic() - began_s
            process.terminate()
        process.communicate(timeout=_PATIENCE_S)
    return life_s if command == "watch" else time.monotonic() - began_s


def _struck(yard: Yard, command: str, blow: str, delay_s: float) -> Fate:
    yard.reset()
    with _adopting() as known:
        process = yard.start(command)
        time.sleep(delay_s)  # the moment is the blow
        text, is_hung = _hit(process, command, blow)
        faults = [f"`{name}` was still there after {_GONE_S:g} s" for name in _orphans(known)]
    if is_hung:
        faults.append("did not end")
    code = process.returncode
    if not _is_before_us(text):
        if code not in _codes(command, blow):
            faults.append(f"exit code {code}")
        if b"Traceback" in text or b"Exception ignored" in text:
            faults.append("a traceback: " + text.decode("utf-8", "replace"))
    faults += [f"left {Path(file).name}" for file in leftovers(yard.state)]
    faults += [f"left {folder.name}" for folder in yard.temporary.iterdir()]
    found = standing(reader(yard.project / "build/assets"), yard.old, yard.new)
    if found not in _WHOLE or (found == "old" and code == 0 and command == "compile"):
        faults.append(f"the output is {found}")
    return Fate(command, blow, delay_s, code, tuple(faults))


def _hit(process: subprocess.Popen[bytes], command: str, blow: str) -> tuple[bytes, bool]:
    """Strike; return what the command had said, and whether it had to be killed."""
    assert process.stdout is not None
    assert process.stderr is not None
    if blow == "closed":
        process.stdout.close()
        process.stderr.close()
        if command == "watch":  # which has nothing to say until something changes
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GONE_S)
            process.terminate()
    else:
        process.send_signal(signal.SIGTERM if blow == "twice" else signal.Signals[blow])
        if blow == "twice":
            time.sleep(0.002)
            process.send_signal(signal.SIGINT)
    try:
        said = process.communicate(timeout=_PATIENCE_S) if blow != "closed" else (b"", b"")
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return b"", True
    return b"".join(part for part in said if part), False


def _codes(command: str, blow: str) -> set[int]:
    """Return how a command may end: at once, or before the blow came. Until its code runs, the system's handlers do."""
    done = {0} if command != "watch" else set()
    if blow == "closed":
        return {0, _READER_GONE, SIGNALS["SIGTERM"], -signal.SIGTERM} if command == "watch" else {0, _READER_GONE}
    if blow == "twice":  # two signals that wait at once are delivered in the order of their numbers
        return done | {SIGNALS["SIGTERM"], SIGNALS["SIGINT"], -signal.SIGTERM, -signal.SIGINT}
    return done | {SIGNALS[blow], -signal.Signals[blow]}


def _is_before_us(text: bytes) -> bool:
    """Return whether an interrupt hit the interpreter before it called our first function, and so was its own."""
    return text.rstrip().endswith(b"KeyboardInterrupt") and b"in process\n" not in text


@contextlib.contextmanager
def _adopting() -> Iterator[set[int]]:
    """Have orphans handed to this process (prctl(2)); give the children that it has already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield set(_children())
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _orphans(known: set[int]) -> list[str]:
    """Return the names of adopted processes that outlive the patience; they are killed."""
    until_s = time.monotonic() + _GONE_S
    while left := [pid for pid in _children() if pid not in known]:
        for pid in left:
            os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > until_s:
            names = [_name(pid) for pid in left]
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return names
        time.sleep(0.01)
    return []


def _children() -> list[int]:
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in task.read_text().split()]


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:120]


def _write(edition: Mapping[str, bytes], folder: Path) -> None:
    for path, body in edition.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def _row(fates: Sequence[Fate]) -> str:
    codes = Counter(fate.code for fate in fates)
    told = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    wrong = sum(bool(fate.faults) for fate in fates)
    return f"{fates[0].command:<8} {fates[0].blow:<8} {len(fates):>4} blows  {wrong:>3} wrong   exit codes {told}"


def main(argv: Sequence[str] | None = None) -> int:
    """Strike and tell; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.ended", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=50, help="blows of each kind for each command")
    known = [*COMMANDS, *BLOWS]
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"of {', '.join(known)} (default: all)")
    args = parser.parse_args(argv)
    if unknown := sorted({*args.words} - {*known}):
        parser.error(f"no command and no blow: {', '.join(unknown)}")
    commands: Iterable[str] = [each for each in COMMANDS if each in args.words] or COMMANDS
    blows: Iterable[str] = [each for each in BLOWS if each in args.words] or BLOWS
    is_good = True
    # What a shell starts in the background ignores it, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="ended-") as folder:
        yard = Yard(Path(folder))
        for command in commands:
            for blow in blows:
                fates = list(struck(yard, command, blow, args.count))
                sys.stdout.write(f"{_row(fates)}\n")
                if blow in SIGNALS and not any(fate.code for fate in fates):
                    is_good = False
                    sys.stdout.write("    no blow has hit anything\n")
                for fate in fates:
                    for fault in fate.faults:
                        is_good = False
                        sys.stdout.write(f"    after {fate.delay_s * 1000:.0f} ms: {fault}\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())

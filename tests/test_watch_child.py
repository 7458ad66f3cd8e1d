"""`assetbuild watch -- COMMAND`: it starts when there is a build, has the terminal, and nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild.cli import main
from tests.conftest import Tree
from tests.patience import until
from tests.watching import PATIENCE_S, Watch, watching

SITE = {"assets/css/app.scss": "body { color: red }\n", "assetbuild.toml": ""}

# Says that it runs, and what it was told; ends with 7 at SIGTERM, as servers end with a code of their own.
SERVER = """
import os, signal, subprocess, sys, time
def told(signum, frame):
    open("told", "a").write(signal.Signals(signum).name)
    sys.exit(7)
for name in ("SIGTERM", "SIGINT", "SIGHUP"):
    signal.signal(getattr(signal, name), told)
child = subprocess.Popen(["sleep", "7777"])
open("pids.new", "w").write(f"{os.getpid()} {child.pid}")
os.rename("pids.new", "pids")
while True:
    time.sleep(60)
"""


@pytest.fixture
def site(tree: Tree) -> Path:
    return tree(SITE)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def serving(site: Path, code: str = SERVER) -> Iterator[tuple[Watch, list[int]]]:
    """Give the command watching a project, and the processes of the server that it has started."""
    with watching(site, "--", sys.executable, "-c", code) as watch:
        until((site / "pids").exists)
        yield watch, [int(pid) for pid in (site / "pids").read_text().split()]


def test_a_command_that_ends_ends_the_watch_with_its_code(site: Path) -> None:
    with watching(site, "--", "sh", "-c", "exit 3") as watch:
        assert 3 == watch.process.wait(PATIENCE_S)


def test_a_command_that_a_signal_ends_gives_the_code_of_a_shell(site: Path) -> None:
    with watching(site, "--", "sh", "-c", "kill -SEGV $$") as watch:
        assert 139 == watch.process.wait(PATIENCE_S)


def test_a_command_is_told_where_the_build_and_live_reload_are(site: Path) -> None:
    code = "import json, os; json.dump({n: v for n, v in os.environ.items() if 'ASSETBUILD' in n}, open('told', 'w'))"
    with watching(site, "--", sys.executable, "-c", code) as watch:
        assert 0 == watch.process.wait(PATIENCE_S)

        told = json.loads((site / "told").read_text())
    assert {
        "ASSETBUILD_CACHE": "off",
        "ASSETBUILD_LIVE": f"http://127.0.0.1:{watch.port}/assetbuild/live.js",
        "ASSETBUILD_MANIFEST": str(site / "build/assets/manifest.json"),
        "ASSETBUILD_RELOAD": "1",
    } == {name: value for name, value in told.items() if name != "ASSETBUILD_REQUIRE_TOOLS"}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_passed_on_and_the_code_is_that_of_the_command(site: Path, signum: signal.Signals) -> None:
    with serving(site) as (watch, pids):
        assert 7 == watch.end(signum)

        assert signum.name == (site / "told").read_text()
        until(lambda: not any(map(is_alive, pids)))


def test_a_watch_that_is_killed_takes_the_command_with_it(site: Path) -> None:
    with serving(site) as (watch, pids):
        watch.process.kill()

        until(lambda: not any(map(is_alive, pids)))


def test_a_command_that_dies_leaves_nothing_that_it_started(site: Path) -> None:
    with serving(site) as (watch, pids):
        os.kill(pids[0], signal.SIGKILL)

        assert 137 == watch.process.wait(PATIENCE_S)
        until(lambda: not any(map(is_alive, pids)))


def test_an_error_in_the_sources_does_not_end_the_command_and_a_build_does_not_restart_it(site: Path) -> None:
    with serving(site) as (watch, pids):
        (site / "assets/css/app.scss").write_text("body { color: $none }\n")
        watch.until("error")
        (site / "assets/css/app.scss").write_text("body { color: blue }\n")
        watch.until("the error is gone")

        assert all(map(is_alive, pids))
        assert str(pids[0]) == (site / "pids").read_text().split()[0]


def test_a_command_waits_for_the_first_build_that_succeeds(site: Path) -> None:
    (site / "assets/css/app.scss").write_text("body { color: $none }\n")
    with watching(site, "--", "sh", "-c", "test -e build/assets/manifest.json && exit 4") as watch:
        watch.until("starts as soon as")

        (site / "assets/css/app.scss").write_text("body { color: blue }\n")

        assert 4 == watch.process.wait(PATIENCE_S)


def test_a_command_that_is_not_there_is_told(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["watch", str(site), "--port", "0", "--", "nobody-has-this", "--port", "1"])

    assert capfd.readouterr().err.endswith(
        "error: `nobody-has-this` does not start: no such file or directory\n"
        "  what stands after `--` is run as it is, without a shell\n"
    )


def test_nothing_after_the_dashes_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["watch", "--"])

    assert capfd.readouterr().err == (
        "error: no command stands after `--`\n  `assetbuild watch --help` shows what it takes\n"
    )


# What a shell does with a job: it gets the terminal, and the shell is told when it stops.
SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = subprocess.Popen(sys.argv[1:], process_group=0, preexec_fn=lambda: signal.signal(signal.SIGTTOU, signal.SIG_DFL))
os.tcsetpgrp(0, job.pid)
while True:
    _, status = os.waitpid(job.pid, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    if not os.WIFSTOPPED(status):
        break
    print("the job has stopped", flush=True)
    input()
    os.tcsetpgrp(0, job.pid)
    os.killpg(job.pid, signal.SIGCONT)
print("the job has ended with", os.waitstatus_to_exitcode(status), flush=True)
"""


class Typist:
    """Somebody at a terminal in which a command runs as a job of a shell."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-c", SHELL, *command])
        self.seen = ""

    def until(self, text: str) -> str:
        """Return what is seen up to `text`, which was not seen before."""
        deadline_s = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < deadline_s, self.seen
            if select.select([self.terminal], [], [], 1)[0]:
                self.seen += os.read(self.terminal, 1 << 16).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


INTERACTIVE = """
import sys
while True:
    try:
        print("got", input("? "), flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(9)
"""


def test_a_terminal_is_the_commands_own(site: Path) -> None:
    """What is typed, Ctrl-Z and Ctrl-C reach it; a shell sees its job stop, go on and end."""
    watch = [sys.executable, "-m", "assetbuild", "watch", "--port", "0"]
    typist = Typist([*watch, "--", sys.executable, "-c", INTERACTIVE], site)
    try:
        typist.until("? ")
        typist.type("breakpoint\n")
        typist.until("got breakpoint")
        typist.until("? ")

        typist.type("\x1a")
        typist.until("the job has stopped")
        typist.type("\n")
        typist.type("again\n")
        typist.until("got again")

        typist.type("\x03")
        typist.until("interrupted")
        typist.until("the job has ended with 9")
    finally:
        typist.close()

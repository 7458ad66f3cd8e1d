"""Forge: an interpreter that has imported everything forks one run of a command for each request.

So a run begins in a few milliseconds, and the first call that a fault can hit is one of the command and not of the
interpreter's start. A run may be held until somebody looks on, is the leader of a group, and prints into a file.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Self

__all__ = ["ASSETBUILD", "Ended", "Forge", "Run"]

ASSETBUILD = "assetbuild.cli:main"

_PATIENCE_S = 60
_PR_SET_PTRACER, _ANY = 0x59616D61, 2**64 - 1  # linux/prctl.h


class Run(NamedTuple):
    """What to run. environ: everything that the process sees. uid: of another user than ours, 0 for ours."""

    argv: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    uid: int = 0


class Ended(NamedTuple):
    """How a run ended. code: as `subprocess` gives it, negative for a signal. text: what it printed, both streams.

    is_hung: it had not ended after a minute, and was killed with its group.
    """

    code: int
    text: str
    is_hung: bool = False


class Forge:
    """Forks runs of `target`, written `module:function`; the function gets the arguments and returns the exit code.

    rehearsal: a run whose imports all later runs find done.
    """

    def __init__(self, target: str, rehearsal: Run) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forge-")
        self._reports: dict[int, Path] = {}
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__, target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.rehearsed = self.finish(self.start(rehearsal, is_rehearsal=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._server, contextlib.suppress(BrokenPipeError):
            assert self._server.stdin
            self._server.stdin.close()
        self._folder.cleanup()

    def start(self, run: Run, *, is_held: bool = False, is_rehearsal: bool = False) -> int:
        """Begin a run and return its process, the leader of a new group. is_held: it waits for a SIGCONT."""
        report = Path(self._folder.name, str(len(self._reports)))
        report.touch()
        request = {**run._asdict(), "folder": str(run.folder), "report": str(report)}
        answer = self._ask({**request, "is_held": is_held, "is_rehearsal": is_rehearsal})
        self._reports[answer] = report
        return answer

    def finish(self, pid: int) -> Ended:
        """Wait until a run has ended."""
        patience = threading.Timer(_PATIENCE_S, os.killpg, (pid, signal.SIGKILL))
        patience.start()
        code = self._ask({"pid": pid})
        is_hung = not patience.is_alive()
        patience.cancel()
        patience.join()
        return Ended(code, self._reports[pid].read_text(errors="replace"), is_hung)

    def run(self, run: Run) -> Ended:
        """Run to the end."""
        return self.finish(self.start(run))

    def _ask(self, request: Mapping[str, object]) -> int:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


def _serve(target: str) -> None:
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    module, _, name = target.partition(":")
    main = getattr(importlib.import_module(module), name)
    for line in iter(requests.readline, ""):
        request = json.loads(line)
        if "pid" in request:
            _, status = os.waitpid(request["pid"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                os.close(requests.fileno())
                os.close(answers.fileno())
                _be(request, main)
            if request["is_rehearsal"]:
                os.waitid(os.P_PID, answer, os.WEXITED | os.WNOWAIT)
                _import(Path(request["report"] + ".modules").read_text().split())
                gc.collect()
                gc.freeze()  # what no run collects is not copied for it either
            elif request["is_held"]:
                os.waitid(os.P_PID, answer, os.WSTOPPED)
        print(answer, file=answers, flush=True)


def _be(request: dict[str, Any], main: Any) -> NoReturn:
    os.setsid()
    report = os.open(request["report"], os.O_WRONLY | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, stream in ((nothing, 0), (report, 1), (report, 2)):
        os.dup2(descriptor, stream)
    os.close(report)
    os.close(nothing)
    if request["uid"]:
        os.setgroups([])
        os.setgid(request["uid"])
        os.setuid(request["uid"])
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["folder"])
    if request["is_held"]:
        # Yama, where it is on, lets only ancestors look on; elsewhere the call is refused and not needed.
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANY), 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    code = main(request["argv"])
    if request["is_rehearsal"]:
        Path(request["report"] + ".modules").write_text("\n".join(sys.modules))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the command is over; what an interpreter takes down at its end is not its own


def _import(names: Sequence[str]) -> None:
    for name in names:
        # A module may want what only a run has, such as Django's settings; then each run imports it itself.
        with contextlib.suppress(Exception):
            importlib.import_module(name)


if __name__ == "__main__":
    _serve(sys.argv[1])

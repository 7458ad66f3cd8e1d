"""What a build costs: CPU of its whole process tree, wall time, and the memory of its largest process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from builds.peers.base import SCRIPTS, Plan

__all__ = ["BuildFailed", "Cost", "cost_of"]

_LIMIT_S = 900
_TAIL = 600  # characters of a log that are shown


class Cost(NamedTuple):
    """One run. Nobody's peak is seen below 10 MB, which is what the process that counts has."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class BuildFailed(Exception):
    """A tool that did not build. Its text is the end of what it said."""


def cost_of(plan: Plan, log: Path) -> Cost:
    """Run a plan and return what it cost; raise `BuildFailed`. The disk is idle when it begins."""
    os.sync()
    begun_at = log.stat().st_size if log.exists() else 0
    command = [sys.executable, "-I", "-S", str(SCRIPTS / "counted.py"), str(log), json.dumps(plan.commands)]
    environ = {**os.environ, "CI": "1", **plan.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode; a checkout must keep its own
    with subprocess.Popen(
        command,
        cwd=plan.folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate(timeout=_LIMIT_S)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise BuildFailed(f"not done after {_LIMIT_S} s") from error
            raise
    found = json.loads(told)
    if found.pop("code"):
        said = log.read_bytes()[begun_at:].decode(errors="replace").strip() if log.exists() else ""
        raise BuildFailed(said[-_TAIL:] or "failed without a word")
    return Cost(**found)

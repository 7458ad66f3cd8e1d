"""The oracles: one run of the real command over a hostile project, and all that is wrong with it.

The command runs in a session of its own. Whatever it leaves behind is handed to this process (PR_SET_CHILD_SUBREAPER,
prctl(2)), so no process that it started can hide, wherever its parent went.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.release.verify import verify
from tests.hostile.case import PUBLISHED, SECRET, Case

__all__ = ["Verdict", "judged", "old_build"]

OUTPUT = "build/assets"
_SAID_LIMIT_BYTES = 100_000
"""A message names a place; it does not carry the file."""

_POLL_S = 0.01
_DYING_S = 3.0
_PR_SET_CHILD_SUBREAPER = 36
_FOREIGN = (SECRET.encode(), b"root:x:0:0")
_RULE = re.compile(r"^error: .*\[([a-z0-9-]+)\]$", re.MULTILINE)
_CHANGED = re.compile("changed while it was being compiled")  # what ends a publish has no name
_LIMITS = {
    "engine-memory": " MB",
    "engine-timeout": "0 s",
    "too-deep": "deeper than ",
    "too-large": " over the limit of ",
    "too-many-imports": "deeper than 200 or bring in more than 20,000",
    "too-many-messages": "100,000",
}
"""What the error of each limit has to say: how much is too much."""


class Verdict(NamedTuple):
    """What a run came to. rules: of the errors that were shown. faults: what no run may do, in words."""

    exit_code: int
    rules: tuple[str, ...]
    wall_s: float
    cpu_s: float
    peak_bytes: int
    stderr: str
    faults: tuple[str, ...]


def old_build(folder: Path) -> Path:
    """Return the output of a harmless project: what stands there before each hostile one, and must outlive it."""
    project = folder / "harmless"
    (project / "assets").mkdir(parents=True)
    (project / "assets/harmless.txt").write_text("harmless")
    subprocess.run([sys.executable, "-m", "assetbuild", "compile", project], check=True, capture_output=True)
    return project / OUTPUT


def judged(case: Case, folder: Path, old: Path) -> Verdict:
    """Return the verdict on `case`, written to the new folder `folder`. old: of `old_build`."""
    project = folder / "project"
    _plant(folder)
    _write(case, project, old)
    before = _digests(project / OUTPUT)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _adopting() as known:
        exit_code, wall_s, usage = _run(case, project, out.fileno(), err.fileno())
        faults = [f"left the process `{name}` behind" for name in _orphans(known)]
        said = [_said(stream.fileno()) for stream in (out, err)]
    stderr = said[1].decode("utf-8", "replace")
    rules = tuple(dict.fromkeys([*_RULE.findall(stderr), *_CHANGED.findall(stderr)]))
    faults += _ending(case, exit_code, wall_s)
    faults += _words(case, exit_code, stderr, said[0], rules)
    faults += _output(case, exit_code, project / OUTPUT, before)
    return Verdict(exit_code, rules, wall_s, usage[0], usage[1], stderr, tuple(faults))


def _plant(folder: Path) -> None:
    """Put what must not be read beside the project, in every language that might be read by mistake."""
    outside = folder / "outside"
    outside.mkdir(parents=True)
    for name in ("o.css", "_o.scss", "o.scss", "o.js", "o.ts", "o.json", "o.svg", "o.txt", "o.sass", "o.png", "o.map"):
        text = f'{{"{SECRET}": 1, ' if name in ("o.json", "o.map") else f"{SECRET} {{"
        (outside / name).write_text(text)


def _write(case: Case, project: Path, old: Path) -> None:
    files = {"assets/harmless.txt": "harmless", **case.files()}
    for name, content in files.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    shutil.copytree(old, project / OUTPUT, dirs_exist_ok=True)
    if case.write is not None:
        case.write(project)


def _run(case: Case, project: Path, out: int, err: int) -> tuple[int, float, tuple[float, int]]:
    """Return the exit code (a signal as its negative), the wall time, and CPU seconds and peak bytes of the command."""
    command = [sys.executable, "-m", "assetbuild", case.command, str(project), "--jobs", "2"]
    began = time.monotonic()
    # The environment is ours but for the cache: a hit would be no run of an engine.
    child = subprocess.Popen(
        command,
        cwd=project.parent,
        env={**os.environ, "ASSETBUILD_CACHE": "off"},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )
    ended = os.pidfd_open(child.pid)
    try:
        while not select.select([ended], [], [], _POLL_S if case.while_it_runs else case.limit_s)[0]:
            if time.monotonic() - began >= case.limit_s:
                os.killpg(child.pid, signal.SIGKILL)
                break
            if case.while_it_runs is not None:
                case.while_it_runs(project)
    finally:
        os.close(ended)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return child.returncode, time.monotonic() - began, (cpu_s, usage.ru_maxrss * 1024)


@contextlib.contextmanager
def _adopting() -> Iterator[set[int]]:
    """Become the parent of whatever loses its own; give the children that there were before."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    try:
        yield _children()
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _children() -> set[int]:
    return {int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


def _orphans(known: set[int]) -> Iterator[str]:
    """Yield the names of processes that outlive the command; those that are dying already are waited for."""
    deadline = time.monotonic() + _DYING_S
    while adopted := _children() - known:
        for pid in adopted:
            name = Path(f"/proc/{pid}/cmdline").read_bytes()[:200].replace(b"\0", b" ").decode("utf-8", "replace")
            ended = os.pidfd_open(pid)
            if not select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
                yield name
            os.close(ended)
            os.waitpid(pid, 0)


def _said(stream: int) -> bytes:
    size = os.fstat(stream).st_size
    return os.pread(stream, min(size, _SAID_LIMIT_BYTES + 1), 0)


def _ending(case: Case, exit_code: int, wall_s: float) -> Iterator[str]:
    if exit_code < 0:
        is_late = wall_s >= case.limit_s
        yield f"was busy after {case.limit_s:g} s" if is_late else f"died by signal {-exit_code}"
    elif exit_code > 2:
        yield f"exit code {exit_code}"


def _words(case: Case, exit_code: int, stderr: str, stdout: bytes, rules: tuple[str, ...]) -> Iterator[str]:
    if "Traceback" in stderr or "JobFailed" in stderr:
        yield "showed a traceback"
    if max(len(stderr.encode()), len(stdout)) > _SAID_LIMIT_BYTES:
        yield "said more than people read"
    for word in _FOREIGN:
        if word in stderr.encode() or word in stdout:
            yield "showed what lies outside the roots"
    expected = {0} if case.rule == PUBLISHED else {case.exit_code, *([0] if case.may_publish else [])}
    if exit_code >= 0 and exit_code not in expected:
        yield f"exit code {exit_code} instead of {' or '.join(map(str, sorted(expected)))}"
    is_refused = exit_code != 0 or not case.may_publish
    if is_refused and case.rules.isdisjoint(rules):
        yield f"no error `{case.rule}`"
    if case.named and (is_refused or case.rule == PUBLISHED) and case.named not in stderr:
        yield f"`{case.named}` is not named"
    yield from (f"`{rule}` without its limit" for rule in rules if _LIMITS.get(rule, "") not in stderr)


def _output(case: Case, exit_code: int, output: Path, before: Mapping[str, str]) -> Iterator[str]:
    if exit_code != 0 or case.command != "compile":
        after = _digests(output)
        if before != {name: after.get(name) for name in before}:
            yield "changed the old output"
        # Where publishing itself fails (exit code 2), files may lie there that no manifest names yet.
        more = [name for name in after.keys() - before.keys() if exit_code != 2 or TEMP_MARK in name]
        yield from (f"left `{name}` behind" for name in sorted(more))
        return
    report = verify(str(output), RealDisk())
    if not report.is_whole:
        yield f"published what its manifest does not vouch for: {report.diagnostics[0].message}"
    if case.wrong is not None:
        yield from case.wrong(output)
    for file in sorted(output.rglob("*")):
        if file.name.startswith(TEMP_MARK):
            yield f"left `{file.name}` behind"
        elif stat.S_ISREG(file.lstat().st_mode) and any(word in file.read_bytes() for word in _FOREIGN):
            yield f"published what lies outside the roots in `{file.name}`"


def _digests(output: Path) -> Mapping[str, str]:
    """Return what lies below `output`: relative path → digest of its bytes."""
    files = (file for file in output.rglob("*") if file.is_file())
    return {str(file.relative_to(output)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

"""Signals: whenever a command is told to end, it ends at once, with its own code, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild.disk import TEMP_MARK
from tests.conftest import Tree, need, pinned
from tests.ended import BLOWS, SIGNALS, Yard, struck

HERE = str(Path(__file__).parents[1])
REGISTRIES = {"assetbuild_registry", "npm_config_registry"}
PATIENCE_S = 10
"""Far below what is waited for in these tests: a silent registry has half a minute, npm five."""


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    need("esbuild", pinned("esbuild") is not None)
    return Yard(tmp_path_factory.mktemp("yard"))


@pytest.mark.parametrize("blow", BLOWS)
def test_a_compile_with_every_engine_can_be_ended_at_any_moment(yard: Yard, blow: str) -> None:
    """The long form is `python -m tests.ended`."""
    fates = [*struck(yard, "compile", blow, 10 if blow == "SIGTERM" else 2)]

    assert [] == [(fate.delay_s, fault) for fate in fates for fault in fate.faults]


@pytest.mark.parametrize("command", ["check", "verify", "watch"])
def test_every_other_command_can_be_ended_too(yard: Yard, command: str) -> None:
    fates = [fate for blow in ("SIGTERM", "closed") for fate in struck(yard, command, blow, 2)]

    assert [] == [(fate.blow, fate.delay_s, fault) for fate in fates for fault in fate.faults]


@pytest.fixture
def silent_registry() -> Iterator[socket.socket]:
    """Return a registry that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        registry.settimeout(30)
        yield registry


def without_tools(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "PYTHONPATH": HERE, "ASSETBUILD_TOOLS": str(tmp_path / "tools"), **more}


def compile_command(project: Path) -> list[str]:
    return [sys.executable, "-m", "assetbuild", "compile", "--jobs", "2", str(project)]


MODULE = {
    "assetbuild.toml": '[entries]\n"a.js" = { module = "a.ts" }\n',
    "assets/a.ts": "export const a: number = 1;\n",
}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_compile_does_not_wait_for_the_first_download_of_a_tool(
    tree: Tree, tmp_path: Path, silent_registry: socket.socket, name: str
) -> None:
    registry = f"http://127.0.0.1:{silent_registry.getsockname()[1]}/"
    environ = without_tools(tmp_path, ASSETBUILD_REGISTRY=registry)
    project = tree(MODULE)

    with subprocess.Popen(
        compile_command(project), cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        connection, _ = silent_registry.accept()
        process.send_signal(signal.Signals[name])
        _, printed = process.communicate(timeout=PATIENCE_S)
        connection.close()

    assert SIGNALS[name] == process.returncode
    assert f"ended by {name}" == printed.splitlines()[-1]
    assert [] == [file for file in (tmp_path / "tools").rglob("*") if file.name.startswith(TEMP_MARK)]


def test_a_compile_ends_the_npm_that_it_started(tree: Tree, tmp_path: Path) -> None:
    """A program in npm's place tells its process and waits until it is killed."""
    project, bin_ = tree(MODULE), tmp_path / "bin"
    bin_.mkdir()
    os.mkfifo(tmp_path / "told")
    (bin_ / "npm").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/told\nexec sleep 600\n")
    (bin_ / "npm").chmod(0o755)
    environ = without_tools(tmp_path, PATH=f"{bin_}:{os.environ['PATH']}", HOME=str(tmp_path))
    environ = {key: value for key, value in environ.items() if key.lower() not in REGISTRIES}

    with subprocess.Popen(
        compile_command(project), cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        pid = int((tmp_path / "told").read_text())
        npm = os.pidfd_open(pid)
        process.terminate()
        process.communicate(timeout=PATIENCE_S)

    assert SIGNALS["SIGTERM"] == process.returncode
    assert has_ended(npm)
    assert [] == [file for file in (tmp_path / "tools").rglob("*") if file.name.startswith(TEMP_MARK)]


def has_ended(pidfd: int) -> bool:
    """Return whether a process ends within the patience; takes its descriptor."""
    try:
        return bool(select.select([pidfd], [], [], PATIENCE_S)[0])
    finally:
        os.close(pidfd)


def test_a_compile_does_not_wait_for_a_compressor(tree: Tree, tmp_path: Path) -> None:
    """The best level of brotli takes many seconds for a text that has no repetitions."""
    text = "".join(f"{number * number:x}" for number in range(400_000))
    project = tree({"assets/a.txt": text})
    environ = {**os.environ, "PYTHONPATH": HERE, "ASSETBUILD_CACHE": str(tmp_path / "cache")}

    with subprocess.Popen(compile_command(project), cwd=tmp_path, env=environ, stderr=subprocess.PIPE) as process:
        wait_for_cpu_s(process.pid, 2.0)
        process.terminate()
        process.communicate(timeout=PATIENCE_S)

    assert SIGNALS["SIGTERM"] == process.returncode
    assert [] == [file for file in tmp_path.rglob("*") if file.name.startswith(TEMP_MARK)]


def wait_for_cpu_s(pid: int, wanted_s: float) -> None:
    """Return when a process has used so many seconds of a processor (proc(5), `stat`, fields 14 and 15)."""
    ticks = os.sysconf("SC_CLK_TCK")
    while True:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if (int(fields[11]) + int(fields[12])) / ticks >= wanted_s:
            return

"""Functions that the tests of the pool run in workers; nothing here imports pytest, which would slow each start."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from typing import Any, NoReturn

from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Note, Span

FINDING = Diagnostic(
    "some-rule",
    "error",
    "`ü` is wrong",
    Span("css/a.css", 3, 5, 2, "  ü\ud800{", 1),
    "write `u`",
    (Note("seen first here", Span("css/b.css", 1, 1)), Note("and that is all")),
    "group",
)


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {"pid": os.getpid(), **request}


def modules(request: dict[str, Any]) -> dict[str, Any]:
    return {"modules": sorted(sys.modules)}


def refuse(request: dict[str, Any]) -> NoReturn:
    raise EngineUnavailable([FINDING]) if request.get("is_unavailable") else DiagnosticsError([FINDING])


def fail(request: dict[str, Any]) -> NoReturn:
    raise ZeroDivisionError("not foreseen")


def crash(request: dict[str, Any]) -> NoReturn:
    ctypes.string_at(0)
    raise AssertionError("address 0 could be read")


def leave(request: dict[str, Any]) -> NoReturn:
    os._exit(7)


def loop(request: dict[str, Any]) -> NoReturn:
    while True:
        pass


def loop_beside_a_child(request: dict[str, Any]) -> NoReturn:
    """Start a program that never ends, tell both process ids through a FIFO, and never end either."""
    child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    with open(request["file"], "w") as told:
        told.write(f"{os.getpid()} {child.pid}")
    loop(request)


def meet(request: dict[str, Any]) -> dict[str, Any]:
    """Open two FIFOs in the order of the request: each opening waits for the other side."""
    for way, fifo in request.items():
        with open(fifo, "w" if way == "write" else "r"):
            pass
    return {"pid": os.getpid()}


def fill_memory(request: dict[str, Any]) -> NoReturn:
    held = []
    while True:
        held.append(b"x" * (8 << 20))


def shout(request: dict[str, Any]) -> dict[str, Any]:
    """Write to both standard streams below Python's own, as native code does."""
    for descriptor in (1, 2):
        os.write(descriptor, b"\x05\0\0\0\0\0\0\0noise\n" * 20_000)
    return {"heard": sys.stdin.read()}


def surroundings(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "stack": resource.getrlimit(resource.RLIMIT_STACK)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "is_leader": os.getpgrp() == os.getpid(),
        "variables": sorted(os.environ),
    }

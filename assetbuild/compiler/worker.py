"""The main program of a worker process: one job after another on its main thread, framed JSON in, framed JSON out.

Receives the name of a function and its request, hands back what it returned or raised. The pipes are moved away from
the standard streams before any engine is loaded, so that whatever an engine prints cannot get between two frames.
Light on purpose: the start of a worker is paid by every build that needs one.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.diagnostic import findings

__all__ = ["HEADER", "STACK_BYTES", "main", "pack", "raised"]

HEADER = struct.Struct("<Q")
"""Each frame: its length, then that many bytes of JSON (ASCII, so that no string can fail to be written)."""

STACK_BYTES = 8 * 1024 * 1024
"""The stack for which the door's nesting limit was measured, whatever the shell that began the build allows."""


def pack(message: Mapping[str, object]) -> bytes:
    """Return `message` as one frame."""
    body = json.dumps(message).encode("ascii")
    return HEADER.pack(len(body)) + body


def main() -> None:
    """Serve until the requests end.

    argv: the descriptor of the lifeline, then nothing of ours (the parent's `sys.path` was taken from it before).
    """
    _die_with_parent(int(sys.argv[1]))
    requests, replies = _private_pipes()
    _set_limits()
    with os.fdopen(requests, "rb") as incoming, os.fdopen(replies, "wb") as outgoing:
        while len(header := incoming.read(HEADER.size)) == HEADER.size:
            body = incoming.read(*HEADER.unpack(header))
            outgoing.write(pack(_reply(json.loads(body))))
            outgoing.flush()


def raised(reply: Mapping[str, Any]) -> DiagnosticsError:
    """Return the error that a reply with `diagnostics` stands for."""
    found = findings(reply["diagnostics"])
    return EngineUnavailable(found) if reply["is_unavailable"] else DiagnosticsError(found)


def _reply(request: Mapping[str, Any]) -> dict[str, object]:
    module, _, name = request["function"].partition(":")
    try:
        function: Callable[[dict[str, Any]], dict[str, Any]] = getattr(importlib.import_module(module), name)
        return {"result": function(request["request"])}
    except DiagnosticsError as error:
        return {"diagnostics": error.diagnostics, "is_unavailable": isinstance(error, EngineUnavailable)}
    except Exception:  # noqa: BLE001  the parent raises it again: a worker outlives the job that it ran
        return {"traceback": traceback.format_exc()}


def _private_pipes() -> tuple[int, int]:
    requests, replies = os.dup(0), os.dup(1)  # not inheritable: a program that a filter starts does not hold them open
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, replies


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel end this process group when the parent's end of the lifeline closes, however the parent ended.

    The end of the requests would be noticed only between two jobs, and libsass keeps the interpreter lock while it
    runs. PR_SET_PDEATHSIG is no way out: it follows the thread that started the worker, which may end sooner.
    Source: fcntl(2), F_SETOWN, F_SETSIG and O_ASYNC on pipes (Linux only; elsewhere the end of the requests must do).
    """
    os.set_inheritable(lifeline, False)
    if not hasattr(fcntl, "F_SETSIG"):
        return
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    try:
        # The parent may have died before the signal was asked for: then the lifeline is at its end already.
        if os.read(lifeline, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        pass  # the parent lives


def _set_limits() -> None:
    for limit, wanted in ((resource.RLIMIT_STACK, STACK_BYTES), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))

"""The command line as a process: `assetbuild`, and `python -m assetbuild` for the interpreter that is at hand."""

from __future__ import annotations

import gc
import signal
import sys
from typing import NoReturn

__all__ = ["process"]

_OBJECTS = 50_000  # new ones between two searches for cycles: some 5 MB


def process() -> NoReturn:
    """Run the command that the process was started with, and end with its exit code."""
    # Before anything is imported and after everything is done, an interrupt is no reason for a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Nearly all that a command makes lives until its end. To search it for cycles at every 700 new objects, and twice
    # on the way out, is a twentieth of a first compile.
    gc.set_threshold(_OBJECTS)
    from assetbuild.cli import ENDED_FROM, main

    code = main()
    gc.freeze()
    if code >= ENDED_FROM:
        from assetbuild.ending import leave

        leave(code)
    sys.exit(code)


if __name__ == "__main__":
    process()

"""The command line as a process: `assetbuild`, and `python -m assetbuild` for the interpreter that is at hand."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

__all__ = ["process"]


def process() -> NoReturn:
    """Run the command that the process was started with, and end with its exit code."""
    # Before anything is imported and after everything is done, an interrupt is no reason for a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from assetbuild.cli import ENDED_FROM, main

    code = main()
    if code >= ENDED_FROM:
        from assetbuild.ending import leave

        leave(code)
    sys.exit(code)


if __name__ == "__main__":
    process()

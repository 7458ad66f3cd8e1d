"""`assetbuild unpack`: an archive becomes an output again, or nothing happens."""

from __future__ import annotations

import argparse
import os
import time

from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Terminal, as_json, counted, place, seconds, size
from assetbuild.cli.verify import figures, told

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
example: assetbuild unpack assets.tar /srv/app/build/assets
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "verify an archive of `pack` and publish it"
    parser = commands.add_parser("unpack", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("archive", metavar="ARCHIVE", help="file that `assetbuild pack` wrote")
    parser.add_argument("output", metavar="OUTPUT", help="folder to publish it in; it may hold an older build")
    parser.add_argument("--attestations", metavar="FOLDER", default="", help="write what is attested of it there")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Unpack, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.disk import RealDisk
    from assetbuild.release.unpack import unpack

    terminal = Terminal.of_process()
    folder = os.path.abspath(args.output)
    attestations = os.path.abspath(args.attestations) if args.attestations else ""
    done = unpack(args.archive, folder, RealDisk(), attestations)
    terminal.report(done.report.diagnostics)
    counts = done.report.counts
    files = f"{counted(done.written, 'file')} written, {done.kept:,} unchanged"
    line = f"unpacked {told(counts)} ({files}) {terminal.look.arrow} {place(folder)}  {size(counts.size)}"
    terminal.say(f"{line}  in {seconds(time.monotonic() - started_s)}")
    if args.json:
        what = {"build": done.build, "filesWritten": done.written, "filesUnchanged": done.kept}
        findings = [as_json(each) for each in done.report.diagnostics]
        terminal.document({"ok": True, "output": folder, **what, **figures(counts), "diagnostics": findings})
    return 0

"""`assetbuild clean`: an output without what no kept release names."""

from __future__ import annotations

import argparse
import time

from assetbuild.cli.carry import releases
from assetbuild.cli.parser import Parser, natural
from assetbuild.cli.render import Terminal, as_json, counted, place, seconds, size
from assetbuild.cli.verify import output_of
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
example: assetbuild clean build/assets --days 14 --dry-run
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "remove what no kept release names from an output"
    parser = commands.add_parser("clean", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="folder to clean (default: as configured here)")
    parser.add_argument("--keep", type=natural, metavar="N", help="carried releases to keep at most (default: all)")
    parser.add_argument("--days", type=natural, metavar="D", help="keep only what was superseded at most so long ago")
    parser.add_argument("--now", type=natural, metavar="SECONDS", help="time to count from (default: the clock's)")
    parser.add_argument("--unknown", action="store_true", help="remove files that no release named, too")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Clean, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.disk import RealDisk
    from assetbuild.release.clean import clean
    from assetbuild.release.lineage import Limits

    terminal, disk = Terminal.of_process(), RealDisk()
    folder = output_of(args.output, disk)
    now_s = None if args.days is None else int(time.time()) if args.now is None else args.now
    limits = Limits(keep=args.keep, days=args.days, now_s=now_s)
    done = clean(folder, disk, limits, with_unknown=args.unknown, is_dry=args.dry_run)
    diagnostics = [_stays(path) for path in done.unknown]
    terminal.report(diagnostics)
    for path in done.removed if args.dry_run else ():
        terminal.say(f"would remove {path}")
    verb = "would remove" if args.dry_run else "removed"
    line = f"{verb} {counted(len(done.removed), 'file')} from {place(folder)}  {size(done.size_bytes)}"
    terminal.say(f"{line}  in {seconds(time.monotonic() - started_s)}")
    if args.json:
        what = {"releases": releases(done.ancestors), "removed": [*done.removed], "bytes": done.size_bytes}
        found = {"unknown": [*done.unknown], "diagnostics": [as_json(each) for each in diagnostics]}
        terminal.document({"ok": True, "output": folder, "build": done.build, **what, **found})
    return 0


def _stays(path: str) -> Diagnostic:
    message = f"`{path}` belongs to no release that is known, and stays"
    hint = "`assetbuild clean --unknown` removes it"
    return Diagnostic("unknown-file", "warning", message, Span(path), hint, group="unknown-file")

"""`assetbuild carry`: an output also holds the files of earlier releases."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser, UsageError, natural, size_in_bytes
from assetbuild.cli.render import Terminal, as_json, counted, place, seconds, size
from assetbuild.cli.verify import output_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assetbuild.release.lineage import Ancestor

__all__ = ["add_parser", "releases", "run"]

_EXAMPLE = """\
example: assetbuild carry --from /previous --days 14 --now "$(date +%s)"
"""
_KEEP = 3
_MAX_SIZE = "100 MB"


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "add the files of earlier releases to an output"
    parser = commands.add_parser("carry", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="folder to add to (default: as configured here)")
    parser.add_argument(
        "--from",
        dest="previous",
        nargs="+",
        action="extend",
        default=[],
        metavar="PREVIOUS",
        help="an output, a folder around one, an archive or the URL of a manifest; the newest first",
    )
    parser.add_argument("--keep", type=natural, default=_KEEP, metavar="N", help=f"releases at most (default: {_KEEP})")
    parser.add_argument(
        "--days", type=natural, metavar="D", help="only what was superseded at most so long before --now"
    )
    help_text = f"bytes at most, of all that is added (default: {_MAX_SIZE})"
    parser.add_argument("--max-size", type=size_in_bytes, default=_MAX_SIZE, metavar="SIZE", help=help_text)
    parser.add_argument("--now", type=natural, metavar="SECONDS", help="when the newest was superseded, since 1970")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Carry, report and return the exit code."""
    started_s = time.monotonic()
    if not args.previous:
        raise UsageError("`--from` is missing", "name an earlier release: `--from PREVIOUS`")
    if args.days is not None and args.now is None:
        raise UsageError("`--days` counts from a time that nobody told", 'add `--now "$(date +%s)"`')
    from assetbuild.disk import RealDisk
    from assetbuild.download import route
    from assetbuild.release.carry import carry
    from assetbuild.release.lineage import Limits
    from assetbuild.release.remote import is_url

    terminal, disk = Terminal.of_process(), RealDisk()
    folder = output_of(args.output, disk)
    named = [each if is_url(each) else os.path.abspath(each) for each in args.previous]
    limits = Limits(args.keep, args.days, args.max_size, args.now)
    done = carry(folder, named, disk, limits, route(os.environ, {}))
    terminal.report(done.diagnostics)
    files = sum(len(each.files) for each in done.ancestors)
    size_bytes = sum(each.size_bytes for each in done.ancestors)
    line = f"carried {counted(files, 'file')} of {counted(len(done.ancestors), 'release')} "
    line += f"({counted(done.written, 'file')} written, {done.kept:,} unchanged) {terminal.look.arrow} {place(folder)}"
    terminal.say(f"{line}  {size(size_bytes)}  in {seconds(time.monotonic() - started_s)}")
    if args.json:
        counts = {"filesWritten": done.written, "filesUnchanged": done.kept, "filesRemoved": done.removed}
        what = {"releases": releases(done.ancestors), **counts, "bytes": size_bytes}
        left = [{"build": each.build, "limit": reason} for each, reason in done.left]
        findings = [as_json(each) for each in done.diagnostics]
        document = {"ok": True, "output": folder, "build": done.build, **what, "left": left, "diagnostics": findings}
        terminal.document(document)
    return 0


def releases(ancestors: Iterable[Ancestor]) -> list[dict[str, object]]:
    """Return the releases that an output carries, for `--json`."""
    return [
        {"build": each.build, "superseded": each.superseded_s, "files": len(each.files), "bytes": each.size_bytes}
        for each in ancestors
    ]

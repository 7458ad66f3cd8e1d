"""`assetbuild verify`: an output against its own manifest."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Terminal, as_json, counted, place, seconds, size

if TYPE_CHECKING:
    from assetbuild.disk import Disk

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
example:
  assetbuild verify /srv/static
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "check every file of an output against its manifest"
    parser = commands.add_parser("verify", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="folder to check (default: as configured here)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Verify, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.disk import RealDisk
    from assetbuild.release.verify import verify

    terminal, disk = Terminal.of_process(), RealDisk()
    folder = os.path.abspath(args.output) if args.output is not None else _configured(disk)
    report = verify(folder, disk)
    terminal.report(report.diagnostics)
    assets, files, variants, size_bytes = report.counts
    if report.is_whole:
        what = f"{counted(assets, 'asset')}, {counted(files, 'file')}, {counted(variants, 'variant')}"
        duration = seconds(time.monotonic() - started_s)
        terminal.say(f"verified {what} in {place(folder)}  {size(size_bytes)}  in {duration}")
    if args.json:
        counts = {"assets": assets, "files": files, "variants": variants, "bytes": size_bytes}
        findings = [as_json(each) for each in report.diagnostics]
        terminal.document({"ok": report.is_whole, "output": folder, **counts, "diagnostics": findings})
    return 0 if report.is_whole else 1


def _configured(disk: Disk) -> str:
    """Return the output of the project here; raise `ManifestError` if nothing was compiled yet."""
    from assetbuild.compiler.config import configured_output
    from assetbuild.manifest import MANIFEST_NAME, ManifestError

    folder = configured_output(".", disk)
    manifest = os.path.join(folder, MANIFEST_NAME)
    if not os.path.lexists(manifest):
        raise ManifestError(f"`{manifest}` is not there; run `assetbuild compile`, or name the folder to check")
    return folder

"""`assetbuild verify`: an output against its own manifest."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Terminal, as_json, counted, place, seconds, size
from assetbuild.diagnostic import Diagnostic

if TYPE_CHECKING:
    from assetbuild.disk import Disk
    from assetbuild.release.verify import Counts, Report

__all__ = ["add_parser", "figures", "output_of", "run", "told"]

_EXAMPLE = """\
example: assetbuild verify /srv/static --provenance provenance.json
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "check every file of an output against its manifest"
    parser = commands.add_parser("verify", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="folder to check (default: as configured here)")
    parser.add_argument("--provenance", metavar="FILE", help="of `compile --attest`: it has to be about this")
    parser.add_argument("--strict", action="store_true", help="warnings fail")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Verify, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.disk import RealDisk
    from assetbuild.release.provenance import Attestation
    from assetbuild.release.verify import verify

    terminal, disk = Terminal.of_process(), RealDisk()
    folder = output_of(args.output, disk)
    attested = Attestation(disk.read(args.provenance), args.provenance) if args.provenance else None
    report = verify(folder, disk, attested)
    report = _strict(report) if args.strict else report
    terminal.report(report.diagnostics)
    if report.is_whole:
        duration = seconds(time.monotonic() - started_s)
        terminal.say(f"verified {told(report.counts)} in {place(folder)}  {size(report.counts.size)}  in {duration}")
    if args.json:
        findings = [as_json(each) for each in report.diagnostics]
        terminal.document({"ok": report.is_whole, "output": folder, **figures(report.counts), "diagnostics": findings})
    return 0 if report.is_whole else 1


def _strict(report: Report) -> Report:
    """Return the report with an error if the worst in it is a warning."""
    if not report.is_whole or all(found.severity != "warning" for found in report.diagnostics):
        return report
    found = Diagnostic("strict", "error", "warnings fail this check: it was called with `--strict`")
    return report._replace(diagnostics=(*report.diagnostics, found))


def told(counts: Counts) -> str:
    """Return how much was verified, for people."""
    return f"{counted(counts.assets, 'asset')}, {counted(counts.files, 'file')}, {counted(counts.variants, 'variant')}"


def figures(counts: Counts) -> dict[str, object]:
    """Return how much was verified, for `--json`."""
    return {"assets": counts.assets, "files": counts.files, "variants": counts.variants, "bytes": counts.size}


def output_of(named: str | None, disk: Disk) -> str:
    """Return the folder that was named, else the output of the project here; raise `ManifestError` without one."""
    return os.path.abspath(named) if named is not None else _configured(disk)


def _configured(disk: Disk) -> str:
    """Return the output of the project here; raise `ManifestError` if nothing was compiled yet."""
    from assetbuild.compiler.config import configured_output
    from assetbuild.manifest import MANIFEST_NAME, ManifestError

    folder = configured_output(".", disk)
    manifest = os.path.join(folder, MANIFEST_NAME)
    if not os.path.lexists(manifest):
        raise ManifestError(f"`{manifest}` is not there; run `assetbuild compile`, or name the folder that holds it")
    return folder

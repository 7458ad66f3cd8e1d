"""`assetbuild pack`: an output as one file, for a later job or another machine."""

from __future__ import annotations

import argparse
import os
import time

from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Terminal, as_json, place, seconds, size
from assetbuild.cli.verify import figures, output_of, told

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
example: assetbuild pack build/assets assets.tar --sbom sbom.json
The same output gives the same archive on every machine.
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "verify an output and put it into one archive"
    parser = commands.add_parser("pack", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="folder to pack (default: as configured here)")
    parser.add_argument("archive", metavar="ARCHIVE", help="file to write, a tar")
    parser.add_argument("--provenance", metavar="FILE", help="what `compile --attest` wrote for this output")
    parser.add_argument("--sbom", metavar="FILE", help="what `compile --sbom` wrote")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Pack, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.disk import RealDisk
    from assetbuild.release.archive import PROVENANCE, SBOM
    from assetbuild.release.pack import pack
    from assetbuild.release.provenance import Attestation

    terminal, disk = Terminal.of_process(), RealDisk()
    folder, archive = output_of(args.output, disk), os.path.abspath(args.archive)
    given = {PROVENANCE: args.provenance, SBOM: args.sbom}
    attestations = {name: Attestation(disk.read(file), file) for name, file in given.items() if file}
    packed = pack(folder, archive, disk, attestations)
    terminal.report(packed.report.diagnostics)
    counts = packed.report.counts
    line = f"packed {told(counts)} {terminal.look.arrow} {place(archive)}  {size(packed.size)}  "
    terminal.say(f"{line}sha256 {packed.sha256_hex}  in {seconds(time.monotonic() - started_s)}")
    if args.json:
        what = {"archive": archive, "sha256": packed.sha256_hex, "archiveBytes": packed.size, "build": packed.build}
        findings = [as_json(each) for each in packed.report.diagnostics]
        terminal.document({"ok": True, "output": folder, **what, **figures(counts), "diagnostics": findings})
    return 0

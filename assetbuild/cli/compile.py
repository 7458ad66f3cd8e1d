"""`assetbuild compile`: from sources to files and a manifest."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser, positive
from assetbuild.cli.render import Look, Terminal, as_json, counted, place, seconds, size

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome

__all__ = ["add_parser", "closing_line", "run"]

_EXAMPLE = """\
example:
  assetbuild compile --output /srv/static --revision "$(git rev-parse HEAD)"

The configuration is `assetbuild.toml` or `[tool.assetbuild]` in pyproject.toml; none is needed to begin.
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "compile the assets of a project"
    parser = commands.add_parser("compile", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    add = parser.add_argument
    add("project", nargs="?", default=".", metavar="PROJECT", help="folder of the project (default: this one)")
    add("--output", metavar="FOLDER", default="", help="where the files go (default: as configured, build/assets)")
    add("--jobs", metavar="N", type=positive, default=0, help="workers at once (default: one per usable processor)")
    add("--profile", choices=("production", "fast"), default="production", help="fast: lower compression levels")
    add("--revision", metavar="TEXT", default="", help="recorded in the manifest (default: ASSETBUILD_REVISION)")
    add("--no-cache", action="store_true", help="use no result of an earlier compile, and keep none")
    add("--offline", action="store_true", help="install nothing: a missing tool is an error")
    add("--frozen", action="store_true", help="refuse tools other than the pinned ones, and bundles defined in Python")
    add("--strict", action="store_true", help="warnings fail")
    add("--explain", action="store_true", help="say of each job why it ran")
    add("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Compile, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.cli.progress import Progress
    from assetbuild.compiler import compile
    from assetbuild.compiler.config import Flags, read
    from assetbuild.disk import RealDisk

    terminal, disk = Terminal.of_process(), RealDisk()
    flags = Flags(
        output=os.path.abspath(args.output) if args.output else "",
        jobs=args.jobs,
        revision=args.revision,
        profile=args.profile,
        is_offline=args.offline,
        is_frozen=args.frozen,
        is_strict=args.strict,
        is_cached=not args.no_cache,
    )
    project = read(args.project, os.environ, disk, flags)
    with Progress(terminal) as progress:
        outcome = compile(project, disk=disk, environ=os.environ, watcher=progress)
    terminal.report(outcome.diagnostics)
    for line in project.detected if not project.config_shown else ():
        terminal.say(f"without configuration: {line}")
    for logical, reason in outcome.reasons.items() if args.explain else ():
        terminal.say(f"made {logical}: {reason}")
    terminal.say(closing_line(outcome, time.monotonic() - started_s, terminal.look))
    if args.json:
        terminal.document(_document(outcome))
    return 0


def closing_line(outcome: Outcome, duration_s: float, look: Look) -> str:
    """Return the one line that ends a compile: counts, where, sizes, time."""
    published = outcome.published
    files = ""
    if published is not None:
        files = f" ({counted(published.written, 'file')} written, {published.kept:,} unchanged)"
    total, smallest, coding = _sizes(outcome)
    small = f", {size(smallest)} with {coding}" if coding else ""
    assets, where = counted(len(outcome.assets), "asset"), place(outcome.project.output)
    return f"compiled {assets}{files} {look.arrow} {where}  {size(total)}{small}  in {seconds(duration_s)}"


def _sizes(outcome: Outcome) -> tuple[int, int, str]:
    """Return bytes as they are, bytes with the best coding that was made, and its name ("" if none was)."""
    plain = {asset.path: asset.size for asset in outcome.assets}
    made = {variant.coding for variant in outcome.variants}
    coding = next((each for each in ("br", "zstd", "gzip") if each in made), "")
    small = {variant.path: len(variant.body) for variant in outcome.variants if variant.coding == coding}
    return sum(plain.values()), sum((plain | small).values()), coding


def _document(outcome: Outcome) -> dict[str, object]:
    import json

    published = outcome.published
    total, smallest, coding = _sizes(outcome)
    return {
        "ok": True,
        "output": outcome.project.output,
        "build": json.loads(outcome.manifest)["build"]["id"],
        "assets": len(outcome.assets),
        "variants": len(outcome.variants),
        "engineJobs": dict(outcome.engine_jobs),
        "engineRuns": dict(outcome.engine_runs),
        "encoderRuns": outcome.encoder_runs,
        "filesWritten": published.written if published else 0,
        "filesUnchanged": published.kept if published else 0,
        "bytesWritten": published.written_bytes if published else 0,
        "bytes": {"identity": total, **({coding: smallest} if coding else {})},
        "diagnostics": [as_json(each) for each in outcome.diagnostics],
    }

"""`assetbuild compile`: from sources to files and a manifest."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assetbuild.cli.last import LastBuild
from assetbuild.cli.parser import Parser, positive
from assetbuild.cli.render import Look, Terminal, as_json, counted, place, seconds, size
from assetbuild.diagnostic import findings
from assetbuild.home import compile_cache
from assetbuild.manifest import build_id

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome
    from assetbuild.compiler.project import Project
    from assetbuild.disk import Disk

__all__ = ["add_options", "add_parser", "closing_line", "last_build", "project_of", "run", "say", "summary_of"]

_EXAMPLE = """\
example: assetbuild compile --strict --revision "$(git rev-parse HEAD)"
No configuration is needed; it is `assetbuild.toml` or `[tool.assetbuild]`.
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "compile the assets of a project"
    parser = commands.add_parser("compile", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    add_options(parser)
    parser.add_argument("--attest", metavar="FILE", default="", help="write who built what from what: in-toto, SLSA")
    parser.add_argument("--sbom", metavar="FILE", default="", help="write which packages are in the output: CycloneDX")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def add_options(parser: Parser) -> None:
    """Add everything that decides a build, or what is said of it to people."""
    add = parser.add_argument
    add("project", nargs="?", default=".", metavar="PROJECT", help="folder of the project (default: this one)")
    add("--output", metavar="FOLDER", default="", help="where the files go (default: as configured)")
    add("--jobs", metavar="N", type=positive, default=0, help="workers at once (default: one per processor)")
    profiles = ("production", "fast")
    about = "production (default), or fast: lower compression levels"
    add("--profile", metavar="NAME", choices=profiles, default="production", help=about)
    add("--revision", metavar="TEXT", default="", help="for the manifest (default: ASSETBUILD_REVISION)")
    add("--no-cache", action="store_true", help="use no result of an earlier compile, keep none")
    add("--offline", action="store_true", help="install nothing: a missing tool is an error")
    add("--frozen", action="store_true", help="refuse tools that are not pinned, and code in Python")
    add("--strict", action="store_true", help="warnings fail")
    add("--explain", action="store_true", help="say why each job ran")


def run(args: argparse.Namespace) -> int:
    """Compile, report and return the exit code."""
    started_s = time.monotonic()
    terminal = Terminal.of_process()
    last = last_build(args)
    is_attested = bool(args.attest or args.sbom)  # of which a build with nothing to do knows too little
    summary = last.summary(compile_cache(os.environ)) if not is_attested else None
    if summary is None:
        summary = _compiled(args, last, terminal)
    say(summary, time.monotonic() - started_s, terminal, is_explained=args.explain)
    if args.json:
        terminal.document(_document(summary))
    return 0


def last_build(args: argparse.Namespace, *, goes_on: bool = False) -> LastBuild:
    """Return what is known of the last build with these arguments. goes_on: this process will build again."""
    said = ("command", "version", "project", "jobs", "json", "explain")
    neutral = {*said, "no_cache", "port", "server", "attest", "sbom"}
    given = {name: value for name, value in vars(args).items() if name not in neutral}
    decisive = {**given, "output": os.path.abspath(args.output) if args.output else ""}
    folder = os.path.realpath(args.project)
    return LastBuild(folder, decisive, os.environ, is_asked=not args.no_cache, goes_on=goes_on)


def say(summary: Mapping[str, Any], duration_s: float, terminal: Terminal, *, is_explained: bool) -> None:
    """Tell people of a build: findings, what was found without configuration, why jobs ran, the closing line."""
    terminal.report(findings(summary["diagnostics"]))
    for line in summary["detected"]:
        terminal.say(f"without configuration: {line}")
    for line in _explained(summary) if is_explained else ():
        terminal.say(line)
    terminal.say(closing_line(summary, duration_s, terminal.look))


def _explained(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield why something was made, or why nothing was."""
    if not summary["isCached"]:
        yield "made everything: the compile cache is off"
        return
    for logical, reason in summary["reasons"].items():
        yield f"made {logical}: {reason}"
    if summary["encoderRuns"]:
        yield f"compressed {counted(summary['encoderRuns'], 'time')}: bytes, coder or level are new to the cache"
    if not (summary["engineRuns"] or summary["encoderRuns"] or summary["filesWritten"]):
        yield "made nothing: all that an earlier compile made still stands"


def _compiled(args: argparse.Namespace, last: LastBuild, terminal: Terminal) -> Mapping[str, Any]:
    from assetbuild.cli.attest import Attested
    from assetbuild.cli.progress import Progress
    from assetbuild.compiler import compile

    disk = last.disk()
    project = project_of(args, disk)
    attested = Attested.of(args, project.output)
    # Asked again, where the configuration names another folder.
    summary = last.summary(project.cache_folder) if attested is None else None
    if summary is None:
        started_s = time.time()
        with Progress(terminal) as progress:
            outcome = compile(project, disk=disk, environ=os.environ, watcher=progress)
        summary = summary_of(outcome, disk.hashed_bytes)
        last.keep(outcome, disk, summary)
        if attested is not None:
            attested.write(outcome, started_s)
    return summary


def project_of(args: argparse.Namespace, disk: Disk) -> Project:
    """Return the project that the arguments name, as they want it compiled; raise `ConfigError`."""
    from assetbuild.compiler.config import Flags, read

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
    return read(args.project, os.environ, disk, flags)


def summary_of(outcome: Outcome, hashed_bytes: int) -> dict[str, Any]:
    """Return what is said of a compile, as JSON values. hashed_bytes: read to see what they hold."""
    project, published = outcome.project, outcome.published
    total, smallest, coding = _sizes(outcome)
    return {
        "output": project.output,
        "build": build_id(outcome.manifest),
        "assets": len(outcome.assets),
        "variants": len(outcome.variants),
        "engineJobs": dict(outcome.engine_jobs),
        "engineRuns": dict(outcome.engine_runs),
        "encoderRuns": outcome.encoder_runs,
        "filesWritten": published.written if published else 0,
        "filesUnchanged": published.kept if published else 0,
        "bytesHashed": hashed_bytes,
        "bytesWritten": published.written_bytes if published else 0,
        "bytes": {"identity": total, **({coding: smallest} if coding else {})},
        "diagnostics": outcome.diagnostics,
        "detected": () if project.config_shown else project.detected,
        "reasons": dict(outcome.reasons),
        "isCached": bool(project.cache_folder),
    }


def closing_line(summary: Mapping[str, Any], duration_s: float, look: Look) -> str:
    """Return the one line that ends a compile: counts, where, sizes, time. summary: as `summary_of` gives it."""
    written, unchanged = summary["filesWritten"], summary["filesUnchanged"]
    files = f" ({counted(written, 'file')} written, {unchanged:,} unchanged)" if written or unchanged else ""
    total, *others = summary["bytes"].items()
    small = "".join(f", {size(size_bytes)} with {coding}" for coding, size_bytes in others)
    assets, where = counted(summary["assets"], "asset"), place(summary["output"])
    return f"compiled {assets}{files} {look.arrow} {where}  {size(total[1])}{small}  in {seconds(duration_s)}"


def _sizes(outcome: Outcome) -> tuple[int, int, str]:
    """Return bytes as they are, bytes with the best coding that was made, and its name ("" if none was)."""
    plain = {asset.path: asset.size for asset in outcome.assets}
    made = {variant.coding for variant in outcome.variants}
    coding = next((each for each in ("br", "zstd", "gzip") if each in made), "")
    small = {variant.path: len(variant.body) for variant in outcome.variants if variant.coding == coding}
    return sum(plain.values()), sum((plain | small).values()), coding


def _document(summary: Mapping[str, Any]) -> dict[str, object]:
    told = {name: value for name, value in summary.items() if name not in ("detected", "reasons", "isCached")}
    return {"ok": True, **told, "diagnostics": [as_json(each) for each in findings(summary["diagnostics"])]}

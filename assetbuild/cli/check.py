"""`assetbuild check`: the compile in memory and the names in templates; nothing is written."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser, positive
from assetbuild.cli.render import Terminal, as_json, counted, seconds
from assetbuild.diagnostic import Diagnostic

if TYPE_CHECKING:
    from assetbuild.inspect.check import Report

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
example: assetbuild check --strict --format github
Templates are looked for in the folders that `[templates] paths` names.
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "find what is wrong, in templates too, and write nothing"
    parser = commands.add_parser("check", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    add = parser.add_argument
    add("project", nargs="?", default=".", metavar="PROJECT", help="folder of the project (default: this one)")
    add("--jobs", metavar="N", type=positive, default=0, help="workers at once (default: one per processor)")
    add("--offline", action="store_true", help="install nothing: a missing tool is an error")
    add("--frozen", action="store_true", help="refuse tools that are not pinned, and code in Python")
    add("--strict", action="store_true", help="warnings fail")
    formats = ("text", "github", "sarif", "json")
    about = "of stdout: github, sarif, json, or text (default): nothing"
    add("--format", metavar="FORMAT", choices=formats, default="text", help=about)


def run(args: argparse.Namespace) -> int:
    """Check, report and return the exit code."""
    started_s = time.monotonic()
    from assetbuild.cli.progress import Progress
    from assetbuild.compiler.config import Flags, read
    from assetbuild.compiler.errors import DiagnosticsError
    from assetbuild.disk import RealDisk
    from assetbuild.inspect.check import Report, check

    terminal, disk = Terminal.of_process(), RealDisk()
    flags = Flags(jobs=args.jobs, is_offline=args.offline, is_frozen=args.frozen)
    folder = os.path.realpath(args.project)
    try:
        project = read(args.project, os.environ, disk, flags)
        with Progress(terminal) as progress:
            report = check(project, disk=disk, environ=os.environ, watcher=progress)
    except DiagnosticsError as error:
        report = Report(error.diagnostics, error.exit_code, 0, 0, 0)
    report = _strict(report) if args.strict else report
    terminal.report(report.diagnostics)
    if not report.exit_code:
        terminal.say(f"{_closing_line(report)}  in {seconds(time.monotonic() - started_s)}")
    _write(args.format, report, folder, terminal)
    return report.exit_code


def _strict(report: Report) -> Report:
    """Return the report with an error if the worst in it is a warning."""
    if report.exit_code or all(found.severity != "warning" for found in report.diagnostics):
        return report
    found = Diagnostic("strict", "error", "warnings fail this check: it was called with `--strict`")
    return report._replace(diagnostics=(*report.diagnostics, found), exit_code=1)


def _closing_line(report: Report) -> str:
    assets = counted(report.assets, "asset")
    if not report.templates:
        return f"checked {assets}, no templates"
    return f"checked {assets}, {counted(report.templates, 'template')}, {counted(report.names, 'name')}"


def _write(form: str, report: Report, folder: str, terminal: Terminal) -> None:
    """Write what a program asked for to stdout."""
    from assetbuild.cli.formats import prefix_of, sarif, workflow_commands

    if form == "github":
        terminal.answer(workflow_commands(report.diagnostics, prefix_of(folder)))
    elif form == "sarif":
        terminal.document(sarif(report.diagnostics, prefix_of(folder)))
    elif form == "json":
        terminal.document(_document(report))


def _document(report: Report) -> dict[str, object]:
    return {
        "ok": not report.exit_code,
        "assets": report.assets,
        "templates": report.templates,
        "names": report.names,
        "engineRuns": dict(report.engine_runs),
        "diagnostics": [as_json(each) for each in report.diagnostics],
    }

"""`assetbuild init`: writes down what is found, or what another tool's definitions say; asks and overwrites nothing."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from assetbuild.adopt import TOOLS
from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Terminal, counted, place

if TYPE_CHECKING:
    from assetbuild.adopt.configuration import Configuration

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
examples:
  assetbuild init                      write down what is found
  assetbuild init --from flask-assets  its bundles become entries
Definitions are read as texts: no code of the project runs, no file is touched.
"""
_MODULES = {
    "Django": "assetbuild.web.django",
    "FastAPI": "assetbuild.web.starlette",
    "Flask": "assetbuild.web.flask",
    "Litestar": "assetbuild.web.litestar",
    "Pyramid": "assetbuild.web.pyramid",
    "Starlette": "assetbuild.web.starlette",
}


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "write a commented configuration for what is here"
    parser = commands.add_parser("init", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    add = parser.add_argument
    add("project", nargs="?", default=".", metavar="PROJECT", help="folder of the project (default: this one)")
    add("--from", dest="tool", metavar="TOOL", choices=TOOLS, default="", help=", ".join(TOOLS))


def run(args: argparse.Namespace) -> int:
    """Write the configuration and return the exit code."""
    from assetbuild.adopt.configuration import configuration
    from assetbuild.compiler.config import CONFIG_FILE
    from assetbuild.disk import RealDisk

    terminal, disk = Terminal.of_process(), RealDisk()
    folder = os.path.realpath(args.project)
    made = configuration(folder, args.tool, os.environ, disk)
    disk.commit(folder, CONFIG_FILE, made.text.encode(errors="replace"))
    terminal.report(made.adopted.findings)
    for line in _closing(made, args.project, place(os.path.join(folder, CONFIG_FILE))):
        terminal.say(line)
    return 0


def _closing(made: Configuration, project: str, file: str) -> list[str]:
    """Return what was written and the next two steps."""
    from assetbuild.adopt.configuration import pointed_at
    from assetbuild.cli.start import INTEGRATIONS

    roots = counted(len(made.adopted.roots) + len(made.adopted.python_packages), "root")
    count = len(made.adopted.entries)
    entries = f"{count:,} {'entry' if count == 1 else 'entries'}"
    commands = f", {counted(len(made.adopted.commands), 'command')}" if made.adopted.commands else ""
    lines = [f"wrote {file}: {roots}, {entries}{commands}"]
    if made.tool:
        lines.append(f"      {pointed_at(made.tool)}")
    lines.append(f"next: `assetbuild compile{'' if project == '.' else f' {project}'}`")
    module = _MODULES[made.frameworks[0].name] if made.frameworks else ""
    integration = (
        f"{INTEGRATIONS[module]}, of {module}"
        if module
        else "`Assets.open()` of assetbuild; `assetbuild` alone lists the integrations"
    )
    lines.append(f"then: {integration}")
    return lines

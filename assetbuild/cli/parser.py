"""The command line's grammar: argparse with our words for what is wrong, and near misses for what was mistyped."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import IO, Any, NoReturn

from assetbuild.cli.render import Terminal
from assetbuild.diagnostic import AssetbuildError, nearest

__all__ = ["Parser", "UsageError", "natural", "parse", "positive", "size_in_bytes"]


class UsageError(AssetbuildError):
    """The command line cannot be read."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse would ask `shutil`, which loads every kind of archive to do so."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog, **{"width": _columns() - 2, **kwargs})
        self._action_max_length = 12  # at least: argparse forgets that the actions of a command are indented twice


def _columns() -> int:
    """Return the width of the terminal; COLUMNS wins, as everywhere (POSIX.1-2017, "Environment Variables")."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class Parser(argparse.ArgumentParser):
    """A parser that prints through the renderer and raises `UsageError` instead of leaving the process.

    Its help fits a screen of 24 lines: the usage is one of them, and it does not explain itself.
    """

    tail = ""
    """Where the words after `--` go, "" for a command that takes none."""

    def __init__(self, **kwargs: Any) -> None:
        # An abbreviation that works today is ambiguous with the next option.
        super().__init__(**kwargs, allow_abbrev=False, formatter_class=_Help, add_help=False)
        self._positionals.title = "arguments"
        self.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)

    def format_help(self) -> str:
        """Return the help as text."""
        words = [_written(action) for action in self._get_positional_actions()]
        has_options = any(action.help != argparse.SUPPRESS for action in self._get_optional_actions())
        tail = ["[-- COMMAND ...]"] if self.tail else []
        self.usage = " ".join(["%(prog)s", *words, *(["[OPTION ...]"] if has_options else []), *tail])
        return super().format_help()

    def print_help(self, file: IO[str] | None = None) -> None:  # type: ignore[override]
        """Write the help to stdout: it was asked for."""
        del file
        Terminal.of_process().answer(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found."""
        raise UsageError(message, f"`{self.prog} --help` shows what it takes")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise for a word that is none of those to choose from, with the nearest that is."""
        if action.choices is None or value in action.choices:
            return
        words = [str(word) for word in action.choices]
        near = nearest(str(value), words)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{word}`' for word in words)}"
        name = action.option_strings[-1] if action.option_strings else action.metavar
        raise UsageError(f"`{value}` is not a value of `{name}`", hint)

    def options(self) -> list[str]:
        """Return the options of this command, as they are written."""
        return list(self._option_string_actions)


def parse(parser: Parser, commands: argparse._SubParsersAction[Parser], argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments; raise `UsageError` for a word that nothing takes, with the nearest that something does."""
    from assetbuild.cli import COMMANDS  # of which only the one that is called has been added to `commands`

    command = next((word for word in argv if not word.startswith("-")), None)
    if command is not None and command not in commands.choices:
        raise UsageError(f"`{command}` is not a command", _meant(command, commands.choices, "assetbuild --help"))
    taker = commands.choices[command] if command is not None else parser
    own, after = _cut(argv) if taker.tail else (argv, None)
    args, left = parser.parse_known_args(own)
    if taker.tail:
        setattr(args, taker.tail, tuple(after or ()))
    if after == []:
        raise UsageError("no command stands after `--`", f"`{taker.prog} --help` shows what it takes")
    if left:
        kind = "an option" if left[0].startswith("-") else "an argument"
        word = left[0].partition("=")[0]
        hint = _meant(word, taker.options(), f"{taker.prog} --help")
        if word.lstrip("-") in COMMANDS:
            hint = f"did you mean `assetbuild {word.lstrip('-')}`?"
        raise UsageError(f"`{left[0]}` is not {kind} of `{taker.prog}`", hint)
    return args


def _cut(argv: Sequence[str]) -> tuple[Sequence[str], list[str] | None]:
    """Return the words before `--` and those after it, None without one."""
    if "--" not in argv:
        return argv, None
    at = argv.index("--")
    return argv[:at], [*argv[at + 1 :]]


def _written(action: argparse.Action) -> str:
    """Return an argument as a usage has it."""
    name = str(action.metavar or action.dest)
    return {"?": f"[{name}]", "*": f"[{name} ...]"}.get(str(action.nargs), name)


def positive(text: str) -> int:
    """Return a whole number above zero."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number above 0, got `{text}`")


def natural(text: str) -> int:
    """Return a whole number that may be zero."""
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number, got `{text}`")


def size_in_bytes(text: str) -> int:
    """Return the bytes of a size such as `40 kB`."""
    from assetbuild.compiler.config.checks import size, size_bytes

    fault = size(text)
    if fault:
        raise argparse.ArgumentTypeError(f"`{text}` {fault}")
    return size_bytes(text)


def _meant(word: str, candidates: Sequence[str] | dict[str, Parser], help_command: str) -> str:
    near = nearest(word, candidates)
    return f"did you mean `{near}`?" if near else f"`{help_command}` lists what there is"

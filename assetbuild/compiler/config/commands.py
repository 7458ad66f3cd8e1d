"""`[[commands]]`: other tools as jobs, in the order in which they run.

Receives the list as it is written; hands on `Command` values whose globs are not expanded yet. Whether there is such a
program, and such files, is for `compiler/commands` to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assetbuild.compiler.config import checks
from assetbuild.compiler.config.schema import Check, Table
from assetbuild.compiler.project import PACKAGE, TIME_LIMIT_S, Command

__all__ = ["OUTPUT", "read_commands"]

OUTPUT = "{output}"
"""In `run` and at the head of an input: the private folder that a command writes to."""

_LONGEST_S = 3600
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_commands(table: Table) -> tuple[Command, ...]:
    """Return the commands in the order in which they are written."""
    found = []
    for number, item in enumerate(table.items("commands")):
        if not isinstance(item, Mapping):
            table.mistyped("a table", item, "commands", number)
            continue
        found.append(_command(Table(table.document, item, (*table.path, "commands", number)), number))
    return tuple(found)


def _command(table: Table, number: int) -> Command:
    command = Command(
        run=_run(table),
        inputs=_filled(table, "inputs", _input),
        outputs=_filled(table, "outputs", checks.glob),
        environment=table.table("environment").mapping(_variable, _argument),
        program_sha256=_digests(table),
        time_limit_s=table.number("time_limit", TIME_LIMIT_S, 1, _LONGEST_S),
        place=f"commands[{number}]",
    )
    table.close()
    return command


def _run(table: Table) -> tuple[str, ...]:
    run = _filled(table, "run", _argument)
    if run and not run[0]:
        table.fault(run[0], "is empty: the first word names the program", "run", 0)
    if run and not any(OUTPUT in word for word in run):
        hint = f"name it where the tool is told what to write: `{OUTPUT}/css/app.css`"
        table.fault(run[0], f"is not told where to write: no word of `run` has `{OUTPUT}`", "run", hint=hint)
    return run


def _filled(table: Table, key: str, check: Check) -> tuple[str, ...]:
    """Return a list of strings that must be there, and must hold something."""
    if not table.has(key):
        where = table.document.where(table.path)
        table.document.error("missing-key", f"`{key}` is missing at {where}", table.path)
    elif table.values[key] == []:
        table.fault("[]", "is empty", key)
    return table.texts(key, check)


def _digests(table: Table) -> tuple[str, ...]:
    """Return the digests that the program may have: one, or one for each platform."""
    if isinstance(table.values.get("program_sha256"), str):
        found = table.text("program_sha256", "", _sha256)
        return (found,) if found else ()
    return table.texts("program_sha256", _sha256)


def _input(text: str) -> str | None:
    if text.startswith(f"{OUTPUT}/"):
        return checks.glob(text.removeprefix(f"{OUTPUT}/"))
    if text.startswith(PACKAGE):
        name, _, inside = text.removeprefix(PACKAGE).partition("/")
        return checks.package(name) or checks.glob(inside)
    return checks.glob(text)


def _argument(text: str) -> str | None:
    return "holds a NUL, which no argument can" if "\0" in text else None


def _variable(text: str) -> str | None:
    return None if _VARIABLE.fullmatch(text) else "is not the name of an environment variable"


def _sha256(text: str) -> str | None:
    return None if _SHA256.fullmatch(text) else "is not a sha256: expected 64 hexadecimal digits in lower case"

"""`manage.py assetbuild sync`: the installed apps of the settings, written down for a compile that reads no settings.

The one place of this package that writes, and only the project's own configuration, when a person asks for it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from assetbuild.diagnostic import reason_of, span_at
from assetbuild.toml import fault_in
from assetbuild.web.django.packages import Mistyped, installed_packages, project_folder, with_packages

_OWN, _SHARED = "assetbuild.toml", "pyproject.toml"
_TABLE = ("tool", "assetbuild")
_BYTE_ORDER_MARK = "\ufeff"  # `assetbuild compile` reads past it, and TOML does not know it


class Command(BaseCommand):  # type: ignore[misc]
    """The command; it needs neither a manifest nor a database."""

    help = "Keeps the configuration of assetbuild in step with the settings."
    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own form; the checks ask for what is not made yet

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `sync` and its flag."""
        actions = parser.add_subparsers(dest="action", required=True)
        sync = actions.add_parser("sync", help="write the installed apps that have static files into python_packages")
        sync.add_argument("--check", action="store_true", help="write nothing; fail if something would be written")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ARG002
        """Write the list, or fail with what a person should write."""
        names = installed_packages()
        file, text, table = _configuration(project_folder())
        shown = os.path.basename(file)
        try:
            synced = with_packages(text.removeprefix(_BYTE_ORDER_MARK), names, table)
        except Mistyped as error:
            raise CommandError(f"{error} ({shown})") from None
        if synced is not None and text.startswith(_BYTE_ORDER_MARK):
            synced = _BYTE_ORDER_MARK + synced
        if synced == text:
            self.stdout.write(f"`{shown}` names all installed apps that have static files")
        elif options["check"]:
            raise CommandError(f"`{shown}` does not name all installed apps; run `manage.py assetbuild sync`")
        elif synced is None:
            wanted = json.dumps(names)  # a list of such strings is the same in TOML
            key = ".".join((*table, "python_packages"))
            raise CommandError(f"`{shown}` cannot be changed safely; let its `{key}` begin with {wanted}")
        else:
            _write(file, synced)
            self.stdout.write(f"wrote the installed apps that have static files into `{shown}`: {', '.join(names)}")


def _configuration(folder: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the file that `assetbuild compile` reads in a folder, its text and the table in it; a new one if none is.

    The compiler decides the same way, and fails where two configure the project.
    """
    own, shared = os.path.join(folder, _OWN), os.path.join(folder, _SHARED)
    own_text, shared_text = _read(own), _read(shared)
    _parsed(own_text, _OWN)
    tool = _parsed(shared_text, _SHARED).get(_TABLE[0])
    if not isinstance(tool, dict) or _TABLE[1] not in tool:
        return own, own_text, ()
    if os.path.isfile(own):
        message = f"`{_OWN}` and `[{'.'.join(_TABLE)}]` in `{_SHARED}` both configure this project; keep one of them"
        raise CommandError(message)
    return shared, shared_text, _TABLE


def _parsed(text: str, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text := text.removeprefix(_BYTE_ORDER_MARK))
    except tomllib.TOMLDecodeError as error:
        fault = fault_in(text, error)
        at = span_at(shown, text, fault.offset)
        message = f"`{shown}` is not TOML: {fault.sentence}, at line {at.line}, column {at.column}"
        raise CommandError(f"{message}; {fault.hint}" if fault.hint else message) from error
    except (ValueError, RecursionError) as error:  # numbers and nesting have limits of Python's own
        raise CommandError(f"`{shown}` holds a number too long, or is nested too deeply, for Python") from error


def _read(file: str) -> str:
    """Return the text of a file, "" if there is none."""
    if not os.path.isfile(file):
        return ""
    shown = os.path.basename(file)
    try:
        with open(file, encoding="utf-8", newline="") as stream:  # the ends of lines stay as they are
            return stream.read()
    except UnicodeDecodeError as error:
        raise CommandError(f"`{shown}` is not UTF-8: {error.reason}") from error
    except OSError as error:
        raise CommandError(f"`{shown}` cannot be read: {reason_of(error)}") from error


def _write(file: str, text: str) -> None:
    """Put the text in the place of the file's, whole or not at all; a link stays a link."""
    target = os.path.realpath(file)
    try:
        descriptor, draft = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".assetbuild-")
        try:
            with open(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            if os.path.exists(target):
                shutil.copymode(target, draft)
            else:
                os.chmod(draft, 0o644)
            os.replace(draft, target)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise CommandError(f"`{os.path.basename(file)}` cannot be written: {reason_of(error)}") from error

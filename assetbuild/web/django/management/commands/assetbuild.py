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

from assetbuild.web.django.packages import installed_packages, project_folder, with_packages

_FILES = (("assetbuild.toml", ()), ("pyproject.toml", ("tool", "assetbuild")))


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
        file, table = _configuration(project_folder())
        shown = os.path.basename(file)
        text = _read(file)
        try:
            synced = with_packages(text, names, table)
        except tomllib.TOMLDecodeError as error:
            raise CommandError(f"`{shown}` is not TOML: {error}") from error
        if synced == text:
            self.stdout.write(f"`{shown}` names all installed apps that have static files")
        elif options["check"]:
            raise CommandError(f"`{shown}` does not name all installed apps; run `manage.py assetbuild sync`")
        elif synced is None:
            wanted = json.dumps(names)  # a list of such strings is the same in TOML
            raise CommandError(f"`{shown}` cannot be changed safely; let its `python_packages` begin with {wanted}")
        else:
            _write(file, synced)
            self.stdout.write(f"wrote the installed apps that have static files into `{shown}`: {', '.join(names)}")


def _configuration(folder: str) -> tuple[str, tuple[str, ...]]:
    """Return the file that `assetbuild compile` reads in a folder, and the table in it; a new one if there is none."""
    for name, table in _FILES:
        file = os.path.join(folder, name)
        if os.path.exists(file) and (not table or "[tool.assetbuild" in _read(file)):
            return file, table
    return os.path.join(folder, _FILES[0][0]), ()


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", newline="") as stream:  # the ends of lines stay as they are
            return stream.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise CommandError(f"`{os.path.basename(file)}` is not UTF-8: {error.reason}") from error


def _write(file: str, text: str) -> None:
    """Put the text in the place of the file's, whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=os.path.dirname(file), prefix=".assetbuild-")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        if os.path.exists(file):
            shutil.copymode(file, draft)
        else:
            os.chmod(draft, 0o644)
        os.replace(draft, file)
    except BaseException:
        os.unlink(draft)
        raise

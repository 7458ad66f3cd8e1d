"""Which installed apps bring static files, and the `python_packages` of the configuration that name them.

Receives Django's registry of apps and the text of a TOML file; hands on names and texts. `manage.py assetbuild sync`
reads and writes the file; no server comes here.
"""

from __future__ import annotations

import json
import os
import re
import sysconfig
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder

__all__ = ["installed_packages", "is_own", "project_folder", "with_packages"]

_KEY = "python_packages"
_WIDTH = 100


def project_folder() -> str:
    """Return the folder of the project: BASE_DIR, else the current one."""
    return os.path.abspath(getattr(settings, "BASE_DIR", ""))


def installed_packages() -> list[str]:
    """Return the installed apps that have a `static` folder and are not the project's own, in their order.

    The order is that in which Django looks for a static file, and that in which roots are looked through.
    """
    return [name for name in AppDirectoriesFinder().apps if not is_own(name)]


def is_own(name: str) -> bool:
    """Return whether an app lies in the project itself, and not in an environment inside it."""
    folder = next(each.path for each in apps.get_app_configs() if each.name == name)
    environment = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return _holds(project_folder(), folder) and not any(_holds(each, folder) for each in environment)


def with_packages(text: str, names: Sequence[str], table: Sequence[str] = ()) -> str | None:
    """Return a TOML text in which `python_packages` begins with `names`, and nothing else is touched; None if none is.

    table: where the key stands, `("tool", "assetbuild")` in a pyproject.toml. Other names in the list stay, at its end.
    Each way of writing is believed only if the document then means what it meant, and the list. Raises
    `tomllib.TOMLDecodeError`.
    """
    document = tomllib.loads(text)
    old = _table(document, table).get(_KEY)
    wanted = [*names, *(name for name in old or () if name not in names)]
    if wanted == (old or []):
        return text
    _table(document, table)[_KEY] = wanted
    ways = _inserted(text, wanted, table) if old is None else _replaced(text, wanted)
    return next((way for way in ways if _means(way, document)), None)


def _table(document: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for key in path:
        document = document.setdefault(key, {})
    return document


def _means(text: str, document: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _replaced(text: str, names: Sequence[str]) -> Iterator[str]:
    """Yield texts with another list in the place of each that may be it; a comment in a list would be lost."""
    for start in re.finditer(rf"(?m)^[ \t]*{_KEY}[ \t]*=[ \t]*(?=\[)", text):
        for end in re.finditer(r"\]", text[start.end() :]):
            old = text[start.end() : start.end() + end.end()]
            if "#" in old:
                break
            yield text[: start.end()] + _written(names, text, is_long="\n" in old) + text[start.end() + end.end() :]


def _inserted(text: str, names: Sequence[str], table: Sequence[str]) -> Iterator[str]:
    """Yield texts with the list at each place where it may stand, the nicest first."""
    end = _line_end(text)
    line = f"{_KEY} = {_written(names, text)}{end}"
    title = ".".join(table)
    if not table:
        for header in re.finditer(r"(?m)^[ \t]*\[", text):
            before = text[: header.start()]
            at = _after_keys(before)
            yield text[:at] + line + ("" if text[at:].startswith(("\n", "\r")) else end) + text[at:]
        yield text + ("" if text.endswith("\n") or not text else end) + line
        return
    for header in re.finditer(rf"(?m)^[ \t]*\[{re.escape(title)}\][^\n]*\n", text):
        yield text[: header.end()] + line + text[header.end() :]
    for header in re.finditer(rf"(?m)^[ \t]*\[+{re.escape(title)}\.", text):
        yield f"{text[: header.start()]}[{title}]{end}{line}{end}{text[header.start() :]}"


def _after_keys(before: str) -> int:
    """Return where a key goes in what stands before the first table: after its keys, or before a table's comment."""
    lines = before.splitlines(keepends=True)
    for number in range(len(lines), 0, -1):
        if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#"):
            return len("".join(lines[:number]))
    attached = next((number for number in range(len(lines), 0, -1) if not lines[number - 1].strip()), 0)
    return len("".join(lines[:attached]))


def _written(names: Sequence[str], text: str, *, is_long: bool = False) -> str:
    quoted = [json.dumps(name) for name in names]
    short = f"[{', '.join(quoted)}]"
    if not is_long and len(short) <= _WIDTH:
        return short
    end = _line_end(text)
    return f"[{end}" + "".join(f"    {name},{end}" for name in quoted) + "]"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _holds(outer: str, inner: str) -> bool:
    return os.path.join(os.path.realpath(inner), "").startswith(os.path.join(os.path.realpath(outer), ""))

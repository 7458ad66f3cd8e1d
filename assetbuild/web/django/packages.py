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

from assetbuild.diagnostic import AssetbuildError

__all__ = ["Mistyped", "installed_packages", "is_own", "project_folder", "with_packages"]

_KEY = "python_packages"
_WIDTH = 100


class Mistyped(AssetbuildError):
    """A configuration has something of another type where the list stands, or goes; the text says what, and where."""


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
    Each way of writing is believed only if the document then means what it meant, and the list. Raises `Mistyped`, and
    `tomllib.TOMLDecodeError`.
    """
    document = tomllib.loads(text)
    inner = _table(document, table)
    old = inner.get(_KEY, [])
    if not isinstance(old, list):
        raise _mistyped("a list of strings", old, (*table, _KEY))
    for position, name in enumerate(old):
        if not isinstance(name, str):
            raise _mistyped("a string", name, (*table, f"{_KEY}[{position}]"))
    wanted = [*names, *(name for name in old if name not in names)]
    if wanted == old:
        return text
    is_new = _KEY not in inner
    inner[_KEY] = wanted
    ways = _inserted(text, wanted, table) if is_new else _replaced(text, wanted)
    return next((way for way in ways if _means(way, document)), None)


def _table(document: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for depth, key in enumerate(path, start=1):
        document = document.setdefault(key, {})
        if not isinstance(document, dict):
            raise _mistyped("a table", document, path[:depth])
    return document


def _mistyped(expected: str, found: object, path: Sequence[str]) -> Mistyped:
    words: dict[type, str] = {str: "string", dict: "table"}
    name = words.get(type(found), type(found).__name__)
    return Mistyped(f"expected {expected}, got `{name}` at `{'.'.join(path)}`")


def _means(text: str, document: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _replaced(text: str, names: Sequence[str]) -> Iterator[str]:
    """Yield texts with another list in the place of each that may be it; a comment in a list would be lost."""
    for start in re.finditer(rf"\b{_KEY}[\"']?[ \t]*=[ \t]*(?=\[)", text):
        for end in re.finditer(r"\]", text[start.end() :]):
            old = text[start.end() : start.end() + end.end()]
            if "#" in old:
                break
            yield text[: start.end()] + _written(names, text, is_long="\n" in old) + text[start.end() + end.end() :]


def _inserted(text: str, names: Sequence[str], table: Sequence[str]) -> Iterator[str]:
    """Yield texts with the list at each place where it may stand, the nicest first."""
    end = _line_end(text)
    value = _written(names, text)
    for depth in range(len(table), -1, -1):
        key = ".".join((*table[depth:], _KEY))
        yield from _under(text, table[:depth], f"{key} = {value}{end}", end)


def _under(text: str, table: Sequence[str], line: str, end: str) -> Iterator[str]:
    """Yield texts with a line in a table; in the document itself, if `table` is empty."""
    if not table:
        for header in re.finditer(r"(?m)^[ \t]*\[", text):
            before = text[: header.start()]
            at = _after_keys(before)
            yield text[:at] + line + ("" if text[at:].startswith(("\n", "\r")) else end) + text[at:]
        yield text + ("" if text.endswith("\n") or not text else end) + line
        return
    # Quotes and blanks mean nothing in a header (TOML 1.0.0, Keys and Table).
    title = r"[ \t]*\.[ \t]*".join(rf"[\"']?{re.escape(key)}[\"']?" for key in table)
    for header in re.finditer(rf"(?m)^[ \t]*\[[ \t]*{title}[ \t]*\][^\n]*\n?", text):
        yield text[: header.end()] + ("" if header[0].endswith("\n") else end) + line + text[header.end() :]
    for header in re.finditer(rf"(?m)^[ \t]*\[+[ \t]*{title}[ \t]*\.", text):
        yield f"{text[: header.start()]}[{'.'.join(table)}]{end}{line}{end}{text[header.start() :]}"


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

"""Which framework the project uses, and which tool builds its assets now: told by dependencies and imports.

Receives a folder; hands on names with the places that say so. Nothing is imported, nothing guessed from a file's name.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.adopt.code import Code
from assetbuild.diagnostic import Span
from assetbuild.disk import Disk

__all__ = ["Detected", "detected"]

# Name of the distribution, which is also the module's: what people call it. FastAPI brings Starlette, and goes first.
_FRAMEWORKS = {
    "django": "Django",
    "fastapi": "FastAPI",
    "litestar": "Litestar",
    "pyramid": "Pyramid",
    "flask": "Flask",
    "starlette": "Starlette",
}
# Distribution, or npm package: the word of `--from`. The first that is found is the one that builds.
_TOOLS = {
    "django-compressor": "compressor",
    "django-pipeline": "pipeline",
    "flask-assets": "flask-assets",
    "webassets": "webassets",
    "vite": "vite",
    "django": "django",  # last: collectstatic builds where nothing else does
}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Detected(NamedTuple):
    """A framework or tool by the name that people give it, and the line that says that it is used."""

    name: str
    place: Span


def detected(code: Code, disk: Disk) -> tuple[tuple[Detected, ...], Detected | None]:
    """Return the frameworks, the likeliest first, and the tool that `--from` names, None if none is known."""
    named: dict[str, Span] = {}
    for name, place in _dependencies(code.folder, disk):
        named.setdefault(_normal(name), place)
    for name, place in _imports(code):
        named.setdefault(name, place)
    frameworks = [Detected(name, named[package]) for package, name in _FRAMEWORKS.items() if package in named]
    if any(one.name == "FastAPI" for one in frameworks):
        frameworks = [one for one in frameworks if one.name != "Starlette"]
    tool = next((Detected(word, named[package]) for package, word in _TOOLS.items() if package in named), None)
    return tuple(frameworks), tool


def _dependencies(folder: str, disk: Disk) -> Iterator[tuple[str, Span]]:
    """Yield names of distributions and npm packages: pyproject.toml, requirements files, Pipfile, package.json."""
    for shown in ("pyproject.toml", "Pipfile"):
        text = _text(folder, shown, disk)
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            continue
        for name in _named_in_toml(document):
            yield name, _place_of(shown, text, name)
    for shown in _requirement_files(folder, disk):
        for number, line in enumerate(_text(folder, shown, disk).splitlines(), 1):
            if found := _NAME.match(line.strip()):
                yield found[0], Span(shown, number, 1, len(line.rstrip()), line.rstrip())
    text = _text(folder, "package.json", disk)
    try:
        packages = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        packages = {}
    for key in ("dependencies", "devDependencies"):
        for name in packages.get(key) or () if isinstance(packages, dict) else ():
            yield str(name), _place_of("package.json", text, str(name))


def _requirement_files(folder: str, disk: Disk) -> Iterator[str]:
    for above in ("", "requirements"):
        place = os.path.join(folder, above)
        for entry in disk.scan(place) if disk.is_folder(place) else ():
            is_one = entry.name.endswith((".txt", ".in")) and (above or entry.name.startswith("requirements"))
            if entry.kind == "file" and is_one:
                yield f"{above}/{entry.name}" if above else entry.name


def _named_in_toml(document: Mapping[str, object]) -> Iterator[str]:
    """Yield what pyproject.toml (PEP 621, PEP 735, Poetry) or a Pipfile says that the project depends on."""
    project, tool = _table(document, "project"), _table(document, "tool")
    poetry = _table(tool, "poetry")
    groups = [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    for table in (_table(poetry, "dependencies"), *groups, _table(document, "packages")):
        yield from table
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    for requirements in (*lists, *_table(document, "dependency-groups").values()):
        for requirement in requirements if isinstance(requirements, list) else ():
            if isinstance(requirement, str) and (found := _NAME.match(requirement)):
                yield found[0]


def _imports(code: Code) -> Iterator[tuple[str, Span]]:
    modules = (*_FRAMEWORKS, "flask_assets", "webassets")
    for module in code.naming(*modules):
        for dotted in (*module.imports.values(), *module.stars):
            top = dotted.partition(".")[0]
            if top in modules:
                yield _normal(top), Span(module.shown)


def _table(value: object, key: str) -> Mapping[str, object]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _text(folder: str, shown: str, disk: Disk) -> str:
    file = os.path.join(folder, shown)
    return disk.read(file).decode("utf-8-sig", "replace") if disk.is_file(file) else ""


def _place_of(shown: str, text: str, name: str) -> Span:
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", line):
            return Span(shown, number, 1, len(line), line)
    return Span(shown)


def _normal(name: str) -> str:
    """Return the name by which distributions are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""npm packages as they lie in `node_modules`: which folder a name means, and which file its package.json gives out.

Receives names as written and a `Reading`, which records what was read and what was not there; hands on files that may
not exist (the caller knows its own extensions). Installs nothing, and returns what is wrong as values.
Source: Node.js documentation, "Modules: Packages" and "Modules: ECMAScript modules", resolution algorithm.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from assetbuild.compiler.files import Reading
from assetbuild.disk import Disk

__all__ = [
    "Bare",
    "Package",
    "Packages",
    "Unreadable",
    "Unresolved",
    "resolve_exports",
    "resolve_imports",
    "split_specifier",
    "to_install",
]

_MODULES = "node_modules"
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")

# Segments that would lead a target out of its package, or into another one.
_FORBIDDEN_SEGMENTS = frozenset({"", ".", "..", _MODULES})
_SEPARATOR = re.compile(r"[/\\]")


class Package(NamedTuple):
    """An installed package. folder: absolute; fields: its package.json, keys in the order in which they are written."""

    name: str
    folder: str
    fields: Mapping[str, object]


class Unreadable(NamedTuple):
    """A package.json that is no JSON object. why: lower case, for a message."""

    file: str
    why: str


class Unresolved(NamedTuple):
    """A package does not give out what was asked for. why: lower case, for a message."""

    why: str


class Bare(NamedTuple):
    """An `imports` target that names another package."""

    specifier: str


Target = str | Unresolved | Bare
"""Absolute path of a file, existing or not; or why there is none."""


def split_specifier(specifier: str) -> tuple[str, str]:
    """Return the package's name and the path inside it ("" for the package itself); ("", "") if it is no such thing.

    `@scope/name/sub/path` gives `@scope/name` and `sub/path`. Source: PACKAGE_RESOLVE.
    """
    parts = specifier.split("/")
    size = 2 if specifier.startswith("@") else 1
    name = "/".join(parts[:size])
    is_name = len(parts) >= size and all(parts[:size]) and not name.startswith(".") and not set(name) & set("\\%:")
    return (name, "/".join(parts[size:])) if is_name else ("", "")


def to_install(name: str, project_folder: str, disk: Disk) -> str:
    """Return what to do about a package that is not installed; one that package.json names waits for that alone.

    Only a message depends on it, so nothing is recorded as read.
    """
    file = os.path.join(project_folder, "package.json")
    fields = _parse(file, disk.read(file)) if disk.is_file(file) else {}
    tables = [] if isinstance(fields, Unreadable) else [fields.get(key) for key in _DEPENDENCIES]
    is_named = any(isinstance(table, dict) and name in table for table in tables)
    return "run `npm install` (`package.json` names it)" if is_named else f"run `npm install {name}`"


class Packages:
    """Finds packages for one project. Safe in threads; it remembers nothing but what each package.json says."""

    def __init__(self, project_folder: str) -> None:
        self._project_folder = project_folder
        self._parsed: dict[str, tuple[bytes, Mapping[str, object] | Unreadable]] = {}

    def find(self, name: str, folder: str, reading: Reading) -> Package | Unreadable | None:
        """Return the package that `name` means in `folder`: that of the nearest `node_modules`, up to the project."""
        for parent in self._upwards(folder):
            found = os.path.join(parent, _MODULES, *name.split("/"))
            if reading.exists(os.path.join(found, "package.json")):
                fields = self._fields(os.path.join(found, "package.json"), reading)
                return fields if isinstance(fields, Unreadable) else Package(name, found, fields)
        return None

    def _upwards(self, folder: str) -> Iterator[str]:
        while folder.startswith(os.path.join(self._project_folder, "")):
            if os.path.basename(folder) != _MODULES:
                yield folder
            folder = os.path.dirname(folder)
        # The project's own packages serve files from elsewhere too: the static folder of a Python package.
        yield self._project_folder

    def _fields(self, file: str, reading: Reading) -> Mapping[str, object] | Unreadable:
        content = reading.read(file)
        known = self._parsed.get(file)
        if known is None or known[0] != content:
            known = self._parsed[file] = (content, _parse(file, content))
        return known[1]


def _parse(file: str, content: bytes) -> Mapping[str, object] | Unreadable:
    try:
        fields: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        return Unreadable(file, f"it is not JSON: {error}")
    return fields if isinstance(fields, dict) else Unreadable(file, "it holds no object")


def resolve_exports(package: Package, subpath: str, conditions: Collection[str]) -> Target | None:
    """Return the file that `exports` gives out for `subpath` ("" for the package itself), None if it has none.

    conditions: those that apply; their order does not matter, as that of the keys decides. `default` always applies.
    Source: PACKAGE_EXPORTS_RESOLVE.
    """
    exports = package.fields.get("exports")
    if exports is None:
        return None
    if not isinstance(exports, dict) or not any(key.startswith(".") for key in exports):
        exports = {".": exports}
    elif not all(key.startswith(".") for key in exports):
        return Unresolved(f"`exports` of `{package.name}` mixes paths and conditions")
    found = _matched(package, f"./{subpath}" if subpath else ".", exports, conditions, is_import=False)
    shown = f"{package.name}/{subpath}" if subpath else package.name
    return Unresolved(f"`{shown}` is not given out by `exports` of `{package.name}`") if found is None else found


def resolve_imports(package: Package, specifier: str, conditions: Collection[str]) -> Target:
    """Return the file, or the other package, that `imports` gives for a specifier such as `#theme`.

    Source: PACKAGE_IMPORTS_RESOLVE.
    """
    imports = package.fields.get("imports")
    found = None
    if isinstance(imports, dict) and specifier != "#" and not specifier.startswith("#/"):
        found = _matched(package, specifier, imports, conditions, is_import=True)
    return Unresolved(f"`{specifier}` is not among `imports` of `{package.name}`") if found is None else found


def _matched(
    package: Package, key: str, targets: Mapping[str, object], conditions: Collection[str], *, is_import: bool
) -> Target | None:
    """Return what an exact key, else the most specific pattern, leads to. Source: PACKAGE_IMPORTS_EXPORTS_RESOLVE."""
    if key.endswith("/"):
        return None
    if key in targets and "*" not in key:
        return _target(package, targets[key], None, conditions, is_import)
    patterns = [pattern for pattern in targets if pattern.count("*") == 1]
    # PATTERN_KEY_COMPARE: the longer text before the star wins, then the longer key.
    for pattern in sorted(patterns, key=lambda pattern: (-pattern.index("*"), -len(pattern))):
        before, _, after = pattern.partition("*")
        if key.startswith(before) and key != before and key.endswith(after) and len(key) >= len(pattern):
            return _target(package, targets[pattern], key[len(before) : len(key) - len(after)], conditions, is_import)
    return None


def _target(
    package: Package, target: object, star: str | None, conditions: Collection[str], is_import: bool
) -> Target | None:
    """Return what `target` leads to, None if it gives nothing out. Source: PACKAGE_TARGET_RESOLVE.

    The algorithm tells `null` (the search ends) from `undefined` (it goes on); `_Nothing` is the former here.
    """
    found = _target_or_nothing(package, target, star, conditions, is_import)
    return None if isinstance(found, _Nothing) else found


class _Nothing:
    """The target is `null`: not given out, whatever comes after it."""


def _target_or_nothing(
    package: Package, target: object, star: str | None, conditions: Collection[str], is_import: bool
) -> Target | _Nothing | None:
    if isinstance(target, str):
        return _file(package, target, star, is_import)
    if isinstance(target, dict):
        for condition, inner in target.items():
            if condition == "default" or condition in conditions:
                found = _target_or_nothing(package, inner, star, conditions, is_import)
                if found is not None:
                    return found
        return None
    if isinstance(target, list):
        last: Target | _Nothing | None = _Nothing()
        for inner in target:
            last = _target_or_nothing(package, inner, star, conditions, is_import)
            if isinstance(last, str | Bare):
                return last
        return last
    if target is None:
        return _Nothing()
    return Unresolved(f"package.json of `{package.name}` names a target that is no text")


def _file(package: Package, target: str, star: str | None, is_import: bool) -> Target:
    outside = Unresolved(f"target `{target}` of `{package.name}` is not below the package")
    if not target.startswith("./"):
        is_bare = is_import and not target.startswith(("../", "/")) and "://" not in target
        filled = target if star is None else target.replace("*", star)
        return Bare(filled) if is_bare else outside
    if _leads_out(target[2:]) or (star is not None and _leads_out(star)):
        return outside
    inside = target[2:] if star is None else target[2:].replace("*", star)
    return os.path.join(package.folder, inside)


def _leads_out(path: str) -> bool:
    segments = _SEPARATOR.split(unquote(path).lower())
    return not _FORBIDDEN_SEGMENTS.isdisjoint(segments)

"""Inputs: the files that a command has declared, by names that are the same on every machine.

Receives globs; hands on names and files, sorted, and findings for globs that match nothing. A wildcard never finds a
dotted name, `node_modules`, `__pycache__` or the output of an earlier compile: whoever means those writes them out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler.config import place_of
from assetbuild.compiler.config.commands import OUTPUT
from assetbuild.compiler.globs import is_glob, matches
from assetbuild.compiler.project import PACKAGE, Command, Project
from assetbuild.diagnostic import Diagnostic, nearest
from assetbuild.disk import Disk, Found
from assetbuild.installed import package_folders

__all__ = ["Declared", "declared"]

_NEVER_MEANT = frozenset(("node_modules", "__pycache__"))


class Declared(NamedTuple):
    """What a command has declared. files: portable name → absolute file. problems: globs that name nothing."""

    files: Mapping[str, str]
    problems: tuple[Diagnostic, ...]


def declared(command: Command, project: Project, made: Mapping[str, str], disk: Disk) -> Declared:
    """Return the inputs of a command; raise `OSError` if a folder cannot be listed.

    made: what the commands before it have made, logical path → file. The names of its files begin as the globs do:
    with `{output}/`, with `pkg:`, or with nothing for a file of the project.
    """
    files: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for number, pattern in enumerate(command.inputs):
        found = dict(_found(pattern, project, made, disk))
        files |= found
        if not found:
            message, hint = _nothing(pattern, project, made)
            place = place_of(project, f"{command.place}.inputs[{number}]")
            problems.append(Diagnostic("empty-glob", "error", message, place, hint))
    for word in command.run[1:]:
        # A script that an interpreter is given, a configuration: named whole, it is plainly read.
        file = os.path.normpath(os.path.join(project.folder, word))
        if file.startswith(os.path.join(project.folder, "")) and disk.is_file(file):
            files.setdefault(os.path.relpath(file, project.folder), file)
    return Declared({name: files[name] for name in sorted(files)}, tuple(problems))


def _found(pattern: str, project: Project, made: Mapping[str, str], disk: Disk) -> Iterator[tuple[str, str]]:
    """Yield name and file of everything that a pattern matches."""
    if pattern.startswith(f"{OUTPUT}/"):
        inside = pattern.removeprefix(f"{OUTPUT}/")
        yield from ((f"{OUTPUT}/{name}", file) for name, file in made.items() if matches(inside, name))
    elif pattern.startswith(PACKAGE):
        name, _, inside = pattern.removeprefix(PACKAGE).partition("/")
        for folder in package_folders(name):
            yield from ((f"{PACKAGE}{name}/{path}", file) for path, file in _below(folder, inside, project, disk))
    else:
        yield from _below(project.folder, pattern, project, disk)


def _nothing(pattern: str, project: Project, made: Mapping[str, str]) -> tuple[str, str]:
    """Return what to say of a pattern that matches nothing, and what may have been meant."""
    if pattern.startswith(PACKAGE):
        name = pattern.removeprefix(PACKAGE).partition("/")[0]
        if not package_folders(name):
            return f"`{name}` is not an installed package", "install it where assetbuild runs"
    if pattern.startswith(f"{OUTPUT}/"):
        near = nearest(pattern, [f"{OUTPUT}/{name}" for name in made])
        return f"no command before this one makes `{pattern}`", f"did you mean `{near}`?" if near else ""
    folder, name = os.path.split(os.path.join(project.folder, pattern))
    near = None
    if not is_glob(pattern) and os.path.isdir(folder):
        near = nearest(name, os.listdir(folder))
    shown = "/".join(filter(None, (os.path.dirname(pattern), near)))
    return f"`{pattern}` matches no file", f"did you mean `{shown}`?" if near else ""


def _below(folder: str, pattern: str, project: Project, disk: Disk) -> Iterator[tuple[str, str]]:
    """Yield path and file of what `pattern` matches below `folder`. Each folder is listed once, however many links."""
    segments = pattern.split("/")
    depth = next((number for number, segment in enumerate(segments) if is_glob(segment)), len(segments))
    if depth == len(segments):
        if disk.is_file(file := os.path.join(folder, pattern)):
            yield pattern, file
        return
    head = "/".join(segments[:depth])
    top = os.path.join(folder, head) if head else folder
    seen: set[str] = set()
    waiting = [(f"{head}/" if head else "", top)] if disk.is_folder(top) else []
    outputs = project.output, project.cache_folder
    while waiting:
        prefix, inside = waiting.pop()
        real = os.path.realpath(inside)
        if real in seen or real in outputs:
            continue
        seen.add(real)
        for found in disk.scan(inside):
            file = os.path.join(inside, found.name)
            if found.name.startswith(".") or found.name in _NEVER_MEANT:
                continue
            kind = _kind(found, file, disk)
            if kind == "folder" and _may_lead(segments, f"{prefix}{found.name}"):
                waiting.append((f"{prefix}{found.name}/", file))
            elif kind == "file" and matches(pattern, f"{prefix}{found.name}"):
                yield f"{prefix}{found.name}", file


def _kind(found: Found, file: str, disk: Disk) -> str:
    """Return what an entry is, links followed."""
    if found.kind != "link":
        return found.kind
    return "file" if disk.is_file(file) else "folder" if disk.is_folder(file) else "other"


def _may_lead(segments: list[str], path: str) -> bool:
    """Return whether something below the folder `path` may match: a project holds more than what is asked for."""
    if any(segment.count("{") != segment.count("}") for segment in segments):
        return True  # alternatives that span folders
    for number, name in enumerate(path.split("/")):
        if number >= len(segments) - 1 and "**" not in segments[-1]:
            return False
        if "**" in segments[min(number, len(segments) - 1)]:
            return True
        if not matches(segments[number], name):
            return False
    return True

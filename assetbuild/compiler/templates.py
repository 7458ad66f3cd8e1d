"""Templates: which files below `[templates] paths` are templates, and what is in them.

Receives the project; hands on bytes, once per file, in the order of the folders. Knows no template language: who reads
what is in them is `bundles/` and `inspect/`. Nothing is written, and no name is told from what a file holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from assetbuild.compiler.config import place_of
from assetbuild.compiler.config.roots import Folders, near_folder
from assetbuild.compiler.door import TEXT_LIMIT_BYTES, admit
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import Diagnostic, Span, reason_of
from assetbuild.disk import Disk, Measured

__all__ = ["SUFFIXES", "Template", "likely_folders", "templates"]

SUFFIXES = (".htm", ".html", ".j2", ".jinja", ".jinja2", ".svg", ".txt", ".xhtml", ".xml")
"""A file that ends so is a template. Any other may be one, or a picture beside them: a loader asks for no suffix."""

_LOOKED_FOR = ("templates", "*/templates", "src/*/templates")


class Template(NamedTuple):
    """A file that is a template, or may be. shown: relative to the project, POSIX."""

    shown: str
    body: bytes

    @property
    def is_sure(self) -> bool:
        """Whether its name says that it is one, so that what cannot be read in it is a fault."""
        return self.shown.lower().endswith(SUFFIXES)

    def text(self) -> str | None:
        """Return the text, None for a file that may be none; raise `door.Refused` for one that must be.

        Jinja and Django read templates as UTF-8 unless they are told otherwise.
        """
        if self.is_sure:
            return admit(self.body, self.shown)
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            return None
        return text if "\0" not in text else None


def templates(project: Project, disk: Disk) -> Iterator[Template | Diagnostic]:
    """Yield every file below the folders of templates, links inside the project followed, and what cannot be read.

    A file or folder that several names lead to is read once. Dotted names and `node_modules` hold no templates.
    Raises `ConfigError` for a folder of the configuration that cannot be listed.
    """
    seen: set[str] = set()
    for folder in sorted(set(project.templates.folders)):
        try:
            disk.measure(folder)
        except OSError as error:
            raise ConfigError([_unlisted(folder, error, project, disk)]) from None
        yield from _below(folder, project, disk, seen)


def likely_folders(project: Project, disk: Disk) -> list[str]:
    """Return the folders that are named as those of templates mostly are, relative to the project, sorted."""
    folders = Folders(project.folder, project.output, disk)
    return sorted({found for pattern in _LOOKED_FOR for found in folders.named(pattern)})


def _unlisted(folder: str, error: OSError, project: Project, disk: Disk) -> Diagnostic:
    shown = _shown(folder, project)
    place = place_of(project, f"templates.paths[{project.templates.folders.index(folder)}]")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = near_folder(shown, Folders(project.folder, project.output, disk))
        return Diagnostic("bad-value", "error", f"`{shown}` in `[templates] paths` is not a folder", place, hint)
    message = f"the templates in `{shown}` cannot be listed: {reason_of(error)}"
    return Diagnostic("unreadable", "error", message, place)


def _below(top: str, project: Project, disk: Disk, seen: set[str]) -> Iterator[Template | Diagnostic]:
    folders = [top]
    while folders:
        folder = folders.pop(0)
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = disk.measure(folder)
        except OSError as error:
            yield _unread(folder, project, f"the folder cannot be listed: {reason_of(error)}")
            continue
        for found in entries:
            file = os.path.join(folder, found.name)
            if found.name.startswith(".") or found.name == "node_modules":
                continue
            kind, problem = _followed(found, file, project)
            if kind == "folder":
                folders.append(file)
            elif kind == "file":
                yield from _read(file, found, project, disk, seen)
            else:
                yield Diagnostic("unread-template", "warning", problem, Span(_shown(file, project)))


def _followed(found: Measured, file: str, project: Project) -> tuple[str, str]:
    """Return `folder`, `file` or "" with the reason for neither."""
    if found.kind in ("file", "folder"):
        return found.kind, ""
    if found.kind == "other":
        return "", "not a regular file, folder or link"
    real = os.path.realpath(file)
    if not real.startswith(os.path.join(project.folder, "")):
        return "", "the link leads out of the project"
    if os.path.isdir(real):
        return "folder", ""
    return ("file", "") if os.path.isfile(real) else ("", "the link leads to no regular file")


def _read(file: str, found: Measured, project: Project, disk: Disk, seen: set[str]) -> Iterator[Template | Diagnostic]:
    real = os.path.realpath(file)
    template = Template(_shown(file, project), b"")
    # An archive or a film beside the templates is not worth its memory.
    if real in seen or (found.size > TEXT_LIMIT_BYTES and not template.is_sure):
        return
    seen.add(real)
    try:
        yield template._replace(body=disk.read(file))
    except OSError as error:
        yield _unread(file, project, f"the file cannot be read: {reason_of(error)}")


def _unread(file: str, project: Project, message: str) -> Diagnostic:
    return Diagnostic("unreadable", "error", message, Span(_shown(file, project)))


def _shown(file: str, project: Project) -> str:
    return os.path.relpath(file, project.folder).replace(os.sep, "/")

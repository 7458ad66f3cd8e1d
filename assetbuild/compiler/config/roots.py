"""The load path: configured folders, those of Python packages, and what is found where nothing is configured.

Receives the roots as they are written; hands on `Root` values in their order, globs expanded, each folder once. Never
imports a package: importing one would run application code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler import globs
from assetbuild.compiler.config import checks
from assetbuild.compiler.config.schema import Table
from assetbuild.compiler.project import Missing, Root
from assetbuild.diagnostic import nearest
from assetbuild.disk import Disk
from assetbuild.installed import package_folders

__all__ = ["LOOKED_FOR", "Folders", "detect", "near_folder", "read_roots"]

LOOKED_FOR = ("assets", "static", "app/static", "src/*/static", "*/static")
"""Where the root is looked for without configuration: the first pattern that finds a folder wins."""

_NEVER_MEANT = {"node_modules", "__pycache__"}
_MISSING: tuple[Missing, ...] = ("error", "warn")


class Folders(NamedTuple):
    """Looks for folders of the project. output: absolute; an earlier compile may have left folders there."""

    project: str
    output: str
    disk: Disk

    def absolute(self, shown: str) -> str:
        """Return a folder that is relative to the project as an absolute one."""
        return os.path.normpath(os.path.join(self.project, shown))

    def named(self, pattern: str) -> list[str]:
        """Return the folders that `pattern` names, relative to the project, sorted.

        A wildcard never finds a dotted folder, `node_modules`, or the output of an earlier compile.
        """
        found = [""]
        for segment in (part for part in pattern.split("/") if part not in {"", "."}):
            steps = [(parent, name) for parent in found for name in self._names(parent, segment)]
            found = [f"{parent}/{name}" if parent else name for parent, name in steps]
            found = [shown for shown in found if self.disk.is_folder(self.absolute(shown))]
        return [shown or "." for shown in found if not globs.is_glob(pattern) or not self._is_output(shown)]

    def inside(self, shown: str) -> list[str]:
        """Return the names of the folders in `shown`, links to folders among them; none if it is no folder."""
        folder = self.absolute(shown)
        found = self.disk.scan(folder) if self.disk.is_folder(folder) else []
        return [
            entry.name
            for entry in found
            if entry.kind == "folder"
            or (entry.kind == "link" and self.disk.is_folder(os.path.join(folder, entry.name)))
        ]

    def _names(self, parent: str, segment: str) -> list[str]:
        if not globs.is_glob(segment):
            return [segment]
        names = (name for name in self.inside(parent) if not name.startswith(".") and name not in _NEVER_MEANT)
        return [name for name in names if globs.matches(segment, name)]

    def _is_output(self, shown: str) -> bool:
        return os.path.join(self.absolute(shown), "").startswith(os.path.join(self.output, ""))


def detect(folders: Folders) -> tuple[Root, ...]:
    """Return the roots of a project that configures none; empty if there is nothing to be found."""
    for pattern in LOOKED_FOR:
        found = tuple(Root(folders.absolute(shown), shown) for shown in folders.named(pattern))
        if found:
            return found
    return ()


def read_roots(table: Table, folders: Folders) -> tuple[Root, ...]:
    """Return `roots`, then `python_packages`; a folder that is not there is a fault."""
    found = [root for number, item in enumerate(table.items("roots")) for root in _root(table, number, item, folders)]
    for number, name in enumerate(table.texts("python_packages", checks.package)):
        found += _package_root(table, number, name)
    first: dict[tuple[str, str], Root] = {}
    for root in found:
        first.setdefault((root.folder, root.mount), root)
    return tuple(first.values())


def _root(table: Table, number: int, item: object, folders: Folders) -> Iterator[Root]:
    path_at = (*table.path, "roots", number)
    if isinstance(item, str):
        item = {"path": item}
    elif isinstance(item, Mapping):
        path_at = (*path_at, "path")
    else:
        table.mistyped("a string or a table", item, "roots", number)
        return
    inner = Table(table.document, item, (*table.path, "roots", number))
    path = inner.needed("path", checks.root, path_at)
    is_vendored = "node_modules" in path.split("/")
    root = Root(
        folder="",
        shown="",
        mount=inner.text("as", "", checks.logical_path),
        include=inner.texts("include", checks.glob),
        exclude=inner.texts("exclude", checks.glob),
        missing=inner.choice("missing", _MISSING, "warn" if is_vendored else "error"),
        is_minified=inner.flag("minify", False),
    )
    inner.close()
    named = folders.named(path) if path else []
    if path and not named:
        problem = "matches no folder" if globs.is_glob(path) else "is not a folder"
        table.document.fault(path, problem, path_at, near_folder(path, folders))
    for shown in named:
        yield root._replace(folder=folders.absolute(shown), shown=shown)


def near_folder(path: str, folders: Folders) -> str:
    """Return the hint that names the folder which was clearly meant by `path`, "" if there is none."""
    parent, slash, name = path.rstrip("/").rpartition("/")
    meant = None if globs.is_glob(path) else nearest(name, folders.inside(parent))
    return f"did you mean `{parent}{slash}{meant}`?" if meant else ""


def _package_root(table: Table, number: int, name: str) -> Iterator[Root]:
    folders = package_folders(name)
    static = [folder for folder in folders if os.path.isdir(os.path.join(folder, "static"))]
    path = (*table.path, "python_packages", number)
    if not folders:
        table.document.fault(name, "is not an installed package", path, "install it where assetbuild runs")
    elif not static:
        table.document.fault(name, "has no `static` folder", path)
    for folder in static:
        # Where the package is installed must not reach messages or digests.
        shown = f"{name.replace('.', '/')}/static"
        yield Root(os.path.join(folder, "static"), shown, missing="warn", package=name)

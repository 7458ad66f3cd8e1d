"""How a Sass load is found: from what is written in `@use`, `@forward`, `@import` or `meta.load-css` to a file.

Receives names as written and a `Reading`, which records every file that was looked for in vain; hands on files. Reads
no sheet and talks to no compiler, so both Sass engines share it. Sources: the Sass specification ("Importing a File",
"Resolving a `file:` URL") for what one path may stand for; the documentation of `NodePackageImporter` for packages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from assetbuild.compiler.files import Reading
from assetbuild.compiler.packages import Package, Packages, Unreadable, resolve_exports, split_specifier, to_install
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import behind_alias
from assetbuild.diagnostic import nearest

__all__ = ["EXTENSIONS", "Finder", "Refusal"]

EXTENSIONS = (".sass", ".scss", ".css")
_CONDITIONS = frozenset({"sass", "style"})
_FIELDS = ("sass", "style", "main")


class Refusal(NamedTuple):
    """Why a load gives no file. message and hint: as a `Diagnostic` has them; rule: its rule."""

    rule: str
    message: str
    hint: str = ""


class Finder:
    """The rules for one job; a file that it returns exists and lies in the declared folders."""

    def __init__(self, project: Project, reading: Reading) -> None:
        self._project = project
        self._reading = reading
        self._packages = Packages(project.folder)

    def at(self, path: str, from_import: bool) -> str | Refusal | None:
        """Return the file that the absolute `path`, with or without extension and underscore, stands for.

        from_import: the load is an `@import`, for which `x.import.scss` comes before `x.scss`. Two files that are as
        good as each other are refused. None if nothing is there.
        """
        for group in _groups(path, from_import):
            found = [file for file in group if self._reading.exists(file)]
            if found:
                return self._only(found)
        return None

    def search(self, written: str, loader: str, from_import: bool) -> str | Refusal:
        """Return the file that `written` means where it is not relative to the sheet that loads it.

        loader: absolute file of that sheet. Looked at, in this order: `pkg:`, aliases, `~/` for the project and `~` for
        a package, each of which settles it; else load paths, roots, packages. The first hit counts, as in Sass itself.
        """
        for place in self._places(written):
            found = self.at(place, from_import)
            if found is not None:
                return found
        package = self._package_path(written)
        if package:
            found = self._in_package(package, loader, from_import)
            if found is not None:
                return found
        return self._missing(written, loader)

    def load(self, written: str, loader: str, from_import: bool) -> str | Refusal:
        """Return the file that `written` means in the sheet `loader`: relative to it first, then by `search`."""
        if ":" not in written and not os.path.isabs(written):
            found = self.at(os.path.join(os.path.dirname(loader), written), from_import)
            if found is not None:
                return found
        return self.search(written, loader, from_import)

    def _places(self, written: str) -> Iterator[str]:
        """Yield the absolute paths that `written` may be, beside those in packages."""
        project = self._project
        target = behind_alias(written, self._project.urls.aliases)
        if target is not None:
            yield os.path.join(project.folder, target)
        elif written.startswith("~/"):
            yield os.path.join(project.folder, written[2:])
        elif not written.startswith("~") and ":" not in written and not os.path.isabs(written):
            for folder in project.sass.load_paths:
                yield os.path.join(folder, written)
            for root in project.roots:
                mount = f"{root.mount}/" if root.mount else ""
                if written.startswith(mount):
                    yield os.path.join(root.folder, written[len(mount) :])

    def _package_path(self, written: str) -> str:
        """Return the part of `written` that may begin with a package's name, "" if none may."""
        target = behind_alias(written, self._project.urls.aliases)
        if target is not None:
            return target
        if written.startswith("~/"):
            return ""
        return written.removeprefix("pkg:") if written.startswith("pkg:") else written.removeprefix("~")

    def _in_package(self, specifier: str, loader: str, from_import: bool) -> str | Refusal | None:
        """Return what `name/path` means: what `exports` gives out, else the path in the package's folder.

        For the package itself, its fields `sass`, `style` and `main` come before its `index`.
        """
        name, subpath = split_specifier(specifier)
        package = self._packages.find(name, os.path.dirname(loader), self._reading) if name else None
        if package is None:
            return None
        if isinstance(package, Unreadable):
            return Refusal("broken-package", f"`{self._reading.shown(package.file)}` cannot be used: {package.why}")
        exported = self._exported(package, subpath)
        if exported is not None:
            return exported
        if subpath:
            return self.at(os.path.join(package.folder, subpath), from_import)
        for field in (*_FIELDS, None):
            value = package.fields.get(field) if field else "index"
            if isinstance(value, str) and (field is None or value.endswith(EXTENSIONS)):
                found = self.at(os.path.join(package.folder, value), from_import)
                if found is not None:
                    return found
        return None

    def _exported(self, package: Package, subpath: str) -> str | Refusal | None:
        """Return the stylesheet among what `exports` gives out for the spellings that Sass allows for `subpath`."""
        for spellings in _spellings(subpath):
            targets = (resolve_exports(package, spelling, _CONDITIONS) for spelling in spellings)
            files = [t for t in targets if isinstance(t, str) and t.endswith(EXTENSIONS)]
            found = [file for file in dict.fromkeys(files) if self._reading.exists(file)]
            if found:
                return self._only(found)
        return None

    def _only(self, found: list[str]) -> str | Refusal:
        if len(found) == 1:
            return found[0]
        all_shown = " and ".join(f"`{self._reading.shown(file)}`" for file in found)
        message = f"it is not clear which file is meant: {all_shown}"
        return Refusal("ambiguous-stylesheet", message, "rename or remove all but one")

    def _missing(self, written: str, loader: str) -> Refusal:
        beside = [] if written.startswith("~") or ":" in written else [os.path.join(os.path.dirname(loader), written)]
        places = [*beside, *self._places(written)]
        disk = self._reading.library.disk
        for file in (file for place in places for group in _groups(place, from_import=False) for file in group):
            if disk.is_file(file):
                message = f"`{self._reading.shown(file)}` lies outside the declared roots"
                return Refusal("outside-roots", message, "name its folder in `load_paths` under `[sass]`")
        folders = dict.fromkeys(os.path.dirname(os.path.normpath(place)) for place in places)
        meant = nearest(os.path.basename(written), self._neighbours(folders))
        if meant is not None:
            hint = f"did you mean `{os.path.join(os.path.dirname(written), meant)}`?"
        else:
            hint = self._looked_in(written, loader, folders)
        return Refusal("missing-stylesheet", f"stylesheet `{written}` is not found", hint)

    def _looked_in(self, written: str, loader: str, folders: Iterable[str]) -> str:
        """Return where a sheet was looked for, and what to install where no folder is there that it could lie in."""
        package, subpath = split_specifier(self._package_path(written))
        disk = self._reading.library.disk
        is_absent = bool(package) and self._packages.find(package, os.path.dirname(loader), self._reading) is None
        tried = [f"`{self._reading.shown(folder)}`" for folder in folders]
        if is_absent and subpath and not any(map(disk.is_folder, folders)):
            install = f"package `{package}` is not installed: {to_install(package, self._project.folder, disk)}"
            return f"looked in {', '.join(tried)}; {install}" if tried else install
        tried += [f"package `{package}`"] if package else []
        return f"looked in {', '.join(tried)}" if tried else "a sheet of another site is loaded by `@import url(…)`"

    def _neighbours(self, folders: Iterable[str]) -> set[str]:
        """Return the names that could have been written for the sheets in `folders`."""
        names = set()
        for folder in folders:
            try:
                self._reading.library.confine(folder)
                entries = self._reading.library.disk.scan(folder)
            except OSError:
                continue  # the folder is absent, or is none of ours: it has nothing to suggest
            for entry in entries:
                stem, extension = os.path.splitext(entry.name)
                if extension in EXTENSIONS and entry.kind != "folder":
                    names.add(stem.removeprefix("_"))
        return names


def _groups(path: str, from_import: bool) -> Iterator[list[str]]:
    """Yield groups of candidates; the first group with a file decides, and two files in it are one too many."""
    is_folder = path.endswith("/")
    path = os.path.normpath(path)
    stem, extension = os.path.splitext(path)
    if extension in EXTENSIONS and not is_folder:
        if from_import:
            yield _with_partial(f"{stem}.import{extension}")
        yield _with_partial(path)
        return
    index = os.path.join(path, "index")
    for base in (index,) if is_folder else (path, index):
        for name in (f"{base}.import", base) if from_import else (base,):
            yield _with_partial(f"{name}.sass") + _with_partial(f"{name}.scss")
            yield _with_partial(f"{name}.css")


def _with_partial(file: str) -> list[str]:
    folder, name = os.path.split(file)
    return [os.path.join(folder, f"_{name}"), file]


def _spellings(subpath: str) -> Iterator[list[str]]:
    """Yield the groups of subpaths under which a package may give a sheet out, as `NodePackageImporter` tries them."""
    yield list(_spelled(subpath))
    if not subpath.endswith(EXTENSIONS):
        yield list(_spelled(f"{subpath}/index" if subpath else "index"))


def _spelled(subpath: str) -> Iterator[str]:
    if not subpath:
        yield subpath
        return
    endings = ("",) if subpath.endswith(EXTENSIONS) else ("", *EXTENSIONS)
    whole = [subpath + ending for ending in endings]
    folder, name = os.path.split(subpath)
    partial = [] if name.startswith("_") else [os.path.join(folder, f"_{os.path.basename(path)}") for path in whole]
    yield from chain(whole, partial)

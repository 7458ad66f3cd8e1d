"""Where esbuild may have looked for the modules of a graph: every folder whose names could change what it finds.

Receives imports; hands on listings, descriptions and standings that together decide each look-up, and says if not all
of it can be known. It asks for more than esbuild does and never for less: a package counts with all its folders.
Source: internal/resolver/resolver.go of esbuild 0.28 (`resolveWithoutSymlinks`, `loadAsFileOrDirectory`,
`loadNodeModules`, `dirInfoUncached`, `finalizeResolve`): it sees a disk only by listing folders with all those above
them, by following links, and by reading `package.json` and TypeScript's configurations there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from assetbuild.compiler.listing import Listing, counts, listing
from assetbuild.compiler.model import Listed
from assetbuild.disk import Disk
from assetbuild.surroundings import MARKS

__all__ = ["EXTENSIONS", "Looked"]

# esbuild's documentation, "Resolve extensions", in any order; and what TypeScript writes as `.js`
# (`rewrittenFileExtensions`).
EXTENSIONS = (".tsx", ".ts", ".jsx", ".js", ".css", ".json")
_REWRITTEN = {".js": (".ts", ".tsx"), ".jsx": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",)}
_MODULES = "node_modules"
_NOTHING = Listing({}, "")


class Looked:
    """The look-ups of one build. folder: of the project, links followed.

    found: called with each description that decides something there, in the order in which they are met.
    is_known: everything that could change an answer is in `listed`, `standing` or was given to `found`.
    standing: paths whose kind counts, files or not.
    """

    def __init__(self, folder: str, disk: Disk, found: Callable[[str], None]) -> None:
        self._folder = folder
        self._inside = os.path.join(folder, "")
        self._disk = disk
        self._found = found
        self._listings: dict[str, Listing] = {}
        self._passed: set[str] = {folder}  # whose own marks are a part of the surroundings
        self._packages: set[tuple[str, str, bool]] = set()
        self._trees: set[str] = set()
        self.standing: set[str] = set()
        self.is_known = True

    def listed(self) -> tuple[Listed, ...]:
        """Return every folder whose names count, sorted."""
        return tuple(
            Listed(folder, each.digest_hex) for folder, each in sorted(self._listings.items()) if each.digest_hex
        )

    def folders(self) -> list[str]:
        """Return every folder that was listed or passed, in which nothing may have changed meanwhile."""
        there = {*self._passed, *(folder for folder, each in self._listings.items() if each.digest_hex)}
        return sorted(there - {self._folder})

    def at(self, path: str) -> None:
        """Look for a file or folder `path`, written with or without its extension."""
        directory, base = os.path.split(path)
        if not directory.startswith(self._inside) and directory != self._folder:
            self.is_known = False
        elif directory == self._folder or not counts(base):
            # Much comes and goes in the project's own folder that no import names.
            stem, extension = os.path.splitext(path)
            rewritten = (stem + each for each in _REWRITTEN.get(extension, ()))
            self.standing.update((path, *(path + each for each in EXTENSIONS), *rewritten))
            self._pass(directory)
            if os.path.isdir(path):
                self._list(path)
        elif self._list(directory).kinds.get(base) in ("folder", "link"):
            self._list(path)

    def package(self, specifier: str, directory: str, *, is_found: bool) -> None:
        """Look for a package in every `node_modules` from `directory` up to the project's own.

        is_found: esbuild found it there. Else it goes on above the project, where nothing is listed.
        """
        parts = specifier.split("/")
        name = "/".join(parts[: 2 if specifier.startswith("@") else 1])
        if ".." in parts or not all(map(counts, parts)):
            self.is_known = False  # `a/../../b` leads out of the package
        elif (directory, name, is_found) not in self._packages:
            self._packages.add((directory, name, is_found))
            self.importer(directory)
            places = list(self._places(name, directory))
            for package in places:
                for folder in (_above(package, name), os.path.dirname(package)):
                    if os.path.isdir(folder):  # a scope may be missing
                        self._list(folder)
                if os.path.isdir(package):
                    self.tree(package)
            if not (is_found and any(map(os.path.isdir, places))):
                above = self._places(name, os.path.dirname(self._folder), "/")
                self.is_known &= not any(os.path.isdir(_above(package, name)) for package in above)

    def files(self, specifier: str, directory: str) -> list[str]:
        """Return every file of the packages that `package` looks for."""
        name = "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])
        tops = [os.path.join(os.path.realpath(package), "") for package in self._places(name, directory)]
        return [
            os.path.join(folder, each)
            for folder, found in sorted(self._listings.items())
            if os.path.join(folder, "").startswith(tuple(tops))
            for each in found.kinds
        ]

    def _places(self, name: str, directory: str, top: str = "") -> Iterator[str]:
        """Yield where a package may lie, in `node_modules` of a folder and those above it up to `top`, the project."""
        inside = top or self._inside
        while os.path.join(directory, "").startswith(inside):
            if os.path.basename(directory) != _MODULES:
                yield os.path.join(directory, _MODULES, name)
            if directory == os.path.dirname(directory):
                return
            directory = os.path.dirname(directory)

    def tree(self, top: str) -> None:
        """List a folder and all below it, but for the packages that lie in `node_modules` there."""
        waiting = [top]
        while waiting:
            folder = os.path.realpath(waiting.pop())
            if not folder.startswith(self._inside):
                self.is_known = False
            elif folder not in self._trees:
                self._trees.add(folder)
                kinds = self._list(folder).kinds
                inside = (os.path.join(folder, name) for name, kind in kinds.items() if kind in ("folder", "link"))
                waiting += (each for each in inside if os.path.isdir(each) and os.path.basename(each) != _MODULES)

    def importer(self, directory: str) -> None:
        """Note what decides how the files in `directory` are read."""
        if directory.startswith(self._inside) or directory == self._folder:
            self._pass(directory)
        else:
            self.is_known = False

    def _list(self, folder: str) -> Listing:
        """Return what lies in a folder, which counts from now on; where there is none, that counts."""
        known = self._listings.get(folder)
        if known is not None:
            return known
        if not os.path.isdir(folder):
            self._listings[folder] = _NOTHING
            missing, above = folder, os.path.dirname(folder)
            while not os.path.isdir(above):
                missing, above = above, os.path.dirname(above)
            self.standing.add(missing)
            self.importer(above)
            return _NOTHING
        try:
            found = self._listings[folder] = listing(folder, self._disk)
        except OSError:
            found = self._listings[folder] = _NOTHING  # for esbuild it is empty, until its mode changes
            self.is_known = False
        if not os.path.realpath(folder).startswith(self._inside):
            self.is_known = False
            return found
        self._describe(folder, found.kinds)
        self._pass(folder)
        package = self._package_of(folder)
        if package:
            self.tree(package)  # what a description in it names is not looked for one by one
        return found

    def _package_of(self, folder: str) -> str:
        """Return the folder of the package that holds `folder`, "" if none does."""
        above, found, inside = folder[len(self._folder) :].rpartition(f"/{_MODULES}/")
        name = "/".join(inside.split("/")[: 2 if inside.startswith("@") else 1])
        is_scope = name.startswith("@") and "/" not in name
        return "" if not found or is_scope else f"{self._folder}{above}{found}{name}"

    def _pass(self, folder: str) -> None:
        """Note the marks of a folder and of those above it, up to the project."""
        while folder not in self._passed:
            self._passed.add(folder)
            self.standing.add(folder)
            real = os.path.realpath(folder)
            if real != folder:
                self.importer(real)
            if _MODULES in folder[len(self._folder) :].split("/"):
                self._list(folder)  # fewer questions than one for each mark
            elif folder not in self._listings:
                marks = {name: os.path.join(folder, name) for name in MARKS}
                self.standing.update(marks.values())
                self._describe(folder, [name for name, mark in marks.items() if os.path.lexists(mark)])
            folder = os.path.dirname(folder)

    def _describe(self, folder: str, kinds: Iterable[str]) -> None:
        for name in MARKS:
            if name not in kinds or name == _MODULES:
                continue
            if name.startswith(".pnp."):
                self.is_known = False  # Yarn's own way to find packages (internal/resolver/yarnpnp.go)
            elif os.path.isfile(os.path.join(folder, name)):
                self._found(os.path.join(folder, name))


def _above(package: str, name: str) -> str:
    """Return the `node_modules` that a package of that name lies in."""
    return package[: -len(name) - 1]

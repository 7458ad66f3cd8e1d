"""What a module graph depends on beside the files that went through the hooks: descriptions, and names in folders.

Receives the metafile; tells the job's record, and hands on the folders whose names count. esbuild reads `package.json`
and TypeScript's configurations by itself, and a file that appears tomorrow may win a look-up that another won today.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from assetbuild.compiler import door
from assetbuild.compiler.engines.esbuild import Built
from assetbuild.compiler.engines.modules.looked import Looked
from assetbuild.compiler.engines.modules.patterns import Configuration, Pattern, configuration_of, patterns_of
from assetbuild.compiler.files import Outside, Reading
from assetbuild.compiler.model import Listed
from assetbuild.noting import is_settled

__all__ = ["Known", "extends_of", "may_describe", "record"]

_MODULES = "node_modules"
# What the metafile calls that which no file holds: our own modules, and what a `browser` field switches off.
_NO_FILES = ("asset:", "raw:", "assetbuild-here:", "(disabled):")
# What is looked for nowhere: our marks, esbuild's own helpers, URLs.
_NO_LOOKS = ("assetbuild:", "<runtime>", "data:", "http://", "https://", "//")


class Known(NamedTuple):
    """What the record of a graph is worth. folders: those whose names count.

    is_whole: everything that could change the graph is in the record, and nothing of it changed meanwhile.
    """

    folders: tuple[Listed, ...]
    is_whole: bool


def record(
    built: Built,
    reading: Reading,
    entries: Iterable[str],
    spellings: Mapping[str, Sequence[str]],
    began_ns: int,
) -> Known:
    """Record in `reading` what decided the graph of `built`.

    entries: their files, links not followed. spellings: specifier → what was looked for in its place, in order.
    began_ns: when esbuild may have looked first.
    """
    folder = reading.library.folder  # which the metafile's paths are relative to
    looks = _Looks(reading, folder)
    for file in entries:
        looks.looked.at(file)
    inputs = cast(Mapping[str, Any], built.metafile.get("inputs", {}))
    for path, described in inputs.items():
        is_file = ":" not in path or os.path.isfile(os.path.join(folder, path))
        if path.startswith(_NO_FILES) and not is_file:
            continue
        importer = os.path.normpath(os.path.join(folder, os.path.dirname(path)))
        looks.looked.is_known &= is_file  # nobody knows what a module in a `data:` URL looked for
        looks.looked.importer(importer)
        for imported in described["imports"]:
            written, is_found = imported.get("original", imported["path"]), not imported.get("external")
            for spelling in spellings.get(written, (written,)):
                looks.follow(spelling, importer, is_sheet=path.endswith(".css"), is_found=is_found)
    looks.follow_patterns()
    looked = looks.looked
    for file in sorted(looked.standing):
        reading.note_absent(file)
    touched = (*looked.folders(), *looks.descriptions)
    return Known(looked.listed(), looked.is_known and all(_is_settled(path, began_ns) for path in touched))


def _is_settled(path: str, began_ns: int) -> bool:
    try:
        return is_settled(os.stat(path), began_ns)
    except OSError:
        return False  # it has gone meanwhile


class _Looks:
    """The imports of a graph, and where descriptions lead them. descriptions: every one that was read."""

    def __init__(self, reading: Reading, folder: str) -> None:
        self._reading = reading
        self._packages = os.path.join(folder, _MODULES, "")
        self.looked = Looked(folder, reading.library.disk, self._describe)
        self.descriptions: set[str] = set()
        self._followed: set[tuple[str, str]] = set()
        self._specifiers: set[str] = set()
        self._patterns: list[tuple[Pattern, str]] = []
        self._paths: set[Pattern] = set()
        self._bases: set[str] = set()
        for name in ("package.json", "tsconfig.json", "jsconfig.json"):
            file = os.path.join(folder, name)
            if reading.library.disk.is_file(file):
                self._describe(file)
            else:
                reading.note_absent(file)

    def follow(self, written: str, importer: str, *, is_sheet: bool, is_found: bool) -> None:
        """Look for what an import in a folder names. is_found: esbuild found it.

        is_sheet: it may be relative without a dot, as in CSS.
        """
        if written.startswith(_NO_LOOKS) or (written, importer) in self._followed:
            return
        self._followed.add((written, importer))
        looked = self.looked
        if "*" in written or ".zip" in written or "__virtual__" in written:
            looked.is_known = False  # a pattern over names (`import(`./${name}.js`)`), or one of Yarn's archives
            return
        is_relative = written.startswith(("./", "../")) or written in (".", "..")
        for spelling in {written, *(written[:at] for at in map(written.find, "?#") if at > 0)}:
            if is_relative or is_sheet or not is_found or spelling.startswith("/"):
                looked.at(os.path.normpath(os.path.join(importer, spelling)))
            if not is_relative:
                self._specifiers.add(spelling)
                if not spelling.startswith("/"):
                    looked.package(spelling, importer, is_found=is_found)

    def follow_patterns(self) -> None:
        """Look for all that the descriptions make of what was imported, and of what they lead to in turn."""
        done: set[tuple[str, str]] = set()
        while True:
            specifiers = {"", *self._specifiers}
            places = {(target, base) for pattern, base in self._patterns for target in _targets(pattern, specifiers)}
            paths = {target for pattern in self._paths for target in _targets(pattern, specifiers - {""})}
            fresh = (places | {(os.path.join(base, target), base) for target in paths for base in self._bases}) - done
            if not fresh:
                return
            done |= fresh
            for target, base in sorted(fresh):
                if target.startswith((".", "/")):
                    self.looked.at(os.path.normpath(os.path.join(base, target)))
                elif not target.startswith("#"):  # one name of `imports` may not stand for another
                    self.follow(target, base, is_sheet=True, is_found=False)

    def _describe(self, file: str, *, is_extended: bool = False) -> None:
        """Read a description: its bytes are an input, and what it says of look-ups counts."""
        is_package, folder = posixpath.basename(file) == "package.json", os.path.dirname(file)
        is_packaged = f"/{_MODULES}/" in file.removeprefix(os.path.dirname(self._packages[:-1]))
        if file in self.descriptions or (is_packaged and not is_package and not is_extended):
            return  # esbuild reads no TypeScript configuration of a package
        self.descriptions.add(file)
        if not may_describe(file, self._reading):
            self.looked.is_known = False
            return
        # Not asked of `reading`, for which the project's own folder is no source: but here it is what decides.
        body = self._reading.library.disk.read(file)
        self._reading.note(file, hashlib.sha256(body).hexdigest())
        try:
            text = door.admit(body, self._reading.shown(file))
            if not is_package:
                self._configure(configuration_of(text), file)
                return
            for pattern in patterns_of(text):
                # A package counts with all its folders: only what leads out of it has to be followed.
                if not (is_packaged and pattern.target.startswith("./") and ".." not in pattern.target):
                    self._patterns.append((pattern, folder))
        except (door.Refused, ValueError, RecursionError):
            self.looked.is_known = False  # esbuild has read it, or refused it, in its own words

    def _configure(self, said: Configuration, file: str) -> None:
        """Follow a TypeScript configuration. What it extends may lie beside it or in a package."""
        folders = {os.path.dirname(file), os.path.dirname(os.path.realpath(file))}
        self._bases |= folders | {
            os.path.normpath(os.path.join(each, url)) for each in folders for url in said.base_urls
        }
        self._paths.update(said.paths, [Pattern("*", "*")] if said.base_urls else [])
        for written in said.extends:
            for folder in sorted(folders):
                self._extend(f"{written}/tsconfig.json" if written in (".", "..") else written, folder)

    def _extend(self, written: str, folder: str) -> None:
        if written.startswith((".", "/")):
            place = os.path.normpath(os.path.join(folder, written))
            self.looked.at(place)
            candidates = [place, f"{place}.json"]
        else:
            self.looked.package(written, folder, is_found=True)
            candidates = [file for file in self.looked.files(written, folder) if file.endswith(".json")]
        for file in candidates:
            if os.path.isfile(file):
                self._describe(file, is_extended=True)


def _targets(pattern: Pattern, specifiers: Iterable[str]) -> set[str]:
    if pattern.key == "*" and "*" not in pattern.target:
        return {pattern.target}
    return {target for specifier in specifiers if (target := pattern.applied(specifier)) is not None}


def may_describe(file: str, reading: Reading) -> bool:
    """Return whether a description may decide anything: it lies in a declared folder or in the project's own."""
    try:
        reading.library.confine(file)
    except Outside:
        return os.path.realpath(file).startswith(os.path.join(reading.library.folder, ""))
    return True


def extends_of(text: str) -> list[str]:
    """Return what a TypeScript configuration is based on, as it is written."""
    try:
        return list(configuration_of(text).extends)
    except ValueError:
        return []

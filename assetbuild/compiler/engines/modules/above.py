"""Descriptions that decide how esbuild reads a file: which `tsconfig.json` counts, and which may not.

Receives the files of a graph; hands on flags, or refuses. By itself esbuild asks every folder up to the root of the
disk, so that what lies above the project would decide bytes: a TypeScript configuration is therefore always named, and
a `package.json` above is refused where it decides something.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from assetbuild.compiler import door
from assetbuild.compiler.engines.modules.inputs import extends_of, may_describe
from assetbuild.compiler.engines.modules.irregular import fault
from assetbuild.compiler.engines.modules.places import too_deep_at
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Reading
from assetbuild.diagnostic import Diagnostic, Span, span_at

__all__ = ["Above"]

_CONFIGURATIONS = ("tsconfig.json", "jsconfig.json")
# Node, "Determining module system", and webpack's `sideEffects`; `imports` gives names to files.
_DECIDING = ("type", "sideEffects", "imports")


class Above:
    """The descriptions above the files of one build; each folder is asked once."""

    def __init__(self, reading: Reading, folder: str) -> None:
        self._reading = reading
        self._folder = folder
        self._nearest: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def flags(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the flags by which esbuild reads `files` with the configurations of the project and no others.

        None is needed where several configurations count: then esbuild finds the nearest by itself. Raise
        `CompileFailed` if that one, or a file that is extended, lies outside the declared folders.
        """
        own = [file for file in files if "/node_modules/" not in file.removeprefix(self._folder)]
        nearest = {file: self._above(os.path.dirname(file), _CONFIGURATIONS) for file in own}
        counted = {found if found and may_describe(found, self._reading) else None for found in nearest.values()}
        found = [refusal for config in sorted(filter(None, counted)) for refusal in self._refusals(config, set())]
        if len(counted) > 1:
            found += [
                self._refusal(config, file, "tsconfig.json")
                for file, config in sorted(nearest.items())
                if config and not may_describe(config, self._reading)
            ]
        if found:
            raise CompileFailed(found)
        if len(counted) > 1:
            return ()
        only = next(iter(counted), None)
        return (f"--tsconfig={only}",) if only else ("--tsconfig-raw={}",)

    def packages(self, files: Iterable[str]) -> Iterator[Diagnostic]:
        """Yield an error for each `package.json` outside that decides how one of `files` is read."""
        told = set()
        for file in sorted(files):
            found = self._above(os.path.dirname(file), ("package.json",))
            if found and found not in told and not may_describe(found, self._reading) and self._decides(found):
                told.add(found)
                yield self._refusal(found, file, "package.json")

    def _above(self, directory: str, names: tuple[str, ...]) -> str | None:
        """Return the first of `names` in the nearest folder that has one."""
        key = directory, names
        if key not in self._nearest:
            parent = os.path.dirname(directory)
            here = (os.path.join(directory, name) for name in names)
            found = next(filter(self._is_read, here), None)
            self._nearest[key] = found or (None if parent == directory else self._above(parent, names))
        return self._nearest[key]

    def _decides(self, file: str) -> bool:
        try:
            described = json.loads(self._reading.library.disk.read(file))
        except (OSError, ValueError):
            return False  # esbuild cannot read it either, and says so
        return isinstance(described, dict) and not described.keys().isdisjoint(_DECIDING)

    def _refusal(self, description: str, file: str, name: str) -> Diagnostic:
        above, shown = self._reading.shown(description), self._reading.shown(file)
        message = f"`{above}` decides how `{shown}` is compiled, and lies outside the declared roots"
        hint = f"put a `{name}` into the project's folder, `{{}}` at the least"
        return Diagnostic("outside-roots", "error", message, Span(shown), hint)

    def _refusals(self, config: str, seen: set[str]) -> Iterator[Diagnostic]:
        """Yield an error for a configuration that nobody can read, and for each such that it extends."""
        found = fault(config, self._reading)
        yield from [found] if found else self._extended(config, seen)

    def _extended(self, config: str, seen: set[str]) -> Iterator[Diagnostic]:
        """Yield an error for each file outside that a configuration, or what it extends, names as its base."""
        seen.add(config)
        text = self._reading.library.disk.read(config).decode("utf-8", "replace")
        try:
            extended = extends_of(text)
        except RecursionError:  # esbuild gets to the end of it, and so to what it extends
            offset = too_deep_at(config, text) or 0
            yield door.too_deep(span_at(self._reading.shown(config), text, offset))
            return
        for written in extended:
            base = next(filter(self._is_read, self._bases(config, written)), None)
            if base is None or base in seen:
                continue
            if may_describe(base, self._reading):
                yield from self._refusals(base, seen)
                continue
            at = max(text.find(json.dumps(written, ensure_ascii=False)), 0)
            span = span_at(self._reading.shown(config), text, at + 1, at + 1 + len(written))
            message = f"`{self._reading.shown(base)}` lies outside the declared roots"
            yield Diagnostic("outside-roots", "error", message, span, "copy it into the project")

    def _is_read(self, file: str) -> bool:
        """Return whether esbuild would read `file`: of a device without an end, until its memory is full."""
        return os.path.exists(file) and not self._reading.library.disk.is_folder(file)

    def _bases(self, config: str, written: str) -> Iterator[str]:
        """Yield the files that `extends` may mean (TypeScript's TSConfig reference, "extends")."""
        folder = os.path.dirname(config)
        places = [folder]
        if not written.startswith((".", "/")):
            places = []
            while folder != os.path.dirname(folder):
                places.append(os.path.join(folder, "node_modules"))
                folder = os.path.dirname(folder)
        for place in places:
            file = os.path.normpath(os.path.join(place, written))
            yield from (file, file + ".json", os.path.join(file, "tsconfig.json"))

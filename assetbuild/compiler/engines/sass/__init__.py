"""Sass by Dart Sass: a source becomes expanded CSS, the way back to what was written, and findings.

Receives a source and the shop; every load of the compiler comes back to us, so that each file is found by our rules
(`sass_find.py`), read once through the job's `Reading`, recorded, and passes the door. Minifying is not done here.
"""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from assetbuild.compiler import door
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.sass import report
from assetbuild.compiler.engines.sass.find import Finder, Refusal
from assetbuild.compiler.engines.sass.places import Origins, Sources, file_of, url_of
from assetbuild.compiler.engines.sass.process import LoadRefused
from assetbuild.compiler.engines.sass.wire import Sheet, Syntax
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Outside, Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.sourcemap import parse
from assetbuild.diagnostic import Diagnostic, reason_of

__all__ = ["Compiled", "compile"]

_SYNTAX = {".sass": Syntax.INDENTED, ".css": Syntax.CSS}

# `pkg:` is never canonical, so the compiler says which sheet asks: a package is looked for from there upwards.
_SCHEMES = ("pkg",)


class Compiled(NamedTuple):
    """What a Sass source came to. css: expanded, without `@charset`, as all output is served as UTF-8.

    origin: from an offset in `css` to the source that the text there was written in, and its place.
    """

    css: str
    origin: Origins
    diagnostics: tuple[Diagnostic, ...]
    version: str


def compile(source: Source, reading: Reading, shop: Shop) -> Compiled:
    """Return what `source` compiles to; raise `CompileFailed` with the place, or `EngineUnavailable`."""
    project = shop.project
    sources = Sources(source, shop.resolver, reading)
    importer = _Importer(Finder(project, reading), reading)
    dart = shop.dart()
    outcome = dart.compile(
        url_of(source.file),
        _sheet(source.file, reading),
        importer,
        source.shown,
        silence=project.sass.silence,
        fatal=project.sass.fatal,
        schemes=_SCHEMES,
    )
    found = report.diagnostics(outcome.events, sources, project.folder)
    if outcome.failure is not None:
        error = report.failure(outcome.failure, sources, project.folder, importer.refusals)
        raise CompileFailed([error, *found])
    origin = Origins(outcome.css, parse(outcome.source_map), source, sources)
    return Compiled(outcome.css, origin, found, dart.version)


class _Importer:
    """Answers the compiler's loads by our rules; `refusals` remembers why a load was refused, by its message."""

    def __init__(self, finder: Finder, reading: Reading) -> None:
        self._finder = finder
        self._reading = reading
        self.refusals: dict[str, Refusal] = {}

    def canonical(self, url: str, containing_url: str, from_import: bool) -> str | None:
        file = file_of(url)
        if file is not None:
            # Resolved against the loading sheet: if nothing is there, the compiler asks again as it is written.
            found = self._finder.at(file, from_import)
        else:
            loader = file_of(containing_url) or os.path.join(self._reading.library.folder, "")
            found = self._finder.search(os.fsdecode(unquote_to_bytes(url)), loader, from_import)
        if isinstance(found, Refusal):
            raise self._refused(found)
        return None if found is None else url_of(found)

    def sheet(self, url: str) -> Sheet:
        file = file_of(url)
        assert file is not None, url  # `canonical` gives out no other
        try:
            return _sheet(file, self._reading)
        except Outside as error:
            raise self._refused(Refusal("outside-roots", str(error))) from None
        except OSError as error:
            shown = self._reading.shown(file)
            raise self._refused(Refusal("unreadable-file", f"`{shown}` cannot be read: {reason_of(error)}")) from None

    def _refused(self, refusal: Refusal) -> LoadRefused:
        self.refusals[refusal.message] = refusal
        return LoadRefused(refusal.message)


def _sheet(file: str, reading: Reading) -> Sheet:
    """Return what the compiler may see of `file`; raise `CompileFailed` for what its stack would not hold."""
    text, syntax = reading.text(file), _SYNTAX.get(os.path.splitext(file)[1], Syntax.SCSS)
    is_indented = syntax is Syntax.INDENTED
    if is_indented or door.seems_too_deep(text):
        from assetbuild.compiler.engines.sass_scan import too_deep

        deep = too_deep(text, reading.shown(file), is_indented)
        if deep is not None:
            raise CompileFailed([deep])
    return Sheet(text, syntax)

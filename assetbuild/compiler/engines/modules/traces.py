"""The maps of module graphs: esbuild's own, led on to what people wrote.

Receives a map of an output and what the hooks made of each file; hands on traces. esbuild has seen texts with marks in
them and without the comments that name maps, so each of its places is taken back through those edits, and then through
the map that the file came with.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence

from assetbuild.compiler.engines.esbuild.maps import sheet_map
from assetbuild.compiler.engines.incoming import incoming, written_in
from assetbuild.compiler.engines.js.link import Edit, edited
from assetbuild.compiler.engines.js.traces import Offsets
from assetbuild.compiler.engines.modules.sources import ModuleSources
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Piece, Trace
from assetbuild.compiler.sourcemap import (
    SCRIPT_LINES,
    SHEET_LINES,
    Lines,
    Move,
    SourceMap,
    Way,
    composed,
    moved,
    parse,
)
from assetbuild.compiler.tokens import trace
from assetbuild.diagnostic import Diagnostic

__all__ = ["Tracer"]


class Tracer:
    """Makes the traces of one build. diagnostics: what is wrong with maps that came in."""

    def __init__(self, sources: ModuleSources, reading: Reading, units: int) -> None:
        self._sources = sources
        self._reading = reading
        self._units = units
        self._ways: dict[str, Way] = {}
        self.diagnostics: list[Diagnostic] = []

    def trace(self, path: str, map_text: str, text: str, edits: Sequence[Edit], pieces: Sequence[Piece]) -> Trace:
        """Return the trace of the output at `path`. edits: of esbuild's `text`, which was then cut into `pieces`."""
        is_sheet = path.endswith(".css")
        given = sheet_map(map_text) if is_sheet else parse(map_text)
        lines = Lines(text, SHEET_LINES if is_sheet else SCRIPT_LINES)
        moves = [Move(*lines.position(edit.end), len(edit.written) - (edit.end - edit.start)) for edit in edits]
        after = SourceMap(given.sources, given.contents, given.names, moved(given.mappings, moves))
        ways = [self._way(posixpath.join(posixpath.dirname(path), source)) for source in given.sources]
        return trace(pieces, composed(after, ways), self._units)

    def _way(self, path: str) -> Way:
        """Return where a source leads; nowhere if it is ours: a module that stands for an asset, a definition."""
        file = os.path.normpath(os.path.join(self._reading.library.folder, path))
        if file not in self._ways:
            self._ways[file] = self._made(file) if file in self._sources.texts else None
        return self._ways[file]

    def _made(self, file: str) -> Way:
        """Return the way back from the text of `file` as esbuild was given it."""
        text, edits = self._sources.texts[file], self._sources.edits.get(file, [])
        pattern = SHEET_LINES if file.endswith(".css") else SCRIPT_LINES
        source, named = self._sources.source_of(file), self._sources.named_maps.get(file, ())
        if not edits and not named:
            return written_in(source, text)
        origin = incoming(source, Lines(text, pattern), named, self._reading)
        self.diagnostics += origin.diagnostics
        if not edits:
            return origin.find
        given, offsets = Lines(edited(text, edits), pattern), Offsets(edits)
        return lambda line, column: origin.trail(offsets.before(given.offset(line, column)))

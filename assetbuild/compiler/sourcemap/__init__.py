"""Source maps: read, followed back, composed and written anew. Source: ECMA-426, "Source map format".

`read` takes a map apart, `text` counts lines and columns, `trail` leads from texts back to what people wrote, `write`
makes a map of that. No file is opened here.
"""

from __future__ import annotations

from assetbuild.compiler.sourcemap.read import Mapping, Origin, SourceMap, encoded, parse
from assetbuild.compiler.sourcemap.text import SCRIPT_LINES, SHEET_LINES, Lines, chars, units
from assetbuild.compiler.sourcemap.trail import Finder, Place, Trail, Way, Written, as_written, followed
from assetbuild.compiler.sourcemap.vlq import MapError
from assetbuild.compiler.sourcemap.write import Move, Stop, composed, drawn, dumped, moved

__all__ = [
    "SCRIPT_LINES",
    "SHEET_LINES",
    "Finder",
    "Lines",
    "MapError",
    "Mapping",
    "Move",
    "Origin",
    "Place",
    "SourceMap",
    "Stop",
    "Trail",
    "Way",
    "Written",
    "as_written",
    "chars",
    "composed",
    "drawn",
    "dumped",
    "encoded",
    "followed",
    "moved",
    "parse",
    "units",
]

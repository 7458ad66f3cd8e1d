"""esbuild's maps of stylesheets, without what it has no place for."""

from __future__ import annotations

from assetbuild.compiler.sourcemap import Mapping, SourceMap, encoded, parse

__all__ = ["sheet_map"]


def sheet_map(text: str) -> SourceMap:
    """Return the map that `text` holds, without the mappings that esbuild 0.28.2 writes for want of a place.

    Declarations that its minifier has put together, `margin` and `padding` among them, are mapped to the first place of
    a sheet. What stands there is in the output first; later mappings to it are left out, so that the rule's own holds.
    """
    given = parse(text)
    seen: set[int] = set()
    kept: list[Mapping] = []
    for mapping in given:
        origin = mapping[2]
        if origin is not None:
            is_lost = (origin.line, origin.column) == (0, 0) and origin.source in seen
            seen.add(origin.source)
            if is_lost:
                continue
        kept.append(mapping)
    return SourceMap(given.sources, given.contents, given.names, encoded(kept))

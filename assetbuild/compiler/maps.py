"""Maps: each draft that knows where it was written gets its source map, fitted to the text that the seal will write.

Receives drafts whose traces count references as tokens; hands on drafts that name their maps, which are drafts too, or
the maps apart where they are hidden. Pure. Names are known only at the seal, but their lengths are known before: the
hash in a name has a fixed width. Source: ECMA-426; architecture.md says why a map makes no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Asset, Blob, Draft, Piece, Ref, Trace
from assetbuild.compiler.project import MapMode
from assetbuild.compiler.seal import published, written
from assetbuild.compiler.sourcemap import SCRIPT_LINES, SHEET_LINES, Move, SourceMap, dumped, moved, units
from assetbuild.manifest.names import name_of_digest

__all__ = ["Fitted", "fitted", "hidden_paths"]

_SUFFIX = ".map"
_SHEET = "text/css"
_ANY_HASH = name_of_digest(bytes(32))


class Fitted(NamedTuple):
    """hidden: logical path → the map of that draft, where maps are hidden."""

    drafts: tuple[Draft, ...]
    hidden: Mapping[str, bytes]


def fitted(drafts: Sequence[Draft], mode: MapMode, *, names: str, base: str) -> Fitted:
    """Return the drafts with their maps. names, base: as for the seal, which decide how long a reference is."""
    maps: dict[str, bytes] = {}
    for draft in drafts:
        if draft.trace is not None and not isinstance(draft.body, Blob):
            lengths = _lengths(draft, draft.body, names, base)
            moves = _moves(draft.trace, draft.body, lengths, is_sheet=draft.media_type.startswith(_SHEET))
            source_map = draft.trace.map
            mappings = moved(source_map.mappings, moves)
            final = SourceMap(source_map.sources, source_map.contents, source_map.names, mappings)
            maps[draft.logical] = dumped(final, draft.logical)
    if mode == "hidden":
        return Fitted(tuple(drafts), maps)
    # The map that came with a file has been followed: the one of the file that was made of it stands in its place.
    own = {logical + _SUFFIX for logical in maps}
    kept = [draft for draft in drafts if not (draft.logical in own and isinstance(draft.body, Blob))]
    made = [_naming_its_map(draft) if draft.logical in maps else draft for draft in kept]
    made += [Draft(name + _SUFFIX, media_type(name + _SUFFIX), (body,)) for name, body in maps.items()]
    return Fitted(tuple(made), {})


def hidden_paths(assets: Iterable[Asset], hidden: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the hidden maps by the published paths of their owners, so that both are found by one name."""
    return {asset.path + _SUFFIX: hidden[asset.logical] for asset in assets if asset.logical in hidden}


def _naming_its_map(draft: Draft) -> Draft:
    """Return `draft` with the comment that names its map as its last line (ECMA-426, "Linking generated code")."""
    assert not isinstance(draft.body, Blob)
    last = draft.body[-1] if draft.body else b"\n"
    line_end = b"" if isinstance(last, bytes) and last.endswith((b"\n", b"\r")) else b"\n"
    opened, closed = (b"/*# ", b" */\n") if draft.media_type.startswith(_SHEET) else (b"//# ", b"\n")
    comment: tuple[Piece, ...] = (
        line_end + opened + b"sourceMappingURL=",
        Ref(draft.logical + _SUFFIX),
        closed,
    )
    facts = draft.facts._replace(map=draft.logical + _SUFFIX)
    return draft._replace(body=(*draft.body, *comment), facts=facts)


def _lengths(draft: Draft, pieces: Sequence[Piece], names: str, base: str) -> list[int]:
    """Return how long each piece that was a token will be, in UTF-16 code units; 0 for the others."""
    tokens = frozenset(draft.trace.tokens if draft.trace else ())
    lengths = []
    for number, piece in enumerate(pieces):
        if isinstance(piece, Ref):
            lengths.append(len(written(piece, draft, published(piece.target, _ANY_HASH, names), base)))
        else:
            lengths.append(units(piece.decode()) if number in tokens else 0)
    return lengths


def _moves(trace: Trace, pieces: Sequence[Piece], lengths: Sequence[int], *, is_sheet: bool) -> Iterator[Move]:
    """Yield how the text behind each token moves when what it stands for is written."""
    line_end = SHEET_LINES if is_sheet else SCRIPT_LINES
    tokens = frozenset(trace.tokens)
    line = column = 0
    for number, piece in enumerate(pieces):
        if number in tokens:
            column += trace.units
            yield Move(line, column, lengths[number] - trace.units)
        elif isinstance(piece, bytes):
            text = piece.decode()
            ends = [found.end() for found in line_end.finditer(text)]
            line += len(ends)
            column = units(text[ends[-1] :]) if ends else column + units(text)

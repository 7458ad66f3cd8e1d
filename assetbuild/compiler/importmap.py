"""The import map: scripts name each other by specifiers that no edit changes, and the manifest says what they mean.

Receives the drafts of a build; hands on drafts in which a name stands for an import of another script, and the map.
Pure. What runs where no page's import map is known keeps its relative references. Source: WHATWG HTML, "import maps"
and "resolve a module specifier" (a specifier that is neither a path nor a URL is looked up as it is written).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler.model import Blob, Draft, Piece, Ref
from assetbuild.manifest.names import quote

__all__ = ["Mapped", "mapped", "stable_name"]

_SCRIPT = "text/javascript"


class Mapped(NamedTuple):
    """imports: specifier → logical path, for the specifiers that stand in `drafts`."""

    drafts: tuple[Draft, ...]
    imports: Mapping[str, str]


def stable_name(logical: str) -> str:
    """Return the specifier of an asset: no path and no URL, so that it means the same under every base.

    No package has such a name: Node.js keeps `#` for what is private to a package ("Subpath imports").
    """
    return "#" + quote(logical)


def mapped(drafts: Sequence[Draft]) -> Mapped:
    """Return the drafts with a name in the place of each `Ref` that has one, where the import map is at hand."""
    scripts = {draft.logical: draft for draft in drafts if draft.media_type.startswith(_SCRIPT)}
    targets: dict[str, set[str]] = defaultdict(set)
    for draft in scripts.values():
        for ref in _refs(draft):
            if ref.name and ref.target in scripts:
                targets[ref.name].add(ref.target)
    if not targets:
        return Mapped(tuple(drafts), {})
    without = _without_map(drafts, scripts)
    # Two versions of a package have one name: it stays with the one that lies less deep, which a page would mean too.
    meanings = {name: min(found, key=lambda target: (len(target), target)) for name, found in targets.items()}
    imports: dict[str, str] = {}

    def written(piece: Piece) -> Piece:
        if isinstance(piece, bytes) or not piece.name or piece.target not in scripts:
            return piece
        name = piece.name if meanings[piece.name] == piece.target else stable_name(piece.target)
        imports[name] = piece.target
        return name.encode()

    def named(draft: Draft) -> Draft:
        if isinstance(draft.body, Blob) or draft.logical in without or draft.logical not in scripts:
            return draft
        return draft._replace(body=tuple(written(piece) for piece in draft.body))

    made = tuple(named(draft) for draft in drafts)
    return Mapped(made, dict(sorted(imports.items())))


def _without_map(drafts: Iterable[Draft], scripts: Mapping[str, Draft]) -> set[str]:
    """Return the scripts that may run where there is no import map, and everything that they load.

    Workers and worklets have none (HTML, "resolve a module specifier", takes that of a Window alone). A script under a
    stable name is there for pages of others, one whose URL stands in a text for a worker or a page that is no template.
    """
    reached = {logical for logical, draft in scripts.items() if draft.stable is not None}
    urls = (ref.target for draft in drafts for ref in _refs(draft) if ref.style != "module")
    reached.update(target for target in urls if target in scripts)
    open_ends = list(reached)
    while open_ends:
        loaded = {ref.target for ref in _refs(scripts[open_ends.pop()]) if ref.target in scripts} - reached
        reached |= loaded
        open_ends += loaded
    return reached


def _refs(draft: Draft) -> Iterator[Ref]:
    pieces: Iterable[Piece] = () if isinstance(draft.body, Blob) else draft.body
    return (piece for piece in pieces if isinstance(piece, Ref))

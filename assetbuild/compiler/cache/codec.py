"""Results as JSON and bytes, and back: what a job made, without a path of this machine in it.

Receives a result; hands on a document whose texts lie in one blob after the other. Everything read from a store has
been held against its digest before it comes here, so a document that cannot be read is one of another format: a miss.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assetbuild.compiler.cache.places import Places
from assetbuild.compiler.model import Blob, Draft, Facts, Piece, Ref, Result, Source, Stable, Trace
from assetbuild.compiler.sourcemap import SourceMap
from assetbuild.diagnostic import Diagnostic, findings

__all__ = ["Unreadable", "dumped", "loaded", "source_document"]


_FACTS = Facts._fields
_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


class Unreadable(ValueError):
    """The document was written by another format."""


def dumped(result: Result, places: Places) -> bytes:
    """Return `result` but for its inputs and absences, which the trace holds: a line of JSON, then its texts."""
    texts: list[bytes] = []
    document = {
        "drafts": [_draft(draft, places, texts) for draft in result.drafts],
        "found": [source_document(source, places) for source in result.found],
        "diagnostics": [_with_paths(each, places.shown_name) for each in result.diagnostics],
        "tools": dict(result.tools),
        "unused": sorted(map(places.name, result.unused)),
    }
    return _encode(document).encode() + b"\n" + b"".join(texts)


def loaded(content: bytes, places: Places) -> Result:
    """Return the result that `dumped` wrote; raise `Unreadable`."""
    line, _, texts = content.partition(b"\n")
    try:
        document = json.loads(line)
        reader = _Texts(texts)
        return Result(
            drafts=tuple(_read_draft(each, places, reader) for each in document["drafts"]),
            found=tuple(_read_source(each, places) for each in document["found"]),
            diagnostics=tuple(_with_paths(each, places.shown) for each in findings(document["diagnostics"])),
            tools=document["tools"],
            unused=frozenset(map(places.file, document["unused"])),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Unreadable(str(error)) from None


class _Texts:
    """The texts of a document, taken in the order in which they were written."""

    def __init__(self, texts: bytes) -> None:
        self._texts = texts
        self._at = 0

    def take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._texts):
            raise Unreadable("a text is missing")
        return self._texts[start : self._at]


def source_document(source: Source, places: Places) -> list[object]:
    """Return everything that is known of a source, as JSON values."""
    shown = places.shown_name(source.shown)
    return [source.logical, places.name(source.file), shown, source.is_first_party, source.is_minified]


def _read_source(values: Sequence[Any], places: Places) -> Source:
    logical, name, shown, is_first_party, is_minified = values
    return Source(logical, places.file(name), places.shown(shown), is_first_party, is_minified)


def _draft(draft: Draft, places: Places, texts: list[bytes]) -> dict[str, object]:
    document: dict[str, object] = {
        "logical": draft.logical,
        "type": draft.media_type,
        "facts": [getattr(draft.facts, name) for name in _FACTS],
        "pixels": (draft.width, draft.height),
        "body": _blob(draft.body, places) if isinstance(draft.body, Blob) else _pieces(draft.body, texts),
    }
    if draft.stable is not None:
        document["stable"] = draft.stable.at
    if draft.trace is not None:
        found = draft.trace.map
        document["trace"] = (
            (found.sources, found.contents, found.names, found.mappings),
            draft.trace.units,
            draft.trace.tokens,
        )
    return document


def _pieces(pieces: Sequence[Piece], texts: list[bytes]) -> list[object]:
    texts += [piece for piece in pieces if isinstance(piece, bytes)]
    return [len(piece) if isinstance(piece, bytes) else tuple(piece) for piece in pieces]


def _blob(blob: Blob, places: Places) -> dict[str, object]:
    return {**blob._asdict(), "file": places.name(blob.file), "body": None}


def _read_draft(document: Mapping[str, Any], places: Places, texts: _Texts) -> Draft:
    body = document["body"]
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in document["facts"]]
    return Draft(
        logical=document["logical"],
        media_type=document["type"],
        body=Blob(**{**body, "file": places.file(body["file"])})
        if isinstance(body, dict)
        else tuple(texts.take(each) if isinstance(each, int) else Ref(*each) for each in body),
        facts=Facts(*values),
        stable=Stable(document["stable"]) if "stable" in document else None,
        width=document["pixels"][0],
        height=document["pixels"][1],
        trace=_read_trace(document["trace"]) if "trace" in document else None,
    )


def _read_trace(values: Sequence[Any]) -> Trace:
    (sources, contents, names, mappings), units, tokens = values
    return Trace(SourceMap(tuple(sources), tuple(contents), tuple(names), mappings), units, tuple(tokens))


def _with_paths(found: Diagnostic, moved: Callable[[str], str]) -> Diagnostic:
    span = found.span and found.span._replace(path=moved(found.span.path))
    notes = tuple(n._replace(span=n.span and n.span._replace(path=moved(n.span.path))) for n in found.notes)
    return found._replace(span=span, notes=notes)

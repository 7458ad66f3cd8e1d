"""The map of a sheet: from the tokens of its final text back to the place that each was written at.

Receives texts before and after a minifier that takes out white space and comments only; hands on pairs of offsets, and
the stops of a map. rcssmin gives no map: as its result has the tokens of the text, both are walked side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

from assetbuild.compiler.engines.incoming import Incoming, incoming
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css import map_comments
from assetbuild.compiler.refs.css.tokens import Token, tokens
from assetbuild.compiler.sourcemap import SHEET_LINES, Lines
from assetbuild.diagnostic import span_at

__all__ = ["Pair", "aligned", "origin_of", "unchanged"]

Pair = tuple[int, int]
"""The offset of a token in a result, and its offset in the text before."""

# What nobody looks up: it belongs to the token before it.
_SILENT = frozenset({"whitespace", "comment", "{", "}", ";", ",", ")", "]"})


def origin_of(source: Source, text: str, reading: Reading) -> Incoming:
    """Return where the text of `source` comes from, through the map that it names."""
    comments = map_comments(text)
    named = [(text[c.url_start : c.url_end], span_at(source.shown, text, c.url_start, c.url_end)) for c in comments]
    return incoming(source, Lines(text, SHEET_LINES), named, reading)


def unchanged(text: str) -> Iterator[Pair]:
    """Yield the pairs of a text that is its own result."""
    return ((token.start, token.start) for token in _spoken(text))


def aligned(before: str, after: str) -> Iterator[Pair]:
    """Yield the pairs of a text and what a minifier left of it."""
    rest = _spoken(before)
    for token in _spoken(after):
        word = _word(token, after)
        # The minifier takes out whole tokens at most, so the next equal one is the same.
        match = next((other for other in rest if _word(other, before) == word), None)
        if match is None:
            return
        yield token.start, match.start


def _spoken(text: str) -> Iterator[Token]:
    return (token for token in tokens(text) if token.kind not in _SILENT)


def _word(token: Token, text: str) -> tuple[str, str]:
    """Return what a token says: white space inside `url( … )` means nothing (CSS Syntax §4.3.6)."""
    written = text[token.start : token.end]
    return token.kind, "".join(written.split()) if token.kind == "url" else written

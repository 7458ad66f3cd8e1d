"""The maps of scripts that we put together: from a token of the output to the place that it was written at.

Receives scripts and edits; hands on the text after them with pairs of offsets, and the trace that they make.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.incoming import Incoming, dangling, incoming
from assetbuild.compiler.engines.js.link import Edit, edited
from assetbuild.compiler.engines.js.minify import smaller_with_places
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Piece, Ref, Source, Trace
from assetbuild.compiler.refs.js import Script
from assetbuild.compiler.resolve import Ambiguous, Found, Missing
from assetbuild.compiler.sourcemap import SCRIPT_LINES, Lines, Stop, drawn
from assetbuild.compiler.tokens import Tokens, trace
from assetbuild.diagnostic import Diagnostic, Severity, span_at

__all__ = ["Mapped", "Offsets", "Pair", "mapped_script", "named_maps", "origin_of", "traced", "without_maps"]

Pair = tuple[int, int]
"""An offset in a result, and where in the text before stood what stands there."""


class Mapped(NamedTuple):
    """A script that was edited. pairs: for each token, its offset and the one that it had before."""

    text: str
    pairs: Sequence[Pair]
    diagnostics: Sequence[Diagnostic]


class NamedMaps(NamedTuple):
    """What becomes of the comments that name source maps. found: maps that no root holds."""

    edits: Sequence[Edit]
    diagnostics: Sequence[Diagnostic]
    found: Sequence[Source]


class Offsets:
    """The way between a text before `edits` and after them."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        ordered = sorted(edits)
        self._shifts = [0, *accumulate(len(edit.written) - (edit.end - edit.start) for edit in ordered)]
        self._before = [edit.end for edit in ordered]
        self._after = [edit.end + shift for edit, shift in zip(ordered, self._shifts[1:], strict=True)]

    def after(self, offset: int) -> int:
        """Return where the character at `offset`, which was not replaced, stands now."""
        return offset + self._shifts[bisect_right(self._before, offset)]

    def before(self, offset: int) -> int:
        """Return where the character now at `offset` stood; near it if it was put in."""
        return offset - self._shifts[bisect_right(self._after, offset)]


def origin_of(source: Source, text: str, script: Script, reading: Reading) -> Incoming:
    """Return where the text of `source` comes from, through the map that it names."""
    named = [(each.url, span_at(source.shown, text, each.start, each.end)) for each in script.source_maps]
    return incoming(source, Lines(text, SCRIPT_LINES), named, reading)


def mapped_script(
    script: Script, edits: Sequence[Edit], shown: str, shop: Shop, *, is_minified: bool, unreadable: Severity
) -> Mapped:
    """Return the text of `script` after `edits`, smaller if asked, and where each of its tokens stood.

    unreadable: how bad it is if the script cannot be parsed and so not be made smaller.
    """
    offsets = Offsets(edits)
    findings: list[Diagnostic] = []
    if is_minified:
        made, pairs, findings = smaller_with_places(script, edits, shown, shop.workers(), unreadable=unreadable)
        if pairs is not None:
            return Mapped(made, [(after, offsets.before(at)) for after, at in pairs], findings)
    tokens = script.tokens
    starts = (tokens.starts[index] for index in tokens.significant())
    return Mapped(edited(script.text, edits), [(offsets.after(start), start) for start in starts], findings)


def without_maps(script: Script, text: str) -> Iterator[Edit]:
    """Yield the edits that take out the comments which name source maps."""
    for comment in script.source_maps:
        # A space, because a comment parts the tokens around it; a line comment has its line end after it.
        yield Edit(comment.start, comment.end, " " if text.startswith("/*", comment.start) else "")


def named_maps(  # noqa: PLR0917 - source, reading and shop come in the order that every engine has them
    script: Script, text: str, source: Source, tokens: Tokens, reading: Reading, shop: Shop
) -> NamedMaps:
    """Return the edits by which a script that is published as itself goes on naming its map."""
    edits: list[Edit] = []
    findings: list[Diagnostic] = []
    found: list[Source] = []
    removals = without_maps(script, text)
    for comment, removal in zip(script.source_maps, removals, strict=True):
        match shop.resolver.reference(comment.url, (source,), reading):
            case Found(target, suffix):
                start = text.index(comment.url, comment.start)
                edits.append(Edit(start, start + len(comment.url), tokens.token(Ref(target.logical)) + suffix))
                if target.logical not in shop.resolver.inventory.by_logical:
                    found.append(target)
            case Missing() | Ambiguous():
                findings.append(dangling(comment.url, span_at(source.shown, text, comment.start, comment.end)))
                edits.append(removal)
    return NamedMaps(edits, findings, found)


def traced(text: str, made: Iterable[Stop], tokens: Tokens, pieces: Sequence[Piece]) -> Trace:
    """Return the trace of `text`, which was cut into `pieces`."""
    return trace(pieces, drawn(Lines(text, SCRIPT_LINES), made), tokens.units)

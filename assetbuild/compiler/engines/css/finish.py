"""Finishing a sheet: its references become tokens, its text is lowered or minified around them, and cut at them.

Receives text and the way back to what people wrote; hands on pieces and what is to be said about them.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.css.minify import minified, versions
from assetbuild.compiler.engines.css.traces import Pair, aligned, unchanged
from assetbuild.compiler.engines.judge import Judge
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Piece, Ref, Source, Trace
from assetbuild.compiler.refs.css import map_comments, raw_suffix, survey
from assetbuild.compiler.refs.css.shape import shape
from assetbuild.compiler.resolve import Found
from assetbuild.compiler.sourcemap import SHEET_LINES, Lines, SourceMap, Trail, composed, drawn
from assetbuild.compiler.tokens import NonceClash, Tokens, trace
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["Finished", "Finishing"]


class Finished(NamedTuple):
    """A sheet ready to be sealed. found: files that it names and that no root publishes.

    tools: name and version of what decided its bytes. trace: if it was asked for.
    """

    pieces: tuple[Piece, ...]
    found: tuple[Source, ...]
    diagnostics: tuple[Diagnostic, ...]
    tools: Mapping[str, str] = MappingProxyType({})
    trace: Trace | None = None


class Finishing:
    """A sheet on its way: `text` has tokens in the place of its references.

    keeps_map: a map that the text names is still true of it, and becomes a reference; else its comment goes.
    trail: where the text was written, if a map is to be made; not of a text that can keep its own.
    """

    def __init__(
        self,
        text: str,
        referrers_at: Callable[[int], Sequence[Source]],
        span_at: Callable[[int, int], Span],
        judge: Judge,
        *,
        keeps_map: bool = False,
        trail: Trail | None = None,
    ) -> None:
        self._sheet = survey(text)
        self._span_at = span_at
        self._judge = judge
        self._tokens = _tokens(text)
        self._marked: list[tuple[Ref, int, int]] = []
        self._found: dict[str, Source] = {}
        self._tools: Mapping[str, str] = {}
        edits = []
        for ref in self._sheet.references:
            if ref.kind == "late-import":
                judge.late_import(span_at(ref.start, ref.end))
                continue
            if not judge.shop.resolver.is_open(ref.value):
                continue  # where it was written is not asked: finding that out costs more than all of this
            outcome = judge.outcome(ref.value, referrers_at(ref.start), partial(span_at, ref.start, ref.end))
            if isinstance(outcome, Found):
                token = self._token(outcome.source, ref.start, ref.end)
                edits.append((ref.start, ref.end, token + raw_suffix(text, ref, outcome.suffix)))
        self._trail = None if keeps_map and not edits else trail
        keeps_map = keeps_map and self._trail is None
        for start, end, url_start, url_end in map_comments(text):
            place = span_at(url_start, url_end)
            found = judge.source_map(text[url_start:url_end], referrers_at(start), place) if keeps_map else None
            if found is None:
                edits.append((start, end, ""))
            elif isinstance(found, Found):
                edits.append((url_start, url_end, self._token(found.source, url_start, url_end) + found.suffix))
        self._edited = _Edited(text, sorted(edits))
        self.text = self._edited.text
        self._pairs: Callable[[], Iterator[Pair]] = lambda: unchanged(self._edited.text)
        self._lowered: SourceMap | None = None

    def _token(self, source: Source, start: int, end: int) -> str:
        if source.logical not in self._judge.shop.resolver.inventory.by_logical:
            self._found[source.logical] = source
        ref = Ref(source.logical)
        self._marked.append((ref, start, end))
        return self._tokens.token(ref)

    def minify(self) -> None:
        """Let rcssmin make the text smaller; it stays as it is where that would change what it means."""
        sheet = self._sheet
        problem, place = "cannot be minified without a change of meaning", 0
        if sheet.bad is not None:
            problem, place = "is not minified: a string or `url()` is broken off here", sheet.bad
        else:
            closing = shape(self.text).closing if sheet.is_open else ""
            exact = [(self._edited.after(start), self._edited.after(end)) for start, end in sheet.customs]
            result = minified(self.text + closing, exact)
            self._tools = versions()
            if result is not None:
                before, self.text = self.text + closing, result
                self._pairs = lambda: aligned(before, result)
                return
        self._judge.diagnostics.append(
            Diagnostic("not-minified", "warning", f"sheet {problem}", self._span_at(place, place + 1))
        )

    def shrink(self, run: Callable[[str], str]) -> None:
        """Let `run` make the text smaller."""
        before = self.text
        after = self.text = run(before)
        self._pairs = lambda: aligned(before, after)

    def lower(self, source: Source, options: Mapping[str, object], shop: Shop) -> None:
        """Let esbuild lower the text for the targets, and minify it if the options say so."""
        from assetbuild.compiler.engines.esbuild.lower import css_with_findings

        targets = options.get("targets")
        named = [str(target) for target in targets] if isinstance(targets, Sequence) else []
        try:
            lowered = css_with_findings(
                self.text,
                named,
                bool(options.get("minify")),
                shop,
                shown=source.shown,
                restored=self._restored,
                is_mapped=self._trail is not None,
            )
        except CompileFailed as error:
            raise CompileFailed(map(self._placed, error.diagnostics)) from None
        self._judge.diagnostics += map(self._placed, lowered.diagnostics)
        self.text, self._lowered = lowered.text, lowered.map
        self._tools = {"esbuild": shop.esbuild().version}

    def _restored(self, message: str) -> str:
        return self._tokens.restore(message, [self._edited.before_text[start:end] for _, start, end in self._marked])

    def _placed(self, found: Diagnostic) -> Diagnostic:
        """Return a finding about the text with tokens, moved to what people wrote."""
        if found.span is None or not found.span.line:
            return found
        line_start = [0, *(m.end() for m in re.finditer("\n", self._edited.text))][found.span.line - 1 :][:1]
        start = self._edited.before((line_start or [0])[0] + max(found.span.column - 1, 0))
        return found._replace(span=self._span_at(start, start + max(found.span.length, 1)))

    def finished(self) -> Finished:
        """Return the pieces; a token that is not in the text any more is an error."""
        lost = set(self._tokens.missing_from(self.text))
        self._judge.diagnostics += [
            Diagnostic(
                "lost-reference",
                "error",
                f"the reference to `{ref.target}` is lost in the output",
                self._span_at(*span),
            )
            for ref, *span in self._marked
            if ref in lost
        ]
        if self._trail and self._sheet.is_open and self.text == self._edited.text:
            self.text += shape(self.text).closing  # the comment that names the map must not fall into what is open
        found, findings = tuple(self._found.values()), tuple(dict.fromkeys(self._judge.diagnostics))
        pieces = self._tokens.cut(self.text)
        traced = trace(pieces, self._map(self._trail), self._tokens.units) if self._trail else None
        return Finished(pieces, found, findings, self._tools, traced)

    def _map(self, trail: Trail) -> SourceMap:
        """Return the map of the text with tokens."""
        before = self._edited.before
        if self._lowered is not None:
            given = Lines(self._edited.text, SHEET_LINES)
            return composed(self._lowered, [lambda line, column: trail(before(given.offset(line, column)))])
        return drawn(Lines(self.text, SHEET_LINES), ((after, trail(before(at))) for after, at in self._pairs()))


class _Edited:
    """A text with parts replaced, and the way from offsets before to offsets after and back."""

    def __init__(self, text: str, edits: Sequence[tuple[int, int, str]]) -> None:
        parts, at = [], 0
        for start, end, new in edits:
            parts += [text[at:start], new]
            at = end
        self.before_text = text
        self.text = "".join(parts) + text[at:]
        self._before = [end for _, end, _ in edits]
        self._shifts = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]
        self._after = [end + shift for end, shift in zip(self._before, self._shifts[1:], strict=True)]

    def after(self, offset: int) -> int:
        """Return where the character at `offset`, which was not replaced, stands now."""
        return offset + self._shifts[bisect_right(self._before, offset)]

    def before(self, offset: int) -> int:
        """Return where the character now at `offset` stood; near it if it was put in."""
        return offset - self._shifts[bisect_right(self._after, offset)]


def _tokens(text: str) -> Tokens:
    for attempt in itertools.count():
        tokens = Tokens(text, attempt)
        try:
            tokens.check(text)
        except NonceClash:
            continue
        return tokens
    raise AssertionError  # the count has no end

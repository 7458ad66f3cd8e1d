"""The parts of a CSS bundle and the text that they make together: the writing half of the bundler.

Receives parts in cascade order; hands on one text and the way back from its characters to their sheets.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css.imports import Head, Import
from assetbuild.compiler.refs.css.shape import LayerUse, enclosed, layer_uses, shape
from assetbuild.compiler.sourcemap import Place, Trail
from assetbuild.diagnostic import Diagnostic, Span, span_at

__all__ = [
    "Body",
    "Bundle",
    "Condition",
    "Conditions",
    "External",
    "Order",
    "Part",
    "Segment",
    "Sheet",
    "Writer",
    "dotted",
    "preludes",
]


class Sheet(NamedTuple):
    """A stylesheet to be bundled.

    referrers: whose folders its references may be relative to, in order.
    origin: for text that was compiled from other files, the file and the place that an offset comes from.
    trail: where the text was written, if a map is to be made.
    """

    source: Source
    text: str
    referrers: tuple[Source, ...]
    origin: Callable[[int], tuple[Source, Span]] | None = None
    trail: Trail | None = None

    def referrers_at(self, offset: int) -> tuple[Source, ...]:
        """Return whose folders a reference at `offset` may be relative to."""
        if self.origin is None:
            return self.referrers
        return tuple(dict.fromkeys((*self.referrers, self.origin(offset)[0])))

    def span_at(self, start: int, end: int) -> Span:
        """Return the place of `text[start:end]` for messages."""
        return self.origin(start)[1] if self.origin else span_at(self.source.shown, self.text, start, end)


class Segment(NamedTuple):
    """A run of the bundle's text that stands in a sheet: from `start` in the bundle, from `offset` in the sheet."""

    start: int
    sheet: Sheet
    offset: int


class Bundle(NamedTuple):
    """The bundled text. segments: in order of `start`; what the bundler wrote between belongs to the one before."""

    text: str
    segments: tuple[Segment, ...]
    diagnostics: tuple[Diagnostic, ...]

    def sheet_at(self, offset: int) -> tuple[Sheet, int]:
        """Return the sheet that the character at `offset` comes from, and its offset there."""
        index = bisect_right(self.segments, offset, key=lambda segment: segment.start) - 1
        segment = self.segments[max(index, 0)]
        return segment.sheet, min(segment.offset + max(offset - segment.start, 0), len(segment.sheet.text))

    def trail(self, offset: int) -> Place | None:
        """Return where the character at `offset` was written."""
        sheet, there = self.sheet_at(offset)
        return sheet.trail(there) if sheet.trail else None


class Condition(NamedTuple):
    """What one import puts around a sheet. layer: None without, "" for a nameless one, which `number` tells apart."""

    layer: str | None
    supports: str | None
    media: str
    number: int = 0


Conditions = tuple[Condition, ...]


class Body(NamedTuple):
    """The rules of a sheet, without what only counts at its top."""

    sheet: Sheet
    head: Head
    conditions: Conditions


class Order(NamedTuple):
    """Layers that must be declared at this place, because the rules that declared them stand elsewhere."""

    uses: tuple[LayerUse, ...]
    conditions: Conditions


class External(NamedTuple):
    """An import that stays one."""

    sheet: Sheet
    rule: Import
    conditions: Conditions


Part = Body | Order | External


class Writer:
    """The text of a bundle as it grows, with the blocks that are open at its end."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.segments: list[Segment] = []
        self._length = 0
        self._open: list[tuple[Condition, str]] = []

    def imports(self, parts: Sequence[Part]) -> None:
        """Write the imports that stay, which no rule may precede, and before them the layers that did precede them."""
        externals = dict.fromkeys(part for part in parts if isinstance(part, External))
        if not externals:
            return
        last = max(index for index, part in enumerate(parts) if isinstance(part, External))
        before = [part for part in parts[:last] if not isinstance(part, External)]
        if any(_names(part) for part in before):
            names = dict.fromkeys(name for part in parts[:last] for name in _names(part))
            self._put("@layer " + ",".join(names) + ";\n")
        for external in externals:
            self._import(external)

    def rules(self, parts: Sequence[Body | Order]) -> None:
        """Write the sheets, those under the same conditions into one block: a nameless layer must not fall apart."""
        for part in parts:
            if isinstance(part, Order):
                if part.uses or any(condition.layer for condition in part.conditions):
                    self._enter(part.conditions)
                    for around, uses in groupby(part.uses, key=lambda use: use.conditions):
                        names = ",".join(use.name or "" for use in uses)
                        self._put("".join(f"{rule}{{" for rule in around) + f"@layer {names};" + "}" * len(around))
            else:
                self._body(part, is_alone=len(parts) == 1)
        if self._open:
            self._enter(())

    def _body(self, part: Body, is_alone: bool) -> None:
        sheet, rules, conditions = part
        removed = sorted(
            [*rules.charsets, *(rule[:2] for rule in rules.imports), *(rules.layers if rules.imports else ())]
        )
        kept = _kept(sheet.text, removed)
        if not kept:
            return
        text, closing = sheet.text, ""
        if conditions or not is_alone:
            form = shape(text)
            closing = form.closing
            text = enclosed(text, form.strays) if conditions else text
        self._enter(conditions)
        for start, end in kept:
            self.segments.append(Segment(self._length, sheet, start))
            self._put(text[start:end])
        self._put(closing)

    def _enter(self, conditions: Conditions) -> None:
        """Close and open blocks until exactly `conditions` are around what comes next."""
        shared = 0
        while shared < min(len(conditions), len(self._open)) and self._open[shared][0] == conditions[shared]:
            shared += 1
        if self.out and not self.out[-1].endswith("\n"):
            self._put("\n")
        while len(self._open) > shared:
            self._put(self._open.pop()[1])
        for condition in conditions[shared:]:
            blocks = [*preludes(condition.supports, condition.media)]
            if condition.layer is not None:
                blocks.append(f"@layer {condition.layer}".rstrip())
            self._put("".join(block + "{" for block in blocks))
            self._open.append((condition, "}" * len(blocks)))

    def _import(self, external: External) -> None:
        sheet, rule, conditions = external
        ref = rule.ref
        written = sheet.text[ref.start : ref.end]
        opened, closed = (ref.quote, ref.quote) if ref.quote else ("url(", ")")
        merged = _merged(conditions)
        if merged is None:
            # Only a sheet between can hold a second set of conditions, and a sheet without a URL of its own is `data:`.
            url = "https:" + ref.value if ref.value.startswith("//") else ref.value
            text = f"@import {_string(url)}{_tail(conditions[-1])};"
            for condition in conditions[-2::-1]:
                text = f"@import {_string('data:text/css,' + quote(text, safe=_DATA_SAFE))}{_tail(condition)};"
            self._put(text + "\n")
            return
        self._put("@import " + opened)
        self.segments.append(Segment(self._length, sheet, ref.start))
        self._put(f"{written}{closed}{_tail(merged)};\n")

    def _put(self, text: str) -> None:
        self.out.append(text)
        self._length += len(text)


_BLANKS = " \t\n\r\f"
_DATA_SAFE = "!$&'()*+,;=:@/?-._~"


def _kept(text: str, removed: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the parts of `text` that hold more than white space, without those removed."""
    parts, at = [], 0
    for start, end in [*removed, (len(text), len(text))]:
        part = text[at:start]
        if part.strip(_BLANKS):
            parts.append((start - len(part.lstrip(_BLANKS)) if at else 0, start))
        at = end
    return parts


def preludes(supports: str | None, media: str) -> tuple[str, ...]:
    """Return the conditional rules that stand for the conditions of an import.

    Parentheses make a condition of the declaration that `supports()` may hold, and leave a condition one.
    """
    return (*((f"@supports ({supports})",) if supports is not None else ()), *((f"@media {media}",) if media else ()))


def dotted(*names: str | None) -> str | None:
    """Return the layer `b` inside the layer `a`: `a.b`; None if the inner one has no name."""
    return ".".join(name for name in names if name) if names[-1] is not None else None


def _names(part: Part) -> list[str]:
    """Return the layers that a part declares whatever the conditions, as they are called from outside."""
    if any(c.layer == "" or c.supports is not None or c.media for c in part.conditions):
        return []
    outer = [c.layer for c in part.conditions if c.layer]
    inner = part.uses if isinstance(part, Order) else layer_uses(part.sheet.text) if isinstance(part, Body) else ()
    names = [".".join(outer)] if outer else []
    return names + [".".join([*outer, use.name]) for use in inner if use.name and not use.conditions]


def _merged(conditions: Conditions) -> Condition | None:
    """Return one condition that says the same as all, None if there is none."""
    layers = [c.layer for c in conditions if c.layer is not None]
    supports = [c.supports for c in conditions if c.supports is not None]
    media = dict.fromkeys(c.media for c in conditions if c.media)
    if len(media) > 1 or ("" in layers and len(layers) > 1):
        return None
    both = supports[0] if len(supports) == 1 else " and ".join(f"({each})" for each in supports) or None
    return Condition(".".join(layers) if layers else None, both, next(iter(media), ""))


def _tail(condition: Condition) -> str:
    layer = "" if condition.layer is None else f" layer({condition.layer})" if condition.layer else " layer"
    supports = "" if condition.supports is None else f" supports({condition.supports})"
    return layer + supports + (f" {condition.media}" if condition.media else "")


def _string(value: str) -> str:
    """Return `value` as a CSS string."""
    return '"' + re.sub(r'["\\\n\r\f]', lambda match: f"\\{ord(match[0]):x} ", value) + '"'

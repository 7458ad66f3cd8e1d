"""The CSS bundler: one sheet out of a sheet and everything that it imports, in the order and under the conditions
that css-cascade-5 gives them.

Receives the root sheet and two callables, how an import is found and how a sheet is read; hands on one text and the way
back from each of its characters to the sheet that it came from. References are not its concern.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css_import import Head, Import, head
from assetbuild.compiler.refs.css_shape import LayerUse, enclosed, layer_uses, shape
from assetbuild.diagnostic import Diagnostic, Span, span_at

__all__ = ["Bundle", "Sheet", "bundle"]

_PART_LIMIT = 20_000
"""Parts that one bundle may be made of: diamonds of imports into nameless layers double at each level."""


class Sheet(NamedTuple):
    """A stylesheet to be bundled.

    referrers: whose folders its references may be relative to, in order.
    origin: for text that was compiled from other files, the file and the place that an offset comes from.
    """

    source: Source
    text: str
    referrers: tuple[Source, ...]
    origin: Callable[[int], tuple[Source, Span]] | None = None

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


class _Condition(NamedTuple):
    """What one import puts around a sheet. layer: None without, "" for a nameless one, which `number` tells apart."""

    layer: str | None
    supports: str | None
    media: str
    number: int = 0


_Conditions = tuple[_Condition, ...]


class _Body(NamedTuple):
    """The rules of a sheet, without what only counts at its top."""

    sheet: Sheet
    head: Head
    conditions: _Conditions


class _Order(NamedTuple):
    """Layers that must be declared at this place, because the rules that declared them stand elsewhere."""

    uses: tuple[LayerUse, ...]
    conditions: _Conditions


class _External(NamedTuple):
    """An import that stays one."""

    sheet: Sheet
    rule: Import
    conditions: _Conditions


_Part = _Body | _Order | _External
Find = Callable[[Sheet, Import], Source | None]
Load = Callable[[Source], Sheet]


def bundle(root: Sheet, find: Find, load: Load) -> Bundle:
    """Return `root` with its imports in their places.

    find: the file that an import in a sheet names, None if the import stays one. load: reads a sheet; may raise
    `DiagnosticsError`. A sheet that is imported twice under the same conditions stands where it is imported last:
    its later rules win over its earlier ones in any case; only the order of its layers is kept at the first place.
    """
    gathering = _Gathering(find, load)
    gathering.visit(root, (), ())
    parts = gathering.parts[::-1]
    writer = _Writer()
    writer.imports(parts)
    writer.rules([part for part in parts if not isinstance(part, _External)])
    return Bundle("".join(writer.out), tuple(writer.segments), tuple(gathering.diagnostics) + _namespaces(parts))


def _namespaces(parts: Sequence[_Part]) -> tuple[Diagnostic, ...]:
    bodies = [part for part in parts if isinstance(part, _Body)]
    message = "`@namespace` cannot be bundled: it would hold for the other sheets as well"
    hint = "give the sheet a `<link>` of its own instead of an import"
    return tuple(
        Diagnostic("namespace-in-bundle", "error", message, body.sheet.span_at(*span), hint)
        for body in bodies[: len(bodies) if len(bodies) > 1 else 0]
        for span in body.head.namespaces
    )


class _Gathering:
    """The walk over the imports from the last to the first: what was seen before stands later, and wins."""

    def __init__(self, find: Find, load: Load) -> None:
        self.parts: list[_Part] = []
        self.diagnostics: list[Diagnostic] = []
        self._find = find
        self._load = load
        self._sheets: dict[str, Sheet] = {}
        self._heads: dict[str, Head] = {}
        self._seen: set[tuple[str, _Conditions]] = set()
        self._uses: dict[str, tuple[LayerUse, ...]] = {}

    def visit(self, sheet: Sheet, conditions: _Conditions, ancestors: tuple[str, ...]) -> None:
        """Append the parts of `sheet` and of its imports, last first."""
        rules = self._head(sheet)
        self.parts.append(_Body(sheet, rules, conditions))
        ancestors = (*ancestors, sheet.source.file)
        for rule in reversed(rules.imports):
            inner = (*conditions, *self._condition(rule))
            source = self._find(sheet, rule)
            if source is None:
                self.parts.append(_External(sheet, rule, inner))
            elif source.file not in ancestors:  # a sheet inside itself adds nothing (css-cascade-5 §2)
                self._descend(sheet, rule, source, inner, ancestors)
        if rules.imports and rules.layers:
            statements = "".join(sheet.text[start:end] for start, end in rules.layers)
            self.parts.append(_Order(layer_uses(statements), conditions))

    def _descend(
        self, sheet: Sheet, rule: Import, source: Source, inner: _Conditions, ancestors: tuple[str, ...]
    ) -> None:
        if len(ancestors) > NESTING_LIMIT or len(self.parts) > _PART_LIMIT:
            if not self.diagnostics:
                message = f"imports nest deeper than {NESTING_LIMIT} or bring in more than {_PART_LIMIT:,} sheets"
                place = sheet.span_at(rule.start, rule.end)
                self.diagnostics.append(Diagnostic("too-many-imports", "error", message, place))
            return
        key = source.file, inner
        if key in self._seen:
            uses = self._layers(self._sheet(source))
            # A nameless layer is a new one each time, and `!important` counts in the first.
            if not any(use.name is None for use in uses):
                self.parts.append(_Order(uses, inner))
                return
        self._seen.add(key)
        self.visit(self._sheet(source), inner, ancestors)

    def _condition(self, rule: Import) -> _Conditions:
        if rule.layer is None and rule.supports is None and not rule.media:
            return ()
        supports = None if rule.supports is None else " ".join(rule.supports.split())
        number = len(self.parts) if rule.layer == "" else 0
        return (_Condition(rule.layer, supports, " ".join(rule.media.split()), number),)

    def _sheet(self, source: Source) -> Sheet:
        if source.file not in self._sheets:
            self._sheets[source.file] = self._load(source)
        return self._sheets[source.file]

    def _head(self, sheet: Sheet) -> Head:
        return self._heads.setdefault(sheet.source.file, head(sheet.text))

    def _layers(self, sheet: Sheet) -> tuple[LayerUse, ...]:
        """Return the layers that a sheet and its imports declare, in order, each once."""
        file = sheet.source.file
        if file in self._uses:
            return self._uses[file]
        self._uses[file] = ()  # a cycle adds nothing
        rules = self._head(sheet)
        found = list(layer_uses("".join(sheet.text[start:end] for start, end in rules.layers)))
        for rule in rules.imports:
            around = _preludes(rule.supports, rule.media)
            if rule.layer is not None:
                found.append(LayerUse(rule.layer or None, around))
            source = self._find(sheet, rule)
            if source is not None and rule.layer != "":
                uses = self._layers(self._sheet(source))
                found += [LayerUse(_dotted(rule.layer, use.name), around + use.conditions) for use in uses]
        self._uses[file] = tuple(dict.fromkeys([*found, *layer_uses(sheet.text)]))
        return self._uses[file]


class _Writer:
    """The text of a bundle as it grows, with the blocks that are open at its end."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.segments: list[Segment] = []
        self._length = 0
        self._open: list[tuple[_Condition, str]] = []

    def imports(self, parts: Sequence[_Part]) -> None:
        """Write the imports that stay, which no rule may precede, and before them the layers that did precede them."""
        externals = dict.fromkeys(part for part in parts if isinstance(part, _External))
        if not externals:
            return
        last = max(index for index, part in enumerate(parts) if isinstance(part, _External))
        before = [part for part in parts[:last] if not isinstance(part, _External)]
        if any(_names(part) for part in before):
            names = dict.fromkeys(name for part in parts[:last] for name in _names(part))
            self._put("@layer " + ",".join(names) + ";\n")
        for external in externals:
            self._import(external)

    def rules(self, parts: Sequence[_Body | _Order]) -> None:
        """Write the sheets, those under the same conditions into one block: a nameless layer must not fall apart."""
        for part in parts:
            if isinstance(part, _Order):
                if part.uses or any(condition.layer for condition in part.conditions):
                    self._enter(part.conditions)
                    for around, uses in groupby(part.uses, key=lambda use: use.conditions):
                        names = ",".join(use.name or "" for use in uses)
                        self._put("".join(f"{rule}{{" for rule in around) + f"@layer {names};" + "}" * len(around))
            else:
                self._body(part, is_alone=len(parts) == 1)
        self._enter(())

    def _body(self, part: _Body, is_alone: bool) -> None:
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

    def _enter(self, conditions: _Conditions) -> None:
        """Close and open blocks until exactly `conditions` are around what comes next."""
        shared = 0
        while shared < min(len(conditions), len(self._open)) and self._open[shared][0] == conditions[shared]:
            shared += 1
        if self.out and not self.out[-1].endswith("\n"):
            self._put("\n")
        while len(self._open) > shared:
            self._put(self._open.pop()[1])
        for condition in conditions[shared:]:
            blocks = [*_preludes(condition.supports, condition.media)]
            if condition.layer is not None:
                blocks.append(f"@layer {condition.layer}".rstrip())
            self._put("".join(block + "{" for block in blocks))
            self._open.append((condition, "}" * len(blocks)))

    def _import(self, external: _External) -> None:
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


_DATA_SAFE = "!$&'()*+,;=:@/?-._~"


def _kept(text: str, removed: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the parts of `text` that hold more than white space, without those removed."""
    parts, at = [], 0
    for start, end in [*removed, (len(text), len(text))]:
        part = text[at:start]
        if part.strip():
            parts.append((start - len(part.lstrip()) if at else 0, start))
        at = end
    return parts


def _preludes(supports: str | None, media: str) -> tuple[str, ...]:
    """Return the conditional rules that stand for the conditions of an import.

    Parentheses make a condition of the declaration that `supports()` may hold, and leave a condition one.
    """
    return (*((f"@supports ({supports})",) if supports is not None else ()), *((f"@media {media}",) if media else ()))


def _dotted(*names: str | None) -> str | None:
    """Return the layer `b` inside the layer `a`: `a.b`; None if the inner one has no name."""
    return ".".join(name for name in names if name) if names[-1] is not None else None


def _names(part: _Part) -> list[str]:
    """Return the layers that a part declares whatever the conditions, as they are called from outside."""
    if any(c.layer == "" or c.supports is not None or c.media for c in part.conditions):
        return []
    outer = [c.layer for c in part.conditions if c.layer]
    inner = part.uses if isinstance(part, _Order) else layer_uses(part.sheet.text) if isinstance(part, _Body) else ()
    names = [".".join(outer)] if outer else []
    return names + [".".join([*outer, use.name]) for use in inner if use.name and not use.conditions]


def _merged(conditions: _Conditions) -> _Condition | None:
    """Return one condition that says the same as all, None if there is none."""
    layers = [c.layer for c in conditions if c.layer is not None]
    supports = [c.supports for c in conditions if c.supports is not None]
    media = dict.fromkeys(c.media for c in conditions if c.media)
    if len(media) > 1 or ("" in layers and len(layers) > 1):
        return None
    both = supports[0] if len(supports) == 1 else " and ".join(f"({each})" for each in supports) or None
    return _Condition(".".join(layers) if layers else None, both, next(iter(media), ""))


def _tail(condition: _Condition) -> str:
    layer = "" if condition.layer is None else f" layer({condition.layer})" if condition.layer else " layer"
    supports = "" if condition.supports is None else f" supports({condition.supports})"
    return layer + supports + (f" {condition.media}" if condition.media else "")


def _string(value: str) -> str:
    """Return `value` as a CSS string."""
    return '"' + re.sub(r'["\\\n\r\f]', lambda match: f"\\{ord(match[0]):x} ", value) + '"'

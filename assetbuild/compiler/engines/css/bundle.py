"""The CSS bundler: one sheet out of a sheet and everything that it imports, in the order and under the conditions
that css-cascade-5 gives them.

Receives the root sheet and two callables, how an import is found and how a sheet is read; hands on one text and the way
back from each of its characters to the sheet that it came from. References are not its concern.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.engines.css.parts import (
    Body,
    Bundle,
    Condition,
    Conditions,
    External,
    Order,
    Part,
    Sheet,
    Writer,
    dotted,
    preludes,
)
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css.imports import Head, Import, head
from assetbuild.compiler.refs.css.shape import LayerUse, layer_uses
from assetbuild.diagnostic import Diagnostic

__all__ = ["Bundle", "Sheet", "bundle"]

_PART_LIMIT = 20_000
"""Parts that one bundle may be made of: diamonds of imports into nameless layers double at each level."""

Find = Callable[[Sheet, Import], Source | None]
Load = Callable[[Source], Sheet]


def bundle(root: Sheet, find: Find, load: Load) -> Bundle:
    """Return `root` with its imports in their places.

    find: the file that an import in a sheet names, None if the import stays one. load: reads a sheet; what it raises
    comes through. Raises `CompileFailed` if the imports have no end in reach.
    A sheet that is imported twice under the same conditions stands where it is imported last: its later rules win over
    its earlier ones in any case; only the order of its layers is kept at the first place.
    """
    gathering = _Gathering(find, load)
    gathering.visit(root, (), ())
    parts = gathering.parts[::-1]
    writer = Writer()
    writer.imports(parts)
    writer.rules([part for part in parts if not isinstance(part, External)])
    return Bundle("".join(writer.out), tuple(writer.segments), _namespaces(parts))


def _namespaces(parts: Sequence[Part]) -> tuple[Diagnostic, ...]:
    bodies = [part for part in parts if isinstance(part, Body)]
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
        self.parts: list[Part] = []
        self._find = find
        self._load = load
        self._sheets: dict[str, Sheet] = {}
        self._heads: dict[str, Head] = {}
        self._seen: set[tuple[str, Conditions]] = set()
        self._uses: dict[str, tuple[LayerUse, ...]] = {}

    def visit(self, sheet: Sheet, conditions: Conditions, ancestors: tuple[str, ...]) -> None:
        """Append the parts of `sheet` and of its imports, last first."""
        rules = self._head(sheet)
        self.parts.append(Body(sheet, rules, conditions))
        ancestors = (*ancestors, sheet.source.file)
        for rule in reversed(rules.imports):
            inner = (*conditions, *self._condition(rule))
            source = self._find(sheet, rule)
            if source is None:
                self.parts.append(External(sheet, rule, inner))
            elif source.file in ancestors:
                # A sheet inside itself adds no rules; the layer is declared all the same (css-cascade-5 §2, §6.4.3).
                self.parts.append(Order((), inner))
            else:
                self._descend(sheet, rule, source, inner, ancestors)
        if rules.imports and rules.layers:
            statements = "".join(sheet.text[start:end] for start, end in rules.layers)
            self.parts.append(Order(layer_uses(statements), conditions))

    def _descend(
        self, sheet: Sheet, rule: Import, source: Source, inner: Conditions, ancestors: tuple[str, ...]
    ) -> None:
        if len(ancestors) > NESTING_LIMIT or len(self.parts) > _PART_LIMIT:
            message = f"imports nest deeper than {NESTING_LIMIT} or bring in more than {_PART_LIMIT:,} sheets"
            place = sheet.span_at(rule.start, rule.end)
            raise CompileFailed([Diagnostic("too-many-imports", "error", message, place)])
        key = source.file, inner
        if key in self._seen:
            uses = self._layers(self._sheet(source))
            # A nameless layer is a new one each time, and `!important` counts in the first.
            if not any(use.name is None for use in uses):
                self.parts.append(Order(uses, inner))
                return
        self._seen.add(key)
        self.visit(self._sheet(source), inner, ancestors)

    def _condition(self, rule: Import) -> Conditions:
        if rule.layer is None and rule.supports is None and not rule.media:
            return ()
        number = len(self.parts) if rule.layer == "" else 0
        return (Condition(rule.layer, rule.supports, rule.media, number),)

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
            around = preludes(rule.supports, rule.media)
            if rule.layer is not None:
                found.append(LayerUse(rule.layer or None, around))
            source = self._find(sheet, rule)
            if source is not None and rule.layer != "":
                uses = self._layers(self._sheet(source))
                found += [LayerUse(dotted(rule.layer, use.name), around + use.conditions) for use in uses]
        self._uses[file] = tuple(dict.fromkeys([*found, *layer_uses(sheet.text)]))
        return self._uses[file]

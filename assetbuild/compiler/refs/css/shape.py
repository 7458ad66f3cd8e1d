"""The shape of a sheet: how to set it beside or inside other text so that neither reaches into the other.

Receives text that may hold any error, keeps every meaning that the error recovery of CSS Syntax Level 3 gives it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from assetbuild.compiler.refs.css.imports import rule_start, statement_end
from assetbuild.compiler.refs.css.tokens import CLOSERS, blank_end, marks, unescaped

__all__ = ["LayerUse", "Shape", "enclosed", "layer_uses", "shape"]

_MAY_HOLD_LAYERS = re.compile(r"@(?:layer|[^\s{;]*\\)", re.IGNORECASE)
# Not `@container`: what it holds is declared whether it matches or not (css-conditional-5 §3).
_CONDITIONS = frozenset({"media", "supports"})


class Shape(NamedTuple):
    """What a sheet needs to stand beside others.

    closing: the text that closes what the sheet leaves open at its end, as the end itself would (§5.4).
    strays: `(start, end)` of what acts inside a block otherwise than at the top of a sheet, for `enclosed`.
    """

    closing: str
    strays: tuple[tuple[int, int], ...]


class LayerUse(NamedTuple):
    """A layer that a sheet declares: its full dotted name, None if it has none, and the conditional rules around it."""

    name: str | None
    conditions: tuple[str, ...]


def shape(text: str) -> Shape:
    """Return the shape of the sheet."""
    stack: list[str] = []
    strays: list[tuple[int, int]] = []
    statement, is_at_rule = 0, False
    last = None
    for mark in marks(text):
        kind, last = mark.lastgroup, mark
        if stack:
            if kind in {"open", "function"}:
                stack.append(CLOSERS[mark[0][-1]])
            elif kind == "close" and stack[-1] == mark[0]:
                stack.pop()
                if not stack and mark[0] == "}":
                    statement, is_at_rule = mark.end(), False
        elif kind in {"open", "function"}:
            stack.append(CLOSERS[mark[0][-1]])
        elif kind == "block":
            statement, is_at_rule = mark.end(), False
        elif kind == "at":
            is_at_rule = is_at_rule or rule_start(text, statement) == mark.start()
        elif kind == "end" and is_at_rule:
            statement, is_at_rule = mark.end(), False
        elif kind == "end" or (kind == "close" and mark[0] == "}"):
            strays.append(mark.span())
        elif kind == "html" and blank_end(text, statement) == mark.start():
            strays.append(mark.span())
            statement = mark.end()
    cut = last if last is not None and (last.lastgroup or "").startswith("cut_") else None
    closing = _closed(text, cut) + "".join(reversed(stack))
    end = cut.start() if cut and cut.lastgroup == "cut_comment" else len(text)
    if not (stack and stack[0] == "}") and rule_start(text, statement) < end:
        closing += ";" if is_at_rule else "{}"
    return Shape(closing, tuple(strays))


def _closed(text: str, cut: re.Match[str] | None) -> str:
    """Return what ends the token that the end of the text cuts off, so that it keeps its value."""
    kind = cut.lastgroup if cut else ""
    if cut and kind == "cut_comment":
        # `/*a*` needs no second star, `/*` does.
        return "/" if text.endswith("*") and len(cut[0]) > 2 else "*/"
    is_escaping = (len(text) - len(text.rstrip("\\"))) % 2 == 1
    if cut and kind == "cut_string":
        return ("\n" if is_escaping else "") + text[cut.start()]
    return ("FFFD " if is_escaping else "") + (")" if cut else "")


def enclosed(text: str, strays: tuple[tuple[int, int], ...]) -> str:
    """Return the sheet, offsets unchanged, so that inside a block it means what it means at the top.

    A `}` or `;` that ends nothing makes the selector that it stands in invalid (§5.4.3), and `]` does so anywhere;
    `<!--` and `-->` between rules mean nothing.
    """
    parts, at = [], 0
    for start, end in strays:
        parts += [text[at:start], "]" if end - start == 1 else " " * (end - start)]
        at = end
    return "".join(parts) + text[at:]


def layer_uses(text: str) -> tuple[LayerUse, ...]:
    """Return the layers that the sheet itself declares, in order of appearance (css-cascade-5 §6.4.3)."""
    if _MAY_HOLD_LAYERS.search(text) is None:
        return ()
    found: list[LayerUse] = []
    stack: list[tuple[str, LayerUse]] = []  # a closer, and the context that it leads back to; `=` closes a value's `{`
    context = opening = LayerUse("", ())
    statement = 0
    for mark in marks(text):
        kind = mark.lastgroup
        is_statement = not stack or stack[-1][0] == "}"
        if kind == "at" and is_statement and rule_start(text, statement) == mark.start():
            end, has_block = statement_end(text, mark.end(), is_nested=bool(stack))
            prelude = text[mark.end() : end].strip("; \t\r\n\f")
            opening = _inner(unescaped(mark[0][1:]).lower(), prelude, context, found if has_block else None)
            if not has_block and mark[0].lower() == "@layer" and context.name is not None:
                found += [_within(context, name.strip()) for name in prelude.split(",")]
        elif kind == "block":
            if is_statement:
                opening, statement = context, mark.end()
        elif kind in {"open", "function"}:
            closer = CLOSERS[mark[0][-1]]
            stack.append(("=" if closer == "}" and not is_statement else closer, context))
            if stack[-1][0] == "}":
                context, statement = opening, mark.end()
        elif kind == "close" and stack and mark[0] == stack[-1][0].replace("=", "}"):
            closer, context = stack.pop()
            if closer == "}":
                opening, statement = context, mark.end()
        elif kind == "end" and is_statement:
            opening, statement = context, mark.end()
    return tuple(found)


def _inner(name: str, prelude: str, context: LayerUse, found: list[LayerUse] | None) -> LayerUse:
    """Return the context inside the block of an at-rule; a layer that it opens joins `found`."""
    if name in _CONDITIONS:
        return context._replace(conditions=(*context.conditions, f"@{name} {prelude}"))
    if name != "layer" or context.name is None or found is None:
        return context
    found.append(_within(context, prelude) if prelude else context._replace(name=None))
    return found[-1]


def _within(context: LayerUse, name: str) -> LayerUse:
    return context._replace(name=f"{context.name}.{name}" if context.name else name)

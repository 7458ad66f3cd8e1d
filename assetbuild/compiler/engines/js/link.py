"""A script's references become tokens: what the plain and the classic scripts have in common.

Receives a reading of the text (`refs/js.py`) and asks the resolver; hands on edits of the text. What stands between
edits stays as it is. Knows neither minifiers nor joins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from assetbuild.compiler import door
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js.meaning import Meanings
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Ref, RefStyle, Source
from assetbuild.compiler.refs.js import MODULE_KINDS, JsKind, JsRef, Script
from assetbuild.compiler.refs.js.tokens import literal_body
from assetbuild.compiler.tokens import NonceClash, Tokens
from assetbuild.diagnostic import Diagnostic, span_at

__all__ = [
    "MEDIA_TYPE",
    "Edit",
    "Links",
    "dynamic_imports",
    "edited",
    "faults",
    "link",
    "original_offset",
    "static_imports",
    "with_tokens",
]

Made = TypeVar("Made")

MEDIA_TYPE = "text/javascript; charset=utf-8"

_NEVER_CLOSED = ("comment", "string", "template", "regular expression")


class Edit(NamedTuple):
    """`text[start:end]` is to become `written`."""

    start: int
    end: int
    written: str


class Links(NamedTuple):
    """Resolved references. found: targets that no root holds. targets: references with the logical path of theirs."""

    edits: tuple[Edit, ...]
    found: tuple[Source, ...]
    targets: tuple[tuple[JsRef, str], ...]
    diagnostics: tuple[Diagnostic, ...]


def link(
    references: Iterable[JsRef],
    text: str,
    referrers: Sequence[Source],
    tokens: Tokens,
    *,
    reading: Reading,
    shop: Shop,
) -> Links:
    """Return the edits that put a token in the place of each reference to an asset.

    referrers: whose folders a path may be relative to; the last is the file that holds `text`, which messages name.
    Raises `NonceClash` if `text` holds the nonce of `tokens`.
    """
    tokens.check(text)
    meanings = Meanings(text, referrers, reading, shop)
    edits: list[Edit] = []
    found: dict[str, Source] = {}
    targets: list[tuple[JsRef, str]] = []
    for ref in references:
        meant = meanings.found(ref)
        if meant is None:
            continue
        logical = meant.source.logical
        style: RefStyle = "module" if ref.kind in MODULE_KINDS else "url"
        token = tokens.token(Ref(logical, style, meanings.name_of(ref, meant)))
        edits.append(Edit(ref.start, ref.end, token + literal_body(meant.suffix, text[ref.start - 1])))
        targets.append((ref, logical))
        if logical not in shop.resolver.inventory.by_logical:
            found[logical] = meant.source
    return Links(tuple(edits), tuple(found.values()), tuple(targets), tuple(meanings.diagnostics))


def with_tokens(seed: str, make: Callable[[Tokens], Made]) -> Made:
    """Return what `make` makes with the first table of tokens whose nonce clashes with no text."""
    attempt = 0
    while True:
        try:
            return make(Tokens(seed, attempt))
        except NonceClash:
            attempt += 1


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` after `edits`, which do not overlap."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits):
        parts += (text[at : edit.start], edit.written)
        at = edit.end
    return "".join((*parts, text[at:]))


def original_offset(edits: Iterable[Edit], offset: int) -> int:
    """Return where in the text before `edits` stood what stands at `offset` after them."""
    for edit in sorted(edits):
        if offset < edit.start:
            break
        end = edit.start + len(edit.written)
        if offset < end:
            return edit.start
        offset += edit.end - end
    return offset


def faults(script: Script, text: str, shown: str) -> list[Diagnostic]:
    """Return the first thing that is open or closes nothing: what follows it is most often its consequence."""
    if script.tokens.too_deep is not None:
        return [door.too_deep(span_at(shown, text, script.tokens.too_deep))]
    for fault in script.faults:
        span = span_at(shown, text, fault.start)
        if fault.what in (")", "]", "}"):
            return [Diagnostic("stray-bracket", "error", f"`{fault.what}` closes nothing", span)]
        what = fault.what if fault.what in _NEVER_CLOSED else f"`{fault.what}`"
        return [Diagnostic("unclosed", "error", f"{what} is never closed", span)]
    return []


def static_imports(links: Iterable[Links]) -> tuple[str, ...]:
    """Return the logical paths that a script loads before it runs, sorted."""
    return _targets(links, frozenset(("import", "export")))


def dynamic_imports(links: Iterable[Links]) -> tuple[str, ...]:
    """Return the logical paths that a script may load when it runs, sorted."""
    return _targets(links, frozenset(("dynamic",)))


def _targets(links: Iterable[Links], wanted: frozenset[JsKind]) -> tuple[str, ...]:
    return tuple(sorted({logical for one in links for ref, logical in one.targets if ref.kind in wanted}))

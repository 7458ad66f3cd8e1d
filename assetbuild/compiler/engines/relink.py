"""Relinking: a text that is published as it is, but for its references.

Receives a text and what a tokeniser found in it; hands on the result of the job. Knows no language. A file in which
nothing is rewritten stays as it is on the disk, to the byte.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from assetbuild.compiler.engines import copy
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js.link import Edit, edited, with_tokens
from assetbuild.compiler.engines.judge import Judge
from assetbuild.compiler.files import Reading
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Job, Piece, Ref, RefStyle, Result, Source
from assetbuild.compiler.refs.written import Written
from assetbuild.compiler.resolve import Found
from assetbuild.compiler.tokens import Tokens
from assetbuild.diagnostic import Diagnostic, span_at

__all__ = ["PAGES", "relinked"]

PAGES = (".html", ".htm", ".xhtml")
"""Extensions of documents that people go to, or that scripts put into other pages."""


def relinked(
    job: Job,
    text: str,
    references: Sequence[Written],
    *,
    reading: Reading,
    shop: Shop,
    style_of: Callable[[str], RefStyle] = lambda _: "url",
    findings: Iterable[Diagnostic] = (),
    removed: Sequence[tuple[int, int]] = (),
) -> Result:
    """Return the draft of the one source of `job`, its references rewritten.

    text: of the source. references: in order, none inside another. style_of: from what is written to how its
    replacement is. findings: what is to be said beside what is missing. removed: places of the text that are left out,
    in order, with the references in them.
    """
    (source,) = job.sources
    judge = Judge("error", reading, shop)
    judge.diagnostics += findings
    kept = [written for written in references if not any(start <= written.start < end for start, end in removed)]
    targets = [(written, _target(written, text, source, reading, judge)) for written in kept]
    found = [(written, target) for written, target in targets if target is not None]
    copied = copy.build(job, reading, shop)
    diagnostics = tuple(dict.fromkeys(judge.diagnostics))
    if not found and not removed:
        return copied._replace(inputs=reading.inputs(), absent=reading.absent(), diagnostics=diagnostics)

    def make(tokens: Tokens) -> tuple[Piece, ...]:
        tokens.check(text)
        edits = [
            Edit(written.start, written.suffix_start, tokens.token(Ref(target.logical, style_of(written.value))))
            for written, target in found
        ]
        edits = sorted([*edits, *(Edit(start, end, "") for start, end in removed)])
        return tokens.cut(edited(text, edits))

    inventory = shop.resolver.inventory.by_logical
    new = {target.logical: target for _, target in found if target.logical not in inventory}
    (draft,) = copied.drafts
    return Result(
        drafts=(draft._replace(body=with_tokens(text, make)),),
        found=tuple(new.values()),
        inputs=reading.inputs(),
        absent=reading.absent(),
        diagnostics=diagnostics,
    )


def _target(written: Written, text: str, source: Source, reading: Reading, judge: Judge) -> Source | None:
    """Return the file that the reference names, None if it stays as it is; what is wrong with it is reported."""
    place = partial(span_at, source.shown, text, written.start, written.end)
    if written.kind == "late-import":
        judge.late_import(place())
        return None
    if written.kind == "link":
        return _linked(written, source, reading, judge.shop)
    outcome = judge.outcome(written.value, (source,), place)
    return outcome.source if isinstance(outcome, Found) else None


def _linked(written: Written, source: Source, reading: Reading, shop: Shop) -> Source | None:
    """Return the published file that a link leads to: no page, and nothing that has a name of its own to link to."""
    path = written.value.partition("#")[0].partition("?")[0]
    if posixpath.splitext(path)[1].lower() in {"", *PAGES}:
        return None  # before the resolver: it would look in vain for the address of every page
    outcome = shop.resolver.reference(written.value, (source,), reading)
    if not isinstance(outcome, Found) or outcome.source.logical not in shop.resolver.inventory.by_logical:
        return None
    is_stable = matches_any((*shop.project.keep_names, *shop.project.site_root), outcome.source.logical)
    return None if is_stable else outcome.source

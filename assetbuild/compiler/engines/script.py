"""Script: a plain `.js` or `.mjs` file is published as itself, but for its references and, if asked, minified."""

from __future__ import annotations

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js import minify as js_minify
from assetbuild.compiler.engines.js.commonjs import CONTEXT_CALL, left_calls
from assetbuild.compiler.engines.js.link import (
    MEDIA_TYPE,
    Links,
    dynamic_imports,
    edited,
    faults,
    link,
    static_imports,
    with_tokens,
)
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Draft, Facts, Job, Kind, Piece, Result
from assetbuild.compiler.refs.js import examine, may_refer
from assetbuild.compiler.tokens import Tokens
from assetbuild.diagnostic import Diagnostic

__all__ = ["build"]


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`. options: `minify`."""
    (source,) = job.sources
    text = reading.text(source.file)
    is_minified = bool(job.options.get("minify"))
    if not is_minified and not may_refer(text) and CONTEXT_CALL not in text:
        # Most scripts of other people: the lexer is slow beside this search.
        draft = Draft(job.logicals[0], MEDIA_TYPE, (reading.read(source.file),), Facts("classic"))
        return Result((draft,), inputs=reading.inputs(), absent=reading.absent())
    script = examine(text)

    def make(tokens: Tokens) -> tuple[tuple[Piece, ...], Links, list[Diagnostic]]:
        links = link(script.references, text, (source,), tokens, reading=reading, shop=shop)
        broken = faults(script, text, source.shown) if is_minified else []
        if not is_minified and not links.edits:
            return (reading.read(source.file),), links, []  # to the byte, with the mark that the door takes off
        if not is_minified or broken:
            return tokens.cut(edited(text, links.edits)), links, broken
        made, findings = js_minify.smaller(text, links.edits, source.shown, shop.workers(), unreadable="warning")
        return tokens.cut(made), links, findings

    pieces, links, findings = with_tokens(text, make)
    kind: Kind = "module" if script.is_module else "classic"
    facts = Facts(kind, imports=static_imports([links]), dynamic=dynamic_imports([links]))
    return Result(
        drafts=(Draft(job.logicals[0], MEDIA_TYPE, pieces, facts),),
        found=links.found,
        inputs=reading.inputs(),
        absent=reading.absent(),
        diagnostics=(*links.diagnostics, *findings, *left_calls(script, text, source, shop.project)),
        tools=js_minify.versions() if is_minified else {},
    )

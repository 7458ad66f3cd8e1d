"""Script: a plain `.js` or `.mjs` file is published as itself, but for its references and, if asked, minified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assetbuild.compiler.door import Refused, admit
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js import minify as js_minify
from assetbuild.compiler.engines.js.commonjs import CONTEXT_CALL, left_calls
from assetbuild.compiler.engines.js.link import (
    MEDIA_TYPE,
    Links,
    dynamic_imports,
    edited,
    link,
    static_imports,
    with_tokens,
)
from assetbuild.compiler.engines.js.traces import mapped_script, named_maps, origin_of, traced, without_maps
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Draft, Facts, Job, Kind, Piece, Result, Source, Trace
from assetbuild.compiler.refs.js import Script, may_refer
from assetbuild.compiler.tokens import Tokens
from assetbuild.diagnostic import Diagnostic

__all__ = ["build", "plain_facts"]


_PLAIN = Facts("classic")


class _Made(NamedTuple):
    """A script as it is published, and what was found on the way."""

    pieces: tuple[Piece, ...]
    links: Links
    diagnostics: Sequence[Diagnostic]
    trace: Trace | None = None


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`. options: `minify`."""
    (source,) = job.sources
    text = reading.text(source.file)
    is_minified = bool(job.options.get("minify"))
    if not is_minified and _is_plain(text):
        draft = Draft(job.logicals[0], MEDIA_TYPE, (reading.read(source.file),), _PLAIN)
        return Result((draft,), inputs=reading.inputs(), absent=reading.absent())
    script = Script(text)

    def make(tokens: Tokens) -> _Made:
        links = link(script.references, text, (source,), tokens, reading=reading, shop=shop)
        if shop.project.sourcemaps != "none" and (is_minified or (links.edits and script.source_maps)):
            return _mapped(source, text, script, links, tokens, reading, shop, is_minified=is_minified)
        if is_minified:
            edits = [*links.edits, *without_maps(script, text)]
            smaller, findings = js_minify.smaller(script, edits, source.shown, shop.workers(), unreadable="warning")
            return _Made(tokens.cut(smaller), links, findings)
        return _as_written(source, text, script, links, tokens, reading, shop)

    pieces, links, findings, trace = with_tokens(text, make)
    kind: Kind = "module" if script.is_module else "classic"
    facts = Facts(kind, imports=static_imports([links]), dynamic=dynamic_imports([links]))
    return Result(
        drafts=(Draft(job.logicals[0], MEDIA_TYPE, pieces, facts, trace=trace),),
        found=links.found,
        inputs=reading.inputs(),
        absent=reading.absent(),
        diagnostics=(*links.diagnostics, *findings, *left_calls(script, text, source, shop.project)),
        tools=js_minify.versions() if is_minified else {},
    )


def plain_facts(job: Job, content: bytes) -> Facts | None:
    """Return the facts of a script that is published to the byte, None if it has to be read for that."""
    try:
        text = admit(content, "")
    except Refused:
        return None
    return _PLAIN if not job.options.get("minify") and _is_plain(text) else None


def _is_plain(text: str) -> bool:
    """Return whether nothing in the script refers to anything: most of those of other people, and a lexer is slow."""
    return not (may_refer(text) or CONTEXT_CALL in text or "sourceMappingURL" in text)


def _mapped(  # noqa: PLR0917 - what `build` knows of the script
    source: Source,
    text: str,
    script: Script,
    links: Links,
    tokens: Tokens,
    reading: Reading,
    shop: Shop,
    *,
    is_minified: bool,
) -> _Made:
    """Return the script with a map of ours, which follows the one that it names."""
    edits = [*links.edits, *without_maps(script, text)]
    origin = origin_of(source, text, script, reading)
    mapped = mapped_script(script, edits, source.shown, shop, is_minified=is_minified, unreadable="warning")
    pieces = tokens.cut(mapped.text)
    stops = ((after, origin.trail(before)) for after, before in mapped.pairs)
    trace = traced(mapped.text, stops, tokens, pieces) if mapped.pairs else None
    return _Made(pieces, links, [*origin.diagnostics, *mapped.diagnostics], trace)


def _as_written(  # noqa: PLR0917 - what `build` knows of the script
    source: Source, text: str, script: Script, links: Links, tokens: Tokens, reading: Reading, shop: Shop
) -> _Made:
    """Return the script with its references rewritten, that to its map among them; to the byte if it has none."""
    named = named_maps(script, text, source, tokens, reading, shop)
    links = links._replace(found=(*links.found, *named.found))
    if not links.edits and not named.edits:
        return _Made((reading.read(source.file),), links, named.diagnostics)  # with its BOM
    return _Made(tokens.cut(edited(text, [*links.edits, *named.edits])), links, named.diagnostics)

"""Classic: scripts joined in their order into one, so that none can break the next and globals stay global.

Each file is read, and minified if asked, by itself: an error has its place in its own file, a directive stays the
directive of its file until the join has decided about it, and no minifier moves declarations between files.

Strict mode: a `"use strict"` at the top of the first file would hold for all that follow, and one at the top of a later
file for nothing (ECMA-262 §11.2.1: directives stand at the beginning of a script). So the joined script is strict if
every file in it is, and sloppy otherwise; a file that loses its strictness is a warning. Functions keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js import minify as js_minify
from assetbuild.compiler.engines.js.link import (
    MEDIA_TYPE,
    Edit,
    Links,
    dynamic_imports,
    edited,
    faults,
    link,
    with_tokens,
)
from assetbuild.compiler.engines.js.traces import mapped_script, origin_of, traced, without_maps
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Draft, Facts, Job, Result, Source
from assetbuild.compiler.refs.js import Script
from assetbuild.compiler.refs.js.tokens import HASHBANG_LINE
from assetbuild.compiler.sourcemap import Stop
from assetbuild.compiler.tokens import Tokens
from assetbuild.diagnostic import Diagnostic, Note, Span, span_at

__all__ = ["build"]


class _File(NamedTuple):
    """One of the scripts, as it was read."""

    source: Source
    text: str
    script: Script


class _Part(NamedTuple):
    """One of the scripts, ready to be joined."""

    text: str
    links: Links
    diagnostics: Sequence[Diagnostic]
    is_ended: bool
    stops: Sequence[Stop] = ()


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return one script made of the sources of `job`, in their order. options: `minify`."""
    is_minified = bool(job.options.get("minify"))
    files, refused = _read(job, reading, is_parsed=is_minified)
    if refused:
        return Result(inputs=reading.inputs(), diagnostics=tuple(refused))

    def make(tokens: Tokens) -> tuple[Tokens, list[_Part]]:
        return tokens, [_part(file, job, tokens, reading, shop, is_minified=is_minified) for file in files]

    tokens, parts = with_tokens("\0".join(file.text for file in files), make)
    strict = [file for file in files if file.script.strict_directive]
    sloppy = [file for file in files if not file.script.strict_directive and file.script.has_code]
    is_mixed = bool(strict and sloppy)
    links = [part.links for part in parts]
    diagnostics = [found for part in parts for found in (*part.links.diagnostics, *part.diagnostics)]
    if is_mixed:
        diagnostics += [_strictness_lost(file, sloppy[0]) for file in strict]
    source = files[0].source.shown if len(files) == 1 else ""
    facts = Facts("classic", is_entry=True, source=source, dynamic=dynamic_imports(links))
    # An empty statement first ends the directive prologue before it begins.
    texts = [";\n" if is_mixed else "", *(_closed(part) for part in parts)]
    text, pieces = "".join(texts), tokens.cut("".join(texts))
    starts = accumulate(map(len, texts))
    stops = [(start + at, place) for start, part in zip(starts, parts, strict=False) for at, place in part.stops]
    trace = traced(text, stops, tokens, pieces) if stops else None
    return Result(
        drafts=(Draft(job.logicals[0], MEDIA_TYPE, pieces, facts, trace=trace),),
        found=tuple({source.logical: source for one in links for source in one.found}.values()),
        inputs=reading.inputs(),
        absent=reading.absent(),
        diagnostics=tuple(diagnostics),
        tools=js_minify.versions() if is_minified else {},
    )


def _read(job: Job, reading: Reading, *, is_parsed: bool) -> tuple[list[_File], list[Diagnostic]]:
    """Return the files, and everything that keeps them from being joined.

    is_parsed: the minifier's parser will read them, and refuse what is left open: beside it the lexer is slow.
    """
    opened = [_opened(source, reading) for source in job.sources]
    files = [one for one in opened if isinstance(one, _File)]
    if is_parsed and len(files) == len(opened) and not any(map(_module_problem, files)):
        return files, []
    return files, [found for one in opened for found in (_problems(one) if isinstance(one, _File) else one)]


def _opened(source: Source, reading: Reading) -> _File | Sequence[Diagnostic]:
    try:
        text = reading.text(source.file)
    except DiagnosticsError as error:
        return error.diagnostics
    return _File(source, text, Script(text))


def _problems(file: _File) -> list[Diagnostic]:
    return _module_problem(file) or faults(file.script, file.text, file.source.shown)


def _module_problem(file: _File) -> list[Diagnostic]:
    mark = file.script.module_mark
    if mark is None:
        return []
    word = file.text[mark.start : mark.end]
    span = span_at(file.source.shown, file.text, mark.start, mark.end)
    message = f"`{word}` makes this a module, which cannot be a classic script"
    hint = f'write {{ module = "{file.source.logical}" }}'
    return [Diagnostic("module-as-classic", "error", message, span, hint)]


def _part(file: _File, job: Job, tokens: Tokens, reading: Reading, shop: Shop, *, is_minified: bool) -> _Part:
    """Return the text of one file: references resolved, comments that name a source map and the hashbang line gone."""
    source, text, script = file
    # A browser takes the specifier of `import()` relative to the joined script, and a worker what it imports.
    entry = source._replace(logical=job.logicals[0])
    named = [ref for ref in script.references if ref.kind in ("dynamic", "import-scripts")]
    links = link(named, text, (entry, source), tokens, reading=reading, shop=shop)
    edits = [*links.edits, *_removed(file)]
    if shop.project.sourcemaps != "none":
        origin = origin_of(source, text, script, reading)
        mapped = mapped_script(script, edits, source.shown, shop, is_minified=is_minified, unreadable="error")
        stops = [(after, origin.trail(before)) for after, before in mapped.pairs]
        is_ended = not script.has_code if is_minified else script.tokens.is_statement_end
        return _Part(mapped.text, links, (*origin.diagnostics, *mapped.diagnostics), is_ended, stops)
    if not is_minified:
        return _Part(edited(text, edits), links, (), script.tokens.is_statement_end)
    made, findings = js_minify.smaller(script, edits, source.shown, shop.workers(), unreadable="error")
    return _Part(made, links, findings, is_ended=not script.has_code)


def _removed(file: _File) -> Iterable[Edit]:
    hashbang = HASHBANG_LINE.match(file.text)
    if hashbang:
        yield Edit(0, hashbang.end(), "")
    yield from without_maps(file.script, file.text)


def _closed(part: _Part) -> str:
    """Return the text with its last statement and its last line ended, so that what follows begins anew."""
    line_end = "" if not part.text or part.text.endswith(("\n", "\r")) else "\n"
    return part.text + line_end + ("" if part.is_ended else ";\n")


def _strictness_lost(file: _File, sloppy: _File) -> Diagnostic:
    place = file.script.strict_directive
    span = span_at(file.source.shown, file.text, *place) if place else Span(file.source.shown)
    message = '`"use strict"` has no effect here: the script is joined with others that are not strict'
    hint = "put the code into a function that begins with it, or give the script an entry of its own"
    note = Note("not strict", Span(sloppy.source.shown))
    return Diagnostic("strict-mode-lost", "warning", message, span, hint, (note,))

"""The CSS engine: a sheet becomes pieces between references; an entry is bundled, lowered and minified on the way.

Receives a `.css` file, or the text that another engine compiled, with the way back to what it was compiled from.
Finding references, bundling, finishing and minifying have rooms of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

from assetbuild.compiler import door
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.css.bundle import Sheet, bundle
from assetbuild.compiler.engines.css.finish import Finished, Finishing
from assetbuild.compiler.engines.css.traces import origin_of
from assetbuild.compiler.engines.judge import Judge, missing_rule
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Reading
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Facts, Job, Result, Source
from assetbuild.compiler.refs.css import check_nesting, left_open, map_comments
from assetbuild.compiler.refs.css.imports import Import
from assetbuild.compiler.resolve import Found
from assetbuild.compiler.sourcemap import Trail
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["Finished", "Origin", "build", "bundle_and_finish", "finish"]

Origin = Callable[[int], tuple[Source, Span]]
"""From an offset in compiled CSS to the source that the text there was written in, and its place."""


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of a plain sheet that is published as itself, or of an entry made of one.

    Options: `bundle` (an entry: imports are inlined), `minify`, `engine` ("builtin" or "esbuild"), `targets`.
    """
    (source,), (logical,) = job.sources, job.logicals
    text = reading.text(source.file)
    if job.options.get("bundle"):
        finished = bundle_and_finish(text, source, logical, reading, shop, job.options)
    else:
        finished = _as_itself(source, text, logical, reading, shop, is_minified=bool(job.options.get("minify")))
    facts = Facts(kind="style", is_entry=bool(job.options.get("bundle")), source=source.shown)
    draft = Draft(logical, media_type(logical), finished.pieces, facts, trace=finished.trace)
    inputs, absent = reading.inputs(), reading.absent()
    return Result((draft,), finished.found, inputs, absent, finished.diagnostics, finished.tools)


def bundle_and_finish(  # noqa: PLR0917 - source, reading and shop come in the order that every engine has them
    text: str,
    source: Source,
    logical: str,
    reading: Reading,
    shop: Shop,
    options: Mapping[str, object],
    origin: Origin | None = None,
    trail: Trail | None = None,
) -> Finished:
    """Return the sheet of the entry `logical`, its imports inlined, its references resolved.

    text: CSS as written in `source`, or as compiled from it; then `origin` leads back, and `trail` for a map.
    options: as for `build`.
    References are relative to the entry where it is published, else to its source, else to the file they stand in.
    Raises `CompileFailed`, or `door.Refused` for a sheet that an import names.
    """
    entry = source._replace(logical=logical)
    judge = Judge(missing_rule(source, shop.project), reading, shop)
    imports = Judge(missing_rule(source, shop.project), reading, shop._replace(resolver=shop.resolver.taking_in()))
    imports.diagnostics = judge.diagnostics
    is_mapped = shop.project.sourcemaps != "none"

    def with_trail(sheet: Sheet) -> Sheet:
        is_known = not is_mapped or sheet.trail is not None
        return sheet if is_known else sheet._replace(trail=_trail_of(sheet.source, sheet.text, judge, reading))

    root = with_trail(Sheet(source, text, tuple(dict.fromkeys((entry, source))), origin, trail))
    if origin is None or options.get("engine") == "esbuild":
        # What Sass wrote nests no deeper than Sass could stand, and only esbuild recurses into it.
        _admitted(root, judge)

    def find(sheet: Sheet, rule: Import) -> Source | None:
        place = partial(sheet.span_at, rule.ref.start, rule.ref.end)
        outcome = imports.outcome(rule.ref.value, sheet.referrers_at(rule.ref.start), place)
        if not isinstance(outcome, Found):
            return None
        if not outcome.source.file.lower().endswith(".css"):
            message = f"`{rule.ref.value}` is compiled from `{outcome.source.shown}` and cannot be inlined"
            hint = "import the source from the stylesheet's own language, or give it a `<link>` of its own"
            judge.diagnostics.append(Diagnostic("uninlinable-import", "error", message, sheet.span_at(*rule[:2]), hint))
            return None
        return outcome.source

    def load(found: Source) -> Sheet:
        return with_trail(_admitted(Sheet(found, reading.text(found.file), (found,)), judge))

    made = bundle(root, find, load)

    def referrers_at(offset: int) -> Sequence[Source]:
        sheet, there = made.sheet_at(offset)
        return sheet.referrers_at(there)

    def place(start: int, end: int) -> Span:
        sheet, there = made.sheet_at(start)
        return sheet.span_at(there, there + end - start)

    finishing = Finishing(made.text, referrers_at, place, judge, trail=made.trail if is_mapped else None)
    if options.get("engine") == "esbuild":
        finishing.lower(source, options, shop)
    elif options.get("minify"):
        finishing.minify()
    finished = finishing.finished()
    return finished._replace(diagnostics=tuple(dict.fromkeys((*made.diagnostics, *finished.diagnostics))))


def finish(
    text: str,
    referrers_at: Callable[[int], Sequence[Source]],
    span_at: Callable[[int, int], Span],
    *,
    is_minified: bool,
    missing: Literal["error", "warn"],
    reading: Reading,
    shop: Shop,
    lower: Callable[[str], str] | None = None,
    trail: Trail | None = None,
) -> Finished:
    """Return the pieces of a sheet, its references resolved.

    referrers_at: whose folders a reference at an offset may be relative to; the last is the file it stands in.
    span_at: the place of `text[start:end]` in what people wrote. lower: takes the place of rcssmin.
    trail: where the text was written, if a map is to be made; then `lower` takes out white space and comments only.
    """
    finishing = Finishing(text, referrers_at, span_at, Judge(missing, reading, shop), trail=trail)
    if lower is not None:
        finishing.shrink(lower)
    elif is_minified:
        finishing.minify()
    return finishing.finished()


def _as_itself(source: Source, text: str, logical: str, reading: Reading, shop: Shop, *, is_minified: bool) -> Finished:
    """Return a sheet that is published as itself: it gets a map if it is changed and had one, or is minified."""
    judge = Judge(missing_rule(source, shop.project), reading, shop)
    sheet = _admitted(Sheet(source, text, (source._replace(logical=logical),)), judge)
    trail = None
    if shop.project.sourcemaps != "none" and (is_minified or map_comments(text)):
        trail = _trail_of(source, text, judge, reading)
    finishing = Finishing(text, sheet.referrers_at, sheet.span_at, judge, keeps_map=not is_minified, trail=trail)
    if is_minified:
        finishing.minify()
    return finishing.finished()


def _trail_of(source: Source, text: str, judge: Judge, reading: Reading) -> Trail:
    written = origin_of(source, text, reading)
    judge.diagnostics += written.diagnostics
    return written.trail


def _admitted(sheet: Sheet, judge: Judge) -> Sheet:
    """Return `sheet`; raise `CompileFailed` if it is nested deeper than engines can stand."""
    offset = check_nesting(sheet.text)
    if offset is not None:
        raise CompileFailed([door.too_deep(sheet.span_at(offset, offset + 1))])
    if sheet.source.is_first_party and (left := left_open(sheet.text)) is not None:
        hint = "all that follows belongs to it"
        place = sheet.span_at(left, left + 1)
        judge.diagnostics.append(Diagnostic("unclosed", "warning", "`{` is never closed", place, hint))
    return sheet

"""webassets filters by name: each source through the input filters, all joined, the whole through the output filters.

Receives a job whose `filters` are names with options; a webassets bundle may hold others, merged inside out. The
filters run in worker processes; `libsass` there means our guarded engine, `rjsmin` and `jsmin` are believed only after
a check. Where the text is CSS and no filter changes paths any more, its references become tokens, and what is left of
the chain, `rcssmin` above all, runs on those.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Literal, NamedTuple, cast, get_args

from assetbuild.compiler import door
from assetbuild.compiler.engines import css, libsass
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.css.minify import minified
from assetbuild.compiler.engines.css.minify import versions as minifier_versions
from assetbuild.compiler.engines.css.traces import aligned as css_pairs
from assetbuild.compiler.engines.css.traces import origin_of as sheet_origin
from assetbuild.compiler.engines.filters_text import Place, Text, by_reference, line_by_line, one_after_another, through
from assetbuild.compiler.engines.incoming import incoming
from assetbuild.compiler.engines.js import minify as js_minify
from assetbuild.compiler.engines.js.link import edited
from assetbuild.compiler.engines.js.traces import Offsets, without_maps
from assetbuild.compiler.engines.js.traces import origin_of as script_origin
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Reading
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Facts, Job, Piece, Result, Source
from assetbuild.compiler.refs.css import check_nesting, survey
from assetbuild.compiler.refs.css.shape import shape
from assetbuild.compiler.refs.css.tokens import tokens
from assetbuild.compiler.refs.js import Script
from assetbuild.compiler.sourcemap import SCRIPT_LINES, SHEET_LINES, Lines, Trail, drawn
from assetbuild.compiler.tokens import trace
from assetbuild.diagnostic import Diagnostic, Span, nearest, span_at
from assetbuild.private import private_folder

__all__ = ["build"]

_WORKER = "assetbuild.compiler.engines.filters_worker"

# Output filters that only shrink a sheet: references are tokens before the first of them.
_CSS_MINIFIERS = frozenset({"cleancss", "cssmin", "cssutils", "rcssmin", "slimmer_css", "yui_css"})
_OWN = frozenset({"jsmin", "libsass", "rcssmin", "rjsmin"})
"""Filters that we run ourselves or check, instead of handing the text to webassets and believing the result."""

_TOKEN_KEEPERS = frozenset({"jsmin", "rcssmin", "rjsmin"})
"""Output filters whose result is held to the tokens of the text."""

# Input filters that change words within a line.
_LINE_KEEPERS = frozenset({"cssrewrite"})
_ALONE = _LINE_KEEPERS | {"libsass"}

# Any other filter may read files or start programs that nobody tells us of.
_REPEATABLE = _OWN | _LINE_KEEPERS

# What is no part of a longer token; the empty string is an end of the text.
_CLOSED = frozenset({"", *"{};,"})

# What webassets' own filter, or the binding under it, takes where nothing is said.
_LIBSASS_STYLE: libsass.Style = "nested"
_LIBSASS_PRECISION = 5


class _Filter(NamedTuple):
    name: str
    options: Mapping[str, Any]
    stages: frozenset[str]


class _Group(NamedTuple):
    """Filters, and what they run over: indices of the job's sources, and groups that are merged first.

    inherited: filters of the groups around it, which run here over each source and not over the whole (webassets 3.0,
    `Bundle._merge_and_apply`). config: what filters ask their environment for.
    """

    filters: Sequence[tuple[str, Mapping[str, Any]]]
    inherited: Sequence[tuple[str, Mapping[str, Any]]]
    config: Mapping[str, Any]
    contents: Sequence[int | _Group]


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one entry of `job`."""
    (logical,) = job.logicals
    for file in cast("Sequence[str]", job.options.get("depends", ())):
        reading.read(os.path.join(shop.project.folder, file))
    with private_folder() as folder:
        chain = _Chain(job, reading, shop, folder, _group(job.options, len(job.sources)))
        whole = chain.merged()
        if logical.endswith(".css"):
            finished = _sheet(whole, chain, job, reading, shop)
        else:
            finished = _script(chain.after(whole, chain.outputs))
    (source, *others) = job.sources
    kind: Literal["style", "classic"] = "style" if logical.endswith(".css") else "classic"
    facts = Facts(kind=kind, is_entry=True, source="" if others else source.shown)
    draft = Draft(logical, media_type(logical), finished.pieces, facts, trace=finished.trace)
    findings = [*chain.warnings, *finished.diagnostics]
    if shop.project.sourcemaps != "none" and finished.pieces and finished.trace is None:
        message = f"`{logical}` has no source map: its filters give none"
        findings.append(Diagnostic("no-source-map", "note", message, Span(job.sources[0].shown)))
    return Result(
        (draft,),
        finished.found,
        reading.inputs(),
        reading.absent(),
        tuple(findings),
        chain.versions,
        is_repeatable=chain.is_repeatable,
    )


def _script(made: Text) -> css.Finished:
    """Return the pieces of a script, without the comments that name the maps of what it was made of."""
    script = Script(made.text)
    edits = [*without_maps(script, made.text)]
    text, offsets = edited(made.text, edits), Offsets(edits)
    pieces: tuple[Piece, ...] = (text.encode(),) if text else ()
    if made.trail is None or not pieces:
        return css.Finished(pieces, (), ())
    starts = (script.tokens.starts[index] for index in script.tokens.significant())
    source_map = drawn(Lines(text, SCRIPT_LINES), [(offsets.after(start), made.trail(start)) for start in starts])
    return css.Finished(pieces, (), (), trace=trace(pieces, source_map, 0))


def _sheet(whole: Text, chain: _Chain, job: Job, reading: Reading, shop: Shop) -> css.Finished:
    """Return the sheet with its references resolved."""
    before, after = _at_first_minifier(chain.outputs)
    part = chain.after(whole, before)
    entry = _entry(job, shop)
    offset = check_nesting(part.text)
    if offset is not None:
        raise CompileFailed([door.too_deep(part.place(offset, offset + 1)[1])])

    def referrers_at(offset: int) -> Sequence[Source]:
        # `cssrewrite` has made paths relative to the entry already; webassets without it takes them to be.
        return tuple(dict.fromkeys((entry, *part.place(offset, offset + 1)[0])))

    return css.finish(
        part.text,
        referrers_at,
        lambda start, end: part.place(start, end)[1],
        is_minified=False,
        missing="error" if any(source.is_first_party for source in job.sources) else "warn",
        reading=reading,
        shop=shop,
        lower=(lambda text: chain.output(text, after)) if after else None,
        trail=part.trail if _keep_tokens(after) else None,
    )


def _group(options: Mapping[str, Any], count: int) -> _Group:
    """Return the group that the options of a job describe; all its sources where they name no `contents`."""
    contents = options.get("contents", range(count))
    inner = [one if isinstance(one, int) else _group(one, count) for one in contents]
    return _Group(options["filters"], options.get("inherited", ()), options.get("config", {}), inner)


def _at_first_minifier(outputs: Sequence[_Filter]) -> tuple[Sequence[_Filter], Sequence[_Filter]]:
    at = next((number for number, one in enumerate(outputs) if one.name in _CSS_MINIFIERS), len(outputs))
    return outputs[:at], outputs[at:]


def _keep_tokens(filters: Sequence[_Filter]) -> bool:
    """Return whether the filters take out white space and comments only, so that each token can be followed."""
    return all(one.name in _TOKEN_KEEPERS for one in filters)


def _entry(job: Job, shop: Shop) -> Source:
    """Return the entry as a referrer: where its bundle would be written, else in the root of its first source."""
    (logical,) = job.logicals
    if target := job.options.get("target"):
        return Source(logical, os.path.join(shop.project.folder, str(target)), logical)
    folders = (root.folder for root in shop.project.roots)
    within = (folder for folder in folders if job.sources[0].file.startswith(os.path.join(folder, "")))
    return Source(logical, os.path.join(next(within, shop.project.folder), logical), logical)


def _first(item: int | _Group) -> int:
    """Return the index of the first source of a group."""
    return item if isinstance(item, int) else _first(item.contents[0])


def _without_comments(text: str) -> str:
    """Return the minified sheet `text` without its comments, but for those that keep two tokens apart."""
    if "/*" not in text:
        return text
    parts, at = [], 0
    for token in tokens(text):
        if token.kind == "comment":
            is_loose = text[token.start - 1 : token.start] in _CLOSED or text[token.end : token.end + 1] in _CLOSED
            parts += [text[at : token.start], "" if is_loose else "/**/"]
            at = token.end
    return "".join(parts) + text[at:]


class _Chain:
    """The filters of one group, and how each stage is run."""

    def __init__(self, job: Job, reading: Reading, shop: Shop, folder: str, group: _Group) -> None:
        self._job = job
        self._reading = reading
        self._shop = shop
        self._folder = folder
        self._group = group
        self.warnings: list[Diagnostic] = []
        self.versions: dict[str, str] = {}
        self.is_repeatable = all(name in _REPEATABLE for name, _ in (*group.filters, *group.inherited))
        own = list(self._described(group.filters))
        self._filters = [*own, *self._described(group.inherited)]
        self.outputs = [one for one in own if "output" in one.stages]
        self._is_mapped = shop.project.sourcemaps != "none"

    def merged(self) -> Text:
        """Return everything in the group as one, before the output filters."""
        parts, sources = [], []
        for item in self._group.contents:
            source = self._job.sources[_first(item)]
            parts.append(self.part(source) if isinstance(item, int) else self._inner(item))
            sources.append(source)
        return self.whole(parts, sources)

    def _inner(self, group: _Group) -> Text:
        """Return a group within this one, after its own output filters."""
        chain = _Chain(self._job, self._reading, self._shop, self._folder, group)
        whole = chain.merged()
        part = chain.after(whole, chain.outputs)
        self.warnings += chain.warnings
        self.versions |= chain.versions
        self.is_repeatable &= chain.is_repeatable
        return part

    def part(self, source: Source) -> Text:
        """Return the text of `source` after what opens it and the input filters."""
        text = self._reading.text(source.file)
        place = partial(span_at, source.shown, text)
        part = Text(text, lambda start, end: ((source,), place(start, end)), self._trail_of(source, text))
        opening = self._only("open", source)
        inputs = [one for one in self._filters if "input" in one.stages]
        for stage, filters in (("open", opening), ("input", inputs)):
            for name, group in groupby(filters, key=lambda one: one.name if one.name in _ALONE else ""):
                if name == "libsass":
                    part = self._compiled(next(group), source)
                    continue
                given = {"source": source.logical, "source_path": source.file, "stage": stage, "text": part.text}
                made = self._call("transform", list(group), source.shown, given)["text"]
                part = line_by_line(part, made) if name in _LINE_KEEPERS else self.changed(part, made, (source,))
        return part

    def whole(self, parts: Sequence[Text], sources: Sequence[Source]) -> Text:
        """Return the parts joined, by a line feed unless a filter joins them its own way. sources: one per part."""
        joining = self._only("concat", sources[0])
        if joining:
            request = {"texts": [part.text for part in parts], "sources": [[s.logical, s.file] for s in sources]}
            text = self._call("join", joining, self._job.logicals[0], request)["text"]
            return Text(text, lambda *_: (tuple(sources), Span(self._job.logicals[0])))
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + len(part.text) + 1)

        def place(start: int, end: int) -> Place:
            number = bisect_right(starts, start) - 1
            return parts[number].place(start - starts[number], end - starts[number])

        return Text("\n".join(part.text for part in parts), place, one_after_another(parts, starts))

    def after(self, part: Text, filters: Sequence[_Filter]) -> Text:
        """Return `part` after output filters."""
        made = self.changed(part, self.output(part.text, filters))
        if part.trail is None or made.trail is not None or not _keep_tokens(filters):
            return made
        pairs = css_pairs if self._job.logicals[0].endswith(".css") else js_minify.pairs
        return made._replace(trail=through(part.trail, pairs(part.text, made.text)))

    def _trail_of(self, source: Source, text: str) -> Trail | None:
        """Return where the text of a source was written, if a map is to be made."""
        if not self._is_mapped:
            return None
        if source.file.lower().endswith(".css"):
            origin = sheet_origin(source, text, self._reading)
        elif source.file.lower().endswith((".js", ".mjs")):
            origin = script_origin(source, text, Script(text), self._reading)
        else:
            origin = incoming(source, Lines(text, SHEET_LINES), (), self._reading)
        self.warnings += origin.diagnostics
        return origin.trail

    def output(self, text: str, filters: Sequence[_Filter]) -> str:
        """Return `text` after output filters, in order."""
        shown = self._job.logicals[0]
        for name, group in groupby(filters, key=lambda one: one.name if one.name in _OWN else ""):
            if not name:
                text = self._call("transform", list(group), shown, {"stage": "output", "text": text})["text"]
                continue
            for one in group:
                if name == "libsass":
                    text = self._compiled(one, self._job.sources[0], text).text
                elif name == "rcssmin":
                    text = self._without_blanks(one, text)
                else:
                    run = partial(self._minified, one)
                    text = js_minify.rjsmin_checked(text, shown, run, self._shop.workers())
        return text

    def changed(self, part: Text, text: str, sources: tuple[Source, ...] = ()) -> Text:
        """Return `part` with the text that a filter made of it; places are lost if it changes what is referred to."""
        if text == part.text:
            return part
        known = sources or self._job.sources
        shown = known[0].shown if len(known) == 1 else self._job.logicals[0]
        lost = Text(text, lambda *_: (known, Span(shown)))
        return by_reference(part, lost) if self._job.logicals[0].endswith(".css") else lost

    def _described(self, given: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[_Filter]:
        if not given:
            return  # joined as they are: webassets need not be installed
        if all(name == "rcssmin" and not options for name, options in given):
            # Ours from end to end: webassets, which is slow to import, has no say in it.
            self.versions |= minifier_versions()
            yield from (_Filter(name, options, frozenset({"output"})) for name, options in given)
            return
        made = self._call("describe", [_Filter(*one, frozenset()) for one in given], self._job.place)
        self.versions.update(made["versions"])
        for (name, options), stages in zip(given, made["stages"], strict=True):
            # libsass hands the text on as it is in the stage that it does not compile in.
            is_late = bool(options.get("as_output"))
            only = {"output" if is_late else "input"} if name == "libsass" else set(stages)
            yield _Filter(name, options, frozenset(only))

    def _only(self, stage: str, source: Source) -> list[_Filter]:
        """Return the one filter of a stage that allows no more, or none."""
        filters = [one for one in self._filters if stage in one.stages]
        if len(filters) > 1:
            names = " and ".join(f"`{one.name}`" for one in filters)
            what = "reads the source itself" if stage == "open" else "joins the sources"
            message = f"filters {names} cannot be combined: each {what}"
            raise CompileFailed([Diagnostic("filters-exclusive", "error", message, Span(source.shown))])
        return filters

    def _without_blanks(self, one: _Filter, text: str) -> str:
        """Return the sheet `text` after rcssmin, held to its meaning as the CSS room holds it."""
        sheet = survey(text)
        closing = shape(text).closing if sheet.is_open else ""
        made = minified(text + closing, sheet.customs) if sheet.bad is None else None
        if made is None:
            message = "`rcssmin` would change what the sheet means: it is not minified"
            self.warnings.append(Diagnostic("not-minified", "warning", message, Span(self._job.logicals[0])))
            return text
        return made if one.options.get("keep_bang_comments") else _without_comments(made)

    def _minified(self, one: _Filter, text: str) -> str:
        made = self._call("transform", [one], self._job.logicals[0], {"stage": "output", "text": text})
        return str(made["text"])

    def _compiled(self, one: _Filter, source: Source, text: str | None = None) -> Text:
        """Return what our guarded libsass makes of `source`, or of `text` in its place."""
        options, project = one.options, self._shop.project
        style = options.get("style") or _LIBSASS_STYLE
        if style not in get_args(libsass.Style):
            meant = nearest(str(style), get_args(libsass.Style))
            hint = f"did you mean `{meant}`?" if meant else f"it has {', '.join(get_args(libsass.Style))}"
            message = f"filter `libsass` has no style `{style}`"
            raise CompileFailed([Diagnostic("unknown-option", "error", message, Span(self._job.place), hint)])
        includes = tuple(os.path.join(project.folder, folder) for folder in options.get("includes") or ())
        sass = project.sass._replace(load_paths=(*includes, *project.sass.load_paths))
        shop = self._shop._replace(project=project._replace(sass=sass))
        made = libsass.compile(
            source,
            self._reading,
            shop,
            style=style,
            precision=_LIBSASS_PRECISION,
            text=text,
        )
        self.warnings.extend(made.diagnostics)
        self.versions["libsass"] = made.version

        def place(start: int, _: int) -> Place:
            written, span = made.origin(start)
            return (source, written), span

        return Text(made.css, place, made.origin.place if text is None and self._is_mapped else None)

    def _call(
        self, function: str, filters: Sequence[_Filter], shown: str, request: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        surroundings = {
            "filters": [[one.name, dict(one.options)] for one in filters],
            "project": self._shop.project.folder,
            "folder": self._folder,
            "output": self._job.logicals[0],
            "shown": shown,
            "config": self._group.config,
        }
        names = ", ".join(one.name for one in filters)
        return self._shop.workers().call(
            f"{_WORKER}:{function}", {**surroundings, **(request or {})}, subject=shown, engine=names
        )

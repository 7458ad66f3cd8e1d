"""Plan: what has to be made. Entries are expanded and their sources found; every published file gets a job.

Receives the project and the survey; hands on jobs and the inventory that references are resolved against. Reads no
more than the few scripts whose kind must be seen.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assetbuild.compiler.bundles import Bundles
from assetbuild.compiler.bundles.entries import Planned, planned
from assetbuild.compiler.config import place_of
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.globs import is_glob, matches, matches_any
from assetbuild.compiler.media import extension_of
from assetbuild.compiler.model import Draft, Job, Source, Stable
from assetbuild.compiler.overlooked import overlooked
from assetbuild.compiler.packages import split_specifier, to_install
from assetbuild.compiler.project import Entry, Project
from assetbuild.compiler.resolve import Inventory
from assetbuild.compiler.survey import SOURCE_LANGUAGES, Survey, name_problems
from assetbuild.diagnostic import Diagnostic, nearest

__all__ = ["Plan", "confines", "job_of", "plan", "with_stable_name"]

_NAME = "{name}"
_NONE = Bundles()

# What publishes a file as itself, by its extension; all others are copied.
_ENGINES = {
    ".css": "css",
    ".htm": "markup",
    ".html": "markup",
    ".js": "script",
    ".mjs": "script",
    ".svg": "markup",
    ".webmanifest": "webmanifest",
    ".xhtml": "markup",
}


_OPTIONAL = frozenset(("css", "script"))
_OPTIONS: dict[bool, Mapping[str, object]] = {
    is_minified: {"bundle": False, "minify": is_minified, "engine": "builtin", "targets": []}
    for is_minified in (False, True)
}
_NO_OPTIONS: Mapping[str, object] = {}


class Plan(NamedTuple):
    """Everything to do. diagnostics: what is wrong with entries; it is shown with what is wrong with the assets.

    bundles: what the manifest says of each webassets bundle.
    """

    jobs: tuple[Job, ...]
    inventory: Inventory
    diagnostics: tuple[Diagnostic, ...]
    bundles: Mapping[str, Mapping[str, object]] = {}


class _Entry(NamedTuple):
    """An entry whose pattern is filled in and whose sources are found. options: what a bundle adds to its engine's."""

    entry: Entry
    sources: tuple[Source, ...]
    options: Mapping[str, object] = {}


def confines(project: Project, bundles: Bundles = _NONE) -> tuple[str, ...]:
    """Return the real folders outside which no source is read: roots, load paths, packages, entries' own folders."""
    folders = [root.folder for root in project.roots]
    inside = os.path.join(os.path.realpath(project.folder), "")
    for folder in bundles.folders():
        named = os.path.join(project.folder, folder)
        # A YAML file is configuration, none of whose folders lead out of the project.
        if bundles.is_code or os.path.join(os.path.realpath(named), "").startswith(inside):
            folders.append(named)
    folders += project.sass.load_paths
    folders.append(os.path.join(project.folder, "node_modules"))
    for target in project.urls.aliases.values():
        folders.append(os.path.join(project.folder, target))
    for entry in project.entries:
        for source in entry.sources:
            file = os.path.join(project.folder, source)
            if not is_glob(source) and os.path.isfile(file):
                folders.append(os.path.dirname(file))
    return tuple(dict.fromkeys(os.path.realpath(folder) for folder in folders))


def plan(project: Project, survey: Survey, library: Library, bundles: Bundles = _NONE) -> Plan:
    """Return the jobs of a compile, in the order of their logical paths."""
    bundled = planned(bundles, project, survey)
    survey = _without_old(survey, bundled)
    finder = _Finder(project, survey, library)
    entries = [found for entry in project.entries for found in finder.expand(entry)]
    entries += _bundle_entries(bundled)
    entries += _automatic(project, survey, entries)
    problems = [*bundled.diagnostics, *finder.problems, *_two_sources(entries, survey)]
    plain = {logical: survey.sources[logical] for logical in survey.published - {e.entry.logical for e in entries}}
    named = {e.entry.logical: e.sources[0] for e in entries if e.sources}
    shown = {logical: source.shown for logical, source in named.items()}
    # Names of the published files were judged by the survey; here an entry's name joins them.
    if shown:
        every = shown | {logical: source.shown for logical, source in plain.items()}
        problems += [found for found in name_problems(every) if found not in survey.diagnostics]
    inventory = Inventory(
        by_logical=plain | {logical: source._replace(logical=logical) for logical, source in named.items()},
        by_file={source.file: source for source in plain.values()},
        withheld=survey.withheld,
        excluded={name: survey.sources[name] for name in survey.withheld if _could_be_published(name, bundled)},
    )
    jobs = [job_of(source) for source in plain.values()] + _entry_jobs(project, entries)
    has_modules = any(found.entry.kind == "module" for found in entries)
    problems += overlooked(project, survey, has_modules=has_modules, is_empty=not jobs and not problems)
    return Plan(tuple(sorted(jobs, key=lambda job: job.logicals)), inventory, tuple(problems), bundled.named)


def _could_be_published(logical: str, bundled: Planned) -> bool:
    return logical not in bundled.old and not logical.lower().endswith(SOURCE_LANGUAGES)


def job_of(source: Source) -> Job:
    """Return the job that publishes a file as itself, its references rewritten."""
    engine = _ENGINES.get(extension_of(source.logical), "copy")
    options = _OPTIONS[source.is_minified] if engine in _OPTIONAL else _NO_OPTIONS
    return Job(engine, (source.logical,), (source,), options)


def with_stable_name(draft: Draft, project: Project) -> Draft:
    """Return `draft` with the name of its own that `keep_names` or `site_root` give it."""
    if matches_any(project.site_root, draft.logical):
        return draft._replace(stable=Stable(at="/" + draft.logical))
    if matches_any(project.keep_names, draft.logical):
        return draft._replace(stable=Stable())
    return draft


def _bundle_entries(bundled: Planned) -> list[_Entry]:
    return [
        _Entry(Entry(one.logical, "filters", (), place=one.place), one.sources, one.options) for one in bundled.entries
    ]


def _without_old(survey: Survey, bundled: Planned) -> Survey:
    """Return the survey without what earlier builds of webassets left in the roots."""
    withheld = {**survey.withheld, **bundled.old}
    return survey._replace(published=survey.published - bundled.old.keys(), withheld=withheld)


class _Finder:
    """Finds the sources of entries; collects what goes wrong instead of stopping at the first."""

    def __init__(self, project: Project, survey: Survey, library: Library) -> None:
        self.project = project
        self.survey = survey
        self.reading = Reading(library)
        self.problems: list[Diagnostic] = []

    def expand(self, entry: Entry) -> Iterable[_Entry]:
        """Yield the entries that `entry` stands for, their sources found."""
        if _NAME in entry.logical:
            yield from self._pattern(entry)
            return
        sources: dict[str, Source] = {}
        for number, written in enumerate(entry.sources):
            is_list = entry.kind in ("classic", "filters")
            place = (
                f"{entry.place}.{'classic' if entry.kind == 'classic' else 'sources'}[{number}]"
                if is_list
                else entry.place
            )
            for source in self._sources(written, place, may_glob=is_list):
                sources.setdefault(source.file, source)
        if sources:
            found = tuple(sources.values())
            yield _Entry(self._decided(entry, found[0]), found)

    def _pattern(self, entry: Entry) -> Iterable[_Entry]:
        head, _, tail = entry.sources[0].partition(_NAME)
        shape = re.compile(re.escape(head) + r"([^/]+)" + re.escape(tail))
        hits = [(match[1], logical) for logical in sorted(self.survey.sources) if (match := shape.fullmatch(logical))]
        hits = [(name, logical) for name, logical in hits if not name.startswith("_")]
        if not hits:
            self._fault("empty-glob", f"`{entry.sources[0]}` matches no file", entry.place)
        for name, logical in hits:
            source = self.survey.sources[logical]
            filled = entry._replace(logical=entry.logical.replace(_NAME, name), sources=(logical,))
            yield _Entry(self._decided(filled, source), (source,))

    def _sources(self, written: str, place: str, *, may_glob: bool) -> Iterable[Source]:
        if not (may_glob and is_glob(written)):
            source = self._one(written, place)
            return (source,) if source else ()
        hits = [self.survey.sources[name] for name in sorted(self.survey.sources) if matches(written, name)]
        if not hits:
            self._fault("empty-glob", f"`{written}` matches no file", place)
        return hits

    def _one(self, written: str, place: str) -> Source | None:
        """Return the source: in the roots, else relative to the project, else a path in an npm package."""
        folder = self.project.folder
        hits: dict[str, Source] = {}
        in_roots = self.survey.sources.get(written)
        if in_roots:
            hits[os.path.realpath(in_roots.file)] = in_roots
        for file, is_own in (
            (os.path.join(folder, written), True),
            (os.path.join(folder, "node_modules", written), False),
        ):
            normal = os.path.normpath(file)
            if self.reading.exists(normal):
                hits.setdefault(os.path.realpath(normal), self._source_at(normal, written, is_own))
        if len(hits) > 1:
            first, second = (source.shown for source in list(hits.values())[:2])
            self._fault(
                "ambiguous-source", f"`{written}` is both `{first}` and `{second}`", place, "write the longer path"
            )
        if not hits:
            near = nearest(written, self.survey.sources)
            self._fault(
                "missing-source",
                f"`{written}` is in no root, not in the project and in no npm package",
                place,
                f"did you mean `{near}`?" if near else self._to_install(written),
            )
        return next(iter(hits.values()), None)

    def _to_install(self, written: str) -> str:
        """Return what to install for a path that begins with no folder there is, "" if no package can be meant."""
        name, subpath = split_specifier(written)
        folder = self.project.folder
        places = [folder, *(root.folder for root in self.project.roots), os.path.join(folder, "node_modules")]
        if not subpath or any(self.reading.library.disk.is_folder(os.path.join(place, name)) for place in places):
            return ""
        return to_install(name, folder, self.reading.library.disk)

    def _source_at(self, file: str, written: str, is_own: bool) -> Source:
        known = next((source for source in self.survey.sources.values() if source.file == file), None)
        return known or Source(posixpath.normpath(written), file, self.reading.shown(file), is_first_party=is_own)

    def _decided(self, entry: Entry, source: Source) -> Entry:
        """Return `entry` with its kind settled: a bare `.js` string must show that it is a module."""
        if entry.kind != "script":
            return entry
        from assetbuild.compiler.refs.js import module_syntax

        try:
            if not module_syntax(self.reading.text(source.file)):
                message = f"`{source.shown}` shows neither `import` nor `export`: is it a module or a classic script?"
                hint = f'write {{ module = "{entry.sources[0]}" }} or {{ classic = ["{entry.sources[0]}"] }}'
                self._fault("unclear-script", message, entry.place, hint)
        except DiagnosticsError as error:
            self.problems += error.diagnostics
        return entry._replace(kind="module")

    def _fault(self, rule: str, message: str, place: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(rule, "error", message, place_of(self.project, place), hint))


def _automatic(project: Project, survey: Survey, entries: Iterable[_Entry]) -> list[_Entry]:
    """Return an entry for each Sass stylesheet that is no partial and that no entry names: the `.css` beside it."""
    if not project.sass.auto:
        return []
    used = {source.file for found in entries for source in found.sources}
    made = []
    for logical, source in sorted(survey.sources.items()):
        if not logical.endswith((".scss", ".sass")):
            continue
        stem, _ = posixpath.splitext(logical)
        is_own = source.is_first_party and survey.withheld.get(logical, "").startswith("is compiled")
        is_partial = posixpath.basename(stem).startswith("_")
        if is_own and not is_partial and source.file not in used:
            made.append(_Entry(Entry(stem + ".css", "style", (logical,), place="sass.auto"), (source,)))
    return made


def _two_sources(entries: Iterable[_Entry], survey: Survey) -> list[Diagnostic]:
    """Return an error for each logical path that two entries make, or an entry and a file that is not its source."""
    makers: dict[str, list[str]] = {}
    for found in entries:
        if found.sources:
            makers.setdefault(found.entry.logical, []).append(found.sources[0].shown)
            other = survey.sources.get(found.entry.logical)
            if found.entry.logical in survey.published and other and other not in found.sources:
                makers[found.entry.logical].append(other.shown)
    return [
        Diagnostic(
            "two-sources",
            "error",
            f"two sources make `{logical}`: {' and '.join(f'`{s}`' for s in shown)}",
            hint="exclude one of them, or give the entry another name",
        )
        for logical, shown in sorted(makers.items())
        if len(shown) > 1
    ]


def _entry_jobs(project: Project, entries: Iterable[_Entry]) -> list[Job]:
    jobs = []
    modules: dict[bool, list[_Entry]] = {}
    for found in entries:
        entry = found.entry
        if entry.kind == "module":
            modules.setdefault(project.js.minify if entry.minify is None else entry.minify, []).append(found)
        else:
            engine, options = _options(project, entry)
            jobs.append(Job(engine, (entry.logical,), found.sources, {**options, **found.options}, entry.place))
    for is_minified, group in sorted(modules.items()):
        # One job for all graphs: chunks are shared, and minified CSS-module names cannot clash.
        group.sort(key=lambda found: found.entry.logical)
        options = {**project.js._asdict(), "minify": is_minified}
        logicals = tuple(found.entry.logical for found in group)
        jobs.append(Job("modules", logicals, tuple(found.sources[0] for found in group), options, "entries"))
    return jobs


def _options(project: Project, entry: Entry) -> tuple[str, Mapping[str, object]]:
    """Return the engine room of an entry that is no module, and everything that decides its bytes."""
    if entry.kind == "classic":
        return "classic", {"minify": project.js.minify if entry.minify is None else entry.minify}
    is_sass_engine = entry.engine in ("dart-sass", "libsass")
    options: dict[str, object] = {
        "bundle": True,
        "minify": project.css.minify if entry.minify is None else entry.minify,
        "engine": entry.engine if entry.engine and not is_sass_engine else project.css.engine,
        "targets": list(project.css.targets),
        "sass": entry.engine if is_sass_engine else project.sass.engine,
    }
    if entry.kind == "filters":
        return "filters", {**options, "filters": [[name, dict(given)] for name, given in entry.filters]}
    return "style", options

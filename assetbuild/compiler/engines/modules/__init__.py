"""Module graphs: all entries of a project that are modules go through esbuild in one build, and come out as drafts.

Receives one job with every entry; hands on entries, their chunks and their stylesheets. esbuild decides the graph, its
splitting and its text; names and references are ours. Writes nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild import Built, Esbuild, EsbuildFault
from assetbuild.compiler.engines.esbuild.messages import Message, diagnostic
from assetbuild.compiler.engines.esbuild.packets import Value
from assetbuild.compiler.engines.modules.above import Above
from assetbuild.compiler.engines.modules.chunks import Layout, drafts, layout, used_in
from assetbuild.compiler.engines.modules.confined import confined
from assetbuild.compiler.engines.modules.inputs import record
from assetbuild.compiler.engines.modules.irregular import awaited, unreadable
from assetbuild.compiler.engines.modules.marks import BrokenMark, Marks
from assetbuild.compiler.engines.modules.places import loader_of
from assetbuild.compiler.engines.modules.sources import HERE, HERE_NAME, ModuleSources
from assetbuild.compiler.engines.modules.traces import Tracer
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Draft, Job, Ref, Result, Source
from assetbuild.compiler.project import Js
from assetbuild.diagnostic import Diagnostic, Severity, Span
from assetbuild.surroundings import surroundings

__all__ = ["build"]

# Never written, only the folder that esbuild's names are relative to.
_FOLDER = ".assetbuild"
# A `require` that esbuild could not follow: in a browser it throws when it is reached.
_LEFT_REQUIRES = ("unsupported-require-call",)
_BLAME_S = 20.0


class _Graph(NamedTuple):
    """A build and what is needed to read it. entries: logical path → source, with the workers that were found."""

    built: Built
    entries: Mapping[str, Source]
    sources: ModuleSources
    marks: Marks
    public: str
    above: Above


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the drafts of every entry of the job, their chunks and stylesheets.

    job.sources: one per logical path. job.options: the fields of `project.Js`, `minify` as the entries have it.
    """
    options = Js()._asdict() | dict(job.options)
    folder = shop.project.folder
    around, began_ns = surroundings(folder), time.time_ns()
    graph = _graph(dict(zip(job.logicals, job.sources, strict=True)), options, reading, shop)
    entries = [source.file for source in graph.entries.values()]
    known = record(graph.built, reading, entries, graph.sources.spellings, began_ns)
    found = [
        *_diagnostics(graph, reading),
        *_left_for_the_browser(graph, options),
        *graph.sources.contexts(),
        *graph.above.packages(graph.sources.texts),
    ]
    made: list[Draft] = []
    if not any(finding.severity == "error" for finding in found):
        # A project may have a second build, of the entries that differ in this setting.
        suffix = "" if options["minify"] == shop.project.js.minify else "-minified" if options["minify"] else "-plain"
        names = layout(graph.built, _FOLDER, _outputs_of(graph.entries), graph.entries.keys() - job.logicals, suffix)
        found += _clashes(names, job, reading, shop)
        is_classic = options["format"] == "iife"
        try:
            tracer = Tracer(graph.sources, reading, graph.marks.units) if _is_mapped(shop) else None
            made = drafts(graph.built, names, _FOLDER, graph.public, graph.marks, tracer, is_classic=is_classic)
            found += tracer.diagnostics if tracer else ()
        except BrokenMark as error:
            message = f"esbuild tore the reference `{error}` apart"
            found.append(Diagnostic("broken-reference", "error", message, Span(job.sources[0].shown)))
    return Result(
        tuple(made),
        tuple(graph.sources.found[logical] for logical in sorted(graph.sources.found)),
        reading.inputs(),
        reading.absent(),
        tuple(found),
        {"esbuild": shop.esbuild().version},
        unused=_unused(graph, reading, shop.project.folder),
        folders=known.folders,
        surroundings=around,
        is_repeatable=known.is_whole and around == surroundings(folder) and not _follows_maps(graph.sources, shop),
    )


def _unused(graph: _Graph, reading: Reading, folder: str) -> frozenset[str]:
    used = used_in(graph.built, folder) if graph.built.metafile else frozenset()
    files = (each.file for each in reading.inputs())
    # esbuild knows a file by the path behind links.
    return frozenset(file for file in files if not {file, os.path.realpath(file)} & used)


def _graph(entries: Mapping[str, Source], options: Mapping[str, Any], reading: Reading, shop: Shop) -> _Graph:
    """Return the build of `entries`, made again where the first reading showed that it must be.

    Again: with the workers that were found, which are entries too; with another nonce, if a text holds ours; with every
    import asked for, if one could not be explained; with the TypeScript configurations that count for what was read,
    and with aliases where that is more than one.
    """
    above = Above(reading, shop.project.folder)
    files = {os.path.realpath(source.file) for source in entries.values()}
    flags = above.flags(files)
    attempt = 0
    is_thorough = False
    while True:
        entries = dict(sorted(entries.items()))  # their order in the configuration must not show
        marks = Marks(attempt)
        sources = ModuleSources(reading, shop, marks, flags, is_thorough=is_thorough)
        # One mark serves as the public path, so that esbuild itself writes it where outputs refer to each other.
        public = marks.mark(Ref("", "module"))
        try:
            every = (*_flags(options, public, shop.project.folder), *flags)
            built = shop.esbuild().build(_request(entries, every, shop), sources, partial(awaited, reading))
        except EsbuildFault as fault:
            # A description that it could not read explains the rest.
            found = unreadable(reading) or [*fault.diagnostics, *_blame(sources, options, shop, reading)]
            raise EsbuildFault(found) from fault
        is_unexplained = not is_thorough and any(not sources.explanation(error) for error in built.errors)
        before, flags = flags, above.flags(files := files | sources.texts.keys()) or sources.aliases()
        is_whole = flags == before and not sources.workers.keys() - entries.keys()
        if is_whole and not (sources.has_clash or is_unexplained):
            return _Graph(built, entries, sources, marks, public, above)
        attempt += sources.has_clash
        is_thorough = is_thorough or is_unexplained
        entries = {**sources.workers, **entries}


def _blame(sources: ModuleSources, options: Mapping[str, Any], shop: Shop, reading: Reading) -> Iterator[Diagnostic]:
    """Yield the file that esbuild dies of: those that it had read, the largest first, go to a process of their own."""
    minify = ["--minify"] if options["minify"] else []
    with Esbuild(shop.esbuild().argv, timeout_s=_BLAME_S) as alone:
        for file, text in sorted(sources.texts.items(), key=lambda item: (-len(item[1]), item[0])):
            try:
                alone.transform(text, [f"--loader={loader_of(file)}", "--log-level=silent", *minify])
            except EsbuildFault:
                yield Diagnostic("engine-crashed", "error", "esbuild dies of this file", Span(reading.shown(file)))
                return


def _request(entries: Mapping[str, Source], flags: Sequence[str], shop: Shop) -> Mapping[str, Value]:
    folder = shop.project.folder
    outputs = [[name, os.path.realpath(source.file)] for name, (_, source) in _outputs_of(entries).items()]
    # Apart, without texts: what esbuild has seen holds marks, and what people wrote is at hand.
    maps = ("--sourcemap=external", "--sources-content=false") if _is_mapped(shop) else ()
    return {"entries": outputs, "flags": [*flags, *maps], "absWorkingDir": folder}


def _follows_maps(sources: ModuleSources, shop: Shop) -> bool:
    """Return whether esbuild may have read a map that a text names: we take the comment out of plain scripts alone."""
    texts = sources.texts.items() if _is_mapped(shop) else ()
    return any(
        "sourceMappingURL=" in text and not file.endswith((".css", ".js", ".mjs", ".cjs")) for file, text in texts
    )


def _is_mapped(shop: Shop) -> bool:
    return shop.project.sourcemaps != "none"


def _outputs_of(entries: Mapping[str, Source]) -> Mapping[str, tuple[str, Source]]:
    """Return the name that each entry has among esbuild's outputs: plain, whatever the logical path holds."""
    return {f"e/{number}": entry for number, entry in enumerate(entries.items())}


def _flags(options: Mapping[str, Any], public: str, folder: str) -> Iterator[str]:
    """Yield the flags of a build; see https://esbuild.github.io/api/."""
    is_esm = options["format"] == "esm"
    yield from ("--bundle", "--metafile", "--log-level=silent", "--log-limit=0", "--legal-comments=eof")
    yield from (f"--outdir={os.path.join(folder, _FOLDER)}", "--chunk-names=c/[hash]", f"--public-path={public}")
    yield f"--format={options['format']}"
    yield "--external:assetbuild:*"
    yield from (f"--log-override:{name}=warning" for name in _LEFT_REQUIRES)
    yield from (f"--external:{name}" for name in options["external"])
    define = {"process.env.NODE_ENV": '"production"', **options["define"]}
    if is_esm:
        # Modules are UTF-8 (HTML §8.1.4.2), and every browser that has them has `import.meta` and `import()` by now:
        # a target that is named for its syntax must not take the URL of the script away.
        yield from ("--charset=utf8", "--supported:import-meta=true", "--supported:dynamic-import=true")
        if options["splitting"]:
            yield "--splitting"
    else:
        define["import.meta.url"] = HERE_NAME
        yield f"--inject:{HERE}"
    yield from (f"--define:{name}={value}" for name, value in sorted(define.items()))
    if options["minify"]:
        yield "--minify"
    if options["targets"]:
        yield f"--target={','.join(options['targets'])}"
    yield f"--jsx={options['jsx']}"
    if options["jsx_import_source"]:
        yield f"--jsx-import-source={options['jsx_import_source']}"


def _diagnostics(graph: _Graph, reading: Reading) -> list[Diagnostic]:
    """Return what esbuild and the hooks found; a hook's finding without a place gets the place of the import."""
    built, sources = graph.built, graph.sources
    folder = reading.library.folder

    def shown(file: str) -> str:
        return reading.shown(os.path.join(folder, file))

    def said(message: Message, severity: Severity) -> Diagnostic:
        own = sources.explanation(message)
        finding = diagnostic(message, severity, graph.marks.restored, shown)
        if own is None:
            return confined(finding, message, reading)
        return own if own.span is not None else own._replace(span=finding.span)

    found = [said(message, "error") for message in built.errors]
    for message in built.warnings:
        is_left = message.id in _LEFT_REQUIRES
        if not (is_left and "node_modules/" in message.file):
            found.append(said(message, "error" if is_left else "warning"))
    told = {message.detail for message in built.errors}
    return found + [own for number, own in enumerate(sources.diagnostics) if number not in told]


def _left_for_the_browser(graph: _Graph, options: Mapping[str, Any]) -> list[Diagnostic]:
    """Return errors for imports that stay in the output in a form that no browser has."""
    static_hint = 'set `format = "esm"` under `[js]`, or bundle it'
    found = []
    inputs = cast(Mapping[str, Any], graph.built.metafile.get("inputs", {}))
    for path, described in sorted(inputs.items()):
        for imported in described["imports"]:
            is_static = imported["kind"] == "import-statement" and options["format"] == "iife"
            name = imported["path"]
            # An import in a `try` that leads nowhere is external as well, by esbuild's own decision and rightly.
            is_declared = imported.get("external") and _is_external(name, options["external"])
            if is_declared and (is_static or imported["kind"] == "require-call"):
                message = f"`{name}` is external and would become a `require`, which browsers do not have"
                hint = static_hint if is_static else "write `import`, or bundle it"
                found.append(Diagnostic("external-require", "error", message, graph.sources.span_of(path, name), hint))
    return found


def _is_external(name: str, declared: Sequence[str]) -> bool:
    """Return whether `[js] external` names an import: itself, the package that it is part of, or by one `*`."""
    for pattern in declared:
        head, star, tail = pattern.partition("*")
        if (
            name == pattern
            or name.startswith(pattern + "/")
            or (star and name.startswith(head) and name.endswith(tail))
        ):
            return True
    return False


def _clashes(names: Layout, job: Job, reading: Reading, shop: Shop) -> list[Diagnostic]:
    """Return errors for outputs that a file of the roots stands for already, unless it is what they are made of."""
    known = shop.resolver.inventory.by_logical
    used = {each.file for each in reading.inputs()}
    made = sorted(set(names.logicals.values()) - set(job.logicals))
    return [
        Diagnostic(
            "two-sources",
            "error",
            f"two sources make `{logical}`: `{known[logical].shown}` and what `{job.logicals[0]}` imports",
            Span(known[logical].shown),
            "name the file in `exclude` (an entry may still import it), or give the entry another name",
        )
        for logical in made
        if logical in known and known[logical].file not in used
    ]

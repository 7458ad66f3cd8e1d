"""The spine: a tree of sources becomes content-addressed files and one manifest.

    config ─▶ commands ─▶ survey ─▶ plan ─▶ gather ─▶ seal ─▶ encode ─▶ publish
    Project   Generated   Survey    Plan    Results   Assets  Variants  files, variants, manifest.json last

Every arrow points right, and each value is the sole input of the next room; docs/architecture.md draws the house.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from itertools import starmap
from typing import NamedTuple

from assetbuild.compiler.account import account_of
from assetbuild.compiler.budgets import over_budget
from assetbuild.compiler.bundles import load as load_bundles
from assetbuild.compiler.commands import Generated, generate
from assetbuild.compiler.encode import Encoding, encoders, work_of
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Library
from assetbuild.compiler.gather import gather
from assetbuild.compiler.importmap import mapped
from assetbuild.compiler.maps import fitted, hidden_paths
from assetbuild.compiler.model import Asset, Input, Job, Result, Variant
from assetbuild.compiler.opening import Services, open_cache, open_shop, open_store
from assetbuild.compiler.plan import confines, job_of, plan, with_stable_name
from assetbuild.compiler.project import Project
from assetbuild.compiler.publish import Published, publish
from assetbuild.compiler.record import inputs_digest, record
from assetbuild.compiler.resolve import Resolver
from assetbuild.compiler.seal import seal
from assetbuild.compiler.survey import survey
from assetbuild.compiler.tools import NAMES, variable_of
from assetbuild.compiler.unmatched import unmatched
from assetbuild.diagnostic import Diagnostic, by_place
from assetbuild.disk import Disk, RealDisk
from assetbuild.private import private_folder
from assetbuild.version import __version__

__all__ = ["Outcome", "Services", "Watcher", "compile"]


class Watcher:
    """What a compile tells while it runs; called from any thread. The base class is silent."""

    def notice(self, line: str) -> None:
        """One line that people should see, such as the installation of a tool."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins: `compile` or `encode`, with the number of its steps."""

    def step(self) -> None:
        """One step of the stage is done."""


class Outcome(NamedTuple):
    """What a compile made. diagnostics: warnings and notes, sorted by place.

    engine_jobs: jobs per engine room, `copy` among them. engine_runs: calls of engines that made bytes: what an earlier
    build had made is none, and neither is a plain copy.
    encoder_runs: calls of a compressor; what an earlier build had made is none.
    reasons: first logical path of each job that ran → why, in the words of `--explain`; empty without a cache.
    inputs: absolute file → sha256 of what was read. absent: files that no use was made of, absolute.
    unused: those inputs of which no byte is in an output, as far as the engines can tell.
    is_repeatable: all that could change it is known, so that it stands while its inputs and outputs do.
    published: None when nothing was written (`check`).
    """

    project: Project
    manifest: bytes
    assets: tuple[Asset, ...]
    variants: tuple[Variant, ...]
    diagnostics: tuple[Diagnostic, ...]
    engine_jobs: Mapping[str, int]
    engine_runs: Mapping[str, int]
    encoder_runs: int
    reasons: Mapping[str, str]
    inputs: Mapping[str, str]
    absent: frozenset[str]
    unused: frozenset[str]
    is_repeatable: bool
    published: Published | None


def compile(
    project: Project,
    *,
    disk: Disk | None = None,
    environ: Mapping[str, str] | None = None,
    watcher: Watcher | None = None,
    is_written: bool = True,
    services: Services | None = None,
) -> Outcome:
    """Compile `project` and publish it; return what was made.

    is_written: else nothing is published, and the cache is read alone.
    services: engines and cache of a caller that compiles again; by default they begin and end with this compile.

    Raises `CompileFailed` with every finding of every job, `EngineUnavailable`, `PublishError`. Whatever is raised,
    the output holds a complete build: the old one, or this one.
    """
    disk, watcher = disk or RealDisk(), watcher or Watcher()
    environ = os.environ if environ is None else environ
    # Until what the commands made in it is published.
    with private_folder() if project.commands else contextlib.nullcontext("") as folder:
        generated = Generated()
        if project.commands:
            with (
                contextlib.nullcontext(services) if services else Services() as opened,
                open_store(project, watcher.notice, opened, is_written=is_written) as store,
            ):
                generated = generate(project, folder, disk, environ, store)
        return _compiled(project, generated, disk, environ, watcher, services=services, is_written=is_written)


def _compiled(
    configured: Project,
    generated: Generated,
    disk: Disk,
    environ: Mapping[str, str],
    watcher: Watcher,
    *,
    services: Services | None,
    is_written: bool,
) -> Outcome:
    """Return what `compile` does. generated: by the commands; what lies there goes before all other sources."""
    roots = (generated.root, *configured.roots) if generated.root else configured.roots
    project = configured._replace(roots=roots)
    chosen = encoders(project.compress, project.profile)
    bundles = load_bundles(project, disk)
    library = Library(disk, project.folder, confines(project, bundles))
    for file, content in generated.contents.items():
        library.keep(file, content)
    surveyed = survey(project, disk)
    planned = plan(project, surveyed, library, bundles)
    early = [*project.warnings, *generated.diagnostics, *surveyed.diagnostics, *planned.diagnostics]
    resolver = Resolver(project, planned.inventory)
    with (
        contextlib.nullcontext(services) if services else Services() as opened,
        open_cache(library, resolver, environ, watcher.notice, opened, is_written=is_written) as cache,
        Encoding(chosen, disk, jobs=project.jobs, cache=cache) as encoding,
    ):
        shop = open_shop(resolver, disk, environ, watcher.notice, opened)
        watcher.stage("compile", len(planned.jobs))
        results = gather(
            planned.jobs,
            job_of,
            library,
            shop,
            on_done=lambda _: watcher.step(),
            on_made=encoding.begin,
            cache=cache,
        )
        library.release()
        early += unmatched(project, surveyed.sources, _logicals(planned.jobs, results), disk)
        account = account_of(results, generated)
        diagnostics = _check([*early, *account.diagnostics], is_strict=project.is_strict)
        assets, imports, hidden = _sealed(results, project)
        named_bundles = planned.bundles
        del results, planned  # a hundred thousand jobs and drafts, which nobody asks for from here on
        watcher.stage("encode", work_of(assets, chosen))
        variants, encoder_runs = encoding.finish(assets, project.compress.min_gain, watcher.step)
    _check(over_budget(project, assets, variants))
    tools = {"assetbuild": __version__, **{e.tool: e.version for e in chosen}, **account.tools}
    inputs = {**{each.file: each.digest_hex for each in bundles.inputs}, **account.inputs}
    shown = {file: generated.shown.get(file) or library.shown(file) for file in inputs}
    digest = inputs_digest(starmap(Input, inputs.items()), shown)
    manifest = record(project, assets, variants, tools, digest, imports=imports, bundles=named_bundles)
    published = None
    if is_written:
        apart = hidden_paths(assets, hidden)
        published = publish(assets, variants, manifest, project.output, disk, hidden=apart)
    return Outcome(
        configured,
        manifest,
        assets,
        variants,
        diagnostics,
        engine_jobs=account.engine_jobs,
        engine_runs=account.engine_runs,
        encoder_runs=encoder_runs,
        reasons=account.reasons,
        inputs=inputs,
        absent=account.absent,
        unused=account.unused,
        is_repeatable=account.is_repeatable and _is_repeatable(configured, environ),
        published=published,
    )


def _sealed(
    results: Iterable[Result], project: Project
) -> tuple[tuple[Asset, ...], Mapping[str, str], Mapping[str, bytes]]:
    """Return the assets, the import map and the hidden maps of all drafts."""
    made = [with_stable_name(draft, project) for result in results for draft in result.drafts]
    drafts, imports = mapped(made)
    drafts, hidden = fitted(drafts, project.sourcemaps, names=project.names, base=project.base)
    return seal(drafts, names=project.names, salt=project.salt, base=project.base), imports, hidden


def _check(diagnostics: Iterable[Diagnostic], *, is_strict: bool = False) -> tuple[Diagnostic, ...]:
    """Return the findings sorted by place; raise `CompileFailed` with all of them if one is an error.

    is_strict: a warning is as bad; where it is the worst, one error says so.
    """
    found = tuple(by_place(diagnostics))
    severities = {each.severity for each in found}
    if is_strict and "warning" in severities and "error" not in severities:
        found = (*found, Diagnostic("strict", "error", "warnings fail this compile: it was called with `--strict`"))
        severities.add("error")
    if "error" in severities:
        raise CompileFailed(found)
    return found


def _logicals(jobs: Iterable[Job], results: Iterable[Result]) -> set[str]:
    """Return the logical paths of all that is made, or was to be made."""
    planned = (logical for job in jobs for logical in job.logicals)
    return {*planned, *(draft.logical for result in results for draft in result.drafts)}


def _is_repeatable(project: Project, environ: Mapping[str, str]) -> bool:
    """Return whether all that could change the build, beside what its jobs read, is known.

    It is not for code of the user's, for a tool of somebody's choice, and for maps that are hidden beside the output.
    """
    is_tool_chosen = bool(project.tools.paths) or any(environ.get(variable_of(name)) for name in NAMES)
    return not (project.webassets or is_tool_chosen or project.sourcemaps == "hidden")

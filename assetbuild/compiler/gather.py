"""Gather: make jobs until every reference has a draft. The only loop in the house.

Receives jobs; hands on results in the order of the jobs. One broken file does not hide another: what goes wrong in a
job becomes a diagnostic of its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from assetbuild.compiler.cache import Cache
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.files import Library
from assetbuild.compiler.make import Maker
from assetbuild.compiler.model import Draft, Job, Result, Source

__all__ = ["gather"]


def gather(
    jobs: Sequence[Job],
    job_of: Callable[[Source], Job],
    library: Library,
    shop: Shop,
    *,
    on_done: Callable[[Job], None] = lambda _: None,
    on_made: Callable[[Result], None] = lambda _: None,
    cache: Cache | None = None,
) -> list[Result]:
    """Return the results of `jobs` and of every file that their references pulled in.

    job_of: the job that publishes a file as itself. on_done, on_made: called after each job and with what it made, from
    any thread. cache: results of earlier builds.
    Raises `EngineUnavailable`, with the reasons of all jobs, if an engine that is needed is not there.
    """
    maker = Maker(library, shop, cache, on_done, on_made)
    done = {logical for job in jobs for logical in job.logicals}
    made: list[tuple[Job, Result]] = []
    wave = list(jobs)
    while wave:
        results = maker.results_of(wave)
        made += zip(wave, results, strict=True)
        wave = [job_of(source) for source in _new(results, done)]
    if maker.unavailable:
        faults = [each for _, result in made for each in result.diagnostics if each.severity == "error"]
        raise EngineUnavailable([*maker.unavailable, *faults])
    if cache is not None:
        cache.plain.flush()
    bundled = _bundled(made)
    return _without_stand_ins([maker.as_itself(job) if job in bundled else result for job, result in made])


def _bundled(made: Sequence[tuple[Job, Result]]) -> list[Job]:
    """Return the jobs of plain scripts that no browser could run as they are, and that a module graph is made of.

    Their bundle stands for them, so what is wrong with them alone is not said; they are published untouched.
    """
    used = {each for job, result in made if job.engine == "modules" for each in result.inputs}
    return [
        job
        for job, result in made
        if job.engine == "script"
        and any(each.severity == "error" for each in result.diagnostics)
        and any(each.file == job.sources[0].file for each in used.intersection(result.inputs))
    ]


def _without_stand_ins(results: Sequence[Result]) -> list[Result]:
    """Return the results without the plain files that a bundle of the same name was made of (`import "./app.css"`)."""
    bundles = [result for result in results if result.engine == "modules"]
    if not bundles:
        return list(results)
    made = {draft.logical: set(result.inputs) for result in bundles for draft in result.drafts}

    def gives_way(draft: Draft, result: Result) -> bool:
        return result.engine != "modules" and not made.get(draft.logical, set()).isdisjoint(result.inputs)

    return [r._replace(drafts=tuple(draft for draft in r.drafts if not gives_way(draft, r))) for r in results]


def _new(results: Iterable[Result], done: set[str]) -> list[Source]:
    """Return the files that the results name and nobody makes yet, sorted; they count as done from now on."""
    found = {source.logical: source for result in results for source in result.found if source.logical not in done}
    done.update(found)
    return [found[logical] for logical in sorted(found)]

"""Gather: run jobs until every reference has a draft. The only loop in the house, and the only room that runs engines.

Receives jobs; hands on results in the order of the jobs, whatever order they finished in. One broken file does not
hide another: what goes wrong in a job becomes a diagnostic of its result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from assetbuild.compiler import engines, pool
from assetbuild.compiler.cache import Cache, Inquiry
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.compiler.files import Library, Outside, Reading
from assetbuild.compiler.model import Draft, Job, Result, Source
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["gather"]

_IN_FLIGHT = 4
"""Compiles in flight for each job that the project allows: Dart Sass and esbuild have threads of their own."""


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
    any thread.
    cache: results of earlier builds; a plain copy asks nobody, since the bytes have to be read anyway.
    Raises `EngineUnavailable`, with the reasons of all jobs, if an engine that is needed is not there.
    """
    unavailable: list[Diagnostic] = []

    def inquire(job: Job) -> Inquiry | None:
        inquiry = cache.inquire(job) if cache is not None and job.engine != "copy" else None
        if inquiry is not None and inquiry.result is not None:
            on_made(inquiry.result)
            on_done(job)
        return inquiry

    def run(job: Job, inquiry: Inquiry | None = None) -> Result:
        reading = Reading(library)
        try:
            build = engines.engine(job.engine).build
            began_s = time.monotonic()
            made = build(job, reading, replace(shop, resolver=inquiry.resolver) if inquiry else shop)
            on_made(made)
            if inquiry is None:
                return replace(made, engine=job.engine)
            inquiry.keep(made, spent_ms=int((time.monotonic() - began_s) * 1000))
            return replace(made, engine=job.engine, reason=inquiry.reason if made.is_repeatable else _UNREPEATABLE)
        except EngineUnavailable as error:
            unavailable.extend(error.diagnostics)
            return Result()
        except DiagnosticsError as error:
            return Result((), (), reading.inputs(), reading.absent(), error.diagnostics, engine=job.engine)
        except Outside as error:
            return Result(diagnostics=(_fault(job, "outside-roots", str(error)),))
        except OSError as error:
            name = library.shown(error.filename) if isinstance(error.filename, str) else job.sources[0].shown
            return Result(diagnostics=(_fault(job, "unreadable", f"cannot read `{name}`: {error.strerror}"),))
        finally:
            on_done(job)

    def results_of(jobs: Sequence[Job]) -> list[Result]:
        inquiries = pool.parallel(inquire, jobs, jobs=shop.project.jobs)
        recalled = [inquiry.result if inquiry is not None else None for inquiry in inquiries]
        rest = [pair for pair, found in zip(zip(jobs, inquiries, strict=True), recalled, strict=True) if found is None]
        for name in sorted({job.engine for job, _ in rest}):
            # Before there are threads: two that import parts of one package in another order give up on each other.
            engines.engine(name)
        threads = _threads([job for job, _ in rest], shop.project.jobs)
        made = iter(pool.parallel(lambda pair: run(*pair), rest, jobs=threads, weight=lambda pair: _expected_ms(*pair)))
        return [found if found is not None else next(made) for found in recalled]

    done = {logical for job in jobs for logical in job.logicals}
    made: list[tuple[Job, Result]] = []
    wave = list(jobs)
    while wave:
        results = results_of(wave)
        made += zip(wave, results, strict=True)
        wave = [job_of(source) for source in _new(results, done)]
    if unavailable:
        faults = [each for _, result in made for each in result.diagnostics if each.severity == "error"]
        raise EngineUnavailable([*unavailable, *faults])
    bundled = _bundled(made)
    results = [run(replace(job, engine="copy", options={})) if job in bundled else result for job, result in made]
    return _without_stand_ins(results)


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
    made = {draft.logical: set(result.inputs) for result in bundles for draft in result.drafts}

    def gives_way(draft: Draft, result: Result) -> bool:
        return result.engine != "modules" and not made.get(draft.logical, set()).isdisjoint(result.inputs)

    return [replace(r, drafts=tuple(draft for draft in r.drafts if not gives_way(draft, r))) for r in results]


def _new(results: Iterable[Result], done: set[str]) -> list[Source]:
    """Return the files that the results name and nobody makes yet, sorted; they count as done from now on."""
    found = {source.logical: source for result in results for source in result.found if source.logical not in done}
    done.update(found)
    return [found[logical] for logical in sorted(found)]


def _threads(jobs: Sequence[Job], limit: int) -> int:
    """Return how many jobs may be under way: those that wait for a process of their own engine do not count."""
    waiting = sum(job.engine in {"modules", "style"} for job in jobs) if limit > 1 else 0
    return limit + min(waiting, _IN_FLIGHT * limit)


def _expected_ms(job: Job, inquiry: Inquiry | None) -> int:
    """Return how long a job took when it last ran, else a guess: the longest goes first."""
    return _GUESSED_MS[job.engine] if inquiry is None or inquiry.spent_ms is None else inquiry.spent_ms


_UNREPEATABLE = "it is made each time: not all that it looks for is known"

_GUESSED_MS = {
    "copy": 0,
    "css": 5,
    "markup": 2,
    "script": 5,
    "webmanifest": 2,
    "classic": 50,
    "filters": 200,
    "style": 400,
    "modules": 600,
}


def _fault(job: Job, rule: str, message: str) -> Diagnostic:
    return Diagnostic(rule, "error", message, Span(job.sources[0].shown))

"""Make: jobs become results, recalled from the cache, by the short way of a file that names no other, or by an engine.

Receives jobs; hands on a result for each, in their order, whatever order they finished in. What goes wrong in a job
becomes a diagnostic of its result. A small file that is published as itself is *light*: such files are made one after
the other, because they hold the interpreter and threads would only take turns. All other jobs wait for processes, or
hash megabytes, and are made at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler import engines, pool
from assetbuild.compiler.cache import Cache, Inquiry
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.compiler.files import Library, Outside, Reading
from assetbuild.compiler.model import Job, Result
from assetbuild.compiler.plain import ShortWay
from assetbuild.compiler.secrets import warned
from assetbuild.diagnostic import Diagnostic, Span, reason_of

__all__ = ["Maker"]

_IN_FLIGHT = 4
"""Compiles in flight for each job that the project allows: Dart Sass and esbuild have threads of their own."""

_LIGHT = frozenset(("copy", "css", "markup", "script", "webmanifest"))
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


class _Task(NamedTuple):
    """A job that has to be made. at: its place among the jobs. inquiry: what the cache knew of it."""

    at: int
    job: Job
    inquiry: Inquiry | None


class Maker:
    """Makes the jobs of one build. unavailable: what was said of engines that are needed and not there.

    on_done, on_made: called after each job and with what it made, from any thread.
    """

    def __init__(
        self,
        library: Library,
        shop: Shop,
        cache: Cache | None,
        on_done: Callable[[Job], None],
        on_made: Callable[[Result], None],
    ) -> None:
        self.unavailable: list[Diagnostic] = []
        self._library = library
        self._shop = shop
        self._cache = cache
        self._short_way = ShortWay(library, shop, cache)
        self._on_done = on_done
        self._on_made = on_made

    def results_of(self, jobs: Sequence[Job]) -> list[Result]:
        """Return the results of `jobs`, in their order."""
        made: dict[int, Result] = {}
        light: list[_Task] = []
        others: dict[int, Job] = {}
        for at, job in enumerate(jobs):
            if not _is_light(job):
                others[at] = job
                continue
            found = self._unread(job)
            if isinstance(found, Result):
                made[at] = found
            else:
                light.append(_Task(at, job, found))
        heavy = self._open(others, made)
        for name in sorted({task.job.engine for task in (*light, *heavy)}):
            # Before there are threads: two that import parts of one package in another order give up on each other.
            engines.engine(name)
        large: dict[int, Job] = {}

        def make_light() -> None:
            for task in light:
                result = self._of_light(task)
                if result is None:
                    large[task.at] = task.job
                else:
                    made[task.at] = result

        self._make(heavy, made, meanwhile=make_light)
        self._make(self._open(large, made), made)
        for at, job in large.items():
            self._short_way.keep(job, made[at])
        return [made[at] for at in range(len(jobs))]

    def as_itself(self, job: Job) -> Result:
        """Return the result of publishing the source of `job` to the byte, whatever its engine would make of it."""
        return self._of_engine(job._replace(engine="copy", options={}))

    def _open(self, jobs: Mapping[int, Job], made: dict[int, Result]) -> list[_Task]:
        """Return what has to be made of `jobs`; what the cache recalls goes into `made`."""
        inquiries = pool.parallel(self._inquire, jobs.values(), jobs=self._shop.project.jobs)
        tasks = []
        for (at, job), inquiry in zip(jobs.items(), inquiries, strict=True):
            if inquiry is not None and inquiry.result is not None:
                made[at] = inquiry.result
            else:
                tasks.append(_Task(at, job, inquiry))
        return tasks

    def _make(
        self, tasks: Sequence[_Task], made: dict[int, Result], meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Make `tasks` at the same time. meanwhile: what this thread does while the others work."""
        results = pool.parallel(
            lambda task: self._of_engine(task.job, task.inquiry),
            tasks,
            jobs=_threads([task.job for task in tasks], self._shop.project.jobs),
            weight=_expected_ms,
            meanwhile=meanwhile,
        )
        made.update(zip((task.at for task in tasks), results, strict=True))

    def _unread(self, job: Job) -> Result | Inquiry | None:
        """Return the result of a light job that the cache recalls for a file as it was, else what it knows of the job.

        None if that is nothing, or if the file has to be read first.
        """
        if self._cache is None or self._cache.is_first:
            return None
        if job.engine in engines.PLAIN:
            try:
                sha256_hex = self._library.known_digest(job.sources[0].file)
            except OSError:
                return None  # whoever reads it says so
            if sha256_hex is None:
                return None
            recalled = self._short_way.recalled(job, sha256_hex)
            if recalled is not None:
                return self._told(job, recalled)
        inquiry = self._inquire(job)
        return inquiry.result if inquiry is not None and inquiry.result is not None else inquiry

    def _of_light(self, task: _Task) -> Result | None:
        """Return the result of a light job; None for a copy of a file that is not small."""
        job, inquiry = task.job, task.inquiry
        if job.engine in engines.PLAIN:
            (source,) = job.sources
            try:
                content = self._library.held(source.file) or self._library.small(source.file)
            except OSError:
                content = None  # whoever reads it next says so
            plain = self._short_way.made(job, content) if content is not None else None
            if plain is not None:
                return self._told(job, plain)
            if job.engine == "copy":
                return None
            if content is not None:
                self._library.keep(source.file, content)
        inquiry = inquiry or self._inquire(job)
        if inquiry is not None and inquiry.result is not None:
            return inquiry.result
        return self._of_engine(job, inquiry)

    def _told(self, job: Job, result: Result) -> Result:
        self._on_made(result)
        self._on_done(job)
        return result

    def _inquire(self, job: Job) -> Inquiry | None:
        """Return what the cache knows of a job. A copy asks nobody: its bytes have to be read anyway."""
        inquiry = self._cache.inquire(job) if self._cache is not None and job.engine != "copy" else None
        if inquiry is not None and inquiry.result is not None:
            self._told(job, inquiry.result)
        return inquiry

    def _of_engine(self, job: Job, inquiry: Inquiry | None = None) -> Result:
        library, shop = self._library, self._shop
        reading = Reading(library)
        try:
            build = engines.engine(job.engine).build
            began_s = time.monotonic()
            made = build(job, reading, shop._replace(resolver=inquiry.resolver) if inquiry else shop)
            made = warned(made, library, shop.project)
            self._on_made(made)
            if inquiry is None:
                return made._replace(engine=job.engine)
            inquiry.keep(made, spent_ms=int((time.monotonic() - began_s) * 1000))
            return made._replace(engine=job.engine, reason=inquiry.reason if made.is_repeatable else _UNREPEATABLE)
        except EngineUnavailable as error:
            self.unavailable.extend(error.diagnostics)
            return Result()
        except DiagnosticsError as error:
            return Result((), (), reading.inputs(), reading.absent(), error.diagnostics, engine=job.engine)
        except Outside as error:
            return Result(diagnostics=(_fault(job, "outside-roots", str(error)),))
        except OSError as error:
            name = library.shown(error.filename) if isinstance(error.filename, str) else job.sources[0].shown
            return Result(
                diagnostics=(
                    _fault(job, "unreadable", f"`{name}` cannot be read: {reason_of(error)}", "let this user read it"),
                )
            )
        finally:
            self._on_done(job)


def _is_light(job: Job) -> bool:
    """Return whether the job publishes a file as itself, with no other program's help."""
    return job.engine in _LIGHT and not job.options.get("minify") and not job.options.get("bundle")


def _threads(jobs: Iterable[Job], limit: int) -> int:
    """Return how many jobs may be under way: those that wait for a process of their own engine do not count."""
    waiting = sum(job.engine in {"modules", "style"} for job in jobs) if limit > 1 else 0
    return limit + min(waiting, _IN_FLIGHT * limit)


def _expected_ms(task: _Task) -> int:
    """Return how long a job took when it last ran, else a guess: the longest goes first."""
    inquiry = task.inquiry
    return _GUESSED_MS[task.job.engine] if inquiry is None or inquiry.spent_ms is None else inquiry.spent_ms


def _fault(job: Job, rule: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(rule, "error", message, Span(job.sources[0].shown), hint)

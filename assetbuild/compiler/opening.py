"""Opening the shop and the cache: what one build works with, from services that may outlive it.

`Services` are the processes and the store: they end with the build, unless a caller that builds again owns them.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from assetbuild.compiler.cache import Cache, Store
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Library
from assetbuild.compiler.pool import JobFailed, Workers
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import Resolver
from assetbuild.disk import Disk, RealDisk

if TYPE_CHECKING:
    from assetbuild.compiler.engines.esbuild import Esbuild
    from assetbuild.compiler.engines.sass.dart import DartSass
    from assetbuild.compiler.tools import Program

__all__ = ["Services", "open_cache", "open_shop", "open_store"]

Service = TypeVar("Service")


class _Locks:
    """A lock for each name, so that what is slow to find or to start holds up nothing else."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.RLock] = {}

    def of(self, name: str) -> threading.RLock:
        """Return the lock of a name."""
        return self._locks.setdefault(name, threading.RLock())  # atomic, as every call of a dictionary's own methods

    def names(self) -> list[str]:
        """Return the names that were ever asked for."""
        return list(self._locks)


class Services:
    """Engine processes and the store of the cache, each opened at its first use. One build at a time uses them.

    A context manager: at its end, whatever happened, the processes are gone.
    """

    def __init__(self) -> None:
        self._locks = _Locks()
        self._program_locks = _Locks()  # apart: nobody who closes waits for a download
        self._is_closed = False
        self._kept: dict[str, tuple[object, Any]] = {}
        self._programs: dict[tuple[object, ...], Program] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything that was opened; one that fails to end holds up none of the others."""
        self._is_closed = True
        with contextlib.ExitStack() as stack:
            for name in self._locks.names():
                stack.callback(self._end, name)

    def _end(self, name: str) -> None:
        with self._locks.of(name):  # one that is being opened is waited for
            if name in self._kept:
                self._kept.pop(name)[1].close()

    def kept(self, name: str, of: object, make: Callable[[], Service]) -> Service:
        """Return the service of a name, made at the first call. of: what it is made of; of another it is made anew."""
        with self._locks.of(name):  # two jobs may ask at once, and there is one process for both
            if name in self._kept and self._kept[name][0] != of:
                self._kept.pop(name)[1].close()
            if self._is_closed:
                raise JobFailed(f"`{name}` was asked for after the end")
            if name not in self._kept:
                self._kept[name] = of, make()
            service: Service = self._kept[name][1]
            return service

    def program(self, name: str, project: Project, find: Callable[[], Program]) -> Program:
        """Return a tool. It takes megabytes to be believed, so what is pinned is found once; a setting every time."""
        key = (name, project.folder, *sorted(project.tools.paths.items()))
        with self._program_locks.of(name):
            found = self._programs.get(key)
            if found is None:
                found = find()
                if found.origin != "setting":
                    self._programs[key] = found
            return found

    def drop_ended(self) -> None:
        """Let go of an esbuild that has ended, so that the next build starts another; the others see to it alone."""
        with self._locks.of("esbuild"):
            if "esbuild" in self._kept and self._kept["esbuild"][1].has_ended:
                self._kept.pop("esbuild")[1].close()


@contextlib.contextmanager
def open_store(
    project: Project, notice: Callable[[str], None], services: Services, *, is_written: bool
) -> Iterator[Store | None]:
    """Give the store of the compile cache, None where it is off. What was made is kept even if the build fails.

    is_written: else it is only read.
    """
    if not project.cache_folder:
        yield None
        return
    # A disk of its own: what the cache reads decides nothing that the build's disk should note.
    store = services.kept(
        "store",
        (project.cache_folder, is_written),
        lambda: Store(project.cache_folder, RealDisk(), notice, is_writable=is_written),
    )
    try:
        yield store
    finally:
        store.flush()


@contextlib.contextmanager
def open_cache(
    library: Library,
    resolver: Resolver,
    environ: Mapping[str, str],
    notice: Callable[[str], None],
    services: Services,
    *,
    is_written: bool,
) -> Iterator[Cache | None]:
    """Give the compile cache, None where it is off; `is_written` as in `open_store`."""
    project = resolver.project

    def program(name: str) -> str:
        from assetbuild.compiler import tools

        return tools.promised(name, project, environ)

    with open_store(project, notice, services, is_written=is_written) as store:
        yield Cache(store, library, resolver, program) if store is not None else None


def open_shop(
    resolver: Resolver, disk: Disk, environ: Mapping[str, str], notice: Callable[[str], None], services: Services
) -> Shop:
    """Return the shop of one build."""
    services.drop_ended()
    project = resolver.project
    locks = _Locks()
    found: dict[str, Program] = {}

    def program(name: str) -> Program:
        from assetbuild.compiler import tools

        with locks.of(name):
            if name not in found:
                ensured = services.program(name, project, lambda: tools.ensure(name, project, environ, disk, notice))
                found[name] = ensured
            return found[name]

    def dart() -> DartSass:
        from assetbuild.compiler.engines.sass.dart import DartSass

        tool = program("dart-sass")
        # One more than there are cores: now and then a compile waits for us to find what it loads.
        made_of = tool, project.folder, project.jobs + 1
        return services.kept("dart", made_of, lambda: DartSass(tool, project.folder, at_once=project.jobs + 1))

    def esbuild() -> Esbuild:
        from assetbuild.compiler.engines.esbuild import Esbuild

        tool = program("esbuild")
        return services.kept("esbuild", tool, lambda: Esbuild(tool.argv))

    def workers() -> Workers:
        return services.kept("workers", project.jobs, lambda: Workers(project.jobs))

    return Shop(project, resolver, program, dart, workers, esbuild)

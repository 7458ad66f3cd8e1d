"""Opening the shop and the cache: the services of one build, each started at its first use and ended with the build."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from assetbuild.compiler.cache import Cache, Store
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Library
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import Resolver
from assetbuild.disk import Disk

if TYPE_CHECKING:
    from assetbuild.compiler.engines.esbuild import Esbuild
    from assetbuild.compiler.engines.sass.dart import DartSass
    from assetbuild.compiler.tools import Program

__all__ = ["open_cache", "open_shop"]

Service = TypeVar("Service")


@contextlib.contextmanager
def open_cache(
    library: Library, resolver: Resolver, environ: Mapping[str, str], notice: Callable[[str], None]
) -> Iterator[Cache | None]:
    """Give the compile cache, None where it is off. What was made is kept even if the build ends with an error."""
    project = resolver.project
    if not project.cache_folder:
        yield None
        return
    store = Store(project.cache_folder, library.disk, notice)

    def program(name: str) -> str:
        from assetbuild.compiler import tools

        return tools.promised(name, project, environ)

    try:
        yield Cache(store, library, resolver, program)
    finally:
        store.flush()
        store.close()


@contextlib.contextmanager
def open_shop(
    project: Project, resolver: Resolver, disk: Disk, environ: Mapping[str, str], notice: Callable[[str], None]
) -> Iterator[Shop]:
    """Give the shop of one build; at the end, whatever happened, its processes are gone."""
    with contextlib.ExitStack() as stack:
        lock = threading.RLock()
        opened: dict[str, object] = {}

        def once(name: str, make: Callable[[], Service]) -> Service:
            with lock:  # two jobs may ask at once, and there is one process for both
                if name not in opened:
                    opened[name] = make()
                return opened[name]  # type: ignore[return-value]

        def program(name: str) -> Program:
            from assetbuild.compiler import tools

            return once(name, lambda: tools.ensure(name, project, environ, disk, notice))

        def dart() -> DartSass:
            from assetbuild.compiler.engines.sass.dart import DartSass

            return once("dart", lambda: stack.enter_context(DartSass(program("dart-sass"), project.folder)))

        def esbuild() -> Esbuild:
            from assetbuild.compiler.engines.esbuild import Esbuild

            return once("esbuild", lambda: stack.enter_context(Esbuild(program("esbuild").argv)))

        def workers() -> Workers:
            return once("workers", lambda: stack.enter_context(Workers(project.jobs)))

        yield Shop(project, resolver, program, dart, workers, esbuild)

"""What an engine is, and what it may use: the shop that a build opens once and every job shares.

An engine room is a module with `build(job, reading, shop) -> Result`. It reads sources through `reading`, which records
them; it writes no output, prints nothing, names no file and reads no environment. What goes wrong with the assets is
a `Diagnostic` in the result (or a raised `DiagnosticsError`, which `gather` turns into one), never a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Facts, Job, Result
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import Resolver

if TYPE_CHECKING:
    from assetbuild.compiler.engines.esbuild import Esbuild
    from assetbuild.compiler.engines.sass.dart import DartSass
    from assetbuild.compiler.pool import Workers
    from assetbuild.compiler.tools import Program

__all__ = ["Engine", "PlainEngine", "Shop"]


def _without_esbuild() -> Esbuild:
    raise LookupError("this shop was opened without esbuild")


class Shop(NamedTuple):
    """What one build works with. Each service is opened at its first use, and closed by who owns it.

    program: finds a pinned tool (`esbuild`, `dart-sass`), installs it if it may, raises `EngineUnavailable`.
    dart, esbuild: one process for all jobs. workers: processes for native code that can crash.
    """

    project: Project
    resolver: Resolver
    program: Callable[[str], Program]
    dart: Callable[[], DartSass]
    workers: Callable[[], Workers]
    esbuild: Callable[[], Esbuild] = _without_esbuild


class Engine(Protocol):
    """A module of this package that has `build`."""

    def build(self, job: Job, reading: Reading, shop: Shop) -> Result: ...


class PlainEngine(Engine, Protocol):
    """An engine that can tell from the bytes of most files that they are published as they are."""

    def plain_facts(self, job: Job, content: bytes) -> Facts | None: ...

"""Strict mode: the names that a compile of the sources would give, found by its first three rooms and nothing more.

Receives the project's folder; hands on a manifest for tests. No engine runs, so what only a compile can find is not
known: chunks, files of npm packages, the sizes of images.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from assetbuild.compiler.bundles import load as load_bundles
from assetbuild.compiler.config import Flags, read
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Library
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Job
from assetbuild.compiler.plan import Plan, confines, plan, with_stable_name
from assetbuild.compiler.project import Project
from assetbuild.compiler.survey import survey
from assetbuild.disk import RealDisk
from assetbuild.manifest import AssetEntry, Bundle, FileEntry, Manifest
from assetbuild.web.stub import StubManifest

__all__ = ["PromisedManifest", "promised"]


class PromisedManifest(StubManifest):
    """A stub that finds only what was promised. `bundles` are those of the project."""

    __slots__ = ("_entries",)

    ABSENT = "is promised by no source"

    def __init__(self, base: str, entries: Mapping[str, AssetEntry], bundles: Mapping[str, Bundle]) -> None:
        told = repr((base, sorted(entries.items()), sorted(bundles.items())))
        # Another set of names is another build: a cached template must be compiled again to meet a name that is gone.
        super().__init__(base, f"sha256:{hashlib.sha256(told.encode()).hexdigest()}")
        self._entries = entries
        self.bundles = bundles

    def asset(self, logical: str) -> AssetEntry | None:
        """Return the entry of a name that was promised, or of the stylesheet that a module may have beside it."""
        stem, dot, extension = logical.rpartition(".")
        beside = self._entries.get(f"{stem}.js") if dot and extension == "css" else None
        is_promised = logical in self._entries or (beside is not None and beside.kind == "module")
        return self._entries.get(logical, super().asset(logical)) if is_promised else None

    def published(self, path: str) -> FileEntry | None:
        """Return an entry with the type that a compile would write, of a promised file without a byte."""
        entry = super().published(path) if self.asset(path) else None
        return entry._replace(type=media_type(path)) if entry else None

    def assets(self) -> Iterator[str]:
        """Yield the promised names, in the order of their bytes."""
        return iter(sorted(self._entries))

    def site_paths(self) -> Mapping[str, str]:
        """Return the absolute URL path of each `site_root` file, and its name."""
        return {entry.at: logical for logical, entry in self._entries.items() if entry.at}

    def __reduce__(self) -> tuple[Callable[..., Manifest], tuple[Any, ...]]:
        return PromisedManifest, (self.base, self._entries, self.bundles)


def promised(folder: str) -> PromisedManifest:
    """Return the manifest of the project in `folder` as far as its sources tell.

    Raises `ConfigError` and `CompileFailed`, with what a compile would find wrong before its first job.
    """
    disk = RealDisk()
    project = read(folder, os.environ, disk, Flags(is_offline=True))
    bundles = load_bundles(project, disk)
    library = Library(disk, project.folder, confines(project, bundles))
    surveyed = survey(project, disk)
    planned = plan(project, surveyed, library, bundles)
    findings = [*surveyed.diagnostics, *planned.diagnostics]
    if any(found.severity == "error" for found in findings):
        raise CompileFailed(findings)
    return PromisedManifest(project.base, dict(_entries(project, planned)), _bundles(planned))


def _entries(project: Project, planned: Plan) -> Iterator[tuple[str, AssetEntry]]:
    for job in planned.jobs:
        for logical in job.logicals:
            stable = with_stable_name(Draft(logical, "", ()), project).stable
            at = stable.at if stable else ""
            yield logical, AssetEntry(logical, _kind(job, logical), entry=bool(job.place), keep=not at, at=at)


def _kind(job: Job, logical: str) -> str:
    """Return what the engine of the job would make of the asset."""
    if job.engine == "modules":
        return "classic" if job.options["format"] == "iife" else "module"
    if logical.endswith(".css"):
        return "style"
    # Whether a plain script is a module stands in its text, which nobody reads here.
    return {".js": "classic", ".mjs": "module"}.get(posixpath.splitext(logical)[1], "")


def _bundles(planned: Plan) -> Mapping[str, Bundle]:
    described: Mapping[str, Mapping[str, Any]] = planned.bundles
    return {name: Bundle(tuple(b["assets"]), b.get("extra", {})) for name, b in described.items()}

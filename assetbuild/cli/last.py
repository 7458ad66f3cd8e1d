"""The last build: whether it still stands, and what to remember of this one. No compiler is imported to ask."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assetbuild.disk import RealDisk
from assetbuild.installed import package_folders
from assetbuild.manifest import SUFFIXES
from assetbuild.manifest.reader import MANIFEST_NAME
from assetbuild.noting import Row, Watched, row_of, standing_at
from assetbuild.surroundings import surroundings
from assetbuild.unchanged import Record, file_of, load, save, stands
from assetbuild.version import __version__

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome
    from assetbuild.compiler.project import Project

__all__ = ["LastBuild", "ours_of", "outputs_of"]


class LastBuild:
    """What is known of a project's last build. folder: of the project. arguments: of the command line, JSON values.

    is_asked: False where nothing of an earlier process may count. goes_on: this process will build again.
    record: of the build that is known, None if none is.
    """

    def __init__(
        self,
        folder: str,
        arguments: Mapping[str, object],
        environ: Mapping[str, str],
        *,
        is_asked: bool,
        goes_on: bool = False,
    ) -> None:
        variables = {name: value for name, value in environ.items() if name.startswith("ASSETBUILD_")}
        home = {name: environ.get(name, "") for name in ("HOME", "XDG_CACHE_HOME", "PATH")}  # commands are on PATH
        # Packages are found on `sys.path`, and roots in packages.
        python = [sys.version, sys.prefix, *sys.path]
        self._arguments = {**arguments, "environ": variables | home, "python": python, "assetbuild": __version__}
        self._began_ns = time.time_ns()
        self._folder = folder
        self._around = ""
        self._output = str(arguments.get("output", ""))
        self._is_asked = is_asked
        self._goes_on = goes_on
        self._code: Mapping[str, Row] = {}
        self.record: Record | None = None
        self._tried: set[str] = set()

    def summary(self, cache_folder: str) -> Mapping[str, Any] | None:
        """Return what is said of the last build if it still stands, as of a build that had nothing to do."""
        if not cache_folder or not self._is_asked or cache_folder in self._tried:
            return None
        self._tried.add(cache_folder)
        file = file_of(cache_folder, self._folder, self._output)
        record = load(file)
        if record is None:
            return None
        self.record = record
        summary = self.standing()
        if self.record is not record:
            save(file, self.record)
        return summary

    def standing(self) -> Mapping[str, Any] | None:
        """Return what is said of the build that is known if it still stands, as of one that had nothing to do."""
        record = self.record
        standing = stands(record, self._arguments) if record is not None else None
        if record is None or standing is None:
            return None
        looked_at = [
            row for file, row in standing.rows() if row is not record.files.get(file, record.outputs.get(file))
        ]
        self.record = standing if looked_at else record
        return _with_nothing_to_do(record.summary, sum(row.size for row in looked_at))

    def disk(self) -> Watched:
        """Return a disk for this build, which knows what the last one saw."""
        known = self.record
        self._began_ns = time.time_ns()
        self._around = surroundings(self._folder)
        return Watched({**known.files, **known.outputs} if known else {})

    def keep(self, outcome: Outcome, disk: Watched, summary: Mapping[str, Any]) -> None:
        """Remember this build, for later processes where they may rely on it."""
        project = outcome.project
        is_lasting = outcome.is_repeatable and project.cache_folder and outcome.published
        if not is_lasting and not self._goes_on:
            return
        try:
            asked = self.asked(disk, ours_of(project))
            files = {file: row_of(file, hex_) for file, hex_ in outcome.inputs.items() if file not in asked.files}
            if any(max(row.mtime_ns, row.ctime_ns) >= self._began_ns for row in files.values()):
                return  # something else than this process read it, and nobody knows which of its states
            outputs = {os.path.join(project.output, path): hex_ for path, hex_ in outputs_of(outcome)}
            packages = {name: package_folders(name) for name in project.packages}
            roots = [os.path.join(folder, "static") for folders in packages.values() for folder in folders]
            record = asked._replace(
                files={**asked.files, **files, **self._code_rows()},
                outputs={file: disk.row_left(file, hex_) for file, hex_ in outputs.items()},
                absent=_as_they_stand({*asked.absent, *outcome.absent, *roots}),
                around={self._folder: self._around},
                packages=packages,
                summary=summary,
            )
            is_around = surroundings(self._folder) == self._around
            if not is_around or not {root.folder for root in project.roots if root.package} <= {*roots}:
                return  # as above: it changed while somebody looked
            if not _is_still_there(outcome):
                return  # another compile has published into this output since
        except OSError:
            return  # somebody changes the files while we look: the next compile looks again
        self.record = record
        if is_lasting:
            save(file_of(project.cache_folder, self._folder, self._output), record)

    def asked(self, disk: Watched, ours: tuple[str, ...]) -> Record:
        """Return what a build has asked of its disk so far, whatever became of it. ours: as `ours_of` gives them."""
        return Record(
            arguments=self._arguments,
            files={file: row for file, row in disk.files.items() if not file.startswith(ours)},
            outputs={},
            folders={folder: hex_ for folder, hex_ in disk.folders.items() if not f"{folder}/".startswith(ours)},
            absent=_as_they_stand(path for path in disk.absent if not path.startswith(ours)),
            around={},
            packages={},
            summary={},
        )

    def is_code_as_it_was(self) -> bool:
        """Return whether the code that compiles is what it was at the first of these questions."""
        return self.is_as_asked(Record(self._arguments, self._code_rows(), {}, {}, {}, {}, {}, {}))

    def is_as_asked(self, record: Record) -> bool:
        """Return whether every answer that a build got would still be the same."""
        return stands(record, self._arguments) is not None

    def _code_rows(self) -> Mapping[str, Row]:
        self._code = self._code or dict(_own_code())
        return self._code


def ours_of(project: Project) -> tuple[str, ...]:
    """Return what the paths of a build's own folders begin with: each with a slash at its end, but for private ones."""
    from assetbuild.compiler.publish import HIDDEN_SUFFIX
    from assetbuild.private import private_prefix

    folders = (project.output, project.output + HIDDEN_SUFFIX, project.cache_folder)
    return (*(os.path.join(folder, "") for folder in folders if folder), private_prefix())


def _as_they_stand(paths: Iterable[str]) -> dict[str, str]:
    return {path: standing_at(path) for path in sorted(paths)}


def _is_still_there(outcome: Outcome) -> bool:
    """Return whether the files that any build may exchange, those without a hash in their name, are this one's."""
    folder, disk = outcome.project.output, RealDisk()
    stable = {asset.logical: asset.sha256_hex for asset in outcome.assets if asset.stable is not None}
    exchanged = {MANIFEST_NAME: hashlib.sha256(outcome.manifest).hexdigest(), **stable}
    found = {path: disk.digests(os.path.join(folder, path), b"").sha256.hex() for path in exchanged}
    return exchanged == found


def outputs_of(outcome: Outcome) -> Iterable[tuple[str, str]]:
    """Yield the path and sha256 (hex) of everything that was published."""
    yield MANIFEST_NAME, hashlib.sha256(outcome.manifest).hexdigest()
    for asset in outcome.assets:
        yield asset.path, asset.sha256_hex
        if asset.stable is not None:
            yield asset.logical, asset.sha256_hex
    for variant in outcome.variants:
        yield variant.path + SUFFIXES[variant.coding], hashlib.sha256(variant.body).hexdigest()


def _own_code() -> Iterable[tuple[str, Row]]:
    """Yield the files that say which code compiled."""
    from assetbuild.compiler.cache.toolchain import files

    for file in files():
        yield file, row_of(file, RealDisk().digests(file, b"").sha256.hex())


def _with_nothing_to_do(summary: Mapping[str, Any], hashed_bytes: int) -> Mapping[str, Any]:
    return {
        **summary,
        "engineRuns": {},
        "encoderRuns": 0,
        "filesWritten": 0,
        "filesUnchanged": summary["filesWritten"] + summary["filesUnchanged"],
        "bytesHashed": hashed_bytes,
        "bytesWritten": 0,
        "reasons": {},
    }

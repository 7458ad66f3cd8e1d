"""The last build: whether it still stands, and what to remember of this one. No compiler is imported to ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assetbuild.manifest import SUFFIXES
from assetbuild.manifest.reader import MANIFEST_NAME
from assetbuild.unchanged import Record, Row, Watched, file_of, load, row_of, save, stands
from assetbuild.version import __version__

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome

__all__ = ["LastBuild"]


class LastBuild:
    """What is known of a project's last build. folder: of the project. arguments: of the command line, JSON values.

    is_asked: False where nothing of an earlier build may count.
    """

    def __init__(
        self, folder: str, arguments: Mapping[str, object], environ: Mapping[str, str], *, is_asked: bool
    ) -> None:
        variables = {name: value for name, value in environ.items() if name.startswith("ASSETBUILD_")}
        home = {name: environ.get(name, "") for name in ("HOME", "XDG_CACHE_HOME")}
        self._arguments = {**arguments, "environ": variables | home, "python": sys.version, "assetbuild": __version__}
        self._folder = folder
        self._output = str(arguments.get("output", ""))
        self._is_asked = is_asked
        self._record: Record | None = None
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
        self._record = record
        standing = stands(record, self._arguments)
        if standing is None:
            return None
        looked_at = [
            row for file, row in standing.rows() if row is not record.files.get(file, record.outputs.get(file))
        ]
        if looked_at:
            save(file, standing)
        return _with_nothing_to_do(record.summary, sum(row.size for row in looked_at))

    def disk(self) -> Watched:
        """Return a disk for this build, which knows what the last one saw."""
        known = self._record
        return Watched({**known.files, **known.outputs} if known else {})

    def keep(self, outcome: Outcome, disk: Watched, summary: Mapping[str, Any]) -> None:
        """Remember this build."""
        project = outcome.project
        is_plain = outcome.is_repeatable and not project.tools.paths
        # Hidden maps lie beside the output, and tools of somebody's choice anywhere: they are asked for every time.
        if not project.cache_folder or not is_plain or outcome.published is None or project.sourcemaps == "hidden":
            return
        ours = tuple(os.path.join(folder, "") for folder in (project.output, project.cache_folder))
        try:
            files = {file: row for file, row in disk.files.items() if not file.startswith(ours)}
            files |= {file: row_of(file, hex_) for file, hex_ in outcome.inputs.items() if file not in files}
            files |= dict(_own_code())
            outputs = {os.path.join(project.output, path): hex_ for path, hex_ in _outputs(outcome)}
            record = Record(
                arguments=self._arguments,
                files=files,
                outputs={file: row_of(file, hex_) for file, hex_ in outputs.items()},
                folders={folder: hex_ for folder, hex_ in disk.folders.items() if not f"{folder}/".startswith(ours)},
                absent=tuple(file for file in sorted(disk.absent | outcome.absent) if not os.path.lexists(file)),
                summary=summary,
            )
        except OSError:
            return  # somebody changes the files while we look: the next compile looks again
        save(file_of(project.cache_folder, self._folder, self._output), record)


def _outputs(outcome: Outcome) -> Iterable[tuple[str, str]]:
    """Yield the path and digest of everything that was published."""
    from hashlib import sha256

    yield MANIFEST_NAME, sha256(outcome.manifest).hexdigest()
    for asset in outcome.assets:
        yield asset.path, asset.sha256_hex
        if asset.stable is not None:
            yield asset.logical, asset.sha256_hex
    for variant in outcome.variants:
        yield variant.path + SUFFIXES[variant.coding], sha256(variant.body).hexdigest()


def _own_code() -> Iterable[tuple[str, Row]]:
    """Yield the files that say which code compiled."""
    from assetbuild.compiler.cache.toolchain import files
    from assetbuild.disk import RealDisk

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

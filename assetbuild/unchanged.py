"""Unchanged: whether everything that the last build read, and everything that it wrote, is still as it was.

Receives what a build asked of the disk and what it left there; hands back its record as long as every answer would be
the same. What rows cannot vouch for is read and held against its digest. Standard library only, and little of it: a
compile with nothing to do should cost no more than looking.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.disk import MODE, RealDisk
from assetbuild.installed import package_folders
from assetbuild.noting import Row, digest_of_names, standing_at, standing_of
from assetbuild.surroundings import surroundings

__all__ = ["Record", "file_of", "load", "save", "stands"]

_FORMAT = 3
_LIMIT_BYTES = 256 << 20  # a record of a hundred thousand files has a tenth of that; more is none of ours


class Record(NamedTuple):
    """A build that is done. arguments: everything that decided it beside the files, JSON values.

    files: what was read; outputs: what was written, absolute. folders: listed → digest of their names.
    absent: paths of which no use was made → what stood there. around: project → digest of its surroundings.
    packages: of Python → their folders. summary: what to say of it, JSON values.
    """

    arguments: Mapping[str, object]
    files: Mapping[str, Row]
    outputs: Mapping[str, Row]
    folders: Mapping[str, str]
    absent: Mapping[str, str]
    around: Mapping[str, str]
    packages: Mapping[str, list[str]]
    summary: Mapping[str, Any]

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield every file with its row."""
        yield from self.files.items()
        yield from self.outputs.items()


def file_of(folder: str, project: str, output: str) -> str:
    """Return where the record of a project's builds into one output lies, in the cache folder."""
    name = hashlib.sha256(f"{project}\0{output}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(folder, "v1", "builds", name)


def load(file: str) -> Record | None:
    """Return the record in `file`, None if there is none that can be believed."""
    try:
        if os.stat(file).st_size > _LIMIT_BYTES:
            return None
        digest, _, text = RealDisk().read(file).partition(b"\n")
        if digest != hashlib.sha256(text).hexdigest().encode():
            return None
        document = json.loads(text)
        if document["format"] != _FORMAT:
            return None
        files, outputs = ({name: Row(*row) for name, row in document[key].items()} for key in ("files", "outputs"))
        others = (document[key] for key in ("folders", "absent", "around", "packages", "summary"))
        return Record(document["arguments"], files, outputs, *others)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def save(file: str, record: Record) -> None:
    """Keep the record; a folder that cannot be written costs the next compile its time, and nothing else."""
    document = {**record._asdict(), "format": _FORMAT}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()
    folder, name = os.path.split(file)
    with contextlib.suppress(OSError):
        RealDisk().install(folder, name, (hashlib.sha256(text).hexdigest().encode(), b"\n", text), MODE)
        RealDisk().sweep(folder)


def stands(record: Record, arguments: Mapping[str, object]) -> Record | None:
    """Return the record if a build with `arguments` would read and write what it did, else None.

    Files that their rows could not vouch for, and that are as they were, have new rows in it.
    """
    if json.loads(json.dumps(arguments)) != record.arguments:
        return None
    if any(standing_at(path) != was for path, was in record.absent.items()):
        return None
    if any(package_folders(name) != folders for name, folders in record.packages.items()):
        return None
    if any(surroundings(project) != digest for project, digest in record.around.items()):
        return None
    try:
        if any(_names_in(folder) != digest for folder, digest in record.folders.items()):
            return None
        if not all(stat.S_ISDIR(os.lstat(folder).st_mode) for folder in {*map(os.path.dirname, record.outputs)}):
            return None  # a link in the place of a folder is none of ours
        files = _as_they_were(record.files, os.stat)
        outputs = _as_they_were(record.outputs, os.lstat, mode=MODE) if files is not None else None
    except OSError:
        return None
    return None if files is None or outputs is None else record._replace(files=files, outputs=outputs)


def _as_they_were(
    rows: Mapping[str, Row], look: Callable[[str], os.stat_result], mode: int | None = None
) -> Mapping[str, Row] | None:
    """Return the rows, renewed where a digest had to say it; None if a file is another, or has another `mode`."""
    renewed: dict[str, Row] = {}
    for file, row in rows.items():
        status = look(file)
        if mode is not None and stat.S_IMODE(status.st_mode) != mode:
            return None
        if row.vouches(status):
            continue
        noted_ns = time.time_ns()
        if not stat.S_ISREG(status.st_mode) or RealDisk().digests(file, b"").sha256.hex() != row.sha256_hex:
            return None
        renewed[file] = Row(*standing_of(status), noted_ns, row.sha256_hex)
    return {**rows, **renewed} if renewed else rows


def _names_in(folder: str) -> str:
    return digest_of_names(folder, RealDisk().scan(folder))

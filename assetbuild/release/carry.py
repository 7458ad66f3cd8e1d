"""Carry: an output also holds the files of earlier releases, so that no page of theirs asks for one in vain.

Receives the folder of a new build and where earlier releases are found; publishes by `exchange`, and only then removes
what an earlier carry had brought and this one did not. Every file is verified before any is written. `lineage` says
what is carried; nothing is carried under a stable name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.download import DIRECT, Route
from assetbuild.exchange import exchange
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, Manifest, ManifestError, check, dump
from assetbuild.manifest.text import parse
from assetbuild.release.copies import copies_of
from assetbuild.release.errors import ReleaseError
from assetbuild.release.lineage import Ancestor, Limits, Lineage, Reason, lineage
from assetbuild.release.places import clashes, places_of
from assetbuild.release.previous import Previous, opened

__all__ = ["Carried", "carry", "document_in"]


class Carried(NamedTuple):
    """What an output holds now. build: id of its new manifest. ancestors: the releases that it carries, newest first.

    left: those that it does not, and which limit forbids it. written: new or repaired files and variants; kept: those
    that stood there; removed: those that an earlier carry had brought.
    """

    build: str
    ancestors: tuple[Ancestor, ...]
    left: tuple[tuple[Ancestor, Reason], ...]
    diagnostics: tuple[Diagnostic, ...]
    written: int
    kept: int
    removed: int


def carry(folder: str, named: Sequence[str], disk: Disk, limits: Limits, by: Route = DIRECT) -> Carried:
    """Make the output in `folder` carry the releases behind the names, the newest first; return what it holds then.

    by: how a URL is reached. Raises `ReleaseError` with every finding, before anything is written; `ManifestError` if
    there is no output, `OSError`. Whatever is raised, `folder` holds a complete build: the one that it held, or this.
    """
    with ExitStack() as until, disk.lock(folder):
        own = document_in(folder, disk)
        found = {each: opened(each, disk, by, until) for each in named}
        earlier = [each for each in found.values() if each is not None]
        line = lineage(own, [parse(each.content) for each in earlier], limits)
        _refuse_clashes(line, earlier)
        copies = copies_of(line, earlier, disk, until)
        document = copies.document(line)
        content = dump(document)
        disk.sweep(folder)
        exchanged = exchange(folder, content, copies.parts(folder, disk), disk)
        gone = _gone(own, document)
        for path in gone:
            disk.remove(folder, path)
    notes = [_nothing_yet(each) for each in found if found[each] is None]
    told = (*notes, *copies.warnings(), *_crowded_out(line.left))
    written = len(copies.by_path.keys() & exchanged)
    kept = len(copies.by_path) - written
    return Carried(Manifest(content).build_id, line.ancestors, line.left, told, written, kept, len(gone))


def document_in(folder: str, disk: Disk) -> dict[str, Any]:
    """Return the manifest of an output as it was parsed; raise `ManifestError` if it cannot be believed."""
    file = os.path.join(folder, MANIFEST_NAME)
    try:
        content = disk.read(file)
    except FileNotFoundError:
        raise ManifestError(f"`{file}` is not there; run `assetbuild compile`, or name its output") from None
    faults = check(content)
    if faults:
        raise ManifestError(f"`{file}` {faults[0]}; compile again")
    document: dict[str, Any] = parse(content)
    return document


def _gone(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the paths of variants and files that only the old manifest names."""
    named = {*_paths(new["files"])}
    return [path for path in _paths(old["files"]) if path not in named]


def _paths(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the path of every variant and file: what is cut short leaves no variant whose file is gone."""
    for path, entry in files.items():
        yield from (path + SUFFIXES[coding] for coding in entry.get("enc", ()))
        yield path


def _refuse_clashes(line: Lineage, earlier: Sequence[Previous]) -> None:
    hint = "carry without it: one of the two was not published by assetbuild"
    found = [
        Diagnostic("name-clash", "error", clash, Span(MANIFEST_NAME), hint)
        for clash in clashes(places_of(Manifest(dump(line.document))))
    ]
    for path, number in line.clashes:
        message = f"`{path}` holds other bytes in `{earlier[number].shown}` than in a later release"
        found.append(Diagnostic("name-clash", "error", message, Span(earlier[number].shown_path(path)), hint))
    if found:
        raise ReleaseError(found)


def _nothing_yet(named: str) -> Diagnostic:
    message = f"`{named}` is empty: there is no earlier release to carry"
    return Diagnostic("no-release", "warning", message)


def _crowded_out(left: Sequence[tuple[Ancestor, Reason]]) -> list[Diagnostic]:
    """Return a warning if the newest release that had no room, which nobody may have foreseen, is left behind."""
    hint = "raise `--max-size`, or lower `--keep`"
    for ancestor, reason in left:
        if reason == "max-size":
            message = f"release `{ancestor.build}` is not carried: it needs {ancestor.size_bytes:,} bytes more"
            return [Diagnostic("no-room", "warning", message, hint=hint)]
    return []

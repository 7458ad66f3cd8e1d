"""Carry: an output also holds the files of earlier releases, so that no page of theirs asks for one in vain.

Receives the folder of a new build and where earlier releases are found; writes through `disk`: files and variants, one
sync, the manifest, and only then removes what an earlier carry had brought and this one did not. Every file is verified
before any is written. `lineage` says what is carried; nothing is carried under a stable name.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, Manifest, ManifestError, check, dump
from assetbuild.manifest.text import parse
from assetbuild.release.decode import DecodeError, Undecodable, decoded
from assetbuild.release.errors import ReleaseError
from assetbuild.release.lineage import Ancestor, Limits, Lineage, Reason, lineage
from assetbuild.release.places import clashes, places_of
from assetbuild.release.previous import Previous, opened
from assetbuild.release.verify import verify_files

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


class _Copy(NamedTuple):
    """A file or variant to be copied. source: of an earlier release; digest: sha256 (hex) of what was verified."""

    source: Previous
    size: int
    digest: str


def carry(folder: str, named: Sequence[str], disk: Disk, limits: Limits) -> Carried:
    """Make the output in `folder` carry the releases behind the names, the newest first; return what it holds then.

    Raises `ReleaseError` with every finding, before anything is written; `ManifestError` if there is no output,
    `OSError`. Whatever is raised, `folder` holds a complete build: the one that it held, or this one.
    """
    with ExitStack() as until, disk.lock(folder):
        own = document_in(folder, disk)
        found = {each: opened(each, disk, until) for each in named}
        earlier = [each for each in found.values() if each is not None]
        notes = [_nothing_yet(each) for each in found if found[each] is None]
        documents = [parse(each.content) for each in earlier]
        unread = _unread(documents)
        line = lineage(own, [_without(unread, each) for each in documents], limits)
        content = dump(line.document)
        _refuse(_clashes(line, earlier, content))
        copies = _verified(line, earlier)
        disk.sweep(folder)
        written = 0
        for path in sorted(copies):
            written += _put(copies[path], folder, path, disk)
        disk.sync(folder)  # every file must be on the disk before the name that vouches for it
        disk.commit(folder, MANIFEST_NAME, content)
        gone = _gone(own, line.document)
        for path in gone:
            disk.remove(folder, path)
    told = (*notes, *(_lost(coding) for coding in sorted(unread) if line.ancestors), *_crowded_out(line.left))
    build = Manifest(content).build_id
    return Carried(build, line.ancestors, line.left, told, written, len(copies) - written, len(gone))


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


def _unread(documents: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the codings that nothing here can decode, so that nobody can believe a variant in them."""
    codings = {coding for each in documents for entry in each["files"].values() for coding in entry.get("enc", ())}
    return frozenset(coding for coding in codings if not _can_decode(coding))


def _without(unread: frozenset[str], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document without variants in those codings."""
    if not unread:
        return document
    files = {
        path: {**entry, "enc": {coding: size for coding, size in entry.get("enc", {}).items() if coding not in unread}}
        for path, entry in document["files"].items()
    }
    return {**document, "files": files}


def _can_decode(coding: str) -> bool:
    try:
        decoded(coding, b"", 0)
    except Undecodable:
        return False
    except DecodeError:
        pass  # nothing is not a stream
    return True


def _clashes(line: Lineage, earlier: Sequence[Previous], content: bytes) -> Iterator[Diagnostic]:
    hint = "carry without it: one of the two was not published by assetbuild"
    for path, number in line.clashes:
        message = f"`{path}` holds other bytes in `{earlier[number].named}` than in a later release"
        yield Diagnostic("name-clash", "error", message, Span(_shown(earlier[number], path)), hint)
    for clash in clashes(places_of(Manifest(content))):
        yield Diagnostic("name-clash", "error", clash, Span(MANIFEST_NAME), hint)


def _verified(line: Lineage, earlier: Sequence[Previous]) -> dict[str, _Copy]:
    """Return what is to be copied, by its path; raise `ReleaseError` with all that is not as its manifest says."""
    copies: dict[str, _Copy] = {}
    findings: list[Diagnostic] = []
    files = line.document["files"]
    for number, source in enumerate(earlier):
        paths = [path for each in line.ancestors for path, origin in each.origins.items() if origin == number]
        report = verify_files(source.folder, source.tree, Manifest(source.content), paths)
        for found in report.diagnostics:
            span = Span(_shown(source, found.span.path)) if found.span else None
            findings.append(found._replace(span=span, hint=f"carry without `{source.named}`, or mend it"))
        for path in paths:
            sizes = {path: files[path]["size"]}
            sizes |= {path + SUFFIXES[coding]: size for coding, size in files[path].get("enc", {}).items()}
            copies |= {each: _Copy(source, size, report.digests.get(each, "")) for each, size in sizes.items()}
    _refuse(findings)
    return copies


def _put(copy: _Copy, folder: str, path: str, disk: Disk) -> bool:
    """Copy a file or variant; return whether it was not there."""
    source = posixpath.join(copy.source.folder, path)
    is_new, digest_hex = disk.fill(folder, path, copy.source.tree.parts(source), copy.size, copy.digest)
    if digest_hex != copy.digest:
        raise OSError(0, "the earlier release changed while it was read", _shown(copy.source, path))
    return is_new


def _shown(source: Previous, path: str) -> str:
    return posixpath.join(source.folder or source.named, path)


def _refuse(findings: Iterator[Diagnostic] | Sequence[Diagnostic]) -> None:
    found = [*findings]
    if found:
        raise ReleaseError(found)


def _nothing_yet(named: str) -> Diagnostic:
    message = f"`{named}` is empty: there is no earlier release to carry"
    return Diagnostic("no-release", "warning", message)


def _lost(coding: str) -> Diagnostic:
    message = f"{coding} variants are not carried: no decoder is installed that could verify them"
    return Diagnostic(
        "unread-variants", "warning", message, hint="pip install 'assetbuild[compile]' where `carry` runs"
    )


def _crowded_out(left: Sequence[tuple[Ancestor, Reason]]) -> list[Diagnostic]:
    """Return a warning if the newest release that had no room, which nobody may have foreseen, is left behind."""
    hint = "raise `--max-size`, or lower `--keep`"
    for ancestor, reason in left:
        if reason == "max-size":
            message = f"release `{ancestor.build}` is not carried: it needs {ancestor.size_bytes:,} bytes more"
            return [Diagnostic("no-room", "warning", message, hint=hint)]
    return []

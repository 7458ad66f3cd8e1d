"""Unpack: an archive becomes an output, or nothing happens. All of it is verified before any of it is written.

Receives an archive and a folder, which may hold an older build; publishes by `exchange`, and then plain copies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.exchange import Parts, exchange
from assetbuild.manifest import MANIFEST_NAME, Manifest, ManifestError
from assetbuild.release.archive import ASSETS, PROVENANCE, SUMS_NAME, Archive
from assetbuild.release.errors import ArchiveError
from assetbuild.release.places import is_below, places_of
from assetbuild.release.provenance import Attestation
from assetbuild.release.verify import Report, verify

__all__ = ["Unpacked", "unpack"]


class Unpacked(NamedTuple):
    """What was published. build: id of the manifest; written: new or repaired files; kept: those that stood there."""

    report: Report
    build: str
    written: int
    kept: int


def unpack(file: str, folder: str, disk: Disk, attestations: str = "") -> Unpacked:
    """Verify the archive and publish it in `folder`; return what was done.

    attestations: a folder for what is attested of the build, "" for none.
    Raises `ArchiveError` with every finding, before anything is written; `OSError`. Whatever is raised, `folder` holds
    a complete build: the one that it held, or this one.
    """
    if attestations and is_below(attestations, folder):
        message = f"`{attestations}` would lie in the output, whose files are all in the manifest"
        raise ArchiveError([Diagnostic("inside-output", "error", message, hint="name a folder beside it")])
    with Archive(file) as archive:
        if attestations and not archive.attestations:
            message = f"`{os.path.basename(file)}` holds no attestations"
            hint = "pack it with `--provenance` or `--sbom`, or leave `--attestations` away"
            raise ArchiveError([Diagnostic("no-attestations", "error", message, hint=hint)])
        report = _verified(archive, file)
        disk.make_folder(folder)
        with disk.lock(folder):
            disk.sweep(folder)
            conflicts = [*_conflicts(archive, folder, disk)]
            if conflicts:
                raise ArchiveError(conflicts)
            written, kept = _publish(archive, report, folder, disk)
        if attestations:
            disk.make_folder(attestations)
            for name, body in archive.attestations.items():
                disk.commit(attestations, os.path.basename(name), body)
        return Unpacked(report, Manifest(archive.manifest).build_id, written, kept)


def _verified(archive: Archive, file: str) -> Report:
    """Return the report of an archive in which all is well; raise `ArchiveError`."""
    attested = archive.attestations.get(PROVENANCE)
    report = verify("", archive, None if attested is None else Attestation(attested, PROVENANCE))
    again, places = f"transfer `{file}` again", archive.places
    bodies = {*places.files, *places.variants, *places.copies}
    found = [each for each in report.diagnostics if each.severity != "note"]
    found = [each._replace(hint=again) if each.span and each.span.path in bodies else each for each in found]
    told = {each.span.path for each in found if each.span}
    # A plain copy has no bytes of its own in an archive: what is wrong with it was said of its file.
    same = {logical for logical, path in places.copies.items() if path in told}
    found = [each for each in found if each.span is None or each.span.path not in same]
    # The manifest has no digest of a variant: where nothing can decode one, this is what tells that it is whole.
    for path in (*places.files, *places.variants):
        if path not in told and report.digests.get(path) != archive.sums[ASSETS + path]:
            message = f"`{path}` does not hold the bytes that `{SUMS_NAME}` says"
            found.append(Diagnostic("wrong-digest", "error", message, Span(path), again))
    if found:
        raise ArchiveError(found)
    return report


def _conflicts(archive: Archive, folder: str, disk: Disk) -> Iterator[Diagnostic]:
    """Yield each file of the build in `folder` that the archive would replace by other bytes.

    Names are content, so no honest archive does; a file that was carried over has a name that nobody can recompute.
    """
    try:
        old = places_of(Manifest(disk.read(os.path.join(folder, MANIFEST_NAME))))
    except (FileNotFoundError, ManifestError):
        return  # there is no build that could be harmed
    new = archive.places
    harmed = [path for path, was in old.files.items() if archive.sums.get(ASSETS + path, was.sha256) != was.sha256]
    harmed += [path for path in (*old.files, *old.variants) if path in new.copies]
    harmed += [path for path in old.variants if path in new.files]
    for path in sorted(harmed):
        message = f"`{path}` of the build that is there would be replaced by other bytes"
        hint = "unpack it into an empty folder, if you trust where it comes from"
        yield Diagnostic("name-clash", "error", message, Span(path), hint)


def _publish(archive: Archive, report: Report, folder: str, disk: Disk) -> tuple[int, int]:
    """Return how many files were written, and how many stood there."""
    places, sizes = archive.places, archive.places.sizes()

    def put(path: str, source: str) -> bool:
        wanted = report.digests[source]
        is_new, digest_hex = disk.fill(folder, path, archive.parts(source), sizes[source], wanted)
        if digest_hex != wanted:
            raise OSError(0, "the archive changed while it was read")
        return is_new

    def expected(path: str) -> tuple[int, str]:
        return sizes[path], report.digests[path]

    parts = Parts(sorted(places.files), sorted(places.variants), lambda path: put(path, path), expected)
    written = len(exchange(folder, archive.manifest, parts, disk))
    written += sum([put(logical, path) for logical, path in places.copies.items()])
    return written, len(sizes) + 1 + len(places.copies) - written

"""Pack: a verified output becomes one archive, the same bytes wherever it is made.

Receives the folder of an output and what is attested of it; writes one file through `disk`. What each file held when it
was verified is what it must hold when it is written. Hidden source maps stay where they are: nothing that is deployed
needs them. Plain copies are left out, since `unpack` makes them from the hashed files as a compile does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import MODE, Disk, place_of_file
from assetbuild.manifest import MANIFEST_NAME, Manifest
from assetbuild.release.archive import ASSETS, ATTESTATIONS, PROVENANCE, SUMS_NAME, sums_text
from assetbuild.release.errors import ArchiveError
from assetbuild.release.places import is_below, places_of
from assetbuild.release.provenance import Attestation
from assetbuild.release.tar import END, header, padding
from assetbuild.release.verify import Report, verify

__all__ = ["Packed", "pack"]


class Packed(NamedTuple):
    """What was packed. build: id of the manifest; sha256_hex, size: of the archive."""

    report: Report
    build: str
    sha256_hex: str
    size: int


def pack(
    folder: str, archive: str, disk: Disk, attestations: Mapping[str, Attestation] = MappingProxyType({})
) -> Packed:
    """Write the output in `folder` to the file `archive`; an old one stays until the new one is complete.

    attestations: name in the archive → what was read; the provenance has to be about this output.
    Raises `ArchiveError` with every finding, `ManifestError` if there is no output, `OSError`.
    """
    if is_below(archive, folder):
        message = f"`{archive}` would lie in the output that is packed"
        raise ArchiveError([Diagnostic("inside-output", "error", message, hint="name a file beside it")])
    place = place_of_file(archive)
    report = verify(folder, disk, attestations.get(PROVENANCE))
    if not report.is_whole:
        raise ArchiveError(report.diagnostics)
    digest, size = hashlib.sha256(), 0
    manifest = disk.read(os.path.join(folder, MANIFEST_NAME))
    bodies = {name: attestations[name].content for name in ATTESTATIONS if name in attestations}

    def counted() -> Iterator[bytes]:
        nonlocal size
        for part in _parts(folder, manifest, report.digests, bodies, disk):
            digest.update(part)
            size += len(part)
            yield part

    parent, name = os.path.split(place)
    disk.make_folder(parent)
    disk.install(parent, name, counted(), MODE)
    disk.sync(parent)
    return Packed(report, Manifest(manifest).build_id, digest.hexdigest(), size)


def _parts(
    folder: str, manifest: bytes, digests: Mapping[str, str], attestations: Mapping[str, bytes], disk: Disk
) -> Iterator[bytes]:
    if hashlib.sha256(manifest).hexdigest() != digests[MANIFEST_NAME]:
        raise _changed(MANIFEST_NAME)
    sizes = places_of(Manifest(manifest)).sizes()
    sums = {ASSETS + path: digests[path] for path in (MANIFEST_NAME, *sizes)}
    sums |= {name: hashlib.sha256(body).hexdigest() for name, body in attestations.items()}
    yield from _whole(ASSETS + MANIFEST_NAME, manifest)
    yield from _whole(SUMS_NAME, sums_text(sums))
    for path, size in sizes.items():
        yield header(ASSETS + path, size)
        digest = hashlib.sha256()
        for part in disk.parts(os.path.join(folder, path)):
            digest.update(part)
            yield part
        if digest.hexdigest() != digests[path]:
            raise _changed(path)
        yield padding(size)
    for name, body in attestations.items():
        yield from _whole(name, body)
    yield END


def _whole(name: str, body: bytes) -> Iterator[bytes]:
    yield from (header(name, len(body)), body, padding(len(body)))


def _changed(path: str) -> ArchiveError:
    message = f"`{path}` changed while it was packed"
    return ArchiveError([Diagnostic("changed-file", "error", message, Span(path), "run the command again")])

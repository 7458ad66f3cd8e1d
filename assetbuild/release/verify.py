"""Verify: a finished output against its own manifest, file by file. Reads only.

Receives a folder; hands on findings and counts. Everything is recomputed from bytes: digests, integrity, the hash in
each name, what each variant decodes to. Nothing may lie in the folder that the manifest does not account for.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.diagnostic import Diagnostic, Severity, Span, by_place
from assetbuild.disk import TEMP_MARK, Disk, Measured
from assetbuild.manifest import (
    MANIFEST_NAME,
    SUFFIXES,
    AssetEntry,
    FileEntry,
    Manifest,
    ManifestError,
    check,
    hash_name,
    name_of_digest,
)
from assetbuild.release.decode import DecodeError, Undecodable, decoded

__all__ = ["Counts", "Report", "verify"]

_REPUBLISH = "compile again, or copy the whole output again"


class Counts(NamedTuple):
    """How much was verified. size: bytes of all files, without their variants."""

    assets: int = 0
    files: int = 0
    variants: int = 0
    size: int = 0


class Report(NamedTuple):
    """What was found, sorted by place, and how much was looked at. Paths are relative to the output."""

    diagnostics: tuple[Diagnostic, ...]
    counts: Counts

    @property
    def is_whole(self) -> bool:
        """Whether the output is what its manifest says."""
        return not any(found.severity == "error" for found in self.diagnostics)


class _Output(NamedTuple):
    """A folder as it was listed, and its manifest with the assets that stand for each file."""

    folder: str
    disk: Disk
    manifest: Manifest
    assets: Mapping[str, AssetEntry]
    files: Mapping[str, FileEntry]
    by_path: Mapping[str, list[str]]
    listing: Mapping[str, Measured]

    def file(self, path: str) -> str:
        return posixpath.join(self.folder, path)


def verify(folder: str, disk: Disk) -> Report:
    """Return what is wrong with the output in `folder`, and what was verified.

    Raises `ManifestError` if there is no manifest to hold it against, `OSError` if the folder cannot be listed.
    """
    shown = posixpath.join(folder, MANIFEST_NAME)
    listing, found = _listed(folder, disk)
    if MANIFEST_NAME not in listing:
        raise ManifestError(f"`{shown}` is not there; name the folder that `assetbuild compile` wrote")
    content = disk.read(shown)
    faults = check(content)
    if faults:
        return Report(
            tuple(_error("broken-manifest", MANIFEST_NAME, f"`{MANIFEST_NAME}` {f}") for f in faults), Counts()
        )
    manifest = Manifest(content, shown)
    assets = {logical: entry for logical in manifest.assets() if (entry := manifest.asset(logical)) is not None}
    files = {path: file for path in manifest.files() if (file := manifest.published(path)) is not None}
    by_path: dict[str, list[str]] = {}
    for logical, entry in assets.items():
        by_path.setdefault(entry.file, []).append(logical)
    output = _Output(folder, disk, manifest, assets, files, by_path, listing)
    for path, file in files.items():
        found += _file_findings(output, path, file)
    for look in (_unread_variants, _relation_findings, _copy_findings, _unlisted):
        found += look(output)
    variants = sum(len(file.enc) for file in files.values())
    counts = Counts(len(assets), len(files), variants, sum(file.size for file in files.values()))
    return Report(tuple(by_place(found)), counts)


def _error(rule: str, path: str, message: str, hint: str = _REPUBLISH, severity: Severity = "error") -> Diagnostic:
    return Diagnostic(rule, severity, message, Span(path), hint)


def _unreadable(path: str, error: OSError) -> Diagnostic:
    return _error("unreadable-file", path, f"`{path}` cannot be read: {error.strerror}", "make it readable")


def _listed(folder: str, disk: Disk, inside: str = "") -> tuple[dict[str, Measured], list[Diagnostic]]:
    """Return the regular files below `folder` by path, and a finding for everything else but folders."""
    listing: dict[str, Measured] = {}
    findings: list[Diagnostic] = []
    for found in disk.measure(posixpath.join(folder, inside)):
        path = inside + found.name
        if found.kind == "folder":
            deeper, more = _listed(folder, disk, f"{path}/")
            listing |= deeper
            findings += more
        elif found.kind == "file":
            listing[path] = found
        else:
            kind = "a link" if found.kind == "link" else "no regular file"
            findings.append(_error("irregular-file", path, f"`{path}` is {kind}", "remove it, and compile again"))
    return listing, findings


def _file_findings(output: _Output, path: str, file: FileEntry) -> Iterator[Diagnostic]:
    """Yield what is wrong with a published file and its variants."""
    if path not in output.listing:
        yield _error("missing-file", path, f"`{path}` is in the manifest and not in the folder")
        return
    try:
        digests = output.disk.digests(output.file(path), output.manifest.build["salt"].encode())
    except OSError as error:
        yield _unreadable(path, error)
        return
    if digests.size != file.size:
        yield _error("wrong-size", path, f"`{path}` has {digests.size:,} bytes; the manifest says {file.size:,}")
    elif digests.sha256.hex() != file.sha256:
        yield _error("wrong-digest", path, f"`{path}` does not hold the bytes that the manifest describes")
    elif "sha384-" + base64.b64encode(digests.sha384).decode() != file.integrity:
        yield _error("wrong-integrity", path, f"the integrity of `{path}` is not that of its bytes")
    elif not file.build and not _is_named_by_hash(output, path, digests.salted):
        yield _error("wrong-name", path, f"the hash in the name of `{path}` is not that of its bytes")
    for coding, size in file.enc.items():
        yield from _variant_findings(output, path, file, coding, size)


def _is_named_by_hash(output: _Output, path: str, salted: bytes) -> bool:
    """Return whether the name holds the hash of the bytes, or of its cycle, by the salt of this build."""
    cycles = {logical: output.assets[logical].cycle for logical in output.by_path.get(path, ())}
    salt = output.manifest.build["salt"]
    of_cycles = [hash_name(salt, bytes.fromhex(c), logical.encode()) for logical, c in cycles.items() if c]
    return any(name in posixpath.basename(path) for name in of_cycles or [name_of_digest(salted)])


def _variant_findings(output: _Output, path: str, file: FileEntry, coding: str, size: int) -> Iterator[Diagnostic]:
    variant = path + SUFFIXES[coding]
    found = output.listing.get(variant)
    if found is None:
        yield _error("missing-file", variant, f"the {coding} variant `{variant}` is not in the folder")
        return
    if found.size != size:
        yield _error("wrong-size", variant, f"`{variant}` has {found.size:,} bytes; the manifest says {size:,}")
        return
    try:
        body = decoded(coding, output.disk.read(output.file(variant)), file.size)
    except Undecodable:
        return
    except DecodeError as error:
        yield _error("broken-variant", variant, f"`{variant}` cannot be decoded: {error}")
    except OSError as error:
        yield _unreadable(variant, error)
    else:
        if hashlib.sha256(body).hexdigest() != file.sha256:
            yield _error("broken-variant", variant, f"`{variant}` decodes to other bytes than `{path}`")


def _unread_variants(output: _Output) -> Iterator[Diagnostic]:
    """Yield one note for each coding that nothing installed here can decode."""
    counts = Counter(coding for file in output.files.values() for coding in file.enc)
    for coding, count in sorted(counts.items()):
        try:
            decoded(coding, b"", 0)
        except Undecodable:
            message = f"{count} {coding} variants were checked by size only: no decoder is installed"
            yield _error("unread-variants", MANIFEST_NAME, message, "pip install 'assetbuild[compile]'", "note")
        except DecodeError:
            pass  # there is a decoder, and nothing is not a stream


def _relation_findings(output: _Output) -> Iterator[Diagnostic]:
    """Yield each name in the manifest that leads nowhere, and each file that nothing leads to."""

    def named(place: str, logicals: tuple[str, ...]) -> Iterator[Diagnostic]:
        for logical in logicals:
            if logical not in output.assets:
                message = f"`{place}` names `{logical}`, which is not in the manifest"
                yield _error("dangling-name", MANIFEST_NAME, message)

    for logical, entry in output.assets.items():
        place = f'assets."{logical}"'
        if entry.file not in output.files:
            yield _error(
                "dangling-name", MANIFEST_NAME, f"`{place}` names the file `{entry.file}`, which is not listed"
            )
        for field in ("refs", "imports", "dynamic", "css"):
            yield from named(f"{place}.{field}", getattr(entry, field))
        yield from named(f"{place}.map", (entry.map,) if entry.map else ())
    for name, bundle in output.manifest.bundles.items():
        yield from named(f'bundles."{name}"', bundle.assets)
    yield from named("importmap", tuple(output.manifest.importmap.values()))
    for path, file in output.files.items():
        if path not in output.by_path and not file.build:
            yield _error("orphan-file", MANIFEST_NAME, f"no asset names the file `{path}`")


def _copies(output: _Output) -> Iterator[tuple[str, str]]:
    """Yield the logical path of each plain copy, with the published path whose bytes it has."""
    for logical, entry in output.assets.items():
        if entry.keep or entry.at:
            yield logical, entry.file


def _copy_findings(output: _Output) -> Iterator[Diagnostic]:
    for logical, path in _copies(output):
        if path not in output.files:
            continue  # reported as a name that leads nowhere
        if logical not in output.listing:
            yield _error("missing-file", logical, f"the plain copy `{logical}` is not in the folder")
        else:
            try:
                digests = output.disk.digests(output.file(logical), b"")
            except OSError as error:
                yield _unreadable(logical, error)
                continue
            if digests.sha256.hex() != output.files[path].sha256:
                yield _error("wrong-digest", logical, f"the plain copy `{logical}` does not hold the bytes of `{path}`")


def _unlisted(output: _Output) -> Iterator[Diagnostic]:
    """Yield what lies in the folder and is neither a file, nor a variant, nor a plain copy, nor the manifest."""
    variants = {path + SUFFIXES[coding] for path, file in output.files.items() for coding in file.enc}
    known = {MANIFEST_NAME, *output.files, *variants, *(logical for logical, _ in _copies(output))}
    for path in output.listing:
        if posixpath.basename(path).startswith(TEMP_MARK):
            message = f"`{path}` is a temporary file of a build that was interrupted, or is running"
            yield _error("temporary-file", path, message, "the next compile removes it", "warning")
        elif path not in known:
            hint = "a compile keeps what an earlier one left: for a release, remove the folder and compile again"
            yield _error("unlisted-file", path, f"`{path}` is not in the manifest", hint)

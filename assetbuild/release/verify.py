"""Verify: a finished output against its own manifest, file by file. Reads only.

Receives a folder; hands on findings and counts. Everything is recomputed from bytes: digests, integrity, the hash in
each name, what each variant decodes to. Nothing may lie in the folder that the manifest does not account for.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from assetbuild.diagnostic import Diagnostic, Severity, Span, by_place, reason_of
from assetbuild.disk import TEMP_MARK, Digests, Measured
from assetbuild.manifest import (
    MANIFEST_NAME,
    SUFFIXES,
    FileEntry,
    Manifest,
    ManifestError,
    check,
    hash_name,
    name_of_digest,
)
from assetbuild.release.decode import DecodeError, Undecodable, decoded
from assetbuild.release.places import Places, clashes, places_of
from assetbuild.release.provenance import Attestation, disagreements
from assetbuild.release.tree import below

__all__ = ["Counts", "Readable", "Report", "verify", "verify_files"]

_REPUBLISH = "compile again, or copy the whole output again"


class Counts(NamedTuple):
    """How much was verified. size: bytes of all files, without their variants."""

    assets: int = 0
    files: int = 0
    variants: int = 0
    size: int = 0


class Report(NamedTuple):
    """What was found, sorted by place, and how much was looked at. Paths are relative to the output.

    digests: path → sha256 (hex) of every file, variant and plain copy that was read, and of the manifest.
    """

    diagnostics: tuple[Diagnostic, ...]
    counts: Counts
    digests: Mapping[str, str] = MappingProxyType({})

    @property
    def is_whole(self) -> bool:
        """Whether the output is what its manifest says."""
        return not any(found.severity == "error" for found in self.diagnostics)


class Readable(Protocol):
    """A tree of files that can be verified: a disk, or an archive that shows itself as one."""

    def measure(self, folder: str) -> list[Measured]:
        """Return what lies directly inside a folder; of a tree without folders all of it, by whole paths."""

    def read(self, file: str) -> bytes:
        """Return the bytes of a file."""

    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests:
        """Return size and digests of a file."""


class _Output(NamedTuple):
    """A folder as it was listed, and its manifest with the assets that stand for each file. digests: as in `Report`."""

    folder: str
    disk: Readable
    manifest: Manifest
    places: Places
    by_path: Mapping[str, list[str]]
    listing: Mapping[str, Measured]
    digests: dict[str, str]

    def file(self, path: str) -> str:
        return posixpath.join(self.folder, path)


def verify(folder: str, disk: Readable, provenance: Attestation | None = None) -> Report:
    """Return what is wrong with the output in `folder`, and what was verified.

    provenance: who claims to have made it, and what. Raises `ManifestError` if there is no manifest to hold it against,
    `OSError` if the folder cannot be listed.
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
    output = _described(folder, disk, Manifest(content, shown), listing)
    digests, places = output.digests, output.places
    digests[MANIFEST_NAME] = hashlib.sha256(content).hexdigest()
    found += [_error("name-clash", MANIFEST_NAME, clash) for clash in clashes(places)]
    for path, file in places.files.items():
        found += _file_findings(output, path, file)
    for look in (_unread_variants, _relation_findings, _copy_findings, _unlisted):
        found += look(output)
    if provenance is not None:
        found += disagreements(provenance, digests)
    size_bytes = sum(file.size for file in places.files.values())
    counts = Counts(len(places.assets), len(places.files), len(places.variants), size_bytes)
    return Report(tuple(by_place(found)), counts, digests)


def verify_files(folder: str, disk: Readable, manifest: Manifest, paths: Iterable[str]) -> Report:
    """Return what is wrong with some published files of an output and their variants, whatever else lies there."""
    output = _described(folder, disk, manifest, _listed(folder, disk)[0])
    files = {path: output.places.files[path] for path in paths}
    found = [each for path, file in files.items() for each in _file_findings(output, path, file)]
    counts = Counts(0, len(files), sum(len(file.enc) for file in files.values()), sum(f.size for f in files.values()))
    return Report(tuple(by_place(found)), counts, output.digests)


def _described(folder: str, disk: Readable, manifest: Manifest, listing: Mapping[str, Measured]) -> _Output:
    places = places_of(manifest)
    by_path: dict[str, list[str]] = {}
    for logical, entry in places.assets.items():
        by_path.setdefault(entry.file, []).append(logical)
    return _Output(folder, disk, manifest, places, by_path, listing, {})


def _error(rule: str, path: str, message: str, hint: str = _REPUBLISH, severity: Severity = "error") -> Diagnostic:
    return Diagnostic(rule, severity, message, Span(path), hint)


def _unreadable(path: str, error: OSError) -> Diagnostic:
    return _error("unreadable-file", path, f"`{path}` cannot be read: {reason_of(error)}", "make it readable")


def _listed(folder: str, disk: Readable) -> tuple[dict[str, Measured], list[Diagnostic]]:
    """Return the regular files below `folder` by path, with findings: what is neither that nor a folder, odd modes."""
    listing: dict[str, Measured] = {}
    findings: list[Diagnostic] = []

    def measure(parent: str) -> list[Measured]:
        measured = disk.measure(parent)
        inside = parent[len(posixpath.join(folder, "")) :]
        for found in measured:
            findings.extend(_mode_findings(inside + found.name, found))
        return measured

    for path, found in below(folder, measure):
        if found.kind == "file":
            listing[path] = found
        else:
            kind = "a link" if found.kind == "link" else "no regular file"
            findings.append(_error("irregular-file", path, f"`{path}` is {kind}", "remove it, and compile again"))
    return listing, findings


def _mode_findings(path: str, found: Measured) -> Iterator[Diagnostic]:
    """Yield what a server that runs as another user could not open, and what others than its owner could change."""
    is_folder = found.kind == "folder"
    if found.kind not in ("file", "folder"):
        return
    wanted = stat.S_IROTH | (stat.S_IXOTH if is_folder else 0)
    if found.mode & wanted != wanted:
        fault = "cannot be read by every user"
    elif found.mode & stat.S_IWOTH:
        fault = "can be changed by every user"
    elif not is_folder and found.mode & (stat.S_ISUID | stat.S_ISGID):
        fault = "would be run with the rights of its owner"
    else:
        return
    hint = f"give it mode {'0755' if is_folder else '0644'}, as a compile does"
    message = f"`{path}` {fault}: its mode is {found.mode:04o}"
    yield Diagnostic("odd-mode", "warning", message, Span(path), hint, group=fault)


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
    output.digests[path] = digests.sha256.hex()
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
    cycles = {logical: output.places.assets[logical].cycle for logical in output.by_path.get(path, ())}
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
        stream = output.disk.read(output.file(variant))
        output.digests[variant] = hashlib.sha256(stream).hexdigest()
        body = decoded(coding, stream, file.size)
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
    counts = Counter(coding for file in output.places.files.values() for coding in file.enc)
    for coding, count in sorted(counts.items()):
        try:
            decoded(coding, b"", 0)
        except Undecodable:
            variants = f"{count:,} {coding} {'variant was' if count == 1 else 'variants were'}"
            message = f"{variants} not decoded, since no decoder is installed"
            yield _error("unread-variants", MANIFEST_NAME, message, "pip install 'assetbuild[compile]'", "note")
        except DecodeError:
            pass  # there is a decoder, and nothing is not a stream


def _relation_findings(output: _Output) -> Iterator[Diagnostic]:
    """Yield each name in the manifest that leads nowhere, and each file that nothing leads to."""

    def named(place: str, logicals: tuple[str, ...]) -> Iterator[Diagnostic]:
        for logical in logicals:
            if logical not in output.places.assets:
                message = f"`{place}` names `{logical}`, which is not in the manifest"
                yield _error("dangling-name", MANIFEST_NAME, message)

    for logical, entry in output.places.assets.items():
        place = f'assets."{logical}"'
        if entry.file not in output.places.files:
            yield _error(
                "dangling-name", MANIFEST_NAME, f"`{place}` names the file `{entry.file}`, which is not listed"
            )
        for field in ("refs", "imports", "dynamic", "css"):
            yield from named(f"{place}.{field}", getattr(entry, field))
        yield from named(f"{place}.map", (entry.map,) if entry.map else ())
    for name, bundle in output.manifest.bundles.items():
        yield from named(f'bundles."{name}"', bundle.assets)
    yield from named("importmap", tuple(output.manifest.importmap.values()))
    for path, file in output.places.files.items():
        if path not in output.by_path and not file.build:
            yield _error("orphan-file", MANIFEST_NAME, f"no asset names the file `{path}`")
        if file.build and file.build not in output.manifest.build.get("previous", ()):
            message = f"`{path}` was carried from `{file.build}`, which `build.previous` does not name"
            yield _error("dangling-name", MANIFEST_NAME, message)


def _copy_findings(output: _Output) -> Iterator[Diagnostic]:
    for logical, path in output.places.copies.items():
        if path not in output.places.files:
            continue  # reported as a name that leads nowhere
        if logical not in output.listing:
            yield _error("missing-file", logical, f"the plain copy `{logical}` is not in the folder")
            continue
        try:
            digests = output.disk.digests(output.file(logical), b"")
        except OSError as error:
            yield _unreadable(logical, error)
            continue
        output.digests[logical] = digests.sha256.hex()
        if digests.sha256.hex() != output.places.files[path].sha256:
            yield _error("wrong-digest", logical, f"the plain copy `{logical}` does not hold the bytes of `{path}`")


def _unlisted(output: _Output) -> Iterator[Diagnostic]:
    """Yield what lies in the folder and is neither a file, nor a variant, nor a plain copy, nor the manifest."""
    known = output.places.known()
    for path in output.listing:
        if posixpath.basename(path).startswith(TEMP_MARK):
            message = f"`{path}` is a temporary file of a build that was interrupted, or is running"
            yield _error("temporary-file", path, message, "the next compile removes it", "warning")
        elif path not in known:
            hint = (
                "`assetbuild clean` removes what earlier compiles left, and with `--unknown` whatever else lies there"
            )
            message = f"`{path}` is not in the manifest"
            yield Diagnostic("unlisted-file", "error", message, Span(path), hint, group="unlisted-file")

"""Archive: one file that holds an output, byte for byte the same wherever it is made.

    assets/manifest.json · SHA256SUMS · assets/<every file and variant> · attestations/<those there are>

A tar without compression: most of what is in it is compressed already, no encoder's version can change it, and it can
be read from any place, so that everything is verified before a byte of it is written anywhere. `tar` and `sha256sum -c`
read it, too. The manifest comes first and says what must follow: names, sizes and order. So each block of the archive
is known before it is read, and whatever is otherwise is refused: no name in it ever becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Digests, Measured
from assetbuild.manifest import MANIFEST_NAME, Manifest, check
from assetbuild.release.errors import ArchiveError
from assetbuild.release.places import Places, clashes, places_of
from assetbuild.release.tar import BLOCK_BYTES, END, header, padding, size_in

__all__ = ["ASSETS", "ATTESTATIONS", "PROVENANCE", "SBOM", "SUMS_NAME", "Archive", "sums_text"]

ASSETS = "assets/"
PROVENANCE, SBOM = "attestations/provenance.json", "attestations/sbom.json"
ATTESTATIONS = (PROVENANCE, SBOM)
"""What may come with the files, in this order."""

SUMS_NAME = "SHA256SUMS"

_MANIFEST_LIMIT = 256 << 20
_ATTESTATION_LIMIT = 64 << 20
_PART_BYTES = 1 << 20
# Assets whose names differ only in what a URL cannot hold may share a file. More copies than that would fill a disk.
_COPIES_LIMIT = 10
_HEX = frozenset("0123456789abcdef")


class _Extent(NamedTuple):
    start: int
    size: int


class _Broken(Exception):
    """The archive is not what it should be; the text says where, as a clause."""


def sums_text(sums: Mapping[str, str]) -> bytes:
    """Return the list of digests as `sha256sum` writes it. sums: name in the archive → sha256 (hex)."""
    return "".join(f"{digest_hex}  {name}\n" for name, digest_hex in sums.items()).encode()


class Archive:
    """An archive that was opened and whose layout is what its manifest asks for; what its files hold is not yet read.

    It shows the output as a tree that can be verified, plain copies included: they are the bytes of hashed files.
    manifest: its bytes. sums: name in the archive → sha256 (hex) that it claims. attestations: their bytes by name.
    Raises `ArchiveError` at the first doubt, `OSError` if the file cannot be read. A context manager.
    """

    def __init__(self, file: str) -> None:
        self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._open(file)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def measure(self, folder: str) -> list[Measured]:  # noqa: ARG002 there is but one
        """Return every file of the output by its whole path: an archive has no folders.

        They would need more memory than all that is in it, where many paths are long.
        """
        return [Measured(path, "file", extent.size, 0) for path, extent in sorted(self._extents.items())]

    def read(self, file: str) -> bytes:
        """Return the bytes of a file of the output."""
        return b"".join(self.parts(file))

    def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Digests:  # noqa: ARG002 nothing is kept
        """Return size and digests of a file of the output."""
        sha256, sha384, salted, size = hashlib.sha256(), hashlib.sha384(), hashlib.sha256(salt), 0
        for part in self.parts(file):
            size += len(part)
            for digest in (sha256, sha384, salted):
                digest.update(part)
        return Digests(size, sha256.digest(), sha384.digest(), salted.digest())

    def parts(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file of the output, a bounded part at a time."""
        at, end = self._extents[path].start, sum(self._extents[path])
        while at < end:
            part = os.pread(self._descriptor, min(_PART_BYTES, end - at), at)
            if not part:
                raise OSError(0, "the archive was cut while it was read")
            yield part
            at += len(part)

    def _open(self, file: str) -> None:
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file", file)
        self._size, self._at = status.st_size, 0
        self._extents: dict[str, _Extent] = {}
        try:
            self._read_layout()
        except _Broken as error:
            message = f"`{os.path.basename(file)}` is not what `assetbuild pack` writes: {error}"
            hint = "transfer it again, or pack the output again with this version"
            raise ArchiveError([Diagnostic("broken-archive", "error", message, Span(file), hint)]) from None

    def _read_layout(self) -> None:
        extent = self._member(ASSETS + MANIFEST_NAME, _MANIFEST_LIMIT)
        self.manifest = self._pread(*extent)
        faults = check(self.manifest)
        if faults:
            raise _Broken(f"its `{MANIFEST_NAME}` {faults[0]}")
        self.places = places_of(Manifest(self.manifest))
        clash = next(clashes(self.places), "")
        if clash:
            raise _Broken(clash)
        sizes = self.places.sizes()
        if self._at + sum(sizes.values()) > self._size:
            raise _Broken("it ends before all that its manifest names")
        self.sums = self._read_sums(sizes)
        self._extents = {MANIFEST_NAME: extent} | {
            path: self._member(ASSETS + path, size, size) for path, size in sizes.items()
        }
        self.attestations = {
            name: self._pread(*self._member(name, _ATTESTATION_LIMIT)) for name in ATTESTATIONS if name in self.sums
        }
        if self._pread(self._at, len(END)) != END or self._at + len(END) != self._size:
            raise _Broken(f"it does not end behind its last file, at byte {self._at:,}")
        self._check_sum(ASSETS + MANIFEST_NAME, self.manifest)
        for name, body in self.attestations.items():
            self._check_sum(name, body)
        self._show_copies(self.places)

    def _read_sums(self, paths: Mapping[str, int]) -> dict[str, str]:
        names = [ASSETS + MANIFEST_NAME, *(ASSETS + path for path in paths)]
        longest = sums_text(dict.fromkeys([*names, *ATTESTATIONS], "0" * 64))
        text = self._pread(*self._member(SUMS_NAME, len(longest)))
        try:
            found = {line[66:]: line[:64] for line in text.decode().splitlines()}
        except UnicodeDecodeError:
            found = {}
        names += [name for name in ATTESTATIONS if name in found]
        if (
            list(found) != names
            or sums_text(found) != text
            or not all(_HEX.issuperset(each) for each in found.values())
        ):
            raise _Broken(f"its `{SUMS_NAME}` does not list the files of its manifest")
        return found

    def _member(self, name: str, limit: int, size: int | None = None) -> _Extent:
        """Return where the bytes of the next file lie, which must be the one called `name`, and step over it.

        size: what it must be, None where only the archive knows.
        """
        if size is None:
            size = size_in(self._pread(self._at, BLOCK_BYTES))
            if size is None or size > limit:
                raise _Broken(f"`{name}` is not where it belongs, at byte {self._at:,}")
        expected = header(name, size)
        if self._pread(self._at, len(expected)) != expected:
            raise _Broken(f"`{name}` is not where it belongs, at byte {self._at:,}")
        extent = _Extent(self._at + len(expected), size)
        self._at = sum(extent) + len(padding(size))
        if self._at > self._size:
            raise _Broken(f"it ends before `{name}` does")
        if self._pread(sum(extent), len(padding(size))) != padding(size):
            raise _Broken(f"something lies behind the end of `{name}`")
        return extent

    def _show_copies(self, places: Places) -> None:
        """Let each plain copy be seen where it would lie."""
        for logical, path in places.copies.items():
            if path not in self._extents:
                raise _Broken(f"its plain copy `{logical}` has no file")
            self._extents[logical] = self._extents[path]
        if sum(self._extents[logical].size for logical in places.copies) > _COPIES_LIMIT * self._size:
            raise _Broken("its plain copies are too many of the same files")

    def _check_sum(self, name: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != self.sums[name]:
            raise _Broken(f"`{name}` does not hold the bytes that `{SUMS_NAME}` says")

    def _pread(self, at: int, size: int) -> bytes:
        """Return `size` bytes, fewer at the end of the archive."""
        body = b""
        while len(body) < size and (part := os.pread(self._descriptor, size - len(body), at + len(body))):
            body += part
        return body

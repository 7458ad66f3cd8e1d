"""Archives: what is unpacked is whole and lies in its folder, and of what is refused nothing is written."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assetbuild.disk import RealDisk
from assetbuild.manifest import Manifest, ManifestError, dump, hash_name
from assetbuild.release.archive import ASSETS, SUMS_NAME, sums_text
from assetbuild.release.errors import ArchiveError
from assetbuild.release.pack import pack
from assetbuild.release.places import places_of
from assetbuild.release.tar import END, header, padding
from assetbuild.release.unpack import unpack
from tests.fuzz.grain import Grain
from tests.manifests import document, file_entry, published, write

__all__ = ["archives"]

_PIECES = [b"\0", b"1", b"7", b"/", b"../", b"x", b"\xff", b"0000644", b"ustar", bytes(512), b"assets/", b" path=/x\n"]
_LOGICAL = ["a.css", "b.css", "css/a.css", "A.css", "manifest.json", "a.css/b", ".assetbuild-tmp-1-1", "x.gz", "é"]
_FOLDERS = ["", "css/", "a.css/", ".assetbuild-tmp-1-2/", "manifest.json/", "-/", ".git/"]
_BODIES = [b"", b"a{}", b"b" * 600]


class _Quick(RealDisk):
    """A disk that promises nothing for the time after a power cut, which nobody asks here."""

    def sync(self, folder: str) -> None:
        assert os.path.isdir(folder)


@functools.cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def _honest() -> bytes:
    folder, archive = _scratch() / "output", _scratch() / "output.tar"
    bodies = {"css/app.css": b"a{color:red}" * 20, "robots.txt": b"User-agent: *", "e.txt": b"x"}
    write(folder, published(folder, bodies, robots_txt={"at": "/robots.txt"}))
    (folder / "robots.txt").write_bytes(bodies["robots.txt"])
    pack(str(folder), str(archive), RealDisk())
    return archive.read_bytes()


def archives(content: bytes) -> None:
    """Unpack an archive that was changed on its way, or that somebody wrote on purpose."""
    grain = Grain(content)
    honest = _honest()
    archive = bytearray(_written(grain) if grain.below(2) else honest)
    while grain:
        at, size = grain.below(65_536) % (len(archive) + 1), grain.pick([0, 1, 1, 3, 8, 512, 1024])
        archive[at : at + size] = grain.pick([*_PIECES, grain.taken(8)])
    target = _scratch() / "target"
    with _in_memory(bytes(archive)) as file:
        try:
            unpack(file, str(target), _Quick())
        except (ArchiveError, ManifestError):
            assert not target.exists()
            return
        finally:
            found = _tree(target)
            shutil.rmtree(target, ignore_errors=True)
    manifest = Manifest(found.pop("manifest.json"))
    places = places_of(manifest)
    assert {*places.files, *places.variants, *places.copies} == {*found}
    for path, entry in places.files.items():
        assert entry.sha256 == hashlib.sha256(found[path]).hexdigest()
    for logical, path in places.copies.items():
        assert found[logical] == found[path]


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if not file.is_dir()}


def _written(grain: Grain) -> bytes:
    """Return an archive whose every digest agrees with its manifest, of names and bytes that nobody compiled."""
    assets: dict[str, Any] = {}
    files: dict[str, Any] = {}
    contents: dict[str, bytes] = {}
    for _ in range(1 + grain.below(4)):
        body, logical = grain.pick(_BODIES), grain.pick(_LOGICAL)
        path = f"{grain.pick(_FOLDERS)}a-{hash_name('', body)}{grain.pick(['.css', '.css.gz', ''])}"
        assets[logical] = {"file": grain.pick([path, path, "none-aaaaaaaaaa.css"])} | grain.pick(
            [{}, {"keep": True}, {"at": "/a"}, {"refs": ["b.css"]}]
        )
        files[path] = file_entry(grain.pick([body, body, body, b"other"])) | grain.pick(
            [{}, {}, {"size": 3}, {"enc": {"br": 1}}]
        )
        contents[path] = body
    try:
        manifest = dump(document(assets, files))
        sizes = places_of(Manifest(manifest)).sizes()
    except ManifestError:
        return _honest()
    bodies = {path: contents.get(path, b"?")[:size].ljust(size, b"?") for path, size in sizes.items() if size < 10_000}
    sums = {ASSETS + "manifest.json": hashlib.sha256(manifest).hexdigest()}
    sums |= {ASSETS + path: hashlib.sha256(body).hexdigest() for path, body in bodies.items()}
    parts = [(ASSETS + "manifest.json", manifest), (SUMS_NAME, sums_text(sums))]
    parts += [(ASSETS + path, body) for path, body in bodies.items()]
    return b"".join(header(name, len(body)) + body + padding(len(body)) for name, body in parts) + END


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Give the name of a regular file that no disk has."""
    descriptor = os.memfd_create("archive")
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)

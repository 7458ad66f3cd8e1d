"""Exchange: whenever a publisher dies, the folder holds the old build or the new one, and every variant is its own."""

from __future__ import annotations

import errno
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from assetbuild import Assets
from assetbuild.disk import RealDisk
from assetbuild.exchange import without_variants
from assetbuild.manifest import MANIFEST_NAME
from assetbuild.release.carry import carry
from assetbuild.release.lineage import Limits
from assetbuild.release.pack import pack
from assetbuild.release.unpack import unpack
from assetbuild.release.verify import verify
from tests.manifests import published, write
from tests.transports import TRANSPORTS, Transport

BODIES = {"css/app.css": b"a{color:red}" * 20, "js/app.js": b"import('./x')" * 9}
OTHERS = {"css/app.css": b"a{color:blue}" * 20}


class Dying(RealDisk):
    """A real disk that notes what changes it, and whose process dies at the n-th of these; 0 for never."""

    def __init__(self, at: int = 0) -> None:
        self._at = at
        self.steps: list[str] = []

    def _step(self, step: str) -> None:
        self.steps.append(step)
        if len(self.steps) == self._at:
            raise KeyboardInterrupt

    def fill(self, folder: str, path: str, parts: Iterable[bytes], size: int, sha256_hex: str) -> tuple[bool, str]:
        self._step(path)
        return super().fill(folder, path, parts, size, sha256_hex)

    def sync(self, folder: str) -> None:
        self._step("sync")
        super().sync(folder)

    def commit(self, folder: str, path: str, body: bytes) -> bool:
        self._step(path)
        return super().commit(folder, path, body)


class Unsynced(Dying):
    """A disk whose n-th sync fails."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self._fails_at = fails_at

    def sync(self, folder: str) -> None:
        super().sync(folder)
        if self.steps.count("sync") == self._fails_at:
            raise OSError(errno.EIO, "Input/output error", folder)


def output(folder: Path, bodies: dict[str, bytes] = BODIES) -> Path:
    """Write a whole output with gzip variants."""
    write(folder, published(folder, bodies))
    return folder


def encoded_otherwise(folder: Path) -> Path:
    """Give the output variants of another encoder, which writes the name of the file into them (RFC 1952 FNAME)."""
    document = json.loads((folder / MANIFEST_NAME).read_bytes())
    for path, entry in document["files"].items():
        packed = io.BytesIO()
        with gzip.GzipFile(path, "wb", fileobj=packed, mtime=0) as stream:
            stream.write((folder / path).read_bytes())
        body = packed.getvalue()
        (folder / f"{path}.gz").write_bytes(body)
        entry["enc"] = {"gzip": len(body)}
    write(folder, document)
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def rules(folder: Path) -> set[str]:
    return {found.rule for found in verify(str(folder), RealDisk()).diagnostics}


def codings(folder: Path) -> int:
    """Return how many variants the manifest names."""
    files = json.loads((folder / MANIFEST_NAME).read_bytes())["files"].values()
    return sum(len(entry.get("enc", ())) for entry in files)


def deaths(act: Callable[[Dying], object]) -> Iterator[int]:
    """Yield after each death of `act`, one change later each time, until it lives."""
    for at in range(1, 1000):
        try:
            act(Dying(at))
        except KeyboardInterrupt:
            yield at
        else:
            return


def unpacked(folder: Path, disk: RealDisk, source: Path) -> None:
    """Publish the output `source` in `folder` by way of an archive."""
    archive = source.with_suffix(".tar")
    if not archive.exists():
        pack(str(source), str(archive), RealDisk())
    unpack(str(archive), str(folder), disk)


def test_variants_that_another_encoder_made_are_replaced_while_no_manifest_names_them(tmp_path: Path) -> None:
    served, new = encoded_otherwise(output(tmp_path / "served")), output(tmp_path / "new", {**BODIES, **OTHERS})
    disk = Dying()

    unpacked(served, disk, new)

    css, js = sorted(path.removesuffix(".gz") for path in snapshot(new) if path.endswith(".gz"))
    first, then = [css, js, f"{css}.gz", "sync", MANIFEST_NAME], [f"{js}.gz", "sync", MANIFEST_NAME]
    assert [*first, *then] == disk.steps
    assert snapshot(new).items() <= snapshot(served).items()


def test_a_build_that_replaces_no_variant_is_committed_once(tmp_path: Path) -> None:
    served, new = output(tmp_path / "served"), output(tmp_path / "new", {**BODIES, **OTHERS})
    disk = Dying()

    unpacked(served, disk, new)

    assert ["sync", MANIFEST_NAME] == disk.steps[-2:]
    assert (1, 1) == (disk.steps.count("sync"), disk.steps.count(MANIFEST_NAME))


def test_whenever_unpack_dies_while_it_replaces_variants_the_build_is_whole_and_the_next_one_ends_it(
    tmp_path: Path,
) -> None:
    start, new = encoded_otherwise(output(tmp_path / "start")), output(tmp_path / "new")
    served, seen = tmp_path / "served", list[int]()
    shutil.copytree(start, served)

    for _ in deaths(lambda disk: unpacked(served, disk, new)):
        assert {"unlisted-file"} >= rules(served)
        seen.append(codings(served))
        unpacked(served, RealDisk(), new)
        assert snapshot(new) == snapshot(served)
        shutil.rmtree(served)
        shutil.copytree(start, served)

    assert [2] * 4 + [0] * 3 == seen[:7]


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.name)
def test_a_server_that_runs_on_with_the_old_manifest_sends_the_right_bytes_at_every_moment(
    tmp_path: Path, transport: Transport
) -> None:
    start, new, served = encoded_otherwise(output(tmp_path / "start")), output(tmp_path / "new"), tmp_path / "served"
    bodies = {path: body for path, body in snapshot(start).items() if path.endswith((".css", ".js"))}
    shutil.copytree(start, served)
    assets = Assets.open(served / MANIFEST_NAME, environ={})

    sent = []
    for _ in deaths(lambda disk: unpacked(served, disk, new)):
        app = transport.middleware(transport.page, assets)
        answers = {path: transport.ask(app, f"/static/{path}", headers={"accept-encoding": "gzip"}) for path in bodies}
        assert bodies == {
            path: gzip.decompress(answer.body) if answer["content-encoding"] else answer.body
            for path, answer in answers.items()
        }
        sent.append(sum(answer["content-encoding"] is None for answer in answers.values()))
        shutil.rmtree(served)
        shutil.copytree(start, served)

    assert {0, 1, 2} == {*sent}


def test_whenever_carry_dies_while_it_replaces_variants_the_build_is_whole_and_the_next_one_ends_it(
    tmp_path: Path,
) -> None:
    first, again, new = encoded_otherwise(output(tmp_path / "first")), output(tmp_path / "again"), tmp_path / "new"
    start = output(tmp_path / "start", OTHERS)
    carry(str(start), [str(first)], RealDisk(), Limits())
    shutil.copytree(start, new)
    carry(str(new), [str(again)], RealDisk(), Limits())
    done = snapshot(new)
    shutil.rmtree(new)
    shutil.copytree(start, new)
    seen = list[int]()

    for _ in deaths(lambda disk: carry(str(new), [str(again)], disk, Limits())):
        assert {"unlisted-file"} >= rules(new)
        seen.append(codings(new))
        carry(str(new), [str(again)], RealDisk(), Limits())
        assert done == snapshot(new)
        shutil.rmtree(new)
        shutil.copytree(start, new)

    assert {1, 3} == {*seen}


@pytest.mark.parametrize(("fails_at", "gone"), [(1, ["{css}", "{css}.gz"]), (2, ["{js}.gz"])])
def test_what_could_not_be_synced_is_not_there_to_be_believed(tmp_path: Path, fails_at: int, gone: list[str]) -> None:
    """The kernel may call pages clean that never reached the disk."""
    served, new = encoded_otherwise(output(tmp_path / "served")), output(tmp_path / "new", {**BODIES, **OTHERS})
    css, js = sorted(path.removesuffix(".gz") for path in snapshot(new) if path.endswith(".gz"))

    with pytest.raises(OSError, match="Input/output error"):
        unpacked(served, Unsynced(fails_at), new)

    assert {path.format(css=css, js=js) for path in gone} == snapshot(new).keys() - snapshot(served).keys()
    assert {"unlisted-file"} >= rules(served)
    unpacked(served, RealDisk(), new)
    assert snapshot(new).items() <= snapshot(served).items()


def test_what_the_old_build_names_stays_though_its_mending_could_not_be_synced(tmp_path: Path) -> None:
    served, new = output(tmp_path / "served"), output(tmp_path / "new")
    torn = next(served.glob("css/*.css"))
    torn.write_bytes(b"torn")

    with pytest.raises(OSError, match="Input/output error"):
        unpacked(served, Unsynced(1), new)

    assert snapshot(new) == snapshot(served)


@pytest.mark.parametrize("manifest", [None, b"{}"])
def test_without_a_manifest_to_be_believed_everything_that_could_not_be_synced_goes(
    tmp_path: Path, manifest: bytes | None
) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    if manifest is not None:
        (folder / MANIFEST_NAME).write_bytes(manifest)

    with pytest.raises(OSError, match="Input/output error"):
        unpacked(folder, Unsynced(1), output(tmp_path / "new"))

    assert ({} if manifest is None else {MANIFEST_NAME: manifest}) == snapshot(folder)


def test_a_manifest_without_some_variants_is_otherwise_as_it_was() -> None:
    entry = {"size": 9, "enc": {"br": 3, "gzip": 4}}
    document = {"base": "/", "files": {"a.css": entry, "b.png": {"size": 1}}}

    thin = without_variants(document, {"a.css.br"})

    assert {"base": "/", "files": {"a.css": {"size": 9, "enc": {"gzip": 4}}, "b.png": {"size": 1, "enc": {}}}} == thin
    assert {"br": 3, "gzip": 4} == entry["enc"]

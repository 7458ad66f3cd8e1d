"""Pack and unpack: one archive on every machine, and nothing published unless all of it is as it was packed."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.cli import main
from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.manifest import dump, hash_name
from assetbuild.release.archive import ASSETS, PROVENANCE, SBOM, SUMS_NAME, Archive, sums_text
from assetbuild.release.errors import ArchiveError
from assetbuild.release.pack import pack
from assetbuild.release.provenance import PREDICATE_TYPE, STATEMENT_TYPE, Attestation
from assetbuild.release.tar import END, header, padding
from assetbuild.release.unpack import unpack
from assetbuild.release.verify import verify
from tests.conftest import need
from tests.manifests import Document, file_entry, published, write

OLD = {"css/app.css": b"a{color:red}" * 20, "robots.txt": b"User-agent: *"}
NEW = {"css/app.css": b"a{color:blue}" * 20, "js/app.js": b"import('./x')" * 9, "robots.txt": b"User-agent: x"}


def output(folder: Path, bodies: dict[str, bytes]) -> Path:
    """Write a whole output with gzip variants and one plain copy."""
    write(folder, published(folder, bodies, robots_txt={"at": "/robots.txt"}))
    (folder / "robots.txt").write_bytes(bodies["robots.txt"])
    return folder


def packed(folder: Path, archive: Path, **attestations: bytes) -> bytes:
    names = {"provenance": PROVENANCE, "sbom": SBOM}
    given = {names[key]: Attestation(body, f"{key}.json") for key, body in attestations.items()}
    pack(str(folder), str(archive), RealDisk(), given)
    return archive.read_bytes()


def statement(folder: Path) -> Document:
    """Return a provenance whose subjects are what lies in a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    subjects = [
        {"name": str(file.relative_to(folder)), "digest": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}
        for file in files
    ]
    return {"_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "subject": subjects, "predicate": {}}


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the mode and the bytes of everything in a folder."""
    return {
        str(file.relative_to(folder)): (
            stat.S_IMODE(file.lstat().st_mode),
            file.read_bytes() if file.is_file() else b"",
        )
        for file in folder.rglob("*")
    }


class Site:
    """An archive of a new build, and a folder that serves an old one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "assets.tar"
        self.content = packed(output(folder / "new", NEW), self.archive)
        self.served = output(folder / "served", OLD)
        self.before = snapshot(self.served)

    def refusal(self, content: bytes) -> list[str]:
        """Return the rules of the findings for an archive that must be refused, having seen that nothing happened."""
        self.archive.write_bytes(content)
        with pytest.raises(ArchiveError) as caught:
            unpack(str(self.archive), str(self.served), RealDisk())
        assert self.before == snapshot(self.served)
        return [found.rule for found in caught.value.diagnostics]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


class TestPacking:
    def test_what_is_unpacked_is_what_was_packed(self, tmp_path: Path) -> None:
        source = output(tmp_path / "out", NEW)
        packed(source, tmp_path / "assets.tar")

        done = unpack(str(tmp_path / "assets.tar"), str(tmp_path / "copy"), RealDisk())

        assert snapshot(source).keys() == snapshot(tmp_path / "copy").keys()
        assert verify(str(tmp_path / "copy"), RealDisk()).is_whole
        assert {path: body for path, (_, body) in snapshot(source).items()} == {
            path: body for path, (_, body) in snapshot(tmp_path / "copy").items()
        }
        assert (8, 0) == (done.written, done.kept)

    def test_the_same_output_gives_the_same_archive_in_any_folder_under_any_clock_and_umask(
        self, tmp_path: Path
    ) -> None:
        one = packed(output(tmp_path / "one", NEW), tmp_path / "one.tar")
        before = os.umask(0o077)
        try:
            other = output(tmp_path / "elsewhere/two", dict(reversed(NEW.items())))
            for file in other.rglob("*"):
                os.utime(file, (1, 1))
            two = packed(other, tmp_path / "two.tar")
        finally:
            os.umask(before)

        assert one == two
        assert 0o644 == stat.S_IMODE((tmp_path / "two.tar").stat().st_mode)

    def test_two_compiles_of_the_same_sources_give_one_archive(self, tmp_path: Path) -> None:
        archives = []
        for name, jobs in (("one", "1"), ("elsewhere/two", "4")):
            project = tmp_path / name
            (project / "assets/img").mkdir(parents=True)
            (project / "assets/a.css").write_text("a{background:url(img/dot.svg)}" * 40)
            (project / "assets/img/dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
            assert 0 == main(["compile", str(project), "--jobs", jobs])
            archives.append(packed(project / "build/assets", tmp_path / f"{jobs}.tar"))

        assert archives[0] == archives[1]

    def test_any_tar_reads_it_and_its_list_of_digests_checks_it(self, site: Site) -> None:
        need("tar", shutil.which("tar") is not None)
        need("sha256sum", shutil.which("sha256sum") is not None)
        (site.folder / "plain").mkdir()

        subprocess.run(["tar", "-xf", site.archive, "-C", site.folder / "plain"], check=True)
        checked = subprocess.run(
            ["sha256sum", "--strict", "--quiet", "-c", SUMS_NAME], cwd=site.folder / "plain", check=False
        )

        assert 0 == checked.returncode
        assert snapshot(site.folder / "new").keys() - {"robots.txt"} == snapshot(site.folder / "plain/assets").keys()

    def test_its_files_belong_to_nobody_and_to_no_time(self, site: Site) -> None:
        with tarfile.open(site.archive) as archive:
            members = archive.getmembers()

        names = [member.name for member in members]
        assert [f"{ASSETS}manifest.json", SUMS_NAME] == names[:2]
        assert sorted(names[2:]) == names[2:]
        assert {(0, 0, "", "", 0, 0o644)} == {(m.uid, m.gid, m.uname, m.gname, m.mtime, m.mode) for m in members}

    def test_what_is_broken_is_not_packed_and_an_older_archive_stays(self, site: Site) -> None:
        (site.folder / "new/stray.txt").write_bytes(b"")

        with pytest.raises(ArchiveError) as caught:
            packed(site.folder / "new", site.archive)

        assert ["unlisted-file"] == [found.rule for found in caught.value.diagnostics]
        assert site.content == site.archive.read_bytes()

    def test_a_file_that_changes_after_it_was_verified_is_not_packed(self, site: Site) -> None:
        class Changing(RealDisk):
            def parts(self, file: str) -> Iterator[bytes]:
                yield b"other" if file.endswith(".js") else self.read(file)

        with pytest.raises(ArchiveError) as caught:
            pack(str(site.folder / "new"), str(site.archive), Changing())

        assert ["changed-file"] == [found.rule for found in caught.value.diagnostics]
        assert site.content == site.archive.read_bytes()

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
    def test_what_is_no_file_is_not_replaced_by_one(self, site: Site, make: Callable[[Path], None]) -> None:
        make(site.folder / "place")
        (site.folder / "link").symlink_to("place")
        before = (site.folder / "place").lstat().st_ino

        for name in ("place", "link"):
            with pytest.raises(OSError, match="not a regular file"):
                packed(site.folder / "new", site.folder / name)

        assert (before, True) == ((site.folder / "place").lstat().st_ino, (site.folder / "link").is_symlink())

    def test_a_link_to_an_archive_stays_one(self, site: Site) -> None:
        (site.folder / "latest.tar").symlink_to("kept.tar")

        packed(site.folder / "new", site.folder / "latest.tar")

        assert "kept.tar" == os.readlink(site.folder / "latest.tar")
        assert site.content == (site.folder / "kept.tar").read_bytes()

    def test_an_archive_cannot_lie_in_the_output_that_it_holds(self, site: Site) -> None:
        with pytest.raises(ArchiveError) as caught:
            packed(site.folder / "new", site.folder / "new/assets.tar")

        assert ["inside-output"] == [found.rule for found in caught.value.diagnostics]

    def test_a_large_file_is_packed_and_unpacked_in_parts(self, tmp_path: Path) -> None:
        body = b"\0" * (9 << 20)
        made = published(tmp_path / "out", {"video.txt": b"x"})
        path = f"film-{hash_name('', body)}.bin"
        (tmp_path / "out" / path).write_bytes(body)
        made["assets"]["film.bin"] = {"file": path}
        made["files"][path] = file_entry(body, "application/octet-stream")
        write(tmp_path / "out", made)
        longest = []

        class Measuring(RealDisk):
            def fill(self, folder: str, path: str, parts: Iterable[bytes], size: int, sha256_hex: str) -> Any:
                return super().fill(folder, path, watched(parts), size, sha256_hex)

            def install(self, folder: str, path: str, parts: Iterable[bytes], mode: int = 0o755) -> None:
                super().install(folder, path, watched(parts), mode)

        def watched(parts: Iterable[bytes]) -> Iterator[bytes]:
            for part in parts:
                longest.append(len(part))
                yield part

        pack(str(tmp_path / "out"), str(tmp_path / "a.tar"), Measuring())
        unpack(str(tmp_path / "a.tar"), str(tmp_path / "copy"), Measuring())

        assert 1 << 20 == max(longest)
        assert body == (tmp_path / "copy" / path).read_bytes()


class TestUnpacking:
    def test_an_older_build_in_the_folder_keeps_its_files(self, site: Site) -> None:
        done = unpack(str(site.archive), str(site.served), RealDisk())

        after = snapshot(site.served)
        assert {path for path in site.before if path not in after} == set()
        assert (site.folder / "new/manifest.json").read_bytes() == (site.served / "manifest.json").read_bytes()
        assert NEW["robots.txt"] == (site.served / "robots.txt").read_bytes()
        assert (8, 0) == (done.written, done.kept)

    def test_a_second_time_nothing_is_written(self, site: Site) -> None:
        unpack(str(site.archive), str(site.served), RealDisk())

        done = unpack(str(site.archive), str(site.served), RealDisk())

        assert (0, 8) == (done.written, done.kept)

    def test_a_published_file_that_was_damaged_is_repaired(self, site: Site) -> None:
        unpack(str(site.archive), str(site.folder / "copy"), RealDisk())
        (damaged,) = (site.folder / "copy/css").glob("*.css")
        damaged.write_bytes(b"a{}")

        done = unpack(str(site.archive), str(site.folder / "copy"), RealDisk())

        assert (1, 7) == (done.written, done.kept)
        assert NEW["css/app.css"] == damaged.read_bytes()

    def test_wherever_the_disk_fails_the_folder_serves_the_old_build_or_the_new_one(self, site: Site) -> None:
        class Full(RealDisk):
            def __init__(self, steps: int) -> None:
                self.steps = steps

            def step(self) -> None:
                self.steps -= 1
                if self.steps < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")

            def fill(self, folder: str, path: str, parts: Iterable[bytes], size: int, sha256_hex: str) -> Any:
                self.step()
                return super().fill(folder, path, parts, size, sha256_hex)

            def sync(self, folder: str) -> None:
                self.step()
                super().sync(folder)

            def commit(self, folder: str, path: str, body: bytes) -> bool:
                self.step()
                return super().commit(folder, path, body)

        new = (site.folder / "new/manifest.json").read_bytes()
        failed = 0
        while True:
            folder = site.folder / f"served-{failed}"
            shutil.copytree(site.served, folder)
            try:
                unpack(str(site.archive), str(folder), Full(failed))
                break
            except OSError:
                is_new = new == (folder / "manifest.json").read_bytes()
                expected = NEW if is_new else OLD
                names = [hash_name("", body) for body in expected.values()]
                held = {file.read_bytes() for file in folder.rglob("*") if any(name in file.name for name in names)}
                assert {*expected.values()} <= held
                assert is_new == (failed >= 8)
                failed += 1

        assert 9 == failed

    def test_killed_at_any_rename_it_leaves_a_whole_build_and_the_next_run_heals(self, site: Site) -> None:
        need("strace", shutil.which("strace") is not None)
        new = (site.folder / "new/manifest.json").read_bytes()
        old = (site.served / "manifest.json").read_bytes()
        told = {new: NEW, old: OLD}

        found = []
        for number in range(1, 10):
            folder = site.folder / f"served-{number}"
            shutil.copytree(site.served, folder)
            inject = f"inject=rename,renameat,renameat2:signal=SIGKILL:when={number}"
            trace = ["strace", "-f", "-qq", "-e", "trace=rename,renameat,renameat2", "-e", inject, "-o", os.devnull]
            command = [*trace, sys.executable, "-B", "-m", "assetbuild", "unpack", str(site.archive), str(folder)]
            done = subprocess.run(command, capture_output=True, check=False)
            manifest = (folder / "manifest.json").read_bytes()
            names = [hash_name("", body) for body in told[manifest].values()]
            held = {file.read_bytes() for file in folder.rglob("*") if any(name in file.name for name in names)}
            assert {*told[manifest].values()} <= held
            found.append((done.returncode, manifest == new))
            unpack(str(site.archive), str(folder), RealDisk())
            assert new == (folder / "manifest.json").read_bytes()
            assert [] == [file for file in folder.rglob("*") if TEMP_MARK in file.name]

        # Three files with their variants, the manifest, one plain copy, each killed before it has its name; a ninth
        # rename is never asked for.
        assert [(-9, False)] * 7 + [(-9, True), (0, True)] == found

    def test_a_link_in_the_output_leads_nothing_out_of_it(self, site: Site) -> None:
        (site.folder / "outside").mkdir()
        shutil.rmtree(site.served / "css")
        (site.served / "css").symlink_to(site.folder / "outside")

        with pytest.raises(OSError, match="is a link and not a folder"):
            unpack(str(site.archive), str(site.served), RealDisk())

        assert [] == list((site.folder / "outside").iterdir())

    def test_what_is_no_regular_file_is_no_archive(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(OSError, match="not a regular file"):
            unpack(str(tmp_path / "pipe"), str(tmp_path / "out"), RealDisk())

        assert not (tmp_path / "out").exists()


def members(content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]


def joined(parts: Iterable[tuple[str, bytes]]) -> bytes:
    return b"".join(header(name, len(body)) + body + padding(len(body)) for name, body in parts) + END


def with_member(content: bytes, member: tarfile.TarInfo, body: bytes = b"") -> bytes:
    """Return the archive with one member more, at its end."""
    return content[: -len(END)] + member.tobuf() + body + padding(len(body)) + END


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def in_place_of_the_last(content: bytes, member: tarfile.TarInfo) -> bytes:
    """Return the archive with another kind of member where its last file was."""
    kept = members(content)[:-1]
    return joined((each.name, body) for each, body in kept)[: -len(END)] + member.tobuf() + END


def renamed(content: bytes, name: str) -> bytes:
    *kept, (_, body) = members(content)
    return joined([*((each.name, inner) for each, inner in kept), (name, body)])


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    "a link": lambda c: in_place_of_the_last(c, special(members(c)[-1][0].name, tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": lambda c: in_place_of_the_last(c, special(members(c)[-1][0].name, tarfile.LNKTYPE, "x")),
    "a device": lambda c: in_place_of_the_last(c, special(members(c)[-1][0].name, tarfile.CHRTYPE)),
    "a pipe": lambda c: in_place_of_the_last(c, special(members(c)[-1][0].name, tarfile.FIFOTYPE)),
    "a sparse file": lambda c: in_place_of_the_last(c, special(members(c)[-1][0].name, tarfile.GNUTYPE_SPARSE)),
    "a step up": lambda c: renamed(c, f"{ASSETS}../../outside"),
    "an absolute name": lambda c: renamed(c, "/tmp/outside"),
    "a name in capitals": lambda c: renamed(c, members(c)[-1][0].name.upper()),
    "a name without the folder": lambda c: renamed(c, "outside"),
    "one file more": lambda c: with_member(c, tarfile.TarInfo(f"{ASSETS}more.css")),
    "a file twice": lambda c: c[: -len(END)] + c[c.index(b"assets/robots") : -len(END)] + END,
    "a folder": lambda c: with_member(c, special("assets/more", tarfile.DIRTYPE)),
    "one file less": lambda c: joined((each.name, body) for each, body in members(c)[:-1]),
    "files in another order": lambda c: joined(
        (each.name, body) for each, body in [*members(c)[:2], *members(c)[:1:-1]]
    ),
    "the manifest not first": lambda c: joined((each.name, body) for each, body in reversed(members(c))),
    "data behind the end": lambda c: c + b"\0",
    "a second archive behind the first": lambda c: c + c,
    "no end": lambda c: c[: -len(END)],
    "half an end": lambda c: c[:-512],
    "data in the padding": lambda c: c.replace(b"User-agent: x\0", b"User-agent: x!"),
    "nothing": lambda _: b"",
    "nothing but an end": lambda _: END,
    "zeros without end": lambda _: bytes(1 << 20),
    "a gzip stream": gzip.compress,
    "a zip": lambda _: b"PK\x03\x04" + bytes(600),
    "a manifest without end": lambda _: header("assets/manifest.json", 8**11 - 1) + bytes(600),
    "a manifest that is none": lambda _: joined([("assets/manifest.json", b"{}")]),
    "an attestation without end": lambda c: c[: -len(END)] + header(SBOM, 1 << 40) + END,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_archive_that_is_not_what_pack_writes_is_refused_and_nothing_happens(
    shared: Site, attack: Callable[[bytes], bytes]
) -> None:
    broken = attack(shared.content)

    assert broken != shared.content
    assert ["broken-archive"] == shared.refusal(broken)


def hostile(folder: Path, bodies: dict[str, bytes], change: Callable[[Document], object]) -> bytes:
    """Return an archive whose every digest agrees with its manifest, which somebody wrote on purpose."""
    made = published(folder, bodies)
    change(made)
    manifest = dump(made)
    sizes = {path: entry["size"] for path, entry in made["files"].items()}
    sizes |= {f"{path}.gz": entry["enc"]["gzip"] for path, entry in made["files"].items() if entry.get("enc")}
    contents = {path: (folder / path).read_bytes() for path in sorted(sizes)}
    sums = {"assets/manifest.json": hashlib.sha256(manifest).hexdigest()}
    sums |= {ASSETS + path: hashlib.sha256(body).hexdigest() for path, body in contents.items()}
    parts = [("assets/manifest.json", manifest), (SUMS_NAME, sums_text(sums))]
    return joined([*parts, *((ASSETS + path, body) for path, body in contents.items())])


def moved(made: Document, folder: Path, old: str, new: str, **more: object) -> None:
    """Publish a file of a document under another path."""
    made["files"][new] = made["files"].pop(old) | more
    if "build" in more:
        made["build"]["previous"] = [more["build"]]
    (folder / new).parent.mkdir(parents=True, exist_ok=True)
    (folder / new).write_bytes((folder / old).read_bytes())
    if "enc" in made["files"][new]:
        (folder / f"{new}.gz").write_bytes((folder / f"{old}.gz").read_bytes())
    for entry in made["assets"].values():
        if entry["file"] == old:
            entry["file"] = new


BODY = b"b{color:blue}" * 9
PATH = f"a-{hash_name('', BODY)}.css"
CARRIED = {"build": "sha256:" + "0" * 64, "enc": {}}
LIES: dict[str, tuple[Callable[[Document, Path], object], str]] = {
    "a plain copy over the manifest": (
        lambda made, _: made["assets"].update({"manifest.json": {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a plain copy over a file": (
        lambda made, _: made["assets"].update({PATH: {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a plain copy that differs from a file in case": (
        lambda made, _: made["assets"].update({PATH.upper(): {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a plain copy below a file": (
        lambda made, _: made["assets"].update({f"{PATH}/x": {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a plain copy of nothing": (
        lambda made, _: made["assets"].update({"x.css": {"file": "x-1.css", "keep": True}}),
        "broken-archive",
    ),
    "a file that is a variant, too": (
        lambda made, folder: moved(made, folder, f"c-{hash_name('', b'c')}.css", f"{PATH}.gz", **CARRIED),
        "broken-archive",
    ),
    "a name of temporary files": (
        lambda made, folder: moved(made, folder, PATH, f".assetbuild-tmp-1-{PATH}"),
        "broken-archive",
    ),
    "a name that no folder can hold": (
        lambda made, _: made["assets"].update({"x" * 256: {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a path that no system can hold": (
        lambda made, _: made["assets"].update({"/".join(["x" * 250] * 17): {"file": PATH, "keep": True}}),
        "broken-archive",
    ),
    "a name that is not that of its bytes": (
        lambda made, folder: moved(made, folder, PATH, "a-aaaaaaaaaa.css"),
        "wrong-name",
    ),
    "an asset without a file": (
        lambda made, _: made["assets"].update({"x.css": {"file": "x-1.css"}}),
        "dangling-name",
    ),
}


@pytest.mark.parametrize(("lie", "rule"), LIES.values(), ids=LIES)
def test_a_manifest_that_was_written_on_purpose_gives_nothing_that_a_compile_would_not(
    site: Site, lie: Callable[[Document, Path], object], rule: str
) -> None:
    folder = site.folder / "lie"
    bodies = {"a.css": BODY, "c.css": b"c"}

    assert rule in site.refusal(hostile(folder, bodies, lambda made: lie(made, folder)))


def test_plain_copies_that_would_fill_a_disk_are_refused(site: Site) -> None:
    body = os.urandom(50_000)
    copies = {f"{n}": {"file": f"a-{hash_name('', body)}.bin", "keep": True} for n in range(99)}

    content = hostile(site.folder / "copies", {"a.bin": body}, lambda made: made["assets"].update(copies))

    assert ["broken-archive"] == site.refusal(content)


def test_the_folders_of_long_paths_take_no_memory(site: Site) -> None:
    """Each would be a text of its own, half as long as the path."""
    deep = "/f" * 1000
    copies = {f"{n}{deep}": {"file": PATH, "keep": True} for n in range(9)}
    content = hostile(site.folder / "deep", {"a.css": BODY}, lambda made: made["assets"].update(copies))
    site.archive.write_bytes(content)

    tracemalloc.start()
    with Archive(str(site.archive)) as archive:
        report = verify("", archive)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert report.is_whole
    assert most_bytes < 1_000_000  # of folders there would be ten million


def test_a_variant_that_grows_without_end_is_refused(site: Site) -> None:
    folder = site.folder / "bomb"
    bomb = gzip.compress(b"\0" * 30_000_000, mtime=0)

    def grow(made: Document) -> None:
        (folder / f"{PATH}.gz").write_bytes(bomb)
        made["files"][PATH]["enc"] = {"gzip": len(bomb)}

    assert ["broken-variant"] == site.refusal(hostile(folder, {"a.css": BODY}, grow))


def test_a_file_that_is_said_to_be_carried_over_cannot_replace_one_of_the_old_build(site: Site) -> None:
    (old,) = (site.served / "css").glob("*.css")
    path = str(old.relative_to(site.served))
    folder = site.folder / "lie"

    def carry(made: Document) -> None:
        moved(made, folder, f"c-{hash_name('', b'c')}.css", path, **CARRIED)

    assert ["name-clash"] == site.refusal(hostile(folder, {"a.css": BODY, "c.css": b"c"}, carry))


def test_a_plain_copy_cannot_replace_a_file_of_the_old_build(site: Site) -> None:
    (old,) = (site.served / "css").glob("*.css")
    path = str(old.relative_to(site.served))

    def copy(made: Document) -> None:
        made["assets"][path] = {"file": PATH, "keep": True}

    assert ["name-clash"] == site.refusal(hostile(site.folder / "lie", {"a.css": BODY}, copy))


def test_a_variant_that_nothing_here_decodes_is_held_against_its_digest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetbuild.release import decode

    def nothing(body: bytes, limit: int) -> bytes:
        raise decode.Undecodable

    monkeypatch.setitem(decode._DECODERS, "gzip", nothing)
    at = site.content.index(b"\x1f\x8b") + 20
    broken = bytearray(site.content)
    broken[at] ^= 1

    assert ["wrong-digest"] == site.refusal(bytes(broken))
    site.archive.write_bytes(site.content)
    assert 8 == unpack(str(site.archive), str(site.served), RealDisk()).written


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_archive_that_was_changed_anywhere_is_published(shared: Site, data: st.DataObject) -> None:
    content = bytearray(shared.content)
    at = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "remove", "swap", "zero"])):
        case "flip":
            content[at] ^= data.draw(st.integers(1, 255))
        case "cut":
            del content[at:]
        case "insert":
            content[at:at] = data.draw(st.sampled_from([b"\0", b"\0" * 512, bytes(content[:512])]))
        case "remove":
            del content[at : at + data.draw(st.sampled_from([1, 512, 1024]))]
        case "swap":
            first, second = (data.draw(st.integers(0, len(content) // 512 - 1)) * 512 for _ in range(2))
            one, two = content[first : first + 512], content[second : second + 512]
            content[first : first + 512], content[second : second + 512] = two, one
        case "zero":
            content[at : at + 512] = bytes(len(content[at : at + 512]))
    if bytes(content) == shared.content:
        return

    assert shared.refusal(bytes(content))


class TestAttestations:
    def test_they_come_with_the_archive_and_are_written_where_it_was_asked(self, site: Site) -> None:
        provenance, sbom = json.dumps(statement(site.folder / "new")).encode(), b"{}"
        packed(site.folder / "new", site.archive, provenance=provenance, sbom=sbom)

        unpack(str(site.archive), str(site.served), RealDisk(), str(site.folder / "attested"))

        assert {"provenance.json": provenance, "sbom.json": sbom} == {
            file.name: file.read_bytes() for file in (site.folder / "attested").iterdir()
        }

    def test_they_are_not_written_into_the_output(self, site: Site) -> None:
        with pytest.raises(ArchiveError) as caught:
            unpack(str(site.archive), str(site.served), RealDisk(), str(site.served / "attested"))

        assert ["inside-output"] == [found.rule for found in caught.value.diagnostics]
        assert site.before == snapshot(site.served)

    @pytest.mark.parametrize(
        "change",
        [
            lambda made: made["subject"].pop(),
            lambda made: made["subject"].append({"name": "more", "digest": {"sha256": "0" * 64}}),
            lambda made: made["subject"][0]["digest"].update(sha256="0" * 64),
            lambda made: made["subject"].append(made["subject"][0]),
            lambda made: made.update(subject=[]),
            lambda made: made.update(subject=None),
            lambda made: made.update(predicateType="https://slsa.dev/provenance/v0.2"),
            lambda made: made.update(_type="https://in-toto.io/Statement/v0.1"),
        ],
    )
    def test_a_provenance_of_something_else_is_refused(self, site: Site, change: Callable[[Document], object]) -> None:
        made = statement(site.folder / "new")
        change(made)
        body = json.dumps(made).encode()

        with pytest.raises(ArchiveError) as caught:
            packed(site.folder / "new", site.archive, provenance=body)

        assert {"broken-provenance", "wrong-provenance"} > {found.rule for found in caught.value.diagnostics}
        assert site.content == site.archive.read_bytes()

    def test_an_archive_whose_provenance_is_of_another_build_is_not_unpacked(self, site: Site) -> None:
        body = json.dumps(statement(site.served)).encode()
        parts = [(member.name, inner) for member, inner in members(site.content)]
        sums = parts[1][1] + f"{hashlib.sha256(body).hexdigest()}  {PROVENANCE}\n".encode()

        refused = site.refusal(joined([parts[0], (SUMS_NAME, sums), *parts[2:], (PROVENANCE, body)]))

        assert ["wrong-provenance"] == refused

    @pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"_type":1}'])
    def test_what_is_no_provenance_is_said_to_be_none(self, site: Site, body: bytes) -> None:
        report = verify(str(site.folder / "new"), RealDisk(), Attestation(body, "p.json"))

        (found,) = report.diagnostics
        assert found.message.startswith("`p.json` is no provenance: ")


class TestBlocks:
    @settings(max_examples=200, deadline=None)
    @given(
        name=st.from_regex(r"[A-Za-z0-9._-]{1,60}(/[A-Za-z0-9._-]{1,120}){0,4}", fullmatch=True)
        | st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=80),
        size=st.integers(0, 1 << 40),
    )
    def test_any_tar_reads_the_name_and_the_size(self, name: str, size: int) -> None:
        blocks = header(name, size)

        with tarfile.open(fileobj=io.BytesIO(blocks + END)) as archive:
            member = archive.next()

        assert member is not None
        assert (name, size, True) == (member.name, member.size, member.isreg())
        assert 0 == len(blocks) % 512

    def test_a_long_name_survives_the_way_through_an_archive(self, tmp_path: Path) -> None:
        made = published(tmp_path / "out", {"/".join(["folder" * 9] * 6) + "/a.css": b"a{}"})
        write(tmp_path / "out", made)
        packed(tmp_path / "out", tmp_path / "a.tar")

        unpack(str(tmp_path / "a.tar"), str(tmp_path / "copy"), RealDisk())

        assert snapshot(tmp_path / "out") == snapshot(tmp_path / "copy")


class TestTheCommands:
    def test_they_say_what_was_done(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(site.folder)
        digest = hashlib.sha256(site.content).hexdigest()

        assert 0 == main(["pack", "new", "again.tar", "--json"])
        told = capsys.readouterr()
        assert 0 == main(["unpack", "again.tar", "served", "--json"])
        then = capsys.readouterr()

        line, _, _ = told.err.partition("  in ")
        assert f"packed 3 assets, 3 files, 3 variants → again.tar  11 kB  sha256 {digest}" == line
        document = json.loads(told.out)
        build = json.loads((site.folder / "new/manifest.json").read_text())["build"]["id"]
        counts = {"assets": 3, "files": 3, "variants": 3, "bytes": 390, "diagnostics": []}
        assert {
            "ok": True,
            "output": str(site.folder / "new"),
            "archive": str(site.folder / "again.tar"),
            "sha256": digest,
            "archiveBytes": len(site.content),
            "build": build,
            **counts,
        } == document
        line, _, _ = then.err.partition("  in ")
        assert "unpacked 3 assets, 3 files, 3 variants (8 files written, 0 unchanged) → served  390 B" == line
        done = {"build": build, "filesWritten": 8, "filesUnchanged": 0}
        assert {"ok": True, "output": str(site.served), **done, **counts} == json.loads(then.out)

    def test_a_broken_archive_is_the_fault_of_the_assets(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(site.folder)
        site.archive.write_bytes(site.content[:-1])

        assert 1 == main(["unpack", "assets.tar", "served"])

        at = len(site.content) - len(END)
        assert capsys.readouterr().err == (
            "error: `assets.tar` is not what `assetbuild pack` writes: it does not end behind its last file,"
            f" at byte {at:,} [broken-archive]\n"
            "  assets.tar\n"
            "  transfer it again, or pack the output again with this version\n\n1 error\n"
        )
        assert site.before == snapshot(site.served)

    def test_a_changed_file_of_an_archive_is_told_once_with_what_to_do(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(site.folder)
        site.archive.write_bytes(site.content.replace(b"User-agent: x", b"User-agent: y"))
        (path,) = (path.name for path in (site.folder / "new").glob("robots-*.txt"))

        assert 1 == main(["unpack", "assets.tar", "served"])

        assert capsys.readouterr().err == (
            f"error: `{path}` does not hold the bytes that the manifest describes [wrong-digest]\n"
            f"  {path}\n"
            "  transfer `assets.tar` again\n\n1 error\n"
        )

    def test_attestations_that_an_archive_does_not_hold_are_refused_and_nothing_happens(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(site.folder)

        assert 1 == main(["unpack", "assets.tar", "served", "--attestations", "attested"])

        assert capsys.readouterr().err == (
            "error: `assets.tar` holds no attestations [no-attestations]\n"
            "  pack it with `--provenance` or `--sbom`, or leave `--attestations` away\n\n1 error\n"
        )
        assert not (site.folder / "attested").exists()
        assert site.before == snapshot(site.served)

    def test_a_provenance_of_another_build_is_found_by_verify(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(site.folder)
        (site.folder / "p.json").write_text(json.dumps(statement(site.folder / "new")))

        assert 0 == main(["verify", "new", "--provenance", "p.json"])
        capsys.readouterr()
        assert 1 == main(["verify", "served", "--provenance", "p.json"])

        assert capsys.readouterr().err == (
            "error: `p.json` is the provenance of another build [wrong-provenance]\n"
            "  p.json\n"
            "  `assetbuild compile --attest FILE` writes the one of its build\n\n1 error\n"
        )

"""Carry: a new output also holds the files of earlier releases, within limits, and nothing that was not verified."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.cli import main
from assetbuild.disk import RealDisk
from assetbuild.manifest import Manifest, ManifestError, dump, hash_name
from assetbuild.release import decode
from assetbuild.release.carry import Carried, carry
from assetbuild.release.clean import clean
from assetbuild.release.decode import Undecodable
from assetbuild.release.errors import ReleaseError
from assetbuild.release.lineage import Limits, lineage
from assetbuild.release.pack import pack
from assetbuild.release.unpack import unpack
from assetbuild.release.verify import verify
from assetbuild.web.serve.resources import hashed
from tests.conftest import need
from tests.manifests import Document, document, file_entry, published, write

Bodies = Mapping[str, bytes]
ROBOTS = "robots.txt"
ONE: Bodies = {"css/app.css": b"a{color:red}" * 20, "js/old.js": b"export{}", ROBOTS: b"User-agent: *"}
TWO: Bodies = {"css/app.css": b"a{color:blue}" * 20, "js/app.js": b"import('./x')" * 9, ROBOTS: b"User-agent: x"}
THREE: Bodies = {"css/app.css": b"a{color:green}" * 20, "js/app.js": b"import('./x')" * 9, ROBOTS: b"User-agent: x"}
DAY_S = 86_400
NO_LIMITS = Limits()


def output(folder: Path, bodies: Bodies) -> Path:
    """Write a whole output with gzip variants and one plain copy."""
    made = published(folder, bodies, robots_txt={"at": "/robots.txt"})
    path = made["assets"][ROBOTS]["file"]
    made["files"][path]["keep"] = True
    write(folder, made)
    (folder / ROBOTS).write_bytes(bodies[ROBOTS])
    return folder


def carried(folder: Path, *earlier: Path | str, limits: Limits = NO_LIMITS) -> Carried:
    return carry(str(folder), [str(each) for each in earlier], RealDisk(), limits)


def manifest_of(folder: Path) -> Document:
    document: Document = json.loads((folder / "manifest.json").read_text())
    return document


def build_of(folder: Path) -> str:
    build: str = manifest_of(folder)["build"]["id"]
    return build


def path_of(logical: str, body: bytes) -> str:
    stem, _, ext = logical.rpartition(".")
    return f"{stem}-{hash_name('', body)}.{ext}"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def rules(folder: Path) -> list[str]:
    return [found.rule for found in verify(str(folder), RealDisk()).diagnostics]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return output(tmp_path / "one", ONE)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return output(tmp_path / "two", TWO)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return output(tmp_path / "three", THREE)


class TestWhatIsCarried:
    def test_an_output_also_holds_the_files_and_variants_of_the_release_before(self, one: Path, two: Path) -> None:
        mine = manifest_of(two)

        carried(two, one)

        css, js = path_of("css/app.css", ONE["css/app.css"]), path_of("js/old.js", ONE["js/old.js"])
        new = manifest_of(two)
        assert ONE["css/app.css"] == (two / css).read_bytes()
        assert (one / f"{js}.gz").read_bytes() == (two / f"{js}.gz").read_bytes()
        assert {**manifest_of(one)["files"][css], "build": build_of(one)} == new["files"][css]
        assert [build_of(one)] == new["build"]["previous"]
        assert mine["assets"] == new["assets"]
        assert mine["files"] == {path: entry for path, entry in new["files"].items() if "build" not in entry}

    def test_verify_accepts_it(self, one: Path, two: Path) -> None:
        carried(two, one)

        assert [] == rules(two)

    def test_it_can_be_packed_and_unpacked(self, one: Path, two: Path, tmp_path: Path) -> None:
        carried(two, one)

        pack(str(two), str(tmp_path / "two.tar"), RealDisk())
        unpack(str(tmp_path / "two.tar"), str(tmp_path / "copy"), RealDisk())

        assert snapshot(two) == snapshot(tmp_path / "copy")

    def test_what_both_have_is_there_once_and_is_the_new_ones_own(self, two: Path, three: Path) -> None:
        carried(three, two)

        assert "build" not in manifest_of(three)["files"][path_of("js/app.js", TWO["js/app.js"])]

    def test_a_stable_name_is_never_carried_and_its_old_bytes_lie_under_their_hash_alone(
        self, one: Path, two: Path
    ) -> None:
        carried(two, one)

        old = path_of(ROBOTS, ONE[ROBOTS])
        assert TWO[ROBOTS] == (two / ROBOTS).read_bytes()
        assert "keep" not in manifest_of(two)["files"][old]
        assert "keep" in manifest_of(two)["files"][path_of(ROBOTS, TWO[ROBOTS])]

    def test_a_release_that_carries_others_hands_them_on(self, one: Path, two: Path, three: Path) -> None:
        carried(two, one)

        carried(three, two)

        assert [build_of(two), build_of(one)] == manifest_of(three)["build"]["previous"]
        assert ONE["js/old.js"] == (three / path_of("js/old.js", ONE["js/old.js"])).read_bytes()
        assert [] == rules(three)

    def test_servers_send_it_with_its_variants_to_be_kept_for_ever(self, one: Path, two: Path) -> None:
        carried(two, one)

        sent = hashed(Manifest.open(str(two / "manifest.json")), OLD_JS)
        assert sent is not None
        assert "public, max-age=31536000, immutable" == sent.cache_control
        assert ["", "gzip"] == sorted(variant.coding for variant in sent.variants)

    def test_two_releases_may_be_named_the_newest_first(self, one: Path, two: Path, three: Path) -> None:
        carried(three, two, one)

        assert [build_of(two), build_of(one)] == manifest_of(three)["build"]["previous"]

    def test_names_of_another_salt_and_of_a_cycle_are_verified_by_the_manifest_that_has_them(
        self, two: Path, tmp_path: Path
    ) -> None:
        made = published(tmp_path / "one", {"a.css": b"old{}"}, salt="pepper")
        cycle = f"b-{hash_name('pepper', bytes(32), b'b.js')}.js"
        (tmp_path / "one" / cycle).write_bytes(b"import './b.js'")
        made["files"][cycle] = file_entry(b"import './b.js'")
        made["assets"]["b.js"] = {"file": cycle, "cycle": bytes(32).hex()}
        write(tmp_path / "one", made)

        carried(two, tmp_path / "one")

        assert [] == rules(two)
        assert {f"a-{hash_name('pepper', b'old{}')}.css", cycle} <= manifest_of(two)["files"].keys()

    def test_a_file_belongs_to_the_newest_release_that_named_it(self, two: Path, three: Path, tmp_path: Path) -> None:
        last = output(tmp_path / "last", {ROBOTS: TWO[ROBOTS]})

        carried(last, three, two)

        files = manifest_of(last)["files"]
        assert build_of(three) == files[path_of("js/app.js", TWO["js/app.js"])]["build"]
        assert build_of(two) == files[path_of("css/app.css", TWO["css/app.css"])]["build"]

    def test_a_deploy_that_changes_no_asset_gives_the_same_bytes_and_pushes_no_release_out(
        self, one: Path, two: Path, tmp_path: Path
    ) -> None:
        limits = Limits(keep=1, now_s=1000)
        carried(two, one, limits=limits)
        again = output(tmp_path / "again", TWO)

        carried(again, two, limits=limits._replace(now_s=5000))

        assert snapshot(two) == snapshot(again)

    def test_an_empty_folder_is_the_time_before_the_first_release(self, one: Path, tmp_path: Path) -> None:
        before = snapshot(one)
        (tmp_path / "empty").mkdir()

        done = carried(one, tmp_path / "empty")

        assert ["no-release"] == [found.rule for found in done.diagnostics]
        assert before == snapshot(one)

    def test_what_an_earlier_carry_brought_gives_way_to_what_this_one_brings(
        self, one: Path, two: Path, three: Path
    ) -> None:
        alone = snapshot(three)
        carried(three, two, one)

        carried(three, one)

        assert [build_of(one)] == manifest_of(three)["build"]["previous"]
        assert [] == rules(three)
        assert alone.keys() < snapshot(three).keys()


class TestTheSameInputs:
    def test_a_second_carry_writes_nothing(self, one: Path, two: Path) -> None:
        first = carried(two, one, limits=Limits(now_s=1000))
        before = snapshot(two)

        second = carried(two, one, limits=Limits(now_s=1000))

        assert before == snapshot(two)
        assert (6, 0, 0) == (first.written, first.kept, first.removed)
        assert (0, 6, 0) == (second.written, second.kept, second.removed)

    def test_folder_archive_and_image_root_give_the_same_bytes(self, one: Path, tmp_path: Path) -> None:
        pack(str(one), str(tmp_path / "one.tar"), RealDisk())
        shutil.copytree(one, tmp_path / "root/srv/app/build/assets")
        (tmp_path / "root/srv/app/pwa").mkdir()
        (tmp_path / "root/manifest.json").write_text('{"name": "of yet another"}')
        (tmp_path / "root/srv/app/pwa/manifest.json").write_text('{"name": "of another kind"}')
        sources = [one, one / "manifest.json", tmp_path / "one.tar", tmp_path / "root"]

        found = []
        for number, source in enumerate(sources):
            folder = output(tmp_path / f"new-{number}", TWO)
            carried(folder, source)
            found.append(snapshot(folder))

        assert [found[0]] * 4 == found

    def test_a_file_that_lost_its_bytes_is_mended(self, one: Path, two: Path) -> None:
        carried(two, one)
        whole = snapshot(two)
        (two / path_of("js/old.js", ONE["js/old.js"])).write_bytes(b"torn")

        carried(two, one)

        assert whole == snapshot(two)


class TestLimits:
    def test_only_so_many_releases_are_kept(self, one: Path, two: Path, three: Path) -> None:
        carried(two, one)

        done = carried(three, two, limits=Limits(keep=1))

        assert [build_of(two)] == manifest_of(three)["build"]["previous"]
        assert [(build_of(one), "keep")] == [(each.build, reason) for each, reason in done.left]
        assert [] == rules(three)

    def test_days_count_from_when_a_release_was_superseded(self, one: Path, two: Path, three: Path) -> None:
        carried(two, one, limits=Limits(now_s=DAY_S))

        def previous(now_s: int) -> list[str]:
            carried(three, two, limits=Limits(days=14, now_s=now_s))
            found: list[str] = manifest_of(three)["build"]["previous"]
            return found

        assert [build_of(two), build_of(one)] == previous(15 * DAY_S)
        assert [build_of(two)] == previous(15 * DAY_S + 1)
        assert {build_of(two): 15 * DAY_S + 1} == manifest_of(three)["build"]["superseded"]

    def test_a_release_of_which_nobody_told_counts_from_the_first_time_that_somebody_tells(
        self, one: Path, two: Path, three: Path
    ) -> None:
        carried(two, one)
        assert "superseded" not in manifest_of(two)["build"]

        carried(three, two, limits=Limits(days=1, now_s=9 * DAY_S))

        assert dict.fromkeys([build_of(two), build_of(one)], 9 * DAY_S) == manifest_of(three)["build"]["superseded"]

    def test_a_release_that_was_rolled_back_to_is_superseded_anew(self, one: Path, two: Path, three: Path) -> None:
        carried(two, one, limits=Limits(now_s=1000))

        carried(three, one, two, limits=Limits(now_s=9000))

        assert {build_of(one): 9000, build_of(two): 9000} == manifest_of(three)["build"]["superseded"]

    def test_a_release_without_room_is_left_with_all_before_it_and_a_warning(
        self, one: Path, two: Path, three: Path
    ) -> None:
        carried(two, one)
        room = sum(each.size_bytes for each in carried(three, two).ancestors[:1])
        assert 0 < room

        done = carried(three, two, limits=Limits(max_bytes=room))
        nothing = carried(three, two, limits=Limits(max_bytes=room - 1))

        assert [build_of(two)] == [each.build for each in done.ancestors]
        assert [("no-room", "warning")] == [(found.rule, found.severity) for found in done.diagnostics]
        assert () == nothing.ancestors
        assert [] == rules(three)

    def test_variants_that_nothing_here_decodes_are_left_behind(
        self, one: Path, two: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nothing(body: bytes, limit: int) -> bytes:
            raise Undecodable

        monkeypatch.setitem(decode._DECODERS, "gzip", nothing)

        done = carried(two, one)

        path = path_of("js/old.js", ONE["js/old.js"])
        assert ["lost-variants"] == [found.rule for found in done.diagnostics]
        assert "enc" not in manifest_of(two)["files"][path]
        assert not (two / f"{path}.gz").exists()


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def linked(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to("../elsewhere")


OLD_JS = path_of("js/old.js", ONE["js/old.js"])
BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is gone": (lambda folder: (folder / OLD_JS).unlink(), "missing-file"),
    "a byte is flipped": (lambda folder: flipped(folder / OLD_JS), "wrong-digest"),
    "a file is a link": (lambda folder: linked(folder / OLD_JS), "missing-file"),
    "a variant is gone": (lambda folder: (folder / f"{OLD_JS}.gz").unlink(), "missing-file"),
    "a variant is flipped": (lambda folder: flipped(folder / f"{OLD_JS}.gz"), "broken-variant"),
    "the manifest was edited": (
        lambda folder: (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes() + b" "),
        "no-release",
    ),
}


class TestWhatIsNotBelieved:
    @pytest.mark.parametrize(("break_it", "rule"), BREAKS.values(), ids=BREAKS)
    def test_a_broken_release_changes_nothing(
        self, one: Path, two: Path, break_it: Callable[[Path], object], rule: str
    ) -> None:
        before = snapshot(two)
        break_it(one)

        with pytest.raises(ReleaseError) as caught:
            carried(two, one)

        assert [rule] == [found.rule for found in caught.value.diagnostics]
        assert before == snapshot(two)

    def test_a_finding_names_the_file_of_the_earlier_release(self, one: Path, two: Path) -> None:
        flipped(one / OLD_JS)

        with pytest.raises(ReleaseError) as caught:
            carried(two, one)

        (found,) = caught.value.diagnostics
        assert found.span is not None
        assert str(one / OLD_JS) == found.span.path
        assert f"carry without `{one}`, or mend it" == found.hint

    def test_other_bytes_under_a_path_of_ours_are_refused(self, one: Path, two: Path) -> None:
        ours = path_of("css/app.css", TWO["css/app.css"])
        made = manifest_of(one)
        made["files"][ours] = file_entry(b"evil{}", build="sha256:" + "0" * 64)
        made["build"]["previous"] = ["sha256:" + "0" * 64]
        (one / ours).write_bytes(b"evil{}")
        write(one, made)

        with pytest.raises(ReleaseError, match="holds other bytes"):
            carried(two, one)

    def test_a_file_that_would_lie_over_a_plain_copy_is_refused(self, one: Path, two: Path) -> None:
        made = manifest_of(one)
        made["files"][ROBOTS] = file_entry(ONE[ROBOTS], build="sha256:" + "0" * 64)
        made["build"]["previous"] = ["sha256:" + "0" * 64]
        write(one, made)

        with pytest.raises(ReleaseError, match=r"the plain copy `robots\.txt` would lie where `robots\.txt` does"):
            carried(two, one)

    @pytest.mark.parametrize("what", ["nothing of ours", "two releases"])
    def test_a_folder_in_which_no_one_release_is_found_is_refused(self, two: Path, tmp_path: Path, what: str) -> None:
        root = tmp_path / "root"
        if what == "two releases":
            output(root / "a", ONE)
            output(root / "b", ONE)
        else:
            (root / "srv").mkdir(parents=True)
            (root / "srv/app.py").write_text("")

        with pytest.raises(ReleaseError) as caught:
            carried(two, root)

        said = f"`{root}` holds 2 releases: `{root}/a`, `{root}/b`" if what == "two releases" else "holds no release"
        assert said in str(caught.value)

    def test_a_release_that_is_not_there_is_an_error(self, two: Path, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            carried(two, tmp_path / "nowhere")

    def test_without_an_output_there_is_nothing_to_add_to(self, one: Path, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()

        with pytest.raises(ManifestError, match="is not there; run `assetbuild compile`"):
            carried(tmp_path / "new", one)


class Site(NamedTuple):
    """A web server of a folder. asked: the paths of all requests."""

    url: str
    asked: list[str]


@pytest.fixture
def site(one: Path) -> Iterator[Site]:
    """A server of the folder `one`."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(one.parent))

        def log_message(self, *_: object) -> None:
            asked.append(self.path)

        def guess_type(self, _: object) -> str:
            return "application/octet-stream"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}/one/manifest.json", asked)
    server.shutdown()
    server.server_close()
    thread.join()


class TestAUrl:
    def test_it_gives_what_the_folder_behind_it_does(self, one: Path, two: Path, site: Site, tmp_path: Path) -> None:
        other = output(tmp_path / "other", TWO)
        carried(other, one)

        carried(two, site.url)

        assert snapshot(other) == snapshot(two)

    def test_only_what_is_carried_is_asked_for(self, two: Path, three: Path, site: Site) -> None:
        shutil.rmtree(two.parent / "one")
        two.rename(two.parent / "one")

        carried(three, site.url)

        css = f"/one/{path_of('css/app.css', TWO['css/app.css'])}"
        assert ["/one/manifest.json", css, f"{css}.gz"] == site.asked

    def test_a_variant_without_a_url_is_left_behind(self, one: Path, two: Path, site: Site) -> None:
        (one / f"{OLD_JS}.gz").unlink()

        done = carried(two, site.url)

        assert ["lost-variants"] == [found.rule for found in done.diagnostics]
        assert "enc" not in manifest_of(two)["files"][OLD_JS]
        assert "enc" in manifest_of(two)["files"][path_of("css/app.css", ONE["css/app.css"])]
        assert [] == rules(two)

    @pytest.mark.parametrize(
        ("break_it", "rule"),
        {
            "a file is gone": (lambda folder: (folder / OLD_JS).unlink(), "unreachable-release"),
            "a file is longer": (lambda folder: (folder / OLD_JS).write_bytes(b"x" * 99), "unreachable-release"),
            "a byte is flipped": (lambda folder: flipped(folder / OLD_JS), "wrong-digest"),
            "a variant is flipped": (lambda folder: flipped(folder / f"{OLD_JS}.gz"), "broken-variant"),
            "the manifest is gone": (lambda folder: (folder / "manifest.json").unlink(), "unreachable-release"),
            "the manifest is a page": (lambda folder: (folder / "manifest.json").write_text("<p>"), "no-release"),
        }.values(),
    )
    def test_what_is_not_as_the_manifest_says_changes_nothing(
        self, one: Path, two: Path, site: Site, break_it: Callable[[Path], object], rule: str
    ) -> None:
        before = snapshot(two)
        break_it(one)

        with pytest.raises(ReleaseError) as caught:
            carried(two, site.url)

        (found,) = caught.value.diagnostics
        assert rule == found.rule
        assert found.span is not None
        assert found.span.path.startswith(site.url.removesuffix("manifest.json"))
        assert "manifest.json/" not in found.span.path
        assert before == snapshot(two)

    def test_a_page_in_its_place_is_told_apart_from_a_broken_manifest(self, two: Path, site: Site) -> None:
        with pytest.raises(ReleaseError) as caught:
            carried(two, site.url.removesuffix("manifest.json"))

        assert ["name the URL of a `manifest.json` whose files lie beside it"] == [
            found.hint for found in caught.value.diagnostics
        ]

    def test_a_credential_in_it_is_not_shown(self, one: Path, two: Path, site: Site) -> None:
        flipped(one / OLD_JS)

        with pytest.raises(ReleaseError) as caught:
            carried(two, site.url.replace("//", "//user:secret@"))

        assert "secret" not in repr(caught.value.diagnostics)

    def test_no_other_scheme_reaches_anything(self, one: Path, two: Path) -> None:
        with pytest.raises(FileNotFoundError):
            carried(two, f"file://{one}/manifest.json")


class Dying(RealDisk):
    """A disk that ends the process at its n-th change, before it is made."""

    def __init__(self, after: int) -> None:
        self.left = after

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def fill(self, *args: Any) -> tuple[bool, str]:
        self._step()
        return super().fill(*args)

    def sync(self, folder: str) -> None:
        self._step()
        super().sync(folder)

    def commit(self, folder: str, path: str, body: bytes) -> bool:
        self._step()
        return super().commit(folder, path, body)

    def remove(self, folder: str, path: str) -> None:
        self._step()
        super().remove(folder, path)


def deaths(act: Callable[[Dying], object]) -> Iterator[int]:
    """Yield after each death of `act`, one change later each time, until it lives."""
    for after in range(1000):
        try:
            act(Dying(after))
        except KeyboardInterrupt:
            yield after
        else:
            return


def test_whenever_it_dies_all_that_the_manifest_names_is_there_and_the_next_run_ends_it(
    one: Path, two: Path, three: Path, tmp_path: Path
) -> None:
    carried(three, two)
    start = tmp_path / "start"
    shutil.copytree(three, start)
    carried(three, one)
    done = snapshot(three)
    count = 0

    shutil.rmtree(three)
    shutil.copytree(start, three)
    for _ in deaths(lambda disk: carry(str(three), [str(one)], disk, Limits())):
        count += 1
        assert {"unlisted-file"} >= set(rules(three))
        carried(three, two)
        carried(three, one)
        assert done.items() <= snapshot(three).items()
        shutil.rmtree(three)
        shutil.copytree(start, three)

    assert count > 8


@pytest.mark.parametrize(("call", "when"), [("rename", 1), ("rename", 4), ("rename", 7), ("unlink", 1)])
def test_killed_as_a_process_it_leaves_a_whole_output_and_the_next_run_ends_it(
    one: Path, two: Path, three: Path, tmp_path: Path, call: str, when: int
) -> None:
    need("strace", shutil.which("strace") is not None)
    carried(three, two)
    ended = shutil.copytree(three, tmp_path / "ended")
    carried(ended, one)

    killed_at(call, when, "carry", str(three), "--from", str(one))

    assert {"unlisted-file", "temporary-file"} >= set(rules(three))
    carried(three, one)
    clean(str(three), RealDisk(), NO_LIMITS)
    assert snapshot(ended) == snapshot(three)


def killed_at(call: str, when: int, *words: str) -> None:
    """Run the command and kill it when it calls the system for the n-th time so."""
    calls = {"rename": "rename,renameat,renameat2", "unlink": "unlink,unlinkat"}[call]
    trace = ["strace", "-f", "-qq", "-e", f"trace={calls}", "-o", os.devnull]
    trace += ["-e", f"inject={calls}:signal=SIGKILL:when={when}"]
    done = subprocess.run([*trace, sys.executable, "-B", "-m", "assetbuild", *words], capture_output=True, check=False)
    assert -9 == done.returncode


names = st.sampled_from(["a.css", "b.js", "c.png", "d.svg"])
histories = st.lists(st.dictionaries(names, st.binary(min_size=1, max_size=1)), min_size=1, max_size=6)


def documents_of(history: Sequence[Mapping[str, bytes]], limits: Limits) -> list[Document]:
    """Return the manifest of each release of a history, each carried from the one before."""
    made: list[Document] = []
    for bodies in history:
        files = {path_of(logical, body): file_entry(body) for logical, body in bodies.items()}
        assets = {logical: {"file": path_of(logical, body)} for logical, body in bodies.items()}
        own = json.loads(dump(document(assets, files)))
        made.append(json.loads(dump(lineage(own, made[-1:], limits).document)))
    return made


@settings(max_examples=100, deadline=None)
@given(histories)
def test_without_limits_every_file_that_was_ever_published_is_carried(history: list[dict[str, bytes]]) -> None:
    last = documents_of(history, Limits())[-1]

    ever = {path_of(logical, body) for bodies in history for logical, body in bodies.items()}
    assert ever == last["files"].keys()
    assert {entry["build"] for entry in last["files"].values() if "build" in entry} == {
        *last["build"].get("previous", [])
    }


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 3))
def test_the_pages_of_the_last_releases_find_all_their_files(history: list[dict[str, bytes]], keep: int) -> None:
    made = documents_of(history, Limits(keep=keep))

    for bodies in history[-1 - keep :]:
        assert {path_of(logical, body) for logical, body in bodies.items()} <= made[-1]["files"].keys()
    assert len(made[-1]["build"].get("previous", [])) <= keep


class TestTheCommand:
    def test_it_says_what_it_carried(self, one: Path, two: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main(["carry", str(two), "--from", str(one), "--now", "1000", "--json"])

        printed = capsys.readouterr()
        size_bytes = sum(len(body) for path, body in snapshot(two).items() if path not in snapshot_of(TWO, two.parent))
        document = json.loads(printed.out)
        line = printed.err.rpartition("  in ")[0]
        assert f"carried 3 files of 1 release (6 files written, 0 unchanged) → {two}  {size_bytes} B" == line
        assert {
            "ok": True,
            "output": str(two),
            "build": build_of(two),
            "releases": [{"build": build_of(one), "superseded": 1000, "files": 3, "bytes": size_bytes}],
            "filesWritten": 6,
            "filesUnchanged": 0,
            "filesRemoved": 0,
            "bytes": size_bytes,
            "left": [],
            "diagnostics": [],
        } == document

    def test_days_without_a_time_are_refused(self, one: Path, two: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main(["carry", str(two), "--from", str(one), "--days", "14"])

        said = 'error: `--days` counts from a time that nobody told\n  add `--now "$(date +%s)"`\n'
        assert ("", said) == capsys.readouterr()

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [
            ("--keep", "-1", "expected a whole number, got `-1`"),
            ("--max-size", "much", "`much` is not a size: expected a number and a unit, such as `40 kB`"),
        ],
    )
    def test_a_limit_that_is_none_is_refused(
        self, one: Path, two: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
    ) -> None:
        assert 2 == main(["carry", str(two), "--from", str(one), f"{option}={value}"])

        error, hint = capsys.readouterr().err.splitlines()
        assert f"error: argument {option}: {said}" == error
        assert "  `assetbuild carry --help` shows what it takes" == hint

    def test_a_broken_release_is_the_assets_fault(self, one: Path, two: Path) -> None:
        flipped(one / OLD_JS)

        assert 1 == main(["carry", str(two), "--from", str(one)])


def snapshot_of(bodies: Bodies, beside: Path) -> dict[str, bytes]:
    """Return the files of a build that carries nothing."""
    return snapshot(output(beside / "fresh", bodies))

"""Verify: an output that is whole says nothing; each way to break one is found, by name and place."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.manifest import ManifestError, hash_name
from assetbuild.release import decode
from assetbuild.release.decode import DecodeError, Undecodable, decoded
from assetbuild.release.verify import Counts, Report, verify
from tests.conftest import need
from tests.manifests import Document, file_entry, published, write

Findings = list[tuple[str, str, str]]


class Output:
    """A published folder with its document, to be broken and verified."""

    def __init__(self, folder: Path, salt: str = "") -> None:
        self.folder = folder
        self.made: Document = published(
            folder,
            {"css/app.css": b"a{color:red}" * 20, "js/app.js": b"import('./x')" * 9, "robots.txt": b"User-agent: *"},
            salt=salt,
            css_app_css={"kind": "style"},
            js_app_js={"kind": "module", "css": ["css/app.css"], "refs": ["css/app.css"]},
            robots_txt={"at": "/robots.txt"},
        )
        (folder / "robots.txt").write_bytes(b"User-agent: *")

    def path(self, logical: str) -> str:
        path: str = self.made["assets"][logical]["file"]
        return path

    def entry(self, logical: str) -> Document:
        entry: Document = self.made["files"][self.path(logical)]
        return entry

    def file(self, logical: str, suffix: str = "") -> Path:
        return self.folder / (self.path(logical) + suffix)

    def report(self) -> Report:
        write(self.folder, self.made)
        return verify(str(self.folder), RealDisk())

    def findings(self) -> Findings:
        found = self.report().diagnostics
        return [(each.severity, each.rule, each.span.path if each.span else "") for each in found]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    """A whole output with three assets, gzip variants and one plain copy."""
    return Output(tmp_path / "out")


def test_a_whole_output_has_no_findings_and_is_counted(output: Output) -> None:
    report = output.report()

    assert () == report.diagnostics
    assert report.is_whole
    assert Counts(assets=3, files=3, variants=3, size=240 + 117 + 13) == report.counts


def test_a_salt_is_part_of_every_name(tmp_path: Path) -> None:
    salted = Output(tmp_path / "salted", salt="pepper")
    assert [] == salted.findings()

    salted.made["build"]["salt"] = "other"

    assert ["wrong-name"] * 3 == [rule for _, rule, _ in salted.findings()]


def test_verifying_writes_nothing(output: Output) -> None:
    write(output.folder, output.made)
    before = {path: path.stat() for path in output.folder.rglob("*") if path.is_file()}

    verify(str(output.folder), RealDisk())

    assert {path: status.st_mtime_ns for path, status in before.items()} == {
        path: path.stat().st_mtime_ns for path in output.folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_command_asks_the_system_for_nothing_that_would_write(
    output: Output, tmp_path: Path, is_whole: bool
) -> None:
    need("strace", shutil.which("strace") is not None)
    write(output.folder, output.made)
    if not is_whole:
        output.file("js/app.js").unlink()
    (tmp_path / "provenance.json").write_text("{}")
    calls = "openat,open,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,"
    calls += (
        "symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,setxattr,fsetxattr"
    )
    command = ["strace", "-f", "-qq", "-e", f"trace={calls}", "-o", str(tmp_path / "trace")]
    command += [sys.executable, "-B", "-m", "assetbuild", "verify", str(output.folder), "--json"]
    command += [] if is_whole else ["--provenance", str(tmp_path / "provenance.json")]

    done = subprocess.run(command, capture_output=True, check=False)

    traced = (tmp_path / "trace").read_text().splitlines()
    changing = [line for line in traced if not re.search(r" open(at)?\(.*O_RDONLY", line) and "/dev/null" not in line]
    assert (0 if is_whole else 1) == done.returncode
    assert any(output.path("css/app.css") in line for line in traced)
    assert [] == [line for line in changing if "+++" not in line and "---" not in line]


def test_a_file_and_a_plain_copy_cannot_lie_in_one_place(output: Output) -> None:
    path = output.path(CSS)
    output.made["assets"][path] = {"file": path, "keep": True}
    output.made["assets"][path.upper()] = {"file": path, "keep": True}
    (output.folder / path.upper()).parent.mkdir(exist_ok=True)
    (output.folder / path.upper()).write_bytes(output.file(CSS).read_bytes())

    assert [("error", "name-clash", "manifest.json")] * 2 == output.findings()


def test_a_missing_manifest_is_no_output_at_all(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        verify(str(tmp_path), RealDisk())

    assert f"`{tmp_path}/manifest.json` is not there; name the folder that `assetbuild compile` wrote" == str(
        caught.value
    )


def test_a_missing_folder_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify(str(tmp_path / "nowhere"), RealDisk())


def test_a_changed_manifest_is_reported_before_anything_else(output: Output) -> None:
    file = write(output.folder, output.made)
    file.write_bytes(file.read_bytes().replace(b"/static/", b"/public/"))

    report = verify(str(output.folder), RealDisk())

    assert ["`manifest.json` was changed or cut after it was written"] == [d.message for d in report.diagnostics]
    assert not report.is_whole


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


CSS, JS = "css/app.css", "js/app.js"
BREAKS: dict[str, tuple[Callable[[Output], object], str, str]] = {
    "a file is gone": (lambda o: o.file(CSS).unlink(), "missing-file", "{css}"),
    "a file is cut": (lambda o: o.file(CSS).write_bytes(b"a{"), "wrong-size", "{css}"),
    "a byte is flipped": (lambda o: flipped(o.file(CSS)), "wrong-digest", "{css}"),
    "the integrity is another file's": (
        lambda o: o.entry(CSS).update(integrity=o.entry(JS)["integrity"]),
        "wrong-integrity",
        "{css}",
    ),
    "a variant is gone": (lambda o: o.file(CSS, ".gz").unlink(), "missing-file", "{css}.gz"),
    "a variant is cut": (lambda o: o.file(CSS, ".gz").write_bytes(b"\x1f\x8b"), "wrong-size", "{css}.gz"),
    "a variant is flipped": (lambda o: flipped(o.file(CSS, ".gz")), "broken-variant", "{css}.gz"),
    "a reference leads nowhere": (
        lambda o: o.made["assets"][JS].update(refs=["no.css"]),
        "dangling-name",
        "manifest.json",
    ),
    "a stylesheet leads nowhere": (
        lambda o: o.made["assets"][JS].update(css=["no.css"]),
        "dangling-name",
        "manifest.json",
    ),
    "an import leads nowhere": (
        lambda o: o.made["assets"][JS].update(imports=["no.js"]),
        "dangling-name",
        "manifest.json",
    ),
    "a dynamic import leads nowhere": (
        lambda o: o.made["assets"][JS].update(dynamic=["no.js"]),
        "dangling-name",
        "manifest.json",
    ),
    "a map leads nowhere": (lambda o: o.made["assets"][JS].update(map="no.map"), "dangling-name", "manifest.json"),
    "a bundle leads nowhere": (
        lambda o: o.made["bundles"].update(all={"assets": ["no.css"]}),
        "dangling-name",
        "manifest.json",
    ),
    "a specifier leads nowhere": (
        lambda o: o.made.update(importmap={"lib": "no.js"}),
        "dangling-name",
        "manifest.json",
    ),
    "an asset has no file": (
        lambda o: o.made["assets"].update({"x.css": {"file": "x-1.css"}}),
        "dangling-name",
        "manifest.json",
    ),
    "a plain copy is gone": (lambda o: (o.folder / "robots.txt").unlink(), "missing-file", "robots.txt"),
    "a plain copy is old": (lambda o: (o.folder / "robots.txt").write_bytes(b"old"), "wrong-digest", "robots.txt"),
    "a file lies there that nobody lists": (
        lambda o: (o.folder / "css/app-aaaaaaaaaa.css").write_bytes(b""),
        "unlisted-file",
        "css/app-aaaaaaaaaa.css",
    ),
    "a variant lies there that nobody lists": (
        lambda o: o.file(CSS, ".br").write_bytes(b""),
        "unlisted-file",
        "{css}.br",
    ),
    "a link lies there": (lambda o: (o.folder / "link").symlink_to("/etc/hosts"), "irregular-file", "link"),
    "a pipe lies there": (lambda o: os.mkfifo(o.folder / "pipe"), "irregular-file", "pipe"),
    "a folder is a link": (lambda o: (o.folder / "more").symlink_to("css"), "irregular-file", "more"),
}


@pytest.mark.parametrize(("break_it", "rule", "path"), BREAKS.values(), ids=BREAKS)
def test_each_way_to_break_an_output_is_found(
    output: Output, break_it: Callable[[Output], object], rule: str, path: str
) -> None:
    css = output.path(CSS)

    break_it(output)

    assert [("error", rule, path.format(css=css))] == output.findings()
    assert not output.report().is_whole


MODES: dict[str, tuple[int, int, str, str]] = {
    "a file of its owner alone": (0o600, 0o755, "{css}", "cannot be read by every user: its mode is 0600"),
    "a file for everybody to write": (0o646, 0o755, "{css}", "can be changed by every user: its mode is 0646"),
    "a file with its owner's rights": (
        0o4755,
        0o755,
        "{css}",
        "would be run with the rights of its owner: its mode is 4755",
    ),
    "a folder of its owner alone": (0o644, 0o700, "css", "cannot be read by every user: its mode is 0700"),
    "a folder that only shows names": (0o644, 0o754, "css", "cannot be read by every user: its mode is 0754"),
    "a folder for everybody to write": (0o644, 0o777, "css", "can be changed by every user: its mode is 0777"),
}


@pytest.mark.parametrize(("file_mode", "folder_mode", "path", "fault"), MODES.values(), ids=MODES)
def test_what_a_server_could_not_read_or_others_could_change_is_a_warning(
    output: Output, file_mode: int, folder_mode: int, path: str, fault: str
) -> None:
    file, path = output.file(CSS), path.format(css=output.path(CSS))
    file.chmod(file_mode)
    file.parent.chmod(folder_mode)

    report = output.report()

    hint = f"give it mode {'0644' if path.endswith('.css') else '0755'}, as a compile does"
    kind = fault.partition(":")[0]
    assert (Diagnostic("odd-mode", "warning", f"`{path}` {fault}", Span(path), hint, group=kind),) == report.diagnostics
    assert report.is_whole


def test_modes_that_leave_a_file_to_its_owner_and_its_readers_are_as_good(output: Output) -> None:
    output.file(CSS).chmod(0o444)
    output.file(JS).chmod(0o775)
    output.file(CSS).parent.chmod(0o2755)

    assert [] == output.findings()


def test_a_published_file_behind_a_link_is_refused_though_its_bytes_are_right(output: Output) -> None:
    file = output.file(CSS)
    target = output.folder.parent / "outside.css"
    target.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(target)

    assert [
        ("error", "irregular-file", output.path(CSS)),
        ("error", "missing-file", output.path(CSS)),
    ] == output.findings()


def test_bytes_under_a_name_of_another_hash_are_found_though_manifest_and_file_agree(output: Output) -> None:
    old = output.path(CSS)
    body = b"b{color:blue}"
    output.file(CSS).write_bytes(body)
    output.file(CSS, ".gz").unlink()
    output.made["files"][old] = file_entry(body)

    assert [("error", "wrong-name", old)] == output.findings()


def test_a_file_that_no_asset_names_is_found_unless_it_was_carried_over(output: Output) -> None:
    body = b"old{}"
    path = f"css/old-{hash_name('', body)}.css"
    (output.folder / path).write_bytes(body)
    output.made["files"][path] = file_entry(body)
    assert [("error", "orphan-file", "manifest.json")] == output.findings()

    output.made["files"][path]["build"] = "sha256:" + "0" * 64
    assert [("error", "dangling-name", "manifest.json")] == output.findings()

    output.made["build"]["previous"] = ["sha256:" + "0" * 64]

    assert [] == output.findings()


def test_a_temporary_file_is_named_as_such_and_does_no_harm(output: Output) -> None:
    (output.folder / f"css/{TEMP_MARK}123-4").write_bytes(b"half")

    assert [("warning", "temporary-file", f"css/{TEMP_MARK}123-4")] == output.findings()
    assert output.report().is_whole


def test_the_name_of_a_cyclic_asset_is_recomputed_from_its_component(tmp_path: Path) -> None:
    component = hashlib.sha256(b"a and b").digest()
    made = published(tmp_path, {})
    for logical in ("a.js", "b.js"):
        path = f"{logical[0]}-{hash_name('', component, logical.encode())}.js"
        (tmp_path / path).write_bytes(logical.encode())
        made["assets"][logical] = {"file": path, "cycle": component.hex()}
        made["files"][path] = file_entry(logical.encode())
    write(tmp_path, made)
    assert () == verify(str(tmp_path), RealDisk()).diagnostics

    made["assets"]["a.js"]["cycle"] = "0" * 64
    write(tmp_path, made)

    assert ["wrong-name"] == [found.rule for found in verify(str(tmp_path), RealDisk()).diagnostics]


def test_a_finding_says_what_where_and_what_to_do(output: Output) -> None:
    output.file(JS).unlink()

    (found,) = output.report().diagnostics

    assert f"`{output.path(JS)}` is in the manifest and not in the folder" == found.message
    assert "compile again, or copy the whole output again" == found.hint


def test_a_file_that_cannot_be_read_is_a_finding(output: Output) -> None:
    class Failing(RealDisk):
        def digests(self, file: str, salt: bytes, kept_bytes: int = 0) -> Any:
            if file.endswith((".js", "/robots.txt")):
                raise PermissionError(13, "Permission denied", file)
            return super().digests(file, salt, kept_bytes)

    write(output.folder, output.made)

    report = verify(str(output.folder), Failing())

    assert ["unreadable-file"] * 2 == [found.rule for found in report.diagnostics]
    assert f"`{output.path(JS)}` cannot be read: permission denied" == report.diagnostics[0].message


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ([], "3 gzip variants were not decoded, since no decoder is installed"),
        (["js/app.js", "robots.txt"], "1 gzip variant was not decoded, since no decoder is installed"),
    ],
)
def test_variants_that_nothing_here_decodes_are_noted_with_the_extra(
    output: Output, monkeypatch: pytest.MonkeyPatch, without: list[str], message: str
) -> None:
    def nothing(body: bytes, limit: int) -> bytes:
        raise Undecodable

    monkeypatch.setitem(decode._DECODERS, "gzip", nothing)
    for logical in without:
        output.entry(logical)["enc"] = {}
        output.file(logical, ".gz").unlink()

    report = output.report()

    (note,) = report.diagnostics
    assert ("note", message) == (note.severity, note.message)
    assert "pip install 'assetbuild[compile]'" == note.hint
    assert report.is_whole


def packed(coding: str, body: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(body)
    if coding == "br":
        need("brotli", find_spec("brotli") is not None)
        import brotli

        return bytes(brotli.compress(body))
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        need("backports.zstd", find_spec("backports") is not None)
        from backports import zstd
    return bytes(zstd.compress(body))


@pytest.mark.parametrize("coding", ["br", "gzip", "zstd"])
@pytest.mark.parametrize("body", [b"", b"x", b"abc" * 100_000, bytes(range(256)) * 300], ids=len)
def test_each_coding_is_decoded_to_the_same_bytes(coding: str, body: bytes) -> None:
    assert body == decoded(coding, packed(coding, body), len(body))


@pytest.mark.parametrize("coding", ["br", "gzip", "zstd"])
def test_a_stream_that_is_cut_that_goes_on_or_that_holds_more_is_refused(coding: str) -> None:
    body = bytes(range(256)) * 40
    stream = packed(coding, body)

    for broken in (b"", stream[:-1], stream[: len(stream) // 2], stream + b"more", b"garbage"):
        with pytest.raises(DecodeError):
            decoded(coding, broken, len(body))
    with pytest.raises(DecodeError, match="it holds more than the file"):
        decoded(coding, stream, len(body) - 1)


@pytest.mark.parametrize("coding", ["br", "gzip", "zstd"])
def test_a_variant_that_would_grow_without_end_is_cut_off(coding: str) -> None:
    bomb = packed(coding, b"\0" * 50_000_000)

    with pytest.raises(DecodeError, match="it holds more than the file"):
        decoded(coding, bomb, 1_000)

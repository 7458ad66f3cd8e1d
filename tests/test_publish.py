"""Publish: files, variants, one sync, then the manifest; whatever fails, the output serves a complete build."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assetbuild.compiler.errors import PublishError
from assetbuild.compiler.model import Asset, Blob, Stable, Variant
from assetbuild.compiler.publish import publish
from assetbuild.disk import RealDisk


class Recording(RealDisk):
    """A real disk that writes down the order of what changes it, and can fail at one of the steps."""

    def __init__(self, fail_at: int = -1) -> None:
        self.steps: list[str] = []
        self.fail_at = fail_at

    def _step(self, step: str) -> None:
        if len(self.steps) == self.fail_at:
            raise OSError(28, "No space left on device", step)
        self.steps.append(step)

    def write(self, folder: str, path: str, body: bytes) -> bool:
        self._step(f"write {path}")
        return super().write(folder, path, body)

    def sync(self, folder: str) -> None:
        self._step("sync")
        super().sync(folder)

    def commit(self, folder: str, path: str, body: bytes) -> bool:
        self._step(f"commit {path}")
        return super().commit(folder, path, body)


def asset(path: str, body: bytes | Blob, stable: Stable | None = None) -> Asset:
    return Asset(f"own/{path}", path, "text/css", body, "", "", 1, stable=stable)


ASSETS = [asset("b.css", b"b"), asset("a.css", b"a", Stable())]
VARIANTS = [Variant("a.css", "gzip", b"z")]
STEPS = ["write a.css", "write b.css", "write a.css.gz", "sync", "commit manifest.json", "write own/a.css"]


def test_the_manifest_comes_after_everything_it_vouches_for(tmp_path: Path) -> None:
    disk = Recording()

    done = publish(ASSETS, VARIANTS, b"{}", str(tmp_path), disk)

    assert STEPS == disk.steps
    assert (5, 0, 6) == done


def test_a_second_publish_rewrites_nothing(tmp_path: Path) -> None:
    publish(ASSETS, VARIANTS, b"{}", str(tmp_path), RealDisk())

    assert (0, 5, 0) == publish(ASSETS, VARIANTS, b"{}", str(tmp_path), RealDisk())


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_failure_at_any_step_is_one_sentence_and_a_plain_rerun_heals(tmp_path: Path, step: int) -> None:
    (tmp_path / "manifest.json").write_bytes(b"old")

    with pytest.raises(PublishError, match="no space left on device"):
        publish(ASSETS, VARIANTS, b"{}", str(tmp_path), Recording(fail_at=step))

    assert (b"{}" if step > STEPS.index("commit manifest.json") else b"old") == (
        tmp_path / "manifest.json"
    ).read_bytes()
    publish(ASSETS, VARIANTS, b"{}", str(tmp_path), RealDisk())
    names = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert ["a.css", "a.css.gz", "b.css", "manifest.json", "own/a.css"] == names


def test_a_blob_that_changed_since_it_was_compiled_is_not_published(tmp_path: Path) -> None:
    source = tmp_path / "x.png"
    source.write_bytes(b"new bytes")
    blob = Blob(str(source), 9, hashlib.sha256(b"old bytes").hexdigest(), "", "")

    with pytest.raises(PublishError, match="changed while it was being compiled"):
        publish([asset("x.png", blob)], [], b"{}", str(tmp_path / "out"), RealDisk())

    assert not list((tmp_path / "out").iterdir())

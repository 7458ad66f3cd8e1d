"""A `current` link that moves to the next build while a process opens its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assetbuild import Assets
from assetbuild.manifest import reader
from tests.manifests import published, write


def test_a_manifest_and_its_files_are_of_one_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("old", "new"):
        write(tmp_path / name, published(tmp_path / name, {"a.css": name.encode()}))
    current = tmp_path / "current"
    current.symlink_to("old")
    content = reader._content

    def after_the_deploy(file: str) -> Any:
        current.unlink()
        current.symlink_to("new")
        return content(file)

    monkeypatch.setattr(reader, "_content", after_the_deploy)
    assets = Assets.open(current / "manifest.json")

    assert str(tmp_path / "old") == assets.folder
    assert b"old" == (tmp_path / "old" / assets["a.css"].file).read_bytes()

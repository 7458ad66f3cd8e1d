"""The wheel: what `pip install assetbuild` brings beside the code."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.wheels import built

REPOSITORY = Path(__file__).parent.parent
SCHEMA = "assetbuild/manifest/manifest.schema.json"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of the sources as they are, built without a network: no isolated environment is made for it."""
    return built(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_schema_of_the_manifest_as_a_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert (REPOSITORY / "manifest.schema.json").read_bytes() == archive.read(SCHEMA)


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("assetbuild/")}

    files = (file for file in (REPOSITORY / "assetbuild").rglob("*") if file.is_file())
    assert {str(file.relative_to(REPOSITORY)) for file in files if file.suffix != ".pyc"} == held


def test_a_checkout_has_the_schema_where_the_wheel_has_it() -> None:
    found = json.loads((REPOSITORY / SCHEMA).read_text())

    assert json.loads((REPOSITORY / "manifest.schema.json").read_text()) == found

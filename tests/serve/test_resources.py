"""Resources: what the site has at a path, as the entries of the manifest say it."""

from __future__ import annotations

import pytest

from assetbuild.manifest import Manifest, ManifestError, dump
from assetbuild.web.serve.resources import Resource, Variant, hashed, stable
from tests.manifests import HEX, document, file_entry

MANIFEST = Manifest(
    dump(
        document(
            {"a.css": {"file": "a-1.css"}, "kept.css": {"file": "a-1.css", "keep": True}},
            {"a-1.css": file_entry(enc={"br": 7, "gzip": 9}), "b-2.css": file_entry(b"long" * 9, enc={"gzip": 9})},
        )
    )
)


def test_a_published_path_has_its_variants_smallest_first_and_is_for_ever() -> None:
    found = hashed(MANIFEST, "a-1.css")

    short = HEX[:20]
    assert found is not None
    assert ("text/css; charset=utf-8", "public, max-age=31536000, immutable") == found[:2]
    assert [("", 0), ("br", 7), ("gzip", 9)] == [(each.coding, each.size_bytes) for each in found.variants]
    assert ["a-1.css", "a-1.css.br", "a-1.css.gz"] == [each.path for each in found.variants]
    assert Variant("", "a-1.css", 0, f'"{short}"', HEX) == found.variants[0]
    assert ["", ""] == [each.sha256 for each in found.variants[1:]]
    assert 3 == len({each.etag for each in found.variants})


def test_a_file_that_is_larger_than_its_variant_comes_after_it() -> None:
    found = hashed(MANIFEST, "b-2.css")

    assert found is not None
    assert ["gzip", ""] == [each.coding for each in found.variants]


def test_a_file_that_keeps_its_name_is_asked_for_again_each_time() -> None:
    found = hashed(MANIFEST, "kept.css")

    assert isinstance(found, Resource)
    assert "no-cache" == found.cache_control
    assert "a-1.css" == found.variants[0].path


@pytest.mark.parametrize("path", ["a.css", "b.css", ""])
def test_a_logical_path_is_not_served_unless_its_name_is_kept(path: str) -> None:
    assert hashed(MANIFEST, path) is None


def test_an_asset_without_its_file_is_a_fault_of_the_manifest() -> None:
    broken = Manifest(dump(document({"a.css": {"file": "none.css"}})), "out/manifest.json")
    asset = broken.asset("a.css")
    assert asset is not None

    with pytest.raises(ManifestError) as caught:
        stable(broken, asset)

    assert "`out/manifest.json` names the file `none.css` and says nothing of it" == str(caught.value)

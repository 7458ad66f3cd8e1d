"""Encode: variants that gain, with bytes that depend on content, coding and level alone."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import brotli
import pytest

from assetbuild.compiler.encode import Encoded, Encoder, Encoding, encoders, is_kept, work_of
from assetbuild.compiler.errors import PublishError
from assetbuild.compiler.model import Asset, Blob, Draft, Ref, Result
from assetbuild.compiler.project import Compress
from assetbuild.disk import RealDisk

TEXT = b"a{color:red}\n" * 200


def asset(path: str, body: bytes | Blob, media_type: str = "text/css", size: int = 0) -> Asset:
    digest_hex = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else body.sha256_hex
    return Asset(path, path, media_type, body, digest_hex, "", len(body) if isinstance(body, bytes) else size)


def encode(assets: Sequence[Asset], chosen: Sequence[Encoder], min_gain: float = 0.05, *, jobs: int = 2) -> Encoded:
    with Encoding(chosen, RealDisk(), jobs=jobs) as encoding:
        return encoding.finish(assets, min_gain)


def test_variants_decode_to_the_same_bytes() -> None:
    chosen = encoders(Compress(zstd=True), "production")
    from backports import zstd

    made = {v.coding: v.body for v in encode([asset("a.css", TEXT)], chosen).variants}

    assert TEXT == gzip.decompress(made["gzip"]) == brotli.decompress(made["br"]) == zstd.decompress(made["zstd"])


def test_gzip_says_nothing_of_clock_name_or_system() -> None:
    (encoder,) = encoders(Compress(br=False), "production")

    assert b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" == encoder.apply(TEXT)[:10]


def test_a_variant_is_kept_only_if_it_gains() -> None:
    assert is_kept(100, 95, 0.05)
    assert not is_kept(100, 96, 0.05)
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(64))

    made = encode([asset("a.css", noise)], encoders(Compress(), "production"))

    assert () == made.variants


def test_formats_that_are_compressed_inside_are_left_alone() -> None:
    pictures = [asset("a.png", TEXT, "image/png"), asset("a.woff2", TEXT, "font/woff2"), asset("e.css", b"")]

    assert 0 == work_of(pictures, encoders(Compress(), "production"))


def test_a_file_that_two_assets_share_is_encoded_once() -> None:
    calls: list[int] = []

    def shrink(body: bytes) -> bytes:
        calls.append(len(body))
        return b""

    twin = asset("a.css", TEXT)
    encode([twin, twin], [Encoder("br", shrink, "", "", 0)], jobs=4)

    assert [len(TEXT)] == calls


def test_a_blob_is_read_from_the_disk(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(TEXT)
    blob = Blob(str(tmp_path / "a.svg"), len(TEXT), hashlib.sha256(TEXT).hexdigest(), "", "")

    made = encode([asset("a.svg", blob, "image/svg+xml", len(TEXT))], encoders(Compress(), "fast"), jobs=1)

    assert ["br", "gzip"] == [variant.coding for variant in made.variants]


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_the_order_of_finishing_does_not_show(jobs: int) -> None:
    assets = [asset(f"{n}.css", TEXT * n) for n in (3, 1, 2)]

    made = encode(assets, encoders(Compress(), "fast"), jobs=jobs).variants

    assert [(f"{n}.css", c) for n in (1, 2, 3) for c in ("br", "gzip")] == [(v.path, v.coding) for v in made]


def test_a_file_that_changed_since_it_was_named_gets_no_variant(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(TEXT.upper())
    blob = Blob(str(tmp_path / "a.svg"), len(TEXT), hashlib.sha256(TEXT).hexdigest(), "", "")

    with pytest.raises(PublishError, match=r"^`.*a\.svg` changed while it was being compiled$"):
        encode([asset("a.svg", blob, "image/svg+xml", len(TEXT))], encoders(Compress(), "fast"), jobs=1)


def draft(logical: str, *pieces: bytes | Ref) -> Result:
    return Result((Draft(logical, "text/css", pieces),))


def test_what_refers_to_nothing_is_encoded_while_engines_still_run() -> None:
    """The engine here waits for the encoder: were the encoder to wait for the engine, neither would end."""
    began = Event()

    def shrink(body: bytes) -> bytes:
        began.set()
        return body[:1]

    with Encoding([Encoder("br", shrink, "", "", 0)], RealDisk(), jobs=2) as encoding:
        encoding.begin(draft("a.css", TEXT))
        assert began.wait(30)
        made = encoding.finish([asset("a.css", TEXT)], 0.05)

    assert [("a.css", TEXT[:1])] == [(each.path, each.body) for each in made.variants]
    assert 1 == made.runs


def test_what_refers_to_something_waits_for_its_names() -> None:
    seen: list[bytes] = []

    def shrink(body: bytes) -> bytes:
        seen.append(body)
        return b""

    with Encoding([Encoder("br", shrink, "", "", 0)], RealDisk(), jobs=2) as encoding:
        encoding.begin(draft("a.css", TEXT, Ref("b.png"), TEXT))
        encoding.finish([asset("a.css", TEXT + b"b-1.png" + TEXT)], 0.05)

    assert [TEXT + b"b-1.png" + TEXT] == seen


def test_one_worker_begins_nothing_beside_its_engine() -> None:
    seen: list[bytes] = []

    def shrink(body: bytes) -> bytes:
        seen.append(body)
        return b""

    with Encoding([Encoder("br", shrink, "", "", 0)], RealDisk(), jobs=1) as encoding:
        encoding.begin(draft("a.css", TEXT))

    assert [] == seen

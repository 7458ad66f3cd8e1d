"""Copies: what the bytes of a file say, however few of them are looked at."""

from __future__ import annotations

import io
import struct

import imagesize
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.engines.copy import pixels

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
NUMBERS = st.sampled_from(["1", "24", "10.4", "2cm", "0", "-3", "99999999999", "", "auto", "50%"])


def measured(content: bytes) -> tuple[int, int]:
    """Return what imagesize alone would say, in the pixels that a page can have."""
    try:
        width, height = imagesize.get(io.BytesIO(content))
    except (ValueError, OSError, IndexError, KeyError):
        return 0, 0
    return (round(width), round(height)) if 0 < width < 2**31 and 0 < height < 2**31 else (0, 0)


@given(width=st.integers(0, 2**32 - 1), height=st.integers(0, 2**32 - 1), rest=st.binary(max_size=9))
def test_a_png_is_as_large_as_imagesize_says(width: int, height: int, rest: bytes) -> None:
    content = PNG + struct.pack(">II", width, height) + rest

    assert measured(content) == pixels(content)


@given(at=st.integers(0, 30), byte=st.integers(0, 255), end=st.integers(0, 40))
def test_a_broken_png_is_as_large_as_imagesize_says(at: int, byte: int, end: int) -> None:
    content = bytearray(PNG + struct.pack(">II", 3, 7) + bytes(15))
    content[at] = byte

    assert measured(bytes(content[:end])) == pixels(bytes(content[:end]))


@given(
    opening=st.sampled_from(["<svg", "<?xml version='1.0'?><svg", "<!-- -->\n<svg", "<SVG"]),
    width=NUMBERS,
    height=NUMBERS,
    name=st.sampled_from(["width", "data-width", "Width"]),
    filling=st.sampled_from(["", " " * 1000, "é" * 600]),
)
def test_an_svg_is_as_large_as_imagesize_says(opening: str, width: str, height: str, name: str, filling: str) -> None:
    content = f"{opening}{filling} {name}='{width}' height=\"{height}\"/>".encode()

    assert measured(content) == pixels(content)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"GIF89a\3\0\7\0\0\0", b"\xff\xd8\xff", b"RIFF"])
def test_any_other_file_is_as_large_as_imagesize_says(content: bytes) -> None:
    assert measured(content) == pixels(content)

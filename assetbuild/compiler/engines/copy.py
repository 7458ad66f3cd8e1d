"""Copy: a file that holds no references is published as it is. Its bytes stay on the disk until they are published."""

from __future__ import annotations

import binascii
import hashlib
import io
import struct

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Blob, Draft, Facts, Job, Result, Source
from assetbuild.disk import Small

__all__ = ["build", "copied", "pixels", "plain_facts"]

# What imagesize knows by its content; others would be a guess.
_SIZED = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"))

_PIXELS_LIMIT = 2**31  # of a width or height in PNG (Third Edition, §5.6, four-byte integers), the widest of these
_PNG = struct.Struct(">8s4x4sII")  # Third Edition, §5.2 and §11.2.1: the signature, and IHDR, which comes first
_PNG_OPENING = (b"\x89PNG\r\n\x1a\n", b"IHDR")
_SVG_HEAD_BYTES = 1024  # imagesize looks no further

_PLAIN = Facts()


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`, with its width and height in pixels if it is an image."""
    (source,) = job.sources
    library = reading.library
    content = library.held(source.file) or library.small(source.file)
    draft = _streamed(source, library, shop) if content is None else copied(source, content, library, shop)
    assert isinstance(draft.body, Blob)
    reading.note(source.file, draft.body.sha256_hex)
    return Result(drafts=(draft,), inputs=reading.inputs())


def plain_facts(_: Job, __: bytes) -> Facts:
    """Return the facts of a file that is published to the byte: none."""
    return _PLAIN


def copied(source: Source, content: Small, library: Library, shop: Shop, facts: Facts = _PLAIN) -> Draft:
    """Return the draft of a file whose bytes are at hand."""
    body, sha256_hex = content
    size, salt = len(body), shop.project.salt
    named_hex = hashlib.sha256(salt.encode() + body).hexdigest() if salt else sha256_hex
    kept = body if library.room_for(size) else None
    blob = Blob(source.file, size, sha256_hex, _integrity(hashlib.sha384(body).digest()), named_hex, kept)
    content_type = media_type(source.logical)
    width, height = pixels(body) if content_type in _SIZED else (0, 0)
    return Draft(source.logical, content_type, blob, facts, width=width, height=height)


def _streamed(source: Source, library: Library, shop: Shop) -> Draft:
    library.confine(source.file)
    digests = library.disk.digests(source.file, shop.project.salt.encode())
    sha256_hex, salted_hex = digests.sha256.hex(), digests.salted.hex()
    blob = Blob(source.file, digests.size, sha256_hex, _integrity(digests.sha384), salted_hex)
    content_type = media_type(source.logical)
    width, height = pixels(library.disk.read(source.file)) if content_type in _SIZED else (0, 0)
    return Draft(source.logical, content_type, blob, width=width, height=height)


def _integrity(sha384: bytes) -> str:
    return "sha384-" + binascii.b2a_base64(sha384, newline=False).decode()


def pixels(content: bytes) -> tuple[int, int]:
    """Return (width, height), zeros if the picture does not say.

    Most pictures of a site are PNGs and icons without a size: for those, imagesize would only say what is seen here.
    """
    if content.startswith(_PNG_OPENING[0]) and len(content) > _PNG.size + 1:  # the depth and the kind of colour follow
        *opening, width, height = _PNG.unpack_from(content)
        if tuple(opening) == _PNG_OPENING:
            return _checked(width, height)
    elif content.startswith((b"<svg", b"<?xml")):
        head = content[:_SVG_HEAD_BYTES]
        if b"width=" not in head or b"height=" not in head:
            return 0, 0
    return _measured(content)


def _measured(content: bytes) -> tuple[int, int]:
    import imagesize

    try:
        return _checked(*imagesize.get(io.BytesIO(content)))
    except (ValueError, OSError, IndexError, KeyError):
        return 0, 0  # a broken picture is still a file that somebody wants served


def _checked(width: float, height: float) -> tuple[int, int]:
    is_size = 0 < width < _PIXELS_LIMIT and 0 < height < _PIXELS_LIMIT
    return (round(width), round(height)) if is_size else (0, 0)

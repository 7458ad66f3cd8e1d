"""Copy: a file that holds no references is published as it is. Its bytes stay on the disk until they are published."""

from __future__ import annotations

import base64
import io

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Reading
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Blob, Draft, Job, Result

__all__ = ["build"]

# What imagesize knows by its content; others would be a guess.
_SIZED = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml")

_KEPT_BYTES = 64 << 10
"""A file of at most this size is read once: for its digests, its pixels and its place in the output."""

_PIXELS_LIMIT = 2**31  # of a width or height in PNG (Third Edition, §5.6, four-byte integers), the widest of these


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`, with its width and height in pixels if it is an image."""
    (source,) = job.sources
    library = reading.library
    library.confine(source.file)
    salt = shop.project.salt.encode()
    digests = library.disk.digests(source.file, salt, _KEPT_BYTES)
    reading.note(source.file, digests.sha256.hex())
    blob = Blob(
        file=source.file,
        size=digests.size,
        sha256_hex=digests.sha256.hex(),
        integrity="sha384-" + base64.b64encode(digests.sha384).decode(),
        named_hex=digests.salted.hex(),
        body=digests.body if digests.body is not None and library.room_for(digests.size) else None,
    )
    content_type = media_type(source.logical)
    width = height = 0
    if content_type in _SIZED:
        width, height = _pixels(digests.body if digests.body is not None else library.disk.read(source.file))
    draft = Draft(source.logical, content_type, blob, width=width, height=height)
    return Result(drafts=(draft,), inputs=reading.inputs())


def _pixels(content: bytes) -> tuple[int, int]:
    """Return (width, height), zeros if the picture does not say."""
    import imagesize

    try:
        width, height = imagesize.get(io.BytesIO(content))
    except (ValueError, OSError, IndexError, KeyError):
        return 0, 0  # a broken picture is still a file that somebody wants served
    is_size = 0 < width < _PIXELS_LIMIT and 0 < height < _PIXELS_LIMIT
    return (round(width), round(height)) if is_size else (0, 0)

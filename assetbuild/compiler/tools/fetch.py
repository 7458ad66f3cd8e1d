"""A pinned file from the network: a download that is checked against a digest that was known before.

Receives a URL, its credential and the pinned size and SHA-512; hands on the bytes in parts and raises at the first
doubt, at the latest after the last part: who writes them must not show them before the stream has ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from assetbuild.compiler.tools.table import hex_of
from assetbuild.download import FetchFailed, Refused, Route, download

__all__ = ["fetch"]


def fetch(url: str, authorization: str, by: Route, size: int, sha512: str) -> Iterator[bytes]:
    """Yield the bytes behind `url`; raise `FetchFailed` unless they have exactly this size and digest.

    authorization: sent to the origin of `url` only, and to nobody once a redirect has left it.
    """
    digest = hashlib.sha512()
    try:
        for part in download(url, authorization, by, range(size, size + 1)):
            digest.update(part)
            yield part
    except Refused as error:
        raise FetchFailed(f"{error}{_advice(error.status)}") from error
    if digest.hexdigest() != hex_of(sha512):
        raise FetchFailed("its SHA-512 is not the pinned one")


def _advice(status: int) -> str:
    if status in (401, 403):
        return ": it wants a credential, or another one"
    return ": the mirror has no such package" if status == 404 else ""

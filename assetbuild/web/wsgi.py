"""WSGI (PEP 3333): the published files as an application, and as a middleware before one.

Translates requests and answers; what is answered is decided in `serve`. Opens files for reading, and closes them when
the server closes the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from typing import TYPE_CHECKING

from assetbuild.web.assets import Assets
from assetbuild.web.files import PIECE_BYTES, OpenFile
from assetbuild.web.serve import (
    FIELDS,
    HAND_OVER_BYTES,
    MEMORY_BYTES,
    NOWHERE,
    Fields,
    MountError,
    Reply,
    Resource,
    Responder,
    mount_of,
)

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["AssetFiles", "AssetMiddleware", "MountError", "early_hints"]

_Head = tuple[str, list[tuple[str, str]]]

_REASONS = {
    200: "OK",
    204: "No Content",
    206: "Partial Content",
    304: "Not Modified",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
    500: "Internal Server Error",
}
_CONDITIONS = [(f"HTTP_{field.upper().replace('-', '_')}", field) for field in FIELDS if field != "accept-encoding"]


class AssetFiles:
    """An application that answers with published files; it sees the path below its mount only (PATH_INFO).

    memory_bytes: how many bytes of bodies a process holds.
    """

    def __init__(self, assets: Assets, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._responder = Responder(assets, "/", _head, memory_bytes=memory_bytes, has_site_root=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        found = self._responder.find(_decoded(environ.get("PATH_INFO", "")))
        return _answer(self._responder, found or NOWHERE, environ, start_response)


class AssetMiddleware:
    """An application that answers for published files and `site_root` files, and passes on all else.

    mount: URL path below which published files answer; by default the path of the assets' base. A name that is not
    there is a 404 of ours, never a page of the application. memory_bytes: how many bytes of bodies a process holds.
    Raises `MountError` for a mount of `/`.
    """

    def __init__(
        self, app: WSGIApplication, assets: Assets, *, mount: str | None = None, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._app = app
        self._responder = Responder(
            assets, mount_of(assets.base, mount), _head, memory_bytes=memory_bytes, has_site_root=True
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let the application do it."""
        path = _decoded(environ.get("PATH_INFO", ""))
        root = environ.get("SCRIPT_NAME", "")
        # A base may hold the path that the application is mounted at, or be put behind it for each request.
        found = self._responder.find(_decoded(root) + path) if root else None
        found = found or self._responder.find(path)
        if found is None:
            return self._app(environ, start_response)
        return _answer(self._responder, found, environ, start_response)


def early_hints(environ: WSGIEnvironment, links: Iterable[str]) -> bool:
    """Send `links`, values of the Link field, in a 103 response; return whether the server offers that.

    Source: RFC 8297; the key `wsgi.early_hints` is gunicorn's, from version 25 on.
    """
    send = environ.get("wsgi.early_hints")
    fields = [("Link", link) for link in links]
    if send is None or not fields:
        return False
    send(fields)
    return True


class _Pieces:
    """The body of an open file, as PEP 3333 wants it: an iterable that the server closes."""

    def __init__(self, file: OpenFile) -> None:
        self._pieces = file.pieces()
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


def _head(status: int, fields: Fields) -> _Head:
    return f"{status} {_REASONS[status]}", [*fields]


def _decoded(text: str) -> str:
    """Return a path of the environment as text: its characters are the bytes of UTF-8 (PEP 3333, "Unicode Issues").

    What is not UTF-8 becomes a text that no manifest holds.
    """
    return text if text.isascii() else text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _answer(
    responder: Responder[_Head], found: Resource, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    conditions = {field: environ[key] for key, field in _CONDITIONS if key in environ}
    reply: Reply[_Head] = responder.reply(
        found, environ["REQUEST_METHOD"], environ.get("HTTP_ACCEPT_ENCODING", ""), conditions
    )
    (status, headers), body = reply
    if isinstance(body, bytes):
        start_response(status, headers.copy())  # the server or a middleware may add to it
        return [body]
    try:
        start_response(status, headers.copy())
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is None or not body.is_whole or body.length < HAND_OVER_BYTES:
            return _Pieces(body)
        return _handed_over(body, wrapper)
    except BaseException:
        body.close()
        raise


def _handed_over(file: OpenFile, wrapper: Callable[[FileIO, int], Iterable[bytes]]) -> Iterable[bytes]:
    stream = file.stream()  # the server closes it (PEP 3333)
    try:
        return wrapper(stream, PIECE_BYTES)
    except BaseException:
        stream.close()
        raise

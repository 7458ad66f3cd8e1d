"""A middleware for MIDDLEWARE: published files below STATIC_URL, and `site_root` files at their own paths.

Translates requests and answers; what is answered is decided in `serve`. A published file costs less where
`assetbuild.web.wsgi` or `assetbuild.web.asgi` is wrapped around the whole application, because Django does not see it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from assetbuild.web.django.storage import configured_storage
from assetbuild.web.files import OpenFile
from assetbuild.web.serve import FIELDS, MEMORY_BYTES, Fields, Responder, mount_of

__all__ = ["AssetMiddleware"]

_Head = tuple[int, dict[str, str]]
_Get = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

_CONDITIONS = [(f"HTTP_{field.upper().replace('-', '_')}", field) for field in FIELDS if field != "accept-encoding"]


class AssetMiddleware:
    """Answers for published files and passes on all else; goes right behind SecurityMiddleware.

    Raises `ManifestError` when the process starts without a manifest that vouches for itself, and `MountError` if
    STATIC_URL has no path of its own.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Get) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        assets = configured_storage().opened
        self._responder = Responder(
            assets, mount_of(assets.base, None, "STATIC_URL"), _head, memory_bytes=MEMORY_BYTES, has_site_root=True
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request, or let the next middleware do it."""
        if self._is_async:
            return self._answer_async(request)
        return self._answer(request) or self._get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        found = self._answer(request)
        return await self._get_response(request) if found is None else found

    def _answer(self, request: HttpRequest) -> HttpResponseBase | None:
        # STATIC_URL may hold the path that the application is mounted at, or follow it for each request.
        found = self._responder.find(request.path) or self._responder.find(request.path_info)
        if found is None:
            return None
        meta = request.META
        conditions = {field: meta[key] for key, field in _CONDITIONS if key in meta}
        (status, fields), body = self._responder.reply(
            found, request.method, meta.get("HTTP_ACCEPT_ENCODING", ""), conditions
        )
        response: HttpResponseBase
        if isinstance(body, bytes):
            response = HttpResponse(body, status=status, headers=fields)
        else:
            pieces = _AsyncPieces(body) if self._is_async else _Pieces(body)
            response = StreamingHttpResponse(pieces, status=status, headers=fields)
        if "Content-Type" not in fields:
            del response.headers["Content-Type"]
        return response


class _Pieces:
    """The body of an open file; Django calls `close` when the answer is over, however it ends."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return self._file.pieces()


class _AsyncPieces:
    """The same for an event loop: Django would read a plain iterator to its end before it sends the first byte."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self.close = file.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._file.pieces():
            yield piece


def _head(status: int, fields: Fields) -> _Head:
    return status, dict(fields)

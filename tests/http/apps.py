"""Applications beside ours: one behind the files, and one that does nothing but send bytes that it holds.

The page answers `/about`, and everything else with a 404 of its own. The bytes are those of the file BODY, whatever is
asked for, with STATUS and the header FIELDS (JSON, an object): what a server costs, and what it loses, when no
application is at fault.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["asgi_bytes", "asgi_page", "wsgi_bytes", "wsgi_page"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAGE = b"<!doctype html><title>the application</title>"
_BODY = Path(os.environ["BODY"]).read_bytes() if "BODY" in os.environ else b""
_STATUS = int(os.environ.get("STATUS", "200"))
_FIELDS: Mapping[str, str] = json.loads(os.environ.get("FIELDS", "null")) or {
    "content-type": "application/octet-stream",
    "content-length": str(len(_BODY)),
}
_ASGI_FIELDS = [(name.encode(), value.encode()) for name, value in _FIELDS.items()]
_WSGI_STATUS = f"{_STATUS} {HTTPStatus(_STATUS).phrase}"


async def asgi_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as an ASGI application."""
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    fields = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(_PAGE)).encode())]
    status = 200 if scope["path"] == "/about" else 404
    await send({"type": "http.response.start", "status": status, "headers": [*fields, (b"x-from-app", b"yes")]})
    return await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else _PAGE})


def wsgi_page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as a WSGI application."""
    fields = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(_PAGE))), ("X-From-App", "yes")]
    start_response("200 OK" if environ["PATH_INFO"] == "/about" else "404 Not Found", fields)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _PAGE]


async def asgi_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the bytes."""
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    await send({"type": "http.response.start", "status": _STATUS, "headers": _ASGI_FIELDS})
    return await send({"type": "http.response.body", "body": _BODY})


def wsgi_bytes(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Send the bytes."""
    start_response(_WSGI_STATUS, [*_FIELDS.items()])
    return [_BODY]


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

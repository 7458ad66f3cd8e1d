"""The application behind the files: it answers `/about`, and everything else with a 404 page of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["asgi_page", "wsgi_page"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAGE = b"<!doctype html><title>the application</title>"


async def asgi_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as an ASGI application."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    fields = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(_PAGE)).encode())]
    status = 200 if scope["path"] == "/about" else 404
    await send({"type": "http.response.start", "status": status, "headers": [*fields, (b"x-from-app", b"yes")]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else _PAGE})


def wsgi_page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as a WSGI application."""
    fields = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(_PAGE))), ("X-From-App", "yes")]
    start_response("200 OK" if environ["PATH_INFO"] == "/about" else "404 Not Found", fields)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _PAGE]

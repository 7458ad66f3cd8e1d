"""A whole small application: a page that Jinja renders with the tags of its assets, and the assets themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

import jinja2

from assetbuild import Assets
from assetbuild.web import asgi, wsgi
from assetbuild.web.jinja import install

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["asgi_shop", "wsgi_shop"]

_assets = Assets.open()
_env = jinja2.Environment(autoescape=True)
install(_env, _assets)
_page = _env.from_string(
    "<!doctype html>{{ asset_tag('css/app.css') }}{{ asset_tag(script, defer=True) }}{{ asset_inline('css/app.css') }}"
)


def _body() -> bytes:
    return _page.render(script="js/app.js").encode()


async def _asgi_page(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "http":
        body = _body()
        fields = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})


def _wsgi_page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = _body()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


asgi_shop = asgi.AssetMiddleware(_asgi_page, _assets)
wsgi_shop = wsgi.AssetMiddleware(_wsgi_page, _assets)

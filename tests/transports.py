"""Two ways to ask an application: over WSGI, which wsgiref holds to PEP 3333, and over ASGI, held to its messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from assetbuild.web import asgi, wsgi

__all__ = ["TRANSPORTS", "Answer", "Transport", "asgi_ask", "asgi_scope", "wsgi_ask", "wsgi_environ"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. headers: in their order, names in lower case; `answer["etag"]` is the value of one, or None."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class Transport(NamedTuple):
    """One transport. files, middleware: our two classes; page: an application with one page; ask: asks either."""

    name: str
    files: Callable[..., Any]
    middleware: Callable[..., Any]
    page: Any
    ask: Callable[..., Answer]


def wsgi_environ(path: str, method: str = "GET", headers: Mapping[str, str] = {}, root: str = "") -> dict[str, Any]:
    """Return the environment of a request. path: as people read it, without the root."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    texts = {"SCRIPT_NAME": root.encode().decode("latin-1"), "PATH_INFO": path.encode().decode("latin-1")}
    return environ | {"REQUEST_METHOD": method, "QUERY_STRING": ""} | texts | fields


def wsgi_ask(app: Any, path: str, method: str = "GET", headers: Mapping[str, str] = {}, root: str = "") -> Answer:
    """Return the answer of a WSGI application, read to its end and closed."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _: None

    body = validator(app)(wsgi_environ(path, method, headers, root), start)
    try:
        content = b"".join(body)
    finally:
        body.close()  # type: ignore[attr-defined]
    ((status, fields),) = started
    return Answer(int(status[:3]), tuple((name.lower(), value) for name, value in fields), content)


def asgi_scope(path: str, method: str = "GET", headers: Mapping[str, str] = {}, root: str = "") -> dict[str, Any]:
    """Return the scope of a request. path: as people read it, without the root, which ASGI puts before it."""
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": root + path,
        "raw_path": quote(root + path).encode(),
        "root_path": root,
        "query_string": b"",
        "headers": fields,
    }


def asgi_ask(app: Any, path: str, method: str = "GET", headers: Mapping[str, str] = {}, root: str = "") -> Answer:
    """Return the answer of an ASGI application, which must be one start, then bodies, of which the last says so."""
    return asyncio.run(asgi_answer(app, asgi_scope(path, method, headers, root)))


async def asgi_answer(app: Any, scope: Mapping[str, Any]) -> Answer:
    """Return the answer to a request whose client stays to the end."""
    sent: list[Mapping[str, Any]] = []
    is_over = asyncio.Event()
    coming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Mapping[str, Any]:
        if coming:
            return coming.pop()
        await is_over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    is_over.set()
    start, *bodies = sent
    assert start["type"] == "http.response.start"
    assert [True] * (len(bodies) - 1) + [False] == [body.get("more_body", False) for body in bodies]
    assert {"http.response.body"} == {body["type"] for body in bodies}
    fields = tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(start["status"], fields, b"".join(body["body"] for body in bodies))


def _wsgi_page(_: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"the application's page"]


async def _asgi_page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"the application's page"})


TRANSPORTS = [
    Transport("wsgi", wsgi.AssetFiles, wsgi.AssetMiddleware, _wsgi_page, wsgi_ask),
    Transport("asgi", asgi.AssetFiles, asgi.AssetMiddleware, _asgi_page, asgi_ask),
]

"""ASGI: the published files as an application, and as a middleware before one.

Translates requests and answers; what is answered is decided in `serve`. Opens files for reading, and closes them
whatever becomes of the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from assetbuild.web.assets import Assets
from assetbuild.web.files import OpenFile
from assetbuild.web.serve import (
    FIELDS,
    HAND_OVER_BYTES,
    MEMORY_BYTES,
    NOWHERE,
    Fields,
    MountError,
    Resource,
    Responder,
    mount_of,
)

__all__ = ["AssetFiles", "AssetMiddleware", "MountError", "early_hints"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_Head = tuple[int, list[tuple[bytes, bytes]]]

_FIELDS = {field.encode(): field for field in FIELDS}


class AssetFiles:
    """An application that answers with published files; it sees the path below its mount (`root_path`) only.

    memory_bytes: how many bytes of bodies a process holds.
    """

    def __init__(self, assets: Assets, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._responder = Responder(assets, "/", _head, memory_bytes=memory_bytes, has_site_root=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; agree to start and stop, and refuse a web socket."""
        if scope["type"] == "http":
            found = self._responder.find(_below(scope.get("root_path", ""), scope["path"]))
            await _answer(self._responder, found or NOWHERE, scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})  # before it was accepted: the server answers 403


class AssetMiddleware:
    """An application that answers for published files and `site_root` files, and passes on all else untouched.

    mount: URL path below which published files answer; by default the path of the assets' base. A name that is not
    there is a 404 of ours, never a page of the application. memory_bytes: how many bytes of bodies a process holds.
    Raises `MountError` for a mount of `/`.
    """

    def __init__(self, app: App, assets: Assets, *, mount: str | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        self._app = app
        self._responder = Responder(
            assets, mount_of(assets.base, mount), _head, memory_bytes=memory_bytes, has_site_root=True
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        found = self._found(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
        else:
            await _answer(self._responder, found, scope, receive, send)

    def _found(self, scope: Scope) -> Resource | None:
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if not root:
            return self._responder.find(path)
        # A base may hold the path that the application is mounted at, or be put behind it for each request.
        below = _below(root, path)
        return self._responder.find(path if below is not path else root + path) or self._responder.find(below)


async def early_hints(scope: Scope, send: Send, links: Iterable[str]) -> bool:
    """Send `links`, values of the Link field, in a 103 response; return whether the server offers that.

    Source: RFC 8297; ASGI, extension `http.response.early_hint`.
    """
    values = [link.encode("latin-1") for link in links]
    if not values or "http.response.early_hint" not in (scope.get("extensions") or {}):
        return False
    await send({"type": "http.response.early_hint", "links": values})
    return True


def _head(status: int, fields: Fields) -> _Head:
    return status, [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def _below(root: str, path: str) -> str:
    """Return the part of `path` below `root`, `path` itself if it does not begin with it.

    ASGI's `path` holds the root path; servers and frameworks of before 2024 left it out.
    """
    root = root.rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path


async def _answer(responder: Responder[_Head], found: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    fields: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _FIELDS:
            field, text = _FIELDS[name], value.decode("latin-1")
            fields[field] = f"{fields[field]}, {text}" if field in fields else text  # RFC 9110 §5.3
    (status, headers), body = responder.reply(found, scope["method"], fields.pop("accept-encoding", ""), fields)
    # Copied, for a middleware around us may edit the list in its place.
    start = {"type": "http.response.start", "status": status, "headers": headers.copy()}
    if isinstance(body, bytes):
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    try:
        await send(start)
        await _send_file(body, scope, receive, send)
    finally:
        body.close()


async def _send_file(file: OpenFile, scope: Scope, receive: Receive, send: Send) -> None:
    can_send_paths = "http.response.pathsend" in (scope.get("extensions") or {})
    if can_send_paths and file.is_whole and file.length >= HAND_OVER_BYTES:
        await send({"type": "http.response.pathsend", "path": file.file})
        return
    pieces = ({"type": "http.response.body", "body": piece, "more_body": True} for piece in file.pieces())
    if await _sent(pieces, receive, send):
        await send({"type": "http.response.body", "body": b""})


async def _sent(messages: Iterable[Message], receive: Receive, send: Send) -> bool:
    """Send all messages; return whether the client was there to the end.

    A server may swallow what is sent to a client that is gone, and return at once: without listening, a file would be
    read to its end for nobody, and the event loop be held. Only asyncio is listened on, the loop of nearly all servers.
    """
    import asyncio  # imported late: only files that are not in memory come here

    try:
        listener = asyncio.get_running_loop().create_task(_gone(receive))
    except RuntimeError:
        for message in messages:
            await send(message)
        return True
    try:
        for message in messages:
            await send(message)
            await asyncio.sleep(0)
            if listener.done():
                return False
        return True
    finally:
        listener.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of a request body that nobody asked for


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return

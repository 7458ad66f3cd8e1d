"""ASGI: what only this transport has. Everything else is in tests/serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from assetbuild import Assets
from assetbuild.web.asgi import AssetFiles, AssetMiddleware, early_hints
from assetbuild.web.files import PIECE_BYTES, FileFault
from assetbuild.web.serve import HAND_OVER_BYTES
from tests.manifests import published, write
from tests.test_files import open_descriptors
from tests.transports import asgi_answer, asgi_ask, asgi_scope

Message = Mapping[str, Any]

CSS = b"a { color: red }\n"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def opened(output: Path) -> Callable[..., tuple[Assets, str]]:
    """Return a function that publishes one file: `opened(body)` gives its assets and published path."""

    def build(body: bytes = CSS) -> tuple[Assets, str]:
        made = published(output, {"css/app.css": body})
        return Assets.open(write(output, made), environ={}), made["assets"]["css/app.css"]["file"]

    return build


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the application was asked")


def sent_by(app: Any, scope: Mapping[str, Any], *events: Message) -> list[Message]:
    """Return what an application sends that receives `events` and then nothing more."""
    sent: list[Message] = []
    coming = list(events)

    async def receive() -> Message:
        if coming:
            return coming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_header_names_are_in_lower_case(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()

    start, _ = sent_by(AssetFiles(assets), asgi_scope(f"/{path}"))

    names = [name for name, _ in start["headers"]]
    assert [name.lower() for name in names] == names


def test_a_list_of_headers_is_not_shared(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()
    app = AssetFiles(assets)
    first, _ = sent_by(app, asgi_scope(f"/{path}"))
    first["headers"].clear()

    second, _ = sent_by(app, asgi_scope(f"/{path}"))

    assert (b"content-length", b"17") in second["headers"]


def test_a_field_on_several_lines_is_one_list(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened(CSS * 9)
    scope = asgi_scope(f"/{path}")
    scope["headers"] = [(b"accept-encoding", b"br"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip")]

    start, _ = sent_by(AssetFiles(assets), scope)

    assert (b"content-encoding", b"gzip") in start["headers"]


def test_a_star_is_the_applications(opened: Callable[..., tuple[Assets, str]]) -> None:
    """`OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7)."""
    assets, _ = opened()
    scope = asgi_scope("*", "OPTIONS")

    with pytest.raises(AssertionError, match="the application was asked"):
        sent_by(AssetMiddleware(nobody, assets), scope)

    assert 404 == sent_by(AssetFiles(assets), scope)[0]["status"]


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_the_middleware_passes_on_what_is_no_request(opened: Callable[..., tuple[Assets, str]], kind: str) -> None:
    assets, path = opened()
    seen: list[tuple[Any, ...]] = []

    async def app(*given: Any) -> None:
        seen.append(given)

    scope = {"type": kind, "path": f"/static/{path}"}
    receive, send = object(), object()

    asyncio.run(AssetMiddleware(app, assets)(scope, receive, send))  # type: ignore[arg-type]

    assert [(scope, receive, send)] == seen
    assert scope is seen[0][0]


def test_files_alone_agree_to_start_and_to_stop(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, _ = opened()

    sent = sent_by(
        AssetFiles(assets), {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
    )

    assert [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}] == sent


def test_files_refuse_a_web_socket(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()

    sent = sent_by(AssetFiles(assets), {"type": "websocket", "path": f"/{path}"}, {"type": "websocket.connect"})

    assert [{"type": "websocket.close"}] == sent


def test_files_are_found_below_a_mount_of_starlette(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()
    app = Starlette(routes=[Mount("/shop", routes=[Mount("/static", AssetFiles(assets))])])

    assert CSS == asgi_ask(app, f"/shop/static/{path}").body
    assert 404 == asgi_ask(app, "/shop/static/").status


@pytest.mark.parametrize("root", ["/static", "/static/"])
def test_a_root_path_is_left_out_at_a_slash_only(opened: Callable[..., tuple[Assets, str]], root: str) -> None:
    """Servers of before 2024 give a path without the root path."""
    assets, path = opened()
    app = AssetFiles(assets)

    def status(full: str) -> Any:
        return sent_by(app, asgi_scope(full) | {"root_path": root})[0]["status"]

    assert [200, 200] == [status(f"/static/{path}"), status(f"/{path}")]
    assert [404, 404] == [status(f"/static{path}"), status("/static")]


@pytest.mark.parametrize("root", ["/shop", "/shop/"])
@pytest.mark.parametrize("before", ["/shop", ""])
def test_a_root_path_counts_once_in_the_middleware(
    opened: Callable[..., tuple[Assets, str]], root: str, before: str
) -> None:
    """It does, whether the server puts it before the path or not."""
    assets, path = opened()
    app = AssetMiddleware(nobody, assets.at("/shop/static/"))

    start, _ = sent_by(app, asgi_scope(f"{before}/static/{path}") | {"root_path": root})

    assert 200 == start["status"]


def test_a_server_that_can_is_given_the_path_of_a_very_large_file(
    opened: Callable[..., tuple[Assets, str]], output: Path
) -> None:
    body = bytes(HAND_OVER_BYTES)
    assets, path = opened(body)
    scope = asgi_scope(f"/{path}") | {"extensions": {"http.response.pathsend": {}}}
    app = AssetFiles(assets, memory_bytes=0)
    before = open_descriptors()

    start, handed_over = sent_by(app, scope)

    assert (b"content-length", str(len(body)).encode()) in start["headers"]
    assert {"type": "http.response.pathsend", "path": f"{output}/{path}"} == handed_over
    assert before == open_descriptors()


def test_a_part_of_a_very_large_file_is_sent_in_pieces(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened(bytes(HAND_OVER_BYTES))
    scope = asgi_scope(f"/{path}", headers={"range": f"bytes=1-{2 * PIECE_BYTES}"})

    _, *bodies = sent_by(AssetFiles(assets, memory_bytes=0), scope | {"extensions": {"http.response.pathsend": {}}})

    assert [PIECE_BYTES, PIECE_BYTES, 0] == [len(body["body"]) for body in bodies]


def test_nothing_is_read_for_a_client_that_is_gone(opened: Callable[..., tuple[Assets, str]]) -> None:
    """uvicorn swallows what is sent after the client has left, and does not wait."""
    assets, path = opened(os.urandom(9 * PIECE_BYTES))
    app = AssetFiles(assets, memory_bytes=0)
    before = open_descriptors()

    sent = sent_by(app, asgi_scope(f"/{path}"), {"type": "http.request"}, {"type": "http.disconnect"})

    assert 3 > len(sent)
    assert {"http.response.start", "http.response.body"} == {message["type"] for message in sent}
    assert before == open_descriptors()


def test_a_server_that_raises_for_a_client_that_is_gone_leaves_no_descriptor(
    opened: Callable[..., tuple[Assets, str]],
) -> None:
    assets, path = opened(os.urandom(2 * PIECE_BYTES))
    app = AssetFiles(assets, memory_bytes=0)
    before = open_descriptors()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client is gone")

    with pytest.raises(OSError, match="the client is gone"):
        asyncio.run(app(asgi_scope(f"/{path}"), asyncio.Event().wait, send))  # type: ignore[arg-type]

    assert before == open_descriptors()


def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(
    opened: Callable[..., tuple[Assets, str]], output: Path
) -> None:
    assets, path = opened(os.urandom(3 * PIECE_BYTES))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            os.truncate(output / path, PIECE_BYTES)

    before = open_descriptors()

    with pytest.raises(FileFault, match="was cut while it was being sent"):
        asyncio.run(AssetFiles(assets, memory_bytes=0)(asgi_scope(f"/{path}"), asyncio.Event().wait, send))  # type: ignore[arg-type]

    assert [True] == [message["more_body"] for message in sent[1:]]
    assert before == open_descriptors()


def test_files_are_sent_where_the_loop_is_not_asyncios(opened: Callable[..., tuple[Assets, str]]) -> None:
    body = os.urandom(2 * PIECE_BYTES)
    assets, path = opened(body)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    coroutine = AssetFiles(assets, memory_bytes=0)(asgi_scope(f"/{path}"), None, send)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)

    assert body == b"".join(message["body"] for message in sent[1:])


def test_many_clients_are_answered_at_once(opened: Callable[..., tuple[Assets, str]]) -> None:
    body = os.urandom(3 * PIECE_BYTES)
    assets, path = opened(body)
    app = AssetFiles(assets, memory_bytes=0)
    before = open_descriptors()

    async def ask_all() -> list[bytes]:
        answers = await asyncio.gather(*(asgi_answer(app, asgi_scope(f"/{path}")) for _ in range(20)))
        assert {200} == {answer.status for answer in answers}
        return [answer.body for answer in answers]

    assert [body] * 20 == asyncio.run(ask_all())
    assert before == open_descriptors()


LINKS = ("</a.css>; rel=preload; as=style", "</b.js>; rel=modulepreload")


def test_early_hints_are_sent_where_the_server_takes_them() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "extensions": {"http.response.early_hint": {}}}

    assert asyncio.run(early_hints(scope, send, LINKS))

    assert [{"type": "http.response.early_hint", "links": [link.encode() for link in LINKS]}] == sent


@pytest.mark.parametrize(
    ("scope", "links"),
    [
        ({}, LINKS),
        ({"extensions": None}, LINKS),
        ({"extensions": {"http.response.push": {}}}, LINKS),
        ({"extensions": {"http.response.early_hint": {}}}, ()),
    ],
)
def test_early_hints_are_left_out_elsewhere(scope: dict[str, Any], links: tuple[str, ...]) -> None:
    async def send(_: Message) -> None:
        raise AssertionError("sent")

    assert not asyncio.run(early_hints(scope, send, links))

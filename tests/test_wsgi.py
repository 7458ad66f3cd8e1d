"""WSGI: what only this transport has. Everything else is in tests/serve."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from assetbuild import Assets
from assetbuild.web.files import PIECE_BYTES, FileFault
from assetbuild.web.serve import HAND_OVER_BYTES
from assetbuild.web.wsgi import AssetFiles, AssetMiddleware, early_hints
from tests.manifests import published, write
from tests.test_files import open_descriptors
from tests.transports import wsgi_ask, wsgi_environ

CSS = b"a { color: red }\n"


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., tuple[Assets, str]]:
    """Return a function that publishes one file: `opened(body)` gives its assets and published path."""

    def build(body: bytes = CSS) -> tuple[Assets, str]:
        made = published(tmp_path, {"css/app.css": body})
        return Assets.open(write(tmp_path, made), environ={}), made["assets"]["css/app.css"]["file"]

    return build


def started(app: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], Any]:
    """Return the status, the headers and the body, unread, of an answer."""
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        seen.append((status, headers))

    body = app(environ, start)
    ((status, headers),) = seen
    return status, headers, body


def test_a_list_of_headers_is_not_shared(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()
    app = AssetFiles(assets)
    _, first, _ = started(app, wsgi_environ(f"/{path}"))
    first.clear()

    _, second, _ = started(app, wsgi_environ(f"/{path}"))

    assert ("Content-Length", "17") in second


def test_a_body_in_memory_is_a_list_which_servers_send_at_once(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened()

    assert [CSS] == started(AssetFiles(assets), wsgi_environ(f"/{path}"))[2]


@pytest.mark.parametrize("raw", ["/static/\xff\xfe", "/static/\xc3", "/static/\u2603", "/static/\xed\xa0\x80"])
def test_a_path_that_is_no_text_is_a_miss(opened: Callable[..., tuple[Assets, str]], raw: str) -> None:
    assets, _ = opened()
    environ = wsgi_environ("/") | {"PATH_INFO": raw}

    assert "404 Not Found" == started(AssetMiddleware(_page, assets), environ)[0]


def test_a_path_that_is_no_text_and_not_ours_reaches_the_application_as_it_is(
    opened: Callable[..., tuple[Assets, str]],
) -> None:
    assets, _ = opened()
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(environ)
        return _page(environ, start)

    environ = wsgi_environ("/") | {"PATH_INFO": "/\xff\xc3", "SCRIPT_NAME": "/\xfe"}
    before = dict(environ)

    started(AssetMiddleware(app, assets), environ)

    assert [before] == seen
    assert environ is seen[0]


def test_an_environment_without_paths_is_answered(opened: Callable[..., tuple[Assets, str]]) -> None:
    """A server may leave out what is empty (PEP 3333, "environ Variables")."""
    assets, _ = opened()
    environ = {"REQUEST_METHOD": "GET"}

    assert "404 Not Found" == started(AssetFiles(assets), environ)[0]
    assert "200 OK" == started(AssetMiddleware(_page, assets), environ)[0]


def _page(_: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/html")])
    return [b"page"]


class Wrapper(FileWrapper):
    """What a server offers; it remembers what it was given."""

    def __init__(self, filelike: Any, blksize: int = 8192) -> None:
        super().__init__(filelike, blksize)
        assert isinstance(filelike.fileno(), int)


def test_a_server_that_can_is_given_a_very_large_file(opened: Callable[..., tuple[Assets, str]]) -> None:
    film = os.urandom(HAND_OVER_BYTES)
    assets, path = opened(film)
    before = open_descriptors()

    _, headers, body = started(
        AssetFiles(assets, memory_bytes=0), wsgi_environ(f"/{path}") | {"wsgi.file_wrapper": Wrapper}
    )

    assert isinstance(body, Wrapper)
    assert film == b"".join(body)
    assert ("Content-Length", str(len(film))) in headers
    body.close()
    assert before == open_descriptors()


@pytest.mark.parametrize(("size", "headers"), [(HAND_OVER_BYTES - 1, {}), (HAND_OVER_BYTES, {"range": "bytes=1-"})])
def test_a_smaller_file_and_a_part_are_sent_in_pieces(
    opened: Callable[..., tuple[Assets, str]], size: int, headers: dict[str, str]
) -> None:
    film = os.urandom(size)
    assets, path = opened(film)

    _, _, body = started(
        AssetFiles(assets, memory_bytes=0),
        wsgi_environ(f"/{path}", headers=headers) | {"wsgi.file_wrapper": Wrapper},
    )

    assert not isinstance(body, Wrapper)
    assert film[len(headers) :] == b"".join(body)
    body.close()


def test_a_server_whose_wrapper_fails_leaves_no_descriptor(opened: Callable[..., tuple[Assets, str]]) -> None:
    assets, path = opened(bytes(HAND_OVER_BYTES))
    before = open_descriptors()

    def failing(*_: Any) -> Iterable[bytes]:
        raise OSError("no sendfile")

    with pytest.raises(OSError, match="no sendfile"):
        started(AssetFiles(assets, memory_bytes=0), wsgi_environ(f"/{path}") | {"wsgi.file_wrapper": failing})

    assert before == open_descriptors()


@pytest.mark.parametrize("pieces_read", [0, 1])
def test_a_body_that_the_server_closes_early_leaves_no_descriptor(
    opened: Callable[..., tuple[Assets, str]], pieces_read: int
) -> None:
    assets, path = opened(os.urandom(3 * PIECE_BYTES))
    before = open_descriptors()
    _, _, body = started(AssetFiles(assets, memory_bytes=0), wsgi_environ(f"/{path}"))
    pieces = iter(body)

    assert [PIECE_BYTES] * pieces_read == [len(next(pieces)) for _ in range(pieces_read)]
    body.close()

    assert before == open_descriptors()


def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(
    opened: Callable[..., tuple[Assets, str]], tmp_path: Path
) -> None:
    assets, path = opened(os.urandom(3 * PIECE_BYTES))
    _, _, body = started(AssetFiles(assets, memory_bytes=0), wsgi_environ(f"/{path}"))
    pieces = iter(body)
    next(pieces)
    os.truncate(tmp_path / path, PIECE_BYTES)

    with pytest.raises(FileFault, match="was cut while it was being sent"):
        next(pieces)
    body.close()


@pytest.mark.parametrize("memory_bytes", [0, 10**7])
def test_many_threads_are_answered_at_once(opened: Callable[..., tuple[Assets, str]], memory_bytes: int) -> None:
    body = os.urandom(2 * PIECE_BYTES)
    assets, path = opened(body)
    app = AssetFiles(assets, memory_bytes=memory_bytes)
    before = open_descriptors()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wsgi_ask(app, f"/{path}"), range(40)))

    assert [body] * 40 == [answer.body for answer in answers]
    assert before == open_descriptors()


LINKS = ("</a.css>; rel=preload; as=style", "</b.js>; rel=modulepreload")


def test_early_hints_are_sent_where_the_server_takes_them() -> None:
    sent: list[list[tuple[str, str]]] = []

    assert early_hints({"wsgi.early_hints": sent.append}, LINKS)

    assert [[("Link", LINKS[0]), ("Link", LINKS[1])]] == sent


def test_early_hints_are_left_out_elsewhere() -> None:
    sent: list[list[tuple[str, str]]] = []

    assert not early_hints({}, LINKS)
    assert not early_hints({"wsgi.early_hints": sent.append}, ())

    assert [] == sent

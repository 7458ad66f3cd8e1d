"""The responder: whatever is asked, over both transports, the answer is a file of the manifest or a refusal."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from assetbuild import Assets
from assetbuild.web import asgi, wsgi
from tests.fuzz.grain import Grain
from tests.manifests import published, write
from tests.transports import Answer

__all__ = ["requests"]

_BODIES = {
    "css/app.css": b"a { color: red }\n" * 20,
    "img/photo.png": bytes(range(256)),
    "robots.txt": b"User-agent: *\n",
    "terms.txt": b"the terms\n" * 9,
    "empty.txt": b"",
}
_SECRET = b"nothing that was published"
_PAGE = b"the application's page"
_METHODS = ["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "", "get", "DELETE", "G\0"]
_PATH = [
    *(
        "/",
        "/static/",
        "static",
        "css/",
        "app",
        ".css",
        "terms.txt",
        "robots.txt",
        "/robots.txt",
        "empty.txt",
        "..",
        ".",
    ),
    *(
        "%2e%2e",
        "//",
        "\\",
        "\0",
        "\n",
        "é",
        "\x80",
        "secret.txt",
        "manifest.json",
        ".gz",
        "?",
        "#",
        "//host/",
        "x",
        " ",
    ),
]
_FIELDS: dict[str, list[str]] = {
    "accept-encoding": [
        "gzip",
        "br",
        ",",
        ";q=0",
        ";q=1.0",
        "*",
        "identity",
        " ",
        "x-gzip",
        ";q=9",
        "é",
        "\t",
        ";",
        "zstd",
    ],
    "if-match": ['"', "W/", "*", ",", " ", "x", "ETAG", "-gzip", "\\", "é"],
    "if-none-match": ['"', "W/", "*", ",", " ", "x", "ETAG", "-gzip", "\\", "\xff"],
    "if-range": ["ETAG", "W/", '"', "Sun, 22 Nov 2026 00:00:00 GMT", "x"],
    "range": ["bytes=", "0", "-", "5", "340", "1" * 60, ",", "items=", " ", "BYTES=", "²"],
}

_Application = Callable[[str, str, Mapping[str, str]], Answer]


class _Site(NamedTuple):
    applications: tuple[tuple[bool, _Application, _Application], ...]
    paths: tuple[str, ...]
    bodies: frozenset[bytes]
    tags: tuple[str, ...]


@functools.cache
def _site() -> _Site:
    """Return a published site, asked through each class of each transport, from memory and from the disk."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "secret.txt").write_bytes(_SECRET)
    made = published(folder / "output", _BODIES, robots_txt={"at": "/robots.txt"}, terms_txt={"keep": True})
    assets = Assets.open(write(folder / "output", made), environ={})
    files = [folder / "output" / path for path in made["files"]]
    bodies = [file.read_bytes() for file in files] + [file.with_name(f"{file.name}.gz").read_bytes() for file in files]
    applications = []
    for memory_bytes in (0, 1 << 20):
        over_wsgi, over_asgi = (
            wsgi.AssetMiddleware(_wsgi_page, assets, memory_bytes=memory_bytes),
            asgi.AssetMiddleware(_asgi_page, assets, memory_bytes=memory_bytes),
        )
        applications.append((True, _over_wsgi(over_wsgi), _over_asgi(over_asgi)))
        alone = wsgi.AssetFiles(assets, memory_bytes=memory_bytes), asgi.AssetFiles(assets, memory_bytes=memory_bytes)
        applications.append((False, _over_wsgi(alone[0]), _over_asgi(alone[1])))
    tags = [
        f'"{file["sha256"][:20]}{more}"'
        for file in made["files"].values()
        for more in ("", *(f"-{coding}-{size}" for coding, size in file.get("enc", {}).items()))
    ]
    return _Site(tuple(applications), tuple(made["files"]), frozenset(bodies), tuple(tags))


def requests(content: bytes) -> None:
    """Ask for something, in some way, of every application: all agree, and what they send was published."""
    grain, site = Grain(content), _site()
    method = grain.pick(_METHODS)
    path = grain.pick(["", "/static/", "/static/", "/"]) + (grain.pick(site.paths) if grain.below(2) else "")
    path += grain.words(_PATH, 8) if grain.below(3) == 0 else ""
    fields = {}
    for name, pieces in _FIELDS.items():
        if grain.below(3) == 0:
            fields[name] = (
                grain.words(pieces, 8)
                .replace("ETAG", grain.pick(site.tags))
                .encode("latin-1", "replace")
                .decode("latin-1")
            )
    for has_site_root in (True, False):
        asked = path if has_site_root else "/" + path.removeprefix("/static/")
        answers = {
            ask(method, asked, fields) for its, *both in site.applications if its == has_site_root for ask in both
        }
        (answer,) = answers
        _judge(answer, method, site)


def _judge(answer: Answer, method: str, site: _Site) -> None:
    assert answer.status in {200, 204, 206, 304, 404, 405, 412, 416}, answer
    assert all(name.isascii() and value.isascii() and value.isprintable() for name, value in answer.headers)
    assert _SECRET not in answer.body
    if answer.body == _PAGE and answer["etag"] is None:
        return
    length = answer["content-length"]
    assert (length is None) == (answer.status in {204, 304})
    if method == "HEAD" or answer.status in {204, 304}:
        assert answer.body == b""
    else:
        assert length == str(len(answer.body))
    if method == "HEAD" or answer.status not in {200, 206}:
        assert answer.status in {200, 206, 304} or answer["cache-control"] == "no-store"
        return
    if answer.status == 200:
        assert answer.body in site.bodies
    else:
        bounds, _, size = str(answer["content-range"]).removeprefix("bytes ").partition("/")
        first, last = map(int, bounds.split("-"))
        assert any(answer.body == whole[first : last + 1] and len(whole) == int(size) for whole in site.bodies)


def _over_wsgi(app: Any) -> _Application:
    def ask(method: str, path: str, fields: Mapping[str, str]) -> Answer:
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
        environ |= {"REQUEST_METHOD": method, "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1")}
        heads: list[tuple[str, list[tuple[str, str]]]] = []
        pieces = app({**environ, "SCRIPT_NAME": ""}, lambda *head: heads.append(head))
        body = b"".join(pieces)
        if hasattr(pieces, "close"):
            pieces.close()
        ((status, headers),) = heads
        return Answer(int(status[:3]), tuple((name.lower(), value) for name, value in headers), body)

    return ask


def _over_asgi(app: Any) -> _Application:
    def ask(method: str, path: str, fields: Mapping[str, str]) -> Answer:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": headers}
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        # No event loop: a file is sent without waiting for anything, as under any loop that is not asyncio's.
        for _ in app(scope, receive, send).__await__():
            raise AssertionError("it waits")
        found = tuple((name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"])
        return Answer(sent[0]["status"], found, b"".join(message["body"] for message in sent[1:]))

    return ask


def _wsgi_page(_: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return iter([_PAGE])


async def _asgi_page(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": _PAGE})

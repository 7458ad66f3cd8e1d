"""Hostile requests: nothing leaks, nothing breaks, and the server goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import pytest

from assetbuild import Assets
from assetbuild.web import asgi, wsgi
from tests.http.apps import asgi_page, wsgi_page
from tests.http.client import Answer, BadAnswer, Connection, Fields, get
from tests.http.hostile import SECRET, Attack, attacks
from tests.http.site import Site, built
from tests.patience import until
from tests.servers import Server, running

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

REPOSITORY = Path(__file__).parents[1]
SERVERS = {"uvicorn": "asgi", "granian-asgi": "asgi", "granian-wsgi": "wsgi", "gunicorn": "wsgi"}
PATIENCE_S = 2
# What a server may say of a request that never came to us: RFC 9110 §15.6.2 and §15.6.6.
NOT_OURS = {501, 505}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site among secrets: beside the output, and in it without being named by the manifest."""
    site = built(tmp_path_factory.mktemp("site"))
    beside, inside = site.output.parent, site.output
    secrets = [beside / "secret.txt", beside.parent / "secret.txt", beside / "assets.maps/app.css.map"]
    secrets += [inside / name for name in (".env", ".git/config", ".well-known/security.txt", "secret.txt")]
    secrets += [inside / name for name in ("css/unlisted.css", "css/unlisted-aaaaaaaaaa.css", "css/secret.txt")]
    secrets += [beside / "static-private/secret.txt", Path(f"{inside}secret.txt"), inside / "manifest.json.gz"]
    for file in secrets:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SECRET)
    return site


def leak(answer: Answer, site: Site) -> str:
    """Return what an answer gives away; "" if it is a refusal, the application's, or a file of the manifest."""
    said = answer.body + repr(answer.fields).encode()
    if SECRET.encode() in said or b"minReader" in said or b"root:" in said:
        return "a secret"
    if answer.status not in {200, 206} or answer.field("x-from-app"):
        return ""
    known = [body for place in site.places.values() for body in place.bodies.values()]
    is_known = answer.body in known or (answer.status == 206 and any(answer.body in body for body in known))
    return "" if is_known or not answer.body else f"{len(answer.body)} bytes of no file"


def asked(server: Server, attack: Attack) -> Answer | None:
    """Return the answer to an attack, None where the server hangs up or waits for more."""
    with Connection(server.port, patience_s=PATIENCE_S) as connection:
        try:
            return connection.ask(attack.content)
        except BadAnswer:
            return None


def held(server: Server, folder: Path) -> list[str]:
    """Return the files below `folder` that the server's processes have open."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended, or the descriptor was closed
            if os.getpgid(int(process)) == server.process.pid:
                links = f"/proc/{process}/fd"
                found += [os.readlink(f"{links}/{number}") for number in os.listdir(links)]
    return [file for file in found if file.startswith(str(folder))]


def campaign(server: Server, site: Site) -> tuple[int, list[str]]:
    """Return how many of the attacks were answered, and what is wrong with the answers."""
    found, answered = [], 0
    for attack in attacks(str(site.output.parent), site.places["css"].path):
        answer = asked(server, attack)
        if answer is None:
            continue
        answered += 1
        if answer.status >= 500 and answer.status not in NOT_OURS:
            found.append(f"{attack.name}: status {answer.status}")
        if fault := leak(answer, site):
            found.append(f"{attack.name}: {fault}")
    return answered, found


@pytest.mark.parametrize("server", SERVERS)
def test_no_request_gets_what_the_manifest_does_not_name_or_breaks_the_server(site: Site, server: str) -> None:
    css = site.places["css"]
    app = f"tests.http.{SERVERS[server]}:middleware"
    environ = site.environ(MEMORY_BYTES="0")  # every answer opens its file

    with running(server, app, folder=REPOSITORY, environ=environ) as started:
        answered, found = campaign(started, site)
        last = get(started.port, css.path)
        until(lambda: not held(started, site.output))  # a file is closed behind the last byte that a client sees

    assert [] == found
    assert (200, css.bodies[""]) == (last.status, last.body)
    assert answered > 180


NAIVE = """
import os
from urllib.parse import unquote

def app(environ, start_response):
    path = unquote(environ["PATH_INFO"]).replace("\\\\", "/").removeprefix("/static/")
    try:
        body = open(os.path.join({folder!r}, path), "rb").read()
    except (OSError, ValueError):
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_the_requests_tell_a_server_that_joins_paths(site: Site, tmp_path: Path) -> None:
    (tmp_path / "naive.py").write_text(NAIVE.format(folder=str(site.output)))

    with running("gunicorn", "naive:app", folder=tmp_path) as started:
        _, found = campaign(started, site)

    leaks = [each for each in found if each.endswith(": a secret")]
    assert len(leaks) > 40


def asgi_answer(app: asgi.App, method: str, path: str, fields: Fields) -> Answer:
    """Return what the callable sends for a path that is decoded already."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": headers}
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def answer() -> None:
        await app(scope, receive, send)

    asyncio.run(answer())
    decoded = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return Answer(sent[0]["status"], decoded, b"".join(message["body"] for message in sent[1:]), True)


def wsgi_answer(app: WSGIApplication, method: str, path: str, fields: Fields) -> Answer:
    """Return what the callable gives for a path whose characters are bytes (PEP 3333)."""
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields}
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": ""}
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Callable[[bytes], object]:
        heads.append((status, headers))
        return lambda _: None

    pieces = app(environ, start)
    body = b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()
    ((status, headers),) = heads
    return Answer(int(status[:3]), tuple((name.lower(), value) for name, value in headers), body, True)


def test_no_path_or_field_gets_more_out_of_the_callables_themselves(site: Site) -> None:
    """However a server decodes: once, twice, not at all, strictly or not."""
    assets = Assets.open(site.manifest)
    over_asgi: list[asgi.App] = [asgi.AssetMiddleware(asgi_page, assets), asgi.AssetFiles(assets)]
    over_wsgi: list[WSGIApplication] = [wsgi.AssetMiddleware(wsgi_page, assets), wsgi.AssetFiles(assets)]
    found, answered = [], 0

    for attack in attacks(str(site.output.parent), site.places["css"].path):
        plain = attack.path.partition("?")[0]
        texts = {plain, unquote(plain), unquote(unquote(plain)), unquote(plain, errors="surrogateescape")}
        octets = {plain.encode("latin-1"), unquote_to_bytes(plain), unquote_to_bytes(unquote_to_bytes(plain))}
        answers = [
            *(asgi_answer(app, attack.method, text, attack.fields) for text in texts for app in over_asgi),
            *(
                wsgi_answer(app, attack.method, text.decode("latin-1"), attack.fields)
                for text in octets
                for app in over_wsgi
            ),
        ]
        answered += len(answers)
        found += [
            f"{attack.name}: {leak(each, site) or each.status}"
            for each in answers
            if leak(each, site) or each.status >= 500
        ]

    assert [] == found
    assert answered > 1000

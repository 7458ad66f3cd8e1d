"""What the server of `watch` gives, and to whom: everything else is refused."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from assetbuild.manifest import hash_name
from assetbuild.watch.difference import exchanged
from assetbuild.watch.live import Live
from assetbuild.watch.server import CONNECTIONS, LiveServer
from tests.manifests import published, write

BODIES = {"js/app.js": b"window.secret = 1", "css/app.css": b"body { color: red }"}
SCRIPT = "/assetbuild/live.js"
EVENTS = "/assetbuild/events"
HERE = "http://localhost:8000"
LOCAL = (HERE, "http://127.0.0.1:5000", "http://[::1]:8080", "https://shop.localhost")
FOREIGN = (
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost@evil.example",
    "http://evil.example@localhost",
    "http://localhost:8000,http://evil.example",
    "http://localhost:8000 http://evil.example",
    "http://localhost:0",
    "http://0.0.0.0:8000",
    "http://127.0.0.2:8000",
    "http://localhost\\.evil.example",
    "ws://localhost:8000",
    "file:///tmp/page.html",
    "chrome-extension://localhost",
    "null",
    "http://[",
)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Return a server that serves a build."""
    folder = tmp_path_factory.mktemp("live")
    live = Live()
    with LiveServer(live, 0) as running:
        running.site.publish(str(write(folder, published(folder, BODIES))))
        live.built("sha256:1")
        yield running


@pytest.fixture
def port(server: LiveServer) -> int:
    return port_of(server)


@pytest.fixture
def ask(port: int) -> Ask:
    """Return a function that asks the server: `ask("/path", Origin="…")`; a Host of None is left out."""

    def answer(path: str, method: str = "GET", host: str | None = "", **fields: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", host or f"127.0.0.1:{port}")
        for name, value in fields.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        found = connection.getresponse()
        is_stream = "event-stream" in (found.getheader("Content-Type") or "")
        body = found.readline() if is_stream and method == "GET" else found.read()
        connection.close()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, body)

    return answer


def url_of(logical: str) -> str:
    stem, _, extension = logical.rpartition(".")
    return f"/static/{stem}-{hash_name('', BODIES[logical])}.{extension}"


def test_the_script_names_the_stream_by_the_host_that_it_was_asked_by(ask: Ask, port: int) -> None:
    answers = [ask(SCRIPT, host=f"{name}:{port}") for name in ("127.0.0.1", "localhost", "LOCALHOST")]

    assert [200] * 3 == [answer.status for answer in answers]
    ends = [answer.body.decode().rpartition("\n}")[2] for answer in answers]
    assert [
        f')("http://127.0.0.1:{port}{EVENTS}", "sha256:1+0");\n',
        f')("http://localhost:{port}{EVENTS}", "sha256:1+0");\n',
        f')("http://localhost:{port}{EVENTS}", "sha256:1+0");\n',
    ] == ends
    assert {"no-store"} == {answer.headers["cache-control"] for answer in answers}


@pytest.mark.parametrize(
    "host", [None, "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}"]
)
def test_a_name_that_somebody_lets_lead_here_is_refused(ask: Ask, port: int, host: str | None) -> None:
    """DNS rebinding: the browser believes the page's own host to be this server, and sends its name."""
    named = host and host.format(port=port)

    assert [403] * 3 == [ask(path, host=named, Origin=HERE).status for path in (SCRIPT, EVENTS, url_of("js/app.js"))]


def test_two_hosts_are_none(port: int) -> None:
    lines = f"GET {SCRIPT} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(lines.encode())

        assert b" 403 " in connection.recv(100)


@pytest.mark.parametrize("field", ["Origin", "Referer"])
@pytest.mark.parametrize("path", [SCRIPT, EVENTS, "css/app.css"])
def test_pages_of_the_network_are_refused_whatever_they_ask_for(ask: Ask, field: str, path: str) -> None:
    url = path if path.startswith("/") else url_of(path)

    assert [403] * len(FOREIGN) == [ask(url, **{field: origin}).status for origin in FOREIGN]


def test_a_page_of_another_site_that_hides_itself_gets_the_script_alone(ask: Ask) -> None:
    """Django's pages send no referrer to another origin; what they need is the script, which holds no secret."""
    hidden = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}

    assert [200, 403, 403] == [ask(path, **hidden).status for path in (SCRIPT, EVENTS, url_of("js/app.js"))]


@pytest.mark.parametrize("destination", ["document", "iframe", "embed", "empty", "worker", "style", "image"])
def test_a_page_that_hides_itself_gets_the_script_as_a_script_alone(ask: Ask, destination: str) -> None:
    hidden = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": destination}

    assert [200, 403] == [ask(SCRIPT, **{**hidden, **more}).status for more in ({"Sec_Fetch_Dest": "script"}, {})]


def test_pages_that_embed_only_what_allows_it_may_embed_the_script(ask: Ask) -> None:
    """Source: WHATWG HTML, "Cross-origin embedder policies", `require-corp`."""
    assert "cross-origin" == ask(SCRIPT, Origin=HERE).headers["cross-origin-resource-policy"]


def test_two_origins_are_none(port: int) -> None:
    lines = f"GET {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {HERE}\r\nOrigin: https://evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(lines.encode())

        assert b" 403 " in connection.recv(100)


def test_pages_of_this_machine_may_read_and_no_others(ask: Ask) -> None:
    for origin in LOCAL:
        for path in (EVENTS, url_of("js/app.js")):
            answer = ask(path, Origin=origin)

            assert (200, origin) == (answer.status, answer.headers["access-control-allow-origin"])
            assert "origin" in answer.headers["vary"].lower()


def test_a_stream_needs_an_origin(ask: Ask) -> None:
    assert 403 == ask(EVENTS).status


def test_what_was_emitted_is_served_with_nothing_that_opens_it_to_all(ask: Ask) -> None:
    answer = ask(url_of("js/app.js"))

    assert (200, BODIES["js/app.js"]) == (answer.status, answer.body)
    assert "access-control-allow-origin" not in answer.headers
    assert "same-site" == answer.headers["cross-origin-resource-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/",
        "/static/manifest.json",
        "/static/css/app.css",
        "/static/../manifest.json",
        "/static/%2e%2e/manifest.json",
        "/static/..%2fmanifest.json",
        "/static//etc/passwd",
        "/@fs/etc/passwd",
        "/static/@fs/etc/passwd?raw",
        "/assetbuild/live.js/",
        "/assetbuild/%6cive.js%00",
        "/assetbuild/../assetbuild/live.js",
        "//evil.example/assetbuild/live.js",
        "http://evil.example/assetbuild/live.js",
        "/assetbuild/server.py",
        "/static/%ff%fe",
    ],
)
def test_no_other_path_leads_anywhere(ask: Ask, path: str) -> None:
    assert 404 == ask(path, Origin=HERE).status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_can_be_done_here(ask: Ask, method: str) -> None:
    answers = [ask(path, method, Origin=HERE) for path in (SCRIPT, EVENTS, url_of("js/app.js"))]

    assert [(405, "GET, HEAD")] * 3 == [(answer.status, answer.headers.get("allow")) for answer in answers]


def test_asking_for_heads_alone_opens_no_stream(ask: Ask) -> None:
    answers = [ask(path, "HEAD", Origin=HERE) for path in (SCRIPT, EVENTS, url_of("js/app.js"))]

    assert [(200, b"")] * 3 == [(answer.status, answer.body) for answer in answers]


def test_nobody_else_on_the_network_reaches_it(port: int) -> None:
    """The other addresses of loopback are as good as any other machine's."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 20)


def test_a_client_that_leaves_at_once_is_no_fault(port: int, ask: Ask, capfd: pytest.CaptureFixture[str]) -> None:
    for content in (b"", b"GET", b"GET / HTTP/1.1\r\nHost:", b"\x16\x03\x01", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(content)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert 200 == ask(SCRIPT).status
    assert "" == capfd.readouterr().err


def test_more_connections_than_there_are_threads_are_refused_until_one_is_free() -> None:
    live = Live()
    with LiveServer(live, 0) as running, contextlib.ExitStack() as stack:
        before = serving()
        port = port_of(running)
        asked = f"GET {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {HERE}\r\n\r\n".encode()
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(connected(running))
            connection.sendall(asked)
            assert connection.recv(1)

        refused = answer_of(port)
        live.close()
        for each in serving():
            each.join(0 if each in before else 20)
        served = answer_of(port)

    assert (503, "close", b"too many connections at once") == (
        refused.status,
        refused.headers["connection"],
        refused.body,
    )
    assert 200 == served.status


def answer_of(port: int) -> Answer:
    """Return what a client of this machine gets that asks for the script."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", SCRIPT)
    found = connection.getresponse()
    body = found.read()
    connection.close()
    return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, body)


def serving() -> list[threading.Thread]:
    """Return the threads that serve a connection."""
    return [each for each in threading.enumerate() if "process_request_thread" in each.name]


@pytest.mark.parametrize("begun", [b"", b"GET /assetbuild/live.js HTTP/1.1\r\nHost:"])
def test_a_connection_on_which_nothing_comes_is_closed(begun: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with LiveServer(Live(), 0, silence_s=0.05) as running, connected(running) as connection:
        connection.sendall(begun)

        assert b"" == connection.recv(1)
    assert "" == capfd.readouterr().err


def test_a_client_that_takes_nothing_is_left(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    large = {"js/app.js": b"//" * (8 << 20)}
    with LiveServer(Live(), 0, silence_s=0.05) as running, connected(running) as connection:
        running.site.publish(str(write(tmp_path, published(tmp_path, large))))
        before = serving()
        url = f"/static/js/app-{hash_name('', large['js/app.js'])}.js"
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: {running.script_url.split('/')[2]}\r\n\r\n".encode())
        connection.recv(1, socket.MSG_PEEK)
        for each in serving():
            each.join(20 if each not in before else 0)

        assert len(b"".join(iter(lambda: connection.recv(1 << 20), b""))) < len(large["js/app.js"])
    assert "" == capfd.readouterr().err


def connected(running: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(running)), 20)


def port_of(running: LiveServer) -> int:
    return int(running.script_url.rsplit(":", 1)[1].partition("/")[0])


def document(**files: str) -> dict[str, Any]:
    """Return what matters of a manifest: `css_app_css="1"` is the asset css/app.css in the file css/app-1.css."""
    assets, entries = {}, {}
    for name, number in files.items():
        folder, stem, extension = name.split("_")
        path = f"{folder}/{stem}-{number}.{extension}"
        types = {
            "css": "text/css; charset=utf-8",
            "js": "text/javascript",
            "png": "image/png",
            "map": "application/json",
        }
        assets[f"{folder}/{stem}.{extension}"] = {"file": path}
        entries[path] = {"type": types[extension], "integrity": f"sha384-{number}"}
    return {"base": "/static/", "assets": assets, "files": entries}


OLD = document(css_app_css="1", css_b_css="1", js_app_js="1", img_a_png="1")


def test_stylesheets_alone_are_exchanged() -> None:
    new = document(css_app_css="2", css_b_css="1", js_app_js="1", img_a_png="1")

    styles = exchanged(OLD, new)

    assert {"css/app-1.css": {"path": "css/app-2.css", "integrity": "sha384-2"}} == styles


def test_what_is_new_changes_no_page() -> None:
    assert {} == exchanged(OLD, document(css_app_css="1", css_b_css="1", js_app_js="1", img_a_png="1", js_new_js="1"))


@pytest.mark.parametrize(
    "new",
    [
        document(css_app_css="2", css_b_css="1", js_app_js="2", img_a_png="1"),
        document(css_app_css="2", css_b_css="1", js_app_js="1", img_a_png="2"),
        document(css_app_css="2", css_b_css="1", img_a_png="1"),
        document(css_app_css="2", js_app_js="1", img_a_png="1"),
        {**OLD, "base": "/other/"},
        {**OLD, "importmap": {"a": "js/app.js"}},
    ],
)
def test_everything_else_loads_the_page_anew(new: dict[str, Any]) -> None:
    assert exchanged(OLD, new) is None


def test_a_stylesheet_with_a_name_of_its_own_loads_the_page_anew() -> None:
    """Its URL stays, so that a browser would see nothing to exchange."""
    kept = document(css_app_css="2", css_b_css="1", js_app_js="1", img_a_png="1")
    kept["assets"]["css/app.css"]["keep"] = True

    assert exchanged(OLD, kept) is None


def test_a_map_is_for_debuggers_alone() -> None:
    before = document(css_app_css="1", css_app_map="1")
    after = document(css_app_css="2", css_app_map="2")
    for each in (before, after):
        each["assets"]["css/app.css"]["map"] = "css/app.map"

    assert ["css/app-1.css"] == [*(exchanged(before, after) or ())]

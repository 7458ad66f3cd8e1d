"""A process that serves can be started and killed at any time: it writes nothing, holds nothing, and loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from assetbuild import Assets
from assetbuild.web import asgi, wsgi
from assetbuild.web.serve import HAND_OVER_BYTES
from tests.conftest import need
from tests.http.client import BadAnswer, Connection, get, request
from tests.http.nobody import as_nobody, has_namespaces
from tests.http.site import Site, built
from tests.servers import SERVERS, Server, running
from tests.test_docker import CHANGES

REPOSITORY = Path(__file__).parents[1]

# Server → the kind of application it runs. One thread each where that can be said, so that threads can be counted.
KINDS = {"uvicorn": "asgi", "granian-asgi": "asgi", "granian-wsgi": "wsgi", "gunicorn": "wsgi"}
PATIENCE_S = 60
# A hundred bytes kept of each request would be twenty times as much.
GROWTH_BYTES = 32 * 1024
STARTS = re.compile(r"^\d+ +(clone|clone3|fork|vfork)\(")
# Of a call its name and paths, without what differs from run to run: the ends of the names of temporary files.
WHAT = re.compile(r'\b\w+(?=\()|"[^"]*"')
RANDOM = re.compile(r'[a-z0-9_]{8}(?=")')
OPTIONS = {
    "gunicorn": ("--worker-tmp-dir", "/dev/shm", "-k", "sync", "--threads", "1", "--no-control-socket"),
    "granian-wsgi": ("--blocking-threads", "1"),
}


def command(server: str, *before: str) -> list[str]:
    """Return the whole command of a server, after `before`."""
    return [*before, sys.executable, *SERVERS[server]]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Return a site that every user can read."""
    with tempfile.TemporaryDirectory(prefix="disposable-") as folder:
        Path(folder).chmod(0o755)
        yield built(Path(folder) / "project")


class TestReadOnly:
    @pytest.mark.parametrize("server", KINDS)
    def test_nobody_renders_and_serves_where_nothing_can_be_written(
        self, site: Site, server: str, tmp_path: Path
    ) -> None:
        for tool in ("unshare", "setpriv"):
            need(tool, shutil.which(tool) is not None)
        need("unshare as root", os.geteuid() == 0 and has_namespaces())
        needed = (sys.base_prefix, sys.prefix, str(REPOSITORY))
        words = as_nobody(command(server), needed, tmp_path)
        app = f"tests.http.pages:{KINDS[server]}_shop"
        environ = site.environ(SITE=str(site.output), HOME="/nonexistent")

        with running(words, app, folder=REPOSITORY, environ=environ, options=OPTIONS.get(server, ())) as started:
            page = get(started.port, "/")
            answers = {name: get(started.port, place.path) for name, place in site.places.items()}

        assert (200, True) == (page.status, site.places["css"].path.encode() in page.body)
        assert {name: place.bodies[""] for name, place in site.places.items()} == {
            name: answer.body for name, answer in answers.items()
        }


class TestSystemCalls:
    @pytest.mark.parametrize("server", KINDS)
    def test_it_writes_no_file_and_starts_no_thread_or_process(self, site: Site, server: str, tmp_path: Path) -> None:
        """Beyond what the server does for an application that does nothing."""
        need("strace", shutil.which("strace") is not None)

        ours = traced(server, f"tests.http.{KINDS[server]}:middleware", site, tmp_path / "ours")
        theirs = traced(server, f"tests.http.apps:{KINDS[server]}_bytes", site, tmp_path / "theirs")

        assert Counter() == ours - theirs
        assert str(site.file(site.places["css"])).rpartition("/")[2] in (tmp_path / "ours").read_text()


def traced(server: str, app: str, site: Site, trace: Path) -> Counter[str]:
    """Return the calls that change files or start threads and processes, during the start and 100 requests."""
    words = command(server, "strace", "-f", "-qq", "-e", "trace=%file,clone,clone3,fork,vfork", "-o", str(trace))
    environ = site.environ(BODY=str(site.manifest))
    with running(words, app, folder=REPOSITORY, environ=environ, options=OPTIONS.get(server, ())) as started:
        for _ in range(10):
            for place in site.places.values():
                get(started.port, place.path)
                get(started.port, place.path, [("Accept-Encoding", "br"), ("Range", "bytes=0-9")])
            get(started.port, "/static/none.css")
        # At once: what a server does on its way out is not asked, and granian sometimes hangs there under strace.
        for pid in descendants(started.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        started.process.wait(PATIENCE_S)
    lines = [line for line in trace.read_text().splitlines() if "resumed>" not in line]
    found = [line for line in lines if CHANGES.search(line) or STARTS.search(line)]
    return Counter(" ".join(WHAT.findall(RANDOM.sub("…", line))) for line in found)


class TestMemory:
    def test_over_asgi_it_does_not_grow_with_requests(self, site: Site) -> None:
        app = asgi.AssetMiddleware(nothing, Assets.open(site.manifest))

        async def rounds(count: int) -> None:
            for number in range(count):
                for path, fields in varied(site, number):
                    pairs = [(name.encode(), value.encode()) for name, value in fields]
                    await app({"type": "http", "method": "GET", "path": path, "headers": pairs}, nothing, ignored)

        async def grown_bytes() -> int:
            await rounds(300)
            before = traced_bytes()
            await rounds(600)
            return traced_bytes() - before

        with tracing():
            grown = asyncio.run(grown_bytes())

        assert grown < GROWTH_BYTES

    def test_over_wsgi_it_does_not_grow_with_requests(self, site: Site) -> None:
        app = wsgi.AssetMiddleware(lambda environ, start: [], Assets.open(site.manifest))

        def rounds(count: int) -> None:
            for number in range(count):
                for path, fields in varied(site, number):
                    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields}
                    app({"REQUEST_METHOD": "GET", "PATH_INFO": path, **environ}, lambda *_: print)

        with tracing():
            rounds(300)
            before = traced_bytes()
            rounds(600)
            grown = traced_bytes() - before

        assert grown < GROWTH_BYTES


def varied(site: Site, number: int) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    """Yield requests that no other number gives: what is remembered of each would grow without an end."""
    css = site.places["css"].path
    yield css, [("accept-encoding", f"gzip;q=0.{number % 1000:03}, x{number}")]
    yield css, [("if-none-match", f'"{number}"'), ("range", f"bytes={number}-")]
    yield f"/static/css/app-{number}.css", []
    yield f"/static/{'../' * (number % 9)}{number}", [("accept-encoding", "br" * 300)]
    yield f"/page/{number}", []
    for place in site.places.values():
        yield place.path, [("accept-encoding", "gzip, br")]


async def nothing(*_: Any) -> Any:
    return {"type": "http.disconnect"}


async def ignored(_: Any) -> None:
    return None


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def traced_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


# How a body leaves the process → its size and the budget for bodies in memory.
WAYS = {
    "held in memory": (HAND_OVER_BYTES // 2, "33554432"),
    "read in pieces": (HAND_OVER_BYTES - 100, "0"),
    "handed over": (3 * HAND_OVER_BYTES, "33554432"),
}
HEARD = {
    "uvicorn": "Shutting down",
    "granian-asgi": "Shutting down",
    "granian-wsgi": "Shutting down",
    "gunicorn": "Handling signal: term",
}


class TestSignals:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("server", KINDS)
    def test_no_request_is_lost_that_the_server_itself_would_not_lose(
        self, tmp_path: Path, server: str, way: str
    ) -> None:
        """SIGTERM while a large body is on its way, beside an application that holds it in memory and only sends it."""
        size_bytes, memory_bytes = WAYS[way]
        site = built(tmp_path, image_bytes=size_bytes)
        image = site.places["image"]
        environ = site.environ(BODY=str(site.file(image)), MEMORY_BYTES=memory_bytes)

        theirs = ended_in_the_middle(server, f"tests.http.apps:{KINDS[server]}_bytes", environ, image.path)
        ours = ended_in_the_middle(server, f"tests.http.{KINDS[server]}:middleware", environ, image.path)

        assert ours == image.bodies[""] or theirs != image.bodies[""]

    @pytest.mark.parametrize("server", KINDS)
    def test_sudden_death_leaves_nothing_behind(self, tmp_path: Path, server: str) -> None:
        site = built(tmp_path / "site", image_bytes=2 * HAND_OVER_BYTES)
        (tmp_path / "temporary").mkdir()
        environ = site.environ(TMPDIR=str(tmp_path / "temporary"))
        app = f"tests.http.{KINDS[server]}:middleware"
        before = listing(tmp_path)

        with (
            running(server, app, folder=REPOSITORY, environ=environ) as started,
            Connection(started.port, receive_bytes=4096) as connection,
        ):
            connection.send(request("GET", site.places["image"].path))
            connection.begin()
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait()
        with running(server, app, folder=REPOSITORY, environ=environ) as started:
            again = get(started.port, site.places["image"].path)

        assert site.places["image"].bodies[""] == again.body
        assert before == listing(tmp_path)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [*children, *(each for child in children for each in descendants(child))]


def ended_in_the_middle(server: str, app: str, environ: Mapping[str, str], path: str) -> bytes:
    """Return the body for a reader who had read its first bytes when the server was told to end; b"" if it was cut."""
    with (
        running(server, app, folder=REPOSITORY, environ=environ) as started,
        Connection(started.port, receive_bytes=4096) as connection,
    ):
        connection.send(request("GET", path))
        connection.begin()
        started.process.send_signal(signal.SIGTERM)
        wait_for(HEARD[server], started)
        try:
            body = connection.answer().body
        except BadAnswer:
            body = b""
        connection.close()
        started.process.wait(PATIENCE_S)
        return body


def wait_for(word: str, server: Server) -> None:
    """Return when the server has printed `word`."""
    deadline_s = time.monotonic() + PATIENCE_S
    while word not in server.output():
        assert time.monotonic() < deadline_s, f"it never said `{word}`:\n{server.output()}"
        select.select([], [], [], 0.02)


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return every file with its size and time of change."""
    files = [file for file in folder.rglob("*") if not file.is_dir()]
    return sorted((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)

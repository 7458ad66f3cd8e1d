"""Finding, downloading, unpacking and vendoring pinned tools, against a server on loopback."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from assetbuild.cli import main
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Project, Tools
from assetbuild.compiler.tools import (
    NAMES,
    Depot,
    Pin,
    PinnedFile,
    Program,
    ensure,
    find,
    here,
    looks,
    npmrc,
    pin_for,
    tool_folder,
)
from assetbuild.compiler.tools.fetch import fetch
from assetbuild.compiler.tools.install import vendor
from assetbuild.compiler.tools.npm import PackFailed, pack
from assetbuild.compiler.tools.table import hex_of
from assetbuild.compiler.tools.unpack import UnpackFailed, members, parts_of
from assetbuild.disk import RealDisk
from assetbuild.download import FetchFailed, Route, goes_direct, route
from tests.conftest import Tree, need

ESBUILD = b"#!/bin/sh\necho 0.28.2\nexit\n" + bytes(range(256)) * 600
ESBUILD_SHA = hashlib.sha512(ESBUILD).hexdigest()
OTHER = b"#!/bin/sh\necho 0.27.0\n"
DART = b"#!/bin/sh\necho 1.99.0\n"
SNAPSHOT = b"snapshot"
TOKEN = "npm_token_that_must_not_leak"
TARBALL = "/@esbuild/linux-x64/-/linux-x64-0.28.2.tgz"
DIRECT = Route({}, "", {})
MACHINE = dict(os.environ)
REPOSITORY = Path(__file__).parent.parent


class Reply(NamedTuple):
    """What the server answers. length: the Content-Length that it claims, None for the truth, -1 for no header."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    length: int | None = None


class Seen(NamedTuple):
    """What a client asked."""

    path: str
    headers: dict[str, str]


class Server:
    """A loopback HTTP server. replies: path → answer."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, Reply] = {}
        self.seen: list[Seen] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}))
                reply = server.replies.get(self.path, Reply(404))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.length != -1:
                    self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
                self.end_headers()
                self.wfile.write(reply.body)

            def do_CONNECT(self) -> None:
                server.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_error(502)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all end with the test."""
    started: list[Server] = []

    def start(context: ssl.SSLContext | None = None) -> Server:
        started.append(Server(context))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture
def project(tree: Tree) -> Project:
    folder = str(tree({}))
    return Project(folder, os.path.join(folder, "build"), ())


class Authority(NamedTuple):
    """A self-signed certificate for 127.0.0.1 and a server's side of it."""

    certificate: str
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    openssl = shutil.which("openssl")
    need("openssl", openssl is not None)
    folder = tmp_path_factory.mktemp("authority")
    certificate, key = str(folder / "ca.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            *(openssl or "", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=loopback"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Authority(certificate, context)


def sri(body: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()


def packed(files: Mapping[str, bytes], extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for member in extra:
            archive.addfile(member)
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return gzip.compress(raw.getvalue(), mtime=0)


def pin_of(name: str, package: str, files: Mapping[str, bytes], tarball: bytes, version: str = "0.28.2") -> Pin:
    pinned = tuple(PinnedFile(path, len(body), sri(body)) for path, body in files.items())
    return Pin(name, version, "linux-x64", package, len(tarball), sri(tarball), pinned)  # type: ignore[arg-type]


ESBUILD_TGZ = packed({"package/package.json": b"{}", "package/bin/esbuild": ESBUILD})
DART_FILES = {"dart-sass/src/dart": DART, "dart-sass/src/sass.snapshot": SNAPSHOT}
DART_TGZ = packed({f"package/{path}": body for path, body in DART_FILES.items()})
PINS = (
    pin_of("esbuild", "@esbuild/linux-x64", {"bin/esbuild": ESBUILD}, ESBUILD_TGZ),
    pin_of("dart-sass", "sass-embedded-linux-x64", DART_FILES, DART_TGZ, "1.99.0"),
)


def depot_with(pins: tuple[Pin, ...] = PINS, wheel: str = "", mirrors: tuple[str, ...] = ()) -> Depot:
    return Depot(pins, "linux-x64", wheel, mirrors)


def environ_for(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return an environment in which only the test's own folders exist, and no npm."""
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), "PREFIX": str(tmp_path / "none"), **more}


def install(
    project: Project, environ: Mapping[str, str], depot: Depot, name: str = "esbuild"
) -> tuple[Program, list[str]]:
    lines: list[str] = []
    return ensure(name, project, environ, RealDisk(), lines.append, depot=depot), lines


def refusal(project: Project, environ: Mapping[str, str], depot: Depot, name: str = "esbuild") -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        install(project, environ, depot, name)
    return caught.value


def words_of(error: EngineUnavailable) -> str:
    """Return everything that the error would show."""
    return "\n".join(
        line for d in error.diagnostics for line in (d.message, *(note.message for note in d.notes), d.hint)
    )


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture(scope="session")
def real_npm() -> str:
    """Return the file of this machine's npm, whatever PATH a test sets."""
    found = shutil.which("npm", path=MACHINE.get("PATH", ""))
    need("npm", found is not None)
    return found or ""


def packed_by_npm(npm: str, pin: Pin) -> bytes:
    """Return the real tarball of a pin; skip where the registry that npm is configured for does not answer."""
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", f"{pin.package}@{pin.version}"]
        done = subprocess.run(command, cwd=folder, env=MACHINE, capture_output=True, check=False, timeout=120)
        need("a package registry", done.returncode == 0)
        (tarball,) = Path(folder).glob("*.tgz")
        return tarball.read_bytes()


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, body in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        file.chmod(0o755)
    return folder


class TestInstalling:
    def test_a_missing_tool_is_fetched_from_the_registry_once_and_starts(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies[TARBALL] = Reply(200, ESBUILD_TGZ)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url)

        program, lines = install(project, environ, depot_with())
        again, silence = install(project, environ, depot_with())

        tools = tmp_path / "home/.cache/assetbuild/tools"
        argv = (str(tools / "esbuild-0.28.2-linux-x64/bin/esbuild"),)
        assert program == Program("esbuild", argv, "0.28.2", ESBUILD_SHA, "tool-folder", is_pinned=True)
        assert lines == [f"installing esbuild 0.28.2 ({len(ESBUILD_TGZ) / 1e6:.1f} MB) from 127.0.0.1"]
        assert again == program
        assert silence == []
        assert len(server.seen) == 1
        assert subprocess.check_output([*program.argv, "--version"], text=True) == "0.28.2\n"

    def test_only_the_pinned_files_are_unpacked_with_mode_0755_whatever_the_umask(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies["/sass-embedded-linux-x64/-/sass-embedded-linux-x64-1.99.0.tgz"] = Reply(200, DART_TGZ)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url, ASSETBUILD_TOOLS=str(tmp_path / "tools"))

        before = os.umask(0o077)
        try:
            program, _ = install(project, environ, depot_with(), "dart-sass")
        finally:
            os.umask(before)

        root = tmp_path / "tools" / "dart-sass-1.99.0-linux-x64"
        assert program.argv == (str(root / "dart-sass/src/dart"), str(root / "dart-sass/src/sass.snapshot"))
        assert everything_below(tmp_path / "tools") == [
            "dart-sass-1.99.0-linux-x64/dart-sass/src/dart",
            "dart-sass-1.99.0-linux-x64/dart-sass/src/sass.snapshot",
        ]
        assert {os.stat(file).st_mode & 0o777 for file in program.argv} == {0o755}

    def test_without_a_registry_and_npm_each_file_comes_from_the_first_mirror_that_has_the_pinned_bytes(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies["/bad/@esbuild/linux-x64@0.28.2/bin/esbuild"] = Reply(200, b"x" * len(ESBUILD))
        server.replies["/good/@esbuild/linux-x64@0.28.2/bin/esbuild"] = Reply(200, ESBUILD)
        depot = depot_with(mirrors=(f"{server.url}/bad/", f"{server.url}/good/"))

        program, lines = install(project, environ_for(tmp_path), depot)

        assert Path(program.argv[0]).read_bytes() == ESBUILD
        assert len(lines) == 2

    def test_a_registry_that_was_named_is_never_passed_over_for_a_mirror(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies["/@esbuild/linux-x64@0.28.2/bin/esbuild"] = Reply(200, ESBUILD)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=f"{server.url}/npm")

        error = refusal(project, environ, depot_with(mirrors=(f"{server.url}/",)))

        assert [seen.path for seen in server.seen] == [f"/npm{TARBALL}"]
        assert words_of(error) == (
            "esbuild 0.28.2 could not be downloaded\n"
            f"{server.url}/npm{TARBALL}: the server answered 404: the mirror has no such package\n"
            "name a mirror of npm in `ASSETBUILD_REGISTRY`, or bring the tool in with `assetbuild tools vendor`"
        )

    def test_offline_asks_nobody_and_names_both_ways_out(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url)

        error = refusal(project._replace(is_offline=True), environ, depot_with())

        assert server.seen == []
        assert words_of(error) == (
            "esbuild 0.28.2 is not installed, and `--offline` was asked for\n"
            f"{project.folder}/node_modules/@esbuild/linux-x64: absent\n"
            f"{tmp_path}/home/.cache/assetbuild/tools/esbuild-0.28.2-linux-x64: absent\n"
            "run `assetbuild tools install esbuild` where there is a network, or set `ASSETBUILD_TOOLS` to a folder "
            "that `assetbuild tools vendor` made"
        )

    def test_two_processes_that_install_at_once_both_get_the_whole_tool(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies[TARBALL] = Reply(200, ESBUILD_TGZ)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url)
        script = textwrap.dedent(
            f"""
            import os, sys
            from assetbuild.compiler.project import Project
            from assetbuild.compiler.tools import ensure
            from assetbuild.disk import RealDisk
            from tests.test_tools import depot_with
            print("ready", flush=True)
            sys.stdin.readline()
            program = ensure("esbuild", Project({project.folder!r}, "", ()), {environ!r}, RealDisk(), print,
                             depot=depot_with())
            print(program.digest_hex)
            """
        )
        command = [sys.executable, "-c", script]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

        both = [subprocess.Popen(command, cwd=REPOSITORY, **pipes) for _ in range(2)]  # type: ignore[call-overload]
        for process in both:
            process.stdout.readline()
        for process in both:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=30)[0].splitlines()[-1] for process in both]

        assert answers == [ESBUILD_SHA, ESBUILD_SHA]
        tools = tmp_path / "home/.cache/assetbuild/tools"
        assert everything_below(tools) == ["esbuild-0.28.2-linux-x64/bin/esbuild"]

    def test_a_tool_folder_with_damaged_bytes_is_repaired(
        self, server: Server, project: Project, tmp_path: Path
    ) -> None:
        server.replies[TARBALL] = Reply(200, ESBUILD_TGZ)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url, ASSETBUILD_TOOLS=str(tmp_path / "tools"))
        damaged = put(tmp_path / "tools", {"esbuild-0.28.2-linux-x64/bin/esbuild": ESBUILD[:-1] + b"?"})

        program, lines = install(project, environ, depot_with())

        assert len(lines) == 1
        assert (damaged / "esbuild-0.28.2-linux-x64/bin/esbuild").read_bytes() == ESBUILD
        assert program.is_pinned

    def test_a_folder_that_cannot_be_made_is_named(self, server: Server, project: Project, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url, ASSETBUILD_TOOLS=str(tmp_path / "file/tools"))

        error = refusal(project, environ, depot_with())

        assert words_of(error) == (
            f"esbuild 0.28.2 cannot be put into `{tmp_path}/file/tools`: not a directory\n"
            "choose a folder that can be written (`ASSETBUILD_TOOLS`)"
        )

    def test_a_platform_without_a_pin_says_which_ones_have_one(self, project: Project, tmp_path: Path) -> None:
        error = refusal(project, environ_for(tmp_path), depot_with()._replace(platform="linux-riscv64"))

        assert words_of(error) == (
            "no esbuild is pinned for `linux-riscv64`, only for linux-x64\nset `ASSETBUILD_ESBUILD` to one of your own"
        )


class TestBrokenDownloads:
    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            pytest.param(Reply(200, ESBUILD_TGZ[:-1] + b"?"), "its SHA-512 is not the pinned one", id="tampered"),
            pytest.param(
                Reply(200, ESBUILD_TGZ[:-9], length=len(ESBUILD_TGZ)),
                f"it ended after {len(ESBUILD_TGZ) - 9} of {len(ESBUILD_TGZ)} bytes",
                id="truncated",
            ),
            pytest.param(
                Reply(200, ESBUILD_TGZ[:-9]),
                f"it has {len(ESBUILD_TGZ) - 9} bytes, expected {len(ESBUILD_TGZ)}",
                id="shorter",
            ),
            pytest.param(
                Reply(200, ESBUILD_TGZ + b"x" * 100_000, length=-1),
                f"it has more than the expected {len(ESBUILD_TGZ)} bytes",
                id="endless",
            ),
            pytest.param(Reply(500), "the server answered 500", id="error"),
            pytest.param(Reply(206, ESBUILD_TGZ), "the server answered 206", id="partial"),
            pytest.param(Reply(403), "the server answered 403: it wants a credential, or another one", id="forbidden"),
            pytest.param(Reply(302, headers={"Location": TARBALL}), "it redirects more than 5 times", id="loop"),
            pytest.param(
                Reply(302, headers={"Location": "file:///etc/passwd"}),
                "`file:///etc/passwd` is not an http or https URL",
                id="scheme",
            ),
        ],
    )
    def test_it_is_refused_and_leaves_nothing(
        self, server: Server, project: Project, tmp_path: Path, reply: Reply, reason: str
    ) -> None:
        server.replies[TARBALL] = reply
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url, ASSETBUILD_TOOLS=str(tmp_path / "tools"))

        error = refusal(project, environ, depot_with())

        assert words_of(error).splitlines()[1] == f"{server.url}{TARBALL}: {reason}"
        assert everything_below(tmp_path / "tools") == []

    def test_a_server_that_falls_silent_is_not_waited_for(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"

            with pytest.raises(FetchFailed, match=r"^the server fell silent$"):
                list(fetch(url, "", DIRECT._replace(answer_s=0.05), 1, sri(b"x")))

    def test_a_download_that_never_gets_done_is_ended(self, server: Server) -> None:
        server.replies["/x"] = Reply(200, b"x" * 10)

        with pytest.raises(FetchFailed, match=r"^it took longer than 0 seconds$"):
            list(fetch(f"{server.url}/x", "", DIRECT._replace(whole_s=0.0), 10, sri(b"x" * 10)))

    def test_a_refused_connection_says_so(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

        with pytest.raises(FetchFailed, match=r"^connection refused$"):
            list(fetch(f"http://127.0.0.1:{port}/x", "", DIRECT, 1, sri(b"x")))


class TestNpm:
    """A registry that only npm knows: its own default, a workspace's .npmrc above the project."""

    PACKUMENT = "/@esbuild%2flinux-x64"
    LINE = f"installing esbuild 0.28.2 ({len(ESBUILD_TGZ) / 1e6:.1f} MB) through npm"

    @pytest.fixture
    def workspace(self, server: Server, tree: Tree) -> Project:
        """Return a project whose registry stands one folder above it, where npm looks and we do not."""
        host = server.url.removeprefix("http:")
        files = {"package.json": "{}", ".npmrc": f"registry={server.url}\n{host}/:_authToken={TOKEN}\n", "app/x": ""}
        return Project(str(tree(files) / "app"), "", ())

    @pytest.fixture
    def environ(self, real_npm: str, tmp_path: Path) -> dict[str, str]:
        return environ_for(tmp_path, PATH=f"{os.path.dirname(real_npm)}:/usr/bin:/bin")

    def publish(self, server: Server, tarball: bytes) -> None:
        """Let the server answer as a registry that has this tarball."""
        dist = {"tarball": f"{server.url}{TARBALL}", "integrity": sri(tarball)}
        version = {"name": "@esbuild/linux-x64", "version": "0.28.2", "dist": dist}
        packument = {"name": "@esbuild/linux-x64", "dist-tags": {"latest": "0.28.2"}, "versions": {"0.28.2": version}}
        server.replies[self.PACKUMENT] = Reply(200, json.dumps(packument).encode())
        server.replies[TARBALL] = Reply(200, tarball)

    def fake(self, tmp_path: Path, script: str) -> dict[str, str]:
        """Return an environment in which this shell script is called npm."""
        put(tmp_path / "bin", {"npm": f"#!/bin/sh\n{script}\n".encode()})
        return environ_for(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")

    def test_npm_delivers_by_its_own_settings_and_leaves_nothing_beside_the_tool(
        self, server: Server, workspace: Project, environ: dict[str, str], tmp_path: Path
    ) -> None:
        self.publish(server, ESBUILD_TGZ)

        program, lines = install(workspace, environ, depot_with(mirrors=("http://127.0.0.1:1/",)))

        tools = tmp_path / "home/.cache/assetbuild/tools"
        assert Path(program.argv[0]).read_bytes() == ESBUILD
        assert lines == [self.LINE]
        assert [path.name for path in tools.iterdir()] == ["esbuild-0.28.2-linux-x64"]
        assert everything_below(tools) == ["esbuild-0.28.2-linux-x64/bin/esbuild"]
        assert {(seen.path, seen.headers["authorization"]) for seen in server.seen} == {
            (self.PACKUMENT, f"Bearer {TOKEN}"),
            (TARBALL, f"Bearer {TOKEN}"),
        }

    def test_where_npm_fails_the_mirrors_are_asked(
        self, server: Server, workspace: Project, environ: dict[str, str]
    ) -> None:
        server.replies["/cdn/@esbuild/linux-x64@0.28.2/bin/esbuild"] = Reply(200, ESBUILD)

        program, lines = install(workspace, environ, depot_with(mirrors=(f"{server.url}/cdn/",)))

        assert Path(program.argv[0]).read_bytes() == ESBUILD
        assert lines == [self.LINE, f"installing esbuild 0.28.2 ({len(ESBUILD) / 1e6:.1f} MB) from 127.0.0.1"]

    def test_where_all_fail_each_one_says_why_and_no_credential_shows(
        self, server: Server, tree: Tree, environ: dict[str, str]
    ) -> None:
        registry = server.url.replace("http://", f"http://user:{TOKEN}@")
        folder = str(tree({"package.json": "{}", ".npmrc": f"registry={registry}\n", "app/x": ""}) / "app")

        error = refusal(Project(folder, "", ()), environ, depot_with(mirrors=(f"{server.url}/cdn/",)))

        shown = registry.replace(TOKEN, "***")
        file = f"{server.url}/cdn/@esbuild/linux-x64@0.28.2/bin/esbuild"
        assert words_of(error) == (
            "esbuild 0.28.2 could not be downloaded\n"
            f"npm pack @esbuild/linux-x64@0.28.2: npm says `Not Found - GET {shown}{self.PACKUMENT}`\n"
            f"{file}: the server answered 404: the mirror has no such package\n"
            "name a mirror of npm in `ASSETBUILD_REGISTRY`, or bring the tool in with `assetbuild tools vendor`"
        )

    @pytest.mark.parametrize(
        ("pin", "reason"),
        [
            pytest.param(
                PINS[0]._replace(sha512=sri(b"other")),
                "the SHA-512 of `esbuild-linux-x64-0.28.2.tgz` is not the pinned one",
                id="bytes",
            ),
            pytest.param(
                PINS[0]._replace(size=9),
                f"`esbuild-linux-x64-0.28.2.tgz` has {len(ESBUILD_TGZ)} bytes, expected 9",
                id="size",
            ),
        ],
    )
    def test_what_npm_believes_is_refused_unless_it_is_the_pinned_tarball(
        self, server: Server, workspace: Project, environ: dict[str, str], tmp_path: Path, pin: Pin, reason: str
    ) -> None:
        self.publish(server, ESBUILD_TGZ)

        error = refusal(workspace, environ, depot_with((pin,)))

        assert words_of(error).splitlines()[1] == f"npm pack @esbuild/linux-x64@0.28.2: {reason}"
        assert everything_below(tmp_path / "home/.cache") == []

    def test_settings_of_npm_that_would_spoil_it_are_overruled(
        self, server: Server, workspace: Project, environ: dict[str, str], tmp_path: Path
    ) -> None:
        self.publish(server, ESBUILD_TGZ)
        spoilt = {"npm_config_dry_run": "true", "npm_config_pack_destination": "/", "npm_config_loglevel": "silly"}

        program, _ = install(workspace, {**environ, **spoilt}, depot_with())

        assert Path(program.argv[0]).read_bytes() == ESBUILD
        assert not (tmp_path / "home/.npm/_logs").exists() or everything_below(tmp_path / "home/.npm/_logs") == []

    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            pytest.param("echo 'No version is set' >&2; exit 126", "npm says `No version is set`", id="shim"),
            pytest.param("exit 3", "npm ended with 3", id="silent"),
            pytest.param("exit 0", "npm left no tarball", id="nothing"),
            pytest.param("printf '%0400d' 1 >&2; exit 1", f"npm says `{'0' * 300}…`", id="long"),
        ],
    )
    def test_whatever_stands_in_the_place_of_npm_is_quoted(
        self, project: Project, tmp_path: Path, script: str, reason: str
    ) -> None:
        error = refusal(project, self.fake(tmp_path, script), depot_with())

        assert words_of(error).splitlines()[1] == f"npm pack @esbuild/linux-x64@0.28.2: {reason}"

    def test_an_npm_that_does_not_start_is_named(self, project: Project, tmp_path: Path) -> None:
        environ = self.fake(tmp_path, "")
        put(tmp_path / "bin", {"npm": b"no program"})

        error = refusal(project, environ, depot_with())

        assert words_of(error).splitlines()[1] == (
            f"npm pack @esbuild/linux-x64@0.28.2: `{tmp_path}/bin/npm` does not start: exec format error"
        )

    def test_an_npm_that_hangs_is_ended_with_all_its_children(self, tmp_path: Path) -> None:
        lifeline = tmp_path / "lifeline"
        os.mkfifo(lifeline)
        environ = self.fake(tmp_path, f"sleep 60 > {lifeline} & sleep 60")
        reader = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)

        with pytest.raises(PackFailed, match=r"^npm was not done after 0\.5 seconds$"):
            pack(str(tmp_path / "bin/npm"), "x@1", "/", folder=str(tmp_path), environ=environ, limit_s=0.5)

        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # the end: nobody holds the other side any more
        os.close(reader)

    @pytest.mark.parametrize("is_offline", [False, True])
    def test_npm_is_not_started_for_a_named_registry_nor_offline(
        self, server: Server, project: Project, tmp_path: Path, is_offline: bool
    ) -> None:
        environ = self.fake(tmp_path, f"echo started > {tmp_path}/marker")
        named = {} if is_offline else {"ASSETBUILD_REGISTRY": server.url}

        refusal(project._replace(is_offline=is_offline), {**environ, **named}, depot_with())

        assert not (tmp_path / "marker").exists()

    def test_npm_is_given_no_terminal_and_the_folder_of_the_project(self, project: Project, tmp_path: Path) -> None:
        script = (
            f"pwd > {tmp_path}/seen; cat >> {tmp_path}/seen; (: < /dev/tty) 2>/dev/null && echo tty >> {tmp_path}/seen"
        )

        refusal(project, self.fake(tmp_path, script), depot_with())

        assert (tmp_path / "seen").read_text() == f"{project.folder}\n"

    def test_the_real_esbuild_comes_through_the_npm_of_this_machine(self, real_npm: str, tmp_path: Path) -> None:
        """As it is for a user: no setting of ours, whatever npm's own say."""
        esbuild = here().pin("esbuild")
        assert esbuild is not None
        assert hashlib.sha512(packed_by_npm(real_npm, esbuild)).hexdigest() == hex_of(esbuild.sha512)
        environ = {name: value for name, value in MACHINE.items() if not name.startswith("ASSETBUILD_")}

        done = subprocess.run(
            [sys.executable, "-m", "assetbuild", "tools", "install", "esbuild", "--json"],
            cwd=tmp_path,
            env={**environ, "ASSETBUILD_TOOLS": str(tmp_path / "tools"), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        )

        (tool,) = json.loads(done.stdout)["tools"]
        assert (tool["origin"], tool["isPinned"]) == ("tool-folder", True)
        assert subprocess.check_output([*tool["argv"], "--version"], text=True) == "0.28.2\n"


class TestCredentials:
    def test_the_token_of_a_host_goes_to_that_host(self, server: Server, tree: Tree, tmp_path: Path) -> None:
        host = server.url.removeprefix("http:")
        folder = str(tree({".npmrc": f"registry={server.url}\n{host}/:_authToken=${{NPM_TOKEN}}\n"}))
        server.replies[TARBALL] = Reply(200, ESBUILD_TGZ)

        install(Project(folder, "", ()), environ_for(tmp_path, NPM_TOKEN=TOKEN), depot_with())

        assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"

    def test_a_redirect_to_another_host_never_sees_it_even_when_it_leads_back(
        self, serve: Callable[..., Server]
    ) -> None:
        first, second = serve(), serve()
        first.replies["/a"] = Reply(302, headers={"Location": f"{second.url}/b"})
        second.replies["/b"] = Reply(307, headers={"Location": f"{first.url}/c"})
        first.replies["/c"] = Reply(200, b"x")

        assert list(fetch(f"{first.url}/a", f"Bearer {TOKEN}", DIRECT, 1, sri(b"x"))) == [b"x"]

        sent = [(seen.path, seen.headers.get("authorization")) for seen in (*first.seen, *second.seen)]
        assert sent == [("/a", f"Bearer {TOKEN}"), ("/c", None), ("/b", None)]

    def test_a_redirect_that_cannot_be_followed_is_not_quoted(self, server: Server) -> None:
        server.replies["/a"] = Reply(302, headers={"Location": f"/b c?key={TOKEN}"})

        with pytest.raises(FetchFailed) as caught:
            list(fetch(f"{server.url}/a", "", DIRECT, 1, sri(b"x")))

        assert str(caught.value) == "its URL or its credential holds characters that cannot be sent"

    def test_a_redirect_on_the_same_host_keeps_it(self, server: Server) -> None:
        server.replies["/a"] = Reply(302, headers={"Location": "b"})
        server.replies["/b"] = Reply(200, b"x")

        list(fetch(f"{server.url}/a", f"Bearer {TOKEN}", DIRECT, 1, sri(b"x")))

        assert server.seen[1].headers["authorization"] == f"Bearer {TOKEN}"

    def test_no_message_shows_a_credential_from_the_url_the_token_or_a_signed_redirect(
        self, server: Server, tree: Tree, tmp_path: Path
    ) -> None:
        folder = str(tree({".npmrc": f"{server.url.removeprefix('http:')}/:_authToken={TOKEN}"}))
        server.replies[TARBALL] = Reply(302, headers={"Location": f"/signed?key={TOKEN}"})
        url = server.url.replace("http://", f"http://user:{TOKEN}@")
        project = Project(folder, "", (), tools=Tools(registry=url))

        lines: list[str] = []
        with pytest.raises(EngineUnavailable) as caught:
            ensure("esbuild", project, environ_for(tmp_path), RealDisk(), lines.append, depot=depot_with())

        assert TOKEN not in words_of(caught.value) + str(caught.value) + "".join(lines)
        assert server.seen[0].headers["authorization"] == f"Basic {base64.b64encode(f'user:{TOKEN}'.encode()).decode()}"

    def test_a_token_that_cannot_be_sent_is_not_quoted(self, server: Server) -> None:
        with pytest.raises(FetchFailed) as caught:
            list(fetch(f"{server.url}/a", f"Bearer {TOKEN}\nX: y", DIRECT, 1, sri(b"x")))

        assert str(caught.value) == "its URL or its credential holds characters that cannot be sent"
        assert caught.value.__suppress_context__


class TestRoute:
    def test_a_redirect_never_leaves_https(self, serve: Callable[..., Server], authority: Authority) -> None:
        secure = serve(authority.context)
        secure.replies["/a"] = Reply(302, headers={"Location": "http://127.0.0.1/b"})

        with pytest.raises(FetchFailed, match=r"^it redirects from https to http$"):
            list(fetch(f"{secure.url}/a", "", Route({}, "", {"cafile": authority.certificate}), 1, sri(b"x")))

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
    def test_a_certificate_file_of_the_environment_is_trusted(
        self, serve: Callable[..., Server], authority: Authority, variable: str
    ) -> None:
        secure = serve(authority.context)
        secure.replies["/a"] = Reply(200, b"x")

        by = route({variable: authority.certificate}, {})

        assert list(fetch(f"{secure.url}/a", "", by, 1, sri(b"x"))) == [b"x"]

    def test_npms_cafile_is_trusted(self, serve: Callable[..., Server], authority: Authority) -> None:
        secure = serve(authority.context)
        secure.replies["/a"] = Reply(200, b"x")

        by = route({}, npmrc.parse(f"cafile={authority.certificate}", {}))

        assert list(fetch(f"{secure.url}/a", "", by, 1, sri(b"x"))) == [b"x"]

    def test_an_unknown_authority_is_refused(self, serve: Callable[..., Server], authority: Authority) -> None:
        secure = serve(authority.context)

        with pytest.raises(FetchFailed, match=r"^its certificate is not trusted: self-signed certificate$"):
            list(fetch(f"{secure.url}/a", "", DIRECT, 1, sri(b"x")))

        assert secure.seen == []

    def test_a_certificate_file_that_is_not_there_is_named(self) -> None:
        by = route({"SSL_CERT_FILE": "/nowhere/ca.pem"}, {})

        with pytest.raises(FetchFailed, match=r"^`SSL_CERT_FILE` names `/nowhere/ca.pem`, which holds no readable"):
            list(fetch("https://127.0.0.1:1/a", "", by, 1, sri(b"x")))

    def test_a_proxy_is_asked_for_the_absolute_url_with_its_own_credential(self, server: Server) -> None:
        server.replies["http://mirror.invalid/a"] = Reply(200, b"x")
        by = route({"http_proxy": server.url.replace("//", "//user:p%40ss@")}, {})

        assert list(fetch("http://mirror.invalid/a", f"Bearer {TOKEN}", by, 1, sri(b"x"))) == [b"x"]

        headers = server.seen[0].headers
        assert headers["host"] == "mirror.invalid"
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"user:p@ss").decode()

    def test_an_https_proxy_gets_a_tunnel_and_never_the_token(self, server: Server) -> None:
        by = route({"HTTPS_PROXY": server.url.removeprefix("http://")}, {})

        with pytest.raises(FetchFailed, match=r"^tunnel connection failed: 502"):
            list(fetch("https://mirror.invalid/a", f"Bearer {TOKEN}", by, 1, sri(b"x")))

        assert [(seen.path, "authorization" in seen.headers) for seen in server.seen] == [("mirror.invalid:443", False)]

    @pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "example.org, 127.0.0.1:{port}"])
    def test_no_proxy_goes_straight(self, serve: Callable[..., Server], no_proxy: str) -> None:
        server, proxy = serve(), serve()
        server.replies["/a"] = Reply(200, b"x")
        port = server.url.rpartition(":")[2]
        by = route({"http_proxy": proxy.url, "no_proxy": no_proxy.format(port=port)}, {})

        assert list(fetch(f"{server.url}/a", "", by, 1, sri(b"x"))) == [b"x"]

        assert proxy.seen == []

    @pytest.mark.parametrize(
        ("no_proxy", "host", "is_direct"),
        [
            ("example.org", "npm.example.org", True),
            (".example.org", "npm.example.org", True),
            ("*.example.org", "npm.example.org", True),
            ("example.org", "badexample.org", False),
            ("example.org:443", "example.org", True),
            ("example.org:8443", "example.org", False),
            ("[::1]", "::1", True),
            ("", "example.org", False),
        ],
    )
    def test_no_proxy_names_domains_as_curl_reads_them(self, no_proxy: str, host: str, is_direct: bool) -> None:
        assert goes_direct(host, 443, no_proxy) is is_direct


class TestNpmSettings:
    def registry(self, chosen: str, environ: Mapping[str, str], npm: str) -> npmrc.Registry | None:
        return npmrc.registry_for("@esbuild/linux-x64", chosen, environ, npmrc.parse(npm, environ))

    def test_each_source_gives_way_to_the_one_before_it(self, tree: Tree, tmp_path: Path) -> None:
        folder = tree({".npmrc": "registry=http://project"})
        put(tmp_path / "home", {".npmrc": b"registry=http://user"})
        put(tmp_path / "prefix", {"etc/npmrc": b"registry=http://machine"})
        environ = {
            "HOME": str(tmp_path / "home"),
            "NPM_CONFIG_REGISTRY": "http://npm-environment",
            "PREFIX": str(tmp_path / "prefix"),
        }

        def now(chosen: str = "") -> str | None:
            npm = npmrc.settings(str(folder), environ, RealDisk())
            found = npmrc.registry_for("@esbuild/linux-x64", chosen, environ, npm)
            return found and found.url

        environ["ASSETBUILD_REGISTRY"] = "http://environment"
        assert now("http://setting") == "http://setting/"
        assert now() == "http://environment/"
        del environ["ASSETBUILD_REGISTRY"]
        assert now() == "http://npm-environment/"
        del environ["NPM_CONFIG_REGISTRY"]
        assert now() == "http://project/"
        (folder / ".npmrc").unlink()
        assert now() == "http://user/"
        (tmp_path / "home/.npmrc").unlink()
        assert now() == "http://machine/"
        (tmp_path / "prefix/etc/npmrc").unlink()
        assert now() is None

    def test_the_registry_of_a_scope_comes_before_the_one_for_all(self) -> None:
        npm = "registry=http://all\n@esbuild:registry=http://scope/path\n"

        found = self.registry("", {}, npm)

        assert found == npmrc.Registry("http://scope/path/", "")
        assert npmrc.registry_for("sass-embedded-linux-x64", "", {}, npmrc.parse(npm, {})) == npmrc.Registry(
            "http://all/", ""
        )

    @pytest.mark.parametrize(
        ("npm", "authorization"),
        [
            ("//host:8080/a/b/:_authToken=t", "Bearer t"),
            ("//host:8080/a/:_authToken=t", "Bearer t"),
            ("//host:8080/:_authToken=t", "Bearer t"),
            ("//host:8080/a/b:_auth=dXNlcg==", "Basic dXNlcg=="),
            ("//host:8080/:username=u\n//host:8080/:_password=cA==", "Basic dTpw"),
            ("//host:8080/:_authToken=far\n//host:8080/a/b/:_authToken=near", "Bearer near"),
            ("//host/:_authToken=t", ""),
            ("//other:8080/:_authToken=t", ""),
            ("//host:8080/a/c/:_authToken=t", ""),
            ("_authToken=t\n_auth=t", ""),
        ],
    )
    def test_a_credential_belongs_to_a_host_with_its_port_and_path(self, npm: str, authorization: str) -> None:
        assert self.registry("https://host:8080/a/b", {}, npm) == npmrc.Registry(
            "https://host:8080/a/b/", authorization
        )

    def test_lines_are_read_as_npm_reads_them(self) -> None:
        text = (
            "; a comment\n# another\n\nregistry = http://a ; after\n"
            'quoted = "with # inside"\n${KEY}=${VALUE}\nunset=${UNSET}\noptional=${UNSET?}\nescaped=a\\#b\nbare\n'
            "[section]\nregistry=http://never"
        )

        assert npmrc.parse(text, {"KEY": "k", "VALUE": "v"}) == {
            "registry": "http://a",
            "quoted": "with # inside",
            "k": "v",
            "unset": "${UNSET}",
            "optional": "",
            "escaped": "a#b",
            "bare": "",
        }

    def test_names_in_the_environment_are_folded_except_those_of_hosts(self, tmp_path: Path) -> None:
        environ = {
            "npm_config_https_proxy": "p",
            "NPM_CONFIG_@esbuild:registry": "s",
            "npm_config_//Host/:_authToken": "t",
            "npm_config_empty": "",
            "PREFIX": str(tmp_path),
        }

        found = npmrc.settings(str(tmp_path), environ, RealDisk())

        assert found == {"https-proxy": "p", "@esbuild:registry": "s", "//Host/:_authToken": "t"}

    @pytest.mark.parametrize("url", ["http://[::1", "npm.example.com", "file:///x", f"https://u:{TOKEN}@\uff0f/"])
    def test_a_registry_that_is_no_url_is_named_and_not_quoted(
        self, project: Project, tmp_path: Path, url: str
    ) -> None:
        error = refusal(project, environ_for(tmp_path, ASSETBUILD_REGISTRY=url), depot_with())

        assert words_of(error) == (
            "`ASSETBUILD_REGISTRY` is not an http or https URL\nname an npm registry by its whole URL, `https://…`"
        )

    def test_null_takes_a_setting_back(self, tree: Tree, tmp_path: Path) -> None:
        put(tmp_path / "home", {".npmrc": b"proxy=http://proxy\nregistry=http://user"})
        folder = str(tree({".npmrc": "proxy=null"}))

        found = npmrc.settings(folder, environ_for(tmp_path), RealDisk())

        assert found == {"proxy": "", "registry": "http://user"}


class TestUnpacking:
    WANTED = (PinnedFile("bin/esbuild", len(ESBUILD), sri(ESBUILD)),)

    def unpacked(self, tarball: bytes) -> dict[str, bytes]:
        return {file.path: b"".join(parts) for file, parts in members(io.BytesIO(tarball), self.WANTED)}

    def test_members_that_were_not_asked_for_are_never_touched(self) -> None:
        evil = {"../../escape": b"x", "/absolute": b"x", "package/../bin/esbuild": b"x", "bin/esbuild": b"x"}
        tarball = packed({**evil, "package/bin/esbuild": ESBUILD})

        assert self.unpacked(tarball) == {"bin/esbuild": ESBUILD}

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_a_wanted_member_that_is_a_link_or_device_is_refused(self, kind: bytes) -> None:
        link = tarfile.TarInfo("package/bin/esbuild")
        link.type, link.linkname = kind, "/etc/passwd"

        with pytest.raises(UnpackFailed, match=r"^`package/bin/esbuild` is a link or a device, not a file$"):
            self.unpacked(packed({}, (link,)))

    def test_a_wanted_member_of_another_size_is_refused(self) -> None:
        with pytest.raises(UnpackFailed, match=r"^`package/bin/esbuild` has 1 bytes, expected"):
            self.unpacked(packed({"package/bin/esbuild": b"x"}))

    def test_a_missing_member_is_named(self) -> None:
        with pytest.raises(UnpackFailed, match=r"^`package/bin/esbuild` is not in it$"):
            self.unpacked(packed({"package/readme": b"x"}))

    @pytest.mark.parametrize(
        "tarball",
        [b"", b"no gzip", ESBUILD_TGZ[:600], gzip.compress(b"no tar" * 200, mtime=0)],
        ids=["empty", "no gzip", "cut", "no tar"],
    )
    def test_what_is_no_tarball_is_refused(self, tarball: bytes) -> None:
        with pytest.raises(UnpackFailed):
            self.unpacked(tarball)

    def test_a_member_with_other_bytes_is_not_installed(self, server: Server, project: Project, tmp_path: Path) -> None:
        tarball = packed({"package/bin/esbuild": ESBUILD[:-1] + b"?"})
        pin = PINS[0]._replace(size=len(tarball), sha512=sri(tarball))
        server.replies[TARBALL] = Reply(200, tarball)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url, ASSETBUILD_TOOLS=str(tmp_path / "tools"))

        error = refusal(project, environ, depot_with((pin,)))

        assert "the SHA-512 of `bin/esbuild` is not the pinned one" in words_of(error)
        assert everything_below(tmp_path / "tools") == []

    def test_parts_are_bounded(self) -> None:
        assert {len(part) for part in parts_of(io.BytesIO(bytes(1 << 18)))} == {1 << 16}


class TestFinding:
    def places(self, tmp_path: Path, project: Project) -> dict[str, Path]:
        """Put Dart Sass at every place where it may lie."""
        roots = {
            "node_modules": Path(project.folder, "node_modules/sass-embedded-linux-x64"),
            "wheel": tmp_path / "sass_embedded/dart_sass/_vendor/1.99.0-linux-x64",
            "tool-folder": tmp_path / "home/.cache/assetbuild/tools/dart-sass-1.99.0-linux-x64",
        }
        for root in roots.values():
            put(root, DART_FILES)
        return roots

    def test_setting_then_node_modules_then_wheel_then_tool_folder(self, project: Project, tmp_path: Path) -> None:
        roots = self.places(tmp_path, project)
        chosen = put(tmp_path / "chosen", DART_FILES) / "dart-sass"
        depot = depot_with(wheel=str(tmp_path / "sass_embedded"))
        environ = environ_for(tmp_path, ASSETBUILD_DART_SASS=str(chosen))

        def origin() -> str | None:
            found = find("dart-sass", project, environ, depot)
            return found.origin if found else None

        assert origin() == "setting"
        del environ["ASSETBUILD_DART_SASS"]
        assert origin() == "node_modules"
        shutil.rmtree(roots["node_modules"])
        assert origin() == "wheel"
        shutil.rmtree(roots["wheel"])
        assert origin() == "tool-folder"
        shutil.rmtree(roots["tool-folder"])
        assert origin() is None

    def test_every_place_gives_the_same_digest(self, project: Project, tmp_path: Path) -> None:
        self.places(tmp_path, project)
        depot = depot_with(wheel=str(tmp_path / "sass_embedded"))

        programs = [look.program for look in looks("dart-sass", project, environ_for(tmp_path), depot)]

        assert len({program.digest_hex for program in programs if program}) == 1
        assert len(programs) == 3

    def test_other_bytes_in_node_modules_are_passed_over_with_the_reason(
        self, project: Project, tmp_path: Path
    ) -> None:
        put(
            Path(project.folder, "node_modules/@esbuild/linux-x64"),
            {"bin/esbuild": OTHER, "package.json": b'{"version": "0.27.0"}'},
        )
        put(tmp_path / "home/.cache/assetbuild/tools/esbuild-0.28.2-linux-x64", {"bin/esbuild": ESBUILD})

        found = list(looks("esbuild", project, environ_for(tmp_path), depot_with()))

        assert [(look.origin, look.why_not) for look in found] == [
            ("node_modules", "not the bytes of esbuild 0.28.2, its package says 0.27.0"),
            ("tool-folder", ""),
        ]
        assert find("esbuild", project, environ_for(tmp_path), depot_with()) == found[1].program

    def test_one_changed_byte_of_equal_size_does_not_count(self, project: Project, tmp_path: Path) -> None:
        put(Path(project.folder, "node_modules/@esbuild/linux-x64"), {"bin/esbuild": ESBUILD[:-1] + b"?"})

        assert find("esbuild", project, environ_for(tmp_path), depot_with()) is None

    @pytest.mark.parametrize(
        ("platform", "in_wheel"),
        [
            ("linux-arm64", "1.99.0-linux-arm64"),
            ("linux-musl-x64", "1.99.0-linux-x64-musl"),
            ("win32-x64", "1.99.0-windows-x64"),
        ],
    )
    def test_the_wheel_names_platforms_its_own_way(
        self, project: Project, tmp_path: Path, platform: str, in_wheel: str
    ) -> None:
        put(tmp_path / "sass_embedded/dart_sass/_vendor" / in_wheel, DART_FILES)
        depot = Depot((PINS[1]._replace(platform=platform),), platform, str(tmp_path / "sass_embedded"), ())

        program = find("dart-sass", project, environ_for(tmp_path), depot)

        assert program is not None
        assert program.origin == "wheel"

    def test_a_file_that_lost_its_mode_does_not_count(self, project: Project, tmp_path: Path) -> None:
        root = put(Path(project.folder, "node_modules/@esbuild/linux-x64"), {"bin/esbuild": ESBUILD})
        (root / "bin/esbuild").chmod(0o644)

        (look, _) = looks("esbuild", project, environ_for(tmp_path), depot_with())

        assert look.why_not == "not executable"

    def test_a_setting_with_the_pinned_bytes_is_pinned_wherever_it_lies(self, project: Project, tmp_path: Path) -> None:
        file = put(tmp_path, {"own/esbuild": ESBUILD}) / "own/esbuild"
        frozen = project._replace(is_frozen=True, tools=Tools({"esbuild": str(file)}))

        program = find("esbuild", frozen, environ_for(tmp_path), depot_with())

        assert program == Program("esbuild", (str(file),), "0.28.2", ESBUILD_SHA, "setting", is_pinned=True)

    def test_another_version_counts_by_setting_only_and_says_its_own(self, project: Project, tmp_path: Path) -> None:
        put(Path(project.folder), {"own/esbuild": OTHER})
        environ = environ_for(tmp_path, ASSETBUILD_ESBUILD="own/esbuild")

        program = find("esbuild", project, environ, depot_with())

        assert program is not None
        assert (program.version, program.is_pinned) == ("0.27.0", False)
        assert program.digest_hex == hashlib.sha512(OTHER).hexdigest()

    def test_frozen_refuses_it(self, project: Project, tmp_path: Path) -> None:
        put(Path(project.folder), {"own/esbuild": OTHER})
        environ = environ_for(tmp_path, ASSETBUILD_ESBUILD="own/esbuild")

        error = refusal(project._replace(is_frozen=True), environ, depot_with())

        assert words_of(error) == (
            "`ASSETBUILD_ESBUILD` names esbuild 0.27.0, which is not pinned, and `--frozen` was asked for\n"
            "remove the setting to use esbuild 0.28.2, or leave `--frozen`"
        )

    @pytest.mark.parametrize("written", ["dart-sass", "dart-sass/sass", "dart-sass/src/dart"])
    def test_a_setting_may_name_dart_sass_by_folder_launcher_or_runtime(
        self, project: Project, tmp_path: Path, written: str
    ) -> None:
        put(tmp_path / "own", {**DART_FILES, "dart-sass/sass": b"#!/bin/sh\n"})
        environ = environ_for(tmp_path, ASSETBUILD_DART_SASS=str(tmp_path / "own" / written))

        program = find("dart-sass", project, environ, depot_with())

        source = tmp_path / "own/dart-sass/src"
        assert program is not None
        assert program.argv == (str(source / "dart"), str(source / "sass.snapshot"))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "`{file}` is not an executable file"),
            (b"#!/bin/sh\nexit 3\n", "`{file} --version` ends with 3"),
            (b"#!/bin/sh\n", "`{file} --version` prints nothing"),
            (
                b"no program",
                "`{file} --version` does not start: exec format error, so it is no program, or one for another "
                "processor",
            ),
            (
                b"#!/nowhere/sh\n",
                "`{file} --version` does not start: what its first line names as its interpreter, or its loader, "
                "is not there",
            ),
        ],
    )
    def test_a_setting_that_does_not_work_is_an_error_never_another_tool(
        self, project: Project, tmp_path: Path, content: bytes | None, message: str
    ) -> None:
        put(Path(project.folder, "node_modules/@esbuild/linux-x64"), {"bin/esbuild": ESBUILD})
        file = tmp_path / "own"
        if content is not None:
            put(tmp_path, {"own": content})
        chosen = project._replace(tools=Tools({"esbuild": str(file)}))

        error = refusal(chosen, environ_for(tmp_path), depot_with())

        assert words_of(error) == (
            f"{message.format(file=file)}\ncorrect `tools.esbuild`, or remove it to use the pinned esbuild"
        )

    @pytest.mark.parametrize(
        ("environ", "folder"),
        [
            ({"ASSETBUILD_TOOLS": "/t", "XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/t"),
            ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/assetbuild/tools"),
            ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/assetbuild/tools"),
            ({"HOME": "/h"}, "/h/.cache/assetbuild/tools"),
            ({}, None),
        ],
    )
    def test_the_tool_folder_follows_the_environment(self, environ: dict[str, str], folder: str | None) -> None:
        assert tool_folder(environ) == folder

    def test_without_a_home_the_error_says_what_to_set(self, project: Project) -> None:
        assert words_of(refusal(project, {}, depot_with())) == (
            "esbuild 0.28.2 is not installed, and there is no home folder to install it in\n"
            "set `ASSETBUILD_TOOLS` to a folder"
        )


class TestVendoring:
    def test_a_vendored_folder_is_a_tool_folder(self, server: Server, project: Project, tmp_path: Path) -> None:
        server.replies[TARBALL] = Reply(200, ESBUILD_TGZ)
        put(Path(project.folder, "node_modules/sass-embedded-linux-x64"), DART_FILES)
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url)
        folder = str(tmp_path / "layer")
        lines: list[str] = []

        vendor(folder, PINS, project, environ, disk=RealDisk(), notice=lines.append, depot=depot_with())
        offline = Project(str(tmp_path), "", (), is_offline=True)
        programs = [
            ensure(name, offline, {"ASSETBUILD_TOOLS": folder}, RealDisk(), lines.append, depot=depot_with())
            for name in NAMES
        ]

        assert {program.origin for program in programs} == {"tool-folder"}
        assert len(lines) == 1
        assert len(server.seen) == 1

    def test_what_is_there_already_is_not_fetched_again(self, server: Server, project: Project, tmp_path: Path) -> None:
        put(tmp_path / "layer/esbuild-0.28.2-linux-x64", {"bin/esbuild": ESBUILD})
        environ = environ_for(tmp_path, ASSETBUILD_REGISTRY=server.url)

        lines: list[str] = []

        vendor(
            str(tmp_path / "layer"),
            PINS[:1],
            project,
            environ,
            disk=RealDisk(),
            notice=lines.append,
            depot=depot_with(),
        )

        assert lines == []
        assert server.seen == []


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def only_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run in an empty project whose environment knows no registry, no tool and no home but its own."""
        need("the sass-embedded wheel", bool(here().wheel_folder))
        for name in os.environ:
            if name.lower().startswith(("npm_config_", "assetbuild_")):
                monkeypatch.delenv(name)
        for name, value in environ_for(tmp_path, NO_COLOR="1").items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")

    def test_list_says_where_each_tool_was_looked_for_and_which_is_used(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pins = {name: here().pin(name) for name in NAMES}
        dart, esbuild = pins["dart-sass"], pins["esbuild"]
        assert dart is not None
        assert esbuild is not None
        put(tmp_path / "work/node_modules" / esbuild.package, {esbuild.files[0].path: OTHER})
        wheel = next(look.place for look in looks("dart-sass", Project("/x", "", ()), {}) if look.origin == "wheel")
        tools = tmp_path / "home/.cache/assetbuild/tools"

        assert main(["tools", "list"]) == 0

        assert capsys.readouterr().out == (
            f"dart-sass 1.99.0 for {dart.platform}\n"
            f"  node_modules  node_modules/{dart.package}: absent\n"
            f"  wheel         {wheel}: the pinned bytes, used\n"
            f"  tool-folder   {tools}/{dart.folder}: absent\n"
            f"esbuild 0.28.2 for {esbuild.platform}\n"
            f"  node_modules  node_modules/{esbuild.package}: not the bytes of esbuild 0.28.2\n"
            f"  tool-folder   {tools}/{esbuild.folder}: absent\n"
            "  not installed: `assetbuild tools install esbuild`, or the first compile that needs it\n"
        )

    def test_json_is_one_document_with_what_would_start(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["tools", "list", "--json"]) == 0

        dart, esbuild = json.loads(capsys.readouterr().out)["tools"]
        assert (dart["pinned"], dart["program"]["origin"], dart["program"]["isPinned"]) == ("1.99.0", "wheel", True)
        assert (esbuild["pinned"], esbuild["program"]) == ("0.28.2", None)

    def test_install_reads_the_registry_of_the_configuration_and_needs_no_assets(
        self, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        esbuild = here().pin("esbuild")
        assert esbuild is not None
        (tmp_path / "work/assetbuild.toml").write_text(f'[tools]\nregistry = "{server.url}"\n')

        assert main(["tools", "install", "esbuild"]) == 2

        url = f"{server.url}/{esbuild.package}/-/{esbuild.platform}-0.28.2.tgz"
        assert capsys.readouterr().err == (
            f"installing esbuild 0.28.2 ({esbuild.size / 1e6:.1f} MB) from 127.0.0.1\n"
            "error: esbuild 0.28.2 could not be downloaded [tool-unavailable]\n"
            "  name a mirror of npm in `ASSETBUILD_REGISTRY`, or bring the tool in with `assetbuild tools vendor`\n"
            f"  note: {url}: the server answered 404: the mirror has no such package\n"
            "\n1 error\n"
        )

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["install", "esbiuld"], "`esbiuld` is not a tool\n  did you mean `esbuild`?"),
            (
                ["vendor", "x", "--platform", "linux-x86"],
                "`linux-x86` is not a platform with pinned tools\n  did you mean `linux-x64`?",
            ),
        ],
    )
    def test_an_unknown_word_gets_the_nearest(
        self, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
    ) -> None:
        assert main(["tools", *argv]) == 2

        assert capsys.readouterr().err == f"error: {message}\n"

    def test_the_real_esbuild_installs_vendors_and_runs(
        self, server: Server, real_npm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The tarball comes through npm, as this machine configures it; from there on the whole path is our own."""
        esbuild = here().pin("esbuild")
        assert esbuild is not None
        tarball = packed_by_npm(real_npm, esbuild)
        server.replies[f"/{esbuild.package}/-/{esbuild.platform}-{esbuild.version}.tgz"] = Reply(200, tarball)
        monkeypatch.setenv("npm_config_registry", server.url)
        layer = tmp_path / "layer"

        codes = [main(["tools", "install"]), main(["tools", "vendor", str(layer)])]
        monkeypatch.setenv("ASSETBUILD_TOOLS", str(layer))
        offline = Project(str(tmp_path), "", (), is_offline=True)
        programs = [ensure(name, offline, os.environ, RealDisk(), print) for name in NAMES]

        assert codes == [0, 0]
        assert len(server.seen) == 1
        assert programs[1].origin == "tool-folder"
        minified = subprocess.run(
            [*programs[1].argv, "--minify"], input=b"let a = 1 ;", capture_output=True, check=True
        )
        assert minified.stdout == b"let a=1;\n"


class TestTheTable:
    def test_every_platform_that_python_web_teams_use_has_both_tools(self) -> None:
        pins = here().pins

        for system in ("linux", "linux-musl", "darwin"):
            for machine in ("x64", "arm64"):
                assert all(pin_for(name, f"{system}-{machine}", pins) for name in NAMES)
        assert all(pin_for(name, "win32-x64", pins) for name in NAMES)

    def test_a_static_build_serves_musl_and_a_dynamic_one_does_not(self) -> None:
        esbuild, dart = (pin_for(name, "linux-musl-x64", here().pins) for name in ("esbuild", "dart-sass"))

        assert esbuild is not None
        assert dart is not None
        assert (esbuild.platform, dart.platform) == ("linux-x64", "linux-musl-x64")

    def test_the_dart_sass_of_the_wheel_is_the_pinned_one_and_answers(self, project: Project, tmp_path: Path) -> None:
        need("the sass-embedded wheel", bool(here().wheel_folder))

        program = find("dart-sass", project, environ_for(tmp_path))

        assert program is not None
        assert (program.origin, program.is_pinned) == ("wheel", True)
        assert subprocess.check_output([*program.argv, "--version"], text=True).split()[0] == program.version

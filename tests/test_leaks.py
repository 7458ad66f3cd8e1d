"""Leaks: nothing that leaves the machine says where it was made, or by whom."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

import brotli
import pytest

from assetbuild.compiler.tools.find import tool_folder
from tests.conftest import need, pinned
from tests.ended import EVERY_ENGINE

HERE = Path(__file__).parents[1]
FOLDER, HOME, USER, HOST = "telltale-folder", "telltale-home", "telltale-user", "telltale-host"
DATA_URL = re.compile(rb"data:[\w/+.;=-]*;base64,([\w+/=]+)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Return everything that a build with every engine, its archive and its attestations consist of."""
    need("esbuild", pinned("esbuild") is not None)
    top = tmp_path_factory.mktemp(FOLDER)
    project, home = top / "project", top / HOME
    home.mkdir()
    for path, body in EVERY_ENGINE.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_", "GITLAB_"))},
        **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), USER),
        **dict.fromkeys(("HOSTNAME", "HOST"), HOST),
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(HERE),
        "ASSETBUILD_TOOLS": tool_folder(os.environ) or "",
        "ASSETBUILD_CACHE": str(top / "cache"),
    }
    attested = ["--attest", "attest.json", "--sbom", "sbom.json"]
    packed = ["--provenance", "attest.json", "--sbom", "sbom.json"]
    for command in (
        ["compile", "--jobs", "2", *attested, "project"],
        ["pack", *packed, "project/build/assets", "assets.tar"],
    ):
        argv = [*hostname(), sys.executable, "-m", "assetbuild", *command]
        done = subprocess.run(argv, cwd=top, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    files = [*(project / "build").rglob("*"), *(top / name for name in ("attest.json", "sbom.json", "assets.tar"))]
    return {str(file.relative_to(top)): file.read_bytes() for file in files if file.is_file()}


def hostname() -> list[str]:
    """Return words that run a command on a host of the telling name, none where nobody may name one."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "--uts", "true"], capture_output=True, check=False).returncode:
        return []
    return [unshare, "--uts", "sh", "-c", f'hostname {HOST} && exec "$0" "$@"']


def layers(name: str, body: bytes) -> Iterator[bytes]:
    """Yield a file's bytes, and what is packed into them: compressed, in base64, in escapes of URLs and JSON."""
    if name.endswith(".gz"):
        body = gzip.decompress(body)
    elif name.endswith(".br"):
        body = brotli.decompress(body)
    yield body
    yield urllib.parse.unquote_to_bytes(body)
    for match in DATA_URL.finditer(body):
        yield base64.b64decode(match[1])
    if name.endswith((".map", ".json")):
        yield json.dumps(json.loads(body), ensure_ascii=False).encode()


def test_every_engine_wrote_and_every_kind_of_file_is_there(made: Mapping[str, bytes]) -> None:
    tools = json.loads(made["project/build/assets/manifest.json"])["build"]["tools"]

    assert {"dart-sass", "esbuild", "libsass", "rcssmin", "brotli", "deflate"} <= set(tools)
    assert {".map", ".gz", ".br", ".js", ".css", ".json", ".png"} <= {Path(name).suffix for name in made}


@pytest.mark.parametrize("telling", [FOLDER, HOME, USER, HOST, str(HERE), sys.prefix, str(tool_folder(os.environ))])
def test_no_byte_says_where_or_by_whom_it_was_made(made: Mapping[str, bytes], telling: str) -> None:
    told = {name for name, body in made.items() for layer in layers(name, body) if telling.encode() in layer}

    assert set() == told


def test_no_map_names_a_source_by_an_absolute_path(made: Mapping[str, bytes]) -> None:
    maps = {name: json.loads(body) for name, body in made.items() if name.endswith(".map")}

    assert maps
    assert [] == [
        (name, source)
        for name, document in maps.items()
        for source in document["sources"]
        if source.startswith(("/", "file:", "\\")) or ".." in source.split("/")
    ]

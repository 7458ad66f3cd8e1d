"""Peers: the same faults under the commands that others publish with, from an empty output, and a plain re-run.

What is asked of them is less than of ours, since none promises a build that is old or new: no file under a final name
that holds other bytes than a clean run gives it, a re-run that works, and an output that it leaves as a clean one.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assetbuild.disk import TEMP_MARK
from tests.faults.builds import files_in
from tests.faults.forge import ASSETBUILD, Forge, Run
from tests.faults.traced import Fault, calls_of, traced

__all__ = ["PEERS", "Row", "row"]

_WRITING = ("write", "sendfile", "copy_file_range")
_IMAGE = bytes(range(256)) * 800


class Peer(NamedTuple):
    """A command. target: for the forge; arguments: before the folders of sources and output."""

    target: str
    arguments: Sequence[str]


class Row(NamedTuple):
    """A row of the table. wrong: points after which a plain re-run leaves other bytes than a clean run."""

    name: str
    what: str
    points: int
    torn: int
    failing: int
    wrong: int

    def __str__(self) -> str:
        return "| " + " | ".join(map(str, self)) + " |"


PEERS = {
    "Django collectstatic": Peer(
        "tests.faults.peers:collect", ["django.contrib.staticfiles.storage.StaticFilesStorage"]
    ),
    "collectstatic, ManifestStaticFilesStorage": Peer(
        "tests.faults.peers:collect", ["django.contrib.staticfiles.storage.ManifestStaticFilesStorage"]
    ),
    "collectstatic, WhiteNoise's CompressedManifestStaticFilesStorage": Peer(
        "tests.faults.peers:collect", ["whitenoise.storage.CompressedManifestStaticFilesStorage"]
    ),
    "webassets build, hashed names": Peer("tests.faults.peers:bundle", ["%(version)s."]),
    "webassets build, fixed names": Peer("tests.faults.peers:bundle", [""]),
    "assetbuild compile": Peer(ASSETBUILD, ["compile", "--jobs", "1", "--no-cache"]),
}


def row(name: str, what: str, folder: Path, *, limit: int) -> Row:
    """Return what becomes of a peer under SIGKILL at each, or an error from each of its writes on, `limit` at most."""
    peer, output = PEERS[name], folder / "out"
    _write_sources(folder / "assets")
    if peer.target == ASSETBUILD:
        argv = [*peer.arguments, "--output", str(output), str(folder)]
    else:
        argv = [*peer.arguments, str(folder / "assets"), str(output)]
    run = Run(argv, folder, {**os.environ, "ASSETBUILD_CACHE": "off"})
    with Forge(peer.target, run) as forge:
        assert forge.rehearsed.code == 0, forge.rehearsed.text
        clean = files_in(output)
        shutil.rmtree(output)
        calls = {call: count for call, count in calls_of(forge, run).items() if call in _WRITING}
        numbers = [(call, number) for call, count in sorted(calls.items()) for number in range(1, count + 1)]
        total = Row(name, what, 0, 0, 0, 0)
        for call, number in numbers[:: -(-len(numbers) // limit)]:
            shutil.rmtree(output, ignore_errors=True)
            fault = Fault(call, what, number, is_lasting=what == "ENOSPC")
            if not fault.has_fired(traced(forge, run, fault.options)[1]):
                continue
            is_torn = any(_is_torn(path, body, clean) for path, body in files_in(output).items())
            again = forge.run(run)
            found = files_in(output)
            total = total._replace(
                points=total.points + 1,
                torn=total.torn + is_torn,
                failing=total.failing + (again.code != 0),
                wrong=total.wrong + any(found.get(path) != body for path, body in clean.items()),
            )
    return total


def collect(argv: Sequence[str]) -> int:
    """Run Django's command with a storage."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    storage, source, output = argv
    settings.configure(
        INSTALLED_APPS=["django.contrib.staticfiles"],
        STATIC_URL="/static/",
        STATIC_ROOT=output,
        STATICFILES_DIRS=[source],
        STORAGES={"staticfiles": {"BACKEND": storage}},
    )
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    return 0


def bundle(argv: Sequence[str]) -> int:
    """Run the `build` command of webassets over bundles without a filter, their versions in a JSON manifest."""
    import logging

    webassets: Any = importlib.import_module("webassets")
    script: Any = importlib.import_module("webassets.script")
    version, source, output = argv
    os.makedirs(output, exist_ok=True)
    env = webassets.Environment(output, "/static", load_path=[source], cache=False, versions="hash")
    env.manifest = f"json:{output}/manifest.json" if version else False
    env.url_expire = False
    for number in range(4):
        env.register(f"css{number}", webassets.Bundle(f"css/s{number}.css", output=f"s{number}.{version}css"))
        env.register(f"js{number}", webassets.Bundle(f"js/s{number}.js", output=f"s{number}.{version}js"))
    script.CommandLineEnvironment(env, logging.getLogger("webassets")).build()
    return 0


def _is_torn(path: str, body: bytes, clean: dict[str, bytes]) -> bool:
    if TEMP_MARK in path:
        return False
    if path.endswith(".json") and body != clean.get(path):
        try:
            json.loads(body)  # one that lists less is none that was torn
        except ValueError:
            return True
        return False
    return body != clean.get(path)


def _write_sources(folder: Path) -> None:
    for number in range(4):
        files = {
            f"css/s{number}.css": f".a{number} {{ background: url(../img/i{number}.png) }}\n".encode() * 99,
            f"js/s{number}.js": f"console.log({number})\n".encode() * 99,
            f"img/i{number}.png": b"\x89PNG\r\n\x1a\n" + _IMAGE + bytes([number]),
        }
        for path, body in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(body)

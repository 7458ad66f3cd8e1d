"""assetbuild itself: the command, from a fresh process, with a compile cache of its own in each round."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from builds.corpora import app
from builds.peers.base import Peer, Place, Plan, bundles

__all__ = ["OURS", "OURS_WITH_VARIANTS", "PEERS"]

OURS = "assetbuild"
OURS_WITH_VARIANTS = "assetbuild, gzip + br"

_NO_VARIANTS = "[compress]\ngzip = false\nbr = false\n"


def _app(_: Place) -> str:
    """Scripts are published as what is built of them, as a bundler does; all else is published as itself too."""
    entries = "".join(f'"{logical}" = {json.dumps(source)}\n' for logical, source in app.ENTRIES.items())
    return (
        f'roots = ["src"]\nexclude = ["js/**"]\n[entries]\n{entries}'
        f'[sass]\nauto = false\nsilence = {json.dumps(list(app.SILENCED))}\n[js]\ntargets = ["es2020"]\n'
    )


def _legacy(place: Place) -> str:
    named = bundles(place)
    lines = [
        f'"gen/{name}.css" = {{ sources = {json.dumps(files)}, filters = ["rcssmin"] }}'
        for name, files in named["css"].items()
    ]
    lines += [f'"gen/{name}.js" = {{ classic = {json.dumps(files)} }}' for name, files in named["js"].items()]
    return "\n".join(['roots = ["static"]', 'exclude = ["css/**", "js/**"]', "[entries]", *lines, ""])


def _three(_: Place) -> str:
    return (
        'roots = ["src"]\nexclude = ["copy*/**"]\n[entries]\n"entry.js" = { module = "entry.js" }\n'
        '[sourcemaps]\nmode = "public"\n'
    )


def _themes(_: Place) -> str:
    return 'roots = ["assets"]\n'


def _small(_: Place) -> str:
    return 'roots = ["static"]\n'


_CONFIGURATIONS: dict[str, Callable[[Place], str]] = {
    "app": _app,
    "legacy": _legacy,
    "three10x": _three,
    "themes": _themes,
    "static-1k": _small,
    "static-10k": _small,
    "static-100k": _small,
}


def _plan(place: Place, compress: str) -> Plan:
    (place.source / "assetbuild.toml").write_text(_CONFIGURATIONS[place.corpus](place) + compress)
    command = [
        sys.executable,
        "-m",
        "assetbuild",
        "compile",
        str(place.source),
        "--output",
        str(place.output),
        "--json",
    ]
    return Plan([command], place.source, {"ASSETBUILD_CACHE": str(place.scratch / "cache")})


PEERS = (
    Peer(OURS, frozenset(_CONFIGURATIONS), (), lambda place: _plan(place, _NO_VARIANTS), "no variants"),
    Peer(
        OURS_WITH_VARIANTS,
        frozenset({"app", "static-1k", "static-10k"}),
        (),
        lambda place: _plan(place, ""),
        "as it comes: gzip and brotli beside each file",
    ),
)

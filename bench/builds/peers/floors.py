"""Floors: what copying and hashing alone cost, here and now."""

from __future__ import annotations

import shlex
import sys

from builds.peers.base import SCRIPTS, Peer, Place, Plan

__all__ = ["BARE_LOOP", "PEERS"]

BARE_LOOP = "bare Python loop"

_SOURCES = {"app": "src", "legacy": "static", "three10x": "src", "themes": "assets"}
_SMALL = ("static-1k", "static-10k", "static-100k")
_EVERYWHERE = frozenset({*_SOURCES, *_SMALL})


def _sources(place: Place) -> str:
    return str(place.source / _SOURCES.get(place.corpus, "static"))


def _copied(place: Place) -> Plan:
    source, output = shlex.quote(_sources(place)), shlex.quote(str(place.output))
    sums = shlex.quote(str(place.scratch / "sums"))
    script = f"mkdir -p {output} && cp -r {source}/. {output}/ && find {output} -type f -exec sha256sum {{}} + > {sums}"
    return Plan([["sh", "-c", script]], place.source)


def _looped(place: Place) -> Plan:
    command = [sys.executable, "-I", str(SCRIPTS / "bare_loop.py"), _sources(place), str(place.output)]
    return Plan([command], place.source)


PEERS = (
    Peer("cp -r + sha256sum", _EVERYWHERE, (), _copied, "no references, old names"),
    Peer(BARE_LOOP, _EVERYWHERE, (), _looped, "read, hash, write by temporary file and rename, sync once"),
)

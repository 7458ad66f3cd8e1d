"""webassets, as a team without a bundler uses it."""

from __future__ import annotations

from builds.peers.base import SCRIPTS, Peer, Place, Plan

__all__ = ["PEERS", "WEBASSETS"]

WEBASSETS = "webassets"


def _plan(place: Place) -> Plan:
    output = place.source / "static" / f"gen-{place.output.parent.name}"
    script = str(SCRIPTS / "webassets_bundles.py")
    command = [str(place.box.python), "-I", script, str(place.source), str(output), str(place.scratch)]
    return Plan([command], place.source, output=output)


_NEEDS = ("pip:webassets", "pip:rcssmin", "pip:rjsmin")

PEERS = (Peer(WEBASSETS, frozenset({"legacy"}), _NEEDS, _plan, "cssrewrite, rcssmin, rjsmin; pictures stay in place"),)

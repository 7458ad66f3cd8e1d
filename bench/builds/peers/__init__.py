"""Peers: how each tool is called, as its own documentation says, with output that can be compared."""

from __future__ import annotations

from collections.abc import Sequence

from builds.peers import bundlers, django, floors, ours, sprockets, webassets
from builds.peers.base import Peer, Place, Plan

__all__ = ["PEERS", "Peer", "Place", "Plan"]

PEERS: Sequence[Peer] = (*ours.PEERS, *floors.PEERS, *bundlers.PEERS, *webassets.PEERS, *django.PEERS, *sprockets.PEERS)

"""The form of a check.

A rule is a requirement of a standard, or what its words cannot but mean. Advice is what serves pages with
content-addressed files well: a server that does otherwise breaks no standard.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.http.client import Fields
from tests.http.expect import Claim

__all__ = ["ETAG", "OFFERS", "Check", "Step", "advice", "get", "rule"]

ETAG = "<etag>"
"""In a field's value: the entity tag of the step's file; `<etag gzip>` is that of a variant."""

OFFERS = {
    "gzip": "gzip variants from the disk",
    "br": "Brotli variants from the disk",
    "etag": "entity tags",
    "ranges": "byte ranges",
    "lifetime": "a lifetime in caches",
    "stable": "a cache policy of its own for files that keep their names",
    "root": "files at the root of the site",
    "app": "an application behind it",
}
"""What a server may leave out by design; a check that needs it then means nothing."""


class Step(NamedTuple):
    """One request and what its answer should be. target: else the path of the place."""

    claims: tuple[Claim, ...]
    fields: Fields = ()
    place: str = "css"
    method: str = "GET"
    target: str = ""


class Check(NamedTuple):
    """Requests, in order, on one connection while the server keeps it. source: where the claim is laid down."""

    name: str
    source: str
    steps: tuple[Step, ...]
    needs: frozenset[str]
    is_rule: bool


def rule(name: str, source: str, *steps: Step, needs: str = "") -> Check:
    """Return a check of a rule. needs: words of `OFFERS`."""
    return Check(name, source, steps, _known(needs), True)


def advice(name: str, source: str, *steps: Step, needs: str = "") -> Check:
    """Return a check of advice. needs: words of `OFFERS`."""
    return Check(name, source, steps, _known(needs), False)


def get(*claims: Claim, place: str = "css", method: str = "GET", target: str = "", **fields: str) -> Step:
    """Return a step whose further keyword arguments are fields: `if_none_match` is `If-None-Match`."""
    named = tuple((name.replace("_", "-").title(), value) for name, value in fields.items())
    return Step(claims, named, place, method, target)


def _known(needs: str) -> frozenset[str]:
    words = frozenset(needs.split())
    assert words <= OFFERS.keys(), f"`{needs}` is nothing that a server offers"
    return words

"""What a server of static files owes its clients: requests with claims about their answers, as data."""

from __future__ import annotations

from tests.http.checks.conditions import CONDITIONS
from tests.http.checks.methods import METHODS
from tests.http.checks.model import ETAG, OFFERS, Check, Step
from tests.http.checks.negotiation import NEGOTIATION
from tests.http.checks.paths import PATHS
from tests.http.checks.policy import POLICY
from tests.http.checks.ranges import RANGES

__all__ = ["CHECKS", "ETAG", "OFFERS", "Check", "Step"]

CHECKS = {
    "Content negotiation": NEGOTIATION,
    "Conditions": CONDITIONS,
    "Ranges": RANGES,
    "Methods and connections": METHODS,
    "Types, sharing and caching": POLICY,
    "Paths": PATHS,
}

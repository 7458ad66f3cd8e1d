"""The targets by name: each takes any bytes, and raises when its module breaks a promise."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.archives import archives
from tests.fuzz.languages import scripts, sheets, tagged, web_manifests
from tests.fuzz.manifests import changed
from tests.fuzz.maps import chains
from tests.fuzz.rules import globbed, paths
from tests.fuzz.sealing import graphs
from tests.fuzz.serving import requests
from tests.fuzz.tags import attributes

__all__ = ["TARGETS", "Target"]

Target = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    "css": sheets,
    "js": scripts,
    "markup": tagged,
    "webmanifest": web_manifests,
    "seal": graphs,
    "sourcemap": chains,
    "manifest": changed,
    "paths": paths,
    "globs": globbed,
    "http": requests,
    "tags": attributes,
    "archive": archives,
}

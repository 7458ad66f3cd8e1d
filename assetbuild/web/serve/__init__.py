"""The serving core, one for all transports: what answers at a path, in which variant, on which conditions.

The rooms: `mount` (where), `resources` (what there is), `negotiate` (which variant), `conditions` (whether, and which
part), `memory` (bodies that are held), `respond` (the answer). `asgi` and `wsgi` only translate.
"""

from __future__ import annotations

from assetbuild.web.serve.mount import MountError, mount_of
from assetbuild.web.serve.resources import NOWHERE, Resource
from assetbuild.web.serve.respond import FIELDS, HAND_OVER_BYTES, MEMORY_BYTES, Fields, Reply, Responder

__all__ = [
    "FIELDS",
    "HAND_OVER_BYTES",
    "MEMORY_BYTES",
    "NOWHERE",
    "Fields",
    "MountError",
    "Reply",
    "Resource",
    "Responder",
    "mount_of",
]

"""Bodies that stay in memory: loaded and checked at the first hit, up to a budget.

Receives variants; hands on their bytes, or None for what is left on the disk.
"""

from __future__ import annotations

import hashlib
import os
from threading import Lock

from assetbuild.web.files import FileFault, open_published, read_published
from assetbuild.web.serve.resources import Variant

__all__ = ["Memory"]

# One video must not keep the stylesheets out.
_LARGEST_SHARE = 8


class Memory:
    """The bodies of one output folder, at most `budget_bytes` of them; none is ever given up for another."""

    def __init__(self, folder: str, budget_bytes: int) -> None:
        self._folder = folder
        self._largest_bytes = budget_bytes // _LARGEST_SHARE
        self._left_bytes = budget_bytes
        self._bodies: dict[str, bytes] = {}
        # Held for an addition, at the first hit of a file: nobody waits for a disk or another request here.
        self._counting = Lock()

    def body(self, variant: Variant) -> bytes | None:
        """Return the bytes of a variant, None if they stay on the disk.

        Raises `FileFault` if the file is not what the manifest says: of bytes that are held all is checked, of others
        that they are a regular file of the right size.
        """
        held = self._bodies.get(variant.path)
        if held is not None:
            return held
        if variant.size_bytes > min(self._largest_bytes, self._left_bytes):
            os.close(open_published(self._folder, variant.path, variant.size_bytes))
            return None
        body = read_published(self._folder, variant.path, variant.size_bytes)
        if variant.sha256 and hashlib.sha256(body).hexdigest() != variant.sha256:
            raise FileFault(f"`{variant.path}` in `{self._folder}` holds other bytes than the manifest says")
        # Other threads may have loaded this file meanwhile, or what leaves no room for it.
        with self._counting:
            kept = self._bodies.get(variant.path)
            if kept is None and len(body) <= self._left_bytes:
                self._left_bytes -= len(body)
                kept = self._bodies[variant.path] = body
        return kept

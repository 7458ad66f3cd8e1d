"""Surroundings: what lies in the project's folder and above it that tools look for by themselves.

Receives the project's folder; hands back one digest, the same in any place with the same surroundings. What lies above
the project is no source, and yet a description there can decide how a tool reads one. Standard library only.
"""

from __future__ import annotations

import hashlib
import os

from assetbuild.disk import RealDisk
from assetbuild.noting import standing_at

__all__ = ["MARKS", "surroundings"]

MARKS = ("package.json", "tsconfig.json", "jsconfig.json", "node_modules", ".pnp.data.json", ".pnp.cjs", ".pnp.js")
"""What esbuild looks for in a folder and all above it.

Source: `dirInfoUncached` and `loadNodeModules` in internal/resolver/resolver.go of esbuild 0.28.
"""


def surroundings(folder: str) -> str:
    """Return a digest of what `MARKS` are in `folder` and above it: how far up, what it is, and what a file holds."""
    lines, levels = [], 0
    while True:
        for name in MARKS:
            path = os.path.join(folder, name)
            standing = standing_at(path)
            if standing:
                lines.append("\0".join((str(levels), name, standing, _digest_of(path))))
        parent = os.path.dirname(folder)
        if parent == folder:
            return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
        folder, levels = parent, levels + 1


def _digest_of(path: str) -> str:
    if not os.path.isfile(path):
        return ""
    try:
        return RealDisk().digests(path, b"").sha256.hex()
    except OSError as error:
        return f"cannot be read: {error.errno}"

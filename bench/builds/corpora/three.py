"""three.js copied ten times behind one entry: what esbuild's own page measures."""

from __future__ import annotations

import shutil
from pathlib import Path

from builds.corpora.pieces import put

__all__ = ["write"]


def write(modules: Path, folder: Path, scale: float) -> None:
    """Write `src/entry.js` and the copies beside it."""
    numbers = range(1, max(1, round(10 * scale)) + 1)
    for number in numbers:
        shutil.copytree(modules / "three/src", folder / f"src/copy{number}")
    lines = [
        f"import * as copy{number} from './copy{number}/Three.js'; export {{ copy{number} }};" for number in numbers
    ]
    put(folder / "src/entry.js", "\n".join([*lines, ""]))
    put(folder / "package.json", '{"name": "bench-three", "private": true, "type": "module"}\n')

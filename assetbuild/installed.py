"""Installed packages of Python: where they lie, without running any of their code. Standard library only."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["package_folders"]


def package_folders(name: str) -> list[str]:
    """Return the folders of a Python package, without importing it or its parents; empty if it is not installed.

    `importlib.util.find_spec("a.b")` imports `a`. Here the finders are asked for `a` alone, and `b` is looked for in
    its folders, where a package is unless its parent changes `__path__` while it is imported.
    """
    top, *rest = name.split(".")
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(top, None) if find else None
        if spec is not None:
            folders = [os.path.join(location, *rest) for location in spec.submodule_search_locations or ()]
            return [os.path.abspath(folder) for folder in folders if os.path.isdir(folder)]
    return []

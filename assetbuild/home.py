"""Home: the folders in which this user's programs keep what can be made again. Reads no disk, only the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["cache_home", "compile_cache"]


def cache_home(environ: Mapping[str, str]) -> str | None:
    """Return the absolute folder of what this user's programs can make again, None if the environment names no home.

    Source: XDG Base Directory Specification (a relative XDG_CACHE_HOME is to be ignored).
    """
    cache = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):
        return cache
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    return os.path.join(home, ".cache") if os.path.isabs(home) else None


def compile_cache(environ: Mapping[str, str]) -> str:
    """Return the folder of the compile cache where the configuration says nothing; "" for none.

    ASSETBUILD_CACHE, else `assetbuild/compile` in the user's cache, none for a user without a home.
    """
    chosen = environ.get("ASSETBUILD_CACHE", "")
    if chosen:
        return "" if chosen == "off" else os.path.abspath(os.path.expanduser(chosen))
    home = cache_home(environ)
    return os.path.join(home, "assetbuild", "compile") if home else ""

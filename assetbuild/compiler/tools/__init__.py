"""The pinned tools: native programs of others, believed by their bytes alone.

`find` says where a tool is, `ensure` installs a missing one, `vendor` copies them for an image that has no network.
This room starts no compile and knows nothing of CSS or JavaScript.
"""

from __future__ import annotations

from assetbuild.compiler.tools.depot import Depot, here
from assetbuild.compiler.tools.find import Look, Origin, Program, find, looks, tool_folder, variable_of
from assetbuild.compiler.tools.install import ensure, vendor
from assetbuild.compiler.tools.table import NAMES, Pin, PinnedFile, pin_for, platforms_of

__all__ = [
    "NAMES",
    "Depot",
    "Look",
    "Origin",
    "Pin",
    "PinnedFile",
    "Program",
    "ensure",
    "find",
    "here",
    "looks",
    "pin_for",
    "platforms_of",
    "tool_folder",
    "variable_of",
    "vendor",
]

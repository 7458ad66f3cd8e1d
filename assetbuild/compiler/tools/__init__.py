"""The pinned tools: native programs of others, believed by their bytes alone.

`find` says where a tool is, `ensure` installs a missing one; `install.vendor` copies them for an image without network.
This room starts no compile and knows nothing of CSS or JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assetbuild.compiler.project import Project
from assetbuild.compiler.tools.depot import Depot, here
from assetbuild.compiler.tools.find import (
    Look,
    Origin,
    Program,
    find,
    looks,
    promised,
    tool_folder,
    variable_of,
)
from assetbuild.compiler.tools.table import NAMES, Pin, PinnedFile, pin_for, platforms_of
from assetbuild.disk import Disk

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
    "promised",
    "tool_folder",
    "variable_of",
]


def ensure(
    name: str,
    project: Project,
    environ: Mapping[str, str],
    disk: Disk,
    notice: Callable[[str], None],
    *,
    depot: Depot | None = None,
) -> Program:
    """Return the tool, installed into the tool folder if no place has it; `notice` gets one line before a download.

    Raises `EngineUnavailable` if it cannot be had, or would have to be fetched while `project.is_offline`.
    """
    found = find(name, project, environ, depot)
    if found:
        return found
    from assetbuild.compiler.tools.install import install  # TLS, HTTP and archives: only where something is missing

    return install(name, project, environ, disk, notice, depot=depot)

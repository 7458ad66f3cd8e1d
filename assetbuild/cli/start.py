"""What to do next in a folder: the answer to `assetbuild` alone."""

from __future__ import annotations

import os

from assetbuild.version import __version__

__all__ = ["next_step"]


def next_step(folder: str) -> str:
    """Return a few lines that say what is here and what comes next."""
    from assetbuild.compiler.config import Flags, read
    from assetbuild.compiler.errors import ConfigError
    from assetbuild.disk import RealDisk

    head = f"assetbuild {__version__} compiles web assets to content-addressed files and one manifest.\n\n"
    tail = "\n`assetbuild --help` lists every command.\n"
    try:
        project = read(folder, os.environ, RealDisk(), Flags())
    except ConfigError as error:
        first = error.diagnostics[0]
        steps = [f"here: {first.message}", f"next: {first.hint}" if first.hint else "next: mend it"]
        return head + "".join(f"{step}\n" for step in steps) + tail
    roots = ", ".join(f"`{root.shown}`" for root in project.roots) or "none"
    source = f"configured in `{project.config_shown}`" if project.config_shown else "found without configuration"
    manifest = os.path.join(project.output, "manifest.json")
    steps = [f"here: {'root' if len(project.roots) == 1 else 'roots'} {roots}, {source}"]
    if os.path.isfile(manifest):
        shown = os.path.relpath(manifest, folder)
        steps.append(f"      `{shown}` from an earlier compile; a release is compiled into an empty folder")
    steps.append("next: `assetbuild compile`")
    return head + "".join(f"{step}\n" for step in steps) + tail

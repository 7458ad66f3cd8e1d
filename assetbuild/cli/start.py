"""What to do next in a folder: the answer to `assetbuild` alone."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from assetbuild.cli.render import counted, place, place_in
from assetbuild.version import __version__

if TYPE_CHECKING:
    from assetbuild.compiler.project import Project

__all__ = ["INTEGRATIONS", "next_step"]

_HEAD = f"assetbuild {__version__} compiles web assets to content-addressed files and one manifest.\n"
_TAIL = "`assetbuild --help` lists every command.\n"
INTEGRATIONS = {
    "assetbuild.web.flask": "AssetBuild(app)",
    "assetbuild.web.django": "the storage `assetbuild.web.django.storage.ManifestStorage`",
    "assetbuild.web.starlette": 'AssetMount("/static", Assets.open())',
    "assetbuild.web.litestar": "AssetBuildPlugin(Assets.open())",
    "assetbuild.web.pyramid": 'config.include("assetbuild.web.pyramid")',
    "assetbuild.web.asgi": "AssetMiddleware(app, Assets.open()); also .wsgi",
}
"""Module that lets an application read the manifest: what it is called for."""

_USE = "next: let the application read the manifest\n" + "".join(
    f"        {module:<24}  {call}\n" for module, call in INTEGRATIONS.items()
)


def next_step(folder: str) -> str:
    """Return a few lines that say what is here and what comes next."""
    from assetbuild.compiler.config import Flags, read
    from assetbuild.compiler.errors import ConfigError
    from assetbuild.disk import RealDisk

    try:
        project = read(folder, os.environ, RealDisk(), Flags())
    except ConfigError as error:
        first = error.diagnostics[0]
        at = f", {place_in(first.span)}" if first.span and first.span.path else ""
        steps = f"here: {first.message}{at}\nnext: {first.hint or 'mend it'}\n"
    else:
        steps = f"{_found(project)}\n{_after(project)}"
    return f"{_HEAD}\n{steps}\n{_TAIL}"


def _found(project: Project) -> str:
    roots = ", ".join(f"`{root.shown}`" for root in project.roots) or "none"
    source = f"configured in `{project.config_shown}`" if project.config_shown else "found without configuration"
    return f"here: {'root' if len(project.roots) == 1 else 'roots'} {roots}, {source}"


def _after(project: Project) -> str:
    from assetbuild.manifest import MANIFEST_NAME, ManifestError
    from assetbuild.web.assets import Assets

    manifest = os.path.join(project.output, MANIFEST_NAME)
    write = "" if project.config_shown else "      `assetbuild init` writes down what was found\n"
    has_compiler = find_spec("deflate") is not None  # of the extra, and needed by default
    install = "" if has_compiler else "`pip install 'assetbuild[compile]'`, then "
    compile_ = f"next: {install}`assetbuild compile`\n{write}"
    if not os.path.lexists(manifest):
        return compile_
    try:
        names = list(Assets.open(manifest, environ={}))
    except ManifestError as error:
        return f"      {error}\n{compile_}"
    if not names:
        roots = " or ".join(f"`{root.shown}`" for root in project.roots) or "a root"
        return f"next: put a stylesheet, a script or an image into {roots}, then `assetbuild compile`\n{write}"
    named = next((name for name in names if name.endswith(".css")), None)
    use = f"      name an asset in a template: {{{{ asset_tag('{named}') }}}}\n" if named else ""
    return (
        f"      {counted(len(names), 'asset')} compiled into `{place(project.output)}`\n{_USE}{use}"
        "      while you work, `assetbuild watch` compiles what is saved\n"
    )

"""The configuration of a project that has none yet: its text, and what is to be said with it.

Receives a folder and the word of `--from`; hands on values. Writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from assetbuild.adopt.adopted import Adopted
from assetbuild.adopt.code import Code
from assetbuild.adopt.detect import Detected, detected
from assetbuild.adopt.frozen import frozen
from assetbuild.adopt.tailwind import with_tailwind
from assetbuild.adopt.write import written
from assetbuild.compiler.config import CONFIG_FILE, Flags, configured_in, read
from assetbuild.compiler.errors import ConfigError
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk

__all__ = ["Configuration", "configuration", "pointed_at"]

_MODULES = {"flask-assets": "webassets"}


class Configuration(NamedTuple):
    """A configuration that is to be written, and what to say with it.

    frameworks: the likeliest first. tool: what seems to build the assets now and was not asked for, None if nothing.
    """

    text: str
    adopted: Adopted
    frameworks: tuple[Detected, ...]
    tool: Detected | None


def configuration(folder: str, tool: str, environ: Mapping[str, str], disk: Disk) -> Configuration:
    """Return the configuration of the project in `folder`, which must have none.

    tool: whose definitions are read, one of `adopt.TOOLS`; "" to freeze what is found without. Raises `ConfigError`.
    """
    folder = os.path.realpath(folder)
    _refuse_configured(folder, disk)
    code = Code(folder, disk)
    frameworks, likely = detected(code, disk)
    origin = "; ".join(f"{one.name} ({_shown(one.place)})" for one in frameworks) or "no framework"
    if tool:
        reader = import_module(f"assetbuild.adopt.{_MODULES.get(tool, tool)}")
        adopted: Adopted = reader.adopted(code, disk)
        likely = None
    else:
        try:
            project = read(folder, environ, disk, Flags())
        except ConfigError as error:
            raise _told_the_tool(error, likely) from None
        is_django = bool(frameworks) and frameworks[0].name == "Django"
        adopted = frozen(project, disk, origin=f"Found: {origin}.", is_django=is_django)
    adopted = with_tailwind(adopted, code, disk)
    return Configuration(written(adopted), adopted, frameworks, likely)


def pointed_at(tool: Detected) -> str:
    """Return why and how to read the definitions of a tool."""
    return f"{tool.name} is used here ({_shown(tool.place)}): `init --from {tool.name}` reads its definitions"


def _told_the_tool(error: ConfigError, tool: Detected | None) -> ConfigError:
    """Return the error; where no folder of assets was found, with the tool whose definitions may name them."""
    if tool is None:
        return error
    hint = pointed_at(tool)
    return ConfigError([each._replace(hint=hint) if each.rule == "no-roots" else each for each in error.diagnostics])


def _refuse_configured(folder: str, disk: Disk) -> None:
    shown = configured_in(folder, disk)
    if not shown and os.path.lexists(os.path.join(folder, CONFIG_FILE)):  # a link to nothing, or a folder
        shown = CONFIG_FILE
    if shown == CONFIG_FILE:
        message, hint = f"`{shown}` is there already, and `init` overwrites nothing", "remove it first"
    elif shown:
        message, hint = f"`[tool.assetbuild]` in `{shown}` configures this project already", "remove that table first"
    else:
        return
    raise ConfigError([Diagnostic("configured-already", "error", message, Span(shown), hint)])


def _shown(place: Span) -> str:
    return f"{place.path}:{place.line}" if place.line else place.path

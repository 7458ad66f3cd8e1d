"""The engine rooms by name; each is imported when its first job runs, because engines are heavy."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from assetbuild.compiler.engines.base import Engine, PlainEngine

__all__ = ["NAMES", "PLAIN", "engine", "plain_engine"]

NAMES = ("classic", "copy", "css", "filters", "markup", "modules", "script", "style", "webmanifest")

PLAIN = frozenset(("copy", "markup", "script"))
"""The rooms whose files most often refer to nothing."""


@functools.cache
def engine(name: str) -> Engine:
    """Return the engine room `name`, one of `NAMES`."""
    if name not in NAMES:
        raise KeyError(name)
    return cast("Engine", import_module(f"assetbuild.compiler.engines.{name}"))


def plain_engine(name: str) -> PlainEngine:
    """Return the engine room `name`, one of `PLAIN`."""
    return cast("PlainEngine", engine(name))

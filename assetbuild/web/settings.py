"""Settings of ours in the configuration of a framework, beside its own.

Receives the configuration and the names that an adaptor reads; hands on values. What nobody reads, and a switch that is
neither on nor off, would be followed by nobody and missed by nobody: both stop the start, by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from assetbuild.diagnostic import AssetbuildError, nearest

__all__ = ["SettingError", "Settings"]


class SettingError(AssetbuildError, ValueError):
    """A framework's configuration has a setting for us that cannot be followed."""


class Settings:
    """The settings whose names begin with `prefix`, asked for by the rest of the name.

    words: texts that mean a boolean where a configuration holds texts only. Raises `SettingError` for a name that is
    not in `known`, with the near miss.
    """

    def __init__(
        self, config: Mapping[str, Any], prefix: str, known: Collection[str], words: Mapping[str, bool] = {}
    ) -> None:
        self._prefix, self._words = prefix, words
        self._given = {name.removeprefix(prefix): config[name] for name in config if name.startswith(prefix)}
        for name in sorted(self._given.keys() - {*known}):
            meant = nearest(name, known)
            hint = f"; did you mean `{prefix}{meant}`?" if meant else ""
            raise SettingError(f"`{prefix}{name}` is not a setting{hint}")

    def name(self, name: str) -> str:
        """Return the whole name of a setting, for messages."""
        return self._prefix + name

    def text(self, name: str) -> str | None:
        """Return a setting, None if it is absent or empty."""
        return self._given.get(name) or None

    def switch(self, name: str, default: bool) -> bool:
        """Return a boolean; raise `SettingError` for anything else, for any text is true to Python."""
        value = self._given.get(name, default)
        if isinstance(value, str):
            value = self._words.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise SettingError(f"expected `True` or `False` at `{self.name(name)}`, got `{value!r}`")
        return value

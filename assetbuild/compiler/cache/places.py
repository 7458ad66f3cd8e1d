"""Places: files named so that the same project has the same names in any folder, on any machine.

A file below the project is `.` and its path from there; one below another declared folder (an installed package, a
root elsewhere) is that folder's number and the path from there; the rest is written as it stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["Places"]


class Places:
    """The folders that names count from. folders: absolute, in the order of the configuration."""

    def __init__(self, project: str, folders: Iterable[str]) -> None:
        bases = {os.path.join(project, ""): "."}
        for number, folder in enumerate(folders):
            bases.setdefault(os.path.join(folder, ""), str(number))
        self._folders = {mark: folder for folder, mark in bases.items()}
        # The longest first: a declared folder inside the project is a part of the project all the same.
        project = os.path.join(project, "")
        outside = sorted((folder for folder in bases if not folder.startswith(project)), key=len, reverse=True)
        self._bases = [(folder, bases[folder]) for folder in (project, *outside)]

    def name(self, file: str) -> str:
        """Return the portable name of an absolute file."""
        for folder, mark in self._bases:
            if file.startswith(folder):
                return f"{mark}/{file[len(folder) :]}"
        return file

    def folder_name(self, folder: str) -> str:
        """Return the portable name of an absolute folder, which may be a declared one itself."""
        return self.name(os.path.join(folder, ""))

    def file(self, name: str) -> str:
        """Return the absolute file of a portable name; raise `KeyError` for one of other folders."""
        if name.startswith("/"):
            return name
        mark, _, path = name.partition("/")
        return self._folders[mark] + path

    def shown_name(self, shown: str) -> str:
        """Return the portable form of a path in a message: absolute is only what lies outside the project."""
        return f"\0{self.name(shown)}" if shown.startswith("/") else shown

    def shown(self, name: str) -> str:
        """Return the path in a message that `shown_name` made portable; raise `KeyError`."""
        return self.file(name[1:]) if name.startswith("\0") else name

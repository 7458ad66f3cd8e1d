"""Stages: a private folder in which one command finds what it has declared, and a second one that it writes to.

Receives files by their portable names; hands on copies of them, at the same places below a folder as below the project.
What is not declared is not there, so forgetting it is noticed at the first run and not at the first stale result.
Packages of npm are reached by a link: they are many, and a package manager vouches for them. Links would do for the
others, too, but for tools that look for files and pass over links.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler.config.commands import OUTPUT
from assetbuild.compiler.project import PACKAGE
from assetbuild.disk import RealDisk, mode_at

__all__ = ["PACKAGES", "Stage", "staged"]

PACKAGES = "python_packages"
"""The folder in which the declared files of Python packages lie, each below the dotted name of its package."""

_NPM = "node_modules"


class Stage(NamedTuple):
    """A command's own two folders, absolute. folder: in which it runs. output: to which it writes.

    files: portable name of each input → the file that the command finds.
    """

    folder: str
    output: str
    files: Mapping[str, str]

    def written(self) -> dict[str, str]:
        """Return path and file of everything in `output` that is no input, sorted; a link is nothing."""
        if not stat.S_ISDIR(mode_at(self.output, os.lstat)):  # the command may have put anything in its place
            return {}
        inputs = {*self.files.values()}
        return {name: file for name, file in sorted(_below(self.output)) if file not in inputs}


def staged(files: Mapping[str, str], project: str, folder: str) -> Stage:
    """Return a stage below `folder`, which is made, with copies of `files`; raise `OSError`."""
    inside, output = os.path.join(folder, "in"), os.path.join(folder, "out")
    RealDisk().make_folder(inside)
    RealDisk().make_folder(output)
    if os.path.isdir(npm := os.path.join(project, _NPM)):
        os.symlink(npm, os.path.join(inside, _NPM))
    copies = {}
    for name, file in files.items():
        if name.startswith(f"{OUTPUT}/"):
            copy = os.path.join(output, name.removeprefix(f"{OUTPUT}/"))
        elif name.startswith(PACKAGE):
            copy = os.path.join(inside, PACKAGES, name.removeprefix(PACKAGE))
        else:
            copy = os.path.join(inside, name)
        copies[name] = copy
        if not name.startswith(f"{_NPM}/"):
            RealDisk().make_folder(os.path.dirname(copy))
            shutil.copy(file, copy)
    return Stage(inside, output, copies)


def _below(top: str) -> Iterator[tuple[str, str]]:
    waiting = [""]  # and no recursion: folders may be nested deeper than calls
    while waiting:
        prefix = waiting.pop()
        for found in RealDisk().scan(os.path.join(top, prefix)):
            if found.kind == "folder":
                waiting.append(f"{prefix}{found.name}/")
            elif found.kind == "file":
                yield prefix + found.name, os.path.join(top, prefix + found.name)

"""Unmatched: what the configuration names and no file has, said once with its place.

Receives the project and the logical paths there are; hands on warnings. A pattern that begins with `**/` is said of
whatever may turn up one day, and no claim that it is there.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Sequence

from assetbuild.compiler.config import place_of
from assetbuild.compiler.config.roots import Folders, near_folder
from assetbuild.compiler.globs import is_glob, matches
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import Diagnostic, nearest
from assetbuild.disk import Disk

__all__ = ["unmatched"]


def unmatched(project: Project, sources: Collection[str], made: Collection[str], disk: Disk) -> Iterator[Diagnostic]:
    """Yield a warning for each pattern without a match, and for each load path that is not there.

    sources: logical paths of all files in the roots. made: of everything that is published, or would be but for errors.
    """
    yield from _without_match(project, "exclude", project.exclude, sources, "no file in the roots")
    yield from _without_match(project, "keep_names", project.keep_names, made, "nothing that is published")
    yield from _without_match(project, "site_root", project.site_root, made, "nothing that is published")
    for number, folder in enumerate(project.sass.load_paths):
        if not disk.is_folder(folder):
            shown = os.path.relpath(folder, project.folder).replace(os.sep, "/")
            near = near_folder(shown, Folders(project.folder, project.output, disk))
            place = place_of(project, f"sass.load_paths[{number}]")
            yield Diagnostic("no-load-path", "warning", f"load path `{shown}` is not a folder", place, near)


def _without_match(
    project: Project, key: str, patterns: Sequence[str], names: Collection[str], of_what: str
) -> Iterator[Diagnostic]:
    for number, pattern in enumerate(patterns):
        if not pattern.startswith("**/") and not _has_match(pattern, names):
            meant = _meant(pattern, names, project)
            hint = f"did you mean `{meant}`?" if meant else ""
            place = place_of(project, f"{key}[{number}]")
            yield Diagnostic("unmatched", "warning", f"`{pattern}` in `{key}` matches {of_what}", place, hint)


def _has_match(pattern: str, names: Collection[str]) -> bool:
    return pattern in names or any(matches(pattern, name) for name in names)


def _meant(pattern: str, names: Collection[str], project: Project) -> str | None:
    """Return the pattern that was clearly meant: without the root, from which it counts, or with the nearest name."""
    for root in project.roots:
        inside = posixpath.join(root.mount, pattern.removeprefix(f"{root.shown}/"))
        if pattern.startswith(f"{root.shown}/") and _has_match(inside, names):
            return inside
    if not is_glob(pattern):
        return nearest(pattern, names)
    segments = pattern.split("/")
    depth = next(number for number, segment in enumerate(segments) if is_glob(segment))
    folders = {"/".join(name.split("/")[:depth]) for name in names if name.count("/") >= depth}
    near = nearest("/".join(segments[:depth]), folders) if depth else None
    meant = "/".join([near, *segments[depth:]]) if near else ""
    return meant if meant and _has_match(meant, names) else None

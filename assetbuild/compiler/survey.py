"""Survey: one look at the roots, taken once per compile and passed on as a value.

Receives the project; hands on what is published, what exists besides, and what is wrong with the names. Lists folders
through `disk` alone; never opens a file.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project, Root
from assetbuild.diagnostic import Diagnostic, Note, Span
from assetbuild.disk import Disk, Found, mode_at

__all__ = ["SOURCE_LANGUAGES", "Survey", "name_problems", "survey"]

LINKED_LIMIT = 100_000
"""How many files and folders of a root are reached through links: thirty folders with two links each are a billion."""

SOURCE_LANGUAGES = (".scss", ".sass", ".ts", ".tsx", ".mts", ".cts", ".jsx")
"""Extensions that are compiled through entries and never published as they stand."""

# Names that a Windows file system or tool gives to a device, whatever the extension (Win32, "Naming Files").
_DEVICE = re.compile(r"(?:^|/)(\s*(?:con|prn|aux|nul|com[1-9]|lpt[1-9])\s*(?:\.[^/]*)?)(?:/|$)", re.IGNORECASE)
# C0, C1, what Windows reads as a separator or a drive, and what Python makes of a name that is not UTF-8.
_AWKWARD = re.compile("[\x00-\x1f\x7f-\x9f\\\\:\ud800-\udfff]")


class Survey(NamedTuple):
    """What the roots hold. sources: logical path → first file that has it, published or not.

    published: logical paths of the files that are published as themselves. withheld: logical path → why it is not.
    """

    sources: dict[str, Source]
    published: frozenset[str]
    withheld: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]


def survey(project: Project, disk: Disk) -> Survey:
    """Return everything below the roots; raises `OSError` if a folder cannot be listed."""
    sources: dict[str, Source] = {}
    published: set[str] = set()
    withheld: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    stable = (*project.keep_names, *project.site_root)
    for root in project.roots:
        mount, above = (posixpath.join(folder, "") if folder else "" for folder in (root.mount, root.shown))
        is_first_party = root.missing == "error"
        for name, file, problem in _walk(root, project, disk, stable):
            logical, shown = mount + name, above + name
            if problem:
                diagnostics.append(Diagnostic("irregular-file", "error", problem, Span(shown)))
                continue
            if logical in sources:
                message = f"`{shown}` is shadowed by `{sources[logical].shown}`"
                diagnostics.append(Diagnostic("shadowed", "note", message, group="shadowed"))
                continue
            sources[logical] = Source(logical, file, shown, is_first_party, root.is_minified)
            why = _withheld(logical, name, root, project)
            if why:
                withheld[logical] = why
            else:
                published.add(logical)
    diagnostics += name_problems({logical: sources[logical].shown for logical in published})
    return Survey(sources, frozenset(published), withheld, tuple(diagnostics))


def name_problems(shown_by_logical: dict[str, str]) -> list[Diagnostic]:
    """Return errors for logical paths that could not stand beside each other on every system."""
    problems: list[Diagnostic] = []
    by_folded: dict[str, str] = {}
    for logical in sorted(shown_by_logical):
        shown = shown_by_logical[logical]
        # Unicode §3.13 D145: case folding of the normalised form finds both kinds of collision at once.
        folded = (
            logical.lower()
            if logical.isascii()
            else unicodedata.normalize("NFC", unicodedata.normalize("NFC", logical).casefold())
        )
        other = by_folded.setdefault(folded, logical)
        if other != logical:
            message = f"`{other}` and `{logical}` differ only in case or Unicode form"
            notes = (Note(f"the other is `{shown_by_logical[other]}`"),)
            problems.append(Diagnostic("name-collision", "error", message, Span(shown), "rename one of them", notes))
        reason = _bad_name(logical)
        if reason:
            problems.append(Diagnostic("bad-name", "error", f"`{logical}` {reason}", Span(shown), "rename the file"))
    return problems


def _bad_name(logical: str) -> str:
    device = _DEVICE.search(logical)
    if device:
        return f"holds `{device[1]}`, a reserved device name on Windows"
    if not _AWKWARD.search(logical):
        return ""
    if any(char < " " or "\x7f" <= char <= "\x9f" for char in logical):
        return "holds a control character"
    if "\\" in logical or ":" in logical:
        return "holds a backslash or a colon, which Windows reads as a separator or a drive"
    return "is not UTF-8"


def _withheld(logical: str, name: str, root: Root, project: Project) -> str:
    """Return why the file is not published, "" if it is."""
    if root.include and not matches_any(root.include, name):
        return f"is not included by the root `{root.shown}`"
    if matches_any(root.exclude, name) or matches_any(project.exclude, logical):
        return "is excluded"
    if logical.lower().endswith(SOURCE_LANGUAGES):
        return "is compiled through entries and not published as it stands"
    return ""


def _walk(root: Root, project: Project, disk: Disk, stable: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (name relative to the root, file, problem) for every file; problem is "" when it can be read."""
    allowed = tuple(os.path.join(os.path.realpath(r.folder), "") for r in project.roots)
    top, output = os.path.realpath(root.folder), os.path.realpath(project.output)
    open_folders = [("", root.folder, top, frozenset((top,)), False)]
    linked = 0
    while open_folders:
        prefix, folder, real_folder, above, is_linked = open_folders.pop()
        inside = os.path.join(folder, "")
        for found in disk.scan(folder):
            name, file = prefix + found.name, inside + found.name
            linked += is_linked
            if linked > LINKED_LIMIT:
                yield name, file, f"links lead to more than {LINKED_LIMIT:,} files: they multiply each other"
                return
            if found.name.startswith(".") and _is_hidden(posixpath.join(root.mount, name), stable):
                continue
            if found.kind == "file":
                yield name, file, ""
                continue
            # From the real folder: the way through many links is long, and is walked again for every entry.
            kind, problem, real = _followed(found, os.path.join(real_folder, found.name), allowed, above)
            if problem or kind == "file":
                yield name, file, problem
            elif found.name != "node_modules" and real != output:
                is_link = is_linked or found.kind == "link"
                open_folders.append((name + "/", file, real, above | {real}, is_link))


def _is_hidden(logical: str, stable: Iterable[str]) -> bool:
    """Return whether a dotfile or dot folder stays out: it is published only if a stable name asks for it."""
    return not any(pattern.startswith(logical + "/") or matches_any((pattern,), logical) for pattern in stable)


def _followed(found: Found, file: str, allowed: tuple[str, ...], above: frozenset[str]) -> tuple[str, str, str]:
    """Return (kind, problem, real path) of an entry that is no file, links followed while they stay inside the roots.

    file: in a folder whose path is real.
    """
    if found.kind == "folder":
        return found.kind, "", file
    if found.kind == "other":
        return "other", "not a regular file, folder or link", file
    real, mode = os.path.realpath(file), mode_at(file, os.stat)
    if not mode:
        return "link", "the link leads nowhere", real
    if not (real + os.sep).startswith(allowed):
        return "link", "the link leads out of the roots", real
    if stat.S_ISDIR(mode):
        return ("folder", "", real) if real not in above else ("link", "the link leads back to a folder above it", real)
    return ("file", "", real) if stat.S_ISREG(mode) else ("link", "the link leads to no regular file", real)

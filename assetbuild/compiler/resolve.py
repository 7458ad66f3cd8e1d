"""What a written reference means: an asset, or something that is none of ours. The one place that decides it.

Receives what a tokeniser found, after it undid its own language's escapes; hands on a `Source`. Reads no text. The
order of the rules is the documentation's (docs/reference/references.md); every place tried is kept for the message.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from assetbuild.compiler.files import Outside, Reading
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Source
from assetbuild.compiler.packages import split_specifier
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import nearest

__all__ = [
    "NPM_FOLDER",
    "Ambiguous",
    "Behind",
    "Found",
    "Inventory",
    "Missing",
    "Neighbours",
    "Outcome",
    "Resolver",
    "Untouched",
    "behind_alias",
]

NPM_FOLDER = "npm/"
"""Logical folder of files that a reference pulls out of `node_modules` and that no root publishes."""

# RFC 3986 §3.1. A single letter is a Windows drive to people, but to a browser it is a scheme, so it is one here.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_URL_SPACE = "\t\n\f\r "
_SUFFIX = re.compile(r"[?#]")
# WHATWG URL, basic URL parser: tabs and newlines count nowhere, and in a URL of the web a backslash is a slash.
_URL_PATH = str.maketrans({"\t": None, "\n": None, "\r": None, "\\": "/"})


class Inventory(NamedTuple):
    """Every logical path that a build can name.

    by_logical: published files, and entries (their `file` is their source). by_file: real file → published source.
    withheld: logical path of a file that exists and is not published → why, for messages. excluded: those of them that
    could be published, which an entry may take in.
    """

    by_logical: Mapping[str, Source]
    by_file: Mapping[str, Source]
    withheld: Mapping[str, str]
    excluded: Mapping[str, Source] = {}


class Found(NamedTuple):
    """The reference names `source`; `suffix` is its query and fragment as they were written."""

    source: Source
    suffix: str


class Untouched(NamedTuple):
    """The reference is none of ours: it stays as it is. `why`: external, data, fragment, empty or none."""

    why: str


class Missing(NamedTuple):
    """Nothing is there. tried: the places looked at, in order. nearest: what would be written for the nearest name.

    why: more than absence, such as a file that exists but is withheld; "" if there is no more to say.
    """

    tried: tuple[str, ...]
    nearest: str | None
    why: str = ""


class Ambiguous(NamedTuple):
    """Two rules find two files with different bytes."""

    first: Source
    second: Source


class Behind(NamedTuple):
    """What a prefix stands for, in the order to look: a file on disk, a path into npm packages; "" for neither."""

    file: str
    package_path: str


class _Look(NamedTuple):
    """One look-up under way: what is looked for, from where, and every place tried so far."""

    path: str
    referrers: Sequence[Source]
    reading: Reading
    tried: list[str]


Outcome = Found | Untouched | Missing | Ambiguous


def behind_alias(written: str, aliases: Mapping[str, str]) -> str | None:
    """Return what the longest alias that fits makes of `written`, None if none fits.

    An alias stands for itself and for what follows it behind a slash, so `@` says nothing of `@scope/name`; one that
    ends with `:` stands for whatever follows.
    """
    fitting = [a for a in aliases if written == a or written.startswith(a if a.endswith((":", "/")) else f"{a}/")]
    if not fitting:
        return None
    alias = max(fitting, key=len)
    rest = written[len(alias) :].lstrip("/")
    return aliases[alias].rstrip("/") + (f"/{rest}" if rest else "")


class Neighbours:
    """Which asset was clearly meant by a path that names none. Made at the first question, and asked seldom."""

    def __init__(self, by_logical: Mapping[str, Source]) -> None:
        self._by_logical = by_logical
        self._meant: dict[tuple[str, ...], str | None] = {}

    def meant(self, places: tuple[str, ...]) -> str | None:
        """Return the asset that was clearly meant by a path that may be any of `places`.

        Only what lies in those folders, or has the same name elsewhere, is compared: near names are costly to find,
        and a package that is published whole misses files by the hundred in an inventory of ten thousand.
        """
        if places not in self._meant:
            keys = {key for place in places for key in _keys(place)}
            self._meant[places] = nearest(places[0], {each for key in keys for each in self._by_key.get(key, ())})
        return self._meant[places]

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str], list[str]]:
        """Every logical path by its folder and by its name."""
        found: dict[tuple[str, str], list[str]] = {}
        for logical in self._by_logical:
            for key in _keys(logical):
                found.setdefault(key, []).append(logical)
        return found


class Resolver:
    """The rules, over one inventory. neighbours: made of the inventory unless given.

    takes_in: what is found becomes a part of who asks, and so need not be published.
    """

    def __init__(
        self,
        project: Project,
        inventory: Inventory,
        neighbours: Neighbours | None = None,
        *,
        takes_in: bool = False,
    ) -> None:
        self._excluded = inventory.excluded if takes_in else {}
        self.project = project
        self.inventory = inventory
        self.neighbours = neighbours or Neighbours(inventory.by_logical)
        self._base_path = urlsplit(project.base).path
        self._public = project.urls.public or project.base

    def taking_in(self) -> Resolver:
        """Return the resolver for what is taken into an entry, such as a sheet that it imports."""
        return Resolver(self.project, self.inventory, self.neighbours, takes_in=True)

    def reference(self, written: str, referrers: Sequence[Source], reading: Reading) -> Outcome:
        """Return what `written` (a URL after unescaping CSS or JS, percent-encoding still in place) means.

        referrers: whose folders it may be relative to, in order: the entry where it is published, then its
        source, then the partial or sheet that it was written in.
        """
        written = written.strip(_URL_SPACE)
        untouched = self._untouched(written)
        if untouched is not None:
            return untouched
        at = _SUFFIX.search(written)
        path, suffix = (written[: at.start()], written[at.start() :]) if at else (written, "")
        path = path.translate(_URL_PATH)
        path = unquote(path, errors="strict") if _is_utf8(path) else path
        if "\0" in path:
            return Missing((), None, "the name holds a NUL character")
        look = _Look(path, referrers, reading, [])
        rules = [self._relative, self._prefixed, self._searched, self._mounted]
        if path.startswith(("./", "../")):
            rules.remove(self._searched)
        hits = next((found for rule in rules if (found := list(rule(look)))), [])
        if not hits:
            return self._missing(look)
        other = next((hit for hit in hits[1:] if self._differ(hits[0], hit, reading)), None)
        return Ambiguous(hits[0], other) if other else Found(hits[0], suffix)

    def is_open(self, written: str) -> bool:
        """Return whether it depends on who refers to it, and on what there is, what `written` means."""
        return self._untouched(written.strip(_URL_SPACE)) is None

    def _untouched(self, written: str) -> Untouched | None:
        if not written:
            return Untouched("empty")
        if written.startswith(("#", "?")):
            return Untouched("fragment")
        if written.lower() == "none":
            return Untouched("none")
        if written.startswith(self._public) or behind_alias(written, self.project.urls.aliases) is not None:
            return None
        if written.startswith("//"):
            return Untouched("external")
        scheme = _SCHEME.match(written)
        if scheme:
            return Untouched("data" if scheme[0].lower() == "data:" else "external")
        is_rooted = written.startswith("/")
        if is_rooted and not written.startswith(self._base_path) and self._site_root(written) is None:
            is_mounted = any(written.lstrip("/").startswith(prefix) for prefix in self.project.urls.mounts)
            return None if is_mounted else Untouched("external")
        return None

    def _relative(self, look: _Look) -> Iterator[Source]:
        """Yield what the path is relative to each referrer: by its logical folder, then by the folder of its file."""
        path = look.path
        if path.startswith("/") or behind_alias(path, self.project.urls.aliases) is not None:
            return
        for referrer in look.referrers:
            logical = posixpath.normpath(posixpath.join(posixpath.dirname(referrer.logical), path))
            if not logical.startswith("../"):
                yield from self._named(logical, look)
            file = os.path.normpath(os.path.join(os.path.dirname(referrer.file), path))
            known = self.inventory.by_file.get(file)
            if known is not None:
                yield known
            elif self.is_packaged(file):
                look.tried.append(look.reading.shown(file))
                if look.reading.exists(file):
                    yield self.npm_source(file, look.reading)

    def _prefixed(self, look: _Look) -> Iterator[Source]:
        """Yield what an alias, `~`, the public prefix or an absolute `site_root` path names."""
        path = look.path
        behind = self.behind_prefix(path)
        if behind.file:
            yield from self._file(behind.file, look)
        if behind.package_path:
            yield from self._package(behind.package_path, look)
        if not any(behind):
            for prefix in (self._public, self._base_path):
                if prefix and path.startswith(prefix):
                    yield from self._logical(path[len(prefix) :], look)
                    return
            at_root = self._site_root(path)
            if at_root is not None:
                yield at_root

    def _searched(self, look: _Look) -> Iterator[Source]:
        """Yield what a bare path names on the load path, else in an npm package."""
        path = look.path
        if path.startswith(("/", "~")):
            return
        hits = list(self._logical(path, look))
        yield from hits or self._package(path, look)

    def _mounted(self, look: _Look) -> Iterator[Source]:
        """Yield what `[urls] mounts` says that another tool copies to where the path points."""
        path = look.path
        prefix = next((each for each in (self._public, self._base_path, "/") if path.startswith(each)), None)
        folders = (posixpath.dirname(referrer.logical) for referrer in look.referrers)
        relative = (posixpath.normpath(posixpath.join(folder, path)) for folder in folders)
        for place in dict.fromkeys([path[len(prefix) :]] if prefix else relative):
            for mount, target in sorted(self.project.urls.mounts.items(), key=lambda item: -len(item[0])):
                if place.startswith(mount.rstrip("/") + "/"):
                    yield from self._logical(target.rstrip("/") + place[len(mount.rstrip("/")) :], look)

    def _logical(self, logical: str, look: _Look) -> Iterator[Source]:
        return self._named(posixpath.normpath(logical), look)

    def _named(self, logical: str, look: _Look) -> Iterator[Source]:
        look.tried.append(logical)
        source = self.inventory.by_logical.get(logical) or self._excluded.get(logical)
        if source is not None:
            yield source

    def _file(self, file: str, look: _Look) -> Iterator[Source]:
        look.tried.append(look.reading.shown(file))
        known = self.inventory.by_file.get(file)
        if known is not None:
            yield known
        elif self.is_packaged(file) and look.reading.exists(file):
            yield self.npm_source(file, look.reading)

    def _package(self, path: str, look: _Look) -> Iterator[Source]:
        name, subpath = split_specifier(path)
        if not name or not subpath:
            return
        for folder in _package_folders(look.referrers, self.project.folder):
            file = os.path.normpath(os.path.join(folder, "node_modules", path))
            look.tried.append(look.reading.shown(file))
            if not file.startswith(os.path.join(folder, "node_modules", name, "")):
                continue  # `..` led out of the package, where another rule says what is published
            if look.reading.exists(file):
                yield self.inventory.by_file.get(file) or self.npm_source(file, look.reading)
                return

    def behind_prefix(self, path: str) -> Behind:
        """Return what an alias or `~` makes of `path`; nothing if it begins with neither."""
        target = behind_alias(path, self.project.urls.aliases)
        if target is not None:
            return Behind(os.path.normpath(os.path.join(self.project.folder, target)), target)
        if path.startswith("~/"):
            return Behind(os.path.normpath(os.path.join(self.project.folder, path[2:])), "")
        return Behind("", path[1:] if path.startswith("~") else "")

    def npm_source(self, file: str, reading: Reading) -> Source:
        """Return the source for a file of an npm package that no root publishes."""
        inside = _package_part(file, self.project.folder) or ""
        return Source(NPM_FOLDER + inside, file, reading.shown(file), is_first_party=False)

    def is_packaged(self, file: str) -> bool:
        """Return whether `file` lies in an npm package."""
        return _package_part(file, self.project.folder) is not None

    def _site_root(self, path: str) -> Source | None:
        logical = path.lstrip("/")
        return self.inventory.by_logical.get(logical) if matches_any(self.project.site_root, logical) else None

    def _differ(self, first: Source, second: Source, reading: Reading) -> bool:
        if first.file == second.file:
            # One file under two names (an entry and its source): the name decides, not the bytes.
            return False
        try:
            return reading.read(first.file) != reading.read(second.file)
        except Outside:
            return True

    def _missing(self, look: _Look) -> Missing:
        places = tuple(dict.fromkeys(look.tried))
        why = next((f"`{p}` {self.inventory.withheld[p]}" for p in places if p in self.inventory.withheld), "")
        logical = self.neighbours.meant(places or (look.path,))
        if logical is None:
            return Missing(places, None, why)
        if look.path.startswith("/") or not look.referrers:
            return Missing(places, self._public + logical, why)
        relative = posixpath.relpath(logical, posixpath.dirname(look.referrers[0].logical) or ".")
        is_dotted = look.path.startswith(("./", "../")) and not relative.startswith("../")
        return Missing(places, "./" + relative if is_dotted else relative, why)


def _keys(logical: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the folder and the name of a path, as people confuse them: without regard to case."""
    folder, _, name = logical.casefold().rpartition("/")
    return ("folder", folder), ("name", name)


def _package_part(file: str, project: str) -> str | None:
    """Return what follows the first `node_modules` in `file`, None if it lies in no package.

    The first: a package inside a package is another version of one that lies beside it, and needs a name of its own.
    Of a file in the project, only the folders below that of the project count: it may lie in a package itself.
    """
    part = file.removeprefix(project) if file.startswith(os.path.join(project, "")) else file
    _, mark, inside = part.replace(os.sep, "/").partition("/node_modules/")
    return inside if mark else None


def _package_folders(referrers: Sequence[Source], project: str) -> list[str]:
    """Return where `node_modules` may stand, as Node looks for it: from each referrer's folder up to the project."""
    folders: dict[str, None] = {}
    for referrer in referrers:
        folder = os.path.dirname(referrer.file)
        while folder.startswith(project + os.sep):
            folders[folder] = None
            folder = os.path.dirname(folder)
    folders[project] = None
    return list(folders)


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True

"""Lineage: which earlier releases an output carries along, and which file belongs to which. Pure.

Receives the documents of manifests, the new build's and the earlier ones; hands on a document and what it needs from
whom. A file belongs to the newest release that named it, so that its time counts from when it was superseded, however
old it is. A release of which nothing is left to carry is not one: a deploy that changed no asset pushes none out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

__all__ = ["Ancestor", "Clash", "Limits", "Lineage", "Reason", "lineage"]

Reason = Literal["keep", "days", "max-size"]
_DAY_S = 86_400


class Limits(NamedTuple):
    """How much is carried: what none of them forbids. keep: releases. days: since a release was superseded.

    max_bytes: of their files and variants together. now_s: the time, in seconds since 1970, to count `days` from, and
    at which releases that nobody knew to be superseded are; None if nobody told it.
    """

    keep: int | None = None
    days: int | None = None
    max_bytes: int | None = None
    now_s: int | None = None


class Ancestor(NamedTuple):
    """An earlier release. build: id of its manifest. superseded_s: seconds since 1970, None if nobody told.

    files: published path → entry, of those that no later release has. origins: path → number of the manifest, among
    the earlier ones, that has it.
    """

    build: str
    superseded_s: int | None
    files: Mapping[str, Mapping[str, Any]]
    origins: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        """How many bytes its files and variants have."""
        return sum(entry["size"] + sum(entry.get("enc", {}).values()) for entry in self.files.values())

    def paths_of(self, number: int) -> list[str]:
        """Return the paths that one of the earlier manifests has."""
        return [path for path, origin in self.origins.items() if origin == number]


class Clash(NamedTuple):
    """Two releases have other bytes under one path. number: of the older manifest, among the earlier ones."""

    path: str
    number: int


class Lineage(NamedTuple):
    """What an output becomes. document: of its new manifest. ancestors: those that are carried, the newest first.

    left: those that are not, and which limit forbids it.
    """

    document: dict[str, Any]
    ancestors: tuple[Ancestor, ...]
    left: tuple[tuple[Ancestor, Reason], ...]
    clashes: tuple[Clash, ...]


def lineage(own: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], limits: Limits) -> Lineage:
    """Return what the build `own` becomes with the `earlier` manifests, the newest first.

    What `own` carries already is not its own: it counts only as far as an earlier manifest has it.
    """
    files = {path: entry for path, entry in own["files"].items() if "build" not in entry}
    found, clashes = _ancestors(files, earlier, limits.now_s)
    kept, left = _limited(found, limits)
    for ancestor in kept:
        files |= {path: _carried(entry, ancestor.build) for path, entry in ancestor.files.items()}
    build = {key: value for key, value in own["build"].items() if key not in ("previous", "superseded")}
    build["previous"] = [ancestor.build for ancestor in kept]
    build["superseded"] = {each.build: each.superseded_s for each in kept if each.superseded_s is not None}
    return Lineage({**own, "build": build, "files": files}, tuple(kept), tuple(left), tuple(clashes))


def _ancestors(
    own_files: Mapping[str, Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]], now_s: int | None
) -> tuple[list[Ancestor], list[Clash]]:
    """Return every earlier release that has something of its own, the newest first, and each path with two contents."""
    files: dict[str, dict[str, Mapping[str, Any]]] = {}
    origins: dict[str, int] = {}
    taken = dict(own_files)
    clashes = []
    for number, document in enumerate(earlier):
        for build, named in _releases(document):
            mine = files.setdefault(build, {})
            for path, entry in named.items():
                if path not in taken:
                    taken[path] = mine[path] = entry
                    origins[path] = number
                elif taken[path]["sha256"] != entry["sha256"]:
                    clashes.append(Clash(path, number))
    told = _told(earlier, now_s)
    ancestors = [
        Ancestor(build, told.get(build, now_s), mine, {path: origins[path] for path in mine})
        for build, mine in files.items()
        if mine
    ]
    return ancestors, clashes


def _releases(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Mapping[str, Any]]]]:
    """Yield the release that a manifest describes, and those that it carries, each with its files."""
    build = document["build"]
    by_build: dict[str, dict[str, Mapping[str, Any]]] = {each: {} for each in (build["id"], *build.get("previous", ()))}
    for path, entry in document["files"].items():
        by_build.setdefault(entry.get("build", build["id"]), {})[path] = entry
    yield from by_build.items()


def _told(earlier: Sequence[Mapping[str, Any]], now_s: int | None) -> dict[str, int]:
    """Return when each release was superseded; the latest, where two manifests do not agree."""
    told: dict[str, int] = {}
    for document in earlier:
        for build, when_s in document["build"].get("superseded", {}).items():
            told[build] = max(when_s, told.get(build, when_s))
    if earlier and now_s is not None:
        # The newest is superseded by this build, though it may have been so before: it was rolled back to.
        told[earlier[0]["build"]["id"]] = now_s
    return told


def _limited(found: Iterable[Ancestor], limits: Limits) -> tuple[list[Ancestor], list[tuple[Ancestor, Reason]]]:
    kept: list[Ancestor] = []
    left: list[tuple[Ancestor, Reason]] = []
    size_bytes = 0
    for ancestor in found:
        reason = _refused(ancestor, limits, len(kept), size_bytes)
        # What has no room ends the line: an older release that has would leave a gap of pages without their files.
        reason = "max-size" if any(why == "max-size" for _, why in left) else reason
        if reason is None:
            kept.append(ancestor)
            size_bytes += ancestor.size_bytes
        else:
            left.append((ancestor, reason))
    return kept, left


def _refused(ancestor: Ancestor, limits: Limits, count: int, size_bytes: int) -> Reason | None:
    """Return the limit that forbids a release after `count` others of `size_bytes`, None if none does."""
    if limits.keep is not None and count >= limits.keep:
        return "keep"
    if limits.days is not None and _age_s(ancestor, limits.now_s) > limits.days * _DAY_S:
        return "days"
    if limits.max_bytes is not None and size_bytes + ancestor.size_bytes > limits.max_bytes:
        return "max-size"
    return None


def _age_s(ancestor: Ancestor, now_s: int | None) -> int:
    """Return how long ago a release was superseded; of whom nobody knows it was so just now."""
    return 0 if now_s is None or ancestor.superseded_s is None else now_s - ancestor.superseded_s


def _carried(entry: Mapping[str, Any], build: str) -> dict[str, Any]:
    """Return the entry of a file as another release has it: under its hashed name alone."""
    return {**{key: value for key, value in entry.items() if key != "keep"}, "build": build}

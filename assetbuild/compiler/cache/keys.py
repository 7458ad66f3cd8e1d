"""Keys: everything that decides a result beside the files that its engine finds, as named records.

Receives a job, the project and the tools; hands on digests. No clock, user, environment or path of this machine is in
a record. `differing` says which field is another, for people who ask why a job ran.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler.cache.codec import source_document
from assetbuild.compiler.cache.places import Places
from assetbuild.compiler.model import Job
from assetbuild.compiler.project import Project

__all__ = ["EPOCH", "Common", "Key", "common_of", "differing", "digest_of", "is_read", "key_of", "read_by"]

EPOCH = 2
"""Raised when the meaning of a document in the cache changes: everything before it is a miss."""


class Common(NamedTuple):
    """What is the same for every job of a build. tools: package → exact version and digest.

    settings: what the project says to jobs beside their own options, by section; `is_read` says to which. JSON values
    only.
    """

    epoch: int
    tools: Mapping[str, str]
    settings: Mapping[str, object]


class Key(NamedTuple):
    """What is a job's own. common: digest of what its engine reads of the `Common` record.

    sources: what it starts from, by portable names. place: where it was configured, which messages name. JSON values
    only.
    """

    common: str
    engine: str
    options: Mapping[str, object]
    logicals: tuple[str, ...]
    sources: tuple[object, ...]
    place: str


# Sections that few engines read; what an engine gets as the options of a job is a part of its key anyway.
_READERS = {
    "confines": frozenset(["modules"]),
    "js": frozenset(["classic", "filters", "markup", "modules", "script"]),
    "sass": frozenset(["filters", "style"]),
}


def common_of(project: Project, tools: Mapping[str, str], confines: Iterable[str], places: Places) -> Common:
    """Return the record of a build. A setting too many costs a compile, one too few would give a wrong result.

    confines: the folders that sources may lie in.
    """
    sass = project.sass._asdict() | {"load_paths": [places.name(f) for f in project.sass.load_paths]}
    settings = {
        "base": project.base,
        "confines": sorted(map(places.folder_name, confines)),
        "js": project.js._asdict(),
        "keep_names": project.keep_names,
        "missing_allow": project.missing_allow,
        "roots": [
            [places.folder_name(root.folder), root.mount, root.missing, root.is_minified] for root in project.roots
        ],
        "salt": project.salt,
        "sass": sass,
        "secrets_allow": project.secrets_allow,
        "site_root": project.site_root,
        "sourcemaps": project.sourcemaps,
        "svg": project.svg._asdict(),
        "urls": project.urls._asdict(),
    }
    return Common(EPOCH, tools, settings)


def is_read(field: str, engine: str) -> bool:
    """Return whether an engine reads a field of the `Common` record, written as `differing` gives it."""
    section = field.removeprefix("settings.").partition(".")[0]
    return engine in _READERS.get(section, frozenset([engine]))


def read_by(engine: str, common: Common) -> Common:
    """Return what an engine reads of a record."""
    return common._replace(settings={name: value for name, value in common.settings.items() if is_read(name, engine)})


def key_of(job: Job, common: str, places: Places) -> Key:
    """Return the key of `job`. common: digest of what its engine reads of the build's `Common` record."""
    sources = tuple(source_document(source, places) for source in job.sources)
    return Key(common, job.engine, job.options, job.logicals, sources, job.place)


def digest_of(record: Common | Key) -> str:
    """Return the digest that stands for a record."""
    return hashlib.sha256(_text(record._asdict()).encode()).hexdigest()


def differing(old: Mapping[str, object], new: Mapping[str, object], place: str = "") -> Iterator[str]:
    """Yield the fields in which two records differ, `settings.css.minify` for inner ones."""
    for field in sorted({*old, *new}):
        was, value = old.get(field), new.get(field)
        if isinstance(was, Mapping) and isinstance(value, Mapping):
            yield from differing(was, value, f"{place}{field}.")
        elif _text(was) != _text(value):
            yield f"{place}{field}"


_text = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

"""The values that walk through the compiler: Source → Job → Draft → Asset → Variant.

Frozen, without methods that do work: the functions of the rooms hold the knowledge. A *logical path* is what templates
name, a *file* lies on disk, a *path* is the published name (docs/reference/terms.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from assetbuild.compiler.sourcemap import SourceMap
from assetbuild.diagnostic import Diagnostic

__all__ = [
    "Absent",
    "Asset",
    "Blob",
    "Draft",
    "Facts",
    "Input",
    "Job",
    "Listed",
    "Piece",
    "Ref",
    "RefStyle",
    "Result",
    "Source",
    "Stable",
    "Trace",
    "Variant",
]

RefStyle = Literal["url", "module", "rooted"]
"""How a reference is written: `url` may be `app.css`, `module` must begin with `./` or `../` (WHATWG HTML §8.1.6.5),
`rooted` with the URL base: it stands in a text that scripts put into pages of any folder."""

Kind = Literal["", "module", "classic", "style"]
"""What a tag for the asset looks like; "" for anything that has no tag of its own."""


class Source(NamedTuple):
    """A file that exists. logical: where it is published; file: absolute; shown: its path in messages."""

    logical: str
    file: str
    shown: str
    is_first_party: bool = True
    is_minified: bool = False


class Stable(NamedTuple):
    """A file that is also reachable under a name of its own, which is never immutable.

    at: absolute URL path for a `site_root` file, "" for a `keep_names` file (its own name under the base).
    """

    at: str = ""


class Blob(NamedTuple):
    """Bytes that stay where they are: `file` on disk, believed only while size and digest hold.

    named_hex: sha256 of the salt and the bytes, which the name is made of; equal to `sha256_hex` without salt.
    body: the bytes, where there was room to keep them.
    """

    file: str
    size: int
    sha256_hex: str
    integrity: str
    named_hex: str
    body: bytes | None = None


class Ref(NamedTuple):
    """A resolved reference. `target` is a logical path; query and fragment stay in the text around it.

    name: the specifier that an import map may know the target by; "" where no import map is asked (`importmap.py`).
    """

    target: str
    style: RefStyle = "url"
    name: str = ""


Piece = bytes | Ref


class Input(NamedTuple):
    """A file that a job read. `file`: absolute path; `digest_hex`: sha256 of the bytes that were used."""

    file: str
    digest_hex: str


Absent = str
"""Absolute path of a file that a job looked for and did not find: the result holds only while it stays absent."""


class Listed(NamedTuple):
    """A folder whose names a job depends on. folder: absolute; digest_hex: as `listing` gives it."""

    folder: str
    digest_hex: str


class Facts(NamedTuple):
    """What the manifest says of an asset beside its file. All relations are logical paths."""

    kind: Kind = ""
    is_entry: bool = False
    source: str = ""
    imports: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    map: str = ""


class Trace(NamedTuple):
    """Where the text of a draft was written. map: of the text in which each reference was a token.

    units: width of a token there. tokens: the numbers of the pieces that were tokens, in order.
    """

    map: SourceMap
    units: int
    tokens: tuple[int, ...]


class Draft(NamedTuple):
    """Compiled bytes that have no name yet: pieces of text with references between them, or a blob."""

    logical: str
    media_type: str
    body: tuple[Piece, ...] | Blob
    facts: Facts = Facts()
    stable: Stable | None = None
    width: int = 0
    height: int = 0
    trace: Trace | None = None


class Asset(NamedTuple):
    """A draft that has a name. `path`: published, relative to the output; `body`: the final bytes, or where they lie.

    hash_name and cycle_hex: the ten characters in the name; the digest of its component, "" unless it is cyclic.
    """

    logical: str
    path: str
    media_type: str
    body: bytes | Blob
    sha256_hex: str
    integrity: str
    size: int
    refs: tuple[str, ...] = ()
    cycle_hex: str = ""
    facts: Facts = Facts()
    stable: Stable | None = None
    width: int = 0
    height: int = 0


class Variant(NamedTuple):
    """A compressed form of an asset's file: `path` + the coding's suffix."""

    path: str
    coding: str
    body: bytes


class Job(NamedTuple):
    """The unit of work, of caching and of parallelism.

    engine: name in `engines.ENGINES`. logicals: what it makes (a module job may make more).
    sources: what it starts from, in order. options: everything else that decides its bytes; JSON values only.
    place: where in the configuration it comes from, for messages.
    """

    engine: str
    logicals: tuple[str, ...]
    sources: tuple[Source, ...]
    options: Mapping[str, object] = {}
    place: str = ""


class Result(NamedTuple):
    """What a job made. `found`: files that its references name and that no root holds (npm packages).

    unused: files among `inputs` of which no byte is in a draft, as far as the engine can tell.
    tools: name → exact version of what decided the bytes. engine: the room that made it, written by `gather`.
    folders: those whose names decided something. surroundings: digest of what tools found around the project by
    themselves, "" where that decides nothing.
    is_repeatable: the same inputs always make it, so a cache may keep it. is_recalled: a cache had kept it.
    reason: why it was made, in words, where a cache was asked and had not kept it.
    """

    drafts: tuple[Draft, ...] = ()
    found: tuple[Source, ...] = ()
    inputs: tuple[Input, ...] = ()
    absent: tuple[Absent, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    tools: Mapping[str, str] = {}
    engine: str = ""
    folders: tuple[Listed, ...] = ()
    surroundings: str = ""
    is_repeatable: bool = True
    is_recalled: bool = False
    reason: str = ""
    unused: frozenset[str] = frozenset()

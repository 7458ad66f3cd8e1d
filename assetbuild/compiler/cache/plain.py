"""Plain files: what was seen in the bytes of files that refer to nothing, so that they need not be read again.

One document for all of a project's, because each is so little. Receives drafts that were made of bytes; hands on the
same drafts for bytes of which no more is known than their digest. What the store gives back, it has vouched for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from assetbuild.compiler.cache.store import Store
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Blob, Draft, Facts, Job

__all__ = ["PlainFiles"]


class PlainFiles:
    """The plain files of a project. common: digest of what decides drafts and is the same for every job."""

    def __init__(self, store: Store, name: str, common: str) -> None:
        self._store = store
        self._name = name
        self._common = common
        self._known = _loaded(store.get(name), common)
        # By what decides a draft beside the bytes, and by their digest.
        self._made: dict[str, dict[str, Draft]] = defaultdict(dict)

    def recalled(self, job: Job, sha256_hex: str, body: bytes | None = None) -> Draft | None:
        """Return the draft of a file with that digest, None if none was kept. body: its bytes, for it to hold."""
        if not self._known:
            return None
        content_type = media_type(job.logicals[0])
        seen = self._known.get(f"{job.engine} {content_type}", {}).get(sha256_hex)
        if seen is None:
            return None
        size, integrity, salted_hex, width, height, kind = seen
        (source,) = job.sources
        blob = Blob(source.file, size, sha256_hex, integrity, salted_hex or sha256_hex, body)
        facts = Facts(kind) if kind else _NONE
        return Draft(source.logical, content_type, blob, facts, width=width, height=height)

    def keep(self, job: Job, sha256_hex: str, draft: Draft) -> None:
        """Keep the draft that the bytes with that digest gave, or that was recalled."""
        self._made[f"{job.engine} {draft.media_type}"][sha256_hex] = draft

    def flush(self) -> None:
        """Put what was kept in the place of what was known, if there is a difference."""
        if {group: seen.keys() for group, seen in self._known.items()} != {g: d.keys() for g, d in self._made.items()}:
            self._store.put(self._name, _dumped(self._made, self._common))
        self._made = defaultdict(dict)


_NONE = Facts()


def _dumped(made: Mapping[str, Mapping[str, Draft]], common: str) -> bytes:
    groups = (
        f"{json.dumps(group)}:{{{','.join(map(_line, drafts, drafts.values()))}}}" for group, drafts in made.items()
    )
    return f'["{common}",{{{",".join(groups)}}}]'.encode()


def _line(sha256_hex: str, draft: Draft) -> str:
    """Return the member of a JSON object; nothing in it has to be escaped."""
    assert isinstance(draft.body, Blob)
    _, size, _, integrity, named_hex, _ = draft.body
    salted_hex = "" if named_hex == sha256_hex else named_hex
    kind = draft.facts.kind
    return f'"{sha256_hex}":[{size},"{integrity}","{salted_hex}",{draft.width},{draft.height},"{kind}"]'


def _loaded(content: bytes | None, common: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what a document says, nothing if it is not there or of another `common`."""
    if content is None:
        return {}
    known, groups = json.loads(content)
    return groups if known == common else {}

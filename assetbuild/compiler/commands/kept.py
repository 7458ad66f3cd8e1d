"""Kept: what a command made before from the same inputs, in the store of the compile cache.

Receives a record of everything that decides a command's outputs; hands back outputs and findings, or in words what is
another than when it last ran. The key is that record whole: a command declares its inputs before it runs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.compiler.cache import Store
from assetbuild.diagnostic import Diagnostic, findings

__all__ = ["Key", "Made", "keep", "recalled", "why"]

_NAMES_TOLD = 3


class Key(NamedTuple):
    """Everything that decides what a command makes; JSON values only, and no path of this machine.

    program: what it is made of → sha256. inputs: name → sha256.
    """

    epoch: int
    run: tuple[str, ...]
    outputs: tuple[str, ...]
    environment: Mapping[str, str]
    program: Mapping[str, str]
    inputs: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name in the store."""
        return f"command/{_digest_of(self._asdict())}"


class Made(NamedTuple):
    """What a command made. files: logical path → bytes, sorted. diagnostics: warnings."""

    files: Mapping[str, bytes]
    diagnostics: tuple[Diagnostic, ...]


def recalled(store: Store, key: Key) -> Made | None:
    """Return what was kept, None for nothing. Every byte was held against its digest by the store."""
    content = store.get(key.name)
    if content is None:
        return None
    line, _, texts = content.partition(b"\n")
    try:
        document = json.loads(line)
        sizes: Mapping[str, int] = document["files"]
        files, at = {}, 0
        for name, size in sizes.items():
            files[name], at = texts[at : at + size], at + size
        return Made(files, tuple(findings(document["diagnostics"]))) if at == len(texts) else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # of another format


def keep(store: Store, key: Key, made: Made, project: str) -> None:
    """Keep what a command made. project: absolute folder, to tell the next time what became another."""
    document = {"files": {name: len(body) for name, body in made.files.items()}, "diagnostics": made.diagnostics}
    store.put(key.name, json.dumps(document).encode() + b"\n" + b"".join(made.files.values()))
    store.put(_last(key, project), json.dumps(key._asdict()).encode())


def why(store: Store, key: Key, project: str) -> str:
    """Return what is another than when the command last ran, in the words of `--explain`."""
    content = store.get(_last(key, project))
    if content is None:
        return "it is not in the cache yet"
    try:
        found = list(_differing(json.loads(content), key))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "it is not in the cache yet"
    left = len(found) - _NAMES_TOLD
    told = [*found[:_NAMES_TOLD], *([f"{left} more"] if left > 0 else [])]
    return (
        f"{' and '.join(filter(None, (', '.join(told[:-1]), told[-1])))} changed"
        if told
        else "it is no longer in the cache"
    )


def _differing(last: Mapping[str, Any], key: Key) -> Iterator[str]:
    """Yield the inputs that came, went or are others, then all other fields."""
    was, now = last["inputs"], key.inputs
    yield from (f"`{name}`" for name in sorted({*was, *now}) if was.get(name) != now.get(name))
    fields = json.loads(json.dumps(key._asdict()))
    yield from (f"`{name}`" for name in key._fields if name != "inputs" and last.get(name) != fields[name])


def _last(key: Key, project: str) -> str:
    return f"last/{_digest_of([os.fsencode(project).hex(), 'command', key.outputs])}"


def _digest_of(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

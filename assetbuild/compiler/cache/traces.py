"""Traces: what a result depended on beside its key, and the document that holds the traces of one key.

Receives values, hands on bytes and back. A document that cannot be read is one of another format, and counts as none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from assetbuild.compiler.cache.asked import Questions

__all__ = ["LIMIT", "Trace", "dumped", "loaded"]

LIMIT = 8
"""How many traces a key keeps: a branch, its base and a few steps between them."""


class Trace(NamedTuple):
    """What a result depended on, by portable names.

    inputs: file → sha256 of what was read. absent: file that no use was made of → what stood in its place.
    folders: folder → digest of the names in it. surroundings: as `Result` has it.
    answers: digest of what the inventory said to the questions. programs: pinned tool that was run → digest.
    spent_ms: how long it took. result: the text of a small result, or where a large one lies in the store, `result/…`.
    """

    inputs: Mapping[str, str]
    absent: Mapping[str, str]
    folders: Mapping[str, str]
    surroundings: str
    questions: Questions
    answers: str
    programs: Mapping[str, str]
    spent_ms: int
    result: str


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def dumped(traces: Iterable[Trace]) -> bytes:
    """Return the document of a key."""
    return _encode([list(trace) for trace in traces]).encode()


def loaded(content: bytes | None) -> list[Trace]:
    """Return the traces in a document, none if it is not there or not ours."""
    if content is None:
        return []
    try:
        return [_trace(fields) for fields in json.loads(content)]
    except (ValueError, TypeError):
        return []


def _trace(fields: list[Any]) -> Trace:
    (
        inputs,
        absent,
        folders,
        surroundings,
        (logicals, files, withheld, is_whole),
        answers,
        programs,
        spent_ms,
        result,
    ) = fields
    questions = Questions(tuple(logicals), tuple(files), tuple(withheld), is_whole)
    return Trace(inputs, absent, folders, surroundings, questions, answers, programs, int(spent_ms), result)

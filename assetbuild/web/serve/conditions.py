"""What a client made its request depend on, and which part of a body it wants.

Pure functions over header values, entity tags and sizes. There are no dates here: a modification time is not
reproducible, so we send none, and a condition on one is ignored as RFC 9110 §13.1.3 and §13.1.4 ask for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["byte_range", "precondition"]

_ANY = frozenset({"*"})
# RFC 9110 §8.8.3; between two tags stand commas and blanks, and an element may be empty (§5.6.1.2).
_TAG = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)')

_RANGE_CHARACTERS = 100
_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.IGNORECASE | re.ASCII)


def precondition(conditions: Mapping[str, str], etag: str) -> int:
    """Return the status that ends a GET or HEAD early, 304 or 412; 0 if it goes on.

    conditions: lower-case field name → value. etag: of the chosen variant. An unreadable field counts as absent.
    Source: RFC 9110 §13.2.2, in its order; If-Match compares strongly (§13.1.1), If-None-Match weakly (§13.1.2).
    """
    wanted = _tags(conditions["if-match"]) if "if-match" in conditions else _ANY
    if wanted and wanted is not _ANY and etag not in wanted:
        return 412
    field = conditions.get("if-none-match", "")
    if field == etag:
        return 304  # what browsers send: one tag, which need not be read as a list
    held = _tags(field)
    return 304 if held is _ANY or etag in held or f"W/{etag}" in held else 0


def byte_range(conditions: Mapping[str, str], etag: str, size_bytes: int) -> range | None:
    """Return the bytes that a GET asks for; None for all of them, an empty range if it cannot be satisfied.

    A range that is not one plain range of bytes is ignored, as RFC 9110 §14.2 permits: several ranges cost the server
    more than the client. If-Range holds for this strong tag and never for a date (§13.1.5). Nothing can be asked of an
    empty body, so it is sent whole.
    """
    value = conditions.get("range", "")
    if not value or len(value) > _RANGE_CHARACTERS or not size_bytes or conditions.get("if-range", etag) != etag:
        return None
    found = _RANGE.fullmatch(value)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return range(max(0, size_bytes - int(suffix)), size_bytes)
    if last and int(last) < int(first):
        return None  # invalid, and so ignored (§14.1.1)
    stop = min(int(last) + 1, size_bytes) if last else size_bytes
    return range(min(int(first), stop), stop)


def _tags(value: str) -> frozenset[str]:
    """Return the entity tags of a list, `_ANY` for `*`, nothing for what is not a list of tags."""
    if value.strip(" \t") == "*":
        return _ANY
    found, at = set(), 0
    end = len(value.rstrip(" \t,"))
    while at < end:
        tag = _TAG.match(value, at)
        if tag is None:
            return frozenset()
        found.add(tag[1])
        at = tag.end()
    return frozenset(found)

"""Text as it is written and what it stands for: escapes undone, with the way back to the original offsets.

What the languages share whose references stand inside values that have escapes of their own: markup and JSON.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, NamedTuple

__all__ = ["Decoded", "Part", "Written", "WrittenKind", "url_in"]

WrittenKind = Literal["url", "link", "late-import"]

# RFC 3986 §3.4, §3.5. What stands around a URL in white space is no part of it (WHATWG URL, "basic URL parser").
_SUFFIX = re.compile(r"[?#]")
_BLANK = " \t\n\r\f"


class Written(NamedTuple):
    """One reference. `text[start:end]` is the part to replace: no quotes, no outer white space.

    value: what it stands for, escapes undone. suffix_start: where its query or fragment begins, `end` if it has none.
    kind: `link` names a file if it happens to; nothing is missing if it does not. `late-import` is an `@import` that
    browsers ignore. A plain ASCII URL without quotes and white space may stand in its place.
    """

    start: int
    end: int
    value: str
    suffix_start: int
    kind: WrittenKind = "url"


class Part(NamedTuple):
    """A piece of a value: what it stands for, and where it is written. Plain text stands for itself."""

    meaning: str
    start: int
    end: int


class Decoded:
    """A value with its escapes undone. An escape is a part whose meaning has another length than its writing."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = [part for part in parts if part.meaning]
        self._at = [0]
        for part in self._parts:
            self._at.append(self._at[-1] + len(part.meaning))
        self.text = "".join(part.meaning for part in self._parts)

    def start(self, offset: int) -> int:
        """Return where the character at `offset` of the meaning is written; for the end of the meaning, its end."""
        if offset >= len(self.text):
            return self._parts[-1].end if self._parts else 0
        number = bisect_right(self._at, offset) - 1
        part = self._parts[number]
        return part.start + (offset - self._at[number] if _is_plain(part) else 0)

    def end(self, offset: int) -> int:
        """Return where the character before `offset` of the meaning ends."""
        number = bisect_left(self._at, offset) - 1
        if number < 0:
            return self.start(0)
        part = self._parts[number]
        return part.start + offset - self._at[number] if _is_plain(part) else part.end

    def is_whole(self, start: int, end: int) -> bool:
        """Return whether nothing else stands between the characters of `text[start:end]` as they are written."""
        first, last = bisect_right(self._at, start) - 1, bisect_left(self._at, end)
        parts = self._parts[first:last]
        return all(one.end == other.start for one, other in pairwise(parts))


def url_in(value: Decoded, start: int, end: int, kind: WrittenKind = "url") -> Written:
    """Return the reference that `value.text[start:end]` is."""
    text = value.text
    end = start + len(text[start:end].rstrip(_BLANK))
    start = end - len(text[start:end].lstrip(_BLANK))
    suffix = _SUFFIX.search(text, start, end)
    written_end = value.end(end) if end > start else value.start(start)
    return Written(
        value.start(start), written_end, text[start:end], value.start(suffix.start()) if suffix else written_end, kind
    )


def _is_plain(part: Part) -> bool:
    return len(part.meaning) == part.end - part.start

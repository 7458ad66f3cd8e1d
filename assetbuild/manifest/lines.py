"""The lines of a canonical manifest: a name is found by bisecting them, and only its own line is parsed.

Receives the text, in memory or mapped; hands on the short rest of the document and its two long sections. Pure: every
fault of the text is a `ValueError`.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from assetbuild.manifest.text import CLOSING, OPENING, parse, parse_line

__all__ = ["Layout", "Lines", "layout"]

_Text = bytes | mmap.mmap

_BACKSLASH = 0x5C  # as a number: to look for a byte costs a seventh of looking for bytes, and each step does


class Lines:
    """One section of a canonical manifest, never parsed as a whole: a mapping from name to entry."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: _Text, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end

    def get(self, name: str) -> Any:
        """Return the parsed entry, None if the bisection ends without one.

        A text that nobody has vouched for may hold the name in a wrong place; who iterates finds that out.
        """
        try:
            wanted = b'"' + name.encode()
        except UnicodeEncodeError:
            return None  # a lone surrogate, which no manifest holds
        text, low, high = self.text, self.start, self.end
        while low < high:
            start = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            close = text.find(b'":', start, high)
            if close < 0:
                raise ValueError("a line has no name")
            key = text[start:close]
            if _BACKSLASH in key:
                key = _key(text, start, close)
            if key == wanted:
                return _entry(text, close, high)
            if key < wanted:
                low = text.find(b"\n", close, high) + 1 or high
            else:
                high = start
        return None

    def holding(self, mark: bytes) -> Iterator[str]:
        """Yield the names of the entries whose line holds `mark`, found by one search of the bytes."""
        at = self.start
        while (at := self.text.find(mark, at, self.end)) >= 0:
            start = self.text.rfind(b"\n", self.start, at) + 1 or self.start
            yield _key(self.text, start, self.text.find(b'":', start, self.end))[1:].decode()
            at = self.text.find(b"\n", at, self.end) + 1 or self.end

    def __iter__(self) -> Iterator[str]:
        """Yield the names; a `ValueError` if they are not in order, because then a bisection cannot be believed."""
        at, before = self.start, b""
        while at < self.end:
            close = self.text.find(b'":', at, self.end)
            key = _key(self.text, at, close)
            if key <= before:
                raise ValueError("its names are not in order")
            yield key[1:].decode()
            before, at = key, self.text.find(b"\n", close, self.end) + 1 or self.end


def _key(text: _Text, start: int, close: int) -> bytes:
    """Return the name of the line at `start` in UTF-8, behind its first quote. close: where its second quote stands."""
    key = text[start:close] if close > start else b""
    if key[:1] != b'"':
        raise ValueError("a line has no name")
    # A quote in a name is the one character that is written otherwise than it is: no name holds a backslash.
    return key.replace(b'\\"', b'"') if _BACKSLASH in key else key


def _entry(text: _Text, close: int, high: int) -> dict[str, Any]:
    """Return the entry of the line whose name ends at `close`."""
    line_end = text.find(b"\n", close, high)
    entry = parse_line(text[close + 2 : line_end if line_end >= 0 else high].removesuffix(b","))
    if not isinstance(entry, dict):
        raise ValueError("an entry is no object")
    return entry


class Layout(NamedTuple):
    """Where things lie in a canonical text. outline: the document with its two long sections empty."""

    outline: Any
    assets: Lines
    files: Lines


def layout(text: _Text) -> Layout | None:
    """Return how the text is laid out, None if not in lines.

    The keys of the top level are in order, so that the two long sections lie apart and what is between them is short.
    """
    first, files_end = len(OPENING), text.rfind(CLOSING) + 1
    if text[:first] != OPENING or files_end < first - 1:
        return None
    assets_end = _first_line(text, first, files_end, lambda start, end: not _has_field(text, start, end, "file"))
    files_start = _first_line(text, assets_end, files_end, lambda start, end: _has_field(text, start, end, "sha256"))
    try:
        outline = parse(text[:first] + text[assets_end:files_start] + text[files_end:])
    except ValueError:
        return None
    if not isinstance(outline, dict) or outline.get("assets") != {} or outline.get("files") != {}:
        return None
    return Layout(outline, Lines(text, first, assets_end), Lines(text, files_start, files_end))


def _first_line(text: _Text, low: int, high: int, holds: Callable[[int, int], bool]) -> int:
    """Return where the first line begins for which `holds`, `high` if there is none; all lines after it must hold."""
    while low < high:
        middle = (low + high) // 2
        start, end = text.rfind(b"\n", low, middle) + 1 or low, text.find(b"\n", middle, high) + 1 or high
        low, high = (low, start) if holds(start, end) else (end, high)
    return low


def _has_field(text: _Text, start: int, end: int, field: str) -> bool:
    """Return whether the line is an entry that has `field`; `"assets":{` and `},` are no entries."""
    try:
        _key(text, start, text.find(b'":', start, end))
        return field in _entry(text, text.find(b'":', start, end), end)
    except ValueError:
        return False

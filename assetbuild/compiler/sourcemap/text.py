"""Lines and columns of a text, counted as source maps count them: from 0, columns in UTF-16 code units.

Receives a text and the rule of its language for where a line ends (the format leaves that to the language); hands on
positions for offsets in characters, and back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

__all__ = ["SCRIPT_LINES", "SHEET_LINES", "Lines", "chars", "units"]

SCRIPT_LINES = re.compile("\r\n|[\n\r\u2028\u2029]")
"""Where a line of a script ends. Source: ECMA-262 §12.3, LineTerminatorSequence."""

SHEET_LINES = re.compile("\r\n|[\n\r\f]")
"""Where a line of a stylesheet ends. Source: CSS Syntax Level 3 §3.3."""


class Lines:
    """The lines of a text. line_end: one of the patterns above."""

    def __init__(self, text: str, line_end: re.Pattern[str]) -> None:
        self.text = text
        self._line_end = line_end
        self._is_ascii = text.isascii()

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in self._line_end.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of the character at `offset`."""
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return line, offset - start if self._is_ascii else units(self.text[start:offset])

    def offset(self, line: int, column: int) -> int:
        """Return the offset of the character at a place; the end of its line, or of the text, if there is none."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        return min(start + column, end) if self._is_ascii else start + chars(self.text[start:end], column)


def chars(line: str, column: int) -> int:
    """Return the column in characters of the column in UTF-16 code units, on `line`; behind its end at most."""
    if line.isascii():
        return min(column, len(line))
    before = line.encode("utf-16-le", "surrogatepass")[: 2 * column]
    return len(before.decode("utf-16-le", "ignore"))


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2

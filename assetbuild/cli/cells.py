"""What a character becomes on a terminal, and how many cells it takes: so that nothing acts and carets stand right.

A source or a file name may hold escape sequences, direction marks or lone surrogates. They are shown, never sent.
Source: Unicode Standard Annexes 9 (direction) and 11 (east Asian width); ECMA-48 for the control characters.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

__all__ = ["Cell", "cells", "shown"]

_TAB = 4
# Joiners are spelling in several scripts; all other format characters change what is seen without being seen.
_JOINERS = "\u200c\u200d"


class Cell(NamedTuple):
    """One character of the source. text: what is sent instead of it; width: in cells."""

    text: str
    width: int


def cells(line: str, *, is_unicode: bool) -> list[Cell]:
    """Return a cell per character of `line`; tabs reach to the next multiple of four cells.

    is_unicode: whether the terminal can show more than ASCII.
    """
    found: list[Cell] = []
    column = 0
    for char in line:
        if char == "\t":
            width = _TAB - column % _TAB
            cell = Cell(" " * width, width)
        else:
            cell = _cell(char, is_unicode)
        column += cell.width
        found.append(cell)
    return found


def shown(text: str, *, is_unicode: bool) -> str:
    """Return `text` as it may be sent to a terminal; line ends are kept, everything else that acts is shown."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join("".join(cell.text for cell in cells(line, is_unicode=is_unicode)) for line in text.split("\n"))


def _cell(char: str, is_unicode: bool) -> Cell:
    if " " <= char <= "~":
        return Cell(char, 1)
    if not is_unicode:
        return _named(char)
    if char < " ":
        return Cell(chr(0x2400 + ord(char)), 1)
    if char == "\x7f":
        return Cell("\u2421", 1)
    category = unicodedata.category(char)
    if category in {"Mn", "Me"} or char in _JOINERS:
        return Cell(char, 0)
    if category in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return _named(char)
    return Cell(char, 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1)


def _named(char: str) -> Cell:
    name = f"<U+{ord(char):04X}>"
    return Cell(name, len(name))

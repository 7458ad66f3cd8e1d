"""Bytes spent on choices, so that both drivers reach what a language means and not only what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["LONG_CHARACTERS", "Grain"]

T = TypeVar("T")

LONG_CHARACTERS = 300
"""Texts that are longer are made by repetition: whether work grows with the text only shows there."""

_LIMIT_CHARACTERS = 2_000


class Grain:
    """The bytes of one input, each spent once. When none is left every choice is the first, and every text empty."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._content)

    def below(self, bound: int) -> int:
        """Return a number from 0 on. bound: at most 65,536."""
        number = 0
        for _ in range(1 if bound <= 256 else 2):
            number = number << 8 | (self._content[self._at] if self else 0)
            self._at += 1
        return number % bound

    def pick(self, options: Sequence[T]) -> T:
        """Return one of some options."""
        return options[self.below(len(options))]

    def taken(self, most: int) -> bytes:
        """Return some of the bytes, at most so many."""
        size = self.below(most + 1)
        found = self._content[self._at : self._at + size]
        self._at += size
        return found

    def words(self, pieces: Sequence[str], most: int) -> str:
        """Return a short text: of pieces that mean something, or of any characters."""
        is_any = self.below(8) == 0
        found = self.taken(most)
        return found.decode(errors="replace") if is_any else "".join(pieces[byte % len(pieces)] for byte in found)

    def text(self, pieces: Sequence[str]) -> str:
        """Return a text that all the bytes that are left make: any, of pieces, or of pieces again and again."""
        form = self.below(8)
        times = 1 + self.below(256) if form == 1 else 1
        rest = self._content[self._at :]
        self._at = len(self._content)
        if form == 0:
            return rest.decode(errors="replace")
        return ("".join(pieces[byte % len(pieces)] for byte in rest) * times)[:_LIMIT_CHARACTERS]

"""The digits of mappings: numbers as base64 VLQ, the sign in the lowest bit. Source: ECMA-426 §6, "Base64 VLQ"."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["MapError", "first_number", "numbers_of", "written"]

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = {character: value for value, character in enumerate(_CHARACTERS)}
_CONTINUES = 0b100000
_BITS = 5


class MapError(ValueError):
    """The text is no source map that can be followed; its text says why, in lower case."""


def numbers_of(segment: str) -> tuple[int, ...]:
    """Return the numbers of one segment: one, four or five. Raises `MapError`."""
    numbers = []
    value = shift = 0
    for character in segment:
        digit = _DIGITS.get(character)
        if digit is None:
            raise MapError(f"`{character}` is no digit of a mapping")
        value |= (digit & ~_CONTINUES) << shift
        shift += _BITS
        if not digit & _CONTINUES:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(numbers) not in (1, 4, 5):
        raise MapError(f"`{segment}` is no mapping")
    return tuple(numbers)


def first_number(segment: str) -> tuple[int, str]:
    """Return the first number of a segment that can be read, and the rest of it."""
    end = next(at for at, character in enumerate(segment) if not _DIGITS[character] & _CONTINUES) + 1
    return numbers_of(segment[:end])[0], segment[end:]


def written(numbers: Iterable[int]) -> str:
    """Return `numbers` as one segment."""
    return "".join([_SMALL[n] if -_COMMON < n < _COMMON else _written(n) for n in numbers])


def _written(number: int) -> str:
    rest = number << 1 if number >= 0 else -number << 1 | 1
    digits = []
    while True:
        digit, rest = rest & _CONTINUES - 1, rest >> _BITS
        digits.append(_CHARACTERS[digit | (_CONTINUES if rest else 0)])
        if not rest:
            return "".join(digits)


# Nearly all numbers are differences of a few lines or columns.
_COMMON = 512
_SMALL = {number: _written(number) for number in range(-_COMMON + 1, _COMMON)}

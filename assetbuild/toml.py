"""What is wrong with a text that is no TOML, in our words and at its place, with the one thing to do where it shows.

Receives the text and what `tomllib` raised; hands on a value. Whoever reads a configuration asks here: the compiler,
and the command of Django that writes into the same file.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

__all__ = ["Fault", "fault_in"]

_GIVEN_UP = re.compile(
    r"(?P<sentence>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_QUOTED = re.compile(r"(?<![\w'\"])'([^']+)'(?![\w'\"])")
# TOML 1.0.0, Keys: a bare key holds these alone, and a dot between two of them opens a table.
_BARE_KEY = re.compile(r"[A-Za-z0-9_.-]+")
# What people write without quotes: names of files, URLs, globs.
_NAME = re.compile(r"[\w./:@~*{}+-]+")


class Fault(NamedTuple):
    """Why a text is not TOML. offset: where its reader gave up, in characters. hint: "" if nothing shows what to do."""

    sentence: str
    offset: int
    hint: str


def fault_in(text: str, error: tomllib.TOMLDecodeError) -> Fault:
    """Return why `text` is not TOML.

    Up to Python 3.13 the error has its place in its sentence alone: the last words, since a key may hold the same.
    Source: Python's documentation of `tomllib.TOMLDecodeError`, whose attributes came with 3.14.
    """
    found = _GIVEN_UP.fullmatch(str(error))
    if found is None:
        return Fault(str(error), 0, "")
    sentence = _QUOTED.sub(r"`\1`", found["sentence"])
    offset = len(text.rstrip())
    if found["line"]:
        lines = text.split("\n")[: int(found["line"]) - 1]
        offset = sum(len(line) + 1 for line in lines) + int(found["column"]) - 1
    return Fault(sentence[:1].lower() + sentence[1:], offset, _hint(text, offset))


def _hint(text: str, offset: int) -> str:
    """Return what to do about the line at `offset`, told by the line itself: a key or a value without its quotes."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].partition("\n")[0]
    key, mark, rest = line.partition("=")
    value = rest.partition("#")[0].strip()
    if mark and offset <= start + len(key) and _is_unquoted(key.strip()) and not _BARE_KEY.fullmatch(key.strip()):
        return f'put the name into quotes: `"{key.strip()}" = …`'
    if not mark or not _is_unquoted(value) or offset > start + line.index(value, len(key)):
        return ""
    if value.lower() in {"true", "false"}:
        return f"write it in lower case: `{value.lower()}`"
    return f'put the text into quotes: `{key.strip()} = "{value}"`'


def _is_unquoted(word: str) -> bool:
    return _NAME.fullmatch(word) is not None and not word.isdecimal()

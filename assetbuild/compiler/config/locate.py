"""Where each key and value of a TOML text stands, so that a configuration error can point at it.

Receives a text that `tomllib` has read already, together with what it read; hands on offsets. `tomllib` keeps no
positions. The scan believes the text to be valid and is checked against the document at the end: if the two do not
name the same values, nothing is located, and a message points at the whole file instead of at a wrong line.
Source: TOML 1.0.0, sections Keys, String, Array, Table, Inline Table, Array of Tables.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["Path", "Place", "locate", "written"]

Path = tuple[str | int, ...]
"""The way to a value: keys and list positions, `("entries", "js/app.js", "classic", 1)`."""


class Place(NamedTuple):
    """Offsets in characters. key: left of `=`, or in a header; value: right of `=`, or the whole header."""

    key: tuple[int, int]
    value: tuple[int, int]


def written(path: Path) -> str:
    """Return `path` as a user would write it: `entries."js/app.js".classic[1]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE.fullmatch(step) else f'"{step}"')
    return text


def locate(text: str, document: Mapping[str, object]) -> Mapping[Path, Place]:
    """Return the place of every key, table and list item of `document`; empty if the scan cannot vouch for them."""
    scan = _Scan(text)
    try:
        scan.document()
    except (IndexError, ValueError):
        return {}
    return scan.places if scan.leaves == sorted(_leaves((), document), key=repr) else {}


_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
# The longer quotes first; a multi-line string may end in one or two quotes of its own.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


class _Scan:
    """One pass over a valid text. leaves: the paths of all values that are neither table nor list, sorted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, Place] = {}
        self.leaves: list[Path] = []
        self._lists: dict[Path, int] = {}  # arrays of tables → how many of their tables were opened

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        self.leaves.sort(key=repr)

    def _header(self) -> Path:
        start = self.at
        is_list = self.text.startswith("[[", start)
        self.at += 2 if is_list else 1
        *parents, (last, key) = self._keys()
        self.at += 2 if is_list else 1
        path: Path = ()
        for step, place in parents:
            path = self._opened((*path, step))
            self.places.setdefault(path, Place(place, (start, self.at)))
        path = (*path, last)
        self.places.setdefault(path, Place(key, (start, self.at)))
        if is_list:
            self._lists[path] = self._lists.get(path, 0) + 1
            path = self._opened(path)
        self.places[path] = Place(key, (start, self.at))
        return path

    def _opened(self, path: Path) -> Path:
        """Return `path`, continued into the table that was opened last if it is an array of tables."""
        return (*path, self._lists[path] - 1) if path in self._lists else path

    def _pair(self, table: Path) -> None:
        path = table
        keys = self._keys()
        for step, key in keys:
            path = (*path, step)
            self.places.setdefault(path, Place(key, key))
        self._skip(_SPACE)
        self._expect("=")
        self._skip(_SPACE)
        start = self.at
        self._value(path)
        self.places[path] = Place(keys[-1][1], (start, self.at))

    def _keys(self) -> list[tuple[str, tuple[int, int]]]:
        keys = []
        while True:
            self._skip(_SPACE)
            start = self.at
            bare = _BARE.match(self.text, start)
            self._skip(_BARE if bare else _STRING)
            raw = self.text[start : self.at]
            if not raw:
                raise ValueError("no key")
            keys.append((raw if bare else _decoded(raw), (start, self.at)))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            start = self.at
            self._skip(_STRING if opening in "\"'" else _SCALAR)
            # A bare value reaches up to the next mark: its trailing white space is not part of it.
            self.at = start + len(self.text[start : self.at].rstrip(" \t"))
            self.leaves.append(path)

    def _items(self, path: Path) -> None:
        self._expect("[")
        self._skip(_BLANK)
        number = 0
        while self.text[self.at] != "]":
            start = self.at
            self._value((*path, number))
            self.places[(*path, number)] = Place((start, self.at), (start, self.at))
            number += 1
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_BLANK)
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self._expect("{")
        self._skip(_BLANK)
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_BLANK)
        self.at += 1

    def _expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise ValueError(f"no {mark}")
        self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at


def _decoded(quoted: str) -> str:
    return str(tomllib.loads(f"key = {quoted}")["key"])


def _leaves(path: Path, value: object) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves((*path, number), inner)
    else:
        yield path

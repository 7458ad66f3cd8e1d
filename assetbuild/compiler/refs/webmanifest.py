"""What a web app manifest names: the icons and screenshots that it lists, with the places where they are written.

Receives JSON (RFC 8259), hands on offsets and decoded values. Addresses of pages (`start_url`, `scope`, `id`) are none
of ours. Sources: W3C Web Application Manifest §1 ("icons", "shortcuts", "screenshots"); WICG, "File Handling".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs.written import Decoded, Part, Written, url_in

__all__ = ["NotJson", "references"]

_RESOURCES = (
    ("icons", "src"),
    ("screenshots", "src"),
    ("shortcuts", "icons", "src"),
    ("file_handlers", "icons", "src"),
)
_BLANK = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"(?>(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_OTHER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?>(?:\.[0-9]++)?)(?>(?:[eE][+-]?[0-9]++)?)|true|false|null")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is no JSON. start: where it goes wrong; message: what stands there, or what is missing."""

    def __init__(self, start: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.message = message


class _String(NamedTuple):
    """A string value, without its quotes."""

    start: int
    end: int


_Value = dict[str, "_Value"] | list["_Value"] | _String | None
"""A JSON value; None for what holds no references."""


def references(text: str) -> tuple[Written, ...]:
    """Return every reference of the manifest, in order. Raises `NotJson`.

    Of two members with one name the last counts (ECMA-262 §25.5.1).
    """
    parser = _Parser(text)
    root = parser.document()
    places = sorted({place for path in _RESOURCES for place in _strings(root, path)})
    found = (_written(text, place) for place in places)
    return tuple(ref for ref in found if ref.value)


def _strings(value: _Value, path: Iterable[str]) -> Iterator[_String]:
    """Yield the strings at `path`, through every item of the lists on the way."""
    if isinstance(value, _String):
        if not path:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path)
    elif value is not None and path:
        name, *rest = path
        yield from _strings(value.get(name), rest)


def _written(text: str, place: _String) -> Written:
    value = Decoded(_parts(text, *place))
    return url_in(value, 0, len(value.text))


def _parts(text: str, start: int, end: int) -> Iterator[Part]:
    at = start
    for match in _ESCAPE.finditer(text, start, end):
        if at < match.start():
            yield Part(text[at : match.start()], at, match.start())
        yield Part(_meaning(match[0]), *match.span())
        at = match.end()
    if at < end:
        yield Part(text[at:end], at, end)


def _meaning(written: str) -> str:
    """Return what the inside of a string stands for; half a surrogate pair names nothing that exists."""
    return _LONE_SURROGATE.sub("\ufffd", json.loads(f'"{written}"'))


class _Parser:
    """One reading of a text, strict as RFC 8259 §2 has it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> _Value:
        """Return the one value of the text."""
        value = self._value(0)
        if self._at < len(self._text):
            raise self._wrong("the end of the file")
        return value

    def _value(self, depth: int) -> _Value:
        if depth > NESTING_LIMIT:
            raise NotJson(self._at, f"brackets nest deeper than {NESTING_LIMIT}")
        self._skip()
        if self._take("{"):
            value: _Value = self._members(depth)
        elif self._take("["):
            value = self._items(depth)
        elif self._is_at_string():
            value = self._string()
        else:
            self._take_other()
            value = None
        self._skip()
        return value

    def _members(self, depth: int) -> dict[str, _Value]:
        members: dict[str, _Value] = {}
        self._skip()
        while not self._take("}"):
            if members and not self._take(","):
                raise self._wrong("`,` or `}`")
            self._skip()
            if not self._is_at_string():
                raise self._wrong("a name in double quotes")
            name = _meaning(self._text[slice(*self._string())])
            self._skip()
            if not self._take(":"):
                raise self._wrong("`:`")
            members[name] = self._value(depth + 1)
        return members

    def _items(self, depth: int) -> list[_Value]:
        items: list[_Value] = []
        self._skip()
        while not self._take("]"):
            if items and not self._take(","):
                raise self._wrong("`,` or `]`")
            items.append(self._value(depth + 1))
        return items

    def _string(self) -> _String:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise NotJson(
                self._at, "string is never closed, or holds an escape or a control character that JSON has not"
            )
        self._at = match.end()
        return _String(match.start() + 1, match.end() - 1)

    def _take_other(self) -> None:
        match = _OTHER.match(self._text, self._at)
        if match is None:
            raise self._wrong("a value")
        self._at = match.end()

    def _is_at_string(self) -> bool:
        return self._text.startswith('"', self._at)

    def _take(self, mark: str) -> bool:
        is_there = self._text.startswith(mark, self._at)
        self._at += is_there
        return is_there

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _wrong(self, expected: str) -> NotJson:
        found = self._text[self._at : self._at + 1]
        return NotJson(
            self._at, f"expected {expected}, found " + (f"`{found}`" if found.strip() else "the end of the file")
        )

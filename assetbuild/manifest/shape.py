"""The table of fields: what a manifest may hold, once, in words for the message and as a claim for the code.

`document_faults` and `entry_faults` hold a parsed value against it; `manifest.schema.json` says it to others.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from assetbuild.manifest.names import SUFFIXES, is_base, is_path, is_published, is_text

__all__ = ["SECTIONS", "VERSION", "Mapped", "document_faults", "entry_faults", "lean", "version_faults"]

VERSION = 1
"""The format that is written, and the highest `minReader` that is read."""

_SIZE_LIMIT = 2**53 - 1  # the greatest integer that every JSON reader keeps exact (RFC 8259 §6)


class _Rule(NamedTuple):
    """What a value must be: in words for the message, and as a claim."""

    expected: str
    holds: Callable[[Any], bool]


def _is_integer(low: int, value: object) -> bool:
    return type(value) is int and low <= value <= _SIZE_LIMIT  # not isinstance: True is no size


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and not value.strip("0123456789abcdef")


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and value.startswith("sha256:") and _is_hex(value[7:])


def _is_integrity(value: object) -> bool:
    # 48 bytes are exactly 64 characters of base64, so there is never padding.
    return isinstance(value, str) and len(value) == 71 and value.startswith("sha384-") and not value[7:].strip(_BASE64)


def _is_media_type(value: object) -> bool:
    return isinstance(value, str) and _names_media_type(value)


@functools.lru_cache(maxsize=64)
def _names_media_type(value: str) -> bool:
    # It becomes a header field: RFC 9110 §8.3.1, visible ASCII and single spaces only.
    if not value.isascii() or not value.isprintable():
        return False
    kind, slash, rest = value.partition("/")
    subtype = rest.partition(";")[0]
    return "" not in (kind, slash, subtype) and not (kind + subtype).strip(_NAME_CHARACTERS)


def _is_list_of(rule: Callable[[object], bool], value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(rule, value)) and len({*value}) == len(value)


def _is_map_of(keys: Callable[[object], bool], values: Callable[[object], bool], value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(keys(key) and values(value[key]) for key in value)


def _is_site_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/") and is_path(value[1:])


def _is_json(value: object, levels: int = 32) -> bool:
    """Return whether `value` can be written without a fraction and read by a recursive parser."""
    if isinstance(value, Mapping):
        return levels > 0 and all(isinstance(key, str) and _is_json(value[key], levels - 1) for key in value)
    if isinstance(value, list | tuple):
        return levels > 0 and all(_is_json(item, levels - 1) for item in value)
    return value is None or isinstance(value, str | int)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, bool | str) or _is_integer(-_SIZE_LIMIT, value)


# For `strip`, which leaves nothing of a text that has no other characters: five times as fast as a set.
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-"  # RFC 6838 §4.2

_PATH = _Rule("a relative path without `..`, `:` or backslash", is_path)
_PUBLISHED = _Rule("a relative path of letters, digits, `.`, `_` and `-`", is_published)
_PATHS = _Rule("a list of different relative paths", partial(_is_list_of, is_path))
_TRUE = _Rule("true", lambda value: value is True)
_SIZE = _Rule("a size in bytes", partial(_is_integer, 0))
_PIXELS = _Rule("a number of pixels above 0", partial(_is_integer, 1))
_HEX = _Rule("64 lower-case hex digits", _is_hex)
_DIGEST = _Rule("`sha256:` and 64 lower-case hex digits", _is_digest)
_TEXT = _Rule("a text without control characters", is_text)
_OBJECT = _Rule("an object", lambda value: isinstance(value, Mapping))
_KINDS = ("module", "classic", "style")


class _Shape(NamedTuple):
    """The fields of an object: those that must be there, those that may. A key that begins with `x-` always may."""

    required: Mapping[str, _Rule]
    optional: Mapping[str, _Rule]


_ASSET = _Shape(
    {"file": _PUBLISHED},
    {
        "kind": _Rule("`module`, `classic` or `style`", lambda value: value in _KINDS),
        "entry": _TRUE,
        "source": _PATH,
        "refs": _PATHS,
        "imports": _PATHS,
        "dynamic": _PATHS,
        "css": _PATHS,
        "map": _PATH,
        "width": _PIXELS,
        "height": _PIXELS,
        "keep": _TRUE,
        "at": _Rule("a path that begins with one `/`", _is_site_path),
        "cycle": _HEX,
    },
)
_FILE = _Shape(
    {
        "type": _Rule("a media type", _is_media_type),
        "size": _SIZE,
        "sha256": _HEX,
        "integrity": _Rule("`sha384-` and 64 characters of base64", _is_integrity),
    },
    {
        "keep": _TRUE,
        "enc": _Rule(
            "an object of sizes under `br`, `gzip`, `zstd`",
            partial(_is_map_of, SUFFIXES.__contains__, partial(_is_integer, 0)),
        ),
        "build": _DIGEST,
    },
)
_BUNDLE = _Shape(
    {"assets": _PATHS},
    {"extra": _Rule("an object of texts, integers, true, false and null", partial(_is_map_of, is_text, _is_scalar))},
)
_BUILD = _Shape(
    {
        "id": _DIGEST,
        "tools": _Rule("an object of versions", partial(_is_map_of, is_text, is_text)),
        "config": _DIGEST,
        "inputs": _DIGEST,
        "salt": _Rule("a text", lambda value: value == "" or is_text(value)),
    },
    {
        "revision": _TEXT,
        "previous": _Rule("a list of different build ids", partial(_is_list_of, _is_digest)),
        "superseded": _Rule(
            "an object of build ids and seconds since 1970", partial(_is_map_of, _is_digest, partial(_is_integer, 0))
        ),
    },
)
_TOP = _Shape(
    {
        "version": _Rule("an integer from 1", partial(_is_integer, 1)),
        "minReader": _Rule("an integer from 1", partial(_is_integer, 1)),
        "base": _Rule("a URL base that begins and ends with `/`, or `https://` and a host", is_base),
        "build": _OBJECT,
        "assets": _OBJECT,
        "bundles": _OBJECT,
        "files": _OBJECT,
    },
    {"importmap": _Rule("an object of specifiers and logical paths", partial(_is_map_of, is_text, is_path))},
)
SECTIONS = {
    "assets": (_Rule("a logical path", is_path), _ASSET),
    "bundles": (_Rule("a name", is_text), _BUNDLE),
    "files": (_PUBLISHED, _FILE),
}


def _faults(value: object, shape: _Shape, place: str) -> Iterator[str]:
    """Yield what is wrong with an object, one clause for each fault."""
    if not isinstance(value, Mapping):
        yield _expected("an object", value, place)
        return
    for field in shape.required:
        if field not in value:
            yield f"has no `{field}` in `{place}`" if place else f"has no `{field}`"
    for field, found in value.items():
        rule = shape.required.get(field) or shape.optional.get(field)
        if rule is None:
            if not isinstance(field, str) or not field.startswith("x-"):
                yield f"has a field of no meaning, `{_inside(place, field)}`"
            elif not _is_json(found):
                yield _expected("JSON without fractions", found, _inside(place, field))
        elif not rule.holds(found):
            yield _expected(rule.expected, found, _inside(place, field))


def entry_faults(section: str, name: object, value: object) -> Iterator[str]:
    """Yield what is wrong with one entry of a section and with its name."""
    key, shape = SECTIONS[section]
    if not key.holds(name):
        yield _expected(key.expected, name, section)
    yield from _faults(value, shape, f'{section}."{name}"')


def document_faults(document: object, *, with_entries: bool) -> Iterator[str]:
    """Yield what is wrong with a whole manifest; with_entries: look into `assets` and `files`, too."""
    if not isinstance(document, Mapping):
        yield "is not a JSON object"
        return
    yield from _faults(document, _TOP, "")
    if not _TOP.required.keys() <= document.keys():
        return
    if isinstance(document["build"], Mapping):
        yield from _faults(document["build"], _BUILD, "build")
    for section in SECTIONS if with_entries else ("bundles",):
        entries = document[section]
        if isinstance(entries, Mapping):
            for name, value in entries.items():
                yield from entry_faults(section, name, value)


def _inside(place: str, field: object) -> str:
    return f"{place}.{field}" if place else str(field)


def _expected(expected: str, found: object, place: str) -> str:
    shown = json.dumps(found, default=repr)
    return f"should hold {expected} at `{place}`, and holds {shown if len(shown) <= 60 else shown[:57] + '…'}"


class Mapped(Mapping[str, Any]):
    """A mapping whose values are made when they are asked for: a hundred thousand entries are never held at once."""

    def __init__(self, sources: Mapping[str, Any], make: Callable[[Any], Any]) -> None:
        self._sources = sources
        self._make = make

    def __getitem__(self, name: str) -> Any:
        return self._make(self._sources[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def lean(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without the optional fields that are empty, so that one meaning has one text."""
    top: dict[str, Any] = _lean(_TOP, document)
    if "build" in top:
        top["build"] = _lean(_BUILD, top["build"])
    for section, (_, shape) in SECTIONS.items():
        if isinstance(top.get(section), Mapping):
            top[section] = Mapped(top[section], partial(_lean, shape))
    return top


def _lean(shape: _Shape, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value  # a fault, which has its own message
    return {key: found for key, found in value.items() if found or key not in shape.optional}


def version_faults(document: object) -> Iterator[str]:
    """Yield why this reader is too old for the manifest, if it is."""
    least = document.get("minReader") if isinstance(document, Mapping) else None
    if _is_integer(VERSION + 1, least):
        yield f"needs a reader of version {least}, and this assetbuild reads {VERSION}: upgrade it where the site runs"

"""The messages of the embedded Sass protocol as values: what is sent becomes bytes here, what arrives becomes values.

Pure: the process and its threads are `dart.py`. Source: embedded_sass.proto of protocol 3.x (sass/sass, spec/).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Literal, NamedTuple

from assetbuild.compiler.engines.sass.protobuf import Message, field

__all__ = [
    "NO_COMPILATION",
    "VERSION_CHANNEL",
    "Broken",
    "Compilation",
    "Event",
    "Load",
    "Place",
    "Sheet",
    "Syntax",
    "Versions",
    "compile_request",
    "is_error",
    "read",
    "refused",
    "resolved",
    "supplied",
    "version_request",
]

VERSION_CHANNEL = 0
"""The channel that is no compile's: versions are asked there."""

NO_COMPILATION = 0xFFFFFFFF
"""The channel of an error that belongs to no compile."""

_IMPORTER_ID = 1
_ERROR, _COMPILE_RESPONSE, _LOG_EVENT, _CANONICALIZE_REQUEST, _IMPORT_REQUEST, _VERSION_RESPONSE = 1, 2, 3, 4, 5, 8


class Syntax(enum.IntEnum):
    """How a sheet is to be read."""

    SCSS = 0
    INDENTED = 1
    CSS = 2


class Sheet(NamedTuple):
    """The text of a file, and how to read it."""

    text: str
    syntax: Syntax


class Place(NamedTuple):
    """Where the compiler points at. line, column: from 0, in UTF-16 code units. text: what stands there."""

    url: str
    line: int
    column: int
    text: str = ""


class Event(NamedTuple):
    """Something that the compiler reports, in its words.

    trace: its stack, innermost first, one call per line. deprecation: id, "" unless it is one.
    """

    kind: Literal["error", "warning", "deprecation", "debug"]
    message: str
    place: Place | None
    trace: str
    deprecation: str = ""


class Compilation(NamedTuple):
    """What came of a compile. failure: why there is no CSS; `css` and `source_map` are "" then.

    events: what was reported on the way, in its order.
    """

    css: str
    source_map: str
    failure: Event | None
    events: tuple[Event, ...] = ()


class Load(NamedTuple):
    """A question for the importer: what `url` means, or, once it is canonical, what it stands for.

    containing_url: the sheet that loads it, while `url` is as written there; "" otherwise.
    """

    number: int
    url: str
    is_canonical: bool
    containing_url: str = ""
    from_import: bool = False


class Versions(NamedTuple):
    """What answers a version request."""

    protocol: str
    compiler: str


class Broken(NamedTuple):
    """The compiler broke down, or was sent what it does not understand; it ends itself."""

    message: str


def version_request() -> bytes:
    """Return the question for versions."""
    return field(7, field(1, 1))


def compile_request(
    url: str, sheet: Sheet, silence: Sequence[str], fatal: Sequence[str], schemes: Sequence[str]
) -> bytes:
    """Return the request to compile `sheet` to expanded CSS with a map, every load going to the importer."""
    importer = field(2, _IMPORTER_ID) + b"".join(field(4, scheme) for scheme in schemes)
    entry = field(1, sheet.text) + field(2, url) + field(3, int(sheet.syntax)) + field(4, importer)
    # Verbose: otherwise it stops at five warnings of a kind, and a package's could hide the project's own. Style
    # (expanded), colours and `charset` stay at their proto3 zero.
    options = field(5, True) + field(6, importer) + field(10, True)
    ids = b"".join(field(15, name) for name in fatal) + b"".join(field(16, name) for name in silence)
    return field(2, field(2, entry) + options + ids)


def resolved(load: Load, url: str | None) -> bytes:
    """Return the answer that a URL means the canonical `url`, None for nothing known."""
    return field(3, field(1, load.number) + (b"" if url is None else field(2, url)))


def supplied(load: Load, sheet: Sheet) -> bytes:
    """Return the answer that a canonical URL stands for `sheet`."""
    # Without a URL for the map, the compiler would write the whole text into it as a data URL.
    success = field(1, sheet.text) + field(2, int(sheet.syntax)) + field(3, load.url)
    return field(4, field(1, load.number) + field(2, success))


def refused(load: Load, message: str) -> bytes:
    """Return the answer that a load is wrong; `message` becomes the error at the place of the load."""
    return field(4 if load.is_canonical else 3, field(1, load.number) + field(3, message))


def is_error(encoded: bytes) -> bool:
    """Return whether a message that arrived is `Broken`, without reading it."""
    return encoded.startswith(b"\x0a")  # field 1, length-prefixed


def read(encoded: bytes) -> Compilation | Event | Load | Versions | Broken | None:
    """Return the message that arrived, None for one of a kind that was never asked for."""
    message = Message(encoded)
    if _COMPILE_RESPONSE in message:
        return _compilation(message.message(_COMPILE_RESPONSE))
    if _LOG_EVENT in message:
        return _event(message.message(_LOG_EVENT))
    if _CANONICALIZE_REQUEST in message:
        asked = message.message(_CANONICALIZE_REQUEST)
        return Load(asked.number(1), asked.text(4), False, asked.text(6), bool(asked.number(5)))
    if _IMPORT_REQUEST in message:
        asked = message.message(_IMPORT_REQUEST)
        return Load(asked.number(1), asked.text(4), is_canonical=True)
    if _VERSION_RESPONSE in message:
        versions = message.message(_VERSION_RESPONSE)
        return Versions(versions.text(1), versions.text(2))
    return Broken(message.message(_ERROR).text(3)) if _ERROR in message else None


def _compilation(response: Message) -> Compilation:
    if 3 in response:
        failure = response.message(3)
        return Compilation("", "", Event("error", failure.text(1), _place(failure), failure.text(3)))
    success = response.message(2)
    return Compilation(success.text(1), success.text(2), None)


def _event(log: Message) -> Event:
    kinds: tuple[Literal["warning", "deprecation", "debug"], ...] = ("warning", "deprecation", "debug")
    number = log.number(2)
    kind = kinds[number] if number < len(kinds) else "warning"
    place = _place(log, span_field=4)
    return Event(kind, log.text(3), place, log.text(5), log.text(7))


def _place(message: Message, span_field: int = 2) -> Place | None:
    if span_field not in message:
        return None
    span = message.message(span_field)
    start = span.message(2)
    return Place(span.text(4), start.number(2), start.number(3), span.text(1))

"""Maps that came with a file: the trail from a text back to what people wrote, through the map that it names.

Receives a text and its `sourceMappingURL` comments; hands on a trail, which begins in the file itself if it names no
map that can be followed. The last comment counts, in the new form or the old (ECMA-426, "Linking generated code").
"""

from __future__ import annotations

import base64
import binascii
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from assetbuild.compiler import door
from assetbuild.compiler.files import Outside, Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.sourcemap import Finder, Lines, MapError, Place, SourceMap, Trail, Written, followed, parse
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["Incoming", "dangling", "incoming", "written_in"]

# RFC 3986 §3.1; a single letter is a Windows drive, whose name must not leave the machine that made the map.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_ABSOLUTE = re.compile(r"file:|/|\\|[A-Za-z]:")


class Incoming(NamedTuple):
    """Where a text comes from. find: the same from line and column."""

    trail: Trail
    find: Finder
    diagnostics: tuple[Diagnostic, ...] = ()


def incoming(source: Source, lines: Lines, urls: Sequence[tuple[str, Span]], reading: Reading) -> Incoming:
    """Return where the text of `source` comes from. urls: of the maps that it names, with their places."""
    if urls:
        url, place = urls[-1]
        try:
            found = _map_at(url, source, reading)
        except MapError as error:
            broken = Diagnostic("broken-source-map", "warning", f"the source map cannot be followed: {error}", place)
            return _itself(source, lines, (broken,))
        except FileNotFoundError:
            return _itself(source, lines, (dangling(url, place),))
        if found is not None:
            find = followed(*found)
            return Incoming(lambda offset: find(*lines.position(offset)), find)
    return _itself(source, lines)


def dangling(url: str, place: Span) -> Diagnostic:
    """Return the warning that a text names a source map which is not there."""
    hint = "deliver the map with the file, or take the comment out"
    return Diagnostic("dangling-source-map", "warning", f"source map `{url}` does not exist", place, hint)


def written_in(source: Source, text: str | None) -> Written:
    """Return `source` as maps name it: relative to the project, never by a path of this machine."""
    if not source.shown.startswith("/"):
        return Written(source.shown, text)
    is_inside = not source.logical.startswith(("../", "/"))
    return Written(source.logical if is_inside else posixpath.basename(source.shown), text)


def _itself(source: Source, lines: Lines, diagnostics: tuple[Diagnostic, ...] = ()) -> Incoming:
    written = written_in(source, lines.text)
    return Incoming(
        lambda offset: Place(written, *lines.position(offset)),
        lambda line, column: Place(written, line, column),
        diagnostics,
    )


def _map_at(url: str, source: Source, reading: Reading) -> tuple[SourceMap, list[Written | None]] | None:
    """Return the map that `url` names in `source` and its sources, None if it is not ours to read.

    Raises `MapError`, or `FileNotFoundError` if there is none.
    """
    file, shown = source.file, written_in(source, None).name
    if url[:5].lower() == "data:":
        text = _carried(url)
    elif _SCHEME.match(url) or url.startswith("//"):
        return None
    else:
        path = unquote(urlsplit(url).path)
        file = os.path.normpath(os.path.join(os.path.dirname(file), path))
        shown = posixpath.normpath(posixpath.join(posixpath.dirname(shown), path))
        if path.startswith("/") or not _is_there(file, reading):
            raise FileNotFoundError(file)
        try:
            text = reading.text(file)
        except door.Refused as error:
            raise MapError(next(iter(error.diagnostics)).message) from None
    found = parse(text)
    found.at(0, 0)  # decoded here, so that what is wrong with it is told here
    named = zip(found.sources, found.contents, strict=True)
    return found, [_source(name, content, file, shown, reading) for name, content in named]


def _source(name: str, content: str | None, map_file: str, map_shown: str, reading: Reading) -> Written | None:
    """Return the source `name` of the map at `map_file`; its text, if the map has none, from where it lies."""
    if not name:
        return None
    if _ABSOLUTE.match(name):
        # Of a path on the machine that made the map, only the last part means anything on others.
        return Written(posixpath.basename(name.replace("\\", "/")), content)
    if _SCHEME.match(name):
        return Written(name, content)
    if content is None:
        content = _text_at(os.path.normpath(os.path.join(os.path.dirname(map_file), unquote(name))), reading)
    return Written(posixpath.normpath(posixpath.join(posixpath.dirname(map_shown), name)), content)


def _text_at(file: str, reading: Reading) -> str | None:
    try:
        return reading.text(file) if _is_there(file, reading) else None
    except (door.Refused, Outside):
        return None  # the map says where it came from, and that is all that there is


def _is_there(file: str, reading: Reading) -> bool:
    try:
        return reading.exists(file)
    except ValueError:
        return False  # no file has NUL or half a surrogate pair in its name


def _carried(url: str) -> str:
    """Return the text of a `data:` URL (RFC 2397)."""
    kind, comma, body = url.partition(",")
    decode: Callable[[bytes], bytes] = base64.b64decode if kind.lower().endswith(";base64") else bytes
    try:
        text = decode(unquote_to_bytes(body)).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise MapError(f"its `data:` URL cannot be read: {error}") from None
    if not comma:
        raise MapError("its `data:` URL holds nothing")
    return text

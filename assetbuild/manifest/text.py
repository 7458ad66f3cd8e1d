"""The canonical text of a manifest: written, held against the rules, and vouched for by its own digest.

One JSON object; `assets`, `bundles` and `files` hold one entry per line; keys in the order of their UTF-8 bytes; no
other white space than one LF per line. So it reads well in a review and can be searched without being parsed.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from assetbuild.diagnostic import AssetbuildError
from assetbuild.manifest.shape import SECTIONS, VERSION, document_faults, entry_faults, lean, version_faults

__all__ = [
    "CLOSING",
    "LAID_OUT_ANEW",
    "OPENING",
    "ManifestError",
    "build_id",
    "check",
    "digest_fault",
    "dump",
    "parse",
    "parse_line",
    "text_fault",
]

OPENING = b'{\n"assets":{\n'
CLOSING = b"\n},\n"
"""The lines that every manifest begins with, and those that close a section with others after it."""

LAID_OUT_ANEW = "was laid out anew after it was written, as by a formatter"
"""The fault of a text that says what was written, in another layout."""

_ID_MARK = b'"id":"sha256:'  # a quote inside a JSON string is escaped, so these bytes are always a key and its value
_NO_DIGITS = "0" * 64


class ManifestError(AssetbuildError):
    """The manifest is missing or cannot be vouched for: one sentence with the file, the reason and what to do."""


def dump(document: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a manifest, `version`, `minReader` and `build.id` set.

    Optional fields that are empty are left out, so a caller may pass them all. The same document always gives the same
    bytes. Raises `ManifestError` if a field is missing or does not hold what it should.
    """
    complete = lean(document) | {"version": VERSION, "minReader": VERSION}
    if isinstance(complete.get("build"), dict):
        complete["build"]["id"] = f"sha256:{_NO_DIGITS}"
    for fault in document_faults(complete, with_entries=False):
        raise ManifestError(f"the manifest cannot be written: it {fault}")
    # The text of a hundred thousand assets is held once: neither joined from its lines nor copied for its id.
    content, digest, marks, start = io.BytesIO(), hashlib.sha256(), 0, 0
    try:
        for piece in _lines(complete, _checked):
            if _ID_MARK in piece:
                marks += piece.count(_ID_MARK)
                start = content.tell() + piece.index(_ID_MARK) + len(_ID_MARK)
            content.write(piece)
            digest.update(piece)
    except UnicodeEncodeError:
        raise ManifestError("the manifest cannot be written: a text in it is not Unicode that UTF-8 can hold") from None
    if marks != 1:
        raise ManifestError("the manifest cannot be written: an `x-` field holds a second build id")
    content.seek(start)
    content.write(digest.hexdigest().encode())
    return content.getvalue()


def _checked(section: str, name: str, entry: Any) -> Any:
    """Return the entry; raise `ManifestError` if it is not one of its section."""
    for fault in entry_faults(section, name, entry):
        raise ManifestError(f"the manifest cannot be written: it {fault}")
    return entry


def check(content: bytes) -> list[str]:
    """Return every fault of the bytes of a manifest, each a clause that follows its name; empty if all is well."""
    fault = text_fault(content)
    if fault:
        return [fault]
    try:
        document = parse(content)
    except ValueError as error:
        return [f"is not JSON as a manifest has it: {error}"]
    found = [*version_faults(document)] or [*document_faults(document, with_entries=True)]
    return found if found or _canonical(document) == content else ["is not in canonical form"]


def _canonical(document: Mapping[str, Any]) -> bytes | None:
    """Return the canonical text of a document, None for one that UTF-8 cannot write."""
    try:
        return b"".join(_lines(document))
    except UnicodeEncodeError:
        return None


def _lines(
    document: Mapping[str, Any], entry_of: Callable[[str, str, Any], Any] = lambda _, __, entry: entry
) -> Iterator[bytes]:
    """Yield the canonical text in pieces, entry by entry. entry_of: what an entry is passed through, once."""
    yield b"{\n"
    # Python orders strings by code point, which is the order of their UTF-8 bytes.
    for number, key in enumerate(sorted(document)):
        yield f"{',' if number else ''}{chr(10) if number else ''}{_encode(key)}:".encode()
        value = document[key]
        if key not in SECTIONS:
            yield _encode(value).encode()
            continue
        yield b"{\n"
        for at, name in enumerate(sorted(value)):
            text = _entry_text(entry_of(key, name, value[name]))
            yield f"{',' if at else ''}{chr(10) if at else ''}{_encode(name)}:{text}".encode()
        yield b"\n}" if value else b"}"
    yield b"\n}\n"


def _entry_text(entry: Mapping[str, Any]) -> str:
    """Return what `_encode` does, for a third of what it costs: the values of an entry are texts and numbers, most."""
    members = []
    for key in sorted(entry):
        found = entry[key]
        members.append(f"{_encode(key)}:{found if type(found) is int else _encode(found)}")
    return f"{{{','.join(members)}}}"


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"`{text}` is not an integer")


_decoder = json.JSONDecoder(object_pairs_hook=_no_twins, parse_float=_no_number, parse_constant=_no_number)


def parse(text: bytes) -> Any:
    """Return what the JSON text says; every way to fail is a `ValueError`."""
    try:
        return _decoder.decode(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_line(text: bytes) -> Any:
    """Return what a JSON text without white space around it says, for a third of what `parse` costs; fails likewise."""
    written = text.decode("utf-8")
    try:
        value, end = _decoder.raw_decode(written)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if end != len(written):
        raise ValueError("something follows its value")
    return value


def text_fault(text: bytes | mmap.mmap) -> str:
    """Return why the bytes do not vouch for themselves, "" if they do: a new layout is told from another content."""
    fault = digest_fault(text)
    return LAID_OUT_ANEW if fault and _is_laid_out_anew(bytes(text)) else fault


def _is_laid_out_anew(text: bytes) -> bool:
    """Return whether the canonical form of what the text says vouches for itself."""
    try:
        document = parse(text)
        # Only what has the shape of a manifest can be written.
        if any(version_faults(document)) or any(document_faults(document, with_entries=True)):
            return False
        canonical = _canonical(document)
        return canonical is not None and not digest_fault(canonical)
    except ValueError:
        return False


def build_id(text: bytes) -> str:
    """Return the id of a manifest that `dump` wrote, without parsing it."""
    at = text.index(_ID_MARK) + len(_ID_MARK)
    return "sha256:" + text[at : at + len(_NO_DIGITS)].decode()


def digest_fault(text: bytes | mmap.mmap, start: int = 0, end: int | None = None) -> str:
    """Return why the bytes do not vouch for themselves, "" if they do. start, end: between which the id stands."""
    region_end = len(text) if end is None else end
    at = text.find(_ID_MARK, start, region_end)
    if at < 0:
        return "is not a manifest of assetbuild, or was cut: it has no build id"
    if text.find(_ID_MARK, at + 1, region_end) >= 0:
        return "holds more than one build id"
    digits = at + len(_ID_MARK)
    behind = digits + len(_NO_DIGITS)
    with memoryview(text) as view:
        digest = hashlib.sha256(view[:digits])
        digest.update(_NO_DIGITS.encode())
        digest.update(view[behind:])
    return "" if text[digits:behind] == digest.hexdigest().encode() else "was changed or cut after it was written"

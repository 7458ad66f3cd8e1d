"""Reading a manifest without parsing it: names are found by bisecting lines, and only their own line is parsed.

Receives bytes, or a file (mapped above 16 MB, so that its pages are shared by all workers); hands on entries, checked
as they are read. It never writes and never falls back to an empty manifest.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.manifest.shape import document_faults, entry_faults, version_faults
from assetbuild.manifest.text import CLOSING, OPENING, ManifestError, decoder, digest_fault, parse

__all__ = ["MANIFEST_NAME", "AssetEntry", "Bundle", "FileEntry", "Manifest"]

MANIFEST_NAME = "manifest.json"

_MAP_ABOVE_BYTES = 16 * 1024 * 1024
_COMPILE_AGAIN = "run `assetbuild compile` again and copy its whole output"


class AssetEntry(NamedTuple):
    """What `assets` says of a logical path. Fields as in the file; all relations are logical paths."""

    file: str
    kind: str = ""
    entry: bool = False
    source: str = ""
    refs: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    map: str = ""
    width: int = 0
    height: int = 0
    keep: bool = False
    at: str = ""
    cycle: str = ""


class FileEntry(NamedTuple):
    """What `files` says of a published path. `enc`: coding → size in bytes of the variant; `build`: "" for this one."""

    type: str
    size: int
    sha256: str
    integrity: str
    enc: Mapping[str, int]
    keep: bool = False
    build: str = ""


class Bundle(NamedTuple):
    """What `bundles` says of a webassets bundle: the logical paths it stands for, and its `extra`."""

    assets: tuple[str, ...]
    extra: Mapping[str, str | int | bool | None]


class _Lines:
    """One section of a canonical manifest, never parsed as a whole: a mapping from name to entry."""

    def __init__(self, text: bytes | mmap.mmap, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end

    def get(self, name: str) -> Any:
        """Return the parsed entry, None if there is none."""
        low, high = self.start, self.end
        while low < high:
            start, end = _line_at(self.text, low, high, (low + high) // 2)
            line = self.text[start:end].decode()
            key = _key(line)
            if key == name:
                return _parse_entry(line)
            low, high = (end, high) if key < name else (low, start)
        return None

    def naming(self, field: str) -> Iterator[str]:
        """Yield the names of the entries that may have `field`: all that have it, found by one search of the bytes."""
        mark, at = f'"{field}":'.encode(), self.start
        while (at := self.text.find(mark, at, self.end)) >= 0:
            start, at = _line_at(self.text, self.start, self.end, at)
            yield _key(self.text[start:at].decode())

    def __iter__(self) -> Iterator[str]:
        at = self.start
        while at < self.end:
            _, end = _line_at(self.text, at, self.end, at)
            yield _key(self.text[at:end].decode())
            at = end


def _line_at(text: bytes | mmap.mmap, low: int, high: int, at: int) -> tuple[int, int]:
    """Return where the line around `at` begins and where the next one does; low and high: line starts around it."""
    return text.rfind(b"\n", low, at) + 1 or low, text.find(b"\n", at, high) + 1 or high


def _key(line: str) -> str:
    if not line.startswith('"'):
        raise ValueError("a line has no name")
    name: str = decoder.raw_decode(line)[0]
    return name


def _parse_entry(line: str) -> dict[str, Any]:
    (entry,) = parse(f"{{{line.rstrip().removesuffix(',')}}}".encode()).values()
    if not isinstance(entry, dict):
        raise ValueError("an entry is no object")
    return entry


def _has_field(text: bytes | mmap.mmap, start: int, end: int, field: str) -> bool:
    """Return whether the line is an entry that has `field`; `"assets":{` and `},` are no entries."""
    try:
        return field in _parse_entry(text[start:end].decode())
    except ValueError:
        return False


def _first_line(text: bytes | mmap.mmap, low: int, high: int, holds: Callable[[int, int], bool]) -> int:
    """Return where the first line begins for which `holds`, `high` if there is none; all lines after it must hold."""
    while low < high:
        start, end = _line_at(text, low, high, (low + high) // 2)
        low, high = (low, start) if holds(start, end) else (end, high)
    return low


_Entries = _Lines | dict[str, Any]


def _sections(text: bytes | mmap.mmap) -> tuple[dict[str, Any], _Lines, _Lines] | None:
    """Return the document without its entries, then `assets` and `files`; None if the text is not laid out in lines.

    The keys of the top level are in order, so that the two long sections lie apart and what is between them is short.
    """
    first, files_end = len(OPENING), text.rfind(CLOSING) + 1
    if text[:first] != OPENING or files_end < first - 1:
        return None
    assets_end = _first_line(text, first, files_end, lambda start, end: not _has_field(text, start, end, "file"))
    files_start = _first_line(text, assets_end, files_end, lambda start, end: _has_field(text, start, end, "sha256"))
    try:
        outline = parse(text[:first] + text[assets_end:files_start] + text[files_end:])
    except ValueError:
        return None
    if not isinstance(outline, dict) or outline.get("assets") != {} or outline.get("files") != {}:
        return None
    return outline, _Lines(text, first, assets_end), _Lines(text, files_start, files_end)


class Manifest:
    """An opened manifest: read-only, safe in threads, across fork and in pickles. Entries are checked as they are read.

    file: where it came from, for messages. folder: where the published paths lie, "" if nobody said.
    Raises `ManifestError` on anything that it cannot vouch for.
    """

    __slots__ = ("_assets", "_files", "_text", "base", "build", "build_id", "bundles", "file", "folder", "importmap")

    _assets: _Entries
    _files: _Entries

    def __init__(
        self, text: bytes | mmap.mmap, file: str = MANIFEST_NAME, *, folder: str = "", verify: bool = True
    ) -> None:
        self._text = text
        self.file = file
        self.folder = folder
        fault = digest_fault(text) if verify else ""
        if fault:
            raise self._error(fault)
        document = self._outline(verify)
        for fault in version_faults(document):
            raise ManifestError(f"`{file}` {fault}")
        for fault in document_faults(document, with_entries=isinstance(self._assets, dict)):
            raise self._error(fault)
        self.base: str = document["base"]
        self.build: Mapping[str, Any] = document["build"]
        self.build_id: str = document["build"]["id"]
        self.bundles: Mapping[str, Bundle] = {
            name: Bundle(tuple(found["assets"]), found.get("extra", {})) for name, found in document["bundles"].items()
        }
        self.importmap: Mapping[str, str] = document.get("importmap", {})

    @classmethod
    def open(cls, file: str, *, verify: bool = True) -> Manifest:
        """Return the manifest in `file`.

        verify: check that it holds the bytes that were written, by its own digest. False where something else vouches
        for them, such as a signed image; only then is a file read that was laid out anew, by one full parse.
        """
        try:
            # Resolved once: a process that serves this build goes on when a `current` link moves to the next one.
            folder = os.path.realpath(os.path.dirname(file))
            return cls(_content(file), file, folder=folder, verify=verify)
        except FileNotFoundError:
            reason = "is not there; run `assetbuild compile` in the build stage, or name it in ASSETBUILD_MANIFEST"
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); make it a regular file that this process may read"
        raise ManifestError(f"`{file}` {reason}")

    def asset(self, logical: str) -> AssetEntry | None:
        """Return the entry of a logical path, None if there is none."""
        found = self._entry("assets", self._assets, logical)
        if found is None:
            return None
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in found.items()}
        return AssetEntry(**fields)

    def published(self, path: str) -> FileEntry | None:
        """Return the entry of a published path, None if there is none."""
        found = self._entry("files", self._files, path)
        return None if found is None else FileEntry(**{"enc": {}, **found})

    def assets(self) -> Iterator[str]:
        """Yield the logical paths, in the order of their bytes."""
        return self._names(self._assets)

    def files(self) -> Iterator[str]:
        """Yield the published paths, in the order of their bytes."""
        return self._names(self._files)

    def site_paths(self) -> Mapping[str, str]:
        """Return the logical path of every `site_root` file by the absolute URL path at which it answers."""
        entries = self._assets.naming("at") if isinstance(self._assets, _Lines) else self._assets
        found = ((self.asset(logical), logical) for logical in self._names(entries))
        return {entry.at: logical for entry, logical in found if entry is not None and entry.at}

    def __reduce__(self) -> tuple[Callable[..., Manifest], tuple[bytes, str, str]]:
        return _thaw, (bytes(self._text), self.file, self.folder)

    def _error(self, fault: str) -> ManifestError:
        return ManifestError(f"`{self.file}` {fault}; {_COMPILE_AGAIN}")

    def _outline(self, verify: bool) -> Any:
        """Return the document without its `assets` and `files`, after finding where they lie."""
        found = _sections(self._text)
        if found is None and verify:
            raise self._error("is not in canonical form")
        if found is not None:
            outline, self._assets, self._files = found
            return outline
        try:
            document = parse(bytes(self._text))
        except ValueError as error:
            raise self._error(f"is not JSON as a manifest has it: {error}") from None
        is_object = isinstance(document, dict)
        self._assets, self._files = (document.get("assets", {}), document.get("files", {})) if is_object else ({}, {})
        return document

    def _entry(self, section: str, entries: _Entries, name: str) -> dict[str, Any] | None:
        try:
            found = entries.get(name)
        except ValueError as error:
            raise self._error(f"is broken near `{section}.{name}`: {error}") from None
        if found is None:
            return None
        for fault in entry_faults(section, name, found):
            raise self._error(fault)
        return {field: value for field, value in found.items() if not field.startswith("x-")}

    def _names(self, entries: Iterable[str]) -> Iterator[str]:
        try:
            yield from entries
        except ValueError as error:
            raise self._error(f"is broken: {error}") from None


def _thaw(text: bytes, file: str, folder: str) -> Manifest:
    return Manifest(text, file, folder=folder, verify=False)  # the bytes were vouched for where they were pickled


def _content(file: str) -> bytes | mmap.mmap:
    """Return the bytes of a regular file, mapped if there are many: the pages are then shared by all workers."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO must not block the start
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file", file)
        if status.st_size > _MAP_ABOVE_BYTES:
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(descriptor)

"""Reading a manifest: look-up by name, and every reason why it cannot be believed.

Receives bytes, or a file (mapped above 1 MB, so that its pages are shared by all workers); hands on entries, checked
as they are read. It never writes and never falls back to an empty manifest.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from assetbuild.manifest.lines import Layout, Lines, layout
from assetbuild.manifest.shape import document_faults, entry_faults, version_faults
from assetbuild.manifest.text import LAID_OUT_ANEW, ManifestError, digest_fault, parse, text_fault

__all__ = ["MANIFEST_NAME", "AssetEntry", "Bundle", "FileEntry", "Manifest"]

MANIFEST_NAME = "manifest.json"

_MAP_ABOVE_BYTES = 1024 * 1024  # to copy as much costs half a millisecond, and the same memory in each process
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


class Manifest:
    """An opened manifest: read-only, safe in threads, across fork and in pickles. Entries are checked as they are read.

    file: where it came from, for messages. folder: where the published paths lie, "" if nobody said.
    Raises `ManifestError` on anything that it cannot vouch for.
    """

    __slots__ = ("_assets", "_files", "_text", "base", "build", "build_id", "bundles", "file", "folder", "importmap")

    ABSENT: ClassVar = "is not in the manifest"
    """What an application hears of a name that is not there."""

    _assets: Lines | dict[str, Any]
    _files: Lines | dict[str, Any]

    def __init__(
        self, text: bytes | mmap.mmap, file: str = MANIFEST_NAME, *, folder: str = "", verify: bool = True
    ) -> None:
        self._text = text
        self.file = file
        self.folder = folder
        found = layout(text)
        fault = self._digest_fault(found) if verify else ""
        if fault == LAID_OUT_ANEW:
            hint = "copy it as `assetbuild compile` wrote it, or open it with `verify=False`"
            raise ManifestError(f"`{file}` {fault}; {hint}")
        if fault:
            raise self._error(fault)
        document = self._parsed(verify) if found is None else found.outline
        self._assets, self._files = (found.assets, found.files) if found else _sections(document)
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
            # Resolved once, before the manifest is read from there: a `current` link may move to another build at any
            # time, and the manifest of one build says nothing of the files of another.
            folder = os.path.realpath(os.path.dirname(file))
            return cls(_content(os.path.join(folder, os.path.basename(file))), file, folder=folder, verify=verify)
        except FileNotFoundError:
            hint = "run `assetbuild compile` in the build stage and copy its output, or name it in ASSETBUILD_MANIFEST"
            fault = f"{_sought(file)}; {hint}"
        except IsADirectoryError:
            fault = f"`{file}` is a folder; name `{os.path.join(file, MANIFEST_NAME)}`"
        except OSError as error:
            fault = f"`{file}` cannot be read ({error.strerror}); make it a regular file that this process may read"
        raise ManifestError(fault)

    def asset(self, logical: str) -> AssetEntry | None:
        """Return the entry of a logical path, None if there is none."""
        found = self._entry("assets", self._assets, logical)
        if found is None:
            return None
        fields: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in found.items() if k[:2] != "x-"}
        return AssetEntry(**fields)

    def published(self, path: str) -> FileEntry | None:
        """Return the entry of a published path, None if there is none."""
        found = self._entry("files", self._files, path)
        if found is None:
            return None
        return FileEntry(**{"enc": {}, **{key: value for key, value in found.items() if key[:2] != "x-"}})

    def assets(self) -> Iterator[str]:
        """Yield the logical paths, in the order of their bytes."""
        return self._names(self._assets)

    def files(self) -> Iterator[str]:
        """Yield the published paths, in the order of their bytes."""
        return self._names(self._files)

    def site_paths(self) -> Mapping[str, str]:
        """Return the logical path of every `site_root` file by the absolute URL path at which it answers."""
        return {entry.at: logical for logical, entry in self._holding(b'"at":') if entry.at}

    def names_of(self, path: str) -> Iterator[str]:
        """Yield the logical paths of a published path, in the order of their bytes."""
        mark = f'"file":"{path}"'.encode("utf-8", "replace")
        return (logical for logical, entry in self._holding(mark) if entry.file == path)

    def __reduce__(self) -> tuple[Callable[..., Manifest], tuple[bytes, str, str]]:
        return _thaw, (bytes(self._text), self.file, self.folder)

    def _error(self, fault: str) -> ManifestError:
        return ManifestError(f"`{self.file}` {fault}; {_COMPILE_AGAIN}")

    def _digest_fault(self, found: Layout | None) -> str:
        """Return why the text does not vouch for itself, "" if it does."""
        # The id lies between the sections: to search all of a large text costs half as much as its digest.
        if found is not None and not digest_fault(self._text, found.assets.end, found.files.start):
            return ""
        return text_fault(self._text)

    def _parsed(self, verify: bool) -> Any:
        """Return the whole document of a text that is not laid out in lines."""
        try:
            document = parse(bytes(self._text))
        except ValueError as error:
            raise self._error(f"is not JSON as a manifest has it: {error}") from None
        if verify and not any(version_faults(document)):
            raise self._error("is not in canonical form")
        return document

    def _entry(self, section: str, entries: Lines | dict[str, Any], name: str) -> dict[str, Any] | None:
        try:
            found = entries.get(name)
        except ValueError as error:
            raise self._error(f"is broken near `{section}.{name}`: {error}") from None
        if found is not None:
            for fault in entry_faults(section, name, found):
                raise self._error(fault)
        return found

    def _holding(self, mark: bytes) -> Iterator[tuple[str, AssetEntry]]:
        """Yield at least the assets whose line holds `mark`; of a text without lines all of them."""
        entries = self._assets.holding(mark) if isinstance(self._assets, Lines) else self._assets
        for logical in self._names(entries):
            entry = self.asset(logical)
            if entry is not None:
                yield logical, entry

    def _names(self, entries: Iterable[str]) -> Iterator[str]:
        try:
            yield from entries
        except ValueError as error:
            raise self._error(f"is broken: {error}") from None


def _sections(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return `assets` and `files` of a parsed document, which may be anything that JSON can say."""
    found = [document.get(section) if isinstance(document, dict) else None for section in ("assets", "files")]
    assets, files = (entries if isinstance(entries, dict) else {} for entries in found)
    return assets, files


def _thaw(text: bytes, file: str, folder: str) -> Manifest:
    return Manifest(text, file, folder=folder, verify=False)  # the bytes were vouched for where they were pickled


def _sought(file: str) -> str:
    """Return the clause that a file is not there, with the place where a relative path was looked for."""
    if not os.path.isabs(file):
        try:
            return f"`{os.path.abspath(file)}` is not there (`{file}` in the working directory)"
        except FileNotFoundError:
            pass  # the working directory itself is gone
    return f"`{file}` is not there"


def _content(file: str) -> bytes | mmap.mmap:
    """Return the bytes of a regular file, mapped if there are many: the pages are then shared by all workers."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO must not block the start
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file", file)
        if status.st_size > _MAP_ABOVE_BYTES:
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(descriptor)

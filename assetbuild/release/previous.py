"""Previous: where an earlier release is found, and how its files are read.

A folder that holds an output, at its top or somewhere below (an image's root, say); an archive of `pack`; the file or
the URL of a manifest. Hands on the bytes of a manifest that vouches for itself, and a tree with its files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol
from urllib.parse import urljoin

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.download import Route, shown_url
from assetbuild.manifest import MANIFEST_NAME, check
from assetbuild.private import private_folder
from assetbuild.release.archive import Archive
from assetbuild.release.errors import ReleaseError
from assetbuild.release.remote import WHAT_TO_NAME, fetched, fetched_manifest, is_url
from assetbuild.release.verify import Readable

__all__ = ["Previous", "Tree", "opened"]


class Tree(Readable, Protocol):
    """A tree of files that can be verified and copied."""

    def parts(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""


class Previous(NamedTuple):
    """An earlier release. named: as the user did; content: its manifest; folder: of its files, in `tree`.

    by: how its files are to be fetched before they can be read, None if they are there. lost: variants that could not.
    """

    named: str
    content: bytes
    folder: str
    tree: Tree
    by: Route | None = None
    lost: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        """Its name as messages may have it: a URL without its credential."""
        return shown_url(self.named) if is_url(self.named) else self.named

    def shown_path(self, path: str) -> str:
        """Return the place of one of its files as messages have it."""
        return urljoin(self.shown, path) if is_url(self.named) else os.path.join(self.folder or self.named, path)

    def having(self, files: Mapping[str, Mapping[str, Any]], disk: Disk, until: ExitStack) -> Previous:
        """Return the release with those of its files at hand, by their entries.

        until: what was fetched stays so long.
        """
        if self.by is None:
            return self
        folder = until.enter_context(private_folder())
        lost = fetched(self.named, files, self.by, folder, disk)
        return self._replace(folder=folder, by=None, lost=lost)


def opened(named: str, disk: Disk, by: Route, until: ExitStack) -> Previous | None:
    """Return the release behind a name, None if it is an empty folder: before the first release there is no other.

    by: how a URL is reached. until: what it needs stays open so long. Raises `ReleaseError` if there is no release, or
    one that nobody can believe, `OSError` if nobody can say.
    """
    if is_url(named):
        content = fetched_manifest(named, by)
        for fault in check(content):
            hint = "take the release from elsewhere" if named.endswith(f"/{MANIFEST_NAME}") else WHAT_TO_NAME
            raise _refused(shown_url(named), f"`{shown_url(named)}` {fault}", hint)
        return Previous(named, content, "", disk, by)
    if os.path.basename(named) == MANIFEST_NAME and disk.is_file(named):
        named = os.path.dirname(os.path.abspath(named))
    if not disk.is_folder(named):
        archive = until.enter_context(Archive(named))
        return Previous(named, archive.manifest, "", archive)
    if not disk.scan(named):
        return None
    folder = _output_below(named, disk)
    return Previous(named, disk.read(os.path.join(folder, MANIFEST_NAME)), folder, disk)


def _output_below(named: str, disk: Disk) -> str:
    """Return the one folder at or below `named` that holds a manifest of ours; others have files of that name, too."""
    faults: dict[str, str] = {}
    for folder in _folders_with_manifest(named, disk):
        found = check(disk.read(os.path.join(folder, MANIFEST_NAME)))
        faults[folder] = found[0] if found else ""
        if folder == named and not found:
            break
    outputs = [folder for folder, fault in faults.items() if not fault]
    if len(outputs) == 1:
        return outputs[0]
    if outputs:
        message = f"`{named}` holds {len(outputs)} releases: `{outputs[0]}`, `{outputs[1]}`"
        raise _refused(named, message, "name the folder of one of them")
    if faults:
        folder, fault = next(iter(faults.items()))
        raise _refused(named, f"`{os.path.join(folder, MANIFEST_NAME)}` {fault}", "take the release from elsewhere")
    raise _refused(named, f"`{named}` holds no release", "name a folder with the `manifest.json` of an output")


def _folders_with_manifest(folder: str, disk: Disk) -> Iterator[str]:
    """Yield the folders at and below `folder` that hold a file of that name, the highest first; no link is followed."""
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        entries = disk.scan(parent)
        if any(found.name == MANIFEST_NAME and found.kind == "file" for found in entries):
            yield parent
        waiting += [os.path.join(parent, found.name) for found in reversed(entries) if found.kind == "folder"]


def _refused(named: str, message: str, hint: str) -> ReleaseError:
    return ReleaseError([Diagnostic("no-release", "error", message, Span(named), hint)])

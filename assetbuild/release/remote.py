"""Remote: an earlier release that somebody publishes, manifest and all, under a URL.

Receives the URL of a manifest; hands on its bytes, and a folder with the files that were asked for. Files lie relative
to the manifest, variants at their suffix, as in the output folder. No more is read than the manifest says; whether it
is what it should be is found out by whoever reads the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import MODE, Disk
from assetbuild.download import FetchFailed, Refused, Route, download, shown_url
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES
from assetbuild.release.errors import ReleaseError

__all__ = ["WHAT_TO_NAME", "fetched", "fetched_manifest", "is_url"]

WHAT_TO_NAME = f"name the URL of a `{MANIFEST_NAME}` whose files lie beside it"

_MANIFEST_LIMIT = 64 << 20


def is_url(named: str) -> bool:
    """Return whether a name asks for the network."""
    return named.startswith(("http://", "https://"))


def fetched_manifest(url: str, by: Route) -> bytes:
    """Return the bytes of a manifest; raise `ReleaseError` if they cannot be had."""
    try:
        return b"".join(download(url, "", by, range(_MANIFEST_LIMIT + 1)))
    except FetchFailed as error:
        raise _failed(url, error) from error


def fetched(url: str, files: Mapping[str, Mapping[str, Any]], by: Route, folder: str, disk: Disk) -> frozenset[str]:
    """Put files of the release and their variants into `folder`; return the variants that have no URL.

    url: of the manifest. files: path → entry. Raises `ReleaseError` if a file cannot be had.
    """

    def fetch(path: str, size: int) -> None:
        file = urljoin(url, path)
        try:
            disk.install(folder, path, download(file, "", by, range(size, size + 1)), MODE)
        except Refused as error:
            raise _failed(file, error, _Absent if error.status in (404, 410) else ReleaseError) from error
        except FetchFailed as error:
            raise _failed(file, error) from error

    lost = set()
    for path, entry in sorted(files.items()):
        fetch(path, entry["size"])
        for coding, size in entry.get("enc", {}).items():
            try:
                fetch(path + SUFFIXES[coding], size)
            except _Absent:
                lost.add(path + SUFFIXES[coding])  # servers that choose a variant by themselves have no URL for it
    return frozenset(lost)


class _Absent(ReleaseError):
    """The server has no such file."""


def _failed(url: str, error: FetchFailed, kind: type[ReleaseError] = ReleaseError) -> ReleaseError:
    message = f"`{shown_url(url)}` cannot be fetched: {error}"
    return kind([Diagnostic("unreachable-release", "error", message, Span(shown_url(url)), WHAT_TO_NAME)])

"""Reload: the manifest as it is now, for development, where a compile goes on beside the process.

Receives the file of a manifest; hands on editions, a new one after a new build. Each question costs one `stat`: nothing
watches, and nothing is kept open.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from assetbuild.manifest import Manifest
from assetbuild.web.edition import Edition

__all__ = ["Reloading"]

_Stamp = tuple[int, int, int, int]


class Reloading:
    """The edition of whatever build lies in `file`. A manifest that is missing or broken raises `ManifestError`.

    live_url: of the script by which pages follow the builds, "" for none.
    """

    __slots__ = ("_base", "_file", "_state", "_verify", "live_url")

    is_reloading = True

    def __init__(self, file: str, base: str | None, verify: bool, live_url: str = "") -> None:
        self._file = os.path.abspath(file)  # a later chdir must not lead to another build
        self._base = base
        self._verify = verify
        self.live_url = live_url
        # One object, exchanged as a whole: a thread sees a build with its own stamp or the one before it.
        self._state: tuple[_Stamp | None, Edition | None] = (None, None)

    def now(self) -> Edition:
        """Return the edition of the build that lies there now; the same object for as long as the build is."""
        stamp = _stamp(self._file)
        known, edition = self._state
        if edition is not None and stamp is not None and stamp == known:
            return edition
        # The stamp is older than what is read: a build that comes between the two is met by the next question.
        manifest = Manifest.open(self._file, verify=self._verify)
        if edition is None or edition.manifest.build_id != manifest.build_id:
            edition = Edition(manifest, self._base)
        self._state = stamp, edition
        return edition

    def at(self, base: str) -> Reloading:
        """Return the same file under another base."""
        return Reloading(self._file, base, self._verify, self.live_url)

    def __reduce__(self) -> tuple[Callable[..., Reloading], tuple[str, str | None, bool, str]]:
        return Reloading, (self._file, self._base, self._verify, self.live_url)


def _stamp(file: str) -> _Stamp | None:
    """Return what changes when `file` is published anew; None if it cannot be asked, which opening it will explain."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

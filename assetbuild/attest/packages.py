"""Packages: which npm or Python package each file of a build came with, its version and its licence.

Receives files with digests; reads what packages say of themselves. Where a file lies decides whose it is.
Source: Package URL specification; npm's documentation of package.json and package-lock.json; PyPA core metadata.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any, NamedTuple
from urllib.parse import quote

from assetbuild.compiler.packages import split_specifier
from assetbuild.disk import Disk

__all__ = ["Package", "Sorted", "package_url", "sort_by_package"]

_Described = Callable[[str], Mapping[str, Any]]
_MODULES = "/node_modules/"
# SPDX 2.3, annex D. npm asks for an expression, and takes any text.
_EXPRESSION = re.compile(r"\(*[A-Za-z0-9.-]+\+?\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9.-]+\+?\)*)*")
_LICENCE_LIMIT = 200  # an old METADATA may hold the whole text, which is no name


class Package(NamedTuple):
    """An installed package of which files were used. kind: `npm` or `pypi`; licence: as declared, "" if it is not.

    is_expression: the licence is one of SPDX, by the rules of its package manager.
    sha512_hex: of its archive, as npm's lock has it, "" if nobody says. files: path in the package → sha256 (hex).
    """

    kind: str
    name: str
    version: str
    licence: str
    is_expression: bool
    sha512_hex: str
    files: Mapping[str, str]

    @property
    def url(self) -> str:
        """Its package URL."""
        return package_url(self.kind, self.name, self.version)

    def url_of(self, path: str) -> str:
        """Return the URL of a file of it."""
        return f"{self.url}#{quote(path, safe='/')}"


class Sorted(NamedTuple):
    """Files by their owner. own: those that came with no package, absolute → sha256."""

    packages: tuple[Package, ...]
    own: Mapping[str, str]


class _Claim(NamedTuple):
    """That a file is part of a package. folder: of the package, or of all installed Python packages."""

    kind: str
    folder: str
    name: str
    path: str


def package_url(kind: str, name: str, version: str) -> str:
    """Return the purl of a package: `pkg:npm/%40scope/name@1.0.0`."""
    return f"pkg:{kind}/{quote(name, safe='/')}" + (f"@{quote(version, safe='')}" if version else "")


def sort_by_package(files: Mapping[str, str], disk: Disk, path: Iterable[str] | None = None) -> Sorted:
    """Return the packages that `files` came with, sorted by their URL.

    files: absolute → sha256 (hex). path: folders that Python packages lie in, `sys.path` unless given.
    """
    sites = _Sites(sys.path if path is None else path)
    described = functools.cache(lambda file: _json(file, disk))  # one lock speaks of every package
    own: dict[str, str] = {}
    claimed: dict[tuple[str, str, str], dict[str, str]] = {}
    for file, digest_hex in sorted(files.items()):
        claim = _npm_claim(file) or sites.claim(file)
        if claim is None:
            own[file] = digest_hex
        else:
            claimed.setdefault(claim[:3], {})[claim.path] = digest_hex
    found: dict[str, Package] = {}
    for (kind, folder, name), inside in claimed.items():
        package = _npm(folder, name, inside, described) if kind == "npm" else sites.package(folder, name, inside)
        same = found.get(package.url)  # npm may install one version in several places
        found[package.url] = package._replace(files={**inside, **same.files}) if same else package
    return Sorted(tuple(found[url] for url in sorted(found)), own)


def _npm_claim(file: str) -> _Claim | None:
    above, mark, inside = file.rpartition(_MODULES)
    name, path = split_specifier(inside) if mark else ("", "")
    return _Claim("npm", f"{above}{_MODULES}{name}", name, path) if path else None


def _npm(folder: str, name: str, files: Mapping[str, str], described: _Described) -> Package:
    fields = described(os.path.join(folder, "package.json"))
    version = fields.get("version")
    version = version if isinstance(version, str) else ""
    licence = _npm_licence(fields)
    is_expression = bool(_EXPRESSION.fullmatch(licence)) and licence != "UNLICENSED"  # npm's word for none
    return Package("npm", name, version, licence, is_expression, _locked_sha512(folder, version, described), files)


def _npm_licence(fields: Mapping[str, Any]) -> str:
    """Return the licence of a package.json: a text today; once an object, or several in `licenses`."""
    declared = fields.get("license", fields.get("licenses"))
    each = declared if isinstance(declared, list) else [declared]
    names = [found.get("type") if isinstance(found, dict) else found for found in each]
    return " OR ".join(name for name in names if isinstance(name, str) and name)


def _locked_sha512(folder: str, version: str, described: _Described) -> str:
    """Return the SHA-512 that npm found the package's archive to have when it installed it, "" if it does not say."""
    project, _, inside = folder.partition(_MODULES)
    for lock in ("node_modules/.package-lock.json", "package-lock.json"):
        packages = described(os.path.join(project, lock)).get("packages")
        entry = packages.get(_MODULES[1:] + inside) if isinstance(packages, dict) else None
        if isinstance(entry, dict) and entry.get("version") == version:
            found = re.search(r"sha512-([A-Za-z0-9+/]{86}==)", str(entry.get("integrity")))
            return base64.b64decode(found[1]).hex() if found else ""
    return ""


def _json(file: str, disk: Disk) -> Mapping[str, Any]:
    """Return the object in a file, an empty one if there is none that can be read: nothing is claimed then."""
    try:
        document = json.loads(disk.read(file))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


class _Sites:
    """The folders that Python packages are installed in, and whose file is whose: read when a file lies in one."""

    def __init__(self, path: Iterable[str]) -> None:
        self._folders = sorted({os.path.abspath(each) for each in path}, key=len, reverse=True)
        self._owners: dict[str, dict[str, str]] = {}
        self._found: dict[tuple[str, str], metadata.Distribution] = {}

    def claim(self, file: str) -> _Claim | None:
        """Return whose file it is, None if no package lists it."""
        folder = next((each for each in self._folders if file.startswith(each + os.sep)), None)
        owner = self._owner(folder).get(file) if folder else None
        return _Claim("pypi", folder, owner, os.path.relpath(file, folder)) if folder and owner else None

    def package(self, folder: str, name: str, files: Mapping[str, str]) -> Package:
        """Return the package of that name, which has claimed the files."""
        found = self._found[folder, name]
        normal = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
        return Package("pypi", normal, found.version, *_python_licence(found), "", files)

    def _owner(self, folder: str) -> Mapping[str, str]:
        """Return the name of the package that each file below a folder came with."""
        if folder not in self._owners:
            owners = self._owners[folder] = {}
            for found in metadata.distributions(path=[folder]):
                name = found.name
                self._found[folder, name] = found
                owners |= {os.path.normpath(os.path.join(folder, *file.parts)): name for file in found.files or ()}
        return self._owners[folder]


def _python_licence(found: metadata.Distribution) -> tuple[str, bool]:
    """Return the licence of core metadata, and whether it is an expression (PEP 639); else text or classifiers."""
    fields = found.metadata.json
    if expression := fields.get("license_expression"):
        return str(expression), True
    text = str(fields.get("license", ""))
    if text and "\n" not in text and len(text) <= _LICENCE_LIMIT:
        return text, False
    classifiers = [each for each in fields.get("classifier", ()) if each.startswith("License ::")]
    return " OR ".join(each.rpartition(" :: ")[2] for each in classifiers), False

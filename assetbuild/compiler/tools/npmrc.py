"""npm's own settings, as far as they say where packages come from and who asks for them.

Receives the environment and a folder; hands on one merged table of settings, a registry and the credential for it.
It never runs npm and needs no Node: teams that have a mirror have already written it down where npm reads it.
Source: npm's documentation of `npmrc` and `config`; @npmcli/config for the names taken from the environment.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from assetbuild.disk import Disk, NotRegular

__all__ = ["Registry", "parse", "registry_for", "settings"]

_VARIABLE = re.compile(r"\$\{([^${}?]+)(\??)\}")
_PREFIX = "npm_config_"
_NOTHING = ("null", "undefined", "false")


class Registry(NamedTuple):
    """Where packages come from. `url` ends with a slash and holds no credential; `authorization`: "" for none."""

    url: str
    authorization: str


def settings(folder: str, environ: Mapping[str, str], disk: Disk) -> dict[str, str]:
    """Return npm's settings: the environment over the project's .npmrc, the user's and the machine's.

    folder: absolute path of the project. An .npmrc that is absent is skipped; one that cannot be read is an `OSError`.
    """
    from_environment = dict(_from_environment(environ))
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    user_file = from_environment.get("userconfig") or (home and os.path.join(home, ".npmrc"))
    merged: dict[str, str] = {}
    for file in (*_global_files(from_environment, environ), user_file, os.path.join(folder, ".npmrc")):
        if file:
            merged |= parse(_text(file, disk), environ)
    return merged | from_environment


def parse(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of one .npmrc, with `${NAME}` replaced from the environment.

    An unset name stays as it is written, as in npm; `${NAME?}` becomes empty. Sections and lists are left out: no
    setting that is read here stands in one.
    """

    def value_of(match: re.Match[str]) -> str:
        return environ.get(match[1], "" if match[2] else match[0])

    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            break
        if not line or line.startswith((";", "#")):
            continue
        key, _, value = line.partition("=")
        value = _VARIABLE.sub(value_of, _unquoted(value))
        # `proxy=null` is how an .npmrc takes back what another one says.
        found[_VARIABLE.sub(value_of, _unquoted(key))] = "" if value in _NOTHING else value
    return found


def registry_for(package: str, chosen: str, environ: Mapping[str, str], npm: Mapping[str, str]) -> Registry | None:
    """Return the registry of `package`, None if nobody named one.

    chosen: `[tools] registry`, "" for none. Then ASSETBUILD_REGISTRY, then npm's setting for the scope of the
    package, then npm's setting for all. Raises `ValueError` with a finished sentence if that is not a URL.
    """
    scope = package.partition("/")[0] if package.startswith("@") else ""
    candidates = {
        "tools.registry": chosen,
        "ASSETBUILD_REGISTRY": environ.get("ASSETBUILD_REGISTRY", ""),
        f"{scope}:registry": npm.get(f"{scope}:registry", "") if scope else "",
        "registry": npm.get("registry", ""),
    }
    name, url = next(((name, url) for name, url in candidates.items() if url), ("", ""))
    if not url:
        return None
    parts = _parts(name, url)
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + "/", "", ""))
    return Registry(bare, _in_url(url) or _credential(bare, npm))


def _parts(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts
    except ValueError:
        pass  # its text may quote a password
    raise ValueError(f"`{name}` is not an http or https URL")


def _credential(url: str, npm: Mapping[str, str]) -> str:
    """Return the Authorization header for a registry: the nearest setting from its path upwards, on its own host."""
    parts = urlsplit(url)
    path = parts.path
    while path:
        key = f"//{parts.netloc}{path}"
        for spelling in (key, key.rstrip("/")):
            if token := npm.get(f"{spelling}:_authToken"):
                return f"Bearer {token}"
            if basic := npm.get(f"{spelling}:_auth"):
                return f"Basic {basic}"
            if (user := npm.get(f"{spelling}:username")) and (password := npm.get(f"{spelling}:_password")):
                return _basic(user, _decoded(password))
        path = path.rstrip("/").rpartition("/")[0] + "/" if path != "/" else ""
    return ""


def _in_url(url: str) -> str:
    parts = urlsplit(url)
    return _basic(unquote(parts.username), unquote(parts.password or "")) if parts.username else ""


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _decoded(password: str) -> str:
    try:
        return base64.b64decode(password).decode("utf-8", "replace")
    except binascii.Error:
        return password  # written as it is; npm would send something unusable instead


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if not value or not name.lower().startswith(_PREFIX):
            continue
        key = name[len(_PREFIX) :]
        # `//host/:_authToken` keeps its letters; of the others npm accepts any case, and `_` for every later `-`.
        yield key if key.startswith("//") else key[:1].lower() + key[1:].lower().replace("_", "-"), value


def _global_files(npm: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    if "globalconfig" in npm:
        yield npm["globalconfig"]
        return
    prefix = npm.get("prefix") or environ.get("PREFIX", "")
    node = shutil.which("node", path=environ.get("PATH", "")) if not prefix else None
    if node:
        prefix = os.path.dirname(os.path.dirname(os.path.realpath(node)))
    if prefix:
        yield os.path.join(prefix, "etc", "npmrc")


def _text(file: str, disk: Disk) -> str:
    try:
        return disk.read(file).decode("utf-8-sig", "replace")
    except (FileNotFoundError, NotADirectoryError, NotRegular):
        return ""


def _unquoted(word: str) -> str:
    word = word.strip()
    if len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    # npm's `ini` ends a bare word at `;` or `#` unless a backslash stands before it.
    return re.sub(r"\\([;#\\])", r"\1", re.split(r"(?<!\\)[;#]", word, maxsplit=1)[0].strip())

"""What a string of the configuration may look like: one check per notion, each a sentence that says what is wrong.

A check returns the words after the value, `"is absolute: ..."`, and None if all is well. It reads no file.
"""

from __future__ import annotations

import re

from assetbuild.compiler import globs
from assetbuild.manifest import is_base
from assetbuild.manifest.names import nearest_base

__all__ = [
    "alias",
    "base",
    "cache_folder",
    "dotted",
    "environment",
    "file",
    "filled",
    "folder",
    "glob",
    "identifier",
    "logical_path",
    "meant_base",
    "names",
    "package",
    "printable",
    "public",
    "registry",
    "root",
    "size",
    "size_bytes",
    "target",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")
# What a path segment of a URL may hold unescaped (RFC 3986 §3.3), beside the escapes themselves.
_URL_PATH = re.compile(r"/(?!/)(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}|/(?!/))*")
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+", re.IGNORECASE)
_OBJECT = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:\(\))?")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(B|kB|MB|KiB|MiB)")
_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}
# https://esbuild.github.io/api/#target
_TARGET = re.compile(
    r"(?:chrome|deno|edge|firefox|hermes|ie|ios|node|opera|rhino|safari)\d+(?:\.\d+){0,2}|es(?:5|6|20\d\d|next)"
)


def folder(text: str) -> str | None:
    """Check a folder inside the project; `.` is the project itself."""
    if not text:
        return "is empty"
    if "\\" in text:
        return "has a backslash: write `/` between folders"
    if _CONTROL.search(text):
        return "holds a control character"
    if text.startswith("/") or _DRIVE.match(text):
        return "is absolute: it must be relative to the project"
    if ".." in text.split("/"):
        return "leads out with `..`: it must stay inside the project"
    return None


def cache_folder(text: str) -> str | None:
    """Check the folder of the cache, which may lie anywhere; `off` is none."""
    if not text:
        return "is empty: write `off` to go without a cache"
    return "holds a control character" if _CONTROL.search(text) else None


def logical_path(text: str) -> str | None:
    """Check the name of an asset, relative to the published root."""
    problem = folder(text)
    if problem is not None:
        return problem.replace("the project", "the published root")
    if any(part in {"", "."} for part in text.split("/")):
        return "has an empty or `.` part: write it as `css/app.css`"
    return None


def file(text: str) -> str | None:
    """Check what an entry is compiled from: a file in a root or in the project, or a path in a package."""
    problem = folder(text)
    if problem is None and any(part in {"", "."} for part in text.split("/")):
        return "has an empty or `.` part, so it matches nothing"
    return problem


def glob(text: str) -> str | None:
    """Check a glob over logical paths or over files of the project."""
    problem = file(text)
    if problem is not None:
        return problem
    try:
        globs.matches(text, "")
    except globs.BadGlob as error:
        return f"is no glob: {error}"
    return None


def root(text: str) -> str | None:
    """Check a root: a folder, or a glob of folders in which `*` stays within one segment."""
    if "**" in text:
        return "spans folders: a root is named level by level, as in `*/static`"
    return glob(text.removesuffix("/")) if globs.is_glob(text) else folder(text)


def package(text: str) -> str | None:
    """Check the dotted name of a Python package."""
    return None if all(part.isidentifier() for part in text.split(".")) else "is not the dotted name of a package"


def base(text: str) -> str | None:
    """Check the URL base: a path or a full URL, with a slash at the end, that the manifest can hold."""
    found = _URL.match(text)
    host = found[0] if found else ""
    path = text[len(host) :]
    closed = path if path.endswith("/") else f"{path}/"
    if not text:
        return "is empty: expected `/static/` or `https://cdn.example/static/`"
    if not path or not _URL_PATH.fullmatch(closed) or not is_base(host + closed):
        return "is not a URL base: expected `/static/` or `https://cdn.example/static/`"
    return None if path == closed else "must end with `/`"


def meant_base(text: str) -> str:
    """Return the URL base that was clearly meant by a text that is none, "" if none was."""
    return nearest_base(text, lambda near: base(near) is None)


def public(text: str) -> str | None:
    """Check a URL prefix that may also be left empty, which stands for the base."""
    return base(text) if text else None


def registry(text: str) -> str | None:
    """Check the URL of a package registry."""
    return None if not text or _URL.match(text) else "is not an `http://` or `https://` URL"


def names(text: str) -> str | None:
    """Check the form of published names. Servers tell the type by the extension, so `{ext}` stands at the end."""
    found = _PLACEHOLDER.findall(text)
    unknown = next((name for name in found if name not in {"stem", "hash", "ext"}), None)
    if unknown is not None:
        return f"has `{{{unknown}}}`: the parts of a name are `{{stem}}`, `{{hash}}` and `{{ext}}`"
    if found.count("hash") != 1:
        return "must contain `{hash}` once"
    if found.count("ext") != 1 or not text.endswith("{ext}"):
        return "must end with `{ext}`, and contain it once"
    if found.count("stem") > 1:
        return "must contain `{stem}` at most once"
    if re.fullmatch(r"[A-Za-z0-9._-]*", _PLACEHOLDER.sub("", text)) is None or text.startswith("."):
        return "may hold letters, digits, `-`, `_` and `.` beside its parts, and must not begin with `.`"
    return None


def alias(text: str) -> str | None:
    """Check the prefix that a reference may begin with."""
    if not text or _CONTROL.search(text) or text.startswith((".", "/")):
        return "is not a prefix: expected a word such as `~` or `@img`"
    return None


def identifier(text: str) -> str | None:
    """Check what `define` replaces: an identifier or a member expression."""
    is_name = all(part.replace("$", "_").isidentifier() for part in text.split("."))
    return None if is_name else "is not an identifier or a member expression such as `process.env.MODE`"


def target(text: str) -> str | None:
    """Check a browser or language version, as esbuild names it."""
    if _TARGET.fullmatch(text):
        return None
    return "is not a target: expected a browser and its version, such as `chrome109`, or a language, such as `es2022`"


def environment(text: str) -> str | None:
    """Check where bundles are defined: a YAML file, or an object of a module, called or not."""
    if text.endswith((".yaml", ".yml")):
        return file(text)
    if _OBJECT.fullmatch(text):
        return None
    return "is neither a YAML file nor an object: expected `bundles.yaml`, `package.module:env` or `app:create_app()`"


def dotted(text: str) -> str | None:
    """Check a class that is named with its module."""
    return None if _DOTTED.fullmatch(text) else "is not a class with its module: expected `package.module.Class`"


def filled(text: str) -> str | None:
    """Check a text that must not be empty."""
    return None if text else "is empty"


def printable(text: str) -> str | None:
    """Check a text that the manifest records."""
    return "holds a control character" if _CONTROL.search(text) else None


def size(text: str) -> str | None:
    """Check a size."""
    return None if _SIZE.fullmatch(text) else "is not a size: expected a number and a unit, such as `40 kB`"


def size_bytes(text: str) -> int:
    """Return the bytes of a size that passed its check: `40 kB` is 40,000, `40 KiB` is 40,960."""
    number = text.rstrip("BKMik ")
    return round(float(number) * _UNITS[text[len(number) :].lstrip()])

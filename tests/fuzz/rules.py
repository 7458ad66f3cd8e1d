"""Paths, URL bases and globs: what is accepted leads nowhere else, and a glob means what it means read step by step."""

from __future__ import annotations

import posixpath
import re
from itertools import product
from urllib.parse import unquote, urlsplit

from assetbuild.compiler import globs
from assetbuild.compiler.config import checks
from assetbuild.compiler.seal import published
from assetbuild.manifest import hash_name, is_base, is_path, quote
from assetbuild.manifest.names import is_published
from assetbuild.web.serve import MountError, mount_of
from tests.fuzz.grain import Grain

__all__ = ["globbed", "paths"]

_PATH = [
    *("a", "b", "css", "app", ".css", "é", "😀", " ", "%", "%2e", "..", ".", "/", "/", "/", "//", "\\", ":", "C:", "~"),
    *("\0", "\n", "\x7f", "\x85", "\u2028", "\ud800", "-", "_", "#", "?", "&", "'", '"', "<", "(", "https://", "host"),
    *("http:", "[::1]", "@", "*", "{hash}", "{stem}", "{ext}", "{0}", "}", "x" * 101, "manifest.json", ".gz"),
]
_GLOB = [*"abc/.*?[]{},!^-\\&|~é\n", "**", "**/", "/**", "[a-c]", "[!a]", "{a,b}", "{", "*.css", "a/b"]


def paths(content: bytes) -> None:
    """Judge a text as each sort of path or URL base that there is."""
    grain = Grain(content)
    text, other = grain.words(_PATH, 12), grain.words(_PATH, 12)
    for accepted in [text] * is_path(text) + [text] * (checks.logical_path(text) is None):
        inside = posixpath.normpath(posixpath.join("/output", accepted))
        assert inside == f"/output/{accepted}", accepted
    if is_path(text):
        assert text == unquote(quote(text), errors="strict")
        assert quote(text).isascii()
        assert not set(quote(text)) & set("\"'<>&()# ?\\\n")
        assert is_published(
            published(text, hash_name(other if is_path(other) else "", text.encode()), "{stem}-{hash}{ext}")
        )
    assert is_path(text) or not is_published(text)
    if is_base(text):
        split = urlsplit(f"{text}{quote('a b.css')}")
        assert split.path.endswith("/a%20b.css")
        assert (split.query, split.fragment) == ("", "")
    assert checks.base(text) is not None or is_base(text), text
    for base, mount in ((text, None), ("/static/", text)):
        if mount is not None or is_base(base):
            try:
                found = mount_of(base, mount)
            except MountError:
                continue
            assert found[0] == found[-1] == "/" != found


def globbed(content: bytes) -> None:
    """Match a path against a glob in two ways."""
    grain = Grain(content)
    pattern, path = grain.words(_GLOB, 8), grain.words([*"abc/.-é\n", "app.css", "a/b"], 8)
    try:
        found = globs.matches(pattern, path)
    except globs.BadGlob:
        return
    assert not set("\ud800") & set(pattern)
    readings = _alternatives(pattern)
    if readings is not None and len(pattern) < 12:
        assert found == any(_matches(reading, path) for reading in readings), (pattern, path)


def _alternatives(pattern: str) -> list[str] | None:
    """Return what the braces of a pattern stand for; None for what is not judged here.

    That is brackets, nested braces, and stars beside braces, which could come to stand beside other stars.
    """
    if "[" in pattern or re.search(r"\*\{|\}\*", pattern):
        return None
    parts = re.split(r"\{([^{}]*)\}", pattern)
    if any("{" in part for part in parts):
        return None
    return ["".join(chosen) for chosen in product(*(p.split(",") if i % 2 else [p] for i, p in enumerate(parts)))]


def _matches(pattern: str, path: str) -> bool:
    """Return whether a pattern without braces and brackets matches, by trying every length of every star."""
    return _follows(pattern, path, 0, 0)


def _follows(pattern: str, path: str, at: int, place: int) -> bool:
    if at == len(pattern):
        return place == len(path)
    if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
        ends = [place] + [slash.end() for slash in re.finditer("(?<=[^/])/", path) if slash.start() > place]
        whole = [end for end in ends if "//" not in path[place:end]]
        return any(_follows(pattern, path, at + 3, end) for end in whole)
    if pattern.startswith("**", at):
        return any(_follows(pattern, path, at + 2, end) for end in range(place, len(path) + 1))
    if pattern[at] == "*":
        end = path.find("/", place)
        last = len(path) if end < 0 else end
        return any(_follows(pattern, path, at + 1, each) for each in range(place, last + 1))
    if place < len(path) and (pattern[at] == path[place] or (pattern[at] == "?" and path[place] != "/")):
        return _follows(pattern, path, at + 1, place + 1)
    return False

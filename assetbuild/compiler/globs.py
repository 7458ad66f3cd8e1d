"""Globs over logical paths: `*` and `?` stay within a segment, `**` spans segments, `[…]` and `{a,b}` as in a shell.

The match is against the whole path, case-sensitively. Unlike a shell, `*` matches a leading dot: what dotfiles may
do is decided by the survey, not by a pattern.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

__all__ = ["BadGlob", "is_glob", "matches", "matches_any"]

_MAGIC = re.compile(r"[*?\[{]")


class BadGlob(ValueError):
    """The pattern cannot be read; the text says why."""


def is_glob(pattern: str) -> bool:
    """Return whether `pattern` is more than a plain name."""
    return _MAGIC.search(pattern) is not None


def matches(pattern: str, path: str) -> bool:
    """Return whether `path` matches; raise `BadGlob`."""
    return _compiled(pattern).fullmatch(path) is not None if is_glob(pattern) else path == pattern


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Return whether `path` matches one of `patterns`."""
    return any(matches(pattern, path) for pattern in patterns)


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    begins: list[bool] = []  # of each brace that is open, whether a segment begins with it
    at = 0
    while at < len(pattern):
        before = pattern[at - 1 : at]
        is_begin = before in ("", "/") or (before in ("{", ",") and begins[-1:] == [True])
        if pattern.startswith("**/", at) and is_begin:
            out.append("(?:[^/]+/)*")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif pattern[at] == "[":
            text, at = _bracket(pattern, at)
            out.append(text)
        else:
            if pattern[at] == "{":
                begins.append(is_begin)
                out.append("(?:")
            elif pattern[at] == "}" and begins:
                begins.pop()
                out.append(")")
            elif pattern[at] == "," and begins:
                out.append("|")
            else:
                out.append({"*": "[^/]*", "?": "[^/]"}.get(pattern[at]) or re.escape(pattern[at]))
            at += 1
    if begins:
        raise BadGlob(f"`{{` is not closed in `{pattern}`")
    return re.compile("".join(out), re.DOTALL)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    end = pattern.find("]", at + 2 if pattern[at + 1 : at + 2] != "!" else at + 3)
    if end < 0:
        raise BadGlob(f"`[` is not closed in `{pattern}`")
    inner = pattern[at + 1 : end]
    negated = inner.startswith(("!", "^"))
    listed = _listed(inner[1:] if negated else inner, pattern)
    return f"[{'^' if negated else ''}{listed}{'/' if negated else ''}]", end + 1


def _listed(inner: str, pattern: str) -> str:
    """Return the characters and ranges between brackets as `re` writes them, which knows more than a glob does."""
    out, at = [], 0
    while at < len(inner):
        first, dash, last = inner[at], inner[at + 1 : at + 2], inner[at + 2 : at + 3]
        if dash == "-" and last:
            if first > last:
                raise BadGlob(f"`{first}-{last}` in `{pattern}` is no range of characters")
            out.append(f"{re.escape(first)}-{re.escape(last)}")
        else:
            out.append(re.escape(first))
        at += 3 if dash == "-" and last else 1
    return "".join(out)

"""Uses: the places in templates that name an asset or a bundle, as a reader of one template language found them.

Values only, plain enough to come out of the worker process that reads the templates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["NAMING", "Use", "misspelt"]

NAMING = frozenset({"asset_inline", "asset_integrity", "asset_preload", "asset_tag", "asset_url"})
"""The functions, in Django the tags, whose first argument is a logical path."""


class Use(NamedTuple):
    """One name at one place. name: None if it is known only when the template is rendered.

    What a path means is decided: it is a logical path, "" or with a slash at its end for a folder of Django's `static`.
    limit_bytes: what `asset_inline` was told, None if nothing.
    function: one of `NAMING`; `assets`, the tag of webassets; `static`, Django's; `url_for` of Flask and Starlette.
    """

    function: str
    name: str | None
    place: Span
    limit_bytes: int | None = None


def misspelt(kind: str, word: str, ours: Iterable[str], place: Span) -> Diagnostic | None:
    """Return a warning if `word` is one edit from a name of ours. kind: `function` or `tag`.

    An edit is a character that is too many, is missing or is another, or two that have changed places.
    """
    near = next((name for name in sorted(ours) if _is_one_edit(word, name)), None)
    if near is None:
        return None
    hint = f"did you mean `{near}`? if the application brings `{word}`, all is well"
    return Diagnostic("unknown-function", "warning", f"{kind} `{word}` is not one of assetbuild", place, hint)


def _is_one_edit(word: str, name: str) -> bool:
    shared = min(len(word), len(name))
    start = next((at for at in range(shared) if word[at] != name[at]), shared)
    one, other = word[start:], name[start:]
    is_swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return one != other and (one[1:] == other[1:] or one[1:] == other or one == other[1:] or is_swapped)

"""Uses: the places in templates that name an asset or a bundle, as a reader of one template language found them.

Values only, plain enough to come out of the worker process that reads the templates.
"""

from __future__ import annotations

from typing import NamedTuple

from assetbuild.diagnostic import Span

__all__ = ["NAMING", "Use"]

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

"""A finder for development: `runserver` answers below STATIC_URL before any middleware does, from what finders find.

Receives a path below STATIC_URL; hands on the file that the manifest publishes there. It lists nothing, so that
`collectstatic` has nothing to copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder

from assetbuild.web.django import get_assets
from assetbuild.web.serve.resources import hashed

__all__ = ["PublishedFinder"]


class PublishedFinder(BaseFinder):  # type: ignore[misc]
    """Finds published paths, and names that are kept, by the manifest alone."""

    def find(self, path: str, find_all: bool = False, **options: object) -> str | Sequence[str]:
        """Return the file of a published path, the empty list if there is none; a list if all are asked for.

        options: Django before 6.1 may call `find_all` `all`.
        """
        manifest = get_assets().manifest
        found = hashed(manifest, path)
        if found is None:
            return []
        file = next(os.path.join(manifest.folder, each.path) for each in found.variants if not each.coding)
        return [file] if find_all or options.get("all") else file

    def list(self, ignore_patterns: object) -> Iterator[tuple[str, Any]]:  # noqa: ARG002
        """Yield nothing: the output is complete as it is."""
        return iter(())

    def check(self, **options: object) -> Sequence[Any]:  # noqa: ARG002
        """Return nothing: the manifest has a check of its own."""
        return []

"""For sites that keep WhiteNoise as their server: which of its files name their bytes for ever."""

from __future__ import annotations

import os

from assetbuild.web.django import get_assets

__all__ = ["is_immutable"]


def is_immutable(path: str, url: str) -> bool:  # noqa: ARG001
    """Return whether the file lies under a published path of the manifest; for WHITENOISE_IMMUTABLE_FILE_TEST.

    path: the file, somewhere below STATIC_ROOT. WhiteNoise's own test asks the storage for a name without the hash as
    Django's storage writes it, and ours has another form.
    """
    assets = get_assets()
    published = os.path.relpath(os.path.realpath(path), os.path.realpath(assets.folder)).replace(os.sep, "/")
    return assets.manifest.published(published) is not None

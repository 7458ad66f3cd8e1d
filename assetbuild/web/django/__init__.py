"""Django: `{% static %}`, template tags, serving, checks and a command, all from one manifest.

Put `assetbuild.web.django` into INSTALLED_APPS and `assetbuild.web.django.storage.ManifestStorage` into STORAGES. The
storage is the one place that opens the manifest; every other part asks it through `get_assets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetbuild.web.assets import Assets

__all__ = ["get_assets"]


def get_assets() -> Assets:
    """Return the assets of the configured storage, under the base of the request that is being answered.

    Call it where the process starts, so that a manifest that is missing or broken stops the start. Raises
    `ManifestError`, or `ImproperlyConfigured` if another storage is configured.
    """
    # Settings name this package before there are settings, and a storage needs them.
    from assetbuild.web.django.storage import configured_storage

    return configured_storage().assets

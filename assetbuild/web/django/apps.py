"""The entry of INSTALLED_APPS: registers the system checks and opens nothing."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

__all__ = ["AssetbuildConfig"]


class AssetbuildConfig(AppConfig):  # type: ignore[misc]
    """The application `assetbuild`; it has no models."""

    name = "assetbuild.web.django"
    label = "assetbuild"
    verbose_name = "assetbuild"

    def ready(self) -> None:
        """Register the checks: they run with `manage.py check` and before other commands, never in a server."""
        from assetbuild.web.django.checks import CHECKS

        for check in CHECKS:
            register(check, "assetbuild")

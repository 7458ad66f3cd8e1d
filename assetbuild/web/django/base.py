"""The URL that published paths follow in Django: STATIC_URL, after the script's prefix where it is relative.

Asks the settings and the request that is being answered; knows no manifest.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import get_script_prefix

from assetbuild.manifest import quote

__all__ = ["has_own_prefix", "script_prefix", "static_base", "static_url"]


def static_url() -> str:
    """Return STATIC_URL as the settings have it, "" if they have none.

    `settings.STATIC_URL` would do more: Django puts the prefix of the first request that asks in front of it and keeps
    that for the life of the process, so that asking it at start would lose the prefix for everybody
    (LazySettings.__getattr__ in django/conf/__init__.py).
    """
    if not settings.configured:
        settings.DEBUG  # noqa: B018  # any setting makes Django read them
    return str(settings._wrapped.STATIC_URL or "")


def static_base() -> str:
    """Return STATIC_URL as a base on this host or another, without the prefix of any request."""
    url = static_url()
    return url if _is_absolute(url) else f"/{url}"


def has_own_prefix() -> bool:
    """Return whether each request may ask for URLs under a prefix of its own.

    A relative STATIC_URL follows SCRIPT_NAME or root_path, and FORCE_SCRIPT_NAME makes that the same for all.
    """
    return not _is_absolute(static_url()) and not settings.FORCE_SCRIPT_NAME


def script_prefix() -> str:
    """Return what comes before a root-relative URL for the present request: "" or a path without a slash at its end."""
    if _is_absolute(static_url()):
        return ""
    # One slash at the start, as Django's reverse() has it: two would name a host (RFC 3986 §4.2).
    path = (settings.FORCE_SCRIPT_NAME or get_script_prefix()).strip("/")
    return f"/{quote(path)}" if path else ""


def _is_absolute(url: str) -> bool:
    return url.startswith(("http://", "https://", "/"))

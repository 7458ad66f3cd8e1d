"""Django's Jinja2 backend: an environment whose templates have the `asset_…` functions.

TEMPLATES: `"OPTIONS": {"environment": "assetbuild.web.django.jinja.environment"}`, or call it in an environment
function of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetbuild.web.django.base import script_prefix
from assetbuild.web.django.storage import configured_storage
from assetbuild.web.jinja import install

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


def environment(**options: Any) -> Environment:
    """Return an environment with the options that Django passes, `asset_url` and its like installed."""
    from jinja2 import Environment

    env = Environment(**options)  # noqa: S701  # Django passes autoescape=True
    storage = configured_storage()
    if storage.is_constant:
        install(env, storage.assets)
    else:
        install(env, storage.opened, prefix=script_prefix)
    return env

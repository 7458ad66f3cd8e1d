"""Jinja: `asset_url`, `asset_tag` and `asset_integrity` in templates.

Receives an environment and the assets; adds functions and changes nothing else. The functions are the one meaning of a
name in a template, whenever they are called. Jinja and MarkupSafe are imported by those who have an environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from assetbuild.web.assets import Assets

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["functions", "install"]


def install(env: Environment, assets: Assets) -> None:
    """Make the functions of `assets` global in `env`; templates that were loaded before see them, too."""
    env.globals.update(functions(assets))


def functions(assets: Assets) -> Mapping[str, Callable[..., Any]]:
    """Return the functions by their names in a template.

    `asset_url(name)`: text, which autoescape may escape. `asset_integrity(name)`: text, as SRI writes it.
    `asset_tag(name, **attributes)`: markup where autoescape is on, text where it is off, as Jinja's own filters do;
    an undefined attribute is left out. All raise `AssetNotFound`.
    """
    from jinja2 import Undefined, pass_eval_context
    from jinja2.nodes import EvalContext
    from markupsafe import escape

    def asset_url(name: str) -> str:
        return assets.url(name)

    def asset_integrity(name: str) -> str:
        return assets[name].integrity

    @pass_eval_context
    def asset_tag(context: EvalContext, name: str, /, **attributes: object) -> str:
        given = {key: None if isinstance(value, Undefined) else value for key, value in attributes.items()}
        html = assets.tag(name, **given)
        return escape(html) if context.autoescape else str(html)

    return {"asset_url": asset_url, "asset_tag": asset_tag, "asset_integrity": asset_integrity}

"""Functions of a template: what `asset_url` and its sisters mean, whenever they are called.

Receives what `install` left on the environment; hands on text and markup. The functions hold no assets: they ask the
environment that renders, so that environments which share their globals may have manifests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, Undefined, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from assetbuild.version import __version__
from assetbuild.web.assets import Assets
from assetbuild.web.html import Html, attributes_html
from assetbuild.web.jinja.mounted import Mounted

__all__ = ["FUNCTIONS", "TEXTS", "Installed", "attribute", "fingerprint", "installed"]


class Installed(NamedTuple):
    """What an environment has been told. prefix: gives the text before root-relative URLs of the request at hand."""

    assets: Assets
    prefix: Callable[[], str] | None = None

    @property
    def is_folding(self) -> bool:
        """Whether a URL is the same for as long as the process runs, so that templates may hold it."""
        return self.prefix is None and not self.assets.is_reloading

    def now(self) -> Assets | Mounted:
        """Return what answers the call at hand."""
        prefix = self.prefix() if self.prefix else ""
        return Mounted(self.assets, prefix) if prefix else self.assets


def installed(environment: Environment) -> Installed:
    """Return what `install` left on `environment`; an overlay has that of its original, or its own."""
    found: Installed = environment.assetbuild  # type: ignore[attr-defined]
    return found


def fingerprint(environment: Environment) -> str:
    """Return what decides the text of compiled templates beside their sources, "" in an environment without assets."""
    if not hasattr(environment, "assetbuild"):
        return ""
    told = installed(environment)
    state = f"{told.assets.build_id} at {told.assets.base}" if told.is_folding else "asked at each call"
    return f"assetbuild {__version__}, {state}"


def attribute(name: str, value: object) -> Markup:
    """Return one attribute as it stands in a tag, a space before it; nothing if `value` leaves it out."""
    return _written(name, value) if type(value) is str else _markup_of(name, value)


def _markup_of(name: str, value: object) -> Markup:
    return Markup(attributes_html({name: _plain(value)}))  # noqa: S704 - escaped there


# All tags of a page have one nonce. Text only: what is equal to a text may be written in another way.
_written = lru_cache(maxsize=32)(_markup_of)


@pass_eval_context
def _asset_url(context: EvalContext, name: str, /) -> str:
    return installed(context.environment).now().url(name)


@pass_eval_context
def _asset_integrity(context: EvalContext, name: str, /) -> str:
    return installed(context.environment).assets[name].integrity


@pass_eval_context
def _asset_tag(context: EvalContext, name: str, /, **attributes: Any) -> str:
    return _markup(context, installed(context.environment).now().tag(name, **_given(attributes)))


@pass_eval_context
def _asset_preload(context: EvalContext, name: str, /, **attributes: Any) -> str:
    return _markup(context, installed(context.environment).now().preload(name, **_given(attributes)))


@pass_eval_context
def _asset_importmap(context: EvalContext, **attributes: Any) -> str:
    return _markup(context, installed(context.environment).now().importmap(**_given(attributes)))


@pass_eval_context
def _asset_inline(context: EvalContext, name: str, /, **attributes: Any) -> str:
    return _markup(context, installed(context.environment).assets.inline(name, **_given(attributes)))


FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "asset_importmap": _asset_importmap,
    "asset_inline": _asset_inline,
    "asset_integrity": _asset_integrity,
    "asset_preload": _asset_preload,
    "asset_tag": _asset_tag,
    "asset_url": _asset_url,
}
"""Name in a template → function."""

TEXTS = frozenset({"asset_integrity", "asset_url"})
"""Those that give text. The others give markup, which is text where autoescape is off."""


def _markup(context: EvalContext, html: Html) -> str:
    # Markup escapes what is added to it, which a template without autoescape does not expect.
    return Markup(html) if context.autoescape else str(html)  # noqa: S704


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: object) -> object:
    """Return None for what is undefined: the attribute is left out, as Jinja itself writes nothing."""
    return None if isinstance(value, Undefined) else value

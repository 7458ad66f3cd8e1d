"""Functions of a template: what `asset_url` and its sisters mean, whenever they are called.

Receives what `install` left on the environment; hands on text and markup. The functions hold no assets: they ask the
environment that renders, so that environments which share their globals may have manifests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, Undefined, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from assetbuild.version import __version__
from assetbuild.web.assets import Assets
from assetbuild.web.html import Html, attributes_html, named
from assetbuild.web.jinja.mounted import Mounted

__all__ = ["FUNCTIONS", "TEXTS", "Installed", "attribute", "defined", "fingerprint", "installed", "misuse"]

_NAMELESS = frozenset({"asset_importmap", "asset_live"})


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
    # An overlay copies what its original has when it is made, and shares the dictionary of globals for ever.
    while not hasattr(environment, "assetbuild") and environment.linked_to is not None:
        environment = environment.linked_to
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


def misuse(function: str, names: int, attributes: Collection[str]) -> str:
    """Return what is wrong with the arguments of a call of one of `FUNCTIONS`, "" if nothing is.

    names: how many of them have no keyword. attributes: the keywords of the others.
    """
    if function in _NAMELESS:
        return f"`{function}` takes no name, only attributes such as `nonce=…`" if names else _unfit(attributes)
    if not names:
        hint = "; write it without `name=`" if "name" in attributes else ""
        return f"`{function}` is called without a name{hint}"
    if function in TEXTS:
        extra = [f"`{keyword}=`" for keyword in attributes]
        more = f", not {', '.join(extra)}" if extra else ""
        return f"`{function}` takes one name and nothing else{more}" if names > 1 or extra else ""
    if names > 1:
        return f"`{function}` takes one name; whatever follows is written as an attribute, such as `defer=True`"
    return _unfit(attributes)


def _unfit(attributes: Iterable[str]) -> str:
    try:
        named(dict.fromkeys(attributes))
    except ValueError as error:
        return str(error)
    return ""


def defined(name: Any) -> Any:
    """Return `name`; raise `UndefinedError`, which says what is undefined, as Jinja does wherever one is used."""
    if isinstance(name, Undefined):
        name._fail_with_undefined_error()
    return name


def _one(function: str, names: Sequence[Any], attributes: Collection[str]) -> str:
    """Return the name that a call is given; raise `TypeError` if its arguments are wrong."""
    # The names of attributes are looked at where the tag is written.
    if len(names) != 1 or (attributes and function in TEXTS):
        raise TypeError(misuse(function, len(names), attributes))
    name: str = defined(names[0])
    return name


# Nothing has a name in these signatures: Python would tell of functions and parameters that no template knows.


@pass_eval_context
def _asset_url(context: EvalContext, /, *names: str, **attributes: Any) -> str:
    return installed(context.environment).now().url(_one("asset_url", names, attributes))


@pass_eval_context
def _asset_integrity(context: EvalContext, /, *names: str, **attributes: Any) -> str:
    return installed(context.environment).assets[_one("asset_integrity", names, attributes)].integrity


@pass_eval_context
def _asset_tag(context: EvalContext, /, *names: str, **attributes: Any) -> str:
    name = _one("asset_tag", names, attributes)
    return _markup(context, installed(context.environment).now().tag(name, **_given(attributes)))


@pass_eval_context
def _asset_preload(context: EvalContext, /, *names: str, **attributes: Any) -> str:
    name = _one("asset_preload", names, attributes)
    return _markup(context, installed(context.environment).now().preload(name, **_given(attributes)))


@pass_eval_context
def _asset_importmap(context: EvalContext, /, *names: object, **attributes: Any) -> str:
    if names:
        raise TypeError(misuse("asset_importmap", len(names), attributes))
    return _markup(context, installed(context.environment).now().importmap(**_given(attributes)))


@pass_eval_context
def _asset_live(context: EvalContext, /, *names: object, **attributes: Any) -> str:
    if names:
        raise TypeError(misuse("asset_live", len(names), attributes))
    return _markup(context, installed(context.environment).assets.live(**_given(attributes)))


@pass_eval_context
def _asset_inline(context: EvalContext, /, *names: str, **attributes: Any) -> str:
    name = _one("asset_inline", names, attributes)
    return _markup(context, installed(context.environment).assets.inline(name, **_given(attributes)))


FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "asset_importmap": _asset_importmap,
    "asset_inline": _asset_inline,
    "asset_integrity": _asset_integrity,
    "asset_live": _asset_live,
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

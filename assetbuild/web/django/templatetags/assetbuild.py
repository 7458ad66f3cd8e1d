"""`{% load assetbuild %}`: URLs, tags and texts of assets in Django's templates.

A tag whose arguments are all constant becomes text while its template is parsed, where that text can never change; so
does the error for a name that is nowhere. Everything else is asked for while the template is rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django import template
from django.template.base import FilterExpression, Node, Parser, TextNode, Token, token_kwargs

from assetbuild.manifest import AssetNotFound
from assetbuild.web.assets import Assets
from assetbuild.web.django.storage import configured_storage
from assetbuild.web.inline import InlineError

__all__ = ["TAGS", "Arguments", "arguments", "misuse", "register"]

register = template.Library()


class _Tag(NamedTuple):
    """What a tag stands for. names: how many assets it takes, none or one."""

    make: Callable[..., str]
    names: int = 1
    has_attributes: bool = True


class Arguments(NamedTuple):
    """What a tag says. kind: its name. variable: after `as`, "" for none. rest: what is neither name nor attribute."""

    kind: str
    names: Sequence[FilterExpression]
    attributes: Mapping[str, FilterExpression]
    variable: str
    rest: Sequence[str]


TAGS = {
    "asset_url": _Tag(Assets.url, has_attributes=False),
    "asset_integrity": _Tag(lambda assets, name: assets[name].integrity, has_attributes=False),
    "asset_tag": _Tag(Assets.tag),
    "asset_preload": _Tag(Assets.preload),
    "asset_inline": _Tag(Assets.inline),
    "asset_importmap": _Tag(Assets.importmap, names=0),
    "asset_live": _Tag(Assets.live, names=0),
}
_DYNAMIC = object()
_NAMED = {"True": True, "False": False, "None": None}  # in every context (BaseContext of django/template/context.py)


class _AssetNode(Node):  # type: ignore[misc]
    """A tag that is answered while its template is rendered."""

    def __init__(
        self,
        tag: _Tag,
        names: Sequence[FilterExpression],
        attributes: Mapping[str, FilterExpression],
        variable: str,
    ) -> None:
        self.tag, self.names, self.attributes, self.variable = tag, names, attributes, variable

    def render(self, context: template.Context) -> str:
        """Return the text, or put it into the context and return nothing; an undefined attribute is left out."""
        names = [_resolved(name, context) for name in self.names]
        given = {key: value.resolve(context, ignore_failures=True) for key, value in self.attributes.items()}
        text = self.tag.make(configured_storage().assets, *names, **_present(given))
        return _put(context, self.variable, text)


class _GivenNode(Node):  # type: ignore[misc]
    """A text that is known already, for `as variable`."""

    def __init__(self, variable: str, text: str) -> None:
        self.variable, self.text = variable, text

    def render(self, context: template.Context) -> str:
        """Put the text into the context and return nothing."""
        return _put(context, self.variable, self.text)


def _resolved(name: FilterExpression, context: template.Context) -> Any:
    """Return the value of a name; raise `VariableDoesNotExist` where an undefined variable leaves nothing of it."""
    value = name.resolve(context)
    if value == "" and name.is_var:
        try:
            name.var.resolve(context)
        except template.VariableDoesNotExist:
            raise template.VariableDoesNotExist("`%s` is undefined, and names no asset", (name.var.var,)) from None
    return value


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that say something: None, or an undefined variable, is as if it were not written."""
    return {key: value for key, value in attributes.items() if value is not None}


def _put(context: template.Context, variable: str, text: str) -> str:
    if not variable:
        return text
    context[variable] = text
    return ""


def _parse(parser: Parser, token: Token) -> Node:
    """Return the node of a tag; raise `TemplateSyntaxError`, with the place, for what can be known to be wrong."""
    given = arguments(parser, token)
    fault = misuse(given)
    if fault:
        raise template.TemplateSyntaxError(f"{fault}{_place(parser, token)}")
    try:
        return _folded(TAGS[given.kind], given.names, given.attributes, given.variable)
    except (AssetNotFound, InlineError, ValueError) as error:
        raise template.TemplateSyntaxError(f"{error}{_place(parser, token)}") from error


def arguments(parser: Parser, token: Token) -> Arguments:
    """Return what a tag says. parser: asked for filters alone. Raises `TemplateSyntaxError` for no expression."""
    kind, *bits = token.split_contents()
    variable = bits.pop() if len(bits) > 1 and bits[-2] == "as" else ""
    if variable:
        bits.pop()
    names = [parser.compile_filter(bit) for bit in bits[: TAGS[kind].names]]
    rest = bits[TAGS[kind].names :]
    return Arguments(kind, names, token_kwargs(rest, parser), variable, rest)


def misuse(given: Arguments) -> str:
    """Return how a tag is written that is written in another way, "" if it is right."""
    tag = TAGS[given.kind]
    if given.rest or len(given.names) < tag.names or (given.attributes and not tag.has_attributes):
        return _usage(given.kind, tag)
    names = [_literal(name) for name in given.names]
    if not all(name is _DYNAMIC or isinstance(name, str) for name in names):
        return _usage(given.kind, tag)
    limit = given.attributes.get("limit_bytes") if tag.make is Assets.inline else None
    if limit is not None and isinstance(_literal(limit), str):
        return "`limit_bytes` is a number, without quotes"
    return ""


def _folded(
    tag: _Tag, names: Sequence[FilterExpression], attributes: Mapping[str, FilterExpression], variable: str
) -> Node:
    """Return the node of a tag, as text if it will always be the same; raise for a constant name that is nowhere."""
    storage = configured_storage()
    node = _AssetNode(tag, names, attributes, variable)
    given = [_literal(name) for name in names]
    constant = {key: _literal(value) for key, value in attributes.items()}
    if storage.opened.is_reloading or _DYNAMIC in given:
        return node
    if _DYNAMIC in constant.values():
        for name in given:
            storage.assets[name]
        return node
    text = tag.make(storage.assets, *given, **_present(constant))
    if not storage.is_constant:
        return node
    return _GivenNode(variable, text) if variable else TextNode(text)


def _literal(expression: FilterExpression) -> Any:
    """Return what a text in quotes, a number, True, False or None stands for, `_DYNAMIC` for everything else."""
    if expression.token in _NAMED:
        return _NAMED[expression.token]
    value = expression.var.literal if expression.is_var else expression.var
    # A text to be translated is a promise of a text.
    return value if isinstance(value, str | int | float) and not expression.filters else _DYNAMIC


def _usage(kind: str, tag: _Tag) -> str:
    words = [kind, *['"css/app.css"'] * tag.names, *["[attribute=value …]"] * tag.has_attributes, "[as variable]"]
    return f"`{kind}` is written `{{% {' '.join(words)} %}}`"


def _place(parser: Parser, token: Token) -> str:
    name = getattr(parser.origin, "template_name", None)
    return f" ({name}:{token.lineno})" if name else f" (line {token.lineno})"


for _kind in TAGS:
    register.tag(_kind, _parse)

"""Reading Django templates, inside the worker process: Django's own lexer and filter expressions, nothing rendered.

Receives texts; hands on the names that they use and what cannot be read. No settings are touched. Whether a tag is
closed is not known here: that would need every library of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from django.template.base import DebugLexer, FilterExpression, Token, TokenType
from django.template.exceptions import TemplateSyntaxError

from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.inspect.uses import Use, misspelt
from assetbuild.web.django.storage import split_name
from assetbuild.web.django.templatetags.assetbuild import TAGS, arguments, misuse

__all__ = ["read"]

_LIBRARY = "assetbuild"


def read(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `uses` and `findings` of `templates`: shown path, text, and whether it must be one, which is not asked."""
    uses: list[Use] = []
    findings: list[Diagnostic] = []
    for shown, text, _ in request["templates"]:
        for found in _found(shown, text):
            if isinstance(found, Use):
                uses.append(found)
            else:
                findings.append(found)
    return {"uses": uses, "findings": findings}


def _found(shown: str, text: str) -> Iterator[Use | Diagnostic]:
    is_comment, loaded = False, set[str]()
    for token in DebugLexer(text).tokenize():
        if token.token_type is not TokenType.BLOCK:
            continue
        tag, *bits = token.split_contents() or [""]
        place = span_at(shown, text, *token.position)
        if is_comment or tag == "comment":
            is_comment = tag != "endcomment"
        elif tag == "load":
            loaded |= _loaded(bits)
        elif tag == "static":
            yield _use(tag, bits, token, shown, text)
        elif tag in TAGS:
            if tag not in loaded:
                loaded |= TAGS.keys()  # once for each file
                message = f"`{tag}` is used, and `{{% load {_LIBRARY} %}}` does not stand before it"
                yield Diagnostic("missing-load", "warning", message, place, group="missing-load")
            yield from _ours(tag, bits, token, shown, text)
        else:
            yield from filter(None, [misspelt("tag", tag, TAGS, place)])


def _loaded(bits: list[str]) -> Set[str]:
    """Return which tags of ours a `load` brings (django/template/defaulttags.py)."""
    if len(bits) > 2 and bits[-2] == "from":
        return set(bits[:-2]) if bits[-1] == _LIBRARY else set()
    return TAGS.keys() if _LIBRARY in bits else set()


def _ours(tag: str, bits: list[str], token: Token, shown: str, text: str) -> Iterator[Use | Diagnostic]:
    found = _use(tag, bits, token, shown, text) if bits and TAGS[tag].names else None
    if isinstance(found, Diagnostic):
        yield found
        return
    place = span_at(shown, text, *token.position)
    try:
        given = arguments(_AnyFilter(), token)
    except TemplateSyntaxError as error:
        yield Diagnostic("unreadable-template", "error", f"Django cannot read the tag: {error}", place)
        return
    fault = misuse(given)
    if fault:
        yield Diagnostic("bad-call", "error", fault, place)
    if found and given.names:
        yield found


def _use(tag: str, bits: list[str], token: Token, shown: str, text: str) -> Use | Diagnostic:
    start, end = token.position
    if not bits:
        return Diagnostic("bad-name", "error", f"`{tag}` is used without a name", span_at(shown, text, start, end))
    written = bits[0]
    at = text.find(written, text.find(tag, start) + len(tag))
    place = span_at(shown, text, at, at + len(written))
    try:
        expression = FilterExpression(written, _AnyFilter())
    except TemplateSyntaxError as error:
        return Diagnostic("unreadable-template", "error", f"Django cannot read `{written}`: {error}", place)
    # A text marked for translation is lazy, and no `str`.
    if expression.filters or not isinstance(expression.var, str):
        return Use(tag, None, place)
    name = str(expression.var)
    return Use(tag, split_name(name)[0] if tag == "static" else name, _unquoted(place))


def _unquoted(place: Span) -> Span:
    return place._replace(column=place.column + 1, length=place.length - 2) if place.length > 2 else place


class _AnyFilter:
    """A parser that knows every filter: which there are is the application's affair."""

    def compile_filter(self, written: str) -> FilterExpression:
        """Return an expression."""
        return FilterExpression(written, self)

    def find_filter(self, name: str) -> Callable[..., None]:
        """Return a filter that takes an argument, or none."""
        del name
        return _filter


def _filter(value: object, argument: object = None) -> None:
    """Take the arguments that Django counts; never called."""

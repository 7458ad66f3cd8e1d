"""Reading Django templates, inside the worker process: Django's own lexer and filter expressions, nothing rendered.

Receives texts; hands on the names that they use and what cannot be read. No settings are touched. Whether a tag is
closed is not known here: that would need every library of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from django.template.base import DebugLexer, FilterExpression, Token, TokenType
from django.template.exceptions import TemplateSyntaxError

from assetbuild.diagnostic import Diagnostic, Lines, Span
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
    is_comment, loaded, lines = False, set[str](), Lines(text)
    for token in DebugLexer(text).tokenize():
        if token.token_type is not TokenType.BLOCK:
            continue
        tag, *words = token.contents.split() or [""]
        place = lines.span(shown, *token.position)
        if is_comment or tag == "comment":
            is_comment = tag != "endcomment"
        elif tag == "load":
            loaded |= _loaded(words)
        elif tag not in TAGS.keys() | {"static"}:
            yield from filter(None, [misspelt("tag", tag, TAGS, place)])
        elif (bits := _bits(token)) is None:
            message = "Django cannot read the tag: what begins with `_(` has no end"
            yield Diagnostic("unreadable-template", "error", message, place)
        elif tag == "static":
            yield _use(tag, bits, token, shown, lines)
        else:
            if tag not in loaded:
                loaded |= TAGS.keys()  # once for each file
                message = f"`{tag}` is used, and `{{% load {_LIBRARY} %}}` does not stand before it"
                yield Diagnostic("missing-load", "warning", message, place, group="missing-load")
            yield from _ours(tag, bits, token, shown, lines)


def _bits(token: Token) -> list[str] | None:
    """Return the arguments of a tag, None if Django (5.2) looks for the end of a `_("…")` behind the end of the tag."""
    try:
        return list(token.split_contents()[1:])
    except StopIteration:
        return None


def _loaded(bits: list[str]) -> Set[str]:
    """Return which tags of ours a `load` brings (django/template/defaulttags.py)."""
    if len(bits) > 2 and bits[-2] == "from":
        return set(bits[:-2]) if bits[-1] == _LIBRARY else set()
    return TAGS.keys() if _LIBRARY in bits else set()


def _ours(tag: str, bits: list[str], token: Token, shown: str, lines: Lines) -> Iterator[Use | Diagnostic]:
    found = _use(tag, bits, token, shown, lines) if bits and TAGS[tag].names else None
    if isinstance(found, Diagnostic):
        yield found
        return
    place = lines.span(shown, *token.position)
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


def _use(tag: str, bits: list[str], token: Token, shown: str, lines: Lines) -> Use | Diagnostic:
    start, end = token.position
    if not bits:
        return Diagnostic("bad-name", "error", f"`{tag}` is used without a name", lines.span(shown, start, end))
    written = bits[0]
    at = lines.text.find(written, lines.text.find(tag, start) + len(tag))
    place = lines.span(shown, at, at + len(written))
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

"""What of an SVG may run, take a page over or load from elsewhere, when a browser opens the file by itself.

Receives text, hands on places; changes nothing. Names of elements and attributes count whatever their case, because the
text may be put into an HTML page, which folds it. Declarations of a document type that could bring markup or attributes
in are active themselves, so that what is left means what it says.
Sources: SVG 2 §15, §16 and §17 (scripts, handlers, links), §12.5 (`foreignObject`); WHATWG HTML §7.4.2 (`javascript:`
URLs); WHATWG URL, "basic URL parser" (what is stripped); XML 1.0 §3.3.2, §4.2 (what a document type adds).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple
from xml.parsers import expat

from assetbuild.compiler.refs.markup import XML, survey, xml
from assetbuild.compiler.refs.markup.elements import XHTML_NAMESPACE, content_of
from assetbuild.compiler.refs.markup.entities import xml_parts
from assetbuild.compiler.refs.markup.token import Attribute, Tag, Token
from assetbuild.compiler.refs.written import Decoded

__all__ = ["Active", "Activity", "active_parts", "flaw_of", "may_act", "without"]

Activity = Literal["script", "handler", "link", "foreign", "sheet", "declaration", "external"]

# What every kind but `external` needs; that one is a reference (`may_refer`), and so is what an entity hides.
_NEEDED = re.compile(
    rb"script|\bon[a-z]+\s*=|foreignobject|xhtml|<!doctype|xml-stylesheet|attributename", re.IGNORECASE
)
_BEFORE_URL = "".join(map(chr, range(0x21)))
_IN_URL = re.compile(r"[\t\n\r]")
_ENTITY = re.compile(r"&([^\s&;#]+);")
_HARMLESS_VALUE = re.compile(r"[^<&%]*")
_SETTERS = frozenset(("animate", "animatecolor", "animatetransform", "set"))


class Active(NamedTuple):
    """`text[start:end]`: a whole element, attribute, instruction or document type, or a URL in CSS."""

    start: int
    end: int
    kind: Activity


class _Element(NamedTuple):
    """An open element. space: the namespace of those in it that have no prefix. start: of what goes with it, or -1."""

    space: str
    start: int
    kind: Activity


def may_act(content: bytes) -> bool:
    """Return whether an SVG in UTF-8 that refers to nothing may have active parts; a quick look."""
    return _NEEDED.search(content) is not None


def active_parts(text: str) -> tuple[Active, ...]:
    """Return the active parts, sorted, none inside another. Never raises."""
    walk = _Walk(text)
    walk.run()
    found = walk.found
    for ref in survey(text, XML).references:
        if ref.kind != "link" and _is_elsewhere(ref.value):
            found.append(Active(ref.start, ref.end, "external"))
    outer: list[Active] = []
    for part in sorted(found, key=lambda part: (part.start, -part.end)):
        if not outer or part.start >= outer[-1].end:
            outer.append(part)
    return tuple(outer)


def without(text: str, parts: tuple[Active, ...]) -> str:
    """Return `text` without the parts; every other character is as it was."""
    kept, at = [], 0
    for part in parts:
        kept.append(text[at : part.start])
        at = part.end
    return "".join([*kept, text[at:]])


def flaw_of(text: str) -> str:
    """Return why `text` is not well-formed XML, "" if it is: of another text nobody can say what is left of it."""
    try:
        expat.ParserCreate("utf-8").Parse(text.encode("utf-8", "surrogatepass"), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        return expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else "not UTF-8"
    return ""


class _Walk:
    """One walk over the tokens. foreign: prefixes that are bound to XHTML anywhere in the text."""

    def __init__(self, text: str) -> None:
        self.found: list[Active] = []
        self._text = text
        self._open: list[_Element] = []
        self._foreign: set[str] = set()
        self._entities: Mapping[str, str] = {}

    def run(self) -> None:
        """Fill `found`."""
        for token in xml.tokens(self._text):
            if token.kind in {"start", "empty"}:
                self._begin(token)
            if token.kind == "end" and self._open:
                element = self._open.pop()
                if element.start >= 0:
                    self.found.append(Active(element.start, token.end, element.kind))
            elif token.kind == "instruction" and token.name == "xml-stylesheet":
                self._sheet(token)
            elif token.kind == "doctype":
                self._declare(token)
            elif token.kind == "cut":
                self.found.append(Active(token.start, token.end, "declaration"))
        self.found += [Active(each.start, len(self._text), each.kind) for each in self._open if each.start >= 0]

    def _begin(self, token: Token) -> None:
        attributes = list(xml.attributes(self._text, token))
        values = {each.name: self._meaning(each) for each in attributes}
        for name, value in values.items():
            if name.startswith("xmlns:") and value == XHTML_NAMESPACE:
                self._foreign.add(name.removeprefix("xmlns:"))
        prefix, colon, local = token.name.rpartition(":")
        space = values.get("xmlns", self._open[-1].space if self._open else "")
        is_foreign = prefix in self._foreign if colon else space == XHTML_NAMESPACE
        kind = _kind_of(local.lower(), values, is_foreign=is_foreign)
        if kind is None:
            self.found += self._of_attributes(token, attributes, values)
        if token.kind == "start":
            self._open.append(_Element(space, token.start if kind else -1, kind or "script"))
        elif kind:
            self.found.append(Active(token.start, token.end, kind))

    def _of_attributes(self, token: Token, attributes: list[Attribute], values: Mapping[str, str]) -> Iterator[Active]:
        tag = Tag.of(token.name.rpartition(":")[2], attributes)
        for each in attributes:
            url = _url(values[each.name])
            content = content_of(tag, each.name, self._text, XML.names)
            kind: Activity | None = None
            if each.name.lower().startswith("on"):
                kind = "handler"
            elif url.startswith("javascript:") or (tag.name.lower() == "use" and url.startswith("data:")):
                kind = "link"
            elif content == "url" and _is_elsewhere(url):
                kind = "external"
            if kind:
                start = self._text.rindex(each.name, token.start, each.start)
                yield Active(start, each.end + 1, kind)

    def _meaning(self, attribute: Attribute) -> str:
        """Return the value with its references undone, those that the document declares among them."""
        value = Decoded(xml_parts(self._text, attribute.start, attribute.end)).text
        return _ENTITY.sub(lambda match: self._entities.get(match[1], match[0]), value)

    def _sheet(self, token: Token) -> None:
        """Keep an instruction for any style sheet but CSS of ours: XSLT makes whatever it likes of the document."""
        values = {each.name: self._meaning(each) for each in xml.pseudo_attributes(self._text, token)}
        if values.get("type", "").strip().lower() != "text/css":
            self.found.append(Active(token.start, token.end, "sheet"))
        elif _is_elsewhere(values.get("href", "")):
            self.found.append(Active(token.start, token.end, "external"))

    def _declare(self, token: Token) -> None:
        """Learn the entities; keep the document type if it declares what can bring markup or attributes in."""
        entities: dict[str, str] = {}
        is_harmless = True

        def entity(name: str, is_parameter: bool, value: str | None, *_: object) -> None:
            nonlocal is_harmless
            is_harmless &= not is_parameter and value is not None and bool(_HARMLESS_VALUE.fullmatch(value))
            entities.setdefault(name, value or "")

        def attributes(*_: object) -> None:
            nonlocal is_harmless
            is_harmless = False

        parser = expat.ParserCreate("utf-8")
        parser.EntityDeclHandler = entity
        parser.AttlistDeclHandler = attributes
        try:
            parser.Parse(self._text[token.start : token.end].encode("utf-8", "replace") + b"<a/>", True)
        except expat.ExpatError:
            is_harmless = "[" not in self._text[token.start : token.end]
        self._entities = entities
        if not is_harmless:
            self.found.append(Active(token.start, token.end, "declaration"))


def _kind_of(name: str, values: Mapping[str, str], *, is_foreign: bool) -> Activity | None:
    """Return what an element does by being there. name: without prefix, in lower case."""
    if name == "script":
        return "script"
    if name == "foreignobject" or is_foreign:
        return "foreign"
    # An animation may set what an attribute of that name may not hold.
    animated = values.get("attributeName", "").strip().rpartition(":")[2].lower()
    return "link" if name in _SETTERS and (animated == "href" or animated.startswith("on")) else None


def _url(value: str) -> str:
    """Return the beginning of a URL as its parser sees it."""
    return _IN_URL.sub("", value.lstrip(_BEFORE_URL)).lower()


def _is_elsewhere(value: str) -> bool:
    """Return whether a URL has a host of its own; to a browser, a backslash is a slash in it."""
    url = _url(value).replace("\\", "/")
    return url.startswith(("//", "http:", "https:", "ftp:", "ws:", "wss:"))

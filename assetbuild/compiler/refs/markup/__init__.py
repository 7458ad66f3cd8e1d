"""What a text in markup names: every place in SVG, XHTML or HTML from which a browser would load something.

Receives text, hands on offsets and decoded values; opens nothing and changes nothing. What stands in comments, scripts
and other raw text names nothing; `<style>`, `style="…"` and presentation attributes are read by the room of CSS. What
a template engine fills in is none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from assetbuild.compiler.refs import css
from assetbuild.compiler.refs.markup import elements, html, xml
from assetbuild.compiler.refs.markup.entities import has_unknown, html_parts, xml_parts
from assetbuild.compiler.refs.markup.srcset import candidates
from assetbuild.compiler.refs.markup.token import Attribute, Tag, Token
from assetbuild.compiler.refs.written import Decoded, Part, Written, WrittenKind, url_in

__all__ = ["HTML", "XML", "Dialect", "Problem", "Survey", "declared_encoding", "may_refer", "survey"]

# Jinja, Django, Handlebars and the like; ERB and EJS; template literals of scripts.
_TEMPLATED = re.compile(r"\{[{%#]|<%|\$\{")
_BLANK = " \t\n\r\f"
# XML 1.0 §2.8, §4.3.3: the declaration stands at the very beginning.
_DECLARED = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z0-9._-]+)""")

# What a document cannot do without to refer to anything: the name of an attribute that `elements` knows, that of an
# element or attribute that holds CSS, or what CSS needs in the value of any other attribute. `&` and the backslash
# write each of the last in another way.
_NEEDED = (
    b"href",
    b"src",
    b"background",
    b"poster",
    b"object",
    b"style",
    b"url(",
    b"image-set(",
    b"@import",
    b"&",
    b"\\",
)


class Dialect(NamedTuple):
    """How a language writes tags and characters. names: of elements, as it reads them → as `elements` has them."""

    tokens: Callable[[str], Iterator[Token]]
    attributes: Callable[[str, Token], Iterator[Attribute]]
    parts: Callable[[str, int, int], Iterator[Part]]
    names: dict[str, str]
    is_xml: bool


HTML = Dialect(html.tokens, html.attributes, html_parts, elements.lower_names(), is_xml=False)
XML = Dialect(xml.tokens, xml.attributes, xml_parts, {}, is_xml=True)


class Problem(NamedTuple):
    """A reference at `text[start:end]` that cannot be read.

    kind: `entity` if it holds one that the document declares itself, `split` if other markup stands inside it.
    """

    start: int
    end: int
    kind: Literal["entity", "split"]


class Survey(NamedTuple):
    """What one walk finds, in order. base: where the URL of `<base>` is written, None without one."""

    references: tuple[Written, ...]
    problems: tuple[Problem, ...]
    base: tuple[int, int] | None


def survey(text: str, dialect: Dialect) -> Survey:
    """Return every reference of the document. Never raises."""
    walk = _Walk(text, dialect)
    walk.run()
    return Survey(tuple(sorted(walk.references)), tuple(walk.problems), walk.base)


def may_refer(content: bytes) -> bool:
    """Return whether a document in UTF-8 may refer to anything; where it may not, `survey` finds nothing."""
    folded = content.lower()
    return any(needed in folded for needed in _NEEDED)


def declared_encoding(content: bytes) -> str:
    """Return the encoding that the XML declaration names, "" if there is none."""
    match = _DECLARED.match(content[:200])
    return match[1].decode() if match else ""


class _Walk:
    """One walk over the tokens.

    sheet: the parts of the `<style>` element that is being read. templates: how many `<template>` are open.
    prefixes: namespace of each prefix, those that everybody uses and those that the document declares.
    """

    def __init__(self, text: str, dialect: Dialect) -> None:
        self.references: list[Written] = []
        self.problems: list[Problem] = []
        self.base: tuple[int, int] | None = None
        self._text = text
        self._dialect = dialect
        self._sheet: list[Part] | None = None
        self._templates = 0
        self._prefixes = {"svg": elements.SVG_NAMESPACE, "xlink": elements.XLINK_NAMESPACE}

    def run(self) -> None:
        """Fill the public attributes."""
        for token in self._dialect.tokens(self._text):
            if self._sheet is not None and self._is_in_sheet(token, self._sheet):
                continue
            if token.kind in {"start", "empty"}:
                self._tag(token)
            elif token.kind == "end" and self._own_name(token.name) == "template":
                self._templates = max(0, self._templates - 1)
            elif token.kind == "instruction" and token.name == "xml-stylesheet":
                self._attributes(Tag.of("xml-stylesheet", xml.pseudo_attributes(self._text, token)))
        self._close_sheet()

    def _is_in_sheet(self, token: Token, sheet: list[Part]) -> bool:
        """Add the token to the sheet; return whether it is part of it."""
        text, (kind, start, end, name) = self._text, token
        if kind == "text":
            sheet += self._dialect.parts(text, start, end)
        elif kind == "cdata":
            start, end = start + len("<![CDATA["), end - 3 if text.endswith("]]>", start, end) else end
            sheet.append(Part(text[start:end], start, end))
        elif kind == "raw":
            sheet.append(Part(text[start:end], start, end))
        elif kind == "end" and self._own_name(name) == "style":
            self._close_sheet()
        return kind != "start"

    def _close_sheet(self) -> None:
        if self._sheet:
            self._css(Decoded(self._sheet), "")
        self._sheet = None

    def _tag(self, token: Token) -> None:
        tag = Tag.of(token.name, self._dialect.attributes(self._text, token))
        if self._dialect.is_xml:
            tag = self._named(tag)
        if tag.name == "template" and token.kind == "start":
            self._templates += 1
        elif tag.name == "base" and "href" in tag.attributes and self.base is None:
            self.base = tag.attributes["href"][1:]
        elif tag.name == "style" and token.kind == "start" and elements.is_css(tag, self._text):
            self._sheet = []
        self._attributes(tag)

    def _named(self, tag: Tag) -> Tag:
        """Return the tag with the names of its namespaces; "" for an element that is neither SVG nor XHTML."""
        for name, attribute in tag.attributes.items():
            namespace = self._text[attribute.start : min(attribute.end, attribute.start + 99)]
            if name.startswith("xmlns:") and "&" not in namespace:  # an entity most often holds what everybody uses
                self._prefixes[name[6:]] = namespace
        named = {}
        for name, attribute in tag.attributes.items():
            prefix, colon, local = name.partition(":")
            is_xlink = colon and self._prefixes.get(prefix) == elements.XLINK_NAMESPACE
            named[f"xlink:{local}" if is_xlink else name] = attribute
        return Tag(self._own_name(tag.name), named)

    def _own_name(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        if not colon or not self._dialect.is_xml:
            return name
        is_own = self._prefixes.get(prefix) in {elements.SVG_NAMESPACE, elements.XHTML_NAMESPACE}
        return local if is_own else ""

    def _attributes(self, tag: Tag) -> None:
        text = self._text
        for name, attribute in tag.attributes.items():
            content = elements.content_of(tag, name, text, self._dialect.names)
            if not content or _TEMPLATED.search(text, attribute.start, attribute.end):
                continue
            value = Decoded(self._dialect.parts(text, attribute.start, attribute.end))
            if content == "declarations":
                self._css(value, "a{")
            elif content == "value":
                self._css(value, "a{b:")
            elif content == "srcset":
                self._keep(url_in(value, *place) for place in candidates(value.text))
            else:
                self._keep((url_in(value, 0, len(value.text), content),))

    def _css(self, value: Decoded, before: str) -> None:
        """Keep what CSS names. before: what makes a whole sheet of the value."""
        if "(" not in value.text and "@" not in value.text:
            return
        sheet = before + value.text
        shift = len(before)
        for ref in css.references(sheet):
            # URLs lose outer white space when they are parsed.
            body = sheet[ref.start : ref.end].rstrip(_BLANK)
            end = ref.start + len(body) - shift
            start = end - len(body.lstrip(_BLANK))
            written = ref.value.strip(_BLANK)
            mark = re.search(r"[?#]", written)
            suffix = css.raw_suffix(sheet, ref, written[mark.start() :]) if mark else ""
            kind: WrittenKind = "late-import" if ref.kind == "late-import" else "url"
            if start < end and not _TEMPLATED.search(written):
                place = value.start(start), value.end(end)
                suffix_start = value.start(end - len(suffix)) if suffix else place[1]
                if not value.is_whole(start, end):
                    self.problems.append(Problem(*place, "split"))
                else:
                    self._keep((Written(*place, written, suffix_start, kind),))

    def _keep(self, found: Iterable[Written]) -> None:
        """Keep what can be read."""
        for written in found:
            if not written.value:
                continue
            if self._dialect.is_xml and has_unknown(self._text[written.start : written.end]):
                if written.kind != "link":
                    self.problems.append(Problem(written.start, written.end, "entity"))
            elif self._templates and written.kind == "url":
                self.references.append(written._replace(kind="link"))
            else:
                self.references.append(written)

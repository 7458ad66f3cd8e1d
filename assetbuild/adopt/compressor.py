"""`--from compressor`: each `{% compress %}` block of the templates as entries.

Receives settings and templates as they are written; hands on an `Adopted`. A block is cut where django-compressor cuts
its output: at another `media`, and at what has a compiler of its own. Source: its documentation, and what 4.6 does.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assetbuild.adopt.adopted import CSS_MINIFIER, STYLES, Adopted, Made, compiled_elsewhere, left, style, to_change
from assetbuild.adopt.code import Code
from assetbuild.adopt.django import site
from assetbuild.adopt.django_settings import Settings
from assetbuild.adopt.django_templates import Page, pages
from assetbuild.compiler.refs.markup import html
from assetbuild.compiler.refs.markup.token import Tag
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk

if TYPE_CHECKING:
    from django.template.base import Token

__all__ = ["adopted"]

_OWN_FILTERS = "compressor.filters."
_STATIC = "static:"
_UNKNOWN = "\ufffd"
"""What stands in a block for `{% static %}`, and for an expression that only rendering knows."""


class _Part(NamedTuple):
    """A file of a block. kind: `css`, `sass`, `js`, `module`. attributes: what the tag says beside it."""

    source: str
    kind: str
    attributes: str


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration whose entries are the blocks."""
    settings = Settings(code, disk)
    own = site(settings)
    reader = _Reader(settings, own.base or "/static/")
    folders = own.sections.get("templates", {}).get("paths", [])
    for page in pages(code, folders if isinstance(folders, list) else [], disk):
        reader.read(page)
    return Adopted(
        own.origin,
        own.roots,
        tuple(reader.entries.values()),
        own.base,
        own.python_packages,
        sections={"sass": {"auto": False}, **own.sections},
        findings=(*_filters(settings), *settings.findings, *reader.findings),
    )


def _filters(settings: Settings) -> Iterator[Diagnostic]:
    """Yield a finding for each filter that is not django-compressor's own."""
    for name in ("COMPRESS_FILTERS", "COMPRESS_CSS_FILTERS", "COMPRESS_JS_FILTERS"):
        value = settings.get(name, ())
        lists = value.values() if isinstance(value, Mapping) else [value]
        for each in (one for listed in lists for one in listed):
            if not str(each).startswith(_OWN_FILTERS):
                message = f"the filter `{each}` is not run"
                yield left(message, settings.place(name), "see whether the output needs what it does")


class _Reader:
    """Reads pages; collects entries by logical path, and findings."""

    def __init__(self, settings: Settings, base: str) -> None:
        self._folder = str(settings.get("COMPRESS_OUTPUT_DIR", "CACHE")).strip("/")
        urls = {str(settings.get(name, "") or base) for name in ("STATIC_URL", "COMPRESS_URL")}
        self._bases = sorted({_STATIC, base, *(url if url.startswith(("/", "http")) else f"/{url}" for url in urls)})
        self.entries: dict[str, Made] = {}
        self.findings: list[Diagnostic] = []

    def read(self, page: Page) -> None:
        """Read every block of a page."""
        opened: Token | None = None
        inner: list[Token] = []
        for token in page.tokens:
            bits = token.contents.split()
            is_tag = token.token_type.name == "BLOCK" and bool(bits)
            if is_tag and bits[0] == "compress":
                opened, inner = token, []
            elif is_tag and bits[0] == "endcompress" and opened:
                self._block(page, opened, inner)
                opened = None
            elif opened:
                inner.append(token)

    def _block(self, page: Page, opened: Token, inner: Sequence[Token]) -> None:
        _, kind, *words = opened.contents.split()
        place = page.place(opened)
        parts: list[_Part] = []
        whole = True
        for found in self._parts(_markup(inner), kind.strip("\"'"), place):
            if isinstance(found, _Part):
                parts.append(found)
            else:
                whole = False
                self.findings.append(found)
        named = words[1].strip("\"'") if len(words) > 1 else posixpath.splitext(posixpath.basename(page.shown))[0]
        tags = [self._entry(run, named, place) for run in _runs(parts)]
        if tags:
            rest = "" if whole else ", beside what could not be translated"
            hint = f"write {' '.join(tags)} in its place{rest}, after {{% load assetbuild %}}"
            self.findings.append(to_change("`compress` is a tag of django-compressor", place, hint))

    def _entry(self, run: Sequence[_Part], named: str, place: Span) -> str:
        """Add the entry of parts that stand for one file, and return the tag for it."""
        kind, sources = run[0].kind, tuple(part.source for part in run)
        ext = "css" if kind in {"css", "sass"} else "js"
        if kind == "css":
            made = Made("", "filters", sources, ((CSS_MINIFIER, {}),), place=place)
        elif kind == "sass":
            made = style("", sources[0], place)
        else:
            made = Made("", "module" if kind == "module" else "classic", sources, place=place)
        number, logical = 1, f"{self._folder}/{ext}/{named}.{ext}"
        while logical in self.entries and self.entries[logical].sources != sources:
            number += 1
            logical = f"{self._folder}/{ext}/{named}-{number}.{ext}"
        self.entries.setdefault(logical, made._replace(logical=logical))
        return f'{{% asset_tag "{logical}"{run[0].attributes} %}}'

    def _parts(self, text: str, kind: str, place: Span) -> Iterator[_Part | Diagnostic]:
        previous = ""
        for token in html.tokens(text):
            if token.kind == "raw" and previous in {"script", "style"} and text[token.start : token.end].strip():
                message = f"`<{previous}>` in a block of `compress` has its code inside"
                yield left(message, place, "let it stand in the page, or move it into a file of the entry")
            if token.kind == "start" and token.name in {"link", "script"}:
                tag = Tag.of(token.name, html.attributes(text, token))
                given = {name: text[each.start : each.end] for name, each in tag.attributes.items()}
                if url := given.get("src") or given.get("href"):
                    yield self._part(url, given, kind, place)
            previous = token.name

    def _part(self, url: str, given: dict[str, str], kind: str, place: Span) -> _Part | Diagnostic:
        base = next((base for base in self._bases if url.startswith(base)), None)
        source = url[len(base) :].partition("?")[0].partition("#")[0].lstrip("/") if base else ""
        if _UNKNOWN in url or not source:
            shown = url.removeprefix(_STATIC).replace(_UNKNOWN, "…")
            message = f"`{shown}` in a block of `compress` is known only when the page is rendered"
            return left(message, place, "name its file in the entry")
        media = given.get("media", "")
        words = f' media="{media}"' if media and media != "all" else ""
        words += "".join(f" {name}=True" for name in ("async", "defer") if name in given)
        if kind == "js":
            is_script = source.endswith((".js", ".mjs"))
            made = _Part(source, "module" if given.get("type") == "module" else "js", words)
        else:
            is_script = source.endswith(STYLES)
            made = _Part(source, "css" if source.endswith(".css") else "sass", words)
        if is_script:
            return made
        message = f"`{source}` in a block of `compress` is read by another compiler"
        return compiled_elsewhere(message, source, place)


def _runs(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Return parts that are joined, in their order: neighbours of one kind with one `media`; Sass and modules alone."""
    runs: list[list[_Part]] = []
    for part in parts:
        is_alone = part.kind in {"sass", "module"}
        if runs and not is_alone and (runs[-1][0].kind, runs[-1][0].attributes) == (part.kind, part.attributes):
            runs[-1].append(part)
        else:
            runs.append([part])
    return runs


def _markup(tokens: Sequence[Token]) -> str:
    """Return what is between the tags as markup, with URLs in the place of `static` and a mark for what is unknown."""
    out = []
    for token in tokens:
        bits = token.contents.split()
        if token.token_type.name == "TEXT":
            out.append(token.contents)
        elif token.token_type.name == "BLOCK" and len(bits) == 2 and bits[0] == "static" and bits[1][0] in "\"'":
            out.append(_STATIC + bits[1][1:-1])
        elif token.token_type.name == "VAR" and token.contents in {"STATIC_URL", "COMPRESS_URL"}:
            out.append(_STATIC)
        elif token.token_type.name != "COMMENT":
            out.append(_UNKNOWN)
    return "".join(out)

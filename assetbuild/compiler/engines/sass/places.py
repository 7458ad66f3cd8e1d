"""Places in Sass sources: from what a compiler or its source map points at to a `Source` and a `Span`.

Receives canonical URLs with lines and columns as Dart counts them; reads texts through the job's `Reading`, which has
read them before. Decides here, once, which source a file is: whose folder it lies in, and whether it is first-party.
"""

from __future__ import annotations

import os
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from assetbuild.compiler.engines.incoming import written_in
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.resolve import Resolver
from assetbuild.compiler.sourcemap import Place, SourceMap, Written, chars, units
from assetbuild.diagnostic import Span, span_at

__all__ = ["Origins", "Sources", "file_of", "url_of"]

# Where a line of a source ends for Dart (package source_span): a form feed, which ends one in CSS, is not among them.
_LINE_END = re.compile(r"\r\n|\n|\r")

# What a reference may be written with; what is looked for in the source is the longest such text at the place.
_WORD = re.compile(r"""[^\s"'();,{}]+""")
_LINES_AROUND = 20


def url_of(file: str) -> str:
    """Return the canonical URL of an absolute file. Source: RFC 8089, section 2; any byte of a name survives."""
    return f"file://{quote_from_bytes(os.fsencode(file))}"


def file_of(url: str) -> str | None:
    """Return the absolute file of a `file:` URL, None for any other URL."""
    parts = urlsplit(url)
    return os.fsdecode(unquote_to_bytes(parts.path)) if parts.scheme == "file" else None


class Sources:
    """The files of one compile, as sources, and places in them."""

    def __init__(self, entry: Source, resolver: Resolver, reading: Reading) -> None:
        self._resolver = resolver
        self._reading = reading
        self._known = {entry.file: entry}
        self._lines: dict[str, list[int]] = {}

    def source(self, file: str) -> Source:
        """Return the source that an absolute file is."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._made(file)
        return known

    def span(self, file: str, line: int, column: int, text: str = "") -> Span:
        """Return the place in `file`. line, column: from 0, in UTF-16 code units; text: what is pointed at."""
        content = self._reading.text(file)
        start = self.offset(file, content, line, column)
        return span_at(self._reading.shown(file), content, start, start + len(text) if text else None)

    def text(self, file: str) -> str:
        """Return the text of `file`."""
        return self._reading.text(file)

    def offset(self, file: str, content: str, line: int, column: int) -> int:
        """Return the offset in characters of a place in the text `content` of `file`."""
        starts = self._lines.get(file)
        if starts is None:
            starts = self._lines[file] = [0, *(found.end() for found in _LINE_END.finditer(content))]
        if line >= len(starts):
            return len(content)
        end = starts[line + 1] if line + 1 < len(starts) else len(content)
        return starts[line] + chars(content[starts[line] : end], column)

    def _made(self, file: str) -> Source:
        shown = self._reading.shown(file)
        published = self._resolver.inventory.by_file.get(file)
        if published is not None:
            return published
        if f"{os.sep}node_modules{os.sep}" in file:
            return self._resolver.npm_source(file, self._reading)
        for root in self._resolver.project.roots:
            if file.startswith(os.path.join(root.folder, "")):
                logical = os.path.join(root.mount, os.path.relpath(file, root.folder)).replace(os.sep, "/")
                return Source(logical, file, shown, is_first_party=root.missing == "error")
        # On a load path alone: its name leads out of every root, so no reference beside it is taken for a logical path.
        return Source(f"../{shown}", file, shown)


class Origins:
    """From an offset in compiled CSS to what was written: the answer of `Compiled.origin`."""

    def __init__(self, css: str, source_map: SourceMap, entry: Source, sources: Sources) -> None:
        self._css = css
        self._map = source_map
        self._entry = entry
        self._sources = sources
        self._asked = 0, 0  # the last offset asked for, and its line: most often the next lies behind
        self._texts: dict[str, Written] = {}

    def __call__(self, offset: int) -> tuple[Source, Span]:
        """Return the source that the text at `offset` was written in, and where; the entry as a whole if unknown."""
        origin = self._map.at(*self._position(offset))
        file = file_of(self._map.sources[origin.source]) if origin is not None else None
        if origin is None or file is None:
            return self._entry, Span(self._entry.shown)
        content = self._sources.text(file)
        start = self._sources.offset(file, content, origin.line, origin.column)
        start, length = self._written(offset, content, start)
        return self._sources.source(file), span_at(self._sources.source(file).shown, content, start, start + length)

    def place(self, offset: int) -> Place | None:
        """Return where the text at `offset` was written, as source maps count: where its rule or its value begins."""
        line, column = self._position(offset)
        origin = self._map.at(line, column)
        file = file_of(self._map.sources[origin.source]) if origin is not None else None
        if origin is None or file is None:
            return None
        written = self._texts.get(file)
        if written is None:
            written = self._texts[file] = written_in(self._sources.source(file), self._sources.text(file))
        return Place(written, origin.line, origin.column)

    def _position(self, offset: int) -> tuple[int, int]:
        before, line = self._asked if self._asked[0] <= offset else (0, 0)
        # The compiler counts lines of its output by LF alone.
        line += self._css.count("\n", before, offset)
        self._asked = offset, line
        return line, units(self._css[self._css.rfind("\n", 0, offset) + 1 : offset])

    def _written(self, offset: int, content: str, start: int) -> tuple[int, int]:
        """Return where and how long the word at `offset` stands in the source, near where its value begins.

        The map knows where a value begins; the word, such as a URL, is most often written out behind that.
        """
        word = _WORD.match(self._css, offset)
        if word is None:
            return start, 1
        end = start
        for _ in range(_LINES_AROUND):
            end = content.find("\n", end) + 1
            if end == 0:
                end = len(content)
                break
        found = content.find(word[0], start, end)
        return (found, len(word[0])) if found >= 0 else (start, 1)

"""Where a module names assets: offsets in its text, whatever dialect it is written in.

Receives a text of the graph; hands on what `refs` finds. The lexers of `refs` read CSS and ECMAScript; a file in
TypeScript or with JSX is read in the form that esbuild gives it, and its source map leads back.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from assetbuild.compiler import door
from assetbuild.compiler.engines.esbuild import Esbuild
from assetbuild.compiler.engines.js.link import Edit
from assetbuild.compiler.refs.js import JsRef
from assetbuild.compiler.sourcemap import SourceMap, chars, parse, units

__all__ = ["Named", "loader_of", "map_comments_of", "named", "too_deep_at"]

# "": esbuild reads a file without an extension as JavaScript.
_PLAIN = {"": "js", ".js": "js", ".mjs": "js", ".cjs": "js"}
_DIALECTS = {".jsx": "jsx", ".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx"}
_LOADERS = {**_PLAIN, **_DIALECTS, ".css": "css", ".json": "json", ".txt": "text"}
_WORKERS = ("worker", "shared-worker", "worklet")
# White space and comments may stand on both sides of the dot (ECMA-262 §13.3, ImportMeta).
_IMPORT_DOT = re.compile(r"import\s*(?:\.|/[/*])")
# ECMA-262 §12.3, LineTerminatorSequence.
_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")
_FOLDERS = (".", "..", "./", "../")


class Named(NamedTuple):
    """One place: `text[start:end]` stands for `value`. is_worker: the browser runs it as a script of its own.

    is_module: it is written as a module specifier.
    """

    start: int
    end: int
    value: str
    is_worker: bool = False
    is_module: bool = False


def loader_of(file: str) -> str:
    """Return esbuild's name for the language of `file`, "" for what it does not read as a text of ours."""
    return _LOADERS.get(posixpath.splitext(file)[1].lower(), "")


def too_deep_at(file: str, text: str) -> int | None:
    """Return the offset of what nests deeper than the door allows, None if nothing does.

    Brackets, and elements of JSX. The words of JSON are those of ECMAScript (ECMA-262 §25.5.1, note).
    """
    loader = loader_of(file)
    if loader == "css":
        from assetbuild.compiler.refs import css

        return css.check_nesting(text)
    if loader in ("jsx", "tsx"):
        from assetbuild.compiler.refs.js import elements

        return elements.check_nesting(text, is_typed=loader == "tsx")
    if loader not in ("js", "ts", "json") or not door.seems_too_deep(text):
        return None
    from assetbuild.compiler.refs import js

    return js.check_nesting(text)


def named(file: str, text: str, service: Esbuild) -> list[Named]:
    """Return the places in `text` that name assets; imports are not among them, they are esbuild's."""
    extension = posixpath.splitext(file)[1].lower()
    if extension == ".css":
        from assetbuild.compiler.refs import css

        found = [ref for ref in css.references(text) if ref.kind not in ("import", "late-import")]
        return [Named(ref.start, ref.end, ref.value) for ref in found]
    # Only what hangs on `import.meta` is ours, and few files have it: the lexer is slow beside this search.
    if "meta" not in text or _IMPORT_DOT.search(text) is None:
        return []
    from assetbuild.compiler.refs import js

    if extension in _PLAIN:
        return [_named(ref, ref.start, ref.end) for ref in js.references(text) if _is_ours(ref)]
    if extension not in _DIALECTS:
        return []
    flags = [f"--loader={loader_of(file)}", "--jsx=automatic", "--sourcemap=external", "--log-level=silent"]
    made = service.transform(text, flags)
    if made.errors:
        return []  # the build that follows reports them at their places
    plain = [ref for ref in js.references(made.code) if _is_ours(ref)]
    return sorted(_led_back(plain, made.code, text, parse(made.map)))


def map_comments_of(file: str, text: str) -> Iterator[tuple[str, Edit]]:
    """Yield the maps that a plain script or a sheet names, each with the edit that takes the comment out."""
    extension = posixpath.splitext(file)[1].lower()
    if extension == ".css":
        from assetbuild.compiler.refs import css

        for comment in css.map_comments(text):
            yield text[comment.url_start : comment.url_end], Edit(comment.start, comment.end, "")
    elif extension in _PLAIN:
        from assetbuild.compiler.engines.js.traces import without_maps
        from assetbuild.compiler.refs import js

        script = js.Script(text)
        for named_map, edit in zip(script.source_maps, without_maps(script, text), strict=True):
            yield named_map.url, edit


def _is_ours(ref: JsRef) -> bool:
    if ref.kind == "resolve":
        return ref.value.startswith(("./", "../"))
    return ref.kind in ("url", *_WORKERS) and ref.value not in _FOLDERS


def _named(ref: JsRef, start: int, end: int) -> Named:
    return Named(start, end, ref.value, ref.kind in _WORKERS, ref.kind == "resolve")


def _led_back(refs: list[JsRef], code: str, text: str, source_map: SourceMap) -> Iterator[Named]:
    """Yield the places in `text` that became `refs` of `code`. esbuild maps the begin of every literal."""
    starts = _line_starts(text)
    for ref in refs:
        quote = ref.start - 1
        line = code.count("\n", 0, quote)
        origin = source_map.at(line, units(code[code.rfind("\n", 0, quote) + 1 : quote]))
        if origin is None or origin.line >= len(starts):
            continue
        start = starts[origin.line] + chars(text[starts[origin.line] :].split("\n", 1)[0], origin.column)
        end = _literal_end(text, start)
        if end:
            yield _named(ref, start + 1, end)


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_END.finditer(text))]


def _literal_end(text: str, start: int) -> int:
    """Return the offset of the quote that closes the literal at `start`, 0 if none begins there."""
    quote = text[start : start + 1]
    if quote not in ("'", '"', "`"):
        return 0
    at = start + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at if at < len(text) else 0

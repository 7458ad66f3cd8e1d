"""Sass by libsass, where it was chosen: guarded, so that what it cannot do is an error and never half a sheet.

Receives a source; the compile runs in a worker process, which can crash or loop without harm. The guard before it is
`sass_scan.py`; the guard behind it stands here: what is left of Sass in the output, or no output at all, is refused.
"""

from __future__ import annotations

import base64
import os
import pickle
from collections.abc import Iterator
from typing import Any, Literal

from assetbuild.compiler.engines import sass_scan
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.sass import Compiled
from assetbuild.compiler.engines.sass.places import Origins, Sources
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.pool import TIMEOUT_S
from assetbuild.compiler.refs.css.tokens import tokens
from assetbuild.compiler.sourcemap import parse
from assetbuild.diagnostic import Diagnostic, Span, findings

__all__ = ["Style", "compile"]

Style = Literal["nested", "expanded", "compact", "compressed"]

_WORKER = "assetbuild.compiler.engines.libsass_worker:compile_sheet"
_NO_MAP = '{"version": 3, "sources": [], "mappings": ""}'

# With characters beyond ASCII libsass writes a mark of the encoding; all output is served as UTF-8 without one.
_CHARSET = '@charset "UTF-8";'
_BOM = "\ufeff"

_LEFTOVERS = frozenset(
    f"@{name}"
    for name in (
        *("at-root", "content", "debug", "each", "else", "error", "extend", "for", "forward", "function", "if"),
        *("include", "mixin", "return", "use", "warn", "while"),
    )
)


def compile(
    source: Source,
    reading: Reading,
    shop: Shop,
    *,
    style: Style = "expanded",
    precision: int = 10,
    text: str | None = None,
) -> Compiled:
    """Return what `source` compiles to; raise `CompileFailed` with the place, or `EngineUnavailable`.

    precision: digits behind the decimal point; ten, as Dart Sass writes them. text: stands for what the file holds;
    then `origin` knows no places, because nothing was written where the map points.
    """
    is_indented = source.file.endswith(".sass")
    given = reading.text(source.file) if text is None else text
    made = _called(
        source, reading, shop, {"text": text, "is_indented": is_indented, "style": style, "precision": precision}
    )
    warnings = findings(made["warnings"])
    if "findings" in made:
        raise CompileFailed([*findings(made["findings"]), *warnings])
    css = _without_charset(made["css"])
    source_map = parse(made["map"] if made["map"] and text is None else _NO_MAP)
    origin = Origins(css, source_map, source, Sources(source, shop.resolver, reading))
    refused = [*_leftovers(css, origin), *_emptiness(css, given, source, is_indented)]
    if refused:
        raise CompileFailed([*refused, *warnings])
    return Compiled(css, origin, warnings, made["version"])


def _called(source: Source, reading: Reading, shop: Shop, options: dict[str, Any]) -> dict[str, Any]:
    """Return the worker's reply; what it read and looked for is this job's record too."""
    request = {
        **options,
        # Pickled on the way to the worker only: what comes back from a process that ran native code is plain JSON.
        "project": base64.b64encode(pickle.dumps(shop.project)).decode(),
        "confines": [confine.rstrip(os.sep) for confine in reading.library.confines],
        "file": source.file,
        "shown": source.shown,
    }
    made = shop.workers().call(_WORKER, request, timeout_s=TIMEOUT_S, subject=source.shown, engine="libsass")
    for file, digest_hex in made["inputs"]:
        reading.note(file, digest_hex)
    for file in made["absent"]:
        reading.note_absent(file)
    return made


def _without_charset(css: str) -> str:
    """Return `css` without the mark of its encoding; the line of a `@charset` stays, as the map counts it."""
    return css.removeprefix(_BOM).removeprefix(_CHARSET)


def _leftovers(css: str, origin: Origins) -> Iterator[Diagnostic]:
    """Yield the finding at the first word of Sass that stands in the output outside strings and comments."""
    for token in tokens(css):
        word = css[token.start : token.end]
        is_variable = word == "$" and css[token.end : token.end + 1].isidentifier()
        if (token.kind == "at-keyword" and word.lower() in _LEFTOVERS) or is_variable:
            name = f"${_name_at(css, token.end)}" if is_variable else word
            hint = 'set `engine = "dart-sass"` under `[sass]`'
            message = f"libsass left `{name}` in its output"
            yield Diagnostic("unsupported-syntax", "error", message, origin(token.start)[1], hint)
            return


def _name_at(css: str, start: int) -> str:
    token = next(tokens(css, start))
    return css[token.start : token.end]


def _emptiness(css: str, text: str, source: Source, is_indented: bool) -> Iterator[Diagnostic]:
    if not css.strip() and sass_scan.has_statements(text, is_indented):
        hint = "leave it out if it only defines variables and mixins"
        yield Diagnostic("empty-output", "error", "libsass made no CSS of this file", Span(source.shown), hint)

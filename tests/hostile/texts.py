"""Texts that are none: other encodings, NUL, halves of surrogate pairs, and more of them than an engine can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.hostile.case import CARRIERS, JOINED, PUBLISHED, Case, carried

__all__ = ["cases"]

_WORDS = {
    "css": "a{b:c}/*é*/\n",
    "script": "a=1/*é*/\n",
    "sass, indented": "a\n  b: c // é\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><!--é--></svg>',
    "web manifest": '{"name":"é"}',
    "configuration": "# é\n",
    "bundles.yaml": "# é\nbundles: {}\n",
}
_LIKE = {
    **dict.fromkeys(("css", "css, bundled", "css, lowered", "rcssmin", "cssmin", "module css"), "css"),
    **dict.fromkeys(("dart-sass", "libsass"), "css"),
    **dict.fromkeys(("script", "script, minified", "classic", "jsmin", "module", "typescript", "jsx", "tsx"), "script"),
    **dict.fromkeys(("module json", "web manifest", "source map", "package.json", "tsconfig"), "web manifest"),
    **dict.fromkeys(("svg", "html", "jinja", "django"), "svg"),
    "configuration": "configuration",
    "bundles.yaml": "bundles.yaml",
    "sass, indented": "sass, indented",
}

_UTF_16_OR_32 = dict.fromkeys(("UTF-16 with a mark", "UTF-16 without a mark", "UTF-32 with a mark"), "esbuild")
_DESCRIPTIONS = {"package.json": {**_UTF_16_OR_32, "NUL": "esbuild"}, "tsconfig": _UTF_16_OR_32}
"""esbuild reads these by itself, and takes any bytes within strings and comments."""

_BROKEN: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "Latin-1": ("not-utf8", lambda word: word.encode("latin-1")),
    "UTF-16 with a mark": ("not-utf8", lambda word: word.encode("utf-16")),
    "UTF-16 without a mark": ("nul-character", lambda word: word.replace("é", "").encode("utf-16-le")),
    "UTF-32 with a mark": ("not-utf8", lambda word: word.encode("utf-32")),
    "a lone surrogate": ("not-utf8", lambda word: word.encode().replace("é".encode(), b"\xed\xa0\x80")),
    "an overlong slash": ("not-utf8", lambda word: word.encode().replace("é".encode(), b"\xc0\xaf")),
    "a cut character": ("not-utf8", lambda word: word.encode().replace("é".encode(), b"\xf0\x9f\x98")),
    "NUL": ("nul-character", lambda word: word.encode().replace("é".encode(), b"\0")),
}
_WHOLE: dict[str, Callable[[str], bytes]] = {
    "a byte order mark": lambda word: b"\xef\xbb\xbf" + word.encode(),
    "lone CR": lambda word: word.encode().replace(b"\n", b"\r"),
    "U+2028": lambda word: word.replace("é", "\u2028").encode(),
    "a non-character": lambda word: word.replace("é", "\uffff").encode(),
}
_USUAL = {"bundles.yaml": "no-bundles"}
_UNUSUAL = {
    ("configuration", "lone CR"): "invalid-toml",  # TOML 1.0, "Newline"
    ("bundles.yaml", "a non-character"): "invalid-yaml",  # YAML 1.2 §5.1
}
_SHORT = {"a lone surrogate", "NUL"}

_LINES = {"css": "a{b:c}", "script": "a=1;", "svg": "<g/>", "web manifest": '"a",', "bundles.yaml": "a, "}
_MEGABYTE = 1_000_000
_LONG = {
    "dart-sass": f"{PUBLISHED} | engine-memory | engine-timeout",
    "libsass": f"{PUBLISHED} | engine-memory | engine-timeout",
    "classic": f"{PUBLISHED} | engine-memory | engine-timeout",
    "script, minified": f"{PUBLISHED} | engine-memory | engine-timeout",
    "jsmin": f"{PUBLISHED} | engine-memory | engine-timeout",
    "module json": "esbuild",
    "tsconfig": "esbuild",
    "package.json": "esbuild",
    "web manifest": "invalid-json",
    "bundles.yaml": "engine-memory | engine-timeout",
}
"""What becomes of a text that the door just lets in: as long as an engine's own limits last."""

_PATIENCE_S = 600.0
"""Our own lexers have no limit but the size of a text; they read a megabyte in a few seconds."""


def cases() -> Iterator[Case]:
    """Yield the cases of all engines."""
    for engine in CARRIERS:
        if engine == "png":
            continue
        word = _WORDS[_LIKE[engine]]
        code = 2 if engine == "configuration" else 1
        for name, (refused, spoilt) in _BROKEN.items():
            rule = _DESCRIPTIONS[engine].get(name, PUBLISHED) if engine in _DESCRIPTIONS else refused
            text, is_short = partial(spoilt, word), name in _SHORT
            if engine == "source map":  # whose loss is a warning
                yield carried(engine, name, text, named="broken-source-map", is_short=is_short)
            else:
                yield carried(engine, name, text, rule, exit_code=code, is_short=is_short)
        for name, whole in _WHOLE.items():
            rule = _UNUSUAL.get((engine, name), _USUAL.get(engine, PUBLISHED))
            code = 2 if rule.startswith("invalid-") else 1
            yield carried(engine, name, partial(whole, word), rule, exit_code=code)
        line = _LINES.get(_LIKE[engine], "")
        if line:
            repeat = line.__mul__
            many = partial(repeat, 50 * _MEGABYTE // len(line))
            if engine == "source map":
                yield carried(engine, "50 MB in one line", many, named="over the limit of")
            else:
                yield carried(engine, "50 MB in one line", many, "esbuild" if engine == "package.json" else "too-large")
            rule = _LONG.get(engine, PUBLISHED)
            code = 2 if engine == "bundles.yaml" else 1
            few = partial(repeat, 15 * _MEGABYTE // len(line))
            more: dict[str, object] = {"named": JOINED} if engine == "jsmin" else {}
            yield carried(engine, "15 MB in one line", few, rule, exit_code=code, limit_s=_PATIENCE_S, **more)
    yield carried("png", "50 MB in one line", lambda: b"\x89PNG\r\n\x1a\n".ljust(50 * _MEGABYTE, b"a"))

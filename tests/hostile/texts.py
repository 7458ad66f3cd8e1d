"""Texts that are none: other encodings, NUL, halves of surrogate pairs, and more of them than an engine can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.hostile.case import ANY, CARRIERS, Case, carried

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
    **dict.fromkeys(("script", "script, minified", "classic", "jsmin", "module", "typescript", "jsx"), "script"),
    **dict.fromkeys(("module json", "web manifest", "source map", "package.json", "tsconfig"), "web manifest"),
    **dict.fromkeys(("svg", "html", "jinja", "django"), "svg"),
    "configuration": "configuration",
    "bundles.yaml": "bundles.yaml",
    "sass, indented": "sass, indented",
}

_DESCRIPTIONS = ("package.json", "tsconfig", "source map")
"""What is wrong with these is a warning, or a word of esbuild's, which reads the first two by itself."""

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
_SHORT = {"a lone surrogate", "NUL"}

_LINES = {"css": "a{b:c}", "script": "a=1;", "svg": "<g/>", "web manifest": '"a",', "bundles.yaml": "a, "}
_MEGABYTE = 1_000_000


def cases() -> Iterator[Case]:
    """Yield the cases of all engines."""
    for engine in CARRIERS:
        if engine == "png":
            continue
        word = _WORDS[_LIKE[engine]]
        code = 2 if engine == "configuration" else 1
        for name, (refused, spoilt) in _BROKEN.items():
            rule = ANY if engine in _DESCRIPTIONS else refused
            yield carried(engine, name, partial(spoilt, word), rule, exit_code=code, is_short=name in _SHORT)
        for name, whole in _WHOLE.items():
            yield carried(engine, name, partial(whole, word))
        line = _LINES.get(_LIKE[engine], "")
        if line:
            repeat = line.__mul__
            yield carried(engine, "50 MB in one line", partial(repeat, 50 * _MEGABYTE // len(line)), "too-large")
            yield carried(engine, "15 MB in one line", partial(repeat, 15 * _MEGABYTE // len(line)), ANY)
    yield carried("png", "50 MB in one line", lambda: b"\x89PNG\r\n\x1a\n".ljust(50 * _MEGABYTE, b"a"))

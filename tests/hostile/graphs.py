"""Imports that come back, that never end, and that multiply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from tests.hostile.case import CARRIERS, PUBLISHED, Case, Files

__all__ = ["cases"]

CHAIN = 10_000
DOUBLINGS = 30


class _Language(NamedTuple):
    """load: the text that imports a file. last: a text that imports nothing. chained, doubled, cycled: what becomes
    of such a graph. file: the name of a file by its stem."""

    load: str
    last: str
    file: str
    cycled: str = PUBLISHED
    chained: str = PUBLISHED
    doubled: str = PUBLISHED


_TOO_MUCH = "engine-memory | engine-timeout"
_LANGUAGES = {
    "css": _Language('@import "{0}.css";', "a{b:c}", "{0}.css"),
    "css, bundled": _Language('@import "{0}.css";', "a{b:c}", "{0}.css", chained="too-many-imports"),
    "css, bundled into layers": _Language(
        '@import "{0}.css" layer;', "a{b:c}", "{0}.css", chained="too-many-imports", doubled="too-many-imports"
    ),
    "dart-sass, @use": _Language('@use "{0}" as a{1};', "a{b:c}", "{0}.scss", "sass-error", "sass-error"),
    "dart-sass, @import": _Language('@import "{0}";', "a{b:c}", "{0}.scss", "sass-error", "sass-error", _TOO_MUCH),
    "libsass": _Language('@import "{0}";', "a{b:c}", "{0}.scss", "sass-error", "engine-crashed", _TOO_MUCH),
    "script": _Language('import "./{0}.js";', "a", "{0}.js"),
    "module": _Language('import "./{0}.mjs";', "a()", "{0}.mjs"),
    "typescript": _Language('import "./{0}";', "a()", "{0}.ts"),
}
_CONFIG = {
    "css, bundled": '[entries]\n"css/e.css" = "n0.css"',
    "css, bundled into layers": '[entries]\n"css/e.css" = "n0.css"',
    "dart-sass, @use": '[entries]\n"css/e.css" = "src/n0.scss"',
    "dart-sass, @import": '[entries]\n"css/e.css" = "src/n0.scss"\n[sass]\nsilence = ["import"]',
    "libsass": '[entries]\n"css/e.css" = "src/n0.scss"\n[sass]\nengine = "libsass"',
    "module": '[entries]\n"js/e.js" = { module = "src/n0.mjs" }',
    "typescript": '[entries]\n"js/e.js" = { module = "src/n0.ts" }',
}


def _files(engine: str, imports: Callable[[int], list[int]], count: int) -> Files:
    """Return a project of `count` files, each with the files that `imports` gives for its number."""
    language = _LANGUAGES[engine]
    folder = "src" if _CONFIG.get(engine, "").count("src/") else "assets"
    found = {}
    for number in range(count):
        lines = [language.load.format(f"n{other}", place) for place, other in enumerate(imports(number))]
        found[f"{folder}/{language.file.format(f'n{number}')}"] = "\n".join([*lines, language.last])
    return {**found, "assetbuild.toml": _CONFIG.get(engine, "")}


def _next(count: int) -> Callable[[int], list[int]]:
    return lambda number: [number + 1] if number + 1 < count else []


def _both(levels: int) -> Callable[[int], list[int]]:
    """Return the imports of a ladder: each rung names both files of the next one."""

    def imports(number: int) -> list[int]:
        rung = (number + 1) // 2
        return [2 * rung + 1, 2 * rung + 2] if rung < levels else []

    return imports


def cases() -> Iterator[Case]:
    """Yield the cases of all languages that import."""
    for engine, language in _LANGUAGES.items():
        first = partial(_files, engine)
        short = engine in ("css, bundled", "dart-sass, @use", "module")
        named = "" if language.cycled == PUBLISHED else "n0"
        yield Case(
            engine,
            "a file that imports itself",
            partial(first, lambda _: [0], 1),
            language.cycled,
            named,
            is_short=short,
        )
        yield Case(engine, "a cycle", partial(first, lambda n: [(n + 1) % 3], 3), language.cycled, named)
        yield Case(engine, "a chain of 10,000", partial(first, _next(CHAIN), CHAIN), language.chained)
        count = 2 * DOUBLINGS + 1
        yield Case(
            engine, "a ladder with 2^30 ways", partial(first, _both(DOUBLINGS), count), language.doubled, is_short=short
        )
    yield from _own_output()


def _own_output() -> Iterator[Case]:
    def within(engine: str, text: str) -> Files:
        return CARRIERS[engine].around(text)

    for engine, (text, rule) in {
        "css": ('@import "../build/assets/manifest.json";', "missing-reference"),
        "css, bundled": ('@import "../build/assets/a.css";', "missing-reference"),
        "dart-sass": ('@use "../build/assets/a";', "missing-stylesheet"),
        "libsass": ('@import "../build/assets/a";', "missing-stylesheet"),
        "module": ('import "../build/assets/manifest.json"', "outside-roots"),
    }.items():
        yield Case(engine, "an import of the output", partial(within, engine, text), rule, CARRIERS[engine].file)

"""Nesting: every bracket and every production that a parser may recurse into, a hundred thousand deep.

The depths at which engines died on a stack of 8 MB lie between 2,000 and 10,000 levels (docs/explanation/door.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from tests.hostile.case import JOINED, PUBLISHED, Case, carried

__all__ = ["cases"]

DEPTH = 100_000


class Pattern(NamedTuple):
    """`head`, then `opening` again and again, `middle`, and as many `closing`."""

    opening: str
    middle: str = ""
    closing: str = ""
    head: str = ""

    def text(self, depth: int) -> str:
        """Return the pattern, `depth` deep."""
        return f"{self.head}{self.opening * depth}{self.middle}{self.closing * depth}"


_CSS = {
    "blocks": Pattern("a{", "b:c", "}"),
    "open blocks": Pattern("a{"),
    "@media": Pattern("@media all{", "a{b:c}", "}"),
    "@supports": Pattern("(", "a:b", ")", "@supports "),
    "not": Pattern("(not ", "(a:b)", ")", "@supports "),
    ":is()": Pattern(":is(", "a", ")", "x"),
    ":not()": Pattern(":not(", "a", ")", "x"),
    "calc()": Pattern("calc(1 + ", "1", ")", "a{b:"),
    "brackets": Pattern("[", "a", "]", "a{--b:"),
    "var()": Pattern("var(--a,", "1", ")", "a{b:"),
}
_SCSS = {
    "blocks": _CSS["blocks"],
    "@media": _CSS["@media"],
    "@if": Pattern("@if true{", "a{b:c}", "}"),
    "parentheses": Pattern("(", "1", ")", "$a:"),
    "maps": Pattern("(a:", "1", ")", "$a:"),
    "interpolation": Pattern("#{", "1", "}", "a{b:"),
    ":not()": _CSS[":not()"],
    "calc()": _CSS["calc()"],
    "minus": Pattern("-", "1", "", "$a:"),
    "not": Pattern("not ", "1", "", "$a:"),
    "sum": Pattern("1+", "1", "", "$a:"),
}
_JS = {
    "brackets": Pattern("[", "", "]", "a="),
    "open brackets": Pattern("[", head="a="),
    "parentheses": Pattern("(", "1", ")", "a="),
    "objects": Pattern("{a:", "1", "}", "a="),
    "blocks": Pattern("{", "", "}"),
    "functions": Pattern("function f(){", "", "}"),
    "classes": Pattern("class A{a=", "1", "}"),
    "calls": Pattern("a(", "", ")"),
    "templates": Pattern("`${", "1", "}`", "a="),
}
# Recursion that no bracket shows.
_JS_WITHOUT_BRACKETS = {
    "arrows": Pattern("a=>", "1", "", "b="),
    "not": Pattern("!", "1", "", "a="),
    "minus": Pattern("- ", "1", "", "a="),
    "typeof": Pattern("typeof ", "1", "", "a="),
    "assignments": Pattern("a=", "1"),
    "conditions": Pattern("a?b:", "1", "", "a="),
    "powers": Pattern("1**", "1", "", "a="),
    "sum": Pattern("1+", "1", "", "a="),
    "if": Pattern("if(a)", ";"),
    "else if": Pattern("if(a);else ", ";"),
    "labels": Pattern("a:", ";"),
    "for": Pattern("for(;;)", ";"),
    "members": Pattern(".a", "", "", "a=b"),
    "new": Pattern("new ", "a"),
}
_TS = {
    "type arguments": Pattern("A<", "1", ">", "type B="),
    "array types": Pattern("[", "1", "]", "type B="),
    "conditional types": Pattern("A extends B?C:", "1", "", "type D="),
    "keyof": Pattern("keyof ", "A", "", "type B="),
    "namespaces": Pattern("namespace a{", "", "}"),
}
_JSX = {"elements": Pattern("<a>", "", "</a>", "x="), "attributes": Pattern("<a b={", "1", "}/>", "x=")}
_REGEX = Pattern("(", "a", ")", "a=/")

_TOO_DEEP = "too-deep"


def _of(engines: str, patterns: dict[str, Pattern], rule: str, short: str = "", **more: object) -> Iterator[Case]:
    for engine in engines.split(" | "):
        for name, pattern in patterns.items():
            text, is_short = partial(pattern.text, DEPTH), name in short.split(" | ")
            yield carried(engine, f"nested {name}", text, rule, is_short=is_short, **more)


_LIMITS = "engine-crashed | engine-timeout | engine-memory"
_UNREADABLE = "unreadable-script"
# What ends in another way than the rest of its kind, by language and by what is nested.
_DART_SASS = {"minus": PUBLISHED, "not": "engine-crashed", "sum": f"{PUBLISHED} | {_LIMITS}"}
_LIBSASS = {"minus": f"{PUBLISHED} | {_LIMITS}", "not": "sass-error", "sum": "sass-error"}
_MAYBE = f"{PUBLISHED} | {_LIMITS}"
_ESBUILD = {"arrows": "engine-crashed", **dict.fromkeys(("conditions", "if", "else if", "labels"), _MAYBE)}
_ESBUILD_TYPES = {"type arguments": PUBLISHED, "array types": _TOO_DEEP, "namespaces": _TOO_DEEP}


def cases() -> Iterator[Case]:
    """Yield the cases of all engines."""
    yield from _of("css | css, bundled | css, lowered | rcssmin | cssmin | module css", _CSS, _TOO_DEEP, "brackets")
    yield from _each("dart-sass", _SCSS, _TOO_DEEP, _DART_SASS)
    yield from _each("libsass", _SCSS, _TOO_DEEP, _LIBSASS)
    yield from _of("script", _JS | _JS_WITHOUT_BRACKETS, PUBLISHED)
    yield from _of("script, minified | classic | module | typescript | jsx", _JS, _TOO_DEEP, "brackets")
    yield from _of("script, minified", _JS_WITHOUT_BRACKETS, PUBLISHED)  # as they stand: the minifier refuses them
    yield from _of("classic", _JS_WITHOUT_BRACKETS, _UNREADABLE)
    # A filter reads the joined text, and is judged by what the minifier says of that.
    yield from _of("jsmin", _JS | _JS_WITHOUT_BRACKETS, _UNREADABLE, named=JOINED)
    for engine in ("module", "typescript", "jsx"):
        yield from _each(engine, _JS_WITHOUT_BRACKETS, PUBLISHED, _ESBUILD)
    yield from _each("typescript", _TS, PUBLISHED, _ESBUILD_TYPES)
    yield from _of("jsx | tsx", _JSX, _TOO_DEEP, "elements")
    yield from _others()


def _each(engine: str, patterns: dict[str, Pattern], rule: str, others: Mapping[str, str]) -> Iterator[Case]:
    for name, pattern in patterns.items():
        yield carried(engine, f"nested {name}", partial(pattern.text, DEPTH), others.get(name, rule))


def _others() -> Iterator[Case]:
    one = carried

    def deep(pattern: Pattern) -> Callable[[], str]:
        return partial(pattern.text, DEPTH)

    yield one(
        "sass, indented",
        "nested blocks",
        lambda: "".join(f"{' ' * n}a\n" for n in range(3000)) + " " * 3000 + "b: c",
        _TOO_DEEP,
    )
    yield one("module json", "nested brackets", deep(Pattern("[", "", "]")), _TOO_DEEP, is_short=True)
    yield one("tsconfig", "nested brackets", deep(Pattern("[", "", "]")), _TOO_DEEP, is_short=True)
    yield one("package.json", "nested brackets", deep(Pattern("[", "", "]")))
    yield one("source map", "nested brackets", deep(Pattern("[", "", "]")), named="broken-source-map")
    yield one("svg", "nested elements", deep(Pattern("<g>", "", "</g>", '<svg xmlns="http://www.w3.org/2000/svg">')))
    yield one("html", "nested elements", deep(Pattern("<b>", "", "</b>")))
    yield one("web manifest", "nested brackets", deep(Pattern("[", "", "]")), "invalid-json")
    yield one("configuration", "nested brackets", deep(Pattern("[", "", "]", "roots=")), "invalid-toml", exit_code=2)
    yield one("configuration", "nested tables", deep(Pattern("{a=", "1", "}", "css=")), "invalid-toml", exit_code=2)
    yield one("configuration", "dotted keys", deep(Pattern("a.", "a=1")), "invalid-toml", exit_code=2)
    yield one("bundles.yaml", "nested brackets", deep(Pattern("[", "", "]")), _TOO_DEEP, exit_code=2)
    yield one(
        "bundles.yaml",
        "nested bundles",
        lambda: "".join(f"{' ' * n}a:\n" for n in range(2000)),
        _TOO_DEEP,
        is_short=True,
        exit_code=2,
    )
    contents = Pattern("{contents: [", "harmless.txt", "]}", "a: ")
    yield one("bundles.yaml", "bundles in bundles", partial(contents.text, 300), _TOO_DEEP, exit_code=2)
    doubled = "".join(f"x{n}: &x{n} {{contents: [*x{n - 1}, *x{n - 1}]}}\n" for n in range(1, 31))
    yield one(
        "bundles.yaml",
        "aliases that double",
        lambda: "x0: &x0 {contents: [harmless.txt]}\n" + doubled,
        _TOO_DEEP,
        exit_code=2,
    )
    yield one("jinja", "nested if", deep(Pattern("{% if a %}", "", "{% endif %}")), "unreadable-template")
    yield one("jinja", "nested parentheses", deep(Pattern("(", "1", ")", "{{ ")), "unreadable-template")
    yield one("jinja", "not", deep(Pattern("not ", "1 }}", "", "{{ ")), "unreadable-template")
    yield one("django", "nested if", deep(Pattern("{% if a %}", "", "{% endif %}")))

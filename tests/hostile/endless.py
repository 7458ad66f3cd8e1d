"""Loops and recursion without an end, and what grows until no memory is left."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.hostile.case import PUBLISHED, Case, carried

__all__ = ["cases"]

_SASS = {
    "@while true": ("@while true {}", "engine-timeout"),
    "@while true that writes": ("@while true { a { b: c } }", "engine-memory"),
    "@while true that warns": ("@while true { @warn 'again' }", "too-many-messages"),
    "@for without an end": ("@for $i from 1 through 1000000000000 {}", "engine-timeout"),
    "recursive @function": ("@function f($n) { @return f($n + 1) } a { b: f(1) }", "engine-crashed"),
    "recursive @mixin": ("@mixin m { @include m } a { @include m }", "engine-crashed"),
    "a string that doubles": (
        "$a: 'aaaaaaaaaaaaaaaa'; @while true { $a: $a + $a !global }",
        "engine-memory",
    ),
    "a list that doubles": (
        "@use 'sass:list'; $a: 1 2 3; @while true { $a: list.join($a, $a) !global }",
        "engine-memory",
    ),
    "selectors that multiply": ("a,b{" * 24 + "c:d" + "}" * 24, "engine-memory"),
    "@extend that multiplies": (
        "".join(
            f".a{n}{{@extend .a{n + 1};@extend .b{n + 1}}}.b{n}{{@extend .a{n + 1};@extend .b{n + 1}}}"
            for n in range(40)
        )
        + ".a40{c:d}.b40{c:d}",
        PUBLISHED,
    ),
}
_LIBSASS = {
    "@while true": "engine-timeout",
    "@while true that writes": "engine-memory",
    "@while true that warns": "engine-timeout",
    "@for without an end": "engine-timeout",
    "recursive @function": "sass-error",
    "recursive @mixin": "sass-error",
    "a string that doubles": "engine-memory",
    "selectors that multiply": "engine-memory",
}


def cases() -> Iterator[Case]:
    """Yield the cases of both Sass compilers: no other language that the house reads can run."""
    for name, (text, rule) in _SASS.items():
        yield carried("dart-sass", name, partial(str, text), rule, is_short=name.startswith("recursive"), limit_s=150)
    for name, rule in _LIBSASS.items():
        text = _SASS[name][0]
        yield carried("libsass", name, partial(str, text), rule, is_short=name.startswith("recursive"))

"""Patterns keep to what every Python from 3.11.0 on matches alike."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import assetbuild.compiler


def patterns() -> dict[str, re.Pattern[str]]:
    """Return every pattern that a module of the compiler holds, by its name."""
    found = {}
    for module in pkgutil.walk_packages(assetbuild.compiler.__path__, "assetbuild.compiler."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for number, pattern in enumerate(held(value)):
                found[f"{module.name}.{name}.{number}"] = pattern
    return found


def held(value: Any) -> Iterator[re.Pattern[str]]:
    """Yield the patterns in a value: itself, or in what it is made of."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | frozenset | set | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from held(each)


def possessive_groups(parsed: Any) -> Iterator[Any]:
    """Yield the possessive repeats of more than one character."""
    for operation, argument in parsed:
        if operation is _constants.POSSESSIVE_REPEAT:
            body = list(argument[2])
            if len(body) != 1 or body[0][0] not in {
                _constants.IN,
                _constants.LITERAL,
                _constants.NOT_LITERAL,
                _constants.ANY,
            }:
                yield argument
        values = argument if isinstance(argument, (tuple, list)) else [argument]
        for value in values:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, _parser.SubPattern):
                    yield from possessive_groups(each)


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Before Python 3.11.5 `(?:…)*+` forgets to go back where an iteration fails half-way (CPython gh-106052)."""
    found = patterns()

    assert len(found) > 30
    assert [] == [
        name for name, pattern in found.items() if any(possessive_groups(_parser.parse(pattern.pattern, pattern.flags)))
    ]


def test_the_search_for_such_patterns_finds_them() -> None:
    assert any(possessive_groups(_parser.parse(r"a(?:bc)*+")))
    assert any(possessive_groups(_parser.parse(r"(?:x(?:bc|d)++|y)")))
    assert not any(possessive_groups(_parser.parse(r"(?>(?:[ab]++|c)*)")))

"""Typed reading of a configuration document: every key asked for once, every fault collected with its place.

`Document` holds the text and the findings, `Table` is a view of one table. A fault never stops the reading: the value
counts as its default, and all faults of a run are shown at once. What a key *means* is decided in `config.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from assetbuild.compiler.config.locate import Path, Place, locate, written
from assetbuild.diagnostic import Diagnostic, Span, nearest, span_at

__all__ = ["Check", "Document", "Meant", "Table"]

Choice = TypeVar("Choice", bound=str)
Value = TypeVar("Value")
Check = Callable[[str], str | None]
"""Says what is wrong with a string (`"must be relative"`), None if nothing is."""
Meant = Callable[[str], str]
"""Says which string was clearly meant by one that a check refuses, "" if none was."""

_TYPE_NAMES = {bool: "bool", int: "int", float: "float", str: "string", list: "list", dict: "table"}


class Document:
    """One configuration text, read. shown: name of the file, "" without one. prefix: path of our table in it."""

    def __init__(self, shown: str, text: str, document: Mapping[str, object], prefix: Path = ()) -> None:
        self.shown = shown
        self.text = text
        self.prefix = prefix
        self.findings: list[Diagnostic] = []
        self._document = document

    @functools.cached_property
    def _places(self) -> Mapping[Path, Place]:
        return locate(self.text, self._document)

    def error(self, rule: str, message: str, path: Path | None, hint: str = "", *, at_key: bool = False) -> None:
        """Add an error about the value at `path`, which is relative to our table; `at_key`: about its key.

        path: None for what was said elsewhere, by an option or the environment.
        """
        place = self._places.get(self.prefix + path) if path is not None else None
        span = Span(self.shown) if self.shown and path is not None else None
        if place is not None:
            span = span_at(self.shown, self.text, *(place.key if at_key else place.value))
        self.findings.append(Diagnostic(rule, "error", message, span, hint))

    def fault(self, found: object, problem: str, path: Path, hint: str = "", *, at_key: bool = False) -> None:
        """Add an error: what is wrong with `found`, the value (or key) at `path`."""
        self.error("bad-value", f"`{found}` {problem}, at {self.where(path)}", path, hint, at_key=at_key)

    def where(self, path: Path) -> str:
        """Return the place as messages name it: `` `tool.assetbuild.roots[1]` (pyproject.toml) ``."""
        return f"`{written(self.prefix + path)}`" + (f" ({self.shown})" if self.shown else "")


class Table:
    """A table of the document. A key that nobody has asked for when `close` is called is an error."""

    def __init__(self, document: Document, values: Mapping[str, object], path: Path = ()) -> None:
        self.document = document
        self.values = values
        self.path = path
        self._known: set[str] = set()

    def has(self, key: str) -> bool:
        """Return whether the key is written; it counts as known."""
        self._known.add(key)
        return key in self.values

    def flag(self, key: str, default: bool) -> bool:
        """Return a bool."""
        if not self.has(key):
            return default
        found = self.values[key]
        return found if isinstance(found, bool) else self._mistyped("true or false", found, key, default)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        if not self.has(key):
            return default
        found = self.values[key]
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return self._mistyped("a number", found, key, default)
        if not low <= found <= high:
            self.fault(found, f"is not between {low:g} and {high:g}", key)
            return default
        return float(found)

    def text(self, key: str, default: str, check: Check | None = None, meant: Meant | None = None) -> str:
        """Return a string that `check` has nothing against; `meant` says which one was, if it refuses it."""
        if not self.has(key):
            return default
        found = self.values[key]
        if not isinstance(found, str):
            return self._mistyped("a string", found, key, default)
        problem = check(found) if check else None
        if problem is not None:
            near = meant(found) if meant else ""
            self.fault(found, problem, key, hint=f"did you mean `{near}`?" if near else "")
        return default if problem is not None else found

    def needed(self, key: str, check: Check, place: Path) -> str:
        """Return a string that must be there, "" if it is not or `check` refuses it. place: of a fault."""
        if not self.has(key):
            self.document.error("missing-key", f"`{key}` is missing at {self.document.where(self.path)}", self.path)
            return ""
        found = self.values[key]
        if not isinstance(found, str):
            return self._mistyped("a string", found, key, "")
        problem = check(found)
        if problem is not None:
            self.document.fault(found, problem, place)
        return "" if problem is not None else found

    def choice(self, key: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """Return one of `choices`."""
        found = self.text(key, default)
        for choice in (default, *choices):
            if choice == found:
                return choice
        where = self.document.where((*self.path, key))
        self._unknown("unknown-value", found, choices, f"is not a value of {where}", key)
        return default

    def texts(self, key: str, check: Check | None = None, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of strings that `check` has nothing against; faults name the item."""
        if not self.has(key):
            return default
        found = self.values[key]
        if not isinstance(found, list):
            return self._mistyped("a list of strings", found, key, default)
        good = []
        for number, item in enumerate(found):
            if not isinstance(item, str):
                self.mistyped("a list of strings", item, key, number)
            elif self.passes(item, check, key, number):
                good.append(item)
        return tuple(good)

    def mapping(self, check_key: Check | None = None, check: Check | None = None) -> Mapping[str, str]:
        """Return this table as strings by keys that are the user's own."""
        texts = {}
        for name, text in self.values.items():
            if not isinstance(text, str):
                self.mistyped("a string", text, name)
            elif self.passes(name, check_key, name, at_key=True) and self.passes(text, check, name):
                texts[name] = text
        return texts

    def items(self, key: str) -> list[object]:
        """Return a list of anything; the caller checks each item."""
        if not self.has(key):
            return []
        found = self.values[key]
        return found if isinstance(found, list) else self._mistyped("a list", found, key, [])

    def table(self, key: str) -> Table:
        """Return a table, an empty one if it is absent."""
        found = self.values[key] if self.has(key) else {}
        if not isinstance(found, Mapping):
            found = self._mistyped("a table", found, key, {})
        return Table(self.document, found, (*self.path, key))

    def passes(self, text: str, check: Check | None, *steps: str | int, at_key: bool = False) -> bool:
        """Return whether `check` has nothing against `text`, the value (or key) at `steps`; else add its fault."""
        problem = check(text) if check else None
        if problem is not None:
            self.fault(text, problem, *steps, at_key=at_key)
        return problem is None

    def fault(self, found: object, problem: str, *steps: str | int, hint: str = "", at_key: bool = False) -> None:
        """Add an error: what is wrong with `found`, the value (or key) at `steps` below this table."""
        self.document.fault(found, problem, (*self.path, *steps), hint, at_key=at_key)

    def mistyped(self, expected: str, found: object, *steps: str | int) -> None:
        """Add an error: the value at `steps` is of another type."""
        path = (*self.path, *steps)
        name = _TYPE_NAMES.get(type(found), "date or time")
        message = f"expected {expected}, got `{name}` at {self.document.where(path)}"
        self.document.error("wrong-type", message, path)

    def close(self, later: Iterable[str] = ()) -> None:
        """Report every key that is not known; `later`: keys that a later version will know."""
        later = set(later)
        for key in self.values:
            if key in self._known:
                continue
            path = (*self.path, key)
            if key in later:
                message = f"`{written(self.document.prefix + path)}` is not supported by this version yet"
                self.document.error("not-supported", message, path, at_key=True)
            else:
                where = self.document.where(self.path) if self.document.prefix + self.path else self.document.shown
                self._unknown("unknown-key", key, self._known, f"is not a key of {where}", key)

    def _unknown(self, rule: str, found: str, known: Iterable[str], problem: str, key: str) -> None:
        meant = nearest(found, known)
        hint = f"did you mean `{meant}`?" if meant else "known: " + ", ".join(f"`{word}`" for word in sorted(known))
        at_key = rule == "unknown-key"
        self.document.error(rule, f"`{found}` {problem}", (*self.path, key), hint, at_key=at_key)

    def _mistyped(self, expected: str, found: object, key: str, default: Value) -> Value:
        self.mistyped(expected, found, key)
        return default

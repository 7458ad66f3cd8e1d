"""The value of the object that a JavaScript or TypeScript configuration exports, as far as it is written out.

Receives a text; hands on values with their places, by our own lexer: nothing runs. What only running could tell is an
`Unknown`, and so is a call, which keeps the name of its function.
"""

from __future__ import annotations

import json
import os
import posixpath
from typing import NamedTuple

from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.js.tokens import NAME, NUMBER, STRING, TEMPLATE, string_value, template_value

__all__ = ["Node", "Unknown", "exported"]

_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_WRAPPERS = {"defineConfig", "fileURLToPath"}
_JOINS = {"path.resolve", "path.join", "resolve", "join"}


class Unknown(NamedTuple):
    """A value that is not written out. function: what is called, "" if it is no call."""

    function: str = ""


class Node(NamedTuple):
    """A value and where it is written. value: str, int, float, bool, None, list or dict of nodes, or `Unknown`."""

    value: object
    start: int
    end: int

    def get(self, *keys: str) -> Node | None:
        """Return what an object holds under keys one inside the other, None if there is no such."""
        found: Node | None = self
        for key in keys:
            found = found.value.get(key) if found is not None and isinstance(found.value, dict) else None
        return found

    def text(self) -> str:
        """Return the value if it is a text, else ""."""
        return self.value if isinstance(self.value, str) else ""


def exported(text: str, folder: str) -> Node | None:
    """Return what the module exports by `export default` or `module.exports`, None if it exports nothing so.

    folder: of the file, absolute, for `__dirname` and `import.meta.dirname`.
    """
    try:
        return _Reader(text, folder).exported()
    except RecursionError:
        return None


class _Reader:
    def __init__(self, text: str, folder: str) -> None:
        self._text = text
        self._folder = folder
        lexed = lex(text, "module")
        self._tokens = [(lexed.kinds[i], lexed[i], lexed.starts[i], lexed.starts[i + 1]) for i in lexed.significant()]
        self._size = len(self._tokens)
        self._tokens.append((-1, "", len(text), len(text)))
        self._at = 0
        self._constants: dict[str, int] = {}
        self._busy: set[str] = set()
        depth = 0
        for number, (_, word, _, _) in enumerate(self._tokens):
            depth += (word in _OPEN) - (word in _CLOSE)
            if depth == 0 and word in {"const", "let", "var"} and self._word(number + 2) == "=":
                self._constants[self._word(number + 1)] = number + 3

    def exported(self) -> Node | None:
        for number in range(self._size):
            if self._word(number) == "export" and self._word(number + 1) == "default":
                return self._value_at(number + 2)
            if [self._word(number + k) for k in range(4)] == ["module", ".", "exports", "="]:
                return self._value_at(number + 4)
        return None

    def _word(self, number: int) -> str:
        return self._tokens[number][1] if 0 <= number < self._size else ""

    def _kind(self) -> int:
        return self._tokens[min(self._at, self._size)][0]

    def _value_at(self, number: int) -> Node:
        outer, self._at = self._at, number
        try:
            return self._value()
        finally:
            self._at = outer

    def _value(self) -> Node:
        """Return the expression that begins here, and stand behind it."""
        first = self._at
        value = self._function() if self._is_function() else self._primary()
        while self._word(self._at) in {"as", "satisfies"}:
            self._skip()
        if self._word(self._at) not in {",", ";", "}", "]", ")", ""} and not self._begins_line():
            value = Unknown()
            self._skip()
        start = self._tokens[min(first, self._size)][2]
        end = self._tokens[min(self._at, self._size) - 1][3] if self._at > first else start
        return Node(value, start, max(start, end))

    def _begins_line(self) -> bool:
        """Return whether a statement begins here: behind the exported value the semicolon may be missing."""
        return self._word(self._at) in {"export", "const", "let", "var", "function"}

    def _skip(self) -> None:
        """Go to the end of the expression."""
        depth = 0
        while self._at < self._size:
            word = self._word(self._at)
            if depth == 0 and word in {",", ";", "}", "]", ")"}:
                return
            depth += (word in _OPEN) - (word in _CLOSE)
            self._at += 1

    def _is_function(self) -> bool:
        """Return whether an arrow function or a `function` begins here."""
        number = self._at + (self._word(self._at) == "async")
        if self._word(number) == "function":
            return True
        if self._word(number) == "(":
            depth = 0
            while number < self._size:
                depth += (self._word(number) in _OPEN) - (self._word(number) in _CLOSE)
                number += 1
                if depth == 0:
                    break
            return self._word(number) == "=>" or self._word(number) == ":"
        return self._word(number + 1) == "=>"

    def _function(self) -> object:
        """Return what a function returns that has one `return`, whatever it is given; stand behind it."""
        while self._at < self._size and self._word(self._at) not in {"=>", "{"}:
            if self._word(self._at) == "(":
                self._at = self._closing(self._at)
            self._at += 1
        if self._word(self._at) == "=>":
            self._at += 1
        if self._word(self._at) != "{":
            return self._value().value
        end = self._closing(self._at)
        returns = [n for n in range(self._at, end) if self._word(n) == "return"]
        value = self._value_at(returns[0] + 1).value if len(returns) == 1 else Unknown()
        self._at = end + 1
        return value

    def _closing(self, number: int) -> int:
        depth = 0
        while number < self._size:
            depth += (self._word(number) in _OPEN) - (self._word(number) in _CLOSE)
            if depth == 0:
                return number
            number += 1
        return self._size

    def _primary(self) -> object:
        kind, word = self._kind(), self._word(self._at)
        if word == "{":
            return self._object()
        if word == "[":
            return self._array()
        if word == "(":
            self._at += 1
            value = self._value().value
            self._at += 1
            return value
        if kind == STRING:
            self._at += 1
            return string_value(word[1:-1])
        if kind == TEMPLATE:
            self._at += 1
            return template_value(word[1:-1])
        if kind == NUMBER:
            self._at += 1
            return _number(word)
        if word in _WORDS:
            self._at += 1
            return _WORDS[word]
        return self._named()

    def _named(self) -> object:
        """Return what a name stands for, or a call of one."""
        first = self._at
        parts = [self._word(self._at)]
        self._at += 1
        while self._word(self._at) == "." or (parts == ["new"] and self._kind() == NAME):
            if self._word(self._at) == ".":
                self._at += 1
            parts.append(self._word(self._at))
            self._at += 1
        dotted = ".".join(parts)
        if self._word(self._at) == "(":
            return self._call(dotted)
        if dotted in {"__dirname", "import.meta.dirname"}:
            return self._folder
        if dotted == "import.meta.url":
            return posixpath.join(self._folder, "config")
        if dotted in self._constants and dotted not in self._busy:
            self._busy.add(dotted)
            value = self._value_at(self._constants[dotted]).value
            self._busy.discard(dotted)
            return value
        if self._at == first + 1 and self._tokens[min(first, self._size)][0] != NAME:
            self._skip()
        return Unknown()

    def _call(self, dotted: str) -> object:
        end = self._closing(self._at)
        self._at += 1
        given = []
        while self._at < end:
            given.append(self._value().value)
            if self._word(self._at) != ",":
                break
            self._at += 1
        self._at = end + 1
        texts = [one for one in given if isinstance(one, str)]
        if dotted == "JSON.stringify" and len(given) == 1 and isinstance(given[0], str | int | float | None):
            return json.dumps(given[0])
        if dotted in _WRAPPERS and given:
            return given[0]
        if dotted in _JOINS and texts and len(texts) == len(given):
            return os.path.normpath(os.path.join(self._folder, *texts))
        if dotted in {"new.URL", "newURL"} and texts and len(texts) == len(given):
            return os.path.normpath(os.path.join(os.path.dirname(texts[-1]), texts[0]))
        if dotted == "process.cwd":
            return self._folder
        return Unknown(dotted)

    def _object(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        self._at += 1
        while self._at < self._size and self._word(self._at) != "}":
            before = self._at
            kind, word, start, _ = self._tokens[self._at]
            if word in {",", "..."}:
                self._at += 1
                if word == "...":
                    spread = self._value()
                    if isinstance(spread.value, dict):
                        found |= spread.value
                    else:
                        found[f"...{spread.start}"] = spread
                continue
            key = string_value(word[1:-1]) if kind == STRING else word
            following = self._word(self._at + 1)
            if following == ":":
                self._at += 2
                found[key] = self._value()
            elif following in {",", "}"}:
                found[key] = self._value()
            else:  # a method, a getter, a computed key
                self._skip()
                found[key] = Node(Unknown(), start, self._tokens[self._at - 1][3])
            self._at += self._at == before
        self._at += 1
        return found

    def _array(self) -> list[Node]:
        found: list[Node] = []
        self._at += 1
        while self._at < self._size and self._word(self._at) != "]":
            before = self._at
            if self._word(self._at) not in {",", "..."}:
                found.append(self._value())
            self._at += self._at == before
        self._at += 1
        return found


def _number(word: str) -> object:
    try:
        return int(word.replace("_", ""), 0)
    except ValueError:
        try:
            return float(word.replace("_", ""))
        except ValueError:
            return Unknown()

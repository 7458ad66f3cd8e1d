"""What the lexer hands on: the tokens of one text in columns, and what is wrong with its brackets."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Literal, NamedTuple

from assetbuild.compiler.refs.js.tokens import TRIVIA

__all__ = ["Fault", "Goal", "Lexed"]

Goal = Literal["script", "module"]


class Fault(NamedTuple):
    """Something left open, or a bracket that closes nothing.

    what: `comment`, `string`, `template`, `regular expression`, one of `( [ {` left open, or one of `) ] }` too many.
    """

    what: str
    start: int


class Lexed:
    """Tokens of a text as columns, trivia included: `text[starts[i]:starts[i + 1]]` is the i-th, of kind `kinds[i]`.

    `self[i]` is its text, "" before the first and after the last.

    faults: in the order of the text. too_deep: offset of the bracket that passes the nesting limit; what follows it is
    one UNREAD token. calls: index of the `(` of an `import(…)` → index of its `)`. depths: index of a keyword
    `import` or `export` → open brackets around it. line_ends: indices of tokens behind which a line ends where a
    statement or class member may be complete, so that the line end may matter (§12.10). is_goal_sensitive: read as the
    other goal, tokens may differ (`<!--`, `-->`, `await`). is_statement_end: the text ends where a statement begins,
    so that nothing that follows it can continue its last one.
    """

    __slots__ = (
        "calls",
        "depths",
        "faults",
        "is_goal_sensitive",
        "is_statement_end",
        "kinds",
        "line_ends",
        "starts",
        "text",
        "too_deep",
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds = bytearray()
        self.starts = array("I")
        self.faults: list[Fault] = []
        self.too_deep: int | None = None
        self.calls: dict[int, int] = {}
        self.depths: dict[int, int] = {}
        self.line_ends: set[int] = set()
        self.is_goal_sensitive = False
        self.is_statement_end = True

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self.kinds):
            return ""
        return self.text[self.starts[index] : self.starts[index + 1]]

    def significant(self) -> Iterator[int]:
        """Yield the indices of the tokens that are no trivia."""
        return (index for index, kind in enumerate(self.kinds) if kind > TRIVIA)

    def after(self, index: int) -> int:
        """Return the index of the next token that is no trivia; `len(self)` at the end."""
        index += 1
        while index < len(self.kinds) and self.kinds[index] <= TRIVIA:
            index += 1
        return index

    def before(self, index: int) -> int:
        """Return the index of the token before that is no trivia; -1 at the beginning."""
        index -= 1
        while index >= 0 and self.kinds[index] <= TRIVIA:
            index -= 1
        return index

"""Jinja's lexer and parser with two things added: every node knows its place, and an unknown tag is stepped over.

Receives texts; hands on nodes. What an unknown tag means is nobody's guess here: its name is told, its arguments are
searched for calls of ours, and what stands before its `end…` is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Lexer, Token, TokenStream
from jinja2.parser import Parser

from assetbuild.diagnostic import Lines, Span
from assetbuild.inspect.uses import NAMING

__all__ = ["PlacedEnvironment", "TolerantParser", "place_of"]

# Jinja documentation, "List of Control Structures" and the statements after it; `raw` is the lexer's.
_STATEMENTS = frozenset(
    "autoescape block call extends filter for from if import include macro print raw set with".split()  # noqa: SIM905
)
_BRANCHES = frozenset({"elif", "else", "pluralize"})


class Line(int):
    """A line number that knows its token's place: a node of Jinja keeps the line of its token and nothing else."""

    lines: Lines
    start: int
    end: int


def place_of(shown: str, line: int, text: str = "") -> Span:
    """Return the place of a token, or of a line where Jinja itself says no more."""
    if isinstance(line, Line):
        # Jinja ends no line at a form feed.
        return line.lines.span(shown, line.start, line.end)._replace(line=int(line))
    lines = text.split("\n")
    return Span(shown, line, 0, 0, lines[line - 1] if 0 < line <= len(lines) else "")


class PlacedLexer(Lexer):
    """Jinja's lexer, its line numbers ours."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """Yield line, kind and text of each token."""
        at, lines = 0, Lines(source)
        for number, kind, value in super().tokeniter(source, name, filename, state):
            # Nothing lies between two tokens but white space that a `-` has taken away.
            while not source.startswith(value, at) and source[at : at + 1].isspace():
                at += 1
            line = Line(number)
            line.lines, line.start, line.end = lines, at, at + len(value)
            at = line.end
            yield line, kind, value


class PlacedEnvironment(Environment):
    """An environment whose nodes know their places."""

    @property
    def lexer(self) -> Lexer:
        """The lexer that this environment's delimiters ask for."""
        return PlacedLexer(self)


class TolerantParser(Parser):
    """Jinja's parser, which steps over a tag that it does not know and reads what is in it."""

    def __init__(
        self, environment: Environment, text: str, shown: str, unknown: Callable[[str, str, int], None]
    ) -> None:
        super().__init__(environment, text, shown, shown)
        self._unknown = unknown
        self._open: list[str] = []
        self._text = text

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        """Return the nodes of one tag."""
        token = self.stream.current
        if token.type == "name" and not self._is_known(token.value):
            return self._unknown_tag(next(self.stream))
        with self._inside(""):
            return super().parse_statement()

    def _is_known(self, name: str) -> bool:
        if name in _BRANCHES:
            return not (self._open and self._open[-1])
        # An `end…` of nothing that is here is a tag like any other that nobody knows.
        closed = name.removeprefix("end")
        is_end = closed not in {name, ""}
        return self._is_own(name) or (is_end and (self._is_own(closed) or closed in self._open))

    def _is_own(self, name: str) -> bool:
        return name in _STATEMENTS or name in self.extensions

    @contextmanager
    def _inside(self, unknown: str) -> Iterator[None]:
        """Remember the tag that is open: a branch belongs to it, and it is "" for one that Jinja knows."""
        self._open.append(unknown)
        try:
            yield
        finally:
            self._open.pop()

    def _unknown_tag(self, tag: Token) -> list[nodes.Node]:
        if tag.value not in _BRANCHES:
            self._unknown("tag", tag.value, tag.lineno)
        arguments = self._to_the_end()
        found: list[nodes.Node] = [nodes.ExprStmt(call, lineno=tag.lineno) for call in self._calls(arguments)]
        if isinstance(tag.lineno, Line) and tag.lineno.start in self._with_body:
            with self._inside(tag.value):
                body = self.parse_statements((f"name:end{tag.value}",), drop_needle=True)
            self._to_the_end()
            found.append(nodes.Scope(body, lineno=tag.lineno))
        return found

    @cached_property
    def _with_body(self) -> set[int]:
        """Where the names of the tags stand that an `end…` closes."""
        # What the lexer cannot read is told when the parser comes to it: there may be a fault before.
        with suppress(TemplateSyntaxError):
            return _closed(self.environment.lexer.tokeniter(self.environment.preprocess(self._text), self.name))
        return set()

    def _to_the_end(self) -> list[Token]:
        """Return the tokens that are left in the tag."""
        tokens = []
        while self.stream.current.type not in ("block_end", "eof"):
            tokens.append(next(self.stream))
        return tokens

    def _calls(self, tokens: list[Token]) -> Iterator[nodes.Expr]:
        """Yield the calls of our functions in the arguments of a tag whose grammar is not known."""
        outer = self.stream
        for at, token in enumerate(tokens[:-1]):
            if token.type == "name" and token.value in NAMING and tokens[at + 1].type == "lparen":
                self.stream = TokenStream((tokens[n] for n in range(at, len(tokens))), self.name, self.filename)
                try:
                    yield self.parse_expression()
                finally:
                    self.stream = outer


def _closed(tokens: Iterator[tuple[int, str, str]]) -> set[int]:
    """Return where the names of those tags stand that an `end…` closes: each takes the nearest open one of its name."""
    opened: list[tuple[str, int]] = []
    names: Counter[str] = Counter()  # of the open ones: to look through them at each `end…` would cost their square
    closed: set[int] = set()
    is_first = False
    for line, kind, value in tokens:
        if kind == "name" and is_first and isinstance(line, Line):
            tag = value.removeprefix("end")
            if tag != value and names[tag]:
                name = ""
                while name != tag:
                    name, start = opened.pop()
                    names[name] -= 1
                closed.add(start)
            else:
                opened.append((value, line.start))
                names[value] += 1
        is_first = kind == "block_begin" or (is_first and kind == "whitespace")
    return closed

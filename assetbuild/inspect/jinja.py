"""Reading Jinja templates, inside the worker process: Jinja's own lexer, parser and code generator, nothing rendered.

Receives texts; hands on the names that they use and what cannot be read. The application is not there: its filters,
tests and extensions are unknown, so that what they bring is noted once and the rest of the file is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.idtracking import Symbols, symbols_for_node
from jinja2.lexer import Lexer, Token, TokenStream
from jinja2.parser import Parser

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.inspect.uses import NAMING, Use
from assetbuild.web.jinja import bundles

__all__ = ["read"]

# Jinja's own that change nothing but the tags that are known (Jinja documentation, "Extensions").
_OWN_EXTENSIONS = ("jinja2.ext.debug", "jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols")
# Jinja documentation, "List of Control Structures" and the statements after it.
_STATEMENTS = frozenset(
    "autoescape block call extends filter for from if import include macro print set with".split()  # noqa: SIM905
)
_BRANCHES = frozenset({"elif", "else", "pluralize"})


def read(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `uses` and `findings` of `templates`: shown path, text, and whether a broken one is an error.

    extensions: class and place in the configuration, each. project: the folder that they may be imported from.
    """
    environment = _environment(request)
    uses: list[Use] = []
    findings: list[Diagnostic] = []
    for shown, written, is_sure in request["templates"]:
        text = written.replace("\r\n", "\n").replace("\r", "\n")  # as Jinja itself does, so that offsets agree
        try:
            found = _Finder(environment, shown)
            found.visit(_Parser(environment, text, found).parse())
            uses += found.uses
            findings += found.findings
        except TemplateSyntaxError as error:
            message = f"Jinja cannot read the template: {(error.message or '').rstrip('.')}"
            place = _place(shown, error.lineno, text)
            findings.append(Diagnostic("unreadable-template", "error" if is_sure else "warning", message, place))
        except RecursionError:
            message = "the template is nested too deeply"
            findings.append(Diagnostic("unreadable-template", "error", message, Span(shown)))
    return {"uses": uses, "findings": findings}


def _environment(request: Mapping[str, Any]) -> Environment:
    environment = _Environment(extensions=_OWN_EXTENSIONS)
    if request["extensions"]:
        sys.path.insert(0, request["project"])
        sys.dont_write_bytecode = True  # a check leaves nothing among the sources
    for name, place in request["extensions"]:
        # Ours would open a manifest, and its tag is read here.
        if not name.startswith("assetbuild."):
            try:
                environment.add_extension(name)
            except (Exception, SystemExit) as error:  # noqa: BLE001  whatever the user's code raises is a finding
                message = f"extension `{name}` cannot be loaded: {type(error).__name__}: {error}"
                span = Span(*place) if place else None
                raise DiagnosticsError([Diagnostic("extension-failed", "error", message, span)]) from None
    environment.add_extension(_BundleTag)
    environment.filters = _Lenient(environment.filters)
    environment.tests = _Lenient(environment.tests)
    return environment


class _Line(int):
    """A line number that knows its token's place: a node of Jinja keeps the line of its token and nothing else."""

    source: str
    start: int
    end: int


def _place(shown: str, line: int, text: str) -> Span:
    """Return the place of a token, or of a line where Jinja itself says no more."""
    if isinstance(line, _Line):
        # Jinja ends no line at a form feed.
        return span_at(shown, line.source, line.start, line.end)._replace(line=int(line))
    lines = text.split("\n")
    return Span(shown, line, 0, 0, lines[line - 1] if 0 < line <= len(lines) else "")


class _Lexer(Lexer):
    """Jinja's lexer, its line numbers ours."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """Yield line, kind and text of each token."""
        at = 0
        for number, kind, value in super().tokeniter(source, name, filename, state):
            # Nothing lies between two tokens but white space that a `-` has taken away.
            while not source.startswith(value, at) and source[at : at + 1].isspace():
                at += 1
            line = _Line(number)
            line.source, line.start, line.end = source, at, at + len(value)
            at = line.end
            yield line, kind, value


class _Environment(Environment):
    """An environment whose nodes know their places."""

    @property
    def lexer(self) -> Lexer:
        """The lexer that this environment's delimiters ask for."""
        return _Lexer(self)


class _BundleTag(Extension):
    """The tag of webassets, whichever extension of the application's reads it."""

    tags = {"assets"}  # noqa: RUF012  as Jinja declares it
    priority = 1000  # the last to name a tag has it

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the block of a tag."""
        return bundles.parse(parser, self)


class _Lenient(dict[str, Any]):
    """Filters or tests: one that is unknown is found, and gives nothing that could be known before rendering."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return a function."""
        del default
        return super().get(key, _impossible)


def _impossible(*_: object, **__: object) -> None:
    raise nodes.Impossible


class _Finder(CodeGenerator):
    """Walks a template as Jinja compiles it, so that scopes, dead code and constants are Jinja's own judgement."""

    def __init__(self, environment: Environment, shown: str) -> None:
        super().__init__(environment, shown, shown, optimized=False)
        self.shown = shown
        self.uses: list[Use] = []
        self.findings: list[Diagnostic] = []
        self._exported: set[str] = set()

    def unknown(self, kind: str, name: str, line: int) -> None:
        """Note a filter, a test or a tag of an extension that is not here."""
        hint = "name its extension in `[templates] extensions`" if kind == "tag" else ""
        message = f"{kind} `{name}` is not Jinja's own: what it does is not known here"
        place, group = _place(self.shown, line, ""), f"unknown-{kind} {name}"
        self.findings.append(Diagnostic(f"unknown-{kind}", "note", message, place, hint, group=group))

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        """Walk a template. What it sets at its top is exported: its blocks see it, though they are apart."""
        self._exported = symbols_for_node(node).stores
        super().visit_Template(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        """Walk a filter."""
        if node.name not in self.environment.filters:
            self.unknown("filter", node.name, node.lineno)
        super().visit_Filter(node, frame)

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:  # noqa: N802
        """Walk a test."""
        if node.name not in self.environment.tests:
            self.unknown("test", node.name, node.lineno)
        super().visit_Test(node, frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        """Walk a call, which may be one of ours."""
        called = node.node
        if isinstance(called, nodes.Name):
            if not self._is_shadowed(called.name, frame):
                self._named(called.name, node, frame)
        elif isinstance(called, nodes.Getattr) and called.attr == "url_for":
            self._named("url_for", node, frame)
        super().visit_Call(node, frame, forward_caller=forward_caller)

    def visit_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:  # noqa: N802
        """Walk a call with a body, which may be the tag of webassets."""
        called = node.call.node
        if isinstance(called, nodes.ExtensionAttribute) and called.name == bundles.METHOD:
            self._bundles(node.call, frame)
        super().visit_CallBlock(node, frame)

    def _is_shadowed(self, name: str, frame: Frame) -> bool:
        """Return whether the template itself gives `name` a meaning where it is called."""
        symbols: Symbols | None = frame.symbols
        while symbols is not None:
            if name in symbols.stores:
                return True
            symbols = symbols.parent
        return name in self._exported

    def _named(self, function: str, node: nodes.Call, frame: Frame) -> None:
        if function in NAMING:
            if node.args:
                self._use(function, node.args[0], node.node.lineno, frame, _limit(node, frame))
            elif node.dyn_args is None:
                self._fault(f"`{function}` is called without a name", node.node.lineno)
            else:
                self.uses.append(Use(function, None, _place(self.shown, node.node.lineno, "")))
        elif function == "url_for" and len(node.args) == 1 and _constant(node.args[0], frame) == "static":
            for given in node.kwargs:
                name = _constant(given.value, frame)
                if given.key in {"filename", "path"} and isinstance(name, str):
                    # Starlette's `path` may begin at the root of the mount.
                    self._use(function, nodes.Const(name.lstrip("/"), lineno=given.value.lineno), 0, frame)

    def _bundles(self, node: nodes.Call, frame: Frame) -> None:
        """Add what a tag of webassets stands for: the bundle of its `output`, else each thing that it lists."""
        filters, output, _, depends, names = node.args
        if _constant(output, frame) is not None:
            self._use("assets", output, node.lineno, frame)
        elif any(_constant(each, frame) is not None for each in (filters, depends)):
            message, hint = "this inline bundle has no `output`", 'add `output="gen/name.css"`'
            place = _place(self.shown, node.lineno, "")
            self.findings.append(Diagnostic("inline-bundle", "error", message, place, hint))
        else:
            for one in names.iter_child_nodes():
                if isinstance(one, nodes.Expr):
                    self._use("assets", one, node.lineno, frame)

    def _use(self, function: str, node: nodes.Expr, line: int, frame: Frame, limit_bytes: int | None = None) -> None:
        """Add the name that `node` gives, both of a choice. line: of the call, where a name that is not known is."""
        if isinstance(node, nodes.CondExpr):
            for branch in filter(None, (node.expr1, node.expr2)):
                self._use(function, branch, line, frame, limit_bytes)
            return
        name = _constant(node, frame)
        if name is _UNKNOWN:
            self.uses.append(Use(function, None, _place(self.shown, line, "")))
        elif isinstance(name, str):
            place = _unquoted(_place(self.shown, node.lineno, ""))
            self.uses.append(Use(function, str(name), place, limit_bytes))
        else:
            self._fault(f"`{function}` takes a logical path, not `{name!r}`", node.lineno)

    def _fault(self, message: str, line: int) -> None:
        self.findings.append(Diagnostic("bad-name", "error", message, _place(self.shown, line, "")))


_UNKNOWN = object()


def _constant(node: nodes.Expr, frame: Frame) -> object:
    """Return the value of an expression that Jinja can decide before rendering, else `_UNKNOWN`."""
    try:
        return node.as_const(frame.eval_ctx)
    except nodes.Impossible:
        return _UNKNOWN


def _limit(node: nodes.Call, frame: Frame) -> int | None:
    """Return what `limit_bytes` of a call says: None if it is not given, and no limit if only the run knows it."""
    given = next((each.value for each in node.kwargs if each.key == "limit_bytes"), None)
    if given is None:
        return None
    limit_bytes = _constant(given, frame)
    return limit_bytes if isinstance(limit_bytes, int) else sys.maxsize


def _unquoted(place: Span) -> Span:
    """Return the place inside the quotes of a string."""
    at = place.column - place.text_column
    is_quoted = place.column > 0 and place.length > 2 and place.text[at : at + 1] in {'"', "'"}
    return place._replace(column=place.column + 1, length=place.length - 2) if is_quoted else place


class _Parser(Parser):
    """Jinja's parser, which steps over a tag that it does not know and reads what is in it."""

    def __init__(self, environment: Environment, text: str, finder: _Finder) -> None:
        super().__init__(environment, text, finder.shown, finder.shown)
        self._finder = finder
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
        return name in _STATEMENTS or name in self.extensions or name.startswith("end")

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
            self._finder.unknown("tag", tag.value, tag.lineno)
        arguments = self._to_the_end()
        found: list[nodes.Node] = [nodes.ExprStmt(call, lineno=tag.lineno) for call in self._calls(arguments)]
        if isinstance(tag.lineno, _Line) and tag.lineno.start in self._with_body:
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
                self.stream = TokenStream(iter(tokens[at:]), self.name, self.filename)
                try:
                    yield self.parse_expression()
                finally:
                    self.stream = outer


def _closed(tokens: Iterator[tuple[int, str, str]]) -> set[int]:
    """Return where the names of those tags stand that an `end…` closes: each takes the nearest open one of its name."""
    opened: list[tuple[str, int]] = []
    closed: set[int] = set()
    is_first = False
    for line, kind, value in tokens:
        if kind == "name" and is_first and isinstance(line, _Line):
            if not value.startswith("end"):
                opened.append((value, line.start))
            elif value[3:] in {name for name, _ in opened}:
                while opened[-1][0] != value[3:]:
                    opened.pop()
                closed.add(opened.pop()[1])
        is_first = kind == "block_begin" or (is_first and kind == "whitespace")
    return closed

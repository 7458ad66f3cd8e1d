"""Reading Jinja templates, inside the worker process: Jinja's own lexer, parser and code generator, nothing rendered.

Receives texts; hands on the names that they use and what cannot be read. The application is not there: its filters,
tests and extensions are unknown, so that what they bring is noted once and the rest of the file is read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.idtracking import Symbols, symbols_for_node
from jinja2.parser import Parser

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.inspect.jinja.parser import PlacedEnvironment, TolerantParser, place_of
from assetbuild.inspect.uses import NAMING, Use, misspelt
from assetbuild.web.jinja import bundles
from assetbuild.web.jinja.functions import FUNCTIONS, misuse

__all__ = ["read"]

# Jinja's own that change nothing but the tags that are known (Jinja documentation, "Extensions").
_OWN_EXTENSIONS = ("jinja2.ext.debug", "jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols")


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
            found.visit(TolerantParser(environment, text, shown, found.unknown).parse())
            uses += found.uses
            findings += found.findings
        except TemplateSyntaxError as error:
            message = f"Jinja cannot read the template: {(error.message or '').rstrip('.')}"
            place = place_of(shown, error.lineno, text)
            findings.append(Diagnostic("unreadable-template", "error" if is_sure else "warning", message, place))
        except RecursionError:
            message = "the template is nested too deeply"
            findings.append(Diagnostic("unreadable-template", "error", message, Span(shown)))
        except Exception as error:
            if not request["extensions"]:
                raise
            message = f"an extension fails on the template: {type(error).__name__}: {error}"
            findings.append(Diagnostic("unreadable-template", "error", message, Span(shown)))
    return {"uses": uses, "findings": findings}


def _environment(request: Mapping[str, Any]) -> Environment:
    environment = PlacedEnvironment(extensions=_OWN_EXTENSIONS)
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
        place, group = place_of(self.shown, line), f"unknown-{kind} {name}"
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

    def visit_EvalContextModifier(self, node: nodes.EvalContextModifier, frame: Frame) -> None:  # noqa: N802
        """Walk what `autoescape` is set to: Jinja computes it while it compiles, and lets through what that raises."""
        try:
            super().visit_EvalContextModifier(node, frame)
        except (RecursionError, TemplateSyntaxError):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the template cannot be loaded
            self.fail(f"{type(error).__name__}: {error}", node.lineno)

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
        if function in FUNCTIONS:
            self._ours(function, node, frame)
        elif function == "url_for" and len(node.args) == 1 and _constant(node.args[0], frame) == "static":
            for given in node.kwargs:
                name = _constant(given.value, frame)
                if given.key in {"filename", "path"} and isinstance(name, str):
                    # Both frameworks find the file that the name means without its first slashes.
                    self._use(function, nodes.Const(name.lstrip("/"), lineno=given.value.lineno), 0, frame)

        elif function not in self.environment.globals:
            place = place_of(self.shown, node.node.lineno)
            self.findings += filter(None, [misspelt("function", function, FUNCTIONS, place)])

    def _ours(self, function: str, node: nodes.Call, frame: Frame) -> None:
        place = place_of(self.shown, node.node.lineno)
        if node.dyn_args is None:
            fault = misuse(function, len(node.args), _keywords(node, frame))
            if fault:
                self.findings.append(Diagnostic("bad-call", "error", fault, place))
        elif not node.args:
            self.uses.append(Use(function, None, place))
        if node.args and function in NAMING:
            self._use(function, node.args[0], node.node.lineno, frame, _limit(node, frame))

    def _bundles(self, node: nodes.Call, frame: Frame) -> None:
        """Add what a tag of webassets stands for: the bundle of its `output`, else each thing that it lists."""
        filters, output, _, depends, names = node.args
        if _constant(output, frame) is not None:
            self._use("assets", output, node.lineno, frame)
        elif any(_constant(each, frame) is not None for each in (filters, depends)):
            message, hint = "this inline bundle has no `output`", 'add `output="gen/name.css"`'
            place = place_of(self.shown, node.lineno)
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
            self.uses.append(Use(function, None, place_of(self.shown, line)))
        elif isinstance(name, str):
            place = _unquoted(place_of(self.shown, node.lineno))
            self.uses.append(Use(function, str(name), place, limit_bytes))
        else:
            message = f"`{function}` takes a logical path, not `{name!r}`"
            self.findings.append(Diagnostic("bad-name", "error", message, place_of(self.shown, node.lineno)))


_UNKNOWN = object()


def _constant(node: nodes.Expr, frame: Frame) -> object:
    """Return the value of an expression that Jinja can decide before rendering, else `_UNKNOWN`."""
    try:
        return node.as_const(frame.eval_ctx)
    except Exception:  # noqa: BLE001  whatever it is, Jinja meets it again when the template is rendered
        return _UNKNOWN


def _keywords(node: nodes.Call, frame: Frame) -> list[str]:
    """Return the keywords of a call, as far as Jinja can decide them."""
    more = _constant(node.dyn_kwargs, frame) if node.dyn_kwargs else {}
    return [*(each.key for each in node.kwargs), *(map(str, more) if isinstance(more, Mapping) else ())]


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

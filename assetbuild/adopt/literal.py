"""The value of a Python expression that is as good as written out: constants, lists, paths, names bound to such.

Receives syntax trees; hands on values, or `Unread` with the node that only running the program could tell. A name has a
value if its assignments stand outside of conditions and loops. Paths are values of their own.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from assetbuild.adopt.code import Code, Module

__all__ = ["Builder", "Literals", "Scope", "Unread", "arguments"]

_DEPTH = 60
_SHOWN = 60
_JOINS = {"os.path.join", "posixpath.join"}
_SAME = {f"os.path.{name}" for name in ("abspath", "realpath", "normpath")}
_PATHS = {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath", "environ.Path"}
_BUILTINS: Mapping[str, Callable[[Any], object]] = {"str": str, "list": list, "tuple": tuple, "dict": dict, "set": set}

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Unread(Exception):
    """Only the running program knows this value. module, node: where it stands."""

    def __init__(self, module: Module, node: ast.AST) -> None:
        self.module = module
        self.node = node
        super().__init__(ast.unparse(node))

    @property
    def shown(self) -> str:
        """The expression in one line, cut if it is long."""
        text = " ".join(str(self).split())
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


Builder = Callable[["Literals", Module, ast.Call, tuple[Scope, ...]], object]


class Literals:
    """Reads values. builders: dotted name of a callable → what makes a value of a call of it.

    skipped: None, or a list that takes what could not be read inside a list or table, or is added to one sometimes
    only, so that the rest has a value.
    """

    def __init__(
        self, code: Code, builders: Mapping[str, Builder] | None = None, skipped: list[Unread] | None = None
    ) -> None:
        self.code = code
        self.skipped = skipped
        self._builders = builders or {}
        self._depth = 0
        self._asked: set[tuple[str, str]] = set()
        self._before: dict[tuple[ast.AST, str], int] = {}
        self._bound: dict[ast.AST, dict[str, list[_Binding]]] = {}

    def value(self, module: Module, node: ast.expr, scopes: tuple[Scope, ...] = ()) -> Any:
        """Return the value of an expression; raise `Unread`. scopes: the functions around it, outermost first."""
        if self._depth > _DEPTH:
            raise Unread(module, node)
        self._depth += 1
        try:
            return self._value(module, node, scopes)
        except Unread as error:
            # `os.environ["CDN"]` says more than `os`.
            owner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
            if isinstance(node, ast.Call | ast.Attribute | ast.Subscript) and owner is not None and error.node is owner:
                raise Unread(module, node) from None
            raise
        except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise Unread(module, node) from None
        finally:
            self._depth -= 1

    def named(self, module: Module, name: str, scopes: tuple[Scope, ...] = ()) -> Any:
        """Return the value that `name` has at the end of its scope; raise `Unread`, `KeyError` if nothing binds it."""
        for scope in (*reversed(scopes), module.tree):
            # In `A = A + ["b"]` the second A is what it was before.
            bound = self._names(scope).get(name, [])[: self._before.get((scope, name))]
            if bound:
                return self._last(module, name, scope, bound, scopes)
        return self._imported(module, name)

    def _imported(self, module: Module, name: str) -> Any:
        """Return what a name stands for that another module binds; modules may import each other."""
        asked = (module.shown, name)
        if asked in self._asked:
            raise KeyError(name)
        self._asked.add(asked)
        try:
            return self._elsewhere(module, name)
        finally:
            self._asked.discard(asked)

    def _elsewhere(self, module: Module, name: str) -> Any:
        if name in module.imports:
            owner, _, attribute = module.imports[name].rpartition(".")
            found = self.code.named(owner) if owner else None
            if found is None:
                raise KeyError(name)
            return self.named(found, attribute)
        for star in reversed(module.stars):
            found = self.code.named(star)
            if found is not None and found is not module:
                try:
                    return self.named(found, name)
                except KeyError:
                    continue
        raise KeyError(name)

    def dotted(self, module: Module, node: ast.AST) -> str:
        """Return the dotted name that an expression stands for by the imports of its module, "" if it is none."""
        if isinstance(node, ast.Name):
            return module.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            above = self.dotted(module, node.value)
            return f"{above}.{node.attr}" if above else ""
        return ""

    def _last(
        self, module: Module, name: str, scope: ast.AST, bound: Sequence[_Binding], scopes: tuple[Scope, ...]
    ) -> Any:
        plain = [number for number, one in enumerate(bound) if not one.is_added]
        if any(bound[number].is_conditional or bound[number].value is None for number in plain):
            raise Unread(module, next(one.statement for one in bound if one.is_conditional or one.value is None))

        def at(number: int) -> Any:
            outer = self._before.get((scope, name))
            self._before[scope, name] = number
            try:
                return self.value(module, _certain(bound[number]), scopes)
            finally:
                self._before[scope, name] = outer if outer is not None else len(self._names(scope)[name])

        first = plain[-1] if plain else -1
        made = at(first) if plain else self._imported(module, name)
        for number in range(first + 1, len(bound)):
            try:
                if bound[number].is_conditional:
                    raise Unread(module, bound[number].statement)
                more = at(number)
                made = made + (type(made)(more) if isinstance(made, list | tuple) else more)
            except Unread as error:
                self._skip(error)
        return made

    def _skip(self, error: Unread) -> None:
        if self.skipped is None:
            raise error
        if all((one.module, one.node) != (error.module, error.node) for one in self.skipped):
            self.skipped.append(error)

    def _names(self, scope: ast.AST) -> dict[str, list[_Binding]]:
        if scope not in self._bound:
            names: dict[str, list[_Binding]] = {}
            for name, one in _bindings(getattr(scope, "body", ()), is_conditional=False):
                names.setdefault(name, []).append(one)
            self._bound[scope] = names
        return self._bound[scope]

    def _value(self, module: Module, node: ast.expr, scopes: tuple[Scope, ...]) -> Any:
        def of(inner: ast.expr) -> Any:
            return self.value(module, inner, scopes)

        match node:
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():
                items = self._items(module, node.elts, scopes)
                return items if isinstance(node, ast.List) else tuple(items)
            case ast.Dict():
                return self._dict(module, node, scopes)
            case ast.Name("__file__"):
                return module.file
            case ast.Name("__name__"):
                return self.code.dotted(module.shown)
            case ast.Name():
                return self.named(module, node.id, scopes)
            case ast.JoinedStr():
                return "".join(
                    str(of(part.value if isinstance(part, ast.FormattedValue) else part)) for part in node.values
                )
            case ast.UnaryOp(op=ast.USub()):
                return -of(node.operand)
            case ast.BinOp(op=ast.Add()):
                return of(node.left) + of(node.right)
            case ast.BinOp(op=ast.Mod()):
                return of(node.left) % of(node.right)
            case ast.BinOp(op=ast.Div()):
                return PurePosixPath(of(node.left)) / of(node.right)
            case ast.Subscript():
                return of(node.value)[of(node.slice)]
            case ast.Attribute():
                return self._attribute(module, node, scopes)
            case ast.Call():
                return self._call(module, node, scopes)
        raise Unread(module, node)

    def _items(self, module: Module, nodes: Sequence[ast.expr], scopes: tuple[Scope, ...]) -> list[Any]:
        items: list[Any] = []
        for one in nodes:
            try:
                value = self.value(module, one.value if isinstance(one, ast.Starred) else one, scopes)
                items += value if isinstance(one, ast.Starred) else [value]
            except Unread as error:
                self._skip(error)
        return items

    def _dict(self, module: Module, node: ast.Dict, scopes: tuple[Scope, ...]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, inner in zip(node.keys, node.values, strict=True):
            try:
                value = self.value(module, inner, scopes)
                made |= value if key is None else {self.value(module, key, scopes): value}
            except Unread as error:
                self._skip(error)
        return made

    def _attribute(self, module: Module, node: ast.Attribute, scopes: tuple[Scope, ...]) -> Any:
        owner, _, name = self.dotted(module, node).rpartition(".")
        other = self.code.named(owner) if owner else None
        if other is not None:
            return self.named(other, name)
        value = self.value(module, node.value, scopes)
        if isinstance(value, PurePosixPath) and node.attr in {"parent", "parents", "name", "stem"}:
            return getattr(value, node.attr)
        raise Unread(module, node)

    def _call(self, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> Any:
        called = self.dotted(module, node.func)
        if called in self._builders:
            return self._builders[called](self, module, node, scopes)
        positional, named = arguments(self, module, node, scopes)
        if called in _JOINS:
            return os.path.join(*map(str, positional))
        if called in _SAME and len(positional) == 1:
            return os.path.normpath(str(positional[0]))
        if called == "os.path.dirname":
            return os.path.dirname(str(positional[0]))
        if called in _PATHS:
            return PurePosixPath(*positional)
        if called == "dict" and not positional:
            return named
        if called in _BUILTINS and len(positional) == 1 and not named:
            return _BUILTINS[called](*positional)
        if isinstance(node.func, ast.Attribute):
            return self._method(module, node, node.func, positional, scopes)
        raise Unread(module, node)

    def _method(
        self,
        module: Module,
        node: ast.Call,
        function: ast.Attribute,
        positional: Sequence[Any],
        scopes: tuple[Scope, ...],
    ) -> Any:
        try:
            owner = self.value(module, function.value, scopes)
        except Unread as error:
            raise (Unread(module, node) if error.node is function.value else error) from None
        name = function.attr
        if isinstance(owner, PurePosixPath):
            if name in {"resolve", "absolute", "expanduser"}:
                return PurePosixPath(os.path.normpath(owner))
            if name == "joinpath":
                return owner.joinpath(*positional)
            if name == "as_posix":
                return str(owner)
        if isinstance(owner, str) and name in {"split", "strip", "format", "join", "lower"}:
            return getattr(owner, name)(*positional)
        raise Unread(module, node)


def arguments(
    literals: Literals, module: Module, node: ast.Call, scopes: tuple[Scope, ...]
) -> tuple[list[Any], dict[str, Any]]:
    """Return the values of a call's arguments, by position and by name; raise `Unread`."""
    positional: list[Any] = []
    for one in node.args:
        inner = one.value if isinstance(one, ast.Starred) else one
        value = literals.value(module, inner, scopes)
        positional += value if isinstance(one, ast.Starred) else [value]
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        value = literals.value(module, keyword.value, scopes)
        named |= value if keyword.arg is None else {keyword.arg: value}
    return positional, named


class _Binding(NamedTuple):
    """One statement that gives a name a value, or adds to it. value: None for what is no expression."""

    statement: ast.stmt
    value: ast.expr | None
    is_added: bool
    is_conditional: bool


def _certain(binding: _Binding) -> ast.expr:
    assert binding.value is not None  # `_last` has looked
    return binding.value


def _bindings(body: Sequence[ast.stmt], *, is_conditional: bool) -> Iterator[tuple[str, _Binding]]:
    """Yield names with what binds them, in the order of the text; what is inside of functions and classes is not."""
    for one in body:
        match one:
            case (
                ast.Assign(targets=[ast.Name(name)], value=value)
                | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
            ):
                yield name, _Binding(one, value, False, is_conditional)
            case ast.AugAssign(target=ast.Name(name), op=ast.Add(), value=value) | ast.Expr(
                ast.Call(ast.Attribute(ast.Name(name), "extend"), [value], [])
            ):
                yield name, _Binding(one, value, True, is_conditional)
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "append"), [value], [])):
                yield name, _Binding(one, ast.List([value], ast.Load()), True, is_conditional)
            case (
                ast.AugAssign(target=ast.Name(name))
                | ast.Assign(targets=[ast.Subscript(ast.Name(name))])
                | ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "insert" | "update" | "remove" | "pop")))
            ):
                yield name, _Binding(one, None, False, is_conditional)
            case ast.With() | ast.AsyncWith():
                yield from _bindings(one.body, is_conditional=is_conditional)
            case ast.If() | ast.For() | ast.While() | ast.Try():
                blocks = [one.body, one.orelse, getattr(one, "finalbody", [])]
                for block in [*blocks, *(handler.body for handler in getattr(one, "handlers", ()))]:
                    yield from _bindings(block, is_conditional=True)

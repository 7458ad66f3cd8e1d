"""Fold: calls whose arguments are constants become text while Jinja compiles the template that holds them.

Receives the nodes of a template before Jinja generates code from them; hands on nodes that give the same output. What
Jinja can decide (`as_const`) is decided here, and a wrong name is an error of the template, with its line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from jinja2 import Environment, TemplateAssertionError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.compiler import Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from assetbuild.diagnostic import AssetbuildError
from assetbuild.manifest import AssetNotFound, ManifestError
from assetbuild.web.html import named
from assetbuild.web.jinja import functions
from assetbuild.web.jinja.bundles import constant_tag, sources, unrolled
from assetbuild.web.jinja.functions import FUNCTIONS, TEXTS, fingerprint, installed
from assetbuild.web.jinja.literals import LiteralGenerator, is_text_output, literal, literal_of, shown
from assetbuild.web.jinja.names import assigned

__all__ = ["MARK", "Folding", "UnknownAsset"]

MARK = "assetbuild"
"""The name under which the module of a template keeps the fingerprint of what was folded into it."""

# Arguments that are no attributes.
_PARAMETERS = {"limit_bytes"}

_ATTRIBUTE = f"{functions.__name__}.{functions.attribute.__name__}"


class UnknownAsset(TemplateSyntaxError, AssetNotFound):
    """A template names an asset or a bundle that is not in the manifest."""


class Folding(LiteralGenerator):
    """A code generator that folds first, whichever one it is mixed with."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Write the module of a template, which says what was folded into it."""
        fold = _Fold(node, self.environment, self.name, self.filename)
        fold.generic_visit(node)
        super().visit_Template(node, frame)
        if fold.has_folded:
            self.writeline(f"{MARK} = {fingerprint(self.environment)!r}")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Write a call; of our own helper without the detour that finds out what a callable wants to be passed."""
        if not (isinstance(node.node, nodes.ImportedName) and node.node.importname == _ATTRIBUTE):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        name, value = node.args
        self.visit(node.node, frame)
        self.write("(")
        self.visit(name, frame)
        self.write(", ")
        self.visit(value, frame)
        self.write(")")


class _Folded(NamedTuple):
    """What a call gives: texts, and between each two of them an attribute whose value is known at run time."""

    texts: tuple[str, ...]
    attributes: tuple[tuple[str, nodes.Expr], ...] = ()
    is_markup: bool = True

    @property
    def is_separable(self) -> bool:
        """Whether values may be asked for one by one, each where it is written.

        A call asks for all of them first, in its own order and once each. Only names have no effects on each other.
        """
        return len(self.attributes) < 2 or all(isinstance(value, nodes.Name) for _, value in self.attributes)


class _Fold(NodeTransformer):
    """Puts constants in the place of calls."""

    def __init__(
        self, template: nodes.Template, environment: Environment, name: str | None, filename: str | None
    ) -> None:
        self.has_folded = False
        self._of_blocks: set[int] = set()
        self._environment = environment
        self._place = name, filename
        shadowed = assigned(template)
        self._ours = {
            each: function
            for each, function in FUNCTIONS.items()
            if each not in shadowed and environment.globals.get(each) is function
        }
        self._is_folding = installed(environment).is_folding
        self._asking = nodes.EvalContext(environment, name)
        self._asking.autoescape = True  # so that markup comes as such
        self._context = nodes.EvalContext(environment, name)
        # Some filters ask for autoescape, and an `autoescape` block changes it half-way.
        self._context.volatile = template.find(nodes.EvalContextModifier) is not None
        self._is_text_output = is_text_output(environment)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """Fold each child; a tag with attributes that are not known yet becomes several."""
        node.nodes = [part for child in node.nodes for part in self._parts(child)]
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """Return the value that a call inside an expression gives, the call itself if there is none."""
        self.generic_visit(node)
        decided = self._decided(node, self._folded(node))
        self.has_folded |= decided is not None
        return node if decided is None else decided

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node | list[nodes.Node]:
        """Fold what is inside; an `assets` tag that can be decided becomes its content, once for each URL."""
        self._of_blocks.add(id(node.call))
        self.generic_visit(node)
        tag = constant_tag(node, self._context) if self._is_folding else None
        if tag is None:
            return node
        with self._checked(node):
            links, extra = sources(installed(self._environment), tag)
        content = unrolled(node, links, extra, self._context)
        if content is None:
            return node
        self.has_folded = True
        return content

    def _parts(self, child: nodes.Expr) -> list[nodes.Expr]:
        if not isinstance(child, nodes.Call):
            return [self.visit(child)]
        self.generic_visit(child)
        folded = self._folded(child)
        if folded is not None and self._is_text_output and folded.is_separable:
            self.has_folded = True
            return self._separate(child, folded)
        decided = self._decided(child, folded)
        self.has_folded |= decided is not None
        given = child if decided is None else decided
        return [shown(given, self._at(child))] if self._gives_markup(child) else [given]

    def _separate(self, call: nodes.Call, folded: _Folded) -> list[nodes.Expr]:
        at = self._at(call)
        helper = nodes.ImportedName(_ATTRIBUTE, **at)
        parts: list[nodes.Expr] = [nodes.TemplateData(folded.texts[0], **at)]
        for (name, value), text in zip(folded.attributes, folded.texts[1:], strict=True):
            pair = [nodes.Const(name, **at), value]
            parts += [nodes.Call(helper, pair, [], None, None, **at), nodes.TemplateData(text, **at)]
        return parts

    def _decided(self, call: nodes.Call, folded: _Folded | None) -> nodes.Expr | None:
        """Return the constant that a call gives, the choice between two if its name is a choice, else None."""
        if folded is not None:
            return None if folded.attributes else self._constant(call, folded)
        name = call.args[0] if len(call.args) == 1 and id(call) not in self._of_blocks else None
        if not isinstance(name, nodes.CondExpr) or name.expr2 is None:
            return None
        rest = call.kwargs, call.dyn_args, call.dyn_kwargs
        calls = [nodes.Call(call.node, [each], *rest, **self._at(call)) for each in (name.expr1, name.expr2)]
        # Both are looked at, so that a wrong name is found wherever it stands.
        first, second = [self._decided(each, self._folded(each)) for each in calls]
        if first is None or second is None:
            return None
        return nodes.CondExpr(name.test, first, second, **self._at(call))

    def _constant(self, call: nodes.Call, folded: _Folded) -> nodes.Expr:
        value = literal("".join(folded.texts), self._at(call))
        return nodes.MarkSafeIfAutoescape(value, **self._at(call)) if folded.is_markup else value

    def _gives_markup(self, call: nodes.Call) -> bool:
        return isinstance(call.node, nodes.Name) and call.node.name in self._ours.keys() - TEXTS

    def _folded(self, call: nodes.Call) -> _Folded | None:
        """Return what a call of ours gives, None if only the run can know."""
        function = self._ours.get(call.node.name) if isinstance(call.node, nodes.Name) else None
        if not self._is_folding or function is None or id(call) in self._of_blocks:
            return None
        # A value that comes later is a word that occurs nowhere else; where it stands in the tag, the value will.
        word = os.urandom(8).hex()
        late: list[nodes.Keyword] = []
        try:
            names = [self._const(each) for each in call.args]
            names += self._const(call.dyn_args) if call.dyn_args else []
            attributes: dict[str, Any] = {}
            for keyword in call.kwargs:
                if keyword.key in attributes:
                    return None
                try:
                    attributes[keyword.key] = self._const(keyword.value)
                except nodes.Impossible:
                    attributes[keyword.key] = f"{word}-{len(late)}"
                    late.append(keyword)
            others = dict(self._const(call.dyn_kwargs)) if call.dyn_kwargs else {}
            if any(keyword.key in _PARAMETERS for keyword in late) or attributes.keys() & others:
                return None
            attributes |= others
            with self._checked(call):
                given = function(self._asking, *names, **attributes)
        except (nodes.Impossible, TypeError, UndefinedError):
            return None  # a call that cannot be right fails when it is made, as it would in any template
        first, *rest = re.split(f' [^ ="]+="{word}-([0-9]+)"', given)
        texts = (first, *rest[1::2])
        if any(word in text for text in texts):
            return None
        places = [late[int(number)] for number in rest[::2]]
        if len({*rest[::2]}) < len(late):
            return None  # another attribute has replaced it, but its value is asked for
        found = tuple((name, place.value) for place in places for name in named({place.key: ""}))
        return _Folded(texts, found, isinstance(given, Markup))

    def _const(self, node: nodes.Expr) -> Any:
        try:
            return literal_of(node) if isinstance(node, nodes.Call) else node.as_const(self._context)
        except Exception as error:  # whatever it is, Jinja raises it again where people look for it: at run time
            raise nodes.Impossible from error

    @contextmanager
    def _checked(self, node: nodes.Node) -> Iterator[None]:
        """Make of what is wrong with a reference an error of the template, at the line of `node`."""
        try:
            yield
        except AssetNotFound as error:
            raise UnknownAsset(str(error), node.lineno, *self._place) from None
        except ManifestError:
            raise
        except (AssetbuildError, ValueError) as error:
            raise TemplateAssertionError(str(error), node.lineno, *self._place) from None

    def _at(self, node: nodes.Node) -> dict[str, Any]:
        return {"lineno": node.lineno, "environment": self._environment}

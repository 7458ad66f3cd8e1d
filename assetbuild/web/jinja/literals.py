"""Literals: what was decided while a template is compiled, as a value that Jinja takes for no constant.

Jinja computes whatever rests on constants alone while it compiles a template, once for all pages: filters and tests of
the application, too, and its `finalize`, which may ask the request, a clock or a counter. A call that became a constant
would make their results constants. Only direct output, which nothing of that kind sees, may be one.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nativetypes import NativeCodeGenerator

__all__ = ["LiteralGenerator", "is_literal", "is_text_output", "literal", "literal_of", "shown"]

# Jinja has no custom nodes, and it takes no call for a constant. Templates cannot name attributes of an environment.
_LITERAL = "assetbuild_literal"
_SHOWN = "assetbuild_shown"


def literal(value: object, place: dict[str, Any]) -> nodes.Call:
    """Return the node of a value. place: `lineno` and `environment` of the nodes."""
    return _form(_LITERAL, nodes.Const(value, **place), place)


def is_literal(node: nodes.Node) -> TypeGuard[nodes.Call]:
    """Return whether a node is a literal; its only argument is the constant."""
    return _is(_LITERAL, node)


def literal_of(node: nodes.Expr) -> Any:
    """Return the value of a literal; raise `Impossible` for any other node."""
    if not is_literal(node):
        raise nodes.Impossible
    return node.args[0].as_const()


def shown(markup: nodes.Expr, place: dict[str, Any]) -> nodes.Call:
    """Return the node of a tag that is output: markup where the template that holds it escapes, else text.

    What a function is told of autoescape is the page's, and a parent of the page may escape where the page does not.
    """
    return _form(_SHOWN, markup, place)


def is_text_output(environment: Environment) -> bool:
    """Return whether output is joined as it stands: no `finalize` sees what one expression gives, no types are kept."""
    return environment.finalize is None and not issubclass(environment.code_generator_class, NativeCodeGenerator)


class LiteralGenerator(CodeGenerator):
    """A code generator that writes these nodes, whichever one it is mixed with."""

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Write a call, or what stands in the form of one."""
        if is_literal(node):
            self.visit(node.args[0], frame)
            return
        if not _is(_SHOWN, node):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        if frame.eval_ctx.volatile:
            self.write("(Markup if context.eval_ctx.autoescape else str)(")
        else:
            self.write("Markup(" if frame.eval_ctx.autoescape else "str(")
        self.visit(node.args[0], frame)
        self.write(")")


def _form(name: str, inner: nodes.Expr, place: dict[str, Any]) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name, **place), [inner], [], None, None, **place)


def _is(name: str, node: nodes.Node) -> TypeGuard[nodes.Call]:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.EnvironmentAttribute) and node.node.name == name

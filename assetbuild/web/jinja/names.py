"""Names: which calls in a template are ours.

Receives the nodes of a template as Jinja parses them; hands on what they say. Nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from assetbuild.web.jinja.functions import FUNCTIONS

__all__ = ["asset_calls", "assigned"]


def asset_calls(template: nodes.Template) -> Iterator[nodes.Call]:
    """Yield the calls of our functions, in order; a name that the template itself assigns anywhere is not ours."""
    ours = FUNCTIONS.keys() - assigned(template)
    for call in template.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ours:
            yield call


def assigned(node: nodes.Node) -> set[str]:
    """Return every name to which something inside `node` gives a meaning of its own, in whatever scope."""
    found: set[str] = set()
    for inner in node.find_all((nodes.Name, nodes.Macro, nodes.Import, nodes.FromImport)):
        match inner:
            case nodes.Name(ctx="store" | "param") | nodes.Macro():
                found.add(inner.name)
            case nodes.Import():
                found.add(inner.target)
            case nodes.FromImport():
                found.update(name if isinstance(name, str) else name[1] for name in inner.names)
    return found

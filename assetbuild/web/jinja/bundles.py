"""Bundles: webassets' `{% assets "name" %}…{% endassets %}`, answered from the manifest.

Receives the tag as webassets 3.0 writes it; hands on URLs, digests and `extra`. Nothing is built: what the tag says of
filters was done by the compile, which gave an inline bundle the name of its `output`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from assetbuild.diagnostic import nearest
from assetbuild.manifest import AssetNotFound
from assetbuild.web.jinja.functions import Installed
from assetbuild.web.jinja.names import assigned

__all__ = ["METHOD", "Link", "Tag", "constant_tag", "parse", "sources", "unrolled"]

METHOD = "_render_from_manifest"
"""The method of our extension that renders a tag; its arguments are those of webassets' own."""

_VARIABLES = ("ASSET_URL", "ASSET_SRI", "EXTRA")
_OPTIONS = ("filters", "output", "debug", "depends")
# What Jinja gives a call block of its own; elsewhere these names would mean those of a macro around it.
_OF_MACROS = {"caller", "varargs", "kwargs"}


class Tag(NamedTuple):
    """A tag without its content. names: of bundles and files. is_inline: it defines a bundle, by its `output`."""

    names: tuple[str, ...]
    output: str | None
    is_inline: bool


class Link(NamedTuple):
    """What the content of a tag is rendered with, once each. digest: as SRI writes it, None if the URL is stable."""

    url: str
    digest: str | None


def parse(parser: Parser, extension: Extension) -> nodes.CallBlock:
    """Return the block of a tag: a call of `METHOD` with filters, output, debug, depends and the names.

    The shape is that of webassets' own extension, by which the compile finds inline bundles in templates.
    """
    line = next(parser.stream).lineno
    options: dict[str, nodes.Expr] = {name: nodes.Const(None) for name in _OPTIONS}
    names: list[nodes.Expr] = []
    is_first = True
    while parser.stream.current.type != "block_end":
        if not is_first:
            parser.stream.expect("comma")
        is_first = False
        if parser.stream.current.type == "name" and parser.stream.look().type == "assign":
            option = next(parser.stream).value
            parser.stream.skip()
            option = "filters" if option == "filter" else option  # its older name, which webassets still reads
            if option not in options:
                parser.fail(f"`{option}` is not an option of `assets`; it has {', '.join(_OPTIONS)}", line)
            options[option] = parser.parse_expression()
        else:
            given = parser.parse_expression()
            names += given.items if isinstance(given, nodes.List | nodes.Tuple) else [given]
    body = parser.parse_statements(("name:endassets",), drop_needle=True)
    call = extension.call_method(METHOD, [*options.values(), nodes.List(names)], lineno=line)
    variables = [nodes.Name(name, "param") for name in _VARIABLES]
    return nodes.CallBlock(call, variables, [], body, lineno=line)


def constant_tag(node: nodes.CallBlock, context: nodes.EvalContext) -> Tag | None:
    """Return the tag that a block stands for, None if it is another block or only the run can know its names."""
    call = node.call
    if not isinstance(call.node, nodes.ExtensionAttribute) or call.node.name != METHOD:
        return None
    filters, output, _, depends, names = call.args
    try:
        target = output.as_const(context)
        is_inline = target is not None or any(each.as_const(context) is not None for each in (filters, depends))
        tag = Tag(() if target is not None else tuple(names.as_const(context)), target, is_inline)
    except nodes.Impossible:
        return None
    return tag if all(isinstance(name, str) for name in (target or "", *tag.names)) else None


def sources(told: Installed, tag: Tag) -> tuple[Sequence[Link], Mapping[str, Any]]:
    """Return the links of a tag, in order, and its `extra`; raise `AssetNotFound` for what is no bundle and no file.

    As in webassets, the `extra` of several bundles is one, and there is none beside a file.
    """
    if tag.is_inline and tag.output is None:
        raise ValueError('this inline bundle has no `output`; add `output="gen/name.css"`')
    assets = told.now()
    bundles = told.assets.manifest.bundles
    asked = tag.names if tag.output is None else (tag.output,)
    for name in asked:
        if not isinstance(name, str):
            raise TypeError(f"a bundle is named by a text, not by `{type(name).__name__}`")
    found: list[Link] = []
    for name in dict.fromkeys(asked):
        bundle = bundles.get(name)
        if bundle is None and "://" in name:
            found.append(Link(name, None))
            continue
        for logical in bundle.assets if bundle else [name]:
            try:
                asset = assets[logical]
            except AssetNotFound as error:
                raise error if bundle else _unknown(name, tag, bundles, error) from None
            found.append(Link(asset.url, asset.integrity if asset.is_immutable else None))
    if not all(name in bundles for name in asked):
        return found, {}
    return found, {key: value for name in asked for key, value in bundles[name].extra.items()}


def unrolled(
    node: nodes.CallBlock, links: Sequence[Link], extra: Mapping[str, Any], context: nodes.EvalContext
) -> list[nodes.Node] | None:
    """Return the content of a tag once for each link, with constants for its variables; None if it must be called."""
    content = nodes.Scope(node.body)
    if any(content.find_all((nodes.Block, nodes.Extends))):
        return None  # there is one block of a name
    if any(name.name in _OF_MACROS for name in content.find_all(nodes.Name)) or assigned(content) & {*_VARIABLES}:
        return None
    environment = context.environment
    made: list[nodes.Node] = []
    for link in links:
        values = dict(zip(_VARIABLES, (*link, dict(extra)), strict=True))
        # A node knows its environment, which stays the same one.
        body = copy.deepcopy(node.body, {id(environment): environment})
        if not context.volatile:
            body = [part for each in body for part in _Substitution(values, environment).visit_list(each)]
        place: dict[str, Any] = {"lineno": node.lineno, "environment": environment}
        targets = [nodes.Name(name, "param", **place) for name in values]
        constants = [nodes.Const(value, **place) for value in values.values()]
        # An included template sees the variables only if they are there, too.
        made.append(nodes.With(targets, constants, body, **place))
    return made


class _Substitution(NodeTransformer):
    """Puts constants in the place of variables."""

    def __init__(self, values: Mapping[str, Any], environment: Environment) -> None:
        self._values = values
        self._environment = environment

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        """Return the constant that a variable stands for."""
        if node.name not in self._values:
            return node
        return nodes.Const(self._values[node.name], lineno=node.lineno, environment=self._environment)


def _unknown(name: str, tag: Tag, bundles: Mapping[str, Any], error: AssetNotFound) -> AssetNotFound:
    near = nearest(name, bundles)
    if near:
        return AssetNotFound(f"`{name}` is not a bundle in the manifest; did you mean `{near}`?")
    if tag.is_inline:
        advice = "name the folder of this template under `[templates] paths` and compile again"
        return AssetNotFound(f"`{name}` is not a bundle in the manifest; {advice}")
    return error

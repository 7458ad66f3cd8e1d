"""Bundles: webassets' `{% assets "name" %}…{% endassets %}`, answered from the manifest.

Receives the tag as webassets 3.0 writes it; hands on URLs, digests and `extra`. Nothing is built: what the tag says of
filters was done by the compile, which gave an inline bundle the name of its `output`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.nodes import Break, Continue
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from assetbuild.diagnostic import nearest
from assetbuild.manifest import AssetNotFound
from assetbuild.web.assets import Assets
from assetbuild.web.jinja.functions import Installed, defined
from assetbuild.web.jinja.literals import is_literal, is_text_output, literal
from assetbuild.web.jinja.names import assigned

__all__ = ["METHOD", "Link", "Tag", "constant_tag", "parse", "sources", "unknown", "unrolled"]

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
    for jump in _jumps(body):
        parser.fail(
            "`break` and `continue` cannot leave `assets`; put the whole loop inside it, or none of it", jump.lineno
        )
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
        if not isinstance(defined(name), str):
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
                raise error if bundle else unknown(name, told.assets, error, is_inline=tag.is_inline) from None
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
    place: dict[str, Any] = {"lineno": node.lineno, "environment": environment}
    made: list[nodes.Node] = []
    for link in links:
        values = dict(zip(_VARIABLES, (*link, dict(extra)), strict=True))
        # A node knows its environment, which stays the same one.
        body = copy.deepcopy(node.body, {id(environment): environment})
        if not context.volatile:
            substitution = _Substitution(values, environment, _may_change(content))
            body = [part for each in body for part in substitution.visit_list(each)]
        targets = [nodes.Name(name, "param", **place) for name in values]
        constants = [nodes.Const(value, **place) for value in values.values()]
        # An included template sees the variables only if they are there, too.
        made.append(nodes.With(targets, constants, body, **place))
    return made


def _jumps(inside: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    """Yield each `break` and `continue` whose loop is not there, too: the content of a tag is a function to Jinja."""
    for node in inside:
        if isinstance(node, Break | Continue):
            yield node
        elif isinstance(node, nodes.For):
            yield from _jumps(node.else_)
        else:
            yield from _jumps(node.iter_child_nodes())


class _Substitution(NodeTransformer):
    """Puts values in the place of variables: URL, digest, and the items of an `extra` that stays as it is."""

    def __init__(self, values: Mapping[str, Any], environment: Environment, may_change: bool) -> None:
        self._links: Mapping[str | None, Any] = {name: value for name, value in values.items() if name != "EXTRA"}
        self._extra: Mapping[str | None, Any] = {} if may_change else values["EXTRA"]
        self._environment = environment
        self._is_text_output = is_text_output(environment)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """Put constants where a variable is output as it stands, so that they are part of the text around it."""
        self.generic_visit(node)
        if self._is_text_output:
            node.nodes = [child.args[0] if is_literal(child) else child for child in node.nodes]
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        """Return the value that a variable stands for."""
        return self._value(node, self._links, node.name)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:
        """Return the value of `EXTRA.key`."""
        return self._item(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:
        """Return the value of `EXTRA["key"]`."""
        return self._item(node)

    def _item(self, node: nodes.Getattr | nodes.Getitem) -> nodes.Expr:
        if _is_extra(node.node):
            return self._value(node, self._extra, _key(node))
        self.generic_visit(node)
        return node

    def _value(self, node: nodes.Expr, values: Mapping[str | None, Any], name: str | None) -> nodes.Expr:
        if name not in values:
            return node
        return literal(values[name], {"lineno": node.lineno, "environment": self._environment})


def _may_change(content: nodes.Node) -> bool:
    """Return whether something in `content` may write into `EXTRA`: whatever does more than read an item of it."""
    if any(content.find_all((nodes.Include, nodes.Import, nodes.FromImport))):
        return True
    items: Iterator[nodes.Getattr | nodes.Getitem] = content.find_all((nodes.Getattr, nodes.Getitem))
    keys = [_key(node) for node in items if _is_extra(node.node)]
    return None in keys or len(keys) < sum(map(_is_extra, content.find_all(nodes.Name)))


def _is_extra(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "EXTRA"


def _key(node: nodes.Getattr | nodes.Getitem) -> str | None:
    """Return the key of the item that is read, None if only the run can know it or it may be a method of `dict`."""
    if isinstance(node, nodes.Getattr):
        key: object = node.attr
    else:
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    return key if isinstance(key, str) and not hasattr(dict, key) else None


def unknown(name: str, assets: Assets, error: AssetNotFound, *, is_inline: bool = False) -> AssetNotFound:
    """Return what is said of a name that is no bundle. error: what is said of it as that of an asset.

    is_inline: it is the output of a bundle that the template defines.
    """
    manifest = assets.manifest
    near = nearest(name, manifest.bundles)
    if near:
        return AssetNotFound(f"`{name}` is not a bundle in the manifest; did you mean `{near}`?")
    has_hint = str(error) != f"`{name}` {manifest.ABSENT}"
    if has_hint and not is_inline:
        return error
    if not manifest.bundles:
        advice = "name the environment of the bundles in `[webassets] environment` and compile again"
    elif is_inline:
        advice = "name the folder of this template under `[templates] paths` and compile again"
    else:
        return error
    return AssetNotFound(f"`{name}` is not a bundle in the manifest; {advice}")

"""Bundles that templates define inline, inside the worker process: `{% assets "a.css", filters="rcssmin", … %}`.

Receives the texts of templates; hands on the tags that define something, constants only. Jinja's lexer finds the tags,
and each is parsed alone with webassets' own extension, so that the tags of other extensions need not be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from assetbuild.diagnostic import Diagnostic, Severity, Span

__all__ = ["Tag", "tags"]

_HINT = "write it out, or give the bundle a name in the environment"


class Tag(NamedTuple):
    """A tag that defines a bundle. contents: names of bundles, files and globs."""

    place: Span
    contents: tuple[str, ...]
    filters: str | Sequence[str] | None
    output: str
    depends: str | Sequence[str] | None


def tags(templates: Iterable[tuple[str, str]], jinja: Any) -> tuple[list[Tag], list[Diagnostic]]:
    """Return the tags of `templates`, (shown path, text) each, and findings. jinja: the application's, or None."""
    base = jinja or import_module("jinja2").Environment(autoescape=True)
    environment = base.overlay(extensions=["webassets.ext.jinja2.AssetsExtension"])
    found: list[Tag] = []
    problems: list[Diagnostic] = []
    unreadable = import_module("jinja2").TemplateSyntaxError
    for shown, text in templates:
        lines, is_read = text.splitlines(), False
        try:
            sources = list(_sources(environment, text))
            is_read = True
            for number, source in sources:
                made = _tag(environment, source, Span(shown, number, 1, 0, lines[number - 1]))
                if isinstance(made, Tag):
                    found.append(made)
                elif made:
                    problems.append(made)
        except unreadable as error:
            # A file that is no template may lie beside them; a tag that was found and cannot be read is a fault.
            message = f"Jinja cannot read the template: {error.message}"
            severity: Severity = "error" if is_read else "warning"
            problems.append(Diagnostic("unreadable-template", severity, message, Span(shown, error.lineno)))
    return found, problems


def _sources(environment: Any, text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each `{% assets … %}` tag, moved to its line so that Jinja names it."""
    held: list[str] = []
    first, begin = "", 0
    for line, kind, value in environment.lex(text):
        if kind == "block_begin":
            held, first, begin = [], "", line
        held.append(value)
        if kind == "name":
            first = first or value
        if kind == "block_end" and first == "assets":
            yield begin, "\n" * (begin - 1) + "".join(held)


def _tag(environment: Any, source: str, place: Span) -> Tag | Diagnostic | None:
    """Return what a tag defines, None if it only names a bundle, a finding if it cannot be known before rendering."""
    nodes = import_module("jinja2").nodes
    end = f"{environment.block_start_string} endassets {environment.block_end_string}"
    (call,) = environment.parse(source + end).find_all(nodes.CallBlock)
    filters, output, _, depends, files = call.call.args
    options = {"filters": filters, "output": output, "depends": depends}
    given = {name: node for name, node in options.items() if not (isinstance(node, nodes.Const) and node.value is None)}
    if not given:
        return None  # a name, or files as they are: nothing to compile
    values = {}
    for name, node in {"contents": files, **given}.items():
        try:
            values[name] = node.as_const()
        except nodes.Impossible:
            message = f"`{name}` of this inline bundle is known only when the template is rendered"
            return Diagnostic("inline-bundle", "error", message, place, _HINT)
        if not _is_text(values[name]):
            message = f"`{name}` of this inline bundle must be a text or a list of texts"
            return Diagnostic("inline-bundle", "error", message, place)
    output_text = values.get("output")
    if not isinstance(output_text, str):
        message = "this inline bundle has no `output`"
        return Diagnostic("inline-bundle", "error", message, place, 'add `output="gen/name.css"`')
    return Tag(place, tuple(values["contents"]), values.get("filters"), output_text, values.get("depends"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, Sequence) and all(isinstance(one, str) for one in value))

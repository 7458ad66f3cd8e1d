"""Bundles of webassets as they are written in Python or YAML, and the folders that they look in.

Receives the project's code; hands on bundles by name. Flask's static folders are told by its own rules
(`Flask(static_folder=…)`, `Blueprint(…)`); an environment's by `directory`, `load_path` and `append_path`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any

from assetbuild.adopt.adopted import Folder, left
from assetbuild.adopt.code import Code, Module
from assetbuild.adopt.literal import Builder, Literals, Scope, Unread, arguments
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.disk import Disk

__all__ = ["Bundle", "Definitions", "definitions"]

_PACKAGES = ("webassets", "flask_assets", "flask_webassets", "pyramid_webassets", "django_assets")
_BUNDLES = {f"{package}.Bundle" for package in _PACKAGES} | {"webassets.bundle.Bundle"}
_ENVIRONMENTS = {f"{package}.Environment" for package in _PACKAGES} | {"webassets.env.Environment"}
_FILTERS = {"webassets.filter.get_filter", "webassets.filters.get_filter"}
_LOADERS = {"webassets.loaders.YAMLLoader", "webassets.YAMLLoader"}
_HINT = "write an entry of your own for it"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle. contents: files, globs and names of bundles, and bundles. filters: names, or names with options."""

    contents: tuple[str | Bundle, ...]
    filters: tuple[tuple[str, Mapping[str, object]], ...]
    output: str
    place: Span


@dataclass(slots=True)
class Definitions:
    """What was read. folders: in the order in which sources are looked for. base: "" where nothing says it.

    settings: upper-case names and keys that get a value somewhere, which may be options of filters.
    """

    named: dict[str, Bundle] = field(default_factory=dict)
    folders: list[Folder] = field(default_factory=list)
    base: str = ""
    settings: list[tuple[str, Span]] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)


class _Filter(dict[str, Any]):
    """What `get_filter` makes: a name and options."""


class _Unfit(Exception):
    """A value that can be read and is not what webassets takes, or is Python code."""


def definitions(code: Code, disk: Disk) -> Definitions:
    """Return the bundles of the project, in the order of their definition."""
    reader = _Reader(code, disk)
    for module in code.naming(*_PACKAGES, "Flask(", "Blueprint(", ".register("):
        reader.read(module, module.tree, ())
    if not reader.made.named:
        # The command `webassets -c bundles.yaml build` needs no code.
        for entry in disk.scan(code.folder):
            if entry.kind == "file" and entry.name.endswith((".yaml", ".yml")):
                reader.read_yaml(os.path.join(code.folder, entry.name), is_sure=False)
    return reader.made


class _Reader:
    def __init__(self, code: Code, disk: Disk) -> None:
        self.made = Definitions()
        self._disk = disk
        builders: dict[str, Builder] = dict.fromkeys(_BUNDLES, _bundle)
        builders |= dict.fromkeys(_FILTERS, _get_filter)
        self._literals = Literals(code, builders)

    def read(self, module: Module, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        """Read every statement of a module, functions included: an application is made in one mostly."""
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.read(module, child, (*scopes, child))
                    continue
                case ast.Call():
                    self._call(module, child, scopes)
                case ast.Assign(targets=[ast.Subscript(ast.Attribute(attr="config"), ast.Constant(str(key)))]):
                    self.made.settings.append((key.upper(), module.place(child)))
                case ast.Assign(targets=[ast.Name(key)]) if key.isupper():
                    self.made.settings.append((key, module.place(child)))
                case ast.Assign(targets=[ast.Attribute(attr=("directory" | "url" | "load_path") as name)]):
                    if self._uses_webassets(module):
                        self._setting(module, name, child.value, scopes)
            self.read(module, child, scopes)

    def _uses_webassets(self, module: Module) -> bool:
        return any(dotted.partition(".")[0] in _PACKAGES for dotted in module.imports.values())

    def _call(self, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> None:
        called = self._literals.dotted(module, node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if called in {"flask.Flask", "flask.Blueprint", "flask.app.Flask", "flask.blueprints.Blueprint"}:
            self._flask(module, node, scopes, is_blueprint=called.endswith("Blueprint"))
        elif called in _ENVIRONMENTS:
            given = [*zip(("directory", "url"), node.args, strict=False)]
            given += [(str(each.arg), each.value) for each in node.keywords]
            if not called.startswith("flask"):
                for name, value in given:
                    self._setting(module, name, value, scopes)
        elif called in _LOADERS or method == "from_yaml":
            self._yaml(module, node, scopes)
        elif method == "append_path" and node.args and self._uses_webassets(module):
            self._setting(module, "load_path", ast.List([node.args[0]], ast.Load()), scopes)
        elif method == "register" and node.args:
            self._register(module, node, scopes)

    def _register(self, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> None:
        place = module.place(node)
        try:
            positional, named = arguments(self._literals, module, node, scopes)
            first = positional[0]
            if isinstance(first, Mapping):
                found = {str(name): bundle for name, bundle in first.items() if isinstance(bundle, Bundle)}
            elif isinstance(first, str) and not named and len(positional) == 2 and isinstance(positional[1], Bundle):
                found = {first: positional[1]}
            elif isinstance(first, str) and len(positional) > 1:
                found = {first: _made(positional[1:], named, place)}
            else:
                return
        except Unread as error:
            if not self._is_of_webassets(module, node):
                return
            message = f"bundle `{_name_in(node)}` is known only when the code runs: `{error.shown}`"
            self.made.findings.append(left(message, error.module.place(error.node), _HINT))
        except _Unfit as error:
            self.made.findings.append(left(f"bundle `{_name_in(node)}` {error}", place, _HINT))
        else:
            self.made.named |= found

    def _is_of_webassets(self, module: Module, node: ast.Call) -> bool:
        keywords = {keyword.arg for keyword in node.keywords}
        return self._uses_webassets(module) or bool(keywords & {"output", "filters"})

    def _flask(self, module: Module, node: ast.Call, scopes: tuple[Scope, ...], *, is_blueprint: bool) -> None:
        given: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg in {"static_folder", "static_url_path"}:
                given[keyword.arg] = self._text(module, keyword.value, scopes, f"`{keyword.arg}`")
        folder = given.get("static_folder", "" if is_blueprint else "static")
        name = self._text(module, node.args[0], scopes, "a blueprint's name") if is_blueprint and node.args else ""
        file = os.path.join(os.path.dirname(module.file), folder)
        if folder:
            self._folder(file, name, module.place(node))
        if folder and not is_blueprint and self._disk.is_folder(file):  # an application of a test has none mostly
            url = given.get("static_url_path") or f"/{os.path.basename(folder.rstrip('/'))}"
            self.made.base = f"/{url.strip('/')}/"

    def _setting(self, module: Module, name: str, value: ast.expr, scopes: tuple[Scope, ...]) -> None:
        if name == "url":
            url = self._text(module, value, scopes, "`url`")
            self.made.base = f"{url.rstrip('/')}/" if url else self.made.base
        elif name in {"directory", "load_path"}:
            items = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
            for item in items:
                path = self._text(module, item, scopes, f"`{name}`")
                if path:
                    self._folder(os.path.join(self._literals.code.folder, path), "", module.place(item))

    def _text(self, module: Module, node: ast.expr, scopes: tuple[Scope, ...], what: str) -> str:
        try:
            value = self._literals.value(module, node, scopes)
        except Unread:
            value = None
        if isinstance(value, str | PurePosixPath):
            return str(value)
        if not (isinstance(node, ast.Constant) and node.value is None):
            message = f"{what} is known only when the code runs: `{ast.unparse(node)}`"
            self.made.findings.append(left(message, module.place(node), "write it into the new file"))
        return ""

    def _folder(self, file: str, mount: str, place: Span) -> None:
        shown = os.path.relpath(file, self._literals.code.folder).replace(os.sep, "/")
        if shown.startswith("../"):
            message = f"`{file}` lies outside the project"
            self.made.findings.append(left(message, place, "copy it into the project, and name it under `roots`"))
        elif self._disk.is_folder(file) and Folder(shown, mount) not in self.made.folders:
            self.made.folders.append(Folder(shown, mount))

    def _yaml(self, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> None:
        name = self._text(module, node.args[0], scopes, "the YAML file") if node.args else ""
        folder = self._literals.code.folder
        places = [os.path.join(above, name) for above in (folder, os.path.dirname(module.file))] if name else []
        file = next((place for place in places if self._disk.is_file(place)), "")
        if file:
            self.read_yaml(file, is_sure=True)
        elif name:
            self.made.findings.append(left(f"`{name}` is not there", module.place(node), _HINT))

    def read_yaml(self, file: str, *, is_sure: bool) -> None:
        """Read a file for webassets' `YAMLLoader`: an environment with `bundles` at its top, or bundles alone.

        is_sure: else it may be a file of anything, and is read if it has `bundles` with `contents`.
        """
        shown = os.path.relpath(file, self._literals.code.folder).replace(os.sep, "/")
        text = self._disk.read(file).decode(errors="replace")
        if not is_sure and not ("bundles:" in text and "contents:" in text):
            return
        document, places = _yaml(shown, text, self.made.findings)
        if isinstance(document.get("directory"), str):
            folder = os.path.join(os.path.dirname(file), document["directory"])
            self._folder(os.path.normpath(folder), "", Span(shown))
        if isinstance(document.get("url"), str):
            self.made.base = f"{document['url'].rstrip('/')}/"
        bundles = document.get("bundles", document)
        for name, given in bundles.items() if isinstance(bundles, dict) else ():
            place = places.get(str(name), Span(shown))
            try:
                self.made.named[str(name)] = _of_table(given if isinstance(given, dict) else {}, place)
            except _Unfit as error:
                self.made.findings.append(left(f"bundle `{name}` {error}", place, _HINT))


def _name_in(node: ast.Call) -> str:
    """Return the name in a call of `register`, as far as it is written out."""
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else "…"


def _bundle(literals: Literals, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> Bundle:
    positional, named = arguments(literals, module, node, scopes)
    return _made(positional, named, module.place(node))


def _get_filter(literals: Literals, module: Module, node: ast.Call, scopes: tuple[Scope, ...]) -> _Filter:
    positional, named = arguments(literals, module, node, scopes)
    return _Filter(name=str(positional[0]), options=named)


def _made(contents: list[Any], named: Mapping[str, Any], place: Span) -> Bundle:
    if not all(isinstance(item, str | Bundle) for item in contents):
        raise _Unfit("holds something that is neither a file nor a bundle")
    if named.get("config"):
        raise _Unfit("has settings of its own for its filters")
    if named.get("merge") is False:
        raise _Unfit("is not merged")
    filters = named.get("filters") or ()
    if isinstance(filters, str):
        filters = [name.strip() for name in filters.split(",") if name.strip()]
    if isinstance(filters, _Filter):
        filters = [filters]
    return Bundle(tuple(contents), tuple(map(_filter, filters)), str(named.get("output") or ""), place)


def _filter(item: object) -> tuple[str, Mapping[str, object]]:
    if isinstance(item, _Filter):
        return item["name"], item["options"]
    if isinstance(item, str):
        return item, {}
    raise _Unfit("has a filter that is Python code")


def _yaml(shown: str, text: str, findings: list[Diagnostic]) -> tuple[dict[str, Any], dict[str, Span]]:
    """Return a YAML document, and the places of its bundles by name; an empty one if it is none."""
    if find_spec("yaml") is None:
        message = f"`{shown}` needs the package `pyyaml`, which is not installed"
        raise EngineUnavailable([Diagnostic("missing-package", "error", message, Span(shown), "pip install pyyaml")])
    import yaml

    try:
        document, tree = yaml.safe_load(text), yaml.compose(text)
    except yaml.YAMLError as error:
        findings.append(left(f"the file is not YAML: {str(error).splitlines()[0]}", Span(shown), "mend it"))
        return {}, {}
    if not isinstance(document, dict):
        return {}, {}
    tables = {key.value: value for key, value in tree.value}
    bundles = tables["bundles"].value if "bundles" in tables else tree.value
    pairs = bundles if isinstance(bundles, list) else []
    places = {key.value: span_at(shown, text, key.start_mark.index, key.end_mark.index) for key, _ in pairs}
    return document, places


def _of_table(given: Mapping[str, Any], place: Span) -> Bundle:
    contents = given.get("contents") or []
    items = [contents] if isinstance(contents, str | dict) else contents
    inner = [_of_table(item, place) if isinstance(item, dict) else item for item in items]
    filters = given.get("filters") or ()
    listed = filters.split(",") if isinstance(filters, str) else list(filters)
    return _made(list(inner), {**given, "filters": [_named(one) for one in listed]}, place)


def _named(one: object) -> object:
    """Return a filter of a YAML file: a name, or a table of one name with its options."""
    if isinstance(one, dict) and len(one) == 1:
        name, options = next(iter(one.items()))
        return _Filter(name=str(name), options=dict(options or {}))
    return one.strip() if isinstance(one, str) else one

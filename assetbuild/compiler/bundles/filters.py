"""A bundle's filters as names with options, inside the worker process. Only webassets' own: others are Python code.

An option that a filter was not given is looked up where webassets looks: in the configuration of the bundle and of the
environment. The variables of the process count for nothing (webassets 3.0, `Filter.setup` and `get_config`).
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["check", "described", "unknown_filters"]

_HINT = "use one of webassets' own filters, or run the code before the compile"


@contextlib.contextmanager
def unknown_filters() -> Iterator[None]:
    """Let a bundle name a filter that does not exist; the room of filters knows the nearest name, and says it."""
    bundle: Any = import_module("webassets.bundle")
    base = import_module("webassets.filter")
    original = bundle.get_filter

    def get_filter(name: Any, *args: Any, **options: Any) -> Any:
        if isinstance(name, str) and name not in base._FILTERS:
            return type("Unknown", (base.Filter,), {"name": name, "__module__": base.__name__})()
        return original(name, *args, **options)

    bundle.get_filter = get_filter
    try:
        yield
    finally:
        bundle.get_filter = original


def check(one: Any, bundle: str, place: Span, project: str) -> None:
    """Raise `DiagnosticsError`, at the code if it is the project's, if a filter is not webassets' own."""
    base = import_module("webassets.filter")
    if isinstance(one, base.CallableFilter):
        name, code = getattr(one.callable, "__qualname__", repr(one.callable)), one.callable
    elif type(one).__module__.partition(".")[0] != "webassets":
        name, code = one.name or type(one).__qualname__, type(one)
    else:
        return
    message = f"filter `{name}` of bundle `{bundle}` is Python code, which is not run"
    raise DiagnosticsError([Diagnostic("custom-filter", "error", message, _defined(code, project) or place, _HINT)])


def described(one: Any, context: Any, bundle: str, place: Span, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a filter and its options; add to `config` what else it asks its environment for."""
    base = import_module("webassets.filter")
    options: dict[str, Any] = {}
    for attribute, (given, variable, _) in base.parse_options(type(one).options).items():
        value = getattr(one, attribute, None)
        if value is None and variable:
            value = context.get(variable)
        if value is not None:
            options[given or attribute] = value
    if type(one).__init__ is not base.Filter.__init__:
        for parameter in inspect.signature(type(one).__init__).parameters.values():
            value = getattr(one, parameter.name, parameter.default)
            if parameter.name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                options |= {parameter.name: value} if value != parameter.default else {}
    for option, value in options.items():
        if not _is_plain(value):
            message = f"option `{option}` of filter `{one.name}` of bundle `{bundle}` is Python code, which is not run"
            raise DiagnosticsError([Diagnostic("custom-filter", "error", message, place)])
    if type(one).setup is not base.Filter.setup:
        config |= _asked(one, context)
    return one.name, options


def _asked(one: Any, context: Any) -> dict[str, Any]:
    """Return what a filter with a `setup` of its own asks the configuration for, and finds there."""
    asking = _Asking(context)
    one.set_context(asking)
    # What is missing here, a package for example, the room of filters says when it runs the filter.
    with contextlib.suppress(Exception):
        one.setup()
    return {name: value for name, value in asking.found.items() if _is_plain(value)}


class _Asking:
    """A context that remembers which of its values were asked for."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.found: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def get(self, name: str, default: Any = None) -> Any:
        value = self._context.get(name, default)
        if value is not None:
            self.found[name] = value
        return value


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _defined(code: Any, project: str) -> Span | None:
    """Return where a function or class of the project is defined."""
    try:
        file, (lines, number) = inspect.getsourcefile(code) or "", inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None  # no Python source: built in, or made while the program runs
    if not file.startswith(os.path.join(project, "")):
        return None
    text = lines[0].rstrip("\n")
    shown = os.path.relpath(file, project).replace(os.sep, "/")
    return Span(shown, number, 1 + len(text) - len(text.lstrip()), len(text.strip()), text)

"""webassets filters, inside a worker process: its own filter classes, driven without its bundles, caches and versions.

Receives names, options and text; hands back text. What a filter cannot do is told as a finding; what webassets raises
is adapted where it is called, and never read for its meaning. Source: webassets 3.0, `Bundle._merge_and_apply`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Span, nearest

__all__ = ["describe", "join", "transform"]

# webassets tells a missing package by an OSError with a sentence. Filter → module to import, package to install.
_PACKAGES = {
    "clevercss": ("clevercss", "clevercss"),
    "closure_js": ("closure", "closure"),
    "closure_stylesheets": ("closure_stylesheets", "closure_stylesheets"),
    "closure_tmpl": ("closure_soy", "closure_soy"),
    "cssmin": ("cssmin", "cssmin"),
    "cssprefixer": ("cssprefixer", "cssprefixer"),
    "cssutils": ("cssutils", "cssutils"),
    "jinja2": ("jinja2", "jinja2"),
    "jsmin": ("jsmin", "jsmin"),
    "libsass": ("sass", "libsass"),
    "pyscss": ("scss", "pyScss"),
    "rcssmin": ("rcssmin", "rcssmin"),
    "rjsmin": ("rjsmin", "rjsmin"),
    "slimit": ("slimit", "slimit"),
    "slimmer_css": ("slimmer", "slimmer"),
    "spritemapper": ("spritecss", "spritemapper"),
    "yui_css": ("yuicompressor", "yuicompressor"),
    "yui_js": ("yuicompressor", "yuicompressor"),
}


_STAGES = ("open", "input", "concat", "output")


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """Return what each filter does (`open`, `input`, `concat`, `output`), and the versions that decide the bytes.

    request: `filters`, names with options, and the surroundings that every function here is given: `project` (a
    folder), `folder` (a private one), `output` (logical), `shown` (whom messages name), `config` (the environment's).
    """
    with _surroundings(request):
        filters = [_made(request, name, options) for name, options in request["filters"]]
    stages = [[stage for stage in _STAGES if getattr(one, stage, None) is not None] for one in filters]
    packages = ["webassets", *(_PACKAGES[name][1] for name, _ in request["filters"] if name in _PACKAGES)]
    return {"stages": stages, "versions": dict(filter(None, map(_version, packages)))}


def transform(request: dict[str, Any]) -> dict[str, Any]:
    """Return `text` after the filters of one stage, in order.

    request: also `stage` (`open`, `input` or `output`), `text`, and but for `output`, `source` (logical) and
    `source_path`. A filter that opens gives its own reading of the file; `text` does not count.
    """
    stage, text = request["stage"], request["text"]
    with _surroundings(request) as output:
        given = {name: request[name] for name in ("source", "source_path") if name in request} | output
        for name, options in request["filters"]:
            run = partial(getattr(_made(request, name, options), stage), **given)
            text = _ran(request, name, run if stage == "open" else partial(run, StringIO(text)))
    return {"text": text}


def join(request: dict[str, Any]) -> dict[str, Any]:
    """Return `texts` made into one by the filter that joins. request: also `sources`, logical path and file each."""
    ((name, options),) = request["filters"]
    with _surroundings(request) as output:
        hunk = import_module("webassets.merge").MemoryHunk
        hunks = [
            (hunk(text), {"source": source, "source_path": file})
            for text, (source, file) in zip(request["texts"], request["sources"], strict=True)
        ]
        one = _made(request, name, options)
        return {"text": _ran(request, name, lambda out: one.concat(out, hunks, **output))}


def _ran(request: Mapping[str, Any], name: str, run: Callable[[StringIO], object]) -> str:
    """Return what a filter writes; raise `DiagnosticsError` if it fails, in its own words."""
    out = StringIO()
    try:
        run(out)
    except DiagnosticsError:
        raise
    except FileNotFoundError as error:
        # Some filters start their program by themselves; its name is then the file that is not found.
        program = str(error.filename)
        if os.sep not in program and shutil.which(program) is None:
            raise EngineUnavailable([_without_program(request, name, program)]) from None
        raise DiagnosticsError([_finding(request, "filter-failed", f"filter `{name}` failed: {error}")]) from None
    except Exception as error:  # noqa: BLE001  any exception of a filter is a finding about its input
        message = f"filter `{name}` failed: {type(error).__name__}: {error}".rstrip(". \n")
        raise DiagnosticsError([_finding(request, "filter-failed", message)]) from None
    return out.getvalue()


def _made(request: Mapping[str, Any], name: str, options: Mapping[str, Any]) -> Any:
    """Return the filter, set up; raise `DiagnosticsError` that says why there is none."""
    classes = _classes(request)
    if name not in classes:
        if name in _PACKAGES:
            raise EngineUnavailable([_without_package(request, name, _PACKAGES[name][1])])
        meant = nearest(name, classes)
        hint = f"did you mean `{meant}`?" if meant else "webassets' documentation lists its filters"
        raise DiagnosticsError([_finding(request, "unknown-filter", f"there is no filter `{name}`", hint)])
    known = _option_names(classes[name])
    for option in options:
        if option not in known:
            meant = nearest(option, known)
            hint = (
                f"did you mean `{meant}`?"
                if meant
                else f"it has {', '.join(f'`{k}`' for k in sorted(known)) or 'none'}"
            )
            message = f"filter `{name}` has no option `{option}`"
            raise DiagnosticsError([_finding(request, "unknown-option", message, hint)])
    one = classes[name](**options)
    one.set_context(_environment(request))
    try:
        one.setup()
    except (ImportError, OSError) as error:
        module, package = _PACKAGES.get(name, ("", ""))
        if isinstance(error, ImportError) and error.name and not module:
            module = package = error.name
        if module and importlib.util.find_spec(module) is None:
            raise EngineUnavailable([_without_package(request, name, package)]) from None
        message = f"filter `{name}` cannot start: {error}".rstrip(". \n")
        raise EngineUnavailable([_finding(request, "filter-failed", message)]) from None
    return one


def _without_package(request: Mapping[str, Any], name: str, package: str) -> Diagnostic:
    message = f"filter `{name}` needs the package `{package}`, which is not installed"
    return _finding(request, "missing-package", message, f"pip install {package}")


def _without_program(request: Mapping[str, Any], name: str, program: str) -> Diagnostic:
    message = f"filter `{name}` needs the program `{program}`, which is not on the PATH"
    return _finding(request, "missing-program", message, "install it, or take another filter")


def _classes(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return webassets' filters by name."""
    try:
        # webassets has no public list of them; `get_filter` raises a bare ValueError.
        classes: Mapping[str, Any] = import_module("webassets.filter")._FILTERS
    except ImportError:
        hint = "pip install 'assetbuild[compile]'"
        message = "filters need the package `webassets`, which is not installed"
        raise EngineUnavailable([_finding(request, "missing-extra", message, hint)]) from None
    return classes


def _option_names(filter_class: Any) -> set[str]:
    """Return the names of the options that the class takes: of its table, and of a constructor of its own."""
    base = import_module("webassets.filter")
    table = base.parse_options(filter_class.options)
    names = {own if given is None else given for own, (given, _, _) in table.items()}
    if filter_class.__init__ is not base.Filter.__init__:
        parameters = inspect.signature(filter_class.__init__).parameters.values()
        names.update(
            p.name for p in parameters if p.name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        )
    return names


def _environment(request: Mapping[str, Any]) -> Any:
    """Return the environment that a filter asks: a private folder, no cache or manifest, logical paths for URLs."""
    webassets = import_module("webassets")
    # An URL is not needed for ours, but pyscss refuses to start without one.
    settings = {"cache": False, "manifest": False, "auto_build": False, "debug": False, "versions": False}
    environment = webassets.Environment(request["folder"], "/", **request.get("config", {}), **settings)
    environment.resolver = _Resolver(environment.resolver)
    return import_module("webassets.bundle").wrap(environment, None)  # as a bundle gives it to its filters


class _Resolver:
    """webassets' resolver, but for the URLs that `cssrewrite` compares: they are logical paths."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolver, name)

    def resolve_source_to_url(self, _context: object, _file: str, source: str) -> str:
        return f"/{source}"

    def resolve_output_to_url(self, _context: object, target: str) -> str:
        return f"/{target}"


@contextmanager
def _surroundings(request: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give filters the project as the current folder, as their tools expect it, and yield where the output would be."""
    os.chdir(request["project"])
    os.makedirs(os.path.dirname(os.path.join(request["folder"], request["output"])), exist_ok=True)
    with _checked_programs(request):
        yield {"output": request["output"], "output_path": os.path.join(request["folder"], request["output"])}


@contextmanager
def _checked_programs(request: Mapping[str, Any]) -> Iterator[None]:
    """Have webassets' own way to start a program say which one is absent, as a finding."""
    _classes(request)
    tool: Any = import_module("webassets.filter").ExternalTool
    original = tool.__dict__["subprocess"]

    def checked(cls: Any, argv: list[str], out: Any, data: Any = None, cwd: str | None = None) -> Any:
        if shutil.which(argv[0]) is None:
            raise EngineUnavailable([_without_program(request, cls.name or cls.__name__, argv[0])])
        return original.__get__(None, cls)(argv, out, data=data, cwd=cwd)

    tool.subprocess = classmethod(checked)
    try:
        yield
    finally:
        tool.subprocess = original


def _version(package: str) -> tuple[str, str] | None:
    try:
        return package, importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None  # webassets brings its own rjsmin


def _finding(request: Mapping[str, Any], rule: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(rule, "error", message, Span(request["shown"]), hint)

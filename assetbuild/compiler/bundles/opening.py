"""Finding the environment, inside the worker process: the one place that imports the user's code.

Receives a YAML text or the name of a Python object; hands on webassets' environment, with the application around it if
there is one. What the user's code prints is kept, what it raises becomes one finding at the user's own line.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from io import StringIO
from typing import Any, NamedTuple, NoReturn

from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Note, Span, nearest, span_at

__all__ = ["Opened", "is_own", "opened"]

_LAST_LINES = 3

# Settings that would make webassets read or write on its own account. Which bundles there are does not depend on them.
_OFF = {"cache": False, "manifest": False, "versions": False, "auto_build": False, "debug": False, "url_expire": False}


class Opened(NamedTuple):
    """An environment. jinja: the Jinja environment of its application, None without one; context: to be entered."""

    environment: Any
    jinja: Any
    context: Callable[[], AbstractContextManager[object]]


def opened(request: Mapping[str, Any]) -> Opened:
    """Return the environment that `request` names.

    request: `environment` (as configured), `text` (of the YAML file), `project` (a folder), `directory` (where outputs
    go if nothing else is said), `base`, `shown` (the file of the configuration).
    """
    name = request["environment"]
    is_yaml = name.endswith((".yaml", ".yml"))
    found = _from_yaml(request) if is_yaml else _from_python(request)
    with found.context():
        try:
            found.environment.config.update(_OFF)
            for key, default in (("directory", request["directory"]), ("url", request["base"])):
                if found.environment.config.get(key) is None and not found.jinja:
                    setattr(found.environment, key, default)
        except RuntimeError:  # Flask-Assets' way to say that `init_app` has not been called, or not here
            hint = "name the application instead, such as `package:create_app()`"
            _refuse("unbound-environment", f"`{name}` is not bound to an application", request, hint)
    return found


def _from_yaml(request: Mapping[str, Any]) -> Opened:
    name, text = request["environment"], request["text"]
    if importlib.util.find_spec("yaml") is None:
        message = f"`{name}` needs the package `pyyaml`, which is not installed"
        raise EngineUnavailable([Diagnostic("missing-package", "error", message, Span(name), "pip install pyyaml")])
    document = _document(name, text)
    bundles = document.get("bundles", {}) if "bundles" in document else document
    if not _is_table(bundles) or not all(isinstance(one, dict | None) for one in bundles.values()):
        _refuse("invalid-yaml", "bundles must be a mapping of names to their `contents`, `filters`, `output`", name)
    if "bundles" in document and document.get("filters"):
        hint = "use webassets' own filters, or run the tool before the compile"
        _refuse("custom-filter", "`filters` at the top name Python code, which is not run", name, hint)
    loader = import_module("webassets.loaders").YAMLLoader(_Named(text, os.path.join(request["project"], name)))
    environment = import_module("webassets").Environment()
    try:
        if "bundles" in document:
            environment = loader.load_environment()
        else:
            environment.register(loader.load_bundles())
    except (AttributeError, TypeError, ValueError) as error:  # how it meets a value of another type
        _refuse("invalid-yaml", f"webassets cannot read the bundles: {error}", name)
    return Opened(environment, None, nullcontext)


def _document(name: str, text: str) -> dict[str, Any]:
    yaml = import_module("yaml")
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = span_at(name, text, mark.index) if mark else Span(name)
        message = f"the file is not YAML: {error.problem or error.context}"
        raise DiagnosticsError([Diagnostic("invalid-yaml", "error", message, place)]) from None
    except yaml.YAMLError as error:
        _refuse("invalid-yaml", f"the file is not YAML: {error}", name)
    if document is None:
        return {}
    if not isinstance(document, dict) or not _is_table(document):
        _refuse("invalid-yaml", "the file must be a mapping of names to bundles", name)
    return document


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


class _Named(StringIO):
    """A text that webassets takes for the open file `name`."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _from_python(request: Mapping[str, Any]) -> Opened:
    name = request["environment"]
    module_name, _, attributes = name.partition(":")
    sys.path.insert(0, request["project"])
    sys.dont_write_bytecode = True  # a compile leaves nothing among the sources
    with _users_code(request):
        found = _module(module_name, request)
        for attribute in attributes.removesuffix("()").split("."):
            if not hasattr(found, attribute):
                near = nearest(attribute, dir(found))
                hint = f"did you mean `{near}`?" if near else ""
                _refuse("no-environment", f"`{module_name}` has no `{attribute}`", request, hint)
            found = getattr(found, attribute)
        if attributes.endswith("()"):
            found = found()
        environment, jinja = _environment_of(found)
        if environment is None:
            is_factory = callable(found) and not hasattr(found, "wsgi_app")
            hint = f"to call it, write `{name}()`" if is_factory else "name the environment itself"
            _refuse("no-environment", f"`{name}` holds no webassets environment", request, hint)
        application = found if hasattr(found, "app_context") else getattr(environment, "app", None)
        context = application.app_context if application is not None else nullcontext
        return Opened(environment, jinja or getattr(application, "jinja_env", None), context)


def _module(name: str, request: Mapping[str, Any]) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # what the module itself imports
        message = f"there is no module `{error.name}` in the project, nor installed"
        _refuse("no-environment", message, request)


def _environment_of(found: Any) -> tuple[Any, Any]:
    """Return the environment that is `found`, or that its Jinja environment or an extension holds, and that Jinja."""
    kind = import_module("webassets.env").BaseEnvironment
    if isinstance(found, kind):
        return found, None
    jinja = getattr(found, "jinja_env", None)
    extensions = getattr(found, "extensions", None)
    held = [getattr(one, "assets_environment", None) for one in (jinja, found)]
    held += extensions.values() if isinstance(extensions, dict) else ()
    return next((one for one in held if isinstance(one, kind)), None), jinja


@contextmanager
def _users_code(request: Mapping[str, Any]) -> Iterator[None]:
    """Keep what the user's code prints; raise what it raises as one finding."""
    with tempfile.TemporaryFile() as said:
        try:
            with _printed_to(said.fileno()):
                yield
        except DiagnosticsError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  any exception there is a finding about that code
            said.seek(0)
            printed = said.read().decode(errors="replace")
            raise DiagnosticsError([_failure(error, printed, request)]) from None


@contextmanager
def _printed_to(descriptor: int) -> Iterator[None]:
    """Send standard output and error to a file, also what native code and other programs print."""
    kept = {standard: os.dup(standard) for standard in (1, 2)}
    for standard in kept:
        os.dup2(descriptor, standard)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for standard, own in kept.items():
            os.dup2(own, standard)
            os.close(own)


def _failure(error: BaseException, said: str, request: Mapping[str, Any]) -> Diagnostic:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_own(frame.filename, request["project"])]
    place = Span(request["shown"]) if request["shown"] else None
    if isinstance(error, SyntaxError) and error.filename and is_own(error.filename, request["project"]):
        place = _line(error.filename, error.lineno or 0, error.text or "", request)
    elif own:
        place = _line(own[-1].filename, own[-1].lineno or 0, own[-1].line or "", request)
    lacks_variable = isinstance(error, KeyError) and any(frame.name == "__getitem__" for frame in frames[-1:])
    hint = "a compile passes no environment variables on: give it a default" if lacks_variable else ""
    lines = said.strip().splitlines()[-_LAST_LINES:]
    notes = tuple(Note(f"it printed: {line}") for line in lines)
    message = f"`{request['environment']}` fails: {type(error).__name__}: {error}".rstrip(". \n:")
    return Diagnostic("environment-failed", "error", message, place, hint, notes)


def _line(file: str, number: int, text: str, request: Mapping[str, Any]) -> Span:
    shown = os.path.relpath(file, request["project"]).replace(os.sep, "/")
    return Span(shown, number, 1, len(text.strip()), text.strip())


def is_own(file: str, project: str) -> bool:
    """Return whether `file` is of the project, and not of a virtual environment inside it."""
    return file.startswith(os.path.join(project, "")) and f"{os.sep}site-packages{os.sep}" not in file


def _refuse(rule: str, message: str, where: Mapping[str, Any] | str, hint: str = "") -> NoReturn:
    shown = where if isinstance(where, str) else where["shown"]
    raise DiagnosticsError([Diagnostic(rule, "error", message, Span(shown) if shown else None, hint)])

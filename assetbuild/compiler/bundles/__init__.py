"""webassets bundles as entries: `[webassets] environment` and inline definitions in templates.

Receives the project; hands on what the environment builds and which names stand for it. The environment is opened in
a worker process of its own (`worker.py`), the one place where a compile imports the user's code, and the process ends
before any asset is compiled. Building, caches and versions of webassets are never used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.compiler import door
from assetbuild.compiler.errors import CompileFailed, ConfigError
from assetbuild.compiler.model import Input
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Project
from assetbuild.compiler.templates import templates
from assetbuild.diagnostic import Diagnostic, Span, findings
from assetbuild.disk import Disk

__all__ = ["VERSION", "VERSIONS", "Bundle", "Bundles", "Output", "load"]

VERSION = "%(version)s"
"""The placeholder of a version in the name of an output."""

VERSIONS = r"(?:[0-9a-f]{8}|[0-9]{9,11})"
"""What webassets puts in its place: eight digits of a hash, or a time stamp in seconds."""

_WORKER = "assetbuild.compiler.bundles.worker:load"


class Output(NamedTuple):
    """A file that the environment builds.

    written: the bundle's `output`. file: absolute, where webassets would write it, the placeholder of its version in
    it. bundle: who builds it, defined at `place`. tree: filters and contents, as `describe.described` gives them.
    """

    written: str
    file: str
    bundle: str
    place: Span
    tree: Mapping[str, Any]


class Bundle(NamedTuple):
    """What a name stands for. parts: numbers of outputs, files (absolute), and in a tuple what is missing.

    is_merged: it stands inside another bundle as well.
    """

    parts: tuple[int | str | tuple[str], ...]
    extra: Mapping[str, Any]
    place: Span
    is_merged: bool


class Bundles(NamedTuple):
    """An environment as it was read. inputs: files that decide it. diagnostics: what is wrong with it.

    is_code: it is a Python object, which may name files anywhere: it could read them itself.
    """

    outputs: tuple[Output, ...] = ()
    named: Mapping[str, Bundle] = {}
    inputs: tuple[Input, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    is_code: bool = False

    def folders(self) -> tuple[str, ...]:
        """Return the folders that sources and dependencies lie in, sorted; some may be relative to the project."""
        files = {file for output in self.outputs for file in _files(output.tree)}
        return tuple(sorted({os.path.dirname(file) for file in files}))


def load(project: Project, disk: Disk) -> Bundles:
    """Return the bundles of `project`, none if it names no environment.

    Raises `ConfigError` if `--frozen` forbids it, and `DiagnosticsError` if there is no environment to be had.
    """
    name = project.webassets
    if not name:
        return Bundles()
    is_yaml = name.endswith((".yaml", ".yml"))
    if project.is_frozen and not is_yaml:
        message = f"`{name}` is Python code, which `--frozen` does not run"
        raise ConfigError([_error("unpinned-code", message, project, "define the bundles in a YAML file")])
    inputs: dict[str, bytes] = {}
    text = _yaml(project, disk, inputs) if is_yaml else ""
    in_templates = list(_templates(project, disk, inputs))
    request = {
        "environment": name,
        "text": text,
        "project": project.folder,
        "directory": project.roots[0].folder if project.roots else project.folder,
        "base": project.base,
        "shown": project.config_shown,
        "templates": in_templates,
    }
    # Not one of the build's workers: filters must not meet the user's modules in their process.
    with Workers(1) as workers:
        made = workers.call(_WORKER, request, subject=name, engine="webassets")
    inputs |= {file: disk.read(file) for file in made["modules"]}
    return Bundles(
        tuple(map(_output, made["outputs"])),
        {name: _bundle(one) for name, one in made["bundles"].items()},
        tuple(Input(file, hashlib.sha256(body).hexdigest()) for file, body in sorted(inputs.items())),
        findings(made["findings"]),
        is_code=not is_yaml,
    )


def _output(one: Mapping[str, Any]) -> Output:
    return Output(one["output"], one["file"], one["bundle"], Span(*one["place"]), one["tree"])


def _bundle(one: Mapping[str, Any]) -> Bundle:
    return Bundle(tuple(map(_part, one["parts"])), one["extra"], Span(*one["place"]), one["is_merged"])


def _part(part: Mapping[str, Any]) -> int | str | tuple[str]:
    if "missing" in part:
        return (str(part["missing"]),)
    found: int | str = part["output"] if "output" in part else part["file"]
    return found


def _files(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield every file of a tree, and the folders that its Sass looks in."""
    yield from tree["depends"]
    for name, options in (*tree["filters"], *tree["inherited"]):
        if name == "libsass":
            yield from (os.path.join(folder, "") for folder in options.get("includes") or ())
    for item in tree["contents"]:
        if "file" in item:
            yield item["file"]
        elif "contents" in item:
            yield from _files(item)


def _yaml(project: Project, disk: Disk, inputs: dict[str, bytes]) -> str:
    """Return the text of the YAML file, and record it."""
    file = os.path.join(project.folder, project.webassets)
    if not os.path.realpath(file).startswith(os.path.join(os.path.realpath(project.folder), "")):
        message = f"`{project.webassets}` is a link that leads out of the project"
        raise ConfigError([_error("outside-project", message, project, "put the file in its place")])
    try:
        inputs[file] = disk.read(file)
    except OSError as error:
        message = f"`{project.webassets}` cannot be read: {error.strerror}"
        raise ConfigError([_error("unreadable", message, project)]) from None
    try:
        return door.admit(inputs[file], project.webassets)
    except door.Refused as error:
        raise CompileFailed(error.diagnostics) from None


def _templates(project: Project, disk: Disk, inputs: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield shown path and text of each template that may hold an `assets` tag, and record it."""
    if project.templates.engine != "jinja":
        return  # the tag is an extension of Jinja; Django's lexer would cut it differently
    for found in templates(project, disk):
        if isinstance(found, Diagnostic):
            if found.severity == "error":
                raise ConfigError([found])
        elif b"assets" in found.body and (text := found.text()) is not None:
            inputs[os.path.join(project.folder, found.shown)] = found.body
            yield found.shown, text


def _error(rule: str, message: str, project: Project, hint: str = "") -> Diagnostic:
    return Diagnostic(rule, "error", message, Span(project.config_shown) if project.config_shown else None, hint)

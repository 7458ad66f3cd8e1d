"""`check`: the whole compile in memory, then every name in every template against what it made. Nothing is written.

Receives the project; hands on findings. Templates are read in worker processes, without the application: an extension
that the configuration names is somebody's code, and Django must not meet our modules.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from assetbuild.compiler import Watcher, compile
from assetbuild.compiler.config import CONFIG_FILE, place_of
from assetbuild.compiler.door import Refused
from assetbuild.compiler.errors import ConfigError, DiagnosticsError, EngineUnavailable
from assetbuild.compiler.pool import Workers, parallel
from assetbuild.compiler.project import Project
from assetbuild.compiler.templates import likely_folders, templates
from assetbuild.diagnostic import Diagnostic, Span, by_place
from assetbuild.diagnostic import findings as findings_of
from assetbuild.disk import Disk
from assetbuild.inspect.names import fault_of
from assetbuild.inspect.uses import Use
from assetbuild.manifest import Manifest
from assetbuild.web.assets import Assets

__all__ = ["Report", "check"]

# What one request holds: small enough for its time limit, large enough to be worth a process.
_BATCH_CHARACTERS = 250_000
# Python package of each engine, and what brings it.
_ENGINES = {"jinja": ("jinja2", "pip install 'assetbuild[jinja]'"), "django": ("django", "pip install django")}


class Report(NamedTuple):
    """What a check found.

    exit_code: as of a compile. names: how many were looked up. assets: 0 if none were made. engine_runs: as of a
    compile.
    """

    diagnostics: tuple[Diagnostic, ...]
    exit_code: int
    assets: int
    templates: int
    names: int
    engine_runs: Mapping[str, int] = MappingProxyType({})


class _Read(NamedTuple):
    uses: tuple[Use, ...]
    findings: tuple[Diagnostic, ...]
    templates: int


def check(project: Project, *, disk: Disk, environ: Mapping[str, str], watcher: Watcher | None = None) -> Report:
    """Return every finding of the compile of `project` and of its templates, sorted by place.

    Raises what a compile raises that is no finding, such as `SourceChanged`.
    """
    # Before the compile, which takes longer: a wrong folder or a missing package should not wait for it.
    read = _read_templates(project, disk)
    made: Assets | None = None
    exit_code = 0
    try:
        outcome = compile(project, disk=disk, environ=environ, watcher=watcher, is_written=False)
        findings = list(outcome.diagnostics)
        made = Assets(Manifest(outcome.manifest), project.base)
    except DiagnosticsError as error:
        findings, exit_code = list(error.diagnostics), error.exit_code
    said = {(found.rule, found.span.path, found.span.line) for found in findings if found.span}
    findings += (f for f in read.findings if not f.span or (f.rule, f.span.path, f.span.line) not in said)
    if made is not None:
        findings += _judged(read.uses, made)
    elif read.uses:
        message = "the names in templates were not checked: the compile failed, so that nobody knows what there is"
        findings.append(Diagnostic("unchecked-names", "note", message))
    if not exit_code and any(found.severity == "error" for found in findings):
        exit_code = 1
    looked_up = sum(use.name is not None for use in read.uses)
    found = tuple(by_place(findings))
    if made is None:
        return Report(found, exit_code, 0, read.templates, 0)
    return Report(found, exit_code, len(outcome.assets), read.templates, looked_up, outcome.engine_runs)


def _judged(uses: Iterable[Use], assets: Assets) -> Iterator[Diagnostic]:
    for use in uses:
        found = fault_of(use, assets)
        if found:
            yield found


def _read_templates(project: Project, disk: Disk) -> _Read:
    """Return what the templates use; raise `ConfigError`, or `EngineUnavailable` if their engine is not installed."""
    texts: list[tuple[str, str, bool]] = []
    findings: list[Diagnostic] = []
    for found in templates(project, disk):
        try:
            if isinstance(found, Diagnostic):
                findings.append(found)
            elif (text := found.text()) is not None:
                texts.append((found.shown, text, found.is_sure))
        except Refused as error:
            findings += error.diagnostics
    if not texts:
        findings += _nothing_to_read(project, disk)
    replies = _replies(project, texts) if texts else []
    for reply in replies:
        findings += findings_of(reply["findings"])
    uses = (Use(*one)._replace(place=Span(*one[2])) for reply in replies for one in reply["uses"])
    return _Read(tuple(uses), tuple(findings), len(texts))


def _nothing_to_read(project: Project, disk: Disk) -> Iterator[Diagnostic]:
    """Yield a warning where there should have been templates: a check that reads none finds nothing in them."""
    found = [] if project.templates.is_set else likely_folders(project, disk)
    if found:
        shown = ", ".join(f"`{folder}/`" for folder in found)
        message = f"no template is checked: `[templates] paths` is not set, and there is {shown}"
        is_shared = project.config_shown not in {"", CONFIG_FILE}
        table = "[tool.assetbuild.templates]" if is_shared else "[templates]"
        paths = ", ".join(json.dumps(folder, ensure_ascii=False) for folder in found)
        hint = f"write `paths = [{paths}]` under `{table}` in `{project.config_shown or CONFIG_FILE}`"
        yield Diagnostic("unset-templates", "warning", message, hint=hint)
    elif project.templates.folders:
        place = place_of(project, "templates.paths")
        yield Diagnostic("no-templates", "warning", "no folder in `[templates] paths` holds a template", place)


def _replies(project: Project, texts: Sequence[tuple[str, str, bool]]) -> list[dict[str, Any]]:
    engine = project.templates.engine
    package, hint = _ENGINES[engine]
    if importlib.util.find_spec(package) is None:
        message = f"the templates need the package `{package}`, which is not installed"
        raise EngineUnavailable([Diagnostic("missing-package", "error", message, hint=hint)])
    request = {"project": project.folder, "extensions": _extensions(project)}
    with Workers(project.jobs) as workers:

        def read(batch: Sequence[tuple[str, str, bool]]) -> dict[str, Any]:
            function = f"assetbuild.inspect.{engine}:read"
            return workers.call(function, {**request, "templates": batch}, subject=batch[0][0], engine=engine)

        return parallel(read, _batches(texts), project.jobs)


def _extensions(project: Project) -> list[tuple[str, Span | None]]:
    """Return the extensions to load, with their places; `--frozen` runs no code but Jinja's and ours."""
    extensions = [
        (name, place_of(project, f"templates.extensions[{number}]"))
        for number, name in enumerate(project.templates.extensions)
    ]
    foreign = [one for one in extensions if not one[0].startswith(("assetbuild.", "jinja2."))]
    if project.is_frozen and foreign:
        message = "`{}` is Python code, which `--frozen` does not run"
        raise ConfigError(Diagnostic("unpinned-code", "error", message.format(name), place) for name, place in foreign)
    return extensions


def _batches(texts: Sequence[tuple[str, str, bool]]) -> list[list[tuple[str, str, bool]]]:
    batches: list[list[tuple[str, str, bool]]] = [[]]
    size = 0
    for one in texts:
        if size > _BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(one)
        size += len(one[1])
    return batches

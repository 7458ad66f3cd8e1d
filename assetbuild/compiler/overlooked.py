"""Overlooked: what was probably meant otherwise. Files that only an entry could publish, or nothing to publish at all.

Receives the survey and what the plan made of it; hands on warnings, each with what would publish the file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from assetbuild.compiler.project import Project
from assetbuild.compiler.survey import Survey
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["overlooked"]

_MODULES = (".ts", ".tsx", ".mts", ".jsx")
_SHEETS = (".scss", ".sass")


def overlooked(project: Project, survey: Survey, *, has_modules: bool, is_empty: bool) -> Iterator[Diagnostic]:
    """Yield the warnings. has_modules: an entry is one. is_empty: nothing is published, though nothing is wrong."""
    scripts = [logical for logical in sorted(survey.withheld) if logical.endswith(_MODULES)]
    if scripts and not has_modules:
        first = survey.sources[scripts[0]]
        stem = posixpath.splitext(scripts[0])[0]
        message = f"`{first.shown}` is compiled through an entry alone, and no entry is a module"
        hint = f'write "{stem}.js" = {{ module = "{scripts[0]}" }} under `[entries]`'
        yield Diagnostic("no-entry", "warning", message, Span(first.shown), hint)
    elif is_empty:
        roots = ", ".join(f"`{root.shown}`" for root in project.roots)
        message = f"nothing to publish was found in {roots or 'the configuration'}"
        yield Diagnostic("no-assets", "warning", message, hint=_first_step(project, survey))


def _first_step(project: Project, survey: Survey) -> str:
    """Return what would be published if it were done."""
    sheets = [logical for logical in sorted(survey.withheld) if logical.endswith(_SHEETS)]
    if sheets and project.sass.auto and all(posixpath.basename(sheet).startswith("_") for sheet in sheets):
        shown = survey.sources[sheets[0]].shown
        return f"`{shown}` is a partial, which other stylesheets load: without its `_` it is compiled itself"
    return "" if survey.sources or not project.roots else "put a stylesheet, a script or an image there"

"""Calls that a bundler would have replaced and that no browser has: `require` in a module, webpack's `require.context`.

Receives a reading of a text that is published as it stands; hands on findings. A script that is no module is left
alone: where it says `require`, it most often asks first whether there is one (UMD), or brings its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project
from assetbuild.compiler.refs.js import Script
from assetbuild.diagnostic import Diagnostic, Severity, span_at

__all__ = ["CONTEXT_CALL", "left_calls"]

CONTEXT_CALL = "require.context"


def left_calls(script: Script, text: str, source: Source, project: Project) -> Iterator[Diagnostic]:
    """Yield a finding for each call that fails in a browser."""
    severity: Severity = "error" if source.is_first_party else "warning"
    fails = script.is_module and not script.provides_require
    for ref in script.requires:
        span = span_at(source.shown, text, ref.statement_start, ref.statement_end)
        if matches_any(project.missing_allow, source.logical) or matches_any(project.missing_allow, ref.value):
            continue
        if ref.kind == "require-context":
            message = f"`{CONTEXT_CALL}` is webpack's own and does not exist in a browser"
            yield Diagnostic("require-context", severity, message, span, "write one `import` for each file")
        elif fails:
            message = f"`require` of `{ref.value}` stays in a module, and browsers do not have it"
            hint = f'write `import`, or make the script an entry {{ module = "{source.logical}" }}'
            yield Diagnostic("left-require", severity, message, span, hint)

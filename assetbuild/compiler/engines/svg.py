"""SVG: what is said of drawings that may do more than draw, and what is taken out of them where that was asked for.

An SVG in `<img>` or CSS runs nothing. Opened by its own address it is a page of the site, and what it runs acts as the
site's own scripts do. So first-party files are warned of, and others noted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from assetbuild.compiler.engines.judge import missing_rule
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project
from assetbuild.compiler.refs.markup.active import Active, Activity, active_parts, flaw_of, without
from assetbuild.diagnostic import Diagnostic, Severity, span_at

__all__ = ["Told", "tell"]

_WHAT: dict[Activity, tuple[str, str]] = {
    "script": ("a script", "scripts"),
    "handler": ("an event handler", "event handlers"),
    "link": ("a link that runs a script", "links that run scripts"),
    "foreign": ("another language's elements", "elements of another language"),
    "sheet": ("a style sheet that is no CSS", "style sheets that are no CSS"),
    "declaration": ("declarations that can bring scripts in", "declarations that can bring scripts in"),
    "external": ("a reference to another host", "references to other hosts"),
}
_HINT = "`[svg] sanitize = true` takes it out; `[svg] allow` is for what is meant to be there"
_ALLOW = "correct it, or name it in `[svg] allow`"


class Told(NamedTuple):
    """What is to be said of a drawing, and what is to be left out of it, in order."""

    diagnostics: tuple[Diagnostic, ...]
    removed: tuple[Active, ...]


def tell(text: str, source: Source, project: Project) -> Told:
    """Return what is to be said and left out of the SVG file `source`."""
    if any(matches_any(project.svg.allow, name) for name in (source.logical, source.shown)):
        return Told((), ())
    parts = active_parts(text)
    if not parts:
        return Told((), ())
    if project.svg.sanitize:
        rest = without(text, parts)
        flaw = flaw_of(text) or flaw_of(rest) or ("what is left of it is active too" if active_parts(rest) else "")
        if flaw:
            message = f"`{source.logical}` cannot be sanitised: {flaw}"
            place = span_at(source.shown, text, parts[0].start)
            return Told((Diagnostic("active-svg", "error", message, place, _ALLOW),), ())
        return Told(_findings(text, parts, source, "note", "held"), parts)
    severity: Severity = "warning" if missing_rule(source, project) == "error" else "note"
    return Told(_findings(text, parts, source, severity, "holds"), ())


def _findings(
    text: str, parts: tuple[Active, ...], source: Source, severity: Severity, holds: str
) -> tuple[Diagnostic, ...]:
    """Return one finding for each kind of part, at the first."""
    by_kind: dict[Activity, list[Active]] = defaultdict(list)
    for part in parts:
        by_kind[part.kind].append(part)
    findings = []
    for kind, alike in by_kind.items():
        one, many = _WHAT[kind]
        what = one if len(alike) == 1 else f"{len(alike)} {many}"
        message = f"`{source.logical}` {holds} {what}" + ("" if holds == "holds" else ", taken out")
        place = span_at(source.shown, text, alike[0].start, alike[0].end)
        findings.append(Diagnostic("active-svg", severity, message, place, _HINT if holds == "holds" else ""))
    return tuple(findings)

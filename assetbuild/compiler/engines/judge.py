"""Judging: what a written reference means in this build, and what is said when it means nothing.

Receives what a tokeniser found and asks the resolver; hands on its answer and keeps the findings. Every engine that
reports a missing reference reports it here, so that all languages say it in the same words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Literal

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.incoming import dangling
from assetbuild.compiler.files import Reading
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.model import Source
from assetbuild.compiler.packages import split_specifier, to_install
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import Ambiguous, Missing, Outcome
from assetbuild.diagnostic import Diagnostic, Note, Severity, Span

__all__ = ["Judge", "missing_rule"]

_TAILWIND = "tailwindcss"  # a package whose sheet means nothing to anything but its own program


class Judge:
    """What a reference means in this build, and what is said when it means nothing."""

    def __init__(self, missing: Literal["error", "warn"], reading: Reading, shop: Shop) -> None:
        self.shop = shop
        self.diagnostics: list[Diagnostic] = []
        self._missing = missing
        self._reading = reading

    def outcome(self, written: str, referrers: Sequence[Source], place: Callable[[], Span]) -> Outcome:
        """Return what `written` means; what is missing or ambiguous is reported."""
        outcome = self.shop.resolver.reference(written, referrers, self._reading)
        if isinstance(outcome, Missing) and not self._is_allowed(written, referrers, outcome):
            self._report_missing(written, referrers[-1], outcome, place())
        elif isinstance(outcome, Ambiguous):
            message = f"`{written}` is both `{outcome.first.shown}` and `{outcome.second.shown}`"
            hint = "write a path that only one of them has"
            self.diagnostics.append(Diagnostic("ambiguous-reference", "error", message, place(), hint))
        return outcome

    def source_map(self, written: str, referrers: Sequence[Source], place: Span) -> Outcome | None:
        """Return what the comment's URL means, None if there is no such map."""
        outcome = self.shop.resolver.reference(written, referrers, self._reading)
        if isinstance(outcome, Missing | Ambiguous):
            self.diagnostics.append(dangling(written, place))
            return None
        return outcome

    def late_import(self, place: Span) -> None:
        """Report an `@import` that browsers ignore (css-cascade-5 §2)."""
        message = "`@import` behind other rules is ignored"
        self.diagnostics.append(Diagnostic("late-import", "warning", message, place, "move it to the top of the sheet"))

    def _is_allowed(self, written: str, referrers: Sequence[Source], outcome: Missing) -> bool:
        names = (*(name for source in referrers for name in (source.logical, source.shown)), written, *outcome.tried)
        return any(matches_any(self.shop.project.missing_allow, name) for name in names)

    def _report_missing(self, written: str, referrer: Source, outcome: Missing, place: Span) -> None:
        is_error = self._missing == "error" and missing_rule(referrer, self.shop.project) == "error"
        severity: Severity = "error" if is_error else "warning"
        message = f"`{written}` is not in any asset root"
        if outcome.why:
            message = f"`{written}` is not published: {outcome.why}"
        hint = f"did you mean `{outcome.nearest}`?" if outcome.nearest else self._advice(written)
        notes = (Note("looked for " + ", ".join(f"`{tried}`" for tried in outcome.tried)),) if outcome.tried else ()
        self.diagnostics.append(Diagnostic("missing-reference", severity, message, place, hint, notes))

    def _advice(self, written: str) -> str:
        """Return what to do about a name that is no path of the project's, "" if there is nothing to say of it."""
        if "{{" in written or "{%" in written:
            return "what is compiled is no template: write the path of the file"
        name, subpath = split_specifier(written.removeprefix("~"))
        if name == _TAILWIND:
            return "Tailwind compiles it: make the sheet an input of a `[[commands]]`, outside the roots"
        folder, disk = self.shop.project.folder, self._reading.library.disk
        is_installed = disk.is_file(os.path.join(folder, "node_modules", name, "package.json"))
        return to_install(name, folder, disk) if written.startswith("~") and subpath and not is_installed else ""


def missing_rule(source: Source, project: Project) -> Literal["error", "warn"]:
    """Return what a missing reference in `source` is: as its root says, a warning in what is not ours."""
    roots = [root for root in project.roots if source.file.startswith(os.path.join(root.folder, ""))]
    root = max(roots, key=lambda root: len(root.folder), default=None)
    return "error" if source.is_first_party and (root is None or root.missing == "error") else "warn"

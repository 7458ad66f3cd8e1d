"""What Dart Sass reports, in the words of the house: events of a compile become diagnostics.

Receives events and the sources of the compile; hands on values. A deprecation of the project's own code is a warning at
its place, grouped by its kind; those of a package are counted in one note, since the project cannot mend them.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from assetbuild.compiler.engines.sass.find import Refusal
from assetbuild.compiler.engines.sass.places import Sources, file_of
from assetbuild.compiler.engines.sass.wire import Event, Place
from assetbuild.compiler.packages import split_specifier
from assetbuild.diagnostic import Diagnostic, Note, Severity, Span

__all__ = ["diagnostics", "failure"]

# One call of a trace, as Dart's package stack_trace prints it: `scss/_a.scss 3:5  mixin()`. A line that looks otherwise
# gives no note, and nothing else depends on it.
_CALL = re.compile(r"(?P<path>.+?) (?P<line>\d+):(?P<column>\d+)\s+(?P<member>.+)")
_NOTES_LIMIT = 8

_KINDS: Mapping[str, tuple[str, Severity]] = {
    "warning": ("sass-warning", "warning"),
    "deprecation": ("sass-deprecation", "warning"),
    "debug": ("sass-debug", "note"),
}


def diagnostics(events: Sequence[Event], sources: Sources, folder: str) -> tuple[Diagnostic, ...]:
    """Return the findings of a compile. folder: to which the paths of traces are relative."""
    found = []
    quiet: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        file = file_of(event.place.url) if event.place else None
        if event.kind == "deprecation" and file is not None and not sources.source(file).is_first_party:
            quiet[_package(sources.source(file).shown)][event.deprecation] += 1
        else:
            found.append(_diagnostic(event, sources, folder))
    for package, counts in sorted(quiet.items()):
        kinds = ", ".join(f"`{name}` {count}" for name, count in sorted(counts.items()))
        whose = f"package `{package}` uses" if package else "folders of others use"
        message = f"{whose} deprecated Sass {_times(counts.total())}: {kinds}"
        found.append(Diagnostic("sass-deprecation", "note", message, group=f"sass:package:{package}"))
    return tuple(found)


def failure(event: Event, sources: Sources, folder: str, refusals: Mapping[str, Refusal]) -> Diagnostic:
    """Return the error that ended a compile. refusals: message → the load that our importer refused with it."""
    span, notes = _places(event, sources, folder)
    refusal = refusals.get(event.message)
    if refusal is not None:
        return Diagnostic(refusal.rule, "error", refusal.message, span, refusal.hint, notes)
    message, hint = _worded(event.message)
    return Diagnostic("sass-error", "error", message, span, hint, notes)


def _package(shown: str) -> str:
    """Return the npm package that a file lies in, "" if it lies in a root that is somebody else's."""
    return split_specifier(shown.rpartition("node_modules/")[2])[0] if "node_modules/" in shown else ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _diagnostic(event: Event, sources: Sources, folder: str) -> Diagnostic:
    rule, severity = _KINDS[event.kind]
    span, notes = _places(event, sources, folder)
    if span is None:
        # Nothing in a sheet: the compiler speaks of the settings that it was given.
        message, _ = _worded(event.message)
        hint = "`silence` and `fatal` under `[sass]` take the compiler's own ids"
        return Diagnostic("sass-setting", severity, message, None, hint, group="sass:settings")
    if event.deprecation:
        message, hint = _worded(event.message)
        return Diagnostic(rule, severity, message, span, hint, notes, f"sass:{event.deprecation}")
    return Diagnostic(rule, severity, event.message, span, "", notes if event.kind == "warning" else ())


def _places(event: Event, sources: Sources, folder: str) -> tuple[Span | None, tuple[Note, ...]]:
    """Return the place of an event and the calls that led there, outermost last."""
    calls = [call for line in event.trace.splitlines() if (call := _call(line, sources, folder))]
    place = event.place
    if place is not None:
        span = _span(place, sources)
        return span, tuple(calls[1 : _NOTES_LIMIT + 1])
    # `@warn` comes without a place; the innermost call of its trace is where it stands.
    return (calls[0].span, tuple(calls[1 : _NOTES_LIMIT + 1])) if calls else (None, ())


def _span(place: Place, sources: Sources) -> Span | None:
    file = file_of(place.url)
    return sources.span(file, place.line, place.column, place.text) if file is not None else None


def _call(line: str, sources: Sources, folder: str) -> Note | None:
    found = _CALL.fullmatch(line.strip())
    if found is None:
        return None
    file = os.path.normpath(os.path.join(folder, found["path"]))
    try:
        return Note(found["member"], sources.span(file, int(found["line"]) - 1, int(found["column"]) - 1))
    except OSError:
        return None  # a built-in module has a place in the trace, but no file


def _worded(message: str) -> tuple[str, str]:
    """Return the compiler's message as message and hint: its first paragraph, and what it recommends after that."""
    paragraphs = [" ".join(part.split()) for part in message.strip().split("\n\n")]
    first = paragraphs[0]
    # A sentence of the compiler begins with a capital; a name such as SassScript, or a quoted value, stays.
    if re.match(r"[A-Z][a-z']*\b(?!\()", first) and not first.startswith("Sass"):
        first = first[0].lower() + first[1:]
    return first.removesuffix("."), "; ".join(part[:1].lower() + part[1:].removesuffix(".") for part in paragraphs[1:])

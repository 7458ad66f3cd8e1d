"""What went wrong, where, and what to do about it: values, made where the facts are.

Receives nothing and prints nothing: `cli/render.py` is the only printer. Standard library only,
because the runtime half reports in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

__all__ = [
    "AssetbuildError",
    "Diagnostic",
    "Lines",
    "Note",
    "Severity",
    "Span",
    "by_place",
    "findings",
    "nearest",
    "reason_of",
    "span_at",
]

Severity = Literal["error", "warning", "note"]

# A minified file is one line of megabytes: a diagnostic quotes a window of it.
_QUOTE_LIMIT = 400


class AssetbuildError(Exception):
    """Root of every error that assetbuild raises on purpose; its text is one finished sentence.

    AssetbuildError
    ├─ ConfigError        configuration or flags are wrong                exit 2   compiler/errors.py
    ├─ EngineUnavailable  an engine or an extra is not installed          exit 2   compiler/errors.py
    ├─ CompileFailed      carries every Diagnostic of the run             exit 1   compiler/errors.py
    ├─ PublishError       the output cannot be written, or is not ours    exit 2   compiler/errors.py
    ├─ ReleaseError       an output, an earlier one or a folder is not    exit 1   release/errors.py
    │  └─ ArchiveError    what it should be; or an archive is not
    ├─ ManifestError      missing, unreadable, wrong version              at the start of the web process
    ├─ AssetNotFound      also a LookupError; names the near miss         at the template
    ├─ InlineError        an asset cannot stand in a page                 at the template   web/inline.py
    ├─ MountError         files cannot answer under that path             at the start      web/serve/mount.py
    ├─ SettingError       a framework's configuration of us is wrong      at the start      web/settings.py
    ├─ Mistyped           a list to be written stands for something else  in `sync`         web/django/packages.py
    └─ FileFault          a published file is not what was published      in the log, 500   web/files.py
    """

    exit_code: int = 2


class Span(NamedTuple):
    """A place in a text.

    path: as people write it: relative to the project, POSIX.
    line, column: from 1; column counts characters. 0 means the whole file.
    length: characters to underline on that line, 0 if unknown.
    text: the source line as it stands, without its line end; "" if unknown.
    text_column: column at which `text` begins, 1 unless the line was too long to quote whole.
    """

    path: str
    line: int = 0
    column: int = 0
    length: int = 0
    text: str = ""
    text_column: int = 1


class Note(NamedTuple):
    """A second place that belongs to a diagnostic, with what is to be seen there."""

    message: str
    span: Span | None = None


class Diagnostic(NamedTuple):
    """One finding. `message`: lower case, names in backticks, no full stop. `hint`: one thing to do.

    rule: kebab-case name, stable, such as `missing-reference`.
    group: findings of one kind that repeat (deprecations) share it and are rendered once, with a count.
    """

    rule: str
    severity: Severity
    message: str
    span: Span | None = None
    hint: str = ""
    notes: tuple[Note, ...] = ()
    group: str = ""


def findings(values: Iterable[Sequence[Any]]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics that were written as JSON: each the list of its fields."""

    def span(fields: Sequence[Any] | None) -> Span | None:
        return None if fields is None else Span(*fields)

    def notes(pairs: Iterable[Sequence[Any]]) -> tuple[Note, ...]:
        return tuple(Note(text, span(at)) for text, at in pairs)

    return tuple(
        Diagnostic(rule, severity, message, span(at), hint, notes(others), group)
        for rule, severity, message, at, hint, others, group in values
    )


def span_at(path: str, text: str, start: int, end: int | None = None) -> Span:
    """Return the span of `text[start:end]` in the file `path`.

    start, end: offsets in characters; an `end` on a later line underlines to the end of the first line.
    Lines end at LF, CR, CRLF and FF, as CSS Syntax Level 3 §3.3 counts them; editors agree on the first three.
    """
    start = max(0, min(start, len(text)))
    line, line_start = _line_of(text, start)
    line_end = min((found for mark in "\n\r\f" if (found := text.find(mark, line_start)) >= 0), default=len(text))
    return _span(path, text, (line, line_start, line_end), start, end)


class Lines:
    """Where the lines of one text begin and end, looked for once: for many places in it, of which `span_at` asks each.

    text: as it was given.
    """

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        marks = [*re.finditer("\r\n|[\n\r\f]", text)]
        self._starts = [0, *(mark.end() for mark in marks)]
        self._ends = [*(mark.start() for mark in marks), len(text)]

    def span(self, path: str, start: int, end: int | None = None) -> Span:
        """Return what `span_at` does."""
        from bisect import bisect_right  # imported late, as below

        start = max(0, min(start, len(self.text)))
        line = bisect_right(self._starts, start)
        return _span(path, self.text, (line, self._starts[line - 1], self._ends[line - 1]), start, end)


def _span(path: str, text: str, place: tuple[int, int, int], start: int, end: int | None) -> Span:
    """Return a span in the line at `place`: its number, where it begins and where it ends."""
    line, line_start, line_end = place
    length = max(1, min(end if end is not None else start + 1, line_end) - start) if start < line_end else 1
    quote_from = line_start if line_end - line_start <= _QUOTE_LIMIT else max(line_start, start - _QUOTE_LIMIT // 4)
    quote = text[quote_from : min(line_end, quote_from + _QUOTE_LIMIT)]
    return Span(path, line, start - line_start + 1, length, quote, quote_from - line_start + 1)


def _line_of(text: str, offset: int) -> tuple[int, int]:
    head = text[:offset]
    if "\r" not in head and "\f" not in head:
        return head.count("\n") + 1, head.rfind("\n") + 1
    if head.endswith("\r") and text[offset : offset + 1] == "\n":
        head = head[:-1]  # the place is the LF of a CRLF: it belongs to the line that it ends
    line = head.count("\n") + head.count("\r") + head.count("\f") - head.count("\r\n") + 1
    return line, max(head.rfind("\n"), head.rfind("\r"), head.rfind("\f")) + 1


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that was clearly meant, None if there is none or if two are equally near."""
    from difflib import get_close_matches  # imported late: start-up of the runtime half must not pay for it

    by_folded: dict[str, str] = {}
    for candidate in sorted(candidates):
        by_folded.setdefault(candidate.casefold(), candidate)
    if word.casefold() in by_folded:
        return by_folded[word.casefold()]
    matches = get_close_matches(word.casefold(), by_folded, n=2, cutoff=0.75)
    if matches:
        return by_folded[matches[0]]
    by_name: dict[str, list[str]] = {}
    for folded, candidate in by_folded.items():
        by_name.setdefault(folded.rpartition("/")[2], []).append(candidate)
    names = get_close_matches(word.casefold().rpartition("/")[2], by_name, n=1, cutoff=0.75)
    return by_name[names[0]][0] if names and len(by_name[names[0]]) == 1 else None


def reason_of(error: OSError) -> str:
    """Return why the system refused something, as messages say it: `permission denied`."""
    return (error.strerror or str(error)).lower()


def by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the findings sorted by path, line, column and text, each only once."""

    def place(found: Diagnostic) -> tuple[str, int, int, str, str]:
        span = found.span or Span("")
        return span.path, span.line, span.column, found.rule, found.message

    return sorted(dict.fromkeys(diagnostics), key=place)

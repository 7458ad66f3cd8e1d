"""The only printer: findings and closing words become text, people read it on stderr, programs read stdout.

Receives values; decides looks. Nothing that stands in a source or a file name reaches a terminal unseen (`cells.py`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TextIO

from assetbuild.cli.cells import Cell, cells, shown
from assetbuild.diagnostic import Diagnostic, Note, Span, by_place

__all__ = [
    "Look",
    "ReaderGone",
    "Terminal",
    "Unwritable",
    "as_json",
    "counted",
    "look_of",
    "place",
    "place_in",
    "report",
    "seconds",
    "size",
]

_WIDTH = 100
_PLACES_OF_A_GROUP = 3
_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "rule": "2", "gutter": "34"}


class ReaderGone(Exception):
    """Whoever read our output has closed it; there is nobody left to tell."""


class Unwritable(Exception):
    """A stream takes no more, because the disk behind it is full, say; the text is the system's reason."""


class Look(NamedTuple):
    """What a stream can show."""

    is_coloured: bool = False
    is_unicode: bool = True

    def paint(self, text: str, colour: str) -> str:
        """Return `text` in a colour of the table (ECMA-48, SGR)."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.is_coloured and text else text

    def safe(self, text: str) -> str:
        """Return `text` as the stream may see it."""
        return shown(text, is_unicode=self.is_unicode)

    @property
    def bar(self) -> str:
        """The line between a line number and its text."""
        return "│" if self.is_unicode else "|"

    @property
    def cut(self) -> str:
        """What stands where a line was cut."""
        return "…" if self.is_unicode else "..."

    @property
    def arrow(self) -> str:
        """What points to the output."""
        return "→" if self.is_unicode else "->"


def look_of(stream: TextIO | None, environ: Mapping[str, str]) -> Look:
    """Return what `stream` can show: colour on a terminal only, `NO_COLOR` wins over `FORCE_COLOR`.

    Source: no-color.org and force-color.org; an empty value counts as absent in both.
    """
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    is_unicode = encoding.startswith("utf")
    if environ.get("NO_COLOR") or stream is None:
        return Look(False, is_unicode)
    is_able = stream.isatty() and environ.get("TERM") != "dumb"
    return Look(bool(environ.get("FORCE_COLOR")) or is_able, is_unicode)


class Terminal:
    """The two streams of the process. A stream that was closed before the start is None, and is not written to."""

    def __init__(self, out: TextIO | None, err: TextIO | None, environ: Mapping[str, str]) -> None:
        self.out = out
        self.err = err
        self.look = look_of(err, environ)
        self.out_look = look_of(out, environ)
        self.is_live = err is not None and err.isatty() and environ.get("TERM") != "dumb" and not environ.get("CI")

    @classmethod
    def of_process(cls) -> Terminal:
        """Return the terminal of this process, its streams as they are now."""
        return cls(sys.stdout, sys.stderr, os.environ)

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Show findings to people, with their count."""
        text = report(tuple(diagnostics), self.look)
        if text:
            self._send(self.err, text)

    def say(self, line: str) -> None:
        """Show one line to people."""
        self._send(self.err, self.look.safe(line) + "\n")

    def fail(self, message: str, hint: str = "") -> None:
        """Show one error that has no place in a file."""
        text = "\n".join(_headed("error", message, "", self.look) + _indented(hint, self.look))
        self._send(self.err, text + "\n")

    def trace(self, text: str) -> None:
        """Show a traceback to people."""
        self._send(self.err, self.look.safe(text))

    def answer(self, text: str) -> None:
        """Write to stdout what was asked for."""
        self._send(self.out, self.out_look.safe(text))

    def document(self, document: Mapping[str, object]) -> None:
        """Write the one JSON document of `--json` to stdout."""
        self._send(self.out, json.dumps(document, indent=2) + "\n")

    @staticmethod
    def _send(stream: TextIO | None, text: str) -> None:
        if stream is None:
            return
        try:
            stream.write(text)
            stream.flush()
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise Unwritable(error.strerror) from None


def report(diagnostics: Sequence[Diagnostic], look: Look) -> str:
    """Return the whole text of a run's findings, sorted by place, groups once; "" if there are none."""
    found = by_place(diagnostics)
    groups: dict[str | Diagnostic, list[Diagnostic]] = {}
    for each in found:
        groups.setdefault(each.group or each, []).append(each)
    blocks = ["\n".join(_block(first, alike, look)) for first, *alike in groups.values()]
    count = _count(found)
    return "\n\n".join([*blocks, count] if count else blocks) + "\n" if blocks else ""


def _count(diagnostics: Sequence[Diagnostic]) -> str:
    words = []
    for severity in ("error", "warning"):
        number = sum(each.severity == severity for each in diagnostics)
        if number:
            words.append(counted(number, severity))
    return ", ".join(words)


def _block(found: Diagnostic, alike: Sequence[Diagnostic], look: Look) -> list[str]:
    lines = _headed(found.severity, found.message, found.rule, look)
    lines += _quoted(found.span, found.severity, look)
    lines += _indented(found.hint, look)
    for note in found.notes:
        lines += _noted(note, look)
    if alike:
        lines += _indented(_others(alike), look)
    return lines


def _headed(severity: str, message: str, rule: str, look: Look) -> list[str]:
    first, *rest = look.safe(message).split("\n")
    tail = " " + look.paint(f"[{rule}]", "rule") if rule else ""
    return [f"{look.paint(severity + ':', severity)} {first}{tail}", *map(_below, rest)]


def _indented(text: str, look: Look) -> list[str]:
    return [_below(line) for line in look.safe(text).split("\n")] if text else []


def _below(line: str) -> str:
    """Return a line as it stands below another, and as no command to the machine that keeps the log.

    GitHub's runner obeys lines that begin with two colons, blanks aside, and a name in a source may hold line ends.
    Source: `TryParseV2` in src/Runner.Common/ActionCommand.cs of actions/runner.
    """
    return f"  : {line.lstrip()[1:]}" if line.lstrip().startswith("::") else f"  {line}"


def _noted(note: Note, look: Look) -> list[str]:
    first, *rest = look.safe(note.message).split("\n")
    lines = [f"  {look.paint('note:', 'note')} {first}", *map(_below, rest)]
    return lines + _quoted(note.span, "note", look)


def _others(alike: Sequence[Diagnostic]) -> str:
    places = [place_in(each.span) for each in alike if each.span][:_PLACES_OF_A_GROUP]
    left = len(alike) - len(places)
    listed = ", ".join(places) + (f" and {left} more" if places and left else "")
    return f"{len(alike)} more like this" + (f": {listed}" if places else "")


def place_in(span: Span) -> str:
    """Return `css/app.css:3:1`, as much of it as is known."""
    return span.path + (f":{span.line}" if span.line else "") + (f":{span.column}" if span.line and span.column else "")


def _quoted(span: Span | None, colour: str, look: Look) -> list[str]:
    """Return the place, and under it the source line with carets if it is known."""
    if span is None or not span.path:
        return []
    lines = _indented(place_in(span), look)
    if not (span.line and span.text):
        return lines
    number = str(span.line)
    text, before, under = _window(span, look)
    lines.append(f"  {look.paint(f'{number} {look.bar}', 'gutter')} {text}".rstrip())
    if span.column:
        gutter = look.paint(f"{' ' * len(number)} {look.bar}", "gutter")
        lines.append(f"  {gutter} {' ' * before}{look.paint('^' * under, colour)}")
    return lines


def _window(span: Span, look: Look) -> tuple[str, int, int]:
    """Return the part of the line that fits, the cells before the caret, and the cells under it."""
    row = cells(span.text, is_unicode=look.is_unicode)
    start = min(max(0, span.column - span.text_column), len(row)) if span.column else 0
    end = min(start + max(1, span.length), len(row))
    first, last = _fitting(row, start)
    head = look.cut if first > 0 or span.text_column > 1 else ""
    tail = look.cut if last < len(row) else ""
    text = head + "".join(cell.text for cell in row[first:last]) + tail
    return text, len(head) + _width(row[first:start]), max(1, _width(row[start : min(end, last)]))


def _fitting(row: Sequence[Cell], start: int) -> tuple[int, int]:
    """Return which cells are shown: all of them, or a window with a quarter of its width before the caret."""
    first = last = start
    room = min(_width(row), _WIDTH)
    while first > 0 and _width(row[first - 1 : start]) <= room // 4:
        first -= 1
    used = _width(row[first:start])
    while last < len(row) and used + row[last].width <= room:
        used += row[last].width
        last += 1
    while first > 0 and used + row[first - 1].width <= room:
        first -= 1
        used += row[first].width
    return first, last


def _width(row: Sequence[Cell]) -> int:
    return sum(cell.width for cell in row)


def as_json(found: Diagnostic) -> dict[str, object]:
    """Return a finding for `--json`; what is unknown is left out."""
    document: dict[str, object] = {"rule": found.rule, "severity": found.severity, "message": found.message}
    document |= _span_json(found.span)
    if found.hint:
        document["hint"] = found.hint
    if found.notes:
        document["notes"] = [{"message": note.message, **_span_json(note.span)} for note in found.notes]
    if found.group:
        document["group"] = found.group
    return document


def _span_json(span: Span | None) -> dict[str, object]:
    if span is None or not span.path:
        return {}
    place = {"line": span.line, "column": span.column, "length": span.length}
    return {"path": span.path, **{key: value for key, value in place.items() if value}}


def counted(number: int, noun: str) -> str:
    """Return `1 asset`, `42 assets`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def place(folder: str) -> str:
    """Return a folder as people name it from where they stand: relative if it lies below."""
    relative = os.path.relpath(folder)
    return folder if relative.startswith("..") else relative


def size(size_bytes: int) -> str:
    """Return a size for people: `812 B`, `4.2 kB`, `412 kB`, `1.2 MB` (decimal units, as browsers' tools count)."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    number, unit = (size_bytes / 1000, "kB") if size_bytes < 999_500 else (size_bytes / 1_000_000, "MB")
    return f"{number:.1f} {unit}" if number < 9.95 else f"{number:,.0f} {unit}"


def seconds(duration_s: float) -> str:
    """Return a time for people: `4 ms`, `0.31 s`, `12.3 s`, `2 min 05 s`."""
    if duration_s < 0.0995:
        return f"{max(1, round(duration_s * 1000))} ms"
    if duration_s < 9.995:
        return f"{duration_s:.2f} s"
    if duration_s < 59.95:
        return f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), 60)
    return f"{minutes} min {rest:02d} s"

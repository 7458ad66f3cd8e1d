"""What esbuild reports, as values, and as our diagnostics.

Receives the messages of a packet; hands on `Message`, then `Diagnostic`. Wording and places become ours, the meaning is
never guessed from a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from assetbuild.compiler.engines.esbuild.packets import Value
from assetbuild.diagnostic import Diagnostic, Note, Severity, Span, span_at

__all__ = ["Message", "diagnostic", "messages_of", "object_of", "objects", "worded"]


# Only advice is replaced, by the words of the one version that the client speaks to: should they change, its own show.
_OPTIONS = (
    (re.compile(r'You can mark the path "([^"]*)" as external.*', re.DOTALL), r"name `\1` in `external` under `[js]`"),
    (
        re.compile(
            r'The esbuild loader for this file is currently set to "js" but it must be set to "jsx".*', re.DOTALL
        ),
        "name the file `.jsx`",
    ),
)


class Message(NamedTuple):
    """A finding of esbuild. `id` names the kind of a warning, "" for errors; `line` from 1, 0 without a place.

    column, length: in bytes of the UTF-8 line, from 0. detail: what a hook attached to its own message, -1 for none.
    """

    id: str
    text: str
    file: str
    line: int
    column: int
    length: int
    line_text: str
    suggestion: str
    notes: tuple[Message, ...]
    detail: int = -1


def object_of(value: Value) -> Mapping[str, Value]:
    """Return `value`, which must be an object; raise `ValueError` if it is not."""
    if not isinstance(value, Mapping):
        raise ValueError("packet holds no object where one belongs")
    return value


def objects(value: Value) -> Sequence[Mapping[str, Value]]:
    """Return `value`, a list of objects or null."""
    return [object_of(item) for item in cast(Sequence[Value], value or [])]


def messages_of(value: Value) -> tuple[Message, ...]:
    """Return the messages in a list of a packet."""
    return tuple(_message(found) for found in objects(value))


def _message(found: Mapping[str, Value]) -> Message:
    place = object_of(found.get("location") or {})
    return Message(
        cast(str, found.get("id", "")),
        cast(str, found.get("text", "")),
        cast(str, place.get("file", "")),
        cast(int, place.get("line", 0)),
        cast(int, place.get("column", 0)),
        cast(int, place.get("length", 0)),
        cast(str, place.get("lineText", "")),
        cast(str, place.get("suggestion", "")),
        messages_of(found.get("notes")),
        cast(int, found.get("detail", -1)),
    )


def diagnostic(
    message: Message,
    severity: Severity,
    restored: Callable[[str], str] = str,
    shown: Callable[[str], str] = str,
) -> Diagnostic:
    """Return `message` in our words. restored: undoes what stood in for references; shown: a file as people write it.

    A note without a place says what to do, so the first such note is the hint. Rule: esbuild's own name of a warning,
    `esbuild` for its errors, which have none.
    """
    notes = [Note(_advice(restored(note.text)), _span(note, restored, shown)) for note in message.notes]
    hint = next((note.message for note in notes if note.span is None), "")
    if not hint and message.suggestion:
        hint = f"write `{message.suggestion}`"
    return Diagnostic(
        message.id or "esbuild",
        severity,
        worded(restored(message.text)),
        _span(message, restored, shown),
        hint,
        tuple(note for note in notes if note.span is not None),
    )


def _span(message: Message, restored: Callable[[str], str], shown: Callable[[str], str]) -> Span | None:
    if not message.file:
        return None
    if not message.line:
        return Span(shown(message.file))
    line = message.line_text.encode()
    before = restored(line[: message.column].decode(errors="replace"))
    marked = restored(line[message.column : message.column + message.length].decode(errors="replace"))
    text = restored(message.line_text)
    span = span_at(shown(message.file), text, len(before), len(before) + max(1, len(marked)))
    return span._replace(line=message.line)


def _advice(text: str) -> str:
    """Return a note of esbuild; where it names an option of esbuild's, ours that does the same."""
    for pattern, ours in _OPTIONS:
        if pattern.match(text):
            return pattern.sub(ours, text, count=1)
    return worded(text)


def worded(text: str) -> str:
    """Return a sentence of esbuild in the style of ours: lower case, names in backticks, no full stop."""
    text = text.rstrip(".:")
    if text.count('"') % 2 == 0:
        text = text.replace('"', "`")
    # A capital stays where it belongs to a name: `JSX`, `CSS`.
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text

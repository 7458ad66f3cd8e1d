"""Failures: what a command said when it did not do what it was asked for, as one finding.

Receives how it ended; hands on a diagnostic. What it said is quoted and never understood, but for the first place in a
file that it was given, `file:line:column`, which is where people look.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping

from assetbuild.compiler.commands.process import Ending
from assetbuild.compiler.config import place_of
from assetbuild.compiler.project import Command, Project
from assetbuild.diagnostic import Diagnostic, Note, Span, span_at
from assetbuild.disk import Disk

__all__ = ["failure", "in_words"]

_LINES = 30
_FIRST_LINES = 15
# A word is looked at from its begin alone: some tools write thousands of characters without a blank.
_PLACE = re.compile(
    r"""(?<![^\s:()<>'"`])(?P<file>[^\s:()<>'"`]++):(?P<line>[1-9]\d{0,8})(?::(?P<column>[1-9]\d{0,8}))?"""
)
# ECMA-48 §5.4 (control sequences) and §8.3.89 (operating system commands, such as links).
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


def failure(
    command: Command,
    project: Project,
    ending: Ending,
    files: Mapping[str, str],
    *,
    folders: Mapping[str, str],
    disk: Disk,
) -> Diagnostic | None:
    """Return what went wrong, None if nothing did.

    files: its inputs by name, as it found them. folders: absolute → what is shown in their place.
    """
    word = command.run[0]
    if ending.code is None:
        rule, message = "command-timeout", f"`{word}` was still busy after {command.time_limit_s:g} s"
        hint = f"raise `time_limit` of `{command.place}`, or look for what it waits for"
    elif ending.code:
        rule, message, hint = "command-failed", f"`{word}` {in_words(ending.code)}", ""
    else:
        return None
    said = _shown(ending.said, folders)
    span = _place_in(said, files, disk) or place_of(project, f"{command.place}.run")
    notes = (Note(f"it said:\n{_cut(said)}"),) if said else (Note("it said nothing"),)
    return Diagnostic(rule, "error", message, span, hint, notes)


def in_words(code: int) -> str:
    """Return how a program ended: with an exit code, or by a signal where `code` is negative."""
    if code >= 0:
        return f"ended with {code}"
    known = {int(one): one.name for one in signal.Signals}
    return f"was ended by {known.get(-code, f'signal {-code}')}"


def _shown(said: bytes, folders: Mapping[str, str]) -> str:
    """Return what was said without colours, and without the places of this machine."""
    text = _ESCAPES.sub("", said.decode("utf-8", "replace")).replace("\r\n", "\n")
    for folder, shown in folders.items():
        text = text.replace(os.path.join(folder, ""), shown)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _cut(text: str) -> str:
    lines = text.split("\n")
    left = len(lines) - _LINES
    if left <= 0:
        return text
    return "\n".join([*lines[:_FIRST_LINES], f"({left} more lines)", *lines[-(_LINES - _FIRST_LINES) :]])


def _place_in(said: str, files: Mapping[str, str], disk: Disk) -> Span | None:
    """Return the first place that is one in a file of `files`."""
    for found in _PLACE.finditer(said):
        name = os.path.normpath(found["file"])
        name = next((each for each, file in files.items() if name in (each, file)), "")
        if not name:
            continue
        line, column = int(found["line"]), int(found["column"] or 0)
        try:
            lines = disk.read(files[name]).decode("utf-8", "replace").splitlines(keepends=True)
        except OSError:
            return Span(name, line, column)
        if line > len(lines) or not column:
            return Span(name, line, column)
        return span_at(name, "".join(lines), sum(map(len, lines[: line - 1])) + min(column, len(lines[line - 1])) - 1)
    return None

"""Findings as other programs read them: annotations of GitHub's workflows and SARIF.

Receives findings, hands on text or a document for stdout; `render.py` prints them. Paths are relative to the folder
that the command was called in, which is where such programs look for them.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from assetbuild.diagnostic import Diagnostic, Note, Span
from assetbuild.version import __version__

__all__ = ["prefix_of", "sarif", "workflow_commands"]

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def prefix_of(folder: str) -> str:
    """Return what leads from here to the files of the project in `folder`, "" if they are here."""
    relative = os.path.relpath(folder).replace(os.sep, "/")
    return "" if relative == "." else relative


def workflow_commands(findings: Iterable[Diagnostic], prefix: str) -> str:
    """Return one workflow command per finding.

    Source: GitHub Actions documentation, "Workflow commands"; the escapes are those of actions/toolkit, `command.ts`.
    """
    return "".join(f"{_annotation(found, prefix)}\n" for found in findings)


def _annotation(found: Diagnostic, prefix: str) -> str:
    properties = {"title": found.rule}
    span = found.span
    if span and span.path:
        properties["file"] = posixpath.join(prefix, span.path)
        if span.line:
            properties["line"] = str(span.line)
        if span.line and span.column:
            properties |= {"col": str(span.column), "endColumn": str(span.column + span.length)}
    written = ",".join(f"{key}={_property(value)}" for key, value in sorted(properties.items()))
    return f"::{_COMMANDS[found.severity]} {written}::{_message(_sentence(found))}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _sentence(found: Diagnostic) -> str:
    """Return what is wrong and what to do, in one text."""
    return f"{found.message}\n{found.hint}" if found.hint else found.message


def sarif(findings: Sequence[Diagnostic], prefix: str) -> dict[str, object]:
    """Return a log with one run, as code scanning takes it.

    Source: SARIF 2.1.0 (OASIS): results §3.27, regions §3.30, `columnKind` §3.14.17.
    """
    rules = sorted({found.rule for found in findings})
    driver = {"name": "assetbuild", "semanticVersion": __version__, "rules": [{"id": rule} for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, rules.index(found.rule), prefix) for found in findings],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _result(found: Diagnostic, number: int, prefix: str) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": found.rule,
        "ruleIndex": number,
        "level": found.severity,
        "message": {"text": _sentence(found)},
    }
    if found.span and found.span.path:
        result["locations"] = [_location(found.span, prefix)]
    if found.notes:
        result["relatedLocations"] = [_related(note, prefix) for note in found.notes]
    return result


def _related(note: Note, prefix: str) -> dict[str, object]:
    message = {"message": {"text": note.message}}
    return {**_location(note.span, prefix), **message} if note.span and note.span.path else {**message}


def _location(span: Span, prefix: str) -> dict[str, object]:
    # A path is written as a URI reference: RFC 3986 allows no space and no `%` of its own. Its bytes need be no UTF-8.
    place: dict[str, object] = {"artifactLocation": {"uri": quote(os.fsencode(posixpath.join(prefix, span.path)))}}
    if span.line:
        region = {"startLine": span.line}
        if span.column:
            region |= {"startColumn": span.column, "endColumn": span.column + span.length}
        place["region"] = region
    return {"physicalLocation": place}

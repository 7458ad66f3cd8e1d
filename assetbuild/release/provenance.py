"""Provenance: whether a statement of who made an output, and from what, is about these bytes. Reads no file.

It says that statement and output agree, never that the statement is true: that is what its signature is for.
Source: in-toto Attestation Framework, Statement v1; SLSA Provenance v1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.manifest import MANIFEST_NAME

__all__ = ["PREDICATE_TYPE", "STATEMENT_TYPE", "Attestation", "disagreements"]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
_HINT = "`assetbuild compile --attest FILE` writes the one of its build"


class Attestation(NamedTuple):
    """A document about an output, as it was read. shown: its file as people write it."""

    content: bytes
    shown: str


def disagreements(provenance: Attestation, digests: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield why the statement is not about an output. digests: path → sha256 (hex) of all that the output holds."""
    try:
        subjects = _subjects(provenance.content)
    except ValueError as error:
        yield _error(provenance, "broken-provenance", f"`{provenance.shown}` is no provenance: {error}")
        return
    if subjects.get(MANIFEST_NAME, "") != digests.get(MANIFEST_NAME):
        yield _error(provenance, "wrong-provenance", f"`{provenance.shown}` is the provenance of another build")
        return
    for path in sorted({*subjects, *digests}):
        if path not in subjects:
            message = f"`{path}` is no subject of the provenance"
        elif path not in digests:
            message = f"`{path}` is a subject of the provenance and was not found"
        elif subjects[path] != digests[path]:
            message = f"`{path}` does not hold the bytes that the provenance vouches for"
        else:
            continue
        yield _error(provenance, "wrong-provenance", message)


def _error(provenance: Attestation, rule: str, message: str) -> Diagnostic:
    return Diagnostic(rule, "error", message, Span(provenance.shown), _HINT)


def _subjects(content: bytes) -> dict[str, str]:
    """Return name → sha256 of the subjects; raise `ValueError` in words."""
    try:
        statement: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    fields = statement if isinstance(statement, dict) else {}
    for key, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if fields.get(key) != wanted:
            raise ValueError(f"expected `{wanted}` at `{key}`")
    subjects: dict[str, str] = {}
    listed = fields.get("subject")
    for number, subject in enumerate(listed if isinstance(listed, list) else ()):
        match subject:
            case {"name": str(name), "digest": {"sha256": str(digest_hex)}} if name not in subjects:
                subjects[name] = digest_hex
            case _:
                raise ValueError(f"expected a name of its own and a sha256 at `subject[{number}]`")
    return subjects

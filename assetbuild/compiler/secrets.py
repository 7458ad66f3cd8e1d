"""Secrets: what looks like a credential in bytes that everybody will be able to read.

Receives what an engine made; hands on the same with a warning for each secret. Only shapes that their vendors document
and that nothing else has count: a doubtful guess in every second build would teach people to look away. A message
shows the first characters of a secret, and no source line is quoted, because logs are read by more people than sources.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from assetbuild.compiler.door import TEXT_LIMIT_BYTES
from assetbuild.compiler.files import Library
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.media import is_text
from assetbuild.compiler.model import Blob, Draft, Result
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import Diagnostic, Span, span_at

__all__ = ["Secret", "holds_secret", "is_allowed", "secrets_in", "warned"]

_SHOWN_CHARACTERS = 4
_UNKNOWN_TYPE = "application/octet-stream"  # a `.pem` or a `.env` that lies in a root

# One pass each, led by a byte that is rare in most texts: the tail of every shape below, with the least that makes it
# one. The shapes themselves are looked for only where one of these is found.
_ANCHORS = tuple(
    re.compile(anchor)
    for anchor in (
        rb"I(?:(?<=A[KS]I)A[A-Z2-7]{16}|(?<=AI)za[\w-]{35}|VATE KEY-----)",
        rb"_(?:(?<=gh[oprsu]_)[0-9A-Za-z]{36}|(?<=_pat_)[0-9A-Za-z]{22}_|live_[0-9A-Za-z]{16})",
        rb"-(?:(?<=gl[a-z]{3}-)[\w.-]{20}|(?<=gl[dr]t-)[\w.-]{20}|(?<=xox[abeprs]-)\d|(?<=xapp-)\d)",
    )
)

# Where a word begins: behind the letters of an escape (ECMA-262 §12.9.4, RFC 8259 §7, RFC 3986 §2.1), too.
_ESCAPED = rb"(?<=\\[bfnrtv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
_BEGIN = rb"(?:(?<!\w)|" + _ESCAPED + rb")"

_SHAPES = {
    # AWS, IAM User Guide, "Unique identifiers": AKIA for access keys, ASIA for temporary ones. Letters are base32.
    "an access key of AWS": re.compile(rb"(?:(?<![\w+/])|" + _ESCAPED + rb")(?:AKIA|ASIA)[A-Z2-7]{16}(?![\w+/=])"),
    # GitHub Docs, "About authentication to GitHub", "GitHub's token formats".
    "a token of GitHub": re.compile(
        _BEGIN + rb"(?:gh[oprsu]_[0-9A-Za-z]{36,251}|github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59})(?!\w)"
    ),
    # GitLab Docs, "GitLab token overview", "Token prefixes".
    "a token of GitLab": re.compile(_BEGIN + rb"gl(?:pat|ptt|cbt|dt|rt)-[\w.-]{20,300}"),
    # Slack API documentation, "Tokens".
    "a token of Slack": re.compile(
        _BEGIN + rb"(?:xox[abeprs]-\d[0-9A-Za-z-]{20,}|xapp-\d-[0-9A-Z]+-\d+-[0-9a-f]{32,})"
    ),
    # Stripe Docs, "API keys": secret and restricted keys of live mode. Publishable ones (`pk_`) are made for pages.
    "a live key of Stripe": re.compile(_BEGIN + rb"[rs]k_live_[0-9A-Za-z]{16,}"),
    # Google Cloud, "Manage API keys".
    "an API key of Google": re.compile(rb"(?:(?<![\w+/-])|" + _ESCAPED + rb")AIza[\w-]{35}(?![\w+/-])"),
    # RFC 7468 §10, §11, and RFC 5915; in a script, its line ends are written out or joined. Without the first line of
    # the key it is what a library looks for in other people's files.
    "a private key": re.compile(
        rb"""-----BEGIN (?:[0-9A-Z]+ ){0,2}PRIVATE KEY-----(?:\\[nr]|[\s"'`+,\\])*+[0-9A-Za-z+/]{40}"""
    ),
}
# What a documentation writes in the place of a secret: `ghp_xxxx…`; AWS's own examples end with this word.
_EXAMPLE = b"EXAMPLE"
_FEWEST_DISTINCT = 8
_LINE_END = re.compile(rb"""\\[nr]|[\s"'`+,\\]""")
_REVOKE = "revoke it, and keep its successor on the server"
_RESTRICT = "if it works on your site alone, name the file in `[secrets] allow`"


class Secret(NamedTuple):
    """What looks like `kind` at `content[start:end]`. value: the same however its lines are joined."""

    kind: str
    start: int
    end: int
    value: bytes


def holds_secret(content: bytes, content_type: str) -> bool:
    """Return whether published bytes of this type hold anything that looks like a secret."""
    return _is_read(content_type) and next(secrets_in(content), None) is not None


def is_allowed(project: Project, *names: str) -> bool:
    """Return whether a file that has these names may publish what looks like a secret."""
    return any(matches_any(project.secrets_allow, name) for name in names)


def secrets_in(content: bytes) -> Iterator[Secret]:
    """Yield what looks like a secret, by kind and place."""
    if not any(anchor.search(content) for anchor in _ANCHORS):
        return
    for kind, shape in _SHAPES.items():
        for match in shape.finditer(content):
            value = _LINE_END.sub(b"", match[0]) if kind == "a private key" else match[0]
            if not value.endswith(_EXAMPLE) and len({*value}) >= _FEWEST_DISTINCT:
                yield Secret(kind, *match.span(), value)


def warned(made: Result, library: Library, project: Project) -> Result:
    """Return what an engine made, with a warning for each secret that its drafts would publish."""
    found = {
        (draft.logical, secret.value): secret
        for draft in made.drafts
        for content in _published(draft, library, project)
        for secret in secrets_in(content)
    }
    if not found:
        return made
    findings = []
    for (logical, value), secret in found.items():
        place = _place(value, made, library) or Span(logical)
        if not is_allowed(project, logical, place.path):
            shown = value[:_SHOWN_CHARACTERS].decode()
            message = f"`{logical}` would publish what looks like {secret.kind}: `{shown}…`"
            hint = _RESTRICT if secret.kind == "an API key of Google" else _REVOKE
            findings.append(Diagnostic("published-secret", "warning", message, place, hint))
    return made._replace(diagnostics=(*made.diagnostics, *findings))


def _is_read(content_type: str) -> bool:
    return content_type == _UNKNOWN_TYPE or is_text(content_type)


def _published(draft: Draft, library: Library, project: Project) -> Iterator[bytes]:
    """Yield the texts that a draft would publish: its own, and the sources that its map shows."""
    body = draft.body
    if not isinstance(body, Blob):
        yield b" ".join(piece for piece in body if isinstance(piece, bytes))
    elif _is_read(draft.media_type) and body.size <= TEXT_LIMIT_BYTES:
        held = library.held(body.file)
        yield body.body or (held.body if held else library.disk.read(body.file))
    if draft.trace is not None and project.sourcemaps == "public":
        yield from (content.encode() for content in draft.trace.map.contents if content)


def _place(value: bytes, made: Result, library: Library) -> Span | None:
    """Return where the secret stands in what was read, None if no source holds it as it is published."""
    for each in made.inputs:
        with contextlib.suppress(OSError):  # one that is gone by now is no place to show
            content = library.content(each.file).body
            for secret in secrets_in(content):
                if secret.value == value:
                    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
                    start = len(content[: secret.start].decode("utf-8", "replace").removeprefix("\ufeff"))
                    return span_at(library.shown(each.file), text, start)._replace(length=0, text="", text_column=1)
    return None

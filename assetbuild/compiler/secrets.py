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


class _Shape(NamedTuple):
    """What a secret looks like. before: matches where one may begin.

    Each pattern begins with letters, not with a look behind them: so it is searched for as fast as they are. Each has
    an end, so that a text of nothing but begins is read in a time that its size bounds. A group is what chance has made
    of the secret.
    """

    kind: str
    pattern: re.Pattern[bytes]
    before: re.Pattern[bytes]


# Where a word begins: behind the letters of an escape (ECMA-262 §12.9.4, RFC 8259 §7, RFC 3986 §2.1), too.
_ESCAPED = rb"(?<=\\[bfnrtv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
_WORD = re.compile(rb"(?<!\w)|" + _ESCAPED)
_BASE64 = re.compile(rb"(?<![\w+/])|" + _ESCAPED)
_BASE64_URL = re.compile(rb"(?<![\w+/-])|" + _ESCAPED)
_ANYWHERE = re.compile(b"")


def _shape(kind: str, pattern: bytes, before: re.Pattern[bytes] = _WORD) -> _Shape:
    return _Shape(kind, re.compile(pattern), before)


_PRIVATE_KEY = "a private key"
_SHAPES = (
    # AWS, IAM User Guide, "Unique identifiers": AKIA for access keys, ASIA for temporary ones. Letters are base32.
    _shape("an access key of AWS", rb"A[KS]IA[A-Z2-7]{16}(?![\w+/=])", _BASE64),
    # GitHub Docs, "About authentication to GitHub", "GitHub's token formats".
    _shape("a token of GitHub", rb"gh[oprsu]_[0-9A-Za-z]{36,251}(?!\w)"),
    _shape("a token of GitHub", rb"github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}(?!\w)"),
    # GitLab Docs, "GitLab token overview", "Token prefixes".
    _shape("a token of GitLab", rb"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[\w.-]{20,300}"),
    # The GitHub Blog, "Announcing npm's new access token format": as GitHub's own, with another prefix.
    _shape("a token of npm", rb"npm_[0-9A-Za-z]{36}(?!\w)"),
    # Warehouse documentation, "Token Scanning": base64 of a macaroon (v2), which begins with the name of the index.
    _shape("a token of PyPI", rb"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZ)[\w-]{50,500}"),
    # Slack API documentation, "Tokens", and "Sending messages using incoming webhooks": the URL is the secret.
    _shape("a token of Slack", rb"xox[abeprs]-\d[0-9A-Za-z-]{20,250}"),
    _shape("a token of Slack", rb"xapp-\d-[0-9A-Z]{1,30}-\d{1,30}-[0-9a-f]{32,128}"),
    _shape(
        "a webhook of Slack",
        rb"hooks\.slack\.com\\?/services\\?/T[0-9A-Z]{8,}\\?/B[0-9A-Z]{8,}\\?/([0-9A-Za-z]{24})(?!\w)",
        _ANYWHERE,
    ),
    # SendGrid Docs, "API Keys": 69 characters, two parts of base64url.
    _shape("a key of SendGrid", rb"SG\.[\w-]{22}\.[\w-]{43}(?![\w-])"),
    # The middle of each key is base64 of its maker's name.
    _shape("a key of OpenAI", rb"sk-[\w-]{20,110}T3BlbkFJ[\w-]{20,110}"),
    # Claude Docs, "Admin API"; GitHub Docs, "Supported secret scanning patterns".
    _shape("a key of Anthropic", rb"sk-ant-[a-z]{3,8}\d\d-[\w-]{80,250}"),
    # Hugging Face Docs, "User access tokens".
    _shape("a token of Hugging Face", rb"hf_[0-9A-Za-z]{34}(?!\w)"),
    # DigitalOcean Docs, "Personal access tokens", "OAuth API": personal, OAuth's and its refreshing one.
    _shape("a token of DigitalOcean", rb"do[opr]_v1_[0-9a-f]{64}(?!\w)"),
    # Microsoft Learn, "Configure Azure Storage connection strings": 64 bytes of base64 behind their name.
    _shape("an account key of Azure Storage", rb"AccountKey=([0-9A-Za-z+/]{86})==", _ANYWHERE),
    # Stripe Docs, "API keys": secret and restricted keys of live mode. Publishable ones (`pk_`) are made for pages.
    _shape("a live key of Stripe", rb"sk_live_[0-9A-Za-z]{16,250}"),
    _shape("a live key of Stripe", rb"rk_live_[0-9A-Za-z]{16,250}"),
    # Google Cloud, "Manage API keys", "Manage OAuth Clients".
    _shape("an API key of Google", rb"AIza[\w-]{35}(?![\w+/-])", _BASE64_URL),
    _shape("a client secret of Google", rb"GOCSPX-[\w-]{28}(?![\w-])"),
    # RFC 7468 §10, §11, and RFC 5915; in a script, its line ends are written out or joined. Without the first line of
    # the key it is what a library looks for in other people's files.
    _shape(
        _PRIVATE_KEY,
        rb"""-----BEGIN (?:[0-9A-Z]+ ){0,2}PRIVATE KEY-----(?>(?:\\[nr]|[\s"'`+,\\])*)[0-9A-Za-z+/]{40}""",
        _ANYWHERE,
    ),
)
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
    for shape in _SHAPES:
        match = shape.pattern.search(content)
        while match:
            value = _LINE_END.sub(b"", match[0]) if shape.kind == _PRIVATE_KEY else match[0]
            made_up = match[match.lastindex or 0]
            is_one = shape.before.match(content, match.start()) is not None
            if is_one and not value.endswith(_EXAMPLE) and len({*made_up}) >= _FEWEST_DISTINCT:
                yield Secret(shape.kind, *match.span(), value)
            # What begins inside a word may hold the begin of another.
            match = shape.pattern.search(content, match.end() if is_one else match.start() + 1)


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

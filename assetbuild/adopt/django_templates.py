"""Tags of Django templates that a tool brought, by Django's own lexer: nothing is rendered, no settings are touched.

Receives the folders of templates; hands on tokens with their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from assetbuild.adopt.code import Code
from assetbuild.compiler.door import Refused
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.compiler.project import Project, Templates
from assetbuild.compiler.templates import templates
from assetbuild.diagnostic import Diagnostic, Lines, Span
from assetbuild.disk import Disk

if TYPE_CHECKING:
    from django.template.base import Token

__all__ = ["Page", "pages"]


class Page(NamedTuple):
    """One template, cut into tokens."""

    shown: str
    lines: Lines
    tokens: tuple[Token, ...]

    def place(self, token: Token) -> Span:
        """Return where a token stands."""
        return self.lines.span(self.shown, *token.position)


def pages(code: Code, folders: Sequence[str], disk: Disk) -> Iterator[Page]:
    """Yield the templates below `folders`, which are relative to the project; what is none is left out."""
    if find_spec("django") is None:
        message = "the templates need the package `django`, which is not installed"
        raise EngineUnavailable([Diagnostic("missing-package", "error", message, hint="pip install django")])
    from django.template.base import DebugLexer

    absolute = tuple(f"{code.folder}/{folder}" for folder in folders)
    for found in templates(Project(code.folder, "", (), templates=Templates(absolute, "django")), disk):
        if isinstance(found, Diagnostic):
            continue
        try:
            text = found.text()
        except Refused:
            continue  # `assetbuild check` says why
        if text is not None and "{%" in text:
            yield Page(found.shown, Lines(text), tuple(DebugLexer(text).tokenize()))

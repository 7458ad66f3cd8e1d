"""Web app manifests: published as they are, but for the icons and screenshots that they name."""

from __future__ import annotations

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.relink import relinked
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Job, Result
from assetbuild.compiler.refs.webmanifest import NotJson, references
from assetbuild.diagnostic import Diagnostic, span_at

__all__ = ["build"]


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`. Raises `CompileFailed` if it is no JSON."""
    (source,) = job.sources
    text = reading.text(source.file)
    try:
        found = references(text)
    except NotJson as error:
        place = span_at(source.shown, text, error.start)
        is_behind_comma = text[error.start : error.start + 1] in {"]", "}"} and text[: error.start].rstrip()[-1:] == ","
        hint = "remove the comma before it" if is_behind_comma else ""
        raise CompileFailed([Diagnostic("invalid-json", "error", error.message, place, hint)]) from None
    return relinked(job, text, found, reading=reading, shop=shop)

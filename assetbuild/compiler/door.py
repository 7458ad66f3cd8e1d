"""The door before every engine: bytes become text here, or a diagnostic.

Native engines die of a lone surrogate, of a NUL or of deep nesting (docs/explanation/door.md). What passes is strict
UTF-8 without NUL, within the size and nesting limits, its byte order mark removed. Line ends stay as they are.
"""

from __future__ import annotations

from itertools import accumulate

from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic, Span, span_at

__all__ = ["NESTING_LIMIT", "TEXT_LIMIT_BYTES", "Refused", "admit", "seems_too_deep", "too_deep"]

TEXT_LIMIT_BYTES = 16 * 1024 * 1024
NESTING_LIMIT = 200
"""Ten times below the depth at which the weakest engine crashed on an 8 MB stack."""

_OPENING, _CLOSING = b"([{", b")]}"
_NO_BRACKETS = bytes(set(range(256)).difference(_OPENING, _CLOSING))
_STEPS = tuple((byte in _OPENING) - (byte in _CLOSING) for byte in range(256))
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


class Refused(DiagnosticsError):
    """The bytes are not a text that an engine may see."""

    exit_code = 1


def admit(content: bytes, shown: str) -> str:
    """Return the text of `content`; raise `Refused` with the place of what is wrong.

    shown: path of the file for messages. Where brackets nest too deep is the lexers' part: they know comments and
    strings (`refs.css.check_nesting`, `refs.js.check_nesting`).
    """
    if len(content) > TEXT_LIMIT_BYTES:
        message = f"text of {len(content):,} bytes is over the limit of {TEXT_LIMIT_BYTES:,}"
        raise Refused([Diagnostic("too-large", "error", message, Span(shown))])
    for mark, name in _OTHER_ENCODINGS:
        if content.startswith(mark):
            raise Refused([_not_utf8(f"file is {name}, not UTF-8", Span(shown, 1, 1))])
    if content.startswith(_BOM):
        content = content[len(_BOM) :]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        # The rest of the line is shown as Latin-1: it is most often what was meant.
        line_rest = content[error.start :].split(b"\n", 1)[0].decode("latin-1")
        span = span_at(shown, before + line_rest, len(before))
        raise Refused([_not_utf8(f"byte 0x{content[error.start]:02x} is not UTF-8", span)]) from None
    nul = text.find("\0")
    if nul >= 0:
        raise Refused([Diagnostic("nul-character", "error", "text holds a NUL character", span_at(shown, text, nul))])
    return text


def seems_too_deep(text: str) -> bool:
    """Return whether brackets nest deeper than `NESTING_LIMIT` if those in comments and strings are counted too.

    A few nanoseconds per byte, where a lexer takes a hundred: for texts of which an engine in a process of its own may
    die. A yes is for a lexer to confirm.
    """
    brackets = text.encode("utf-8", "replace").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > NESTING_LIMIT


def too_deep(place: Span, what: str = "brackets") -> Diagnostic:
    """Return the error for what nests deeper at `place` than engines can stand."""
    return Diagnostic("too-deep", "error", f"{what} nest deeper than {NESTING_LIMIT}", place)


def _not_utf8(message: str, span: Span) -> Diagnostic:
    return Diagnostic("not-utf8", "error", message, span, "save the file as UTF-8")

"""Tokens: the ASCII placeholders that stand for resolved references until the seal gives names.

An engine room replaces each resolved reference by a token URL, hands the text to engines and minifiers, and cuts the
finished text at the tokens. A token survives everything that keeps an absolute URL as it is. It must not be put into a
comment that minifiers keep, nor next to characters that could be read as part of it: query and fragment follow it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from assetbuild.compiler.model import Piece, Ref, Trace
from assetbuild.compiler.sourcemap import SourceMap

__all__ = ["SCHEME", "NonceClash", "Tokens", "trace"]

SCHEME = "assetbuild:"
_DIGITS = 6


class NonceClash(Exception):
    """A text holds the nonce already; begin again with another (`Tokens(attempt=n + 1)`)."""


class Tokens:
    """The table of one job: token ↔ reference.

    seed: any text of the job's inputs, so that equal inputs give equal tokens. attempt: counts up after a `NonceClash`.
    """

    def __init__(self, seed: str, attempt: int = 0) -> None:
        digest = hashlib.sha256(f"{attempt}\n{seed}".encode("utf-8", "surrogatepass")).hexdigest()
        self._prefix = f"{SCHEME}{digest[:12]}-"
        self._refs: list[Ref] = []

    @property
    def units(self) -> int:
        """How long a token is."""
        return len(self._prefix) + _DIGITS

    def check(self, text: str) -> None:
        """Raise `NonceClash` if `text`, not yet tokenised, holds this table's nonce."""
        if self._prefix[len(SCHEME) :] in text:
            raise NonceClash

    def token(self, ref: Ref) -> str:
        """Return the token of a new occurrence of `ref`: a fixed-width URL such as `assetbuild:0123456789ab-000001`."""
        self._refs.append(ref)
        if len(self._refs) > 10**_DIGITS:
            raise OverflowError("more than a million references in one job")
        return f"{self._prefix}{len(self._refs) - 1:0{_DIGITS}d}"

    def cut(self, text: str) -> tuple[Piece, ...]:
        """Return `text` as UTF-8 pieces with the references in the place of their tokens."""
        pieces: list[Piece] = []
        head, *rest = text.split(self._prefix)
        pieces.append(head.encode())
        for part in rest:
            number, tail = part[:_DIGITS], part[_DIGITS:]
            pieces.append(self._refs[int(number)])
            pieces.append(tail.encode())
        return tuple(piece for piece in pieces if piece != b"")

    def restore(self, text: str, written: Iterable[str] = ()) -> str:
        """Return `text` with each token replaced by what it stands for, for messages and source maps.

        written: what the source said, in the order of `token` calls; the logical path where it is not given.
        """
        names = list(written)
        head, *rest = text.split(self._prefix)
        parts = [head]
        for part in rest:
            number = int(part[:_DIGITS])
            parts.append(names[number] if number < len(names) else self._refs[number].target)
            parts.append(part[_DIGITS:])
        return "".join(parts)

    def missing_from(self, text: str) -> tuple[Ref, ...]:
        """Return the references whose token is not in `text`: dropped as dead code, or broken by an engine."""
        return tuple(ref for number, ref in enumerate(self._refs) if f"{self._prefix}{number:0{_DIGITS}d}" not in text)

    def count(self, text: str) -> int:
        """Return how many tokens `text` holds."""
        return text.count(self._prefix)


def trace(pieces: Sequence[Piece], source_map: SourceMap, units: int) -> Trace:
    """Return the trace of a text that was cut into `pieces`. source_map: of the text before; units: of a token."""
    return Trace(source_map, units, tuple(number for number, piece in enumerate(pieces) if isinstance(piece, Ref)))

"""Marks: the tokens of a module graph, whose text does not depend on the order in which files are read.

esbuild reads files in parallel and counts the characters of their texts before it chooses short names, so a running
number would let the order of reading, or a reference elsewhere, change the names in a chunk. A mark is made of what it
stands for. The rest is as in `compiler.tokens`: an ASCII URL of fixed width, with a nonce that no text holds.
"""

from __future__ import annotations

import hashlib

from assetbuild.compiler.model import Piece, Ref
from assetbuild.compiler.tokens import SCHEME, NonceClash

__all__ = ["BrokenMark", "Marks"]

_DIGITS = 12


class BrokenMark(Exception):
    """A text holds our nonce, and what follows is no mark: an engine has torn it."""


class Marks:
    """The table of one build. attempt: counts up after a `NonceClash`; nothing else may change the marks."""

    def __init__(self, attempt: int = 0) -> None:
        self._prefix = f"{SCHEME}{_digest(f'marks of modules, {attempt}')}-"
        self._refs: dict[str, tuple[Ref, str]] = {}

    @property
    def units(self) -> int:
        """How long a mark is."""
        return len(self._prefix) + _DIGITS

    def check(self, text: str) -> None:
        """Raise `NonceClash` if `text`, not yet marked, holds this table's nonce."""
        if self._prefix[len(SCHEME) :] in text:
            raise NonceClash

    def mark(self, ref: Ref, written: str = "") -> str:
        """Return the mark of `ref`. written: what the source says in its place, for messages."""
        name = _digest(f"{ref.style} {ref.target}")
        self._refs.setdefault(name, (ref, written or ref.target))
        return self._prefix + name

    def cut(self, text: str) -> tuple[Piece, ...]:
        """Return `text` as UTF-8 pieces with the references in the place of their marks; raise `BrokenMark`."""
        head, *rest = text.split(self._prefix)
        pieces: list[Piece] = [head.encode()]
        for part in rest:
            known = self._refs.get(part[:_DIGITS])
            if known is None:
                raise BrokenMark(part[:_DIGITS])
            pieces += (known[0], part[_DIGITS:].encode())
        return tuple(piece for piece in pieces if piece != b"")

    def restored(self, text: str) -> str:
        """Return `text` with each mark replaced by what the source said, for messages. A torn mark stays."""
        head, *rest = text.split(self._prefix)
        parts = [head]
        for part in rest:
            known = self._refs.get(part[:_DIGITS])
            parts.append(known[1] + part[_DIGITS:] if known else self._prefix + part)
        return "".join(parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]

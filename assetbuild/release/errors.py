"""The errors of releases; the tree is drawn at `assetbuild.diagnostic.AssetbuildError`."""

from __future__ import annotations

from collections.abc import Iterable

from assetbuild.diagnostic import AssetbuildError, Diagnostic, by_place

__all__ = ["ArchiveError", "ReleaseError"]


class ReleaseError(AssetbuildError):
    """A release is not what it should be; `diagnostics` is never empty."""

    exit_code = 1

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(by_place(diagnostics))
        super().__init__("; ".join(found.message for found in self.diagnostics if found.severity == "error"))


class ArchiveError(ReleaseError):
    """An output cannot be packed, or an archive is not what it should be."""

"""The errors that end a compile; the tree is drawn at `assetbuild.diagnostic.AssetbuildError`."""

from __future__ import annotations

from collections.abc import Iterable

from assetbuild.diagnostic import AssetbuildError, Diagnostic, by_place

__all__ = ["CompileFailed", "ConfigError", "DiagnosticsError", "EngineUnavailable", "PublishError", "SourceChanged"]


class DiagnosticsError(AssetbuildError):
    """An error that carries findings; `diagnostics` is sorted by place and never empty."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(by_place(diagnostics))
        super().__init__("; ".join(d.message for d in self.diagnostics if d.severity == "error"))


class ConfigError(DiagnosticsError):
    """The configuration or a flag is wrong; nothing was compiled."""

    exit_code = 2


class CompileFailed(DiagnosticsError):
    """The assets are at fault; the output is as it was."""

    exit_code = 1


class EngineUnavailable(DiagnosticsError):
    """A job needs an engine that is not installed or does not start."""

    exit_code = 2


class PublishError(AssetbuildError):
    """The output folder cannot be written, or holds what is not ours."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceChanged(PublishError):
    """A file that is published as it is no longer holds the bytes that it was named by."""

    def __init__(self, file: str) -> None:
        super().__init__(f"`{file}` changed while it was being compiled", "run the command again")

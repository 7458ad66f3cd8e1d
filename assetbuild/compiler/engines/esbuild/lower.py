"""Lowering: CSS as written becomes CSS that the targets read, by esbuild; minified on the way if asked.

Receives a finished sheet whose references are tokens; hands on a sheet with the same tokens. Never bundles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild.maps import sheet_map
from assetbuild.compiler.engines.esbuild.messages import diagnostic
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.sourcemap import SourceMap
from assetbuild.diagnostic import Diagnostic

__all__ = ["Lowered", "css", "css_with_findings"]


class Lowered(NamedTuple):
    """A sheet, the warnings that esbuild had about it, and the map to the sheet before if asked for."""

    text: str
    diagnostics: tuple[Diagnostic, ...]
    map: SourceMap | None = None


def css(text: str, targets: Sequence[str], minify: bool, shop: Shop) -> str:
    """Return `text` lowered for `targets` (esbuild's names); raise `CompileFailed` if esbuild cannot read it."""
    return css_with_findings(text, targets, minify, shop).text


def css_with_findings(
    text: str,
    targets: Sequence[str],
    minify: bool,
    shop: Shop,
    *,
    shown: str = "",
    restored: Callable[[str], str] = str,
    is_mapped: bool = False,
) -> Lowered:
    """Return what `css` returns, and esbuild's warnings.

    shown: the sheet's name in messages; lines are those of `text`. restored: undoes tokens in messages.
    """
    flags = ["--loader=css", "--log-level=silent", "--log-limit=0", "--legal-comments=inline", "--charset=utf8"]
    flags += [f"--target={','.join(targets)}"] if targets else []
    flags += ["--minify"] if minify else []
    flags += [f"--sourcefile={shown}"] if shown else []
    flags += ["--sourcemap=external", "--sources-content=false"] if is_mapped else []
    made = shop.esbuild().transform(text, flags)
    if made.errors:
        raise CompileFailed([diagnostic(message, "error", restored) for message in made.errors])
    warnings = tuple(diagnostic(message, "warning", restored) for message in made.warnings)
    return Lowered(made.code, warnings, sheet_map(made.map) if made.map else None)

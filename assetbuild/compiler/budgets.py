"""Budgets: the sizes that `[budgets]` allows, judged as most browsers will load them.

Receives assets and variants; hands on errors. A budget for something that is no asset is an error too: it would never
be exceeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assetbuild.compiler.config import place_of
from assetbuild.compiler.model import Asset, Variant
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import Diagnostic, nearest

__all__ = ["over_budget"]


def over_budget(project: Project, assets: Sequence[Asset], variants: Iterable[Variant]) -> list[Diagnostic]:
    """Return an error for each asset that is too large: as br, else as its smallest variant, else as it is."""
    best: dict[str, tuple[bool, int, str]] = {}
    for variant in variants:
        rank = (variant.coding != "br", len(variant.body), variant.coding)
        best[variant.path] = min(best.get(variant.path, rank), rank)
    by_logical = {asset.logical: asset for asset in assets}
    problems = []
    for logical, limit in sorted(project.budgets.items()):
        place = place_of(project, f'budgets."{logical}"')
        asset = by_logical.get(logical)
        if asset is None:
            near = nearest(logical, by_logical)
            hint = f"did you mean `{near}`?" if near else ""
            problems.append(Diagnostic("unknown-budget", "error", f"`{logical}` is no asset", place, hint))
            continue
        _, size, coding = best.get(asset.path, (False, asset.size, "uncompressed"))
        if size > limit:
            message = f"`{logical}` has {size:,} bytes ({coding}), its budget is {limit:,}"
            problems.append(Diagnostic("over-budget", "error", message, place))
    return problems

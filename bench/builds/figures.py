"""Figures: what was promised, as ratios between rows of one run, and whether it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from builds.peers.bundlers import BY_HAND, ESBUILD
from builds.peers.django import MANIFEST, WHITENOISE
from builds.peers.floors import BARE_LOOP
from builds.peers.ours import OURS, OURS_WITH_VARIANTS
from builds.peers.webassets import WEBASSETS
from builds.rounds import COLD, NO_OP, Row

__all__ = ["FIGURES", "Figure", "Finding", "Results", "findings"]

Results = Mapping[str, Sequence[Row]]
"""Rows by corpus."""


class Finding(NamedTuple):
    """One promise and what came of it. wall, cpu: the measured figure by either clock, None if it was not measured.

    A promise about bytes or memory has one figure, in both. is_judged: the figure is of the size that was promised.
    """

    claim: str
    target: str
    wall: float | None
    cpu: float | None
    limit: float
    is_judged: bool = True

    @property
    def reached(self) -> str:
        """Whether the figure is within its limit: `yes`, `no`, by one of the clocks only; else why that is unknown."""
        if self.wall is None or self.cpu is None:
            return "not measured"
        if not self.is_judged:
            return "a trial"
        by_wall, by_cpu = self.wall <= self.limit, self.cpu <= self.limit
        if by_wall != by_cpu:
            return "by wall time only" if by_wall else "by CPU only"
        return "yes" if by_wall else "no"


Figure = Callable[[Results], Finding]


def findings(results: Results, *, is_judged: bool = True) -> list[Finding]:
    """Return every promise, in the order of the corpora. is_judged: the results are of corpora in full size."""
    return [figure(results)._replace(is_judged=is_judged) for figure in FIGURES]


def _row(results: Results, corpus: str, peer: str) -> Row | None:
    return next((row for row in results.get(corpus, ()) if row.peer == peer and row.costs), None)


def _seconds(results: Results, corpus: str, peer: str, scenario: str) -> tuple[float, float] | None:
    row = _row(results, corpus, peer)
    cost = row.costs.get(scenario) if row else None
    return (cost.wall_s, cost.cpu_s) if cost else None


def _beside(corpus: str, scenario: str, peer: str, limit: float, ours: str = OURS) -> Figure:
    """Ours is at most `limit` times a peer."""

    def figure(results: Results) -> Finding:
        mine, other = (_seconds(results, corpus, name, scenario) for name in (ours, peer))
        wall, cpu = (m / o for m, o in zip(mine, other, strict=True)) if mine and other else (None, None)
        with_variants = " with gzip + br" if ours == OURS_WITH_VARIANTS else ""
        return Finding(f"{corpus}{with_variants}, {scenario}", f"≤ {limit} × {peer}", wall, cpu, limit)

    return figure


def _within(corpus: str, scenario: str, limit_s: float) -> Figure:
    """Ours takes at most so many seconds."""

    def figure(results: Results) -> Finding:
        wall, cpu = _seconds(results, corpus, OURS, scenario) or (None, None)
        return Finding(f"{corpus}, {scenario}", f"≤ {limit_s} s", wall, cpu, limit_s)

    return figure


def _smaller(corpus: str, peer: str, limit: float) -> Figure:
    """Our stylesheets and scripts are at most `limit` times a peer's after gzip."""

    def figure(results: Results) -> Finding:
        mine, other = (_row(results, corpus, name) for name in (OURS, peer))
        sizes = [row.output.texts_gzip for row in (mine, other) if row and row.output]
        ratio = sizes[0] / sizes[1] if len(sizes) == 2 else None
        return Finding(f"{corpus}, CSS + JS after gzip", f"≤ {limit} × {peer}", ratio, ratio, limit)

    return figure


def _grows(small: str, large: str, limit: float) -> Figure:
    """From one corpus to the next we grow at most `limit` times as much as the bare loop does."""

    def figure(results: Results) -> Finding:
        # Each of the two quotients is of one run, so that the corpora may come from different ones.
        seen = [_seconds(results, corpus, peer, COLD) for peer in (OURS, BARE_LOOP) for corpus in (large, small)]
        known = [each for each in seen if each]
        wall = cpu = None
        if len(known) == len(seen):
            wall, cpu = ((a / c) / (b / d) for a, b, c, d in zip(*known, strict=True))
        return Finding(f"growth of cold, {small} to {large}", f"≤ {limit} × that of the bare loop", wall, cpu, limit)

    return figure


def _light(corpus: str, limit_mb: float) -> Figure:
    """Our largest process takes at most so many megabytes."""

    def figure(results: Results) -> Finding:
        row = _row(results, corpus, OURS)
        peak = max(cost.peak_mb for cost in row.costs.values()) if row else None
        return Finding(f"{corpus}, peak memory", f"≤ {limit_mb:.0f} MB", peak, peak, limit_mb)

    return figure


_BUNDLERS = ("Vite", "rspack", "webpack", "Parcel")

FIGURES: Sequence[Figure] = (
    _beside("app", COLD, BY_HAND, 0.9),
    _within("app", NO_OP, 0.12),
    _beside("app", "partial", BY_HAND, 0.5),
    *(_beside("app", scenario, peer, 1.0) for scenario in (COLD, NO_OP, "partial") for peer in _BUNDLERS),
    _beside("legacy", COLD, WEBASSETS, 0.9),
    _beside("legacy", NO_OP, WEBASSETS, 0.6),
    _smaller("legacy", WEBASSETS, 0.82),
    _beside("three10x", COLD, ESBUILD, 1.2),
    _beside("three10x", NO_OP, ESBUILD, 0.2),
    _beside("static-1k", COLD, MANIFEST, 0.19),
    _beside("static-1k", COLD, ESBUILD, 1.0),
    _beside("static-1k", NO_OP, MANIFEST, 0.18),
    _beside("static-1k", COLD, WHITENOISE, 0.5, OURS_WITH_VARIANTS),
    _beside("static-10k", COLD, BARE_LOOP, 1.5),
    _within("static-10k", NO_OP, 0.4),
    _beside("static-10k", NO_OP, WHITENOISE, 0.03, OURS_WITH_VARIANTS),
    _grows("static-1k", "static-10k", 1.15),
    _grows("static-10k", "static-100k", 1.15),
    _light("static-100k", 300),
)

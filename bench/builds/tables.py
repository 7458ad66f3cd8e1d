"""Results as Markdown, and as JSON that is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from builds.corpora import CORPORA
from builds.figures import Finding, Results, findings
from builds.measure import Cost
from builds.outputs import Output
from builds.peers.ours import OURS
from builds.rounds import Row

__all__ = ["as_json", "figures_table", "from_json", "table"]


def table(corpus: str, rows: Sequence[Row], rounds: int, scale: float) -> str:
    """Return the rows of a corpus. The ratio of a cell is that of its CPU to ours in the same scenario."""
    scenarios = ["cold", "no-op", *CORPORA[corpus].edits]
    ours = next((row for row in rows if row.peer == OURS), None)
    size = "" if scale == 1 else f", at {scale} of its size"
    head = ["", *scenarios, "peak MB", "files", "MB", "gzip kB", "references"]
    lines = [
        f"### {corpus}",
        "",
        f"{CORPORA[corpus].about}{size}. Wall s / CPU s (CPU ÷ ours), medians of {rounds}.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for row in rows:
        if not row.costs:
            lines.append(f"| {row.peer} | {row.absent} |{' |' * (len(head) - 2)}")
            continue
        cells = [_cell(row.costs[each], ours.costs.get(each) if ours else None) for each in scenarios]
        peak = f"{max(cost.peak_mb for cost in row.costs.values()):.0f}"
        lines.append(f"| {' | '.join([row.peer, *cells, peak, *_output(row.output)])} |")
    notes = "; ".join(f"{row.peer}: {row.about}" for row in rows)
    versions = {name: version for row in rows for name, version in row.versions.items()}
    named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return "\n".join([*lines, "", notes + ".", *(["", f"With {named}."] if named else [])])


def _cell(cost: Cost, ours: Cost | None) -> str:
    ratio = f" ({_number(cost.cpu_s / ours.cpu_s, digits=2)})" if ours else ""
    return f"{cost.wall_s:.2f} / {cost.cpu_s:.2f}{ratio}"


def _output(output: Output | None) -> list[str]:
    if output is None:
        return ["", "", "", ""]
    files = f"{output.files:,}" + (f" + {output.variants:,}" if output.variants else "")
    references = f"{output.resolved:,}" + (f", {output.broken:,} broken" if output.broken else "")
    return [files, f"{output.size / 1e6:.1f}", f"{output.texts_gzip / 1e3:.0f}", references]


def figures_table(found: Sequence[Finding | str]) -> str:
    """Return every promise with what was measured, by wall time and CPU. A line that is written already stays."""
    lines = ["| figure | target | wall | CPU | reached |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(each if isinstance(each, str) else _line(each) for each in found)])


def _line(found: Finding) -> str:
    cells = [found.claim, found.target, _number(found.wall), _number(found.cpu), found.reached]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}g}" if value < 99.5 else f"{value:,.0f}"


def as_json(results: Results, facts: Mapping[str, object], *, is_judged: bool = True) -> str:
    """Return everything as one document. facts: about the run."""
    rows = {corpus: [_plain(row) for row in each] for corpus, each in results.items()}
    figures = [_told(each) for each in findings(results, is_judged=is_judged)]
    return json.dumps({**facts, "results": rows, "figures": figures}, indent=1)


def _plain(row: Row) -> dict[str, object]:
    costs = {scenario: cost._asdict() for scenario, cost in row.costs.items()}
    return {**row._asdict(), "costs": costs, "output": row.output._asdict() if row.output else None}


def _told(found: Finding) -> dict[str, object]:
    return {**found._asdict(), "reached": found.reached}


def from_json(file: Path) -> dict[str, list[Row]]:
    """Return the rows of an earlier run, none if there was none."""
    if not file.exists():
        return {}
    return {
        corpus: [
            Row(
                **{
                    **row,
                    "costs": {scenario: Cost(**cost) for scenario, cost in row["costs"].items()},
                    "output": Output(**row["output"]) if row["output"] else None,
                }
            )
            for row in rows
        ]
        for corpus, rows in json.loads(file.read_text())["results"].items()
    }

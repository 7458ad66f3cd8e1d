"""The checks of tests/http through our server and others, over real sockets: who answers as RFC 9110 asks.

    python bench/http_conformance.py [--write docs/http.md] [--only nginx]

The same compiled output lies under all of them. Needs nginx on PATH and the `bench` extra.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[0] = str(REPOSITORY)

from bench.peers.static_servers import OURS, PEERS, Deployment, serving, versions  # noqa: E402
from tests.http.checks import CHECKS, OFFERS  # noqa: E402
from tests.http.judge import NOT_OFFERED, verdicts  # noqa: E402
from tests.http.site import built  # noqa: E402

HEAD = """# How servers of static files answer

The checks of [tests/http](../tests/http/checks/) over real sockets: the same compiled output, served by assetbuild and
by others. A **rule** is a requirement of a standard, or what its words cannot but mean; **advice** is what serves pages
with content-addressed names well, and a server that does otherwise breaks no standard. A check that needs what a server
leaves out by design is not applied to it (–); what each leaves out is listed below the figures.

The checks and one of the servers are by the same hand, so that the last columns are complete is no surprise; the
findings about the others are the evidence. Each is set up as its documentation says for hashed names
([static_sites.py](../bench/peers/static_sites.py), [nginx.conf](../bench/peers/nginx.conf)). An answer may be right
because of the server below the application, or wrong because of it.

This page is written by `python bench/http_conformance.py --write docs/http.md`."""


def main() -> None:
    """Print the table, or write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="write the page to this file")
    parser.add_argument("--only", default="", help="only servers whose name holds this")
    parser.add_argument("--reasons", action="store_true", help="print what is wrong with each answer, too")
    args = parser.parse_args()
    chosen = [each for each in (*PEERS, *OURS) if args.only.lower() in each.name.lower()]
    found = {each: judged(each) for each in chosen}
    text = "\n\n".join([HEAD, figures(found), *(group(title, found) for title in CHECKS)]) + "\n"
    if args.write:
        args.write.write_text(text, encoding="utf-8")
    else:
        print(text)
    if args.reasons:
        for deployment, each in found.items():
            for check, fault in each.items():
                if fault not in {"", NOT_OFFERED}:
                    print(f"{deployment.name}: {check}: {fault}")


def judged(deployment: Deployment) -> Mapping[str, str]:
    """Return the verdicts on one server."""
    print(deployment.name, file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        site = built(Path(folder) / "project")
        with serving(deployment, site, Path(folder) / "work") as server:
            return verdicts(server.port, site, deployment.offers)


def figures(found: Mapping[Deployment, Mapping[str, str]]) -> str:
    """Return one row per server: what it passed of what was applied to it, and what it leaves out."""
    rows = ["| | server | rules | advice | leaves out |", "|--:|---|--:|--:|---|"]
    for number, (deployment, verdicts_) in enumerate(found.items(), 1):
        scores = [score(verdicts_, is_rule) for is_rule in (True, False)]
        left_out = ", ".join(OFFERS[word] for word in OFFERS if word in deployment.lacks)
        rows.append(f"| {number} | {deployment.name} | {' | '.join(scores)} | {left_out} |")
    return f"{versions()}.\n\n" + "\n".join(rows)


def score(verdicts_: Mapping[str, str], is_rule: bool) -> str:
    """Return how many checks of a kind were passed, of those that were applied."""
    names = [check.name for checks in CHECKS.values() for check in checks if check.is_rule == is_rule]
    applied = [verdicts_[name] for name in names if verdicts_[name] != NOT_OFFERED]
    return f"{applied.count('')}/{len(applied)}"


def group(title: str, found: Mapping[Deployment, Mapping[str, str]]) -> str:
    """Return one row per check; the columns are the rows of the figures."""
    marks = {"": "✓", NOT_OFFERED: "–"}
    rows = [f"| check | source | {' | '.join(str(number) for number in range(1, len(found) + 1))} |"]
    rows.append("|---|---|" + ":-:|" * len(found))
    for check in CHECKS[title]:
        cells: Sequence[str] = [marks.get(verdicts_[check.name], "✗") for verdicts_ in found.values()]
        name = check.name if check.is_rule else f"*{check.name}*"
        rows.append(f"| {name} | {check.source} | {' | '.join(cells)} |")
    return f"## {title}\n\n" + "\n".join(rows)


if __name__ == "__main__":
    main()

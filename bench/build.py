"""Compile, beside its peers: corpora are made, peers installed, everybody builds in turn, and a table is written.

CPU is that of the whole process tree, wall time that of the commands, memory that of the largest process. The folder of
the run keeps corpora, tools and results.

    python bench/build.py [--on app static-1k …] [--peers NAME …] [--rounds 3] [--scale 1] [--work FOLDER]
                          [--no-install] [--json FILE] [--page docs/performance.md]
"""

from __future__ import annotations

import argparse
import compileall
import fnmatch
import os
import platform
from pathlib import Path

from builds.corpora import CORPORA, made
from builds.figures import findings
from builds.peers import PEERS
from builds.rounds import Row, Run, rows
from builds.tables import as_json, figures_table, from_json, page_with, table
from builds.toolbox import Toolbox
from packages import REPOSITORY, installed

_USUAL = [name for name in CORPORA if name != "static-100k"]


def main() -> None:
    """Measure, and print a table for each corpus and one of the figures."""
    args = _arguments()
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    modules = installed("bench/npm-corpora", work / "npm-corpora")
    run = Run(args.rounds, work / "runs", Toolbox(work, is_installing=not args.no_install))
    peers = [peer for peer in PEERS if any(fnmatch.fnmatchcase(peer.name, each) for each in args.peers)]
    # What pip does for the peers: a checkout would be compiled in whichever round comes first.
    compileall.compile_dir(REPOSITORY / "assetbuild", quiet=1)
    kept = work / "results.json"
    known = from_json(kept) if args.scale == 1 else {}
    facts = {"rounds": args.rounds, "scale": args.scale, "cores": os.cpu_count(), "python": platform.python_version()}
    results: dict[str, list[Row]] = {}
    for corpus in args.on:
        tree = made(corpus, modules, work / "corpora", args.scale)
        results[corpus] = rows(corpus, tree, peers, run)
        known[corpus] = results[corpus]
        parts = {corpus: table(corpus, results[corpus], args.rounds, args.scale)}
        print(parts[corpus], end="\n\n", flush=True)
        # After each corpus, so that a run that is stopped keeps what it has measured.
        if args.scale == 1:
            kept.write_text(as_json(known, facts))
        if args.json:
            args.json.write_text(as_json(results, facts))
        if args.page:
            parts["figures"] = figures_table(findings(known))
            page = args.page.read_text() if args.page.exists() else ""
            args.page.write_text(page_with(page, parts).lstrip())
    print(figures_table(findings(known)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", nargs="+", default=_USUAL, choices=list(CORPORA), help="corpora")
    parser.add_argument("--peers", nargs="+", default=["*"], metavar="NAME", help="by name; * and ? as in a shell")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="0.02 for a trial")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/build", metavar="FOLDER")
    parser.add_argument("--no-install", action="store_true", help="take the peers that are there")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a page whose tables are exchanged")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Compile, beside its peers: corpora are made, peers installed, everybody builds in turn, and a table is written.

CPU is that of the whole process tree, wall time that of the commands, memory that of the largest process. The folder of
the run keeps corpora, tools and results. Tables on a page and kept results give way to no
poorer ones: of another size, of fewer rounds, or without a tool that has figures there.

    python bench/build.py [--on app static-1k …] [--peers NAME …] [--rounds 3] [--scale 1] [--work FOLDER]
                          [--no-install] [--json FILE] [--page docs/performance.md]
"""

from __future__ import annotations

import argparse
import compileall
import fnmatch
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from builds.corpora import CORPORA, made
from builds.figures import Results, findings
from builds.page import Standard, figures_kept, page_with, standard_of, standard_on
from builds.peers import PEERS, Peer
from builds.rounds import Row, Run, rows
from builds.tables import as_json, figures_table, from_json, table
from builds.toolbox import Toolbox
from packages import REPOSITORY, installed

from assetbuild.diagnostic import nearest

_USUAL = [name for name in CORPORA if name != "static-100k"]


def main() -> None:
    """Measure, and print a table for each corpus and one of the figures."""
    parser = _parser()
    args = parser.parse_args()
    peers = _named(args.peers, parser)
    _refuse_unknown(args.on, list(CORPORA), "corpus", parser)
    is_trial = args.scale != 1
    if args.page and is_trial:
        parser.error("a trial is for no page: leave out `--page` or `--scale`")
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    run = Run(args.rounds, work / "runs", Toolbox(work, is_installing=not args.no_install))
    page = args.page.read_text() if args.page and args.page.exists() else ""
    _refuse_poorer(page, args, [peer for peer in peers if not run.box.missing(peer.needs)], parser)
    modules = installed("bench/npm-corpora", work / "npm-corpora")
    # What pip does for the peers: a checkout would be compiled in whichever round comes first.
    compileall.compile_dir(REPOSITORY / "assetbuild", quiet=1)
    kept = work / "results.json"
    known = {} if is_trial else from_json(kept)
    facts = {"rounds": args.rounds, "scale": args.scale, "cores": os.cpu_count(), "python": platform.python_version()}
    results: dict[str, list[Row]] = {}
    for corpus in args.on:
        tree = made(corpus, modules, work / "corpora", args.scale)
        results[corpus] = rows(corpus, tree, peers, run)
        text = table(corpus, results[corpus], args.rounds, args.scale)
        print(text, end="\n\n", flush=True)
        # After each corpus, so that a run that is stopped keeps what it has measured.
        if args.json:
            args.json.write_text(as_json(results, facts, is_judged=not is_trial))
        if not is_trial and not standard_of(known.get(corpus, ())).without(standard_of(results[corpus])):
            known[corpus] = results[corpus]
            kept.write_text(as_json(known, facts))
        if args.page:
            page = _page_with(page, corpus, text, {**known, **results})
            args.page.write_text(page)
    print(figures_table(findings({**known, **results}, is_judged=not is_trial)))


def _page_with(page: str, corpus: str, text: str, results: Results) -> str:
    """Return the page with the table of a corpus and all figures, where they are no worse than what it has."""
    if loss := standard_on(page, corpus).without(standard_of(results[corpus])):
        print(f"the page keeps its table of `{corpus}`: {loss}", file=sys.stderr)
    else:
        page = page_with(page, {corpus: text})
    good = {name: rows for name, rows in results.items() if not standard_on(page, name).without(standard_of(rows))}
    return page_with(page, {"figures": figures_table(figures_kept(page, findings(good)))}).lstrip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", nargs="+", default=_USUAL, metavar="CORPUS", help=", ".join(CORPORA))
    parser.add_argument("--peers", nargs="+", default=["*"], metavar="NAME", help="by name; * and ? as in a shell")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="0.02 for a trial, which judges no figure")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/build", metavar="FOLDER")
    parser.add_argument("--no-install", action="store_true", help="take the peers that are there")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a page whose tables are exchanged")
    return parser


def _named(patterns: Sequence[str], parser: argparse.ArgumentParser) -> list[Peer]:
    """Return the peers that the patterns name, in our order; end the command if one names none."""
    names = [peer.name for peer in PEERS]
    _refuse_unknown([each for each in patterns if not fnmatch.filter(names, each)], names, "peer", parser)
    return [peer for peer in PEERS if any(fnmatch.fnmatchcase(peer.name, each) for each in patterns)]


def _refuse_poorer(page: str, args: argparse.Namespace, able: Sequence[Peer], parser: argparse.ArgumentParser) -> None:
    """End the command, before hours of measuring, if the page would lose by it. able: peers that can run."""
    for corpus in args.on:
        names = frozenset(peer.name for peer in able if corpus in peer.corpora)
        if loss := standard_on(page, corpus).without(Standard(names, args.rounds)):
            parser.error(f"{args.page} keeps its table of `{corpus}`: {loss}")


def _refuse_unknown(words: Sequence[str], known: Sequence[str], kind: str, parser: argparse.ArgumentParser) -> None:
    for word in words:
        if word not in known:
            near = nearest(word, known)
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{each}`' for each in known)}"
            parser.error(f"`{word}` is no {kind}; {hint}")


if __name__ == "__main__":
    main()

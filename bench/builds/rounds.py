"""Rounds: every peer builds in turn, and the next round begins with another of them.

A round of a peer is a cold build into a folder that is new, a build with nothing to do, and one after each small edit.
Nothing is deleted in between, so that no peer pays for the files of the one before.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from builds.corpora import CORPORA, Edit
from builds.measure import BuildFailed, Cost, cost_of
from builds.outputs import Output, look_at
from builds.peers import Peer, Place
from builds.toolbox import Toolbox

__all__ = ["COLD", "NO_OP", "Row", "Run", "rows"]

COLD, NO_OP = "cold", "no-op"


class Row(NamedTuple):
    """What is known of one peer on one corpus. costs: medians by scenario, of `rounds`. absent: why there are none."""

    peer: str
    about: str
    costs: Mapping[str, Cost]
    output: Output | None
    versions: Mapping[str, str]
    absent: str
    rounds: int = 0


class Run(NamedTuple):
    """How it is measured. folder: where the peers build."""

    rounds: int
    folder: Path
    box: Toolbox


class _Subject:
    """A peer with its copy of the tree, and what it has cost so far."""

    def __init__(self, peer: Peer, folder: Path, tree: Path) -> None:
        self.peer, self.folder, self.source = peer, folder, folder / "source"
        self.costs: dict[str, list[Cost]] = {}
        self.output: Output | None = None
        self.absent = ""
        # Linked, since an edit replaces the file: the copies of a corpus share their bytes on the disk.
        shutil.copytree(tree, self.source, copy_function=os.link)

    def place(self, corpus: str, number: int, box: Toolbox) -> Place:
        folder = self.folder / f"round-{number}"
        (folder / "scratch").mkdir(parents=True)
        return Place(corpus, self.source, folder / "out", folder / "scratch", box)


def rows(corpus: str, tree: Path, peers: Sequence[Peer], run: Run) -> list[Row]:
    """Return the medians of every peer that takes part, in the order of `peers`."""
    folder, box = run.folder / corpus, run.box
    shutil.rmtree(folder, ignore_errors=True)
    asked = [peer for peer in peers if corpus in peer.corpora]
    reasons = {peer.name: box.missing(peer.needs) for peer in asked}
    subjects = [
        _Subject(peer, folder / f"peer-{number}", tree) for number, peer in enumerate(asked) if not reasons[peer.name]
    ]
    for number in range(run.rounds):
        shift = number % max(1, len(subjects))
        for subject in (*subjects[shift:], *subjects[:shift]):
            if not subject.absent:
                _one_round(subject, corpus, number, box)
    measured = {subject.peer.name: subject for subject in subjects}
    return [_row(peer, measured.get(peer.name), reasons[peer.name], box) for peer in asked]


def _one_round(subject: _Subject, corpus: str, number: int, box: Toolbox) -> None:
    place = subject.place(corpus, number, box)
    plan = subject.peer.plan(place)
    log = subject.folder / "log"
    try:
        _note(subject, corpus, COLD, cost_of(plan, log))
        if number == 0:
            subject.output = look_at(plan.output or place.output, plan.public)
        _note(subject, corpus, NO_OP, cost_of(plan, log))
        for name, edit in CORPORA[corpus].edits.items():
            _change(subject.source, edit, number)
            _note(subject, corpus, name, cost_of(plan, log))
    except BuildFailed as error:
        subject.absent = "failed"
        print(f"{corpus}: {subject.peer.name} failed: …{error}", file=sys.stderr)


def _note(subject: _Subject, corpus: str, scenario: str, cost: Cost) -> None:
    subject.costs.setdefault(scenario, []).append(cost)
    figures = f"{cost.wall_s:8.2f} s {cost.cpu_s:8.2f} s CPU {cost.peak_mb:6.0f} MB"
    print(f"{corpus:12} {subject.peer.name:34} {scenario:8} {figures}", file=sys.stderr, flush=True)


def _change(source: Path, edit: Edit, number: int) -> None:
    """Append to a file as an editor saves it: another file under the same name."""
    file = source / edit.file
    beside = file.with_name(f"{file.name}~")
    beside.write_text(file.read_text(encoding="utf-8") + edit.text.format(n=number), encoding="utf-8")
    os.replace(beside, file)


def _row(peer: Peer, subject: _Subject | None, absent: str, box: Toolbox) -> Row:
    versions = {need.rpartition(":")[2]: version for need in peer.needs if (version := box.version(need))}
    if subject is None or subject.absent:
        return Row(peer.name, peer.about, {}, None, versions, absent or (subject.absent if subject else ""))
    costs = {
        scenario: Cost(*(statistics.median(values) for values in zip(*each, strict=True)))
        for scenario, each in subject.costs.items()
    }
    return Row(peer.name, peer.about, costs, subject.output, versions, "", len(subject.costs[COLD]))

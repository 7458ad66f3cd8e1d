"""What a job asks of the inventory: each name and the answer, which are as much a part of its input as the files.

A stylesheet that names `img/a.png` depends on there being one. So every job resolves against an inventory of its own
that notes what it is asked; one that looks through all names (for the nearest to a missing one) depends on all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeVar

from assetbuild.compiler.cache.codec import source_document
from assetbuild.compiler.cache.places import Places
from assetbuild.compiler.model import Source
from assetbuild.compiler.resolve import Inventory, Neighbours, Resolver

__all__ = ["Answers", "Asked", "Questions"]

Answer = TypeVar("Answer")


class Questions(NamedTuple):
    """What was asked, sorted. files: portable names. is_whole: all names were looked through."""

    logicals: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    is_whole: bool = False


class _Watched(Mapping[str, Answer]):
    """A mapping that notes the keys it is asked for; a look through all of them is noted as such."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.asked: dict[str, None] = {}
        self.is_whole = False

    def __getitem__(self, key: str) -> Answer:
        self.asked[key] = None
        return self._answers[key]

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            self.asked[key] = None
        return key in self._answers

    def __iter__(self) -> Iterator[str]:
        self.is_whole = True
        return iter(self._answers)

    def __len__(self) -> int:
        self.is_whole = True
        return len(self._answers)


class _WatchedNeighbours(Neighbours):
    """The neighbours of the build's own inventory, for a job that then depends on all names."""

    def __init__(self, neighbours: Neighbours, logicals: _Watched[Source]) -> None:
        self._neighbours = neighbours
        self._logicals = logicals

    def meant(self, places: tuple[str, ...]) -> str | None:
        self._logicals.is_whole = True
        return self._neighbours.meant(places)


class Asked:
    """The inventory as one job sees it. resolver: answers as the build's own does."""

    def __init__(self, resolver: Resolver) -> None:
        by_logical, by_file, withheld, excluded = resolver.inventory
        self._logicals, self._files, self._withheld = _Watched(by_logical), _Watched(by_file), _Watched(withheld)
        # Who asks for what is excluded has asked for the published file of that name before.
        inventory = Inventory(self._logicals, self._files, self._withheld, excluded)
        self.resolver = Resolver(resolver.project, inventory, _WatchedNeighbours(resolver.neighbours, self._logicals))

    def questions(self, places: Places) -> Questions:
        """Return what was asked so far, sorted."""
        files = (places.name(file) for file in self._files.asked)
        return Questions(
            tuple(sorted(self._logicals.asked)),
            tuple(sorted(files)),
            tuple(sorted(self._withheld.asked)),
            self._logicals.is_whole or self._files.is_whole or self._withheld.is_whole,
        )


class Answers:
    """What the inventory of this build answers, as digests. Asked once for each result that may be in the cache."""

    def __init__(self, inventory: Inventory, places: Places) -> None:
        self._inventory = inventory
        self._places = places
        self._texts: dict[Source, str] = {}

    def digest_hex(self, questions: Questions) -> str:
        """Return one digest of the answers; raise `KeyError` if a file is named that this project cannot have."""
        by_logical, by_file, withheld, excluded = self._inventory
        answers = [self._source(by_logical.get(logical)) for logical in questions.logicals]
        answers += [f"{name} {self._source(excluded[name])}" for name in questions.logicals if name in excluded]
        answers += [self._source(by_file.get(self._places.file(name))) for name in questions.files]
        answers += [withheld.get(logical, "") for logical in questions.withheld]
        if questions.is_whole:
            answers.append(self._whole)
        return hashlib.sha256("\0".join(answers).encode("utf-8", "surrogateescape")).hexdigest()

    def _source(self, source: Source | None) -> str:
        """Return a source as text, "" for none; asked for often, and made once."""
        if source is None:
            return ""
        text = self._texts.get(source)
        if text is None:
            text = self._texts[source] = json.dumps(source_document(source, self._places))
        return text

    @cached_property
    def _whole(self) -> str:
        """One digest of every name that there is."""
        digest = hashlib.sha256()
        for logical in sorted(self._inventory.by_logical):
            digest.update(self._source(self._inventory.by_logical[logical]).encode())
        for logical, why in sorted(self._inventory.withheld.items()):
            digest.update(json.dumps([logical, why]).encode())
        return digest.hexdigest()

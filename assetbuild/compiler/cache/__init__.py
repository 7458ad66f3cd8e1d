"""The compile cache: what was made once is not made again.

Receives jobs and what they made; hands back results whose every input is as it was. Two steps, because engines find
their inputs late: the key of a job (`keys`) gives a few traces of what it read, looked for in vain and asked of the
inventory (`asked`); the first trace that still holds has the result (`codec`). Bytes lie in the `store`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from assetbuild.compiler.cache import traces
from assetbuild.compiler.cache.asked import Answers, Asked
from assetbuild.compiler.cache.codec import Unreadable, dumped, loaded
from assetbuild.compiler.cache.keys import common_of, differing, digest_of, is_read, key_of, read_by
from assetbuild.compiler.cache.places import Places
from assetbuild.compiler.cache.plain import PlainFiles
from assetbuild.compiler.cache.store import Store, Tally
from assetbuild.compiler.cache.toolchain import packages
from assetbuild.compiler.cache.traces import Trace
from assetbuild.compiler.files import Library, Outside
from assetbuild.compiler.listing import listing
from assetbuild.compiler.model import Input, Job, Listed, Result
from assetbuild.compiler.resolve import Resolver
from assetbuild.compiler.tools import NAMES
from assetbuild.noting import standing_at
from assetbuild.surroundings import surroundings

__all__ = ["Cache", "Inquiry", "Store", "Tally"]

_INLINE_BYTES = 16 << 10  # a larger result lies by itself, so that a new trace does not write the old ones again
_PROGRAMS = frozenset(NAMES)


class Cache:
    """The results of earlier builds, as one build sees them. Safe in threads.

    program: digest of a pinned tool, by its name; raises what the tools raise.
    is_first: no earlier build of the project is known. plain: what is known of its files that refer to nothing.
    """

    def __init__(self, store: Store, library: Library, resolver: Resolver, program: Callable[[str], str]) -> None:
        project = resolver.project
        self.store = store
        self.library = library
        self.resolver = resolver
        self.program = program
        self.places = Places(project.folder, [*(root.folder for root in project.roots), *library.confines])
        self.answers = Answers(resolver.inventory, self.places)
        common = common_of(project, packages(), library.confines, self.places)
        self.project = _digest_of(os.fsencode(project.folder))
        last = f"common/{self.project}"
        known = store.get(last)
        self.is_first = known is None
        self.changed_settings = () if known is None else tuple(differing(json.loads(known), common._asdict()))
        if known is None or self.changed_settings:
            store.put(last, _text(common._asdict()))
        self.plain = PlainFiles(store, f"plain/{self.project}", digest_of(common))
        self._common = common
        self._common_digests: dict[str, str] = {}
        self._listed: dict[str, str] = {}

    def common_digest(self, engine: str) -> str:
        """Return the digest of what an engine reads of that which is the same for all jobs."""
        if engine not in self._common_digests:
            self._common_digests[engine] = digest_of(read_by(engine, self._common))
        return self._common_digests[engine]

    @cached_property
    def surroundings(self) -> str:
        """Return the digest of what tools find around the project by themselves."""
        return surroundings(self.library.folder)

    def listed(self, folder: str) -> str:
        """Return the digest of the names in a folder, "" if there is none to read; each is listed once."""
        if folder not in self._listed:
            try:
                self._listed[folder] = listing(folder, self.library.disk).digest_hex
            except OSError:
                self._listed[folder] = ""
        return self._listed[folder]

    def described(self, file: str) -> str:
        """Return the sha256 of a description, which may lie anywhere in the project; raise `OSError`."""
        try:
            return self.library.digest_hex(file)
        except Outside:
            if not os.path.realpath(file).startswith(os.path.join(self.library.folder, "")):
                raise
        disk = self.library.disk
        return disk.known_digest(file) or _digest_of(disk.read(file))

    def inquire(self, job: Job) -> Inquiry:
        """Return what earlier builds know of a job."""
        return Inquiry(self, job)

    def variant(self, sha256_hex: str, encoder: tuple[str, str, int]) -> bytes | None:
        """Return the compressed form of the bytes that have a digest. encoder: its tool, exact version and level."""
        return self.store.get(_variant_name(sha256_hex, encoder))

    def keep_variant(self, sha256_hex: str, encoder: tuple[str, str, int], encoded: bytes) -> None:
        """Keep what an encoder made."""
        self.store.put(_variant_name(sha256_hex, encoder), encoded)


class Inquiry:
    """One job, asked of the cache.

    result: what it made from the same inputs, every byte held against its digest; None if no build did.
    reason: why there is none, in the words of `--explain`. resolver: the build's, noting what it is asked.
    spent_ms: how long the job took when it last ran, None if it never did.
    """

    def __init__(self, cache: Cache, job: Job) -> None:
        self._cache = cache
        self._job = job
        self._key = key_of(job, cache.common_digest(job.engine), cache.places)
        self._name = f"traces/{digest_of(self._key)}"
        self._last_name = f"last/{_digest_of(_text([cache.project, job.engine, job.logicals]))}"
        self._traces = traces.loaded(cache.store.get(self._name))
        self._asked = Asked(cache.resolver)
        self.resolver = self._asked.resolver
        self.result = self._recalled()
        self.spent_ms = self._traces[0].spent_ms if self._traces else None
        self.reason = "" if self.result is not None else self._why()

    def keep(self, result: Result, *, spent_ms: int = 0) -> None:
        """Keep what the job made; nothing with an error is kept, since it is told with the build that it ended."""
        if not result.is_repeatable or any(each.severity == "error" for each in result.diagnostics):
            return
        places, content = self._cache.places, dumped(result, self._cache.places)
        questions = self._asked.questions(places)
        where = content.decode("utf-8", "surrogateescape")
        if len(content) > _INLINE_BYTES:
            where = f"result/{_digest_of(content)}"
            self._cache.store.put(where, content)  # the result before what names it
        trace = Trace(
            inputs={places.name(each.file): each.digest_hex for each in result.inputs},
            absent={places.name(file): self._standing(file) for file in result.absent},
            folders={places.name(os.path.join(folder, "")): digest_hex for folder, digest_hex in result.folders},
            surroundings=result.surroundings,
            questions=questions,
            answers=self._cache.answers.digest_hex(questions),
            programs={tool: self._cache.program(tool) for tool in result.tools if tool in _PROGRAMS},
            spent_ms=spent_ms,
            result=where,
        )
        others = (each for each in self._traces if each[:-2] != trace[:-2])
        self._cache.store.put(self._name, traces.dumped([trace, *others][: traces.LIMIT]))
        if self._job.place:
            self._cache.store.put(self._last_name, _text(self._key._asdict()))

    def _recalled(self) -> Result | None:
        for trace in self._traces:
            if self._changed(trace) is None:
                result = self._loaded(trace)
                if result is not None:
                    return result
        return None

    def _loaded(self, trace: Trace) -> Result | None:
        places, is_apart = self._cache.places, trace.result.startswith("result/")
        content = self._cache.store.get(trace.result) if is_apart else trace.result.encode("utf-8", "surrogateescape")
        if content is None:
            return None
        try:
            result = loaded(content, places)
        except Unreadable:
            return None
        # Files of npm packages that it only refers to; the inventory answers for all others.
        if not all(self._cache.library.disk.is_file(source.file) for source in result.found):
            return None
        inputs = sorted(Input(places.file(name), digest_hex) for name, digest_hex in trace.inputs.items())
        absent = sorted(places.file(name) for name in trace.absent)
        folders = sorted(
            Listed(places.file(name).rstrip("/"), digest_hex) for name, digest_hex in trace.folders.items()
        )
        return result._replace(
            inputs=tuple(inputs),
            absent=tuple(absent),
            folders=tuple(folders),
            surroundings=trace.surroundings,
            engine=self._job.engine,
            is_recalled=True,
        )

    def _standing(self, file: str) -> str:
        kind, is_link, target = standing_at(file).partition(" ")
        return f"{kind} {self._cache.places.name(target)}" if is_link else kind

    def _why(self) -> str:
        if self._traces:
            return self._changed(self._traces[0]) or "its result is no longer in the cache"
        last = self._cache.store.get(self._last_name) if self._job.place else None
        fields: Sequence[str] = [each for each in self._cache.changed_settings if is_read(each, self._job.engine)]
        if last is not None:
            old: Mapping[str, Any] = {**json.loads(last), "common": self._key.common}
            fields = [*fields, *differing(old, self._key._asdict())]
        return f"{', '.join(f'`{field}`' for field in fields)} changed" if fields else "it is not in the cache yet"

    def _changed(self, trace: Trace) -> str | None:
        """Return what of a trace holds no longer, in words; None if all of it does."""
        places, library = self._cache.places, self._cache.library
        try:
            for name, digest_hex in trace.inputs.items():
                file = places.file(name)
                try:
                    # Descriptions are among the inputs of a module graph, and its key says where sources may lie.
                    found = self._cache.described(file) if trace.surroundings else library.digest_hex(file)
                    if found != digest_hex:
                        return f"`{library.shown(file)}` changed"
                except OSError:
                    return f"`{library.shown(file)}` is gone"
            for name, was in trace.absent.items():
                file = places.file(name)
                if self._standing(file) != was:
                    return f"`{library.shown(file)}` came or went"
            for name, digest_hex in trace.folders.items():
                if self._cache.listed(folder := places.file(name).rstrip("/")) != digest_hex:
                    return f"something came to or went from `{library.shown(folder)}`"
            if trace.surroundings and trace.surroundings != self._cache.surroundings:
                return "a description in the project's folder or above it changed"
            if self._cache.answers.digest_hex(trace.questions) != trace.answers:
                return "a file that it refers to came, went or was renamed"
        except KeyError:
            return "its folders are configured in another way"
        for tool, digest in trace.programs.items():
            if self._cache.program(tool) != digest:
                return f"`{tool}` is another build"
        return None


def _variant_name(sha256_hex: str, encoder: tuple[str, str, int]) -> str:
    return f"variant/{_digest_of(f'{sha256_hex} {encoder}'.encode())}"


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _text(document: object) -> bytes:
    return _encode(document).encode()


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

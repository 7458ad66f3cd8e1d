"""The compile cache: what was made once is not made again.

Receives jobs and what they made; hands back results whose every input is as it was. Two steps, because engines find
their inputs late: the key of a job (`keys`) gives a few traces of what it read, looked for in vain and asked of the
inventory (`asked`); the first trace that still holds names the result (`codec`). Bytes lie in the `store`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from assetbuild.compiler.cache.asked import Answers, Asked, Questions
from assetbuild.compiler.cache.codec import Unreadable, dumped, loaded
from assetbuild.compiler.cache.keys import Key, common_of, differing, digest_of, key_of
from assetbuild.compiler.cache.places import Places
from assetbuild.compiler.cache.store import Store, Tally
from assetbuild.compiler.cache.toolchain import packages
from assetbuild.compiler.files import Library
from assetbuild.compiler.model import Input, Job, Result
from assetbuild.compiler.resolve import Resolver
from assetbuild.compiler.tools import NAMES

__all__ = ["Asked", "Cache", "Store", "Tally"]

_TRACES = 8
"""How many traces a key keeps: a branch, its base and a few steps between them."""


class _Trace(NamedTuple):
    """What a result depended on, by portable names.

    absent: file that no use was made of → what stood in its place. programs: pinned tool that it ran → digest.
    result: where its bytes lie in the store.
    """

    inputs: Mapping[str, str]
    absent: Mapping[str, str]
    questions: Questions
    answers: str
    programs: Mapping[str, str]
    result: str


class Cache:
    """The results of earlier builds, as one build sees them. Safe in threads.

    program: digest of a pinned tool, by its name; raises what the tools raise.
    """

    def __init__(self, store: Store, library: Library, resolver: Resolver, program: Callable[[str], str]) -> None:
        project = resolver.project
        self._store = store
        self._library = library
        self._resolver = resolver
        self._program = program
        self._places = Places(project.folder, [*(root.folder for root in project.roots), *library.confines])
        self._common = common_of(project, packages(), self._places)
        self._common_digest = digest_of(self._common)
        self._is_common_kept = False
        self._answers = Answers(resolver.inventory, self._places)

    def asked(self) -> Asked:
        """Return the inventory for one job, which notes what it is asked."""
        return Asked(self._resolver)

    def recall(self, job: Job) -> Result | None:
        """Return what `job` made from the same inputs, None if no build did; everything is held against its digest."""
        key = self._key(job)
        for trace in self._traces(key):
            if self._changed(trace) is None:
                content = self._store.get(trace.result)
                result = None if content is None else self._loaded(content)
                if result is not None:
                    inputs = tuple(Input(self._places.file(name), hex_) for name, hex_ in trace.inputs.items())
                    absent = tuple(self._places.file(name) for name in trace.absent)
                    return replace(result, inputs=tuple(sorted(inputs)), absent=tuple(sorted(absent)))
        return None

    def keep(self, job: Job, result: Result, asked: Asked) -> None:
        """Keep what `job` made; nothing with an error is kept, since it is told with the build that it ended."""
        if not result.is_repeatable or any(each.severity == "error" for each in result.diagnostics):
            return
        key, content = self._key(job), dumped(result, self._places)
        questions = asked.questions(self._places)
        name = f"result/{_digest_of(content)}"
        trace = _Trace(
            inputs={self._places.name(each.file): each.digest_hex for each in result.inputs},
            absent={self._places.name(file): _standing(file) for file in result.absent},
            questions=questions,
            answers=self._answers.digest_hex(questions),
            programs={tool: self._program(tool) for tool in result.tools if tool in _PROGRAMS},
            result=name,
        )
        others = [each for each in self._traces(key) if each[:-1] != trace[:-1]]
        self._store.put(name, content)  # the result before what names it
        self._store.put(_key_name(key), _text([each._asdict() for each in [trace, *others][:_TRACES]]))
        self._store.put(_last_name(job), _text(key._asdict()))
        if not self._is_common_kept:
            self._is_common_kept = True
            self._store.put(f"common/{self._common_digest}", _text(self._common._asdict()))

    def why(self, job: Job) -> str:
        """Return why there is no result for `job`, in the words of `--explain`."""
        last, key = self._read(_last_name(job)), self._key(job)
        if last is None:
            return "it is not in the cache yet"
        common = self._read(f"common/{last['common']}") or {}
        fields = [*differing(common, self._common._asdict()), *differing({**last, "common": key.common}, key._asdict())]
        if fields:
            return f"{_listed(fields)} changed"
        traces = self._traces(key)
        return (traces and self._changed(traces[0])) or "its result is no longer in the cache"

    def variant(self, sha256_hex: str, encoder: tuple[str, str, int]) -> bytes | None:
        """Return the compressed form of the bytes that have a digest. encoder: its tool, exact version and level."""
        return self._store.get(_variant_name(sha256_hex, encoder))

    def keep_variant(self, sha256_hex: str, encoder: tuple[str, str, int], encoded: bytes) -> None:
        """Keep what an encoder made."""
        self._store.put(_variant_name(sha256_hex, encoder), encoded)

    def _key(self, job: Job) -> Key:
        return key_of(job, self._common_digest, self._places)

    def _traces(self, key: Key) -> list[_Trace]:
        return [_trace(each) for each in self._read(_key_name(key)) or ()]

    def _read(self, name: str) -> Any:
        content = self._store.get(name)
        return None if content is None else json.loads(content)

    def _loaded(self, content: bytes) -> Result | None:
        try:
            result = loaded(content, self._places)
        except Unreadable:
            return None
        # Files of npm packages that it only refers to; the inventory answers for all others.
        return result if all(self._library.disk.is_file(source.file) for source in result.found) else None

    def _changed(self, trace: _Trace) -> str | None:
        """Return what of a trace holds no longer, in words; None if all of it does."""
        try:
            for name, digest_hex in trace.inputs.items():
                file = self._places.file(name)
                try:
                    if self._library.digest_hex(file) != digest_hex:
                        return f"`{self._library.shown(file)}` changed"
                except OSError:
                    return f"`{self._library.shown(file)}` is gone"
            for name, was in trace.absent.items():
                file = self._places.file(name)
                if _standing(file) != was:
                    return f"`{self._library.shown(file)}` came or went"
            if self._answers.digest_hex(trace.questions) != trace.answers:
                return "a file that it refers to came, went or was renamed"
        except KeyError:
            return "its folders are configured in another way"
        for tool, digest in trace.programs.items():
            if self._program(tool) != digest:
                return f"`{tool}` is another build"
        return None


_PROGRAMS = frozenset(NAMES)


def _trace(document: Mapping[str, Any]) -> _Trace:
    logicals, files, withheld, is_whole = document["questions"]
    questions = Questions(tuple(logicals), tuple(files), tuple(withheld), is_whole)
    return _Trace(**{**document, "questions": questions})


def _standing(file: str) -> str:
    """Return what stands at a path: "" for nothing, else `file`, `folder` or `other`, links followed."""
    if os.path.isfile(file):
        return "file"
    if os.path.isdir(file):
        return "folder"
    return "other" if os.path.lexists(file) else ""


def _key_name(key: Key) -> str:
    return f"traces/{digest_of(key)}"


def _last_name(job: Job) -> str:
    return f"last/{_digest_of(_text([job.engine, job.logicals]))}"


def _variant_name(sha256_hex: str, encoder: tuple[str, str, int]) -> str:
    return f"variant/{_digest_of(_text([sha256_hex, encoder]))}"


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _text(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _listed(fields: Sequence[str]) -> str:
    return ", ".join(f"`{field}`" for field in fields)

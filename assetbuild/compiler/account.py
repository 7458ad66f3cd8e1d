"""Account: what the results of a build say beside their drafts. It stays when the results are let go.

Receives the results of all jobs; hands on what the manifest, the record of the build and its closing line are made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler.model import Result
from assetbuild.diagnostic import Diagnostic

__all__ = ["Account", "account_of"]


class Account(NamedTuple):
    """The fields are those of `Outcome` of the same names. tools: name → exact version of what decided a byte.

    unused: inputs of which no byte is in a draft. is_repeatable: every job makes the same of the same inputs.
    """

    diagnostics: tuple[Diagnostic, ...]
    tools: Mapping[str, str]
    engine_jobs: Mapping[str, int]
    engine_runs: Mapping[str, int]
    reasons: Mapping[str, str]
    inputs: Mapping[str, str]
    unused: frozenset[str]
    absent: frozenset[str]
    is_repeatable: bool


def account_of(results: Sequence[Result]) -> Account:
    """Return the account of all results."""
    inputs = {each.file: each.digest_hex for result in results for each in result.inputs}
    unused = {file for result in results for file in result.unused}
    used = (each.file for result in results if unused for each in result.inputs if each.file not in result.unused)
    return Account(
        diagnostics=tuple(each for result in results for each in result.diagnostics),
        tools={name: number for result in results for name, number in result.tools.items()},
        engine_jobs=_per_engine(results),
        engine_runs=_per_engine(each for each in results if not each.is_recalled and each.engine != "copy"),
        reasons=_reasons(results),
        inputs=inputs,
        unused=frozenset(unused.difference(used)),
        absent=frozenset(file for result in results for file in result.absent),
        is_repeatable=all(result.is_repeatable for result in results),
    )


def _per_engine(results: Iterable[Result]) -> dict[str, int]:
    counts = Counter(result.engine for result in results)
    return dict(sorted(counts.items()))


def _reasons(results: Iterable[Result]) -> dict[str, str]:
    ran = ((result.drafts[0].logical, result.reason) for result in results if result.reason and result.drafts)
    return dict(sorted(ran))

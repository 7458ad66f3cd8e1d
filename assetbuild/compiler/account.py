"""Account: what the results of a build say beside their drafts. It stays when the results are let go.

Receives the results of all jobs; hands on what the manifest, the record of the build and its closing line are made of.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from assetbuild.compiler.commands import Generated
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


def account_of(results: Sequence[Result], generated: Generated) -> Account:
    """Return the account of all results. generated: what commands made counts as what they made it of."""
    private = os.path.join(generated.root.folder, "") if generated.root else "\0"
    read = {each.file: each.digest_hex for result in results for each in result.inputs}
    inputs = {file: hex_ for file, hex_ in read.items() if not file.startswith(private)} | dict(generated.inputs)
    unused = {file for result in results for file in result.unused if not file.startswith(private)}
    used = (each.file for result in results if unused for each in result.inputs if each.file not in result.unused)
    return Account(
        diagnostics=tuple(each for result in results for each in result.diagnostics),
        tools={**generated.tools, **{name: number for result in results for name, number in result.tools.items()}},
        engine_jobs=_per_engine(results, generated.jobs),
        engine_runs=_per_engine(
            (each for each in results if not each.is_recalled and each.engine != "copy"), generated.runs
        ),
        reasons={**_reasons(results), **generated.reasons},
        inputs=inputs,
        unused=frozenset(unused.difference(used)),
        absent=frozenset(file for result in results for file in result.absent if not file.startswith(private)),
        is_repeatable=generated.is_repeatable and all(result.is_repeatable for result in results),
    )


def _per_engine(results: Iterable[Result], commands: int) -> dict[str, int]:
    counts = Counter(result.engine for result in results)
    if commands:
        counts["commands"] = commands
    return dict(sorted(counts.items()))


def _reasons(results: Iterable[Result]) -> dict[str, str]:
    ran = ((result.drafts[0].logical, result.reason) for result in results if result.reason and result.drafts)
    return dict(sorted(ran))

"""Hostile projects through the real command, in short; `python -m tests.hostile` runs the whole corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import need, pinned
from tests.hostile.case import Case
from tests.hostile.corpus import corpus
from tests.hostile.oracle import judged, old_build

CORPUS = tuple(corpus())
SHORT = [case for case in CORPUS if case.is_short]
NEEDS_ESBUILD = ("module", "typescript", "jsx", "tsx", "css, lowered", "tsconfig", "package.json")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an output that every case finds where it would publish."""
    return old_build(tmp_path_factory.mktemp("old"))


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.title)
def test_a_hostile_project_gets_an_answer_and_nothing_else(case: Case, tmp_path: Path, old: Path) -> None:
    if case.engine.startswith(NEEDS_ESBUILD):
        need("esbuild", pinned("esbuild") is not None)

    verdict = judged(case, tmp_path, old)

    assert () == verdict.faults, verdict.stderr


def test_every_case_has_a_title_of_its_own() -> None:
    assert [] == [title for title, count in Counter(case.title for case in CORPUS).items() if count > 1]

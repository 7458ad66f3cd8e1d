"""Budgets: what is too large fails the compile, at its line of the configuration."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.errors import CompileFailed
from tests.conftest import Tree


def test_sizes_are_judged_as_br_and_faults_point_into_the_configuration(
    tree: Tree, compiled: Callable[..., Outcome]
) -> None:
    text = '[budgets]\n"a.css" = "1 kB"\n"b.css" = "10 B"\n"x.png" = "3 B"\n"c.cs" = "1 kB"\n'
    project = tree(
        {
            "assetbuild.toml": text,
            "assets/a.css": "a { b: c }\n" * 900,
            "assets/b.css": "a { b: c; d: e; f: g }",
            "assets/c.css": "",
            "assets/x.png": b"1234",
        }
    )

    with pytest.raises(CompileFailed) as failed:
        compiled(project)

    assert [
        (3, "`b.css` has 22 bytes (uncompressed), its budget is 10", ""),
        (4, "`x.png` has 4 bytes (uncompressed), its budget is 3", ""),
        (5, "`c.cs` is no asset", "did you mean `c.css`?"),
    ] == [(each.span.line, each.message, each.hint) for each in failed.value.diagnostics if each.span]
    assert not (project / "build").exists()

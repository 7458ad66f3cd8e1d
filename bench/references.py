"""References of real packages: how many are found, rewritten and left as they are, and why.

First every package of tests/npm-styles and tests/npm-scripts is published as it is: each file under its own name. Then
the sheets of tests/test_real_styles.py are compiled from their sources. Counted is what the tokenisers find and what
`resolve` makes of it; a package's references count for it wherever they end up. What esbuild bundles is not counted.

    python bench/references.py
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packages import REPOSITORY, installed

sys.path.insert(0, str(REPOSITORY))

SOURCES = ("tests/npm-styles", "tests/npm-scripts")
LANGUAGES = {"css": "css", "scss": "css", "sass": "css", "js": "js", "mjs": "js"}
NOT_COUNTED = {"sass", "sass-embedded"}  # compilers, nothing that a page loads

Counts = dict[tuple[str, str], Counter[str]]


def main() -> None:
    """Print both tables."""
    for source in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            show(f"{source}, published as they are", counted(as_they_are(Path(folder), installed(source))))
    from tests.test_real_styles import CONFIG, everything

    with tempfile.TemporaryDirectory() as folder:
        project = written(Path(folder), everything(CONFIG), installed(SOURCES[0]))
        show("tests/test_real_styles.py, compiled from Sass and CSS", counted(project))


def written(folder: Path, files: Mapping[str, str | bytes], modules: Path) -> Path:
    """Return the project `folder` with `files` and the packages in it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "node_modules").symlink_to(modules)
    return folder


def as_they_are(folder: Path, modules: Path) -> Path:
    """Return a project that publishes every package which the folder asks for."""
    names = sorted(set(json.loads((modules.parent / "package.json").read_text())["dependencies"]) - NOT_COUNTED)
    roots = [f'{{ path = "node_modules/{name}", as = "{name}", missing = "warn" }}' for name in names]
    config = f"roots = [{', '.join(roots)}]\n[compress]\ngzip = false\nbr = false\n[sass]\nauto = false\n"
    return written(folder, {"assetbuild.toml": config}, modules)


def counted(folder: Path) -> Counts:
    """Compile and return by (package, language) what became of the references found there."""
    from assetbuild.compiler import compile, config, resolve
    from assetbuild.compiler.errors import DiagnosticsError
    from assetbuild.compiler.model import Source
    from assetbuild.disk import RealDisk

    counts: Counts = defaultdict(Counter)
    reference = resolve.Resolver.reference

    def counting(self: resolve.Resolver, written: str, referrers: Sequence[Source], reading: Any) -> resolve.Outcome:
        outcome = reference(self, written, referrers, reading)
        name, language = _owner(referrers[-1].file)
        why = outcome.why if isinstance(outcome, resolve.Untouched) else type(outcome).__name__.lower()
        counts[name, language][why] += 1
        return outcome

    resolve.Resolver.reference = counting  # type: ignore[method-assign]
    try:
        compile(config.read(str(folder), dict(os.environ), RealDisk(), config.Flags(profile="fast")))
    except DiagnosticsError as error:
        print("\n".join(f"{each.span}: {each.message}" for each in error.diagnostics if each.severity == "error"))
    finally:
        resolve.Resolver.reference = reference  # type: ignore[method-assign]
    return counts


def _owner(file: str) -> tuple[str, str]:
    """Return the package that a file belongs to, and the kind of its language."""
    language = LANGUAGES.get(file.rpartition(".")[2].lower(), "markup")
    inside = file.rpartition("/node_modules/")[2]
    first, second = [*inside.split("/"), ""][:2] if inside != file else ("(own)", "")
    return (f"{first}/{second}" if first.startswith("@") else first), language


def show(title: str, counts: Counts) -> None:
    """Print one table."""
    print(f"\n{title}")
    print(f"{'':34}{'':8}{'found':>8}{'rewritten':>10}{'left':>8}{'missing':>8}  left: why")
    total: Counter[str] = Counter()
    for (name, language), found in sorted(counts.items()):
        _row(name, language, found)
        total += found
    _row("all", "", total)


def _row(name: str, language: str, found: Counter[str]) -> None:
    left = {why: count for why, count in found.items() if why not in {"found", "missing", "ambiguous"}}
    why = _listed(left.items())
    missing = found["missing"] + found["ambiguous"]
    numbers = f"{found.total():>8,}{found['found']:>10,}{sum(left.values()):>8,}{missing:>8,}"
    print(f"{name:34}{language:8}{numbers}  {why}".rstrip())


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{why} {count:,}" for why, count in sorted(counts))


if __name__ == "__main__":
    main()

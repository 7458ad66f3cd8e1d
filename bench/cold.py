"""Cold compile of Bootstrap, Bulma and React with lodash-es, without variants: where the wall time goes.

Each run is a process of its own into an empty output. Wall time counts from the start of that process to its end. A
moment belongs to the engines if Dart Sass or esbuild works for at least one job then (their start included) and is not
waiting for an answer of ours; every other moment is ours: start of Python, imports, resolution, references, seal, disk.

    python bench/cold.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = {
    "assetbuild.toml": '[entries]\n"js/app.js" = { module = "js/app.tsx" }\n[compress]\ngzip = false\nbr = false\n',
    "assets/css/bootstrap.scss": '$primary: #c45434;\n@import "bootstrap/scss/bootstrap";\n',
    "assets/css/bulma.scss": '@use "bulma/sass" with ($primary: #c45434);\n',
    "assets/js/app.tsx": """import { createRoot } from "react-dom/client";
import { chunk, range } from "lodash-es";
const rows = chunk(range(9), 3).map((row) => <li key={row[0]}>{row.join()}</li>);
createRoot(document.body).render(<ul>{rows}</ul>);
""",
}

Interval = tuple[float, float]


def main() -> None:
    """Print the median of several runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        for name, text in SOURCES.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(REPOSITORY / "tests/npm" / name, project)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=project, check=True)
        runs = [run(project) for _ in range(args.rounds + 1)][1:]  # the first fills the page cache
    for name in ("wall", "engines", "ours", "share"):
        values = sorted(each[name] for each in runs)
        unit = "%" if name == "share" else " ms"
        middle = statistics.median(values)
        print(f"{name:8} {middle:8.1f}{unit}   ({values[0]:.1f} to {values[-1]:.1f}, {len(values)} runs)")
    print("tools   ", ", ".join(f"{name} {number}" for name, number in runs[0]["tools"].items()))


def run(project: Path) -> dict[str, Any]:
    """Return the figures of one cold compile in milliseconds."""
    shutil.rmtree(project / "build", ignore_errors=True)
    started = time.monotonic()
    command = [sys.executable, __file__, "--child", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    wall = time.monotonic() - started
    told = json.loads(done.stdout)
    engines = busy([tuple(each) for each in told["engines"]], [tuple(each) for each in told["answers"]])
    figures = {"wall": wall * 1e3, "engines": engines * 1e3, "ours": (wall - engines) * 1e3}
    return {**figures, "share": 100 * (wall - engines) / wall, "tools": told["tools"]}


def busy(calls: list[tuple[int, float, float]], answers: list[tuple[int, float, float]]) -> float:
    """Return for how long at least one call was under way that was not waiting for its own answer.

    Both lists hold (thread, start, end); an answer is given in the thread of the call that waits for it.
    """
    marks = [(at, 1, each) for each in calls for at in each[1:2]] + [(each[2], -1, each) for each in calls]
    marks += [(each[1], -1, each) for each in answers] + [(each[2], 1, each) for each in answers]
    total = level = 0.0
    last = 0.0
    for at, change, _ in sorted(marks):
        if level > 0:
            total += at - last
        level, last = level + change, at
    return total


def child(project: str) -> None:
    """Compile once and print when engines were at work and when they waited for us."""
    calls: list[tuple[int, float, float]] = []
    answers: list[tuple[int, float, float]] = []

    def timed(record: list[tuple[int, float, float]], function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def around(*args: Any, **kwargs: Any) -> Any:
            start = time.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                record.append((threading.get_ident(), start, time.monotonic()))

        return around

    from assetbuild.compiler import compile, config
    from assetbuild.compiler.engines import esbuild, sass
    from assetbuild.compiler.engines.modules import sources as module_sources
    from assetbuild.compiler.engines.sass import dart
    from assetbuild.disk import RealDisk

    dart.DartSass.compile = timed(calls, dart.DartSass.compile)  # type: ignore[method-assign]
    for name in ("__init__", "build", "transform"):
        setattr(esbuild.Esbuild, name, timed(calls, getattr(esbuild.Esbuild, name)))
    for kind, names in ((sass._Importer, ("canonical", "sheet")), (module_sources.ModuleSources, ("resolve", "load"))):
        for name in names:
            setattr(kind, name, timed(answers, getattr(kind, name)))
    outcome = compile(config.read(project, dict(os.environ), RealDisk(), config.Flags()))
    tools = json.loads(outcome.manifest)["build"]["tools"]
    print(json.dumps({"engines": calls, "answers": answers, "tools": tools}))


if __name__ == "__main__":
    main()

"""`python -m tests.hostile [WORD…]`: the corpus through the real command, as a table; the words choose by title."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.hostile.corpus import corpus
from tests.hostile.oracle import Verdict, judged, old_build


def main(words: list[str]) -> int:
    """Print one line per case; return how many did what no case may."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        old = old_build(Path(scratch))
        chosen = [case for case in corpus() if all(word in case.title for word in words)]
        for number, case in enumerate(chosen):
            folder = Path(scratch, str(number))
            verdict = judged(case, folder, old)
            shutil.rmtree(folder)
            failed += bool(verdict.faults)
            sys.stdout.write(line(case.engine, case.name, verdict) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} cases, {failed} failed\n")
    return min(failed, 1)


def line(engine: str, name: str, verdict: Verdict) -> str:
    """Return one row of the table."""
    said = ", ".join(verdict.rules) or ("published" if verdict.exit_code == 0 else f"exit code {verdict.exit_code}")
    cost = f"{verdict.wall_s:5.1f} s {verdict.cpu_s:5.1f} s {verdict.peak_bytes / 1e6:5.0f} MB"
    return f"{'FAILED' if verdict.faults else 'ok':6} {engine:16} {name:44} {cost}  {'; '.join(verdict.faults) or said}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

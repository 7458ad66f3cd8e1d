"""`python -m tests.hostile`: the corpus through the real command, one line for each case; exit 1 if one failed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.hostile.corpus import corpus
from tests.hostile.oracle import Verdict, judged, old_build


def main() -> int:
    """Print one line per case and return 1 if any did what no case may."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="that the title of a case has to hold (default: any)")
    words = parser.parse_args().words
    chosen = [case for case in corpus() if all(word in case.title for word in words)]
    if not chosen:
        parser.error(f"no case has a title with {' and '.join(f'`{word}`' for word in words)}")

    failed = 0
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        old = old_build(Path(scratch))
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
    sys.exit(main())

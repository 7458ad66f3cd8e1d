"""`python -m tests.fuzz`: every target, led by coverage, one line for each; exit 1 if an input broke a promise."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys

from tests.fuzz.targets import TARGETS


def main() -> int:
    """Fuzz the targets that are asked for, or give one of them one input again."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for each target (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of inputs (default: 1)")
    parser.add_argument("--input", metavar="HEX", default="", help="give this input alone, as a finding names it")
    args = parser.parse_args()
    if unknown := sorted({*args.targets} - {*TARGETS}):
        parser.error(f"no target: {', '.join(unknown)}")
    names = args.targets or [*TARGETS]
    if args.input:
        for name in names:
            TARGETS[name](bytes.fromhex(args.input))
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("it needs atheris: install the extra `proof`")
    findings = [name for name in names if _fuzzed(name, args.runs, args.seed)]
    return int(bool(findings))


def _fuzzed(name: str, runs: int, seed: int) -> bool:
    """Fuzz one target, print how it ended and return whether there was a finding."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(runs), str(seed)]
    environ = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if not done.stdout:  # it hung, took all memory or died: the fuzzer says which
        _say(f"{name:<12} ended with {done.returncode}\n{done.stderr[-4000:]}")
        return True
    end = json.loads(done.stdout.splitlines()[-1])
    _say(f"{name:<12} {end['given']:>9,} inputs  {int(bool(end['words']))} findings  {cpu_s:7.1f} s")
    if end["words"]:
        _say(f"  again: python -m tests.fuzz {name} --input {end['input'] or '00'}\n{end['words']}")
    return bool(end["words"])


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

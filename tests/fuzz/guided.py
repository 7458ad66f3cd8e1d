"""`python -m tests.fuzz.guided TARGET RUNS SEED`: one target, led by coverage, in a process of its own.

Says how it ended as one JSON document on stdout: how many inputs were given, and the input and the words of a finding.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import traceback
from pathlib import Path

import atheris

__all__ = ["main"]

_SEEDS = 200
_LONGEST_BYTES = 400
_LONGEST_TEXT_BYTES = {"css": 100, "js": 100, "markup": 100}
"""Of what is read most slowly: a byte stands for some five characters."""
_HANG_S = 60


def main(name: str, runs: int, seed: int) -> None:
    """Give a target so many inputs; never returns."""
    with atheris.instrument_imports(include=["assetbuild"]):
        from tests.fuzz.targets import TARGETS
    target, given, longest = TARGETS[name], 0, _LONGEST_TEXT_BYTES.get(name, _LONGEST_BYTES)

    def give(content: bytes) -> None:
        nonlocal given
        given += 1
        try:
            target(content)
        except BaseException:  # noqa: BLE001 whatever it is, it is the finding
            _end(given, content.hex(), traceback.format_exc())
        if given >= runs:
            _end(given, "", "")

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        chance = random.Random(seed)
        for number in range(_SEEDS):
            Path(folder, str(number)).write_bytes(chance.randbytes(chance.randrange(1, longest)))
        limits = [f"-max_len={longest}", f"-timeout={_HANG_S}", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], f"-seed={seed}", "-len_control=0", *limits, folder], give)
        atheris.Fuzz()


def _end(given: int, content_hex: str, words: str) -> None:
    """Say how it ended and leave: the fuzzer would take an exception for its own finding."""
    sys.stdout.write(json.dumps({"given": given, "input": content_hex, "words": words}) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

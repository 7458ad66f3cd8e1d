"""Fuzzing: what no input may bring about, one target per module, driven by hypothesis and by coverage.

A target is a function from bytes to nothing that raises when a promise is broken. `grain` makes texts of a language
from the bytes; `test_targets` gives each a thousand inputs, `python -m tests.fuzz` a hundred thousand.
"""

"""Projects that mean harm, or are damaged: a corpus that is generated, and the oracles that judge the real command.

`python -m tests.hostile` runs all of it and prints a table (docs/explanation/hostile-input.md).
"""

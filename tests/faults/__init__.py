"""The fault campaign: whatever fails, and whenever the process dies, the output serves a complete build.

`python -m tests.faults` runs it; docs/explanation/crash-safety.md says what it proves. Nothing here is a part of the
product, which has no hook for it: processes are stopped from outside, and module names are exchanged.
"""

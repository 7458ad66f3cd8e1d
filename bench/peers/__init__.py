"""Adapters: each compiles the cases of bench/conformance.py with another tool, in an environment of its own."""

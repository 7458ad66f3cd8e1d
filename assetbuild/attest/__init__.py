"""Attestations: who made an output, from what, and which packages are in it. Values for documents; writes nothing.

Receives a build's outcome and what the environment says of the machine that made it; hands on JSON values. Nothing in
them names the machine or its user, and the time stands in the provenance alone.
"""

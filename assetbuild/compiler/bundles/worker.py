"""The program of the worker process that reads bundles. It serves one request and ends: it holds the user's modules."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

from assetbuild.compiler.bundles.describe import described
from assetbuild.compiler.bundles.filters import unknown_filters
from assetbuild.compiler.bundles.opening import is_own, opened
from assetbuild.compiler.bundles.tags import tags
from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["load"]

# An application may open its assets when it is made, and those are what this compile is about to make: the reading half
# (`web/assets.py`) then gives it a stub, in which every name is found.
_COMPILING = "ASSETBUILD_COMPILING"


def load(request: dict[str, Any]) -> dict[str, Any]:
    """Return what `describe.described` says, and `modules`, the files of the project that Python imported.

    request: what `opening.opened` takes, and `templates`, shown path and text each.
    """
    os.environ[_COMPILING] = "1"
    os.chdir(request["project"])  # the folder in which people start their application: relative paths begin there
    try:
        import_module("webassets")
    except ImportError:
        message = "bundles need the package `webassets`, which is not installed"
        hint = "pip install 'assetbuild[compile]'"
        raise EngineUnavailable([Diagnostic("missing-extra", "error", message, Span(request["shown"]), hint)]) from None
    try:
        with unknown_filters():
            found = opened(request)
            with found.context():
                defined, problems = tags(request["templates"], found.jinja)
                made = described(found.environment, defined, request["project"], request["environment"])
    except RecursionError:  # YAML's reader and webassets both go down by calling themselves
        name = request["environment"]
        message = f"bundles of `{name}` nest deeper than Python can call itself"
        raise DiagnosticsError([Diagnostic("too-deep", "error", message, Span(name.partition(":")[0]))]) from None
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    modules = sorted(file for file in files if is_own(file, request["project"]) and os.path.isfile(file))
    return {**made, "findings": [*made["findings"], *problems], "modules": modules}

"""Contexts: what a template begins a render with.

Receives the globals of an environment and of a template, and what a page is rendered with; hands on the context that
Jinja makes of them. Our functions stand among the globals, which every render copies, used or not.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from jinja2 import Template
from jinja2.runtime import Context

__all__ = ["CopyingTemplate"]


class CopyingTemplate(Template):
    """A template that copies its globals as dictionaries.

    Jinja 3.1 copies a `ChainMap`, which is asked for one name after the other, in Python and in the template's own
    globals first, where almost none is: almost half the price of a page of literal HTML (bench/render.py).
    """

    def new_context(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> Context:
        """Return the context that Jinja makes. `shared` tells it that the globals are among `vars` already."""
        if shared or type(self.globals) is not ChainMap:
            return super().new_context(vars, shared, locals)
        known: dict[str, Any] = {}
        for each in reversed(self.globals.maps):
            known.update(each)
        return super().new_context(dict(known, **(vars or {})), True, locals)

"""What the bundles of an environment are, inside the worker process: webassets' objects become plain values.

Receives an environment; hands on what is built and which names stand for it, as webassets itself decides in production
(webassets 3.0, `Bundle.iterbuild`, `_urls` and `_merge_and_apply`). Builds nothing; its caches and versions are off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from assetbuild.compiler.bundles import VERSION, VERSIONS, filters
from assetbuild.compiler.bundles.tags import Tag
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["described"]


def described(environment: Any, tags: Iterable[Tag], project: str, named: str) -> dict[str, Any]:
    """Return `outputs`, what is built, and `bundles`, what each name stands for; `findings` beside them.

    named: the environment as it is configured.

    An output: `output` (as written), `file` (absolute, with the placeholder), `bundle`, `place`, `tree`. A bundle:
    `parts`, each a number of an output, a `file` or what is `missing`, `extra`, `place` and `is_merged`. A tree:
    `filters`, `inherited`, `config`, `depends` and `contents`, each a `file`, what is `missing`, or a tree.
    """
    made = _Described(environment, project)
    # webassets has no public way from a bundle to its name.
    for name, bundle in sorted(environment._named_bundles.items()):
        made.add(name, bundle, Span(f'bundles."{name}"'))
    for bundle in environment._anon_bundles:
        made.add(bundle.output or "", bundle, Span(f'bundles."{bundle.output or ""}"'))
    bundle_class, resolve = import_module("webassets").Bundle, import_module("webassets.ext.jinja2").AssetsExtension
    for tag in tags:
        contents = resolve.resolve_contents(tag.contents, environment)
        bundle = bundle_class(*contents, filters=tag.filters, output=tag.output, depends=tag.depends)
        made.add(tag.output, bundle, tag.place)
    made.close()
    if not made.bundles and not made.findings:
        made.findings.append(Diagnostic("no-bundles", "error", f"`{named}` has no bundles"))
    return {"outputs": made.outputs, "bundles": made.bundles, "findings": made.findings}


class _Described:
    """Walks one bundle after another; collects what is wrong instead of stopping at the first."""

    def __init__(self, environment: Any, project: str) -> None:
        self._environment = environment
        self._project = project
        self._wrap = import_module("webassets.bundle").wrap
        self._bundle = import_module("webassets").Bundle
        self._merge = import_module("webassets.merge").merge_filters
        self._name = ""
        self._place = Span("")
        self._open: list[Any] = []
        self._merged: set[int] = set()
        self._added: dict[str, Any] = {}
        self.outputs: list[dict[str, Any]] = []
        self.bundles: dict[str, dict[str, Any]] = {}
        self.findings: list[Diagnostic] = []

    def add(self, name: str, bundle: Any, place: Span) -> None:
        """Add a bundle and what it builds."""
        self._name, self._place, self._open = name, place, []
        known = len(self.outputs)
        try:
            parts = list(self._parts(bundle, self._wrap(self._environment, bundle), ()))
        except DiagnosticsError as error:
            self.findings += error.diagnostics
            return
        self._added[name] = bundle
        if name in self.bundles and self.bundles[name]["parts"] != parts:
            first = self.bundles[name]["place"]
            message = f"bundle `{name}` is also defined in `{first.path}`, with other contents"
            self._fault("two-bundles", message, "give one of them another output")
            del self.outputs[known:]
        self.bundles.setdefault(name, {"parts": parts, "extra": self._extra(bundle), "place": place})

    def close(self) -> None:
        """Settle which bundles stand inside others; add an error for each other one that lacks an output."""
        for name, one in self.bundles.items():
            one["is_merged"] = id(self._added[name]) in self._merged
            if None in one["parts"]:
                one["parts"] = []
                if not one["is_merged"]:
                    hint = 'give it one, such as `output="gen/name.css"`, or use it in another bundle'
                    message = f"bundle `{name}` has filters and no output"
                    self.findings.append(Diagnostic("no-output", "error", message, one["place"], hint))

    def _parts(self, bundle: Any, context: Any, extra: Sequence[Any]) -> Iterator[dict[str, Any] | None]:
        """Yield what a page that uses `bundle` loads, None for what cannot be. extra: filters of containers around."""
        with_filters = self._merge(self._filters(bundle), extra)
        if bundle.output:
            yield {"output": self._output(bundle, context, extra)}
        elif with_filters and not all(isinstance(item, self._bundle) for item in bundle.contents):
            # Inside others it is merged; by itself webassets fails on it as well, when a page asks for it.
            yield None
        else:
            with self._inside(bundle):
                for item, found in self._contents(bundle, context):
                    if isinstance(found, self._bundle):
                        yield from self._parts(found, self._wrap(context, found), with_filters)
                    else:
                        yield {"missing": item} if found is None else {"file": found}

    def _output(self, bundle: Any, context: Any, extra: Sequence[Any]) -> int:
        """Return the number of the output that `bundle` builds."""
        if not isinstance(bundle.output, str):
            raise self._error("bad-output", f"output `{bundle.output!r}` of bundle `{self._name}` is no path")
        file = self._target(bundle, context)
        tree = self._tree(bundle, context, (), extra)
        if tree is None:
            raise self._error("empty-bundle", f"bundle `{self._name}` is empty: there is nothing to build")
        made = {"output": bundle.output, "file": file, "tree": tree}
        for number, one in enumerate(self.outputs):
            if one | made == one:
                return number
        self.outputs.append({**made, "bundle": self._name, "place": self._place})
        return len(self.outputs) - 1

    def _tree(
        self, bundle: Any, context: Any, inherited: Sequence[Any], extra: Sequence[Any] = ()
    ) -> dict[str, Any] | None:
        """Return a bundle that is merged, None if it holds nothing."""
        own = self._merge(self._filters(bundle), extra)
        whole = self._merge(list(own), inherited)
        contents: list[Any] = []
        with self._inside(bundle):
            for item, found in self._contents(bundle, context):
                if isinstance(found, self._bundle):
                    self._merged.add(id(found))
                    inner = self._tree(found, self._wrap(context, found), whole)
                    contents += [inner] if inner else []
                else:
                    contents.append({"missing": item} if found is None else {"file": found})
        if not contents:
            return None
        config: dict[str, Any] = {}
        named = [filters.described(one, context, self._name, self._place, config) for one in whole]
        depends = [found for _, found in self._resolved(bundle.depends or (), context, may_be_empty=True) if found]
        return {
            "filters": named[: len(own)],
            "inherited": named[len(own) :],
            "config": config,
            "depends": depends,
            "contents": contents,
        }

    def _contents(self, bundle: Any, context: Any) -> Iterator[tuple[str, Any]]:
        """Yield what a bundle holds, as written and found, once each; an old output of its own is no part of it."""
        old = None
        if isinstance(bundle.output, str) and bundle.output:
            old = re.compile(VERSIONS.join(map(re.escape, self._target(bundle, context).split(VERSION))))
        seen: set[Any] = set()
        for item, found in self._resolved(bundle.contents, context):
            if isinstance(found, str) and old and old.fullmatch(found):
                continue
            if found is None or not bundle.remove_duplicates or found not in seen:
                yield item, found
            seen.add(found)

    def _resolved(self, items: Iterable[Any], context: Any, may_be_empty: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield each item with the files and bundles that it stands for; None for a file that is not there."""
        for item in items:
            if isinstance(item, self._bundle):
                yield "", item
                continue
            written = os.fspath(item) if isinstance(item, os.PathLike) else item
            if not isinstance(written, str):
                raise self._error("bad-contents", f"bundle `{self._name}` holds `{item!r}`, which is no path")
            if import_module("webassets.utils").is_url(written):
                message = f"bundle `{self._name}` holds `{written}`: a compile reads nothing from the network"
                raise self._error("remote-contents", message, "save the file in a root, or load it by a tag of its own")
            try:
                found = context.resolver.resolve_source(context, written)
            except OSError:
                found = ""
            except TypeError as error:  # Flask-Assets' way to say that a blueprint has no static folder
                message = f"`{written}` of bundle `{self._name}` cannot be looked for: {error}"
                raise self._error("bad-contents", message.rstrip(".")) from None
            files = found if isinstance(found, list) else [found]
            if not files and not may_be_empty:
                message = f"`{written}` of bundle `{self._name}` matches no file"
                self.findings.append(Diagnostic("empty-glob", "warning", message, self._place))
            for file in files:
                yield written, os.path.abspath(file) if os.path.isfile(file) else None

    def _filters(self, bundle: Any) -> list[Any]:
        for one in bundle.filters:
            filters.check(one, self._name, self._place, self._project)
        return list(bundle.filters)

    def _target(self, bundle: Any, context: Any) -> str:
        """Return the file that webassets would write, the placeholder of its version still in the name."""
        target: str = context.resolver.resolve_output_to_path(context, bundle.output, bundle)
        return os.path.abspath(target)

    @contextmanager
    def _inside(self, bundle: Any) -> Iterator[None]:
        """Refuse a bundle that holds itself."""
        if any(bundle is one for one in self._open):
            raise self._error("cyclic-bundle", f"bundle `{self._name}` holds a bundle that holds itself")
        self._open.append(bundle)
        try:
            yield
        finally:
            self._open.pop()

    def _extra(self, bundle: Any) -> dict[str, Any]:
        """Return the values that templates read beside the URL; the manifest holds scalars only."""
        kept = {}
        given = bundle.extra or {}
        if not isinstance(given, dict):
            self._fault("bad-extra", f"`extra` of bundle `{self._name}` is no mapping")
            return {}
        for key, value in given.items():
            if isinstance(key, str) and isinstance(value, str | int | None):
                kept[key] = value
            else:
                message = (
                    f"`extra` of bundle `{self._name}` holds `{key}`, which is no text, integer, true, false or none"
                )
                self._fault("bad-extra", message)
        return kept

    def _fault(self, rule: str, message: str, hint: str = "") -> None:
        self.findings.append(Diagnostic(rule, "error", message, self._place, hint))

    def _error(self, rule: str, message: str, hint: str = "") -> DiagnosticsError:
        return DiagnosticsError([Diagnostic(rule, "error", message, self._place, hint)])

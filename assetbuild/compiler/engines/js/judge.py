"""What the references of one script lead to: an asset, nothing of ours, or a finding with its place.

Receives references and asks the resolver, or `bare` for what only an import map knows; hands on outcomes. Changes no
text. Whether a finding is an error or a warning depends on whose script it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js.bare import is_builtin, module_file
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.files import Reading
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.importmap import stable_name
from assetbuild.compiler.model import Source
from assetbuild.compiler.packages import Packages, Unresolved
from assetbuild.compiler.refs.js import MODULE_KINDS, JsRef, module_syntax
from assetbuild.compiler.resolve import Ambiguous, Found, Missing
from assetbuild.diagnostic import Diagnostic, Note, Severity, Span, span_at
from assetbuild.manifest.names import quote

__all__ = ["Judge"]

# What is no bare specifier: a path, or a URL with a scheme (WHATWG HTML, "resolve a module specifier").
_PATH_OR_URL = re.compile(r"\.{0,2}/|[A-Za-z][A-Za-z0-9+.-]*:")
# ECMA-262 §16.2.3: without this word there is no export. `exports` and `.export` are something else.
_EXPORT = re.compile(r"(?<![\w$.])export(?![\w$])")
_BY_PROPERTY = re.compile(r"\bmodule\s*\.\s*exports\b|\bexports\s*[.\[]")


@dataclass(frozen=True)
class Judge:
    """The references of `text`, which is what `referrers[-1]` holds.

    referrers: whose folders a path may be relative to.
    """

    text: str
    referrers: Sequence[Source]
    reading: Reading
    shop: Shop
    packages: Packages

    @property
    def source(self) -> Source:
        """The file that messages name."""
        return self.referrers[-1]

    @property
    def severity(self) -> Severity:
        """How bad a reference is that leads nowhere."""
        return "error" if self.source.is_first_party else "warning"

    def outcome(self, ref: JsRef) -> Found | Diagnostic | None:
        """Return the asset that `ref` means, what is wrong with it, or None if it stays as it is."""
        span = span_at(self.source.shown, self.text, ref.start, ref.end)
        if ref.kind in MODULE_KINDS and ref.value.startswith("node:"):
            return self._builtin(ref, span)
        found = self._bare(ref, span) if self.is_bare(ref) else self._resolved(ref, span)
        return self._empty(ref, found, span) or found if isinstance(found, Found) else found

    def is_bare(self, ref: JsRef) -> bool:
        """Return whether a browser would look the specifier up in an import map, and no alias of ours stands for it."""
        if ref.kind not in MODULE_KINDS or _PATH_OR_URL.match(ref.value) or ref.value.startswith("~"):
            return False
        return not any(ref.value.startswith(alias) for alias in self.shop.project.urls.aliases)

    def name_of(self, ref: JsRef, found: Found) -> str:
        """Return the specifier that an import map may know the target by, "" if `ref` can have none.

        With a query a module is another one, which the map would have to name apart.
        """
        if not self.shop.project.js.importmap or ref.kind not in MODULE_KINDS or found.suffix:
            return ""
        is_kept = self.is_bare(ref) and not ref.value.startswith("#") and quote(ref.value) == ref.value
        return ref.value if is_kept else stable_name(found.source.logical)

    def _resolved(self, ref: JsRef, span: Span) -> Found | Diagnostic | None:
        match self.shop.resolver.reference(ref.value, self.referrers, self.reading):
            case Found() as found:
                return found
            case Ambiguous(first, second):
                message = f"`{ref.value}` is both `{first.shown}` and `{second.shown}`"
                return Diagnostic("ambiguous-reference", "error", message, span, "write the longer path")
            case Missing() as missing:
                return self._missing(ref, missing, span)
        return None

    def _bare(self, ref: JsRef, span: Span) -> Found | Diagnostic | None:
        js = self.shop.project.js
        if ref.value in js.external or self._is_allowed((ref.value,)):
            return None
        if not js.importmap:
            hint = (
                f'make the script an entry {{ module = "{self.source.logical}" }}, '
                f"or list `{ref.value}` under `external` in `[js]` if the page has an import map"
            )
            message = f"a browser cannot find `{ref.value}` by its bare name"
            found = Diagnostic("bare-specifier", self.severity, message, span, hint)
            return self._builtin(ref, span) if is_builtin(ref.value) else found
        inventory = self.shop.resolver.inventory
        if ref.value in inventory.by_logical:
            return Found(inventory.by_logical[ref.value], "")
        file = module_file(ref.value, self.source.file, self.reading, self.packages)
        if isinstance(file, str):
            known = inventory.by_file.get(file)
            return Found(known or self.shop.resolver.npm_source(file, self.reading), "")
        return self._builtin(ref, span) if is_builtin(ref.value) else self._no_package(ref, file, span)

    def _builtin(self, ref: JsRef, span: Span) -> Diagnostic | None:
        if ref.value in self.shop.project.js.external or self._is_allowed((ref.value,)):
            return None
        message = f"`{ref.value}` is built into Node and not into browsers"
        hint = "import a package that does the same"
        return Diagnostic("node-builtin", self.severity, message, span, hint)

    def _no_package(self, ref: JsRef, unresolved: Unresolved, span: Span) -> Diagnostic:
        hint = f"install it, or list `{ref.value}` under `external` in `[js]` if the page's own import map names it"
        return Diagnostic("missing-package", self.severity, unresolved.why, span, hint)

    def _missing(self, ref: JsRef, missing: Missing, span: Span) -> Diagnostic | None:
        if self._is_allowed(missing.tried):
            return None
        message = f"`{ref.value}` {missing.why}" if missing.why else f"`{ref.value}` is not in any asset root"
        near = missing.nearest
        if near and ref.kind in MODULE_KINDS and not _PATH_OR_URL.match(near):
            near = "./" + near
        hint = f"did you mean `{near}`?" if near else ""
        notes = (Note("looked for " + ", ".join(f"`{tried}`" for tried in missing.tried)),) if missing.tried else ()
        return Diagnostic("missing-reference", self.severity, message, span, hint, notes)

    def _empty(self, ref: JsRef, found: Found, span: Span) -> Diagnostic | None:
        """Return what is wrong if `ref` takes something from a script that exports nothing, such as CommonJS."""
        takes = self.text[ref.statement_start : ref.start - 1].split()
        if ref.kind not in ("import", "export") or takes[-1:] != ["from"] or takes[:2] == ["export", "*"]:
            return None
        target, inventory = found.source, self.shop.resolver.inventory
        is_plain = inventory.by_file.get(target.file) == target or target.logical not in inventory.by_logical
        if not is_plain or not target.file.endswith((".js", ".mjs", ".cjs")) or self._exports(target.file):
            return None
        message = f"`{ref.value}` exports nothing that a browser could import: `{target.shown}` is no module"
        hint = f'make the script an entry {{ module = "{self.source.logical}" }}: a bundle can hold CommonJS'
        return Diagnostic("no-exports", self.severity, message, span, hint)

    def _exports(self, file: str) -> bool:
        try:
            text = self.reading.text(file)
        except (DiagnosticsError, OSError):
            return True  # the job that publishes the file says so
        # The word may stand in a comment: where CommonJS shows as well, the lexer decides.
        return bool(_EXPORT.search(text)) and (not _BY_PROPERTY.search(text) or module_syntax(text))

    def _is_allowed(self, tried: Sequence[str]) -> bool:
        allowed = self.shop.project.missing_allow
        return matches_any(allowed, self.source.logical) or any(matches_any(allowed, one) for one in tried)

"""What the references of one script mean: an asset, or something that is none of ours.

Receives references and asks the judge of all languages, or `bare` for what only an import map knows; hands on what was
found and keeps the findings. Changes no text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js.bare import is_builtin, module_file
from assetbuild.compiler.engines.judge import Judge, missing_rule
from assetbuild.compiler.files import Reading
from assetbuild.compiler.globs import matches_any
from assetbuild.compiler.importmap import stable_name
from assetbuild.compiler.model import Source
from assetbuild.compiler.packages import Packages, split_specifier, to_install
from assetbuild.compiler.refs.js import MODULE_KINDS, JsRef, module_syntax
from assetbuild.compiler.resolve import Found, behind_alias
from assetbuild.diagnostic import Diagnostic, Severity, Span, span_at
from assetbuild.manifest.names import quote

__all__ = ["Meanings"]

# What is no bare specifier: a path, or a URL with a scheme (WHATWG HTML, "resolve a module specifier").
_PATH_OR_URL = re.compile(r"\.{0,2}/|[A-Za-z][A-Za-z0-9+.-]*:")
# ECMA-262 §16.2.3: without this word there is no export. `exports` and `.export` are something else.
_EXPORT = re.compile(rb"(?<![\w$.])export(?![\w$])")
_BY_PROPERTY = re.compile(rb"\bmodule\s*\.\s*exports\b|\bexports\s*[.\[]")


class Meanings:
    """The meanings of the references in `text`, which is what `referrers[-1]` holds; `diagnostics`: what is wrong.

    referrers: whose folders a path may be relative to.
    """

    def __init__(self, text: str, referrers: Sequence[Source], reading: Reading, shop: Shop) -> None:
        self._text = text
        self._referrers = referrers
        self._source = referrers[-1]
        self._reading = reading
        self._shop = shop
        self._packages = Packages(shop.project.folder)
        missing = missing_rule(self._source, shop.project)
        self._severity: Severity = "error" if missing == "error" else "warning"
        self._judge = Judge(missing, reading, shop)
        self.diagnostics = self._judge.diagnostics

    def found(self, ref: JsRef) -> Found | None:
        """Return the asset that `ref` means, None if it stays as it is."""
        if ref.kind in MODULE_KINDS and ref.value.startswith("node:"):
            self._refuse_builtin(ref)
            return None
        if self._is_bare(ref):
            found = self._bare(ref)
        else:
            outcome = self._judge.outcome(ref.value, self._referrers, functools.partial(self._span, ref))
            found = outcome if isinstance(outcome, Found) else None
        if found is not None:
            self._check_exports(ref, found.source)
        return found

    def name_of(self, ref: JsRef, found: Found) -> str:
        """Return the specifier that an import map may know the target by, "" if `ref` can have none.

        With a query a module is another one, which the map would have to name apart.
        """
        if not self._shop.project.js.importmap or ref.kind not in MODULE_KINDS or found.suffix:
            return ""
        is_kept = self._is_bare(ref) and not ref.value.startswith("#") and quote(ref.value) == ref.value
        return ref.value if is_kept else stable_name(found.source.logical)

    def _is_bare(self, ref: JsRef) -> bool:
        """Return whether a browser would look the specifier up in an import map, and no alias of ours stands for it."""
        if ref.kind not in MODULE_KINDS or _PATH_OR_URL.match(ref.value) or ref.value.startswith("~"):
            return False
        return behind_alias(ref.value, self._shop.project.urls.aliases) is None

    def _bare(self, ref: JsRef) -> Found | None:
        if ref.value in self._shop.project.js.external:
            return None
        why: str | None = None
        if self._shop.project.js.importmap:
            inventory = self._shop.resolver.inventory
            if ref.value in inventory.by_logical:
                return Found(inventory.by_logical[ref.value], "")
            file = module_file(ref.value, self._source.file, self._reading, self._packages)
            if isinstance(file, str):
                known = inventory.by_file.get(file)
                return Found(known or self._shop.resolver.npm_source(file, self._reading), "")
            why = file.why
        if is_builtin(ref.value):
            self._refuse_builtin(ref)
        elif why is not None:
            name, _ = split_specifier(ref.value)
            install = to_install(name, self._shop.project.folder, self._reading.library.disk) if name else "install it"
            hint = f"{install}, or list `{ref.value}` under `external` in `[js]` if the page's own import map names it"
            self._refuse(ref, "missing-package", why, hint)
        else:
            hint = (
                f'make the script an entry {{ module = "{self._source.logical}" }}, '
                f"or list `{ref.value}` under `external` in `[js]` if the page has an import map"
            )
            self._refuse(ref, "bare-specifier", f"a browser cannot find `{ref.value}` by its bare name", hint)
        return None

    def _check_exports(self, ref: JsRef, target: Source) -> None:
        """Refuse a reference that takes something from a script that exports nothing, such as CommonJS."""
        takes = "".join(self._text[ref.statement_start : ref.start - 1].split())
        if ref.kind not in ("import", "export") or not takes.endswith("from") or takes == "export*from":
            return
        inventory = self._shop.resolver.inventory
        is_plain = inventory.by_file.get(target.file) == target or target.logical not in inventory.by_logical
        if is_plain and target.file.endswith((".js", ".mjs", ".cjs")) and not self._exports(target.file):
            message = f"`{ref.value}` exports nothing that a browser could import: `{target.shown}` is no module"
            hint = f'make the script an entry {{ module = "{self._source.logical}" }}: a bundle can hold CommonJS'
            self._refuse(ref, "no-exports", message, hint)

    def _exports(self, file: str) -> bool:
        try:
            return _is_exporting(self._reading.read(file))
        except OSError:
            return True  # the job that publishes the file says so

    def _refuse_builtin(self, ref: JsRef) -> None:
        message = f"`{ref.value}` is built into Node and not into browsers"
        self._refuse(ref, "node-builtin", message, "import a package that does the same")

    def _refuse(self, ref: JsRef, rule: str, message: str, hint: str) -> None:
        """Keep a finding about `ref`, unless the configuration says that the page knows better."""
        project = self._shop.project
        is_allowed = any(matches_any(project.missing_allow, name) for name in (self._source.logical, ref.value))
        if ref.value not in project.js.external and not is_allowed:
            self.diagnostics.append(Diagnostic(rule, self._severity, message, self._span(ref), hint))

    def _span(self, ref: JsRef) -> Span:
        return span_at(self._source.shown, self._text, ref.start, ref.end)


# A library is one large file that many import.
@functools.lru_cache(maxsize=256)
def _is_exporting(content: bytes) -> bool:
    """Return whether the script may have an export. Its own job says what is wrong with it as a text."""
    if not _EXPORT.search(content):
        return False
    # The word may stand in a comment: where CommonJS shows as well, the lexer decides.
    return not _BY_PROPERTY.search(content) or module_syntax(content.decode(errors="replace"))

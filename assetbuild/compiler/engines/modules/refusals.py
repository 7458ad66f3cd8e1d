"""Why an import of a module graph leads nowhere, or to what no module can import, and what to do about it.

Receives an import as it is written and who imports it; hands on an error without a place, which esbuild knows. Looks at
names on disk and reads no text.
"""

from __future__ import annotations

import os
import posixpath

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.js.bare import is_builtin
from assetbuild.compiler.files import Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.packages import to_install
from assetbuild.diagnostic import Diagnostic, nearest

__all__ = ["SCRIPT_KINDS", "SHEETS", "sheet_refusal", "unresolved"]

SCRIPT_KINDS = ("import-statement", "dynamic-import", "require-call", "require-resolve")
"""esbuild's names for the imports that stand in scripts."""

SHEETS = {".scss": "Sass", ".sass": "Sass", ".less": "Less"}
"""Extension → language of stylesheets that esbuild cannot read."""


def sheet_refusal(sheet: Source, kind: str) -> Diagnostic:
    """Return the error for an import of a stylesheet that must be compiled before esbuild can read it."""
    stem, extension = posixpath.splitext(sheet.logical)
    importer = "a script" if kind in SCRIPT_KINDS else "plain CSS"
    message = f"{importer} cannot import `{posixpath.basename(sheet.logical)}`: it is {SHEETS[extension.lower()]}"
    entry = f"{stem.removeprefix('../')}.css"
    hint = f'make it an entry of its own, such as `"{entry}" = "{sheet.shown}"`, and give it a tag'
    if extension.lower() == ".less":
        hint = "compile it to CSS first, and import that"
    return Diagnostic("unsupported-import", "error", message, None, hint)


def unresolved(path: str, kind: str, importer: str, reading: Reading, shop: Shop) -> Diagnostic:
    """Return the error for an import of `path` by the file `importer` that esbuild cannot follow."""
    if is_builtin(path):
        message = f"`{path}` is built into Node and not into browsers"
        hint = f'import a package that does the same, or keep it out with `external = ["{path}"]` under `[js]`'
        return Diagnostic("node-builtin", "error", message, None, hint)
    aliased, packaged = shop.resolver.behind_prefix(path)
    if path.startswith(".") or kind == "import-rule" or aliased:
        near = _nearest(path, aliased or os.path.join(os.path.dirname(importer), path), reading)
        hint = f"did you mean `{near}`?" if near else ""
        if aliased and not near:
            hint = f"`{path}` stands for `{reading.shown(aliased)}`"
        return Diagnostic("missing-reference", "error", f"`{path}` does not exist", None, hint)
    inside = packaged or path
    package = "/".join(inside.split("/")[: 2 if inside.startswith("@") else 1])
    if _is_installed(package, os.path.dirname(importer), reading, shop.project.folder):
        message, hint = f"package `{package}` has no `{inside}`", "look up what its `exports` name"
    else:
        message = f"package `{package}` is not installed"
        install = to_install(package, shop.project.folder, reading.library.disk)
        hint = f"{install}, or name it in `external` under `[js]`"
    return Diagnostic("missing-package", "error", message, None, hint)


def _nearest(path: str, file: str, reading: Reading) -> str | None:
    """Return what would be written for the file whose name is nearest, None if no file is clearly meant.

    file: what `path` means.
    """
    above, _, name = path.rpartition("/")
    try:
        names = [found.name for found in reading.library.disk.scan(os.path.dirname(file))]
    except OSError:
        return None  # a folder that cannot be listed has no advice to give
    near = nearest(name, names + [posixpath.splitext(name)[0] for name in names])
    return f"{above}/{near}" if near and above else near


def _is_installed(package: str, folder: str, reading: Reading, project: str) -> bool:
    described = os.path.join("node_modules", package, "package.json")
    while not reading.exists(os.path.join(folder, described)):
        if folder in (project, os.path.dirname(folder)):
            return False
        folder = os.path.dirname(folder)
    return True

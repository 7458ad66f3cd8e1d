"""What a bare specifier means to a script that no bundler reads: the file of a package that a browser may load.

Receives specifiers and a `Reading`; hands on files, or why there is none. Only scripts under `[js] importmap` ask: a
browser knows bare names from an import map alone. Sources: Node.js documentation, "Modules: ECMAScript modules"
(PACKAGE_RESOLVE); the conditions that it lists for browsers ("Community conditions definitions").
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from assetbuild.compiler.files import Reading
from assetbuild.compiler.packages import (
    Bare,
    Package,
    Packages,
    Target,
    Unreadable,
    Unresolved,
    resolve_exports,
    resolve_imports,
    split_specifier,
)

__all__ = ["is_builtin", "module_file"]

_CONDITIONS = frozenset({"browser", "import"})
# What packages without `exports` name, modules before scripts.
_FIELDS = ("module", "browser", "main")

# Node.js 22, `module.builtinModules` without those that begin with an underscore.
_BUILTINS = (
    "assert|async_hooks|buffer|child_process|cluster|console|constants|crypto|dgram|"
    "diagnostics_channel|dns|domain|events|fs|http|http2|https|inspector|module|net|os|path|"
    "perf_hooks|process|punycode|querystring|readline|repl|stream|string_decoder|sys|timers|"
    "tls|trace_events|tty|url|util|v8|vm|wasi|worker_threads|zlib"
)


def is_builtin(specifier: str) -> bool:
    """Return whether the specifier is one that only Node knows: `node:fs`, or `fs/promises` where no package is."""
    return specifier.startswith("node:") or specifier.partition("/")[0] in _BUILTINS.split("|")


def module_file(specifier: str, importer: str, reading: Reading, packages: Packages) -> str | Unresolved:
    """Return the existing file that `specifier` means in the file `importer`."""
    target: Target | Unreadable | None
    if specifier.startswith("#"):
        own = _own_package(importer, reading, packages)
        target = resolve_imports(own, specifier, _CONDITIONS) if isinstance(own, Package) else own
        if target is None:
            return Unresolved(f"`{specifier}` is private to a package, and this file is in none")
        if isinstance(target, Bare):
            return module_file(target.specifier, importer, reading, packages)
    else:
        target = _in_package(specifier, importer, reading, packages)
    if isinstance(target, Unreadable):
        return Unresolved(f"cannot read `{reading.shown(target.file)}`: {target.why}")
    if isinstance(target, str) and not reading.exists(target):
        return Unresolved(f"`{specifier}` leads to `{reading.shown(target)}`, which does not exist")
    return target


def _in_package(specifier: str, importer: str, reading: Reading, packages: Packages) -> str | Unresolved | Unreadable:
    name, subpath = split_specifier(specifier)
    if not name:
        return Unresolved(f"`{specifier}` names no package")
    package = packages.find(name, os.path.dirname(importer), reading)
    if package is None:
        return Unresolved(f"package `{name}` is not installed")
    if isinstance(package, Unreadable):
        return package
    target = resolve_exports(package, subpath, _CONDITIONS)
    if isinstance(target, str | Unresolved):
        return target
    found = reading.first([*_candidates(package, subpath)])
    return found or Unresolved(f"package `{name}` has no `{specifier}`")


def _candidates(package: Package, subpath: str) -> Iterator[str]:
    """Yield the files that may be meant where `exports` says nothing. Source: Node.js, LOAD_AS_FILE, LEGACY_MAIN."""
    named = (
        [subpath] if subpath else [value for field in _FIELDS if isinstance(value := package.fields.get(field), str)]
    )
    for path in [*named, *([] if subpath else ["index"])]:
        file = os.path.normpath(os.path.join(package.folder, path))
        if file.startswith(os.path.join(package.folder, "")):
            yield from (file, file + ".js", file + ".mjs", os.path.join(file, "index.js"))


def _own_package(importer: str, reading: Reading, packages: Packages) -> Package | Unreadable | None:
    """Return the package of `node_modules` that the file `importer` is part of."""
    above, mark, inside = importer.replace(os.sep, "/").rpartition("/node_modules/")
    name = split_specifier(inside)[0] if mark else ""
    return packages.find(name, above, reading) if name else None

"""The sections of the configuration, one function each: a table as written becomes the section's values."""

from __future__ import annotations

import os
from collections.abc import Mapping

from assetbuild.compiler.config import checks
from assetbuild.compiler.config.schema import Table
from assetbuild.compiler.project import Compress, Css, Js, MapMode, Sass, Svg, Templates, Tools, Urls
from assetbuild.home import compile_cache

__all__ = [
    "budgets",
    "cache",
    "compress",
    "css",
    "js",
    "missing",
    "sass",
    "secrets",
    "sourcemaps",
    "svg",
    "templates",
    "tools",
    "urls",
    "webassets",
]

TOOLS = ("esbuild", "dart-sass")


def sass(table: Table, folder: str, *, is_auto: bool) -> Sass:
    """Return `[sass]`; load paths become absolute. Which deprecation ids exist is the compiler's to say.

    is_auto: the default of `auto`, off where bundles say what is compiled.
    """
    defaults = Sass(auto=is_auto)
    found = Sass(
        engine=table.choice("engine", ("dart-sass", "libsass"), defaults.engine),
        auto=table.flag("auto", defaults.auto),
        load_paths=_absolute(folder, table.texts("load_paths", checks.folder)),
        silence=table.texts("silence"),
        fatal=table.texts("fatal"),
    )
    table.close()
    return found


def css(table: Table) -> Css:
    """Return `[css]`."""
    defaults = Css()
    found = Css(
        engine=table.choice("engine", ("builtin", "esbuild"), defaults.engine),
        minify=table.flag("minify", defaults.minify),
        targets=table.texts("targets", checks.target),
    )
    if found.targets and table.values.get("engine", defaults.engine) == "builtin":
        problem = 'needs `engine = "esbuild"`: the built-in bundler lowers nothing'
        table.fault("targets", problem, "targets", at_key=True)
    table.close()
    return found


def js(table: Table) -> Js:
    """Return `[js]`."""
    defaults = Js()
    found = Js(
        minify=table.flag("minify", defaults.minify),
        targets=table.texts("targets", checks.target),
        define=table.table("define").mapping(checks.identifier),
        external=table.texts("external"),
        splitting=table.flag("splitting", defaults.splitting),
        format=table.choice("format", ("esm", "iife"), defaults.format),
        jsx=table.choice("jsx", ("transform", "automatic", "preserve"), defaults.jsx),
        jsx_import_source=table.text("jsx_import_source", defaults.jsx_import_source),
        importmap=table.flag("importmap", defaults.importmap),
    )
    table.close()
    return found


def urls(table: Table) -> Urls:
    """Return `[urls]`."""
    found = Urls(
        aliases=table.table("aliases").mapping(checks.alias, checks.folder),
        public=table.text("public", "", checks.public, checks.meant_base),
        mounts=table.table("mounts").mapping(checks.logical_path, checks.logical_path),
    )
    table.close()
    return found


def missing(table: Table) -> tuple[str, ...]:
    """Return `[missing] allow`."""
    allow = table.texts("allow", checks.glob)
    table.close()
    return allow


def secrets(table: Table) -> tuple[str, ...]:
    """Return `[secrets] allow`."""
    allow = table.texts("allow", checks.glob)
    table.close()
    return allow


def sourcemaps(table: Table) -> MapMode:
    """Return `[sourcemaps] mode`."""
    mode: MapMode = table.choice("mode", ("none", "public", "hidden"), "none")
    table.close()
    return mode


def svg(table: Table) -> Svg:
    """Return `[svg]`."""
    defaults = Svg()
    found = Svg(table.flag("sanitize", defaults.sanitize), table.texts("allow", checks.glob))
    table.close()
    return found


def compress(table: Table) -> Compress:
    """Return `[compress]`."""
    defaults = Compress()
    found = Compress(
        gzip=table.flag("gzip", defaults.gzip),
        br=table.flag("br", defaults.br),
        zstd=table.flag("zstd", defaults.zstd),
        min_gain=table.number("min_gain", defaults.min_gain, 0, 1),
    )
    table.close(["dictionaries"])
    return found


def budgets(table: Table) -> Mapping[str, int]:
    """Return `[budgets]` in bytes."""
    texts = table.mapping(checks.logical_path, checks.size)
    return {logical: checks.size_bytes(text) for logical, text in texts.items()}


def tools(table: Table, folder: str) -> Tools:
    """Return `[tools]`; a path is relative to the project, and may lie anywhere."""
    paths = {name: table.text(name, "", checks.filled) for name in TOOLS}
    registry = table.text("registry", "", checks.registry)
    table.close()
    return Tools({name: os.path.normpath(os.path.join(folder, path)) for name, path in paths.items() if path}, registry)


def webassets(table: Table) -> str:
    """Return `[webassets] environment`."""
    environment = table.text("environment", "", checks.environment)
    table.close()
    return environment


def cache(table: Table, folder: str, environ: Mapping[str, str]) -> str:
    """Return the folder of the compile cache, "" where it is off: ASSETBUILD_CACHE, else `[cache] local`."""
    chosen = table.text("local", "", checks.cache_folder)
    table.close()
    if not chosen or environ.get("ASSETBUILD_CACHE"):
        return compile_cache(environ)
    return "" if chosen == "off" else os.path.normpath(os.path.join(folder, os.path.expanduser(chosen)))


def templates(table: Table, folder: str) -> Templates:
    """Return `[templates]`."""
    defaults = Templates()
    found = Templates(
        folders=_absolute(folder, table.texts("paths", checks.folder)),
        engine=table.choice("engine", ("jinja", "django"), defaults.engine),
        extensions=table.texts("extensions", checks.dotted),
        is_set=table.has("paths"),
    )
    table.close()
    return found


def _absolute(folder: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(os.path.normpath(os.path.join(folder, path)) for path in paths)

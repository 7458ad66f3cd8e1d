"""The project as configured: plain values, made by `config.py` alone and read by every room.

Holds no services and does no work. Paths are absolute where a field is called `folder` or `file`; everything that
reaches an output is relative. Defaults stand here and nowhere else (docs/reference/configuration.md lists them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from assetbuild.diagnostic import Diagnostic

__all__ = [
    "PACKAGE",
    "TIME_LIMIT_S",
    "Command",
    "Compress",
    "Css",
    "Entry",
    "EntryKind",
    "Js",
    "MapMode",
    "Project",
    "Root",
    "Sass",
    "Svg",
    "Templates",
    "Tools",
    "Urls",
]

EntryKind = Literal["style", "module", "classic", "filters", "script"]
MapMode = Literal["none", "public", "hidden"]
Missing = Literal["error", "warn"]
Profile = Literal["production", "fast"]

PACKAGE = "pkg:"
"""At the head of an input of a command: below a folder of a Python package, whose dotted name follows."""

TIME_LIMIT_S = 60.0
"""How long a command may take if it does not say."""


class Root(NamedTuple):
    """One folder of the load path.

    folder: absolute. shown: as written, relative to the project. mount: the logical folder that it appears under
    (`as = "fa"`), "" for none. include, exclude: globs relative to the folder; an empty `include` means all.
    missing: what a missing reference in its files is. is_minified: its plain CSS and JS are minified too.
    package: name of the Python package that it is the static folder of, "" for none.
    """

    folder: str
    shown: str
    mount: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    missing: Missing = "error"
    is_minified: bool = False
    package: str = ""


class Entry(NamedTuple):
    """A logical path and what it is compiled from, as configured: patterns and globs are not expanded yet.

    logical: may hold `{name}`, one entry per file that `sources[0]` matches.
    kind: `style` one stylesheet; `module` a graph; `script` a bare `.js` string, which becomes a module once its text
    shows `import` or `export`; `classic` scripts joined; `filters` webassets filters, in order.
    filters: names, or `(name, options)`. engine: overrides the section's; "" for the section's own.
    minify: overrides the section's; None for the section's own. place: `entries."js/app.js"`, for messages.
    """

    logical: str
    kind: EntryKind
    sources: tuple[str, ...]
    filters: tuple[tuple[str, Mapping[str, object]], ...] = ()
    engine: str = ""
    minify: bool | None = None
    place: str = ""


class Command(NamedTuple):
    """One of `[[commands]]`: a program of somebody else's, whose outputs are sources for everything after it.

    run: argv; `{output}` stands for the folder that it writes to. inputs: globs over files of the project, of installed
    Python packages (`pkg:`) and of outputs of the commands before it (`{output}/`). outputs: globs over what it writes.
    environment: what it is given beside the closed list. program_sha256: digests of which the program has one, empty
    for any. place: `commands[0]`, for messages.
    """

    run: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    environment: Mapping[str, str] = {}
    program_sha256: tuple[str, ...] = ()
    time_limit_s: float = TIME_LIMIT_S
    place: str = ""


class Sass(NamedTuple):
    """`[sass]`. load_paths: absolute folders. silence, fatal: deprecation ids, as Dart Sass names them."""

    engine: Literal["dart-sass", "libsass"] = "dart-sass"
    auto: bool = True
    load_paths: tuple[str, ...] = ()
    silence: tuple[str, ...] = ()
    fatal: tuple[str, ...] = ()


class Css(NamedTuple):
    """`[css]`. targets: esbuild's names such as `chrome109`; they need `engine = "esbuild"`."""

    engine: Literal["builtin", "esbuild"] = "builtin"
    minify: bool = True
    targets: tuple[str, ...] = ()


class Js(NamedTuple):
    """`[js]`. define: identifier or member expression → JavaScript expression, as esbuild takes it."""

    minify: bool = True
    targets: tuple[str, ...] = ()
    define: Mapping[str, str] = {}
    external: tuple[str, ...] = ()
    splitting: bool = True
    format: Literal["esm", "iife"] = "esm"
    jsx: Literal["transform", "automatic", "preserve"] = "automatic"
    jsx_import_source: str = ""
    importmap: bool = False


class Urls(NamedTuple):
    """`[urls]`. aliases: prefix → folder or package path, as written. public: the URL prefix that logical paths follow
    ("" means the base). mounts: published prefix → logical prefix."""

    aliases: Mapping[str, str] = {}
    public: str = ""
    mounts: Mapping[str, str] = {}


class Svg(NamedTuple):
    """`[svg]`. sanitize: what may run is taken out. allow: globs over files that are left alone."""

    sanitize: bool = False
    allow: tuple[str, ...] = ()


class Compress(NamedTuple):
    """`[compress]`. min_gain: a variant is kept if it is at most `1 - min_gain` of the original."""

    gzip: bool = True
    br: bool = True
    zstd: bool = False
    min_gain: float = 0.05


class Tools(NamedTuple):
    """`[tools]`. paths: tool name → absolute file chosen by setting. registry: URL, "" for the machine's own."""

    paths: Mapping[str, str] = {}
    registry: str = ""


class Templates(NamedTuple):
    """`[templates]`. folders: absolute. is_set: they are configured, if only as none.

    extensions: Jinja's, as an application names them: `package.module.Class`.
    """

    folders: tuple[str, ...] = ()
    engine: Literal["jinja", "django"] = "jinja"
    extensions: tuple[str, ...] = ()
    is_set: bool = False


class Project(NamedTuple):
    """Everything a compile needs to know beside the files themselves.

    folder: absolute, real path. config_shown, config_text: the file that was read and what it says, "" without one.
    output: absolute folder.
    webassets: where bundles are defined, a YAML file or `module:object`, "" for nowhere.
    detected: what zero-configuration found, one line each, for the closing words.
    cache_folder: absolute folder of the compile cache, "" for none.
    jobs: workers at once. warnings: findings of the reader itself. is_strict: a warning fails the compile.
    """

    folder: str
    output: str
    roots: tuple[Root, ...]
    config_shown: str = ""
    config_text: str = ""
    base: str = "/static/"
    exclude: tuple[str, ...] = ()
    keep_names: tuple[str, ...] = ()
    site_root: tuple[str, ...] = ()
    names: str = "{stem}-{hash}{ext}"
    salt: str = ""
    entries: tuple[Entry, ...] = ()
    commands: tuple[Command, ...] = ()
    sass: Sass = Sass()
    css: Css = Css()
    js: Js = Js()
    urls: Urls = Urls()
    missing_allow: tuple[str, ...] = ()
    secrets_allow: tuple[str, ...] = ()
    sourcemaps: MapMode = "none"
    svg: Svg = Svg()
    compress: Compress = Compress()
    budgets: Mapping[str, int] = {}
    tools: Tools = Tools()
    webassets: str = ""
    templates: Templates = Templates()
    detected: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    config_digest_hex: str = ""
    revision: str = ""
    cache_folder: str = ""
    profile: Profile = "production"
    jobs: int = 2
    is_offline: bool = False
    is_frozen: bool = False
    is_strict: bool = False

    @property
    def packages(self) -> tuple[str, ...]:
        """The Python packages that something is taken from, sorted."""
        roots = {root.package for root in self.roots}
        inputs = {each for command in self.commands for each in command.inputs if each.startswith(PACKAGE)}
        return tuple(sorted({*roots, *(each.removeprefix(PACKAGE).partition("/")[0] for each in inputs)} - {""}))

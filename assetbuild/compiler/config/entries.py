"""`[entries]`: what each logical path is compiled from, in its short and long forms.

Receives the table as it is written; hands on `Entry` values whose patterns and globs are not expanded yet. A bare
`.js` string stays a `script`: only its text can tell, and a classic script compiled as a module loses its globals.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import cast

from assetbuild.compiler import globs
from assetbuild.compiler.config import checks
from assetbuild.compiler.config.locate import written
from assetbuild.compiler.config.schema import Table
from assetbuild.compiler.project import Entry, EntryKind

__all__ = ["read_entries"]

_STYLES = (".scss", ".sass", ".css")
_MODULES = (".ts", ".tsx", ".jsx", ".mjs", ".mts")
_SCRIPTS = (".js",)
_FOREIGN = (".coffee", ".less", ".pcss", ".postcss", ".styl", ".stylus", ".svelte", ".vue")
_FORMS = ("module", "classic", "sources")
_ENGINES = {"dart-sass": (".scss", ".sass"), "libsass": (".scss", ".sass"), "builtin": _STYLES, "esbuild": _STYLES}
_PUBLISHED: Mapping[EntryKind, tuple[str, ...]] = {
    "style": (".css",),
    "module": (".js", ".mjs"),
    "script": (".js", ".mjs"),
    "classic": (".js",),
    "filters": (".css", ".js"),
}
_EXTENSIONS = frozenset(extension for extensions in _PUBLISHED.values() for extension in extensions)


def read_entries(table: Table) -> tuple[Entry, ...]:
    """Return the entries in the order in which they are written."""
    found = []
    for logical, value in table.values.items():
        if not table.passes(logical, _logical, logical, at_key=True):
            continue
        if isinstance(value, str):
            entry = _short(table, logical, value)
        elif unquoted := _unquoted(logical, value):
            _refuse_unquoted(table, logical, unquoted)
            continue
        elif isinstance(value, Mapping):
            entry = _long(table.table(logical), logical)
        else:
            table.mistyped("a string or a table", value, logical)
            continue
        if entry is not None and _fits(table, entry):
            found.append(entry)
    return tuple(found)


def _unquoted(name: str, value: object) -> list[str]:
    """Return the names that were meant by keys without quotes: `app.min.css` is `css` in `min` in `app` to TOML."""
    found: list[str] = []
    for key, below in value.items() if isinstance(value, Mapping) else ():
        whole = f"{name}.{key}"
        found += [whole] if f".{key}" in _EXTENSIONS else _unquoted(whole, below)
    return found


def _refuse_unquoted(table: Table, logical: str, names: Sequence[str]) -> None:
    for name in names:
        message = f"the dots of `{name}` part tables where it has no quotes, at {table.document.where(table.path)}"
        path = (*table.path, logical)
        table.document.error("bad-value", message, path, f'put the name into quotes: `"{name}" = …`', at_key=True)


def _logical(text: str) -> str | None:
    problem = checks.logical_path(text.replace("{name}", "name"))
    if problem is None and text.count("{name}") > 1:
        return "has `{name}` twice"
    if problem is None and set(text.replace("{name}", "")) & set("{}*?["):
        return "is no name: the only pattern is one `{name}`"
    return problem


def _short(table: Table, logical: str, source: str) -> Entry | None:
    kind = _kind_of(source)
    if not table.passes(source, checks.file, logical):
        return None
    if kind is None:
        hint = f'`{{ sources = ["{source}"], filters = [] }}` publishes it as it is'
        if posixpath.splitext(source)[1] in _FOREIGN:
            hint = "a program of yours compiles it: name that under `[[commands]]`"
        table.fault(source, "is neither a stylesheet nor a script", logical, hint=hint)
        return None
    return Entry(logical, kind, (source,), place=_place(table, logical))


def _kind_of(source: str) -> EntryKind | None:
    if source.endswith(_STYLES):
        return "style"
    if source.endswith(_MODULES):
        return "module"
    return "script" if source.endswith(_SCRIPTS) else None


def _long(table: Table, logical: str) -> Entry | None:
    before = len(table.document.findings)
    forms = [form for form in _FORMS if table.has(form)]
    filters = _filters(table) if table.has("filters") else None
    engine = table.choice("engine", tuple(_ENGINES), "")
    minify = table.flag("minify", True) if table.has("minify") else None
    module = table.text("module", "", checks.file)
    sources = table.texts("classic", checks.glob) or table.texts("sources", checks.glob)
    table.close()
    if len(table.document.findings) > before:
        return None
    if len(forms) != 1:
        wanted = "exactly one of `module`, `classic` and `sources`"
        table.fault(logical, f"must have {wanted}", at_key=True)
        return None
    if forms[0] == "module":
        sources = (module,)
    if not sources:
        table.fault("[]", "names no source", forms[0])
        return None
    kind = _kind(table, forms[0], sources, logical, filters)
    if kind is None or not _overrides_fit(table, kind, sources, engine, filters):
        return None
    return Entry(logical, kind, sources, filters or (), engine, minify, _place(table))


def _kind(table: Table, form: str, sources: tuple[str, ...], logical: str, filters: object) -> EntryKind | None:
    """Return what `sources` without filters means: one stylesheet, or scripts joined; filters say it themselves."""
    if form != "sources":
        return cast(EntryKind, form)
    if filters is not None:
        return "filters"
    if logical.endswith(".js"):
        return "classic"
    if len(sources) == 1 and (sources[0].endswith(_STYLES) and not globs.is_glob(sources[0].replace("{name}", ""))):
        return "style"
    hint = "name one stylesheet that imports the others, or say how they are joined: `filters = []`"
    table.fault(logical, "has several sources and no `filters`", "sources", hint=hint)
    return None


def _overrides_fit(table: Table, kind: EntryKind, sources: tuple[str, ...], engine: str, filters: object) -> bool:
    if filters is not None and kind != "filters":
        table.fault("filters", "goes with `sources` only", "filters", at_key=True)
        return False
    if engine and kind != "style":
        table.fault(engine, "is an engine for stylesheets, and this entry is none", "engine")
        return False
    if engine and not sources[0].endswith(_ENGINES[engine]):
        table.fault(engine, f"cannot read `{sources[0]}`", "engine")
        return False
    return True


def _fits(table: Table, entry: Entry) -> bool:
    """Return whether the name and the sources of an entry belong together; else add the fault."""
    extensions = _PUBLISHED[entry.kind]
    if not entry.logical.endswith(extensions):
        wanted = " or ".join(f"`{extension}`" for extension in extensions)
        what = {"style": "a stylesheet", "filters": "filters"}.get(entry.kind, "scripts")
        extension = posixpath.splitext(entry.logical)[1]
        hint = f"did you mean `{entry.logical.removesuffix(extension)}{extensions[0]}`?" if extension else ""
        problem = f"is compiled from {what}, so its name must end in {wanted}"
        table.fault(entry.logical, problem, entry.logical, hint=hint, at_key=True)
        return False
    if ("{name}" in entry.logical) != ("{name}" in entry.sources[0]) or entry.sources[0].count("{name}") > 1:
        table.fault(entry.logical, "needs `{name}` once on both sides", entry.logical, at_key=True)
        return False
    return True


def _filters(table: Table) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Return the filters: a name, or a table of one name with its options."""
    found: list[tuple[str, Mapping[str, object]]] = []
    for number, item in enumerate(table.items("filters")):
        if isinstance(item, str):
            found.append((item, {}))
        elif isinstance(item, Mapping) and len(item) == 1 and all(isinstance(o, Mapping) for o in item.values()):
            found.extend((str(name), options) for name, options in item.items())
        else:
            table.mistyped("a filter's name or `{ name = { option = … } }`", item, "filters", number)
    return tuple(found)


def _place(table: Table, *steps: str) -> str:
    return written((*table.document.prefix, *table.path, *steps))

"""`--from webassets` and `--from flask-assets`: bundles as entries, and the tags that name them.

Receives bundles as they are written; hands on an `Adopted`. A bundle in a bundle becomes a part of its entry where one
chain of filters says the same, else it is listed: `[webassets] environment` compiles such as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from assetbuild.adopt.adopted import Adopted, Folder, Made, left, to_change
from assetbuild.adopt.bundles import Bundle, Definitions, definitions
from assetbuild.adopt.code import Code
from assetbuild.adopt.frozen import template_section
from assetbuild.compiler.bundles.entries import without_version
from assetbuild.compiler.config.roots import Folders, detect
from assetbuild.compiler.door import Refused
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Project, Templates
from assetbuild.compiler.templates import likely_folders, templates
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk

__all__ = ["adopted"]

_Filters = tuple[tuple[str, Mapping[str, object]], ...]

_HASH = "?" * 8
"""What webassets writes in the place of a version: eight digits of a hash, unless it is told otherwise."""


class _Unfit(Exception):
    """The bundle says more than one entry can."""


class _Flat(NamedTuple):
    """Files and the one chain that they all go through."""

    files: tuple[str, ...]
    filters: _Filters


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration whose entries are the bundles."""
    found = definitions(code, disk)
    if not found.named and not found.findings:
        message = "no bundles are found: nothing calls `register` with a `Bundle`, or loads a YAML file"
        hint = "name the folder that holds the code, or say `assetbuild init` alone"
        raise ConfigError([Diagnostic("no-bundles", "error", message, hint=hint)])
    entries: dict[str, Made] = {}
    findings = list(found.findings)
    for name, bundle in found.named.items():
        made = _entry(name, bundle, found)
        if isinstance(made, Diagnostic):
            findings.append(made)
        elif made:
            entries.setdefault(made.logical, made)
    folders = Folders(code.folder, f"{code.folder}/build/assets", disk)
    roots = tuple(found.folders) or tuple(Folder(root.shown) for root in detect(folders))
    project = Project(code.folder, f"{code.folder}/build/assets", ())
    paths = likely_folders(project, disk)
    findings += _options(found, entries.values())
    findings += _tags(code, paths, found, disk)
    return Adopted(
        f"Read from {', '.join(sorted({bundle.place.path for bundle in found.named.values()})) or 'nothing'}.",
        roots,
        tuple(entries.values()),
        found.base,
        exclude=tuple(sorted(_old_builds(found))),
        sections={"sass": {"auto": False}, **template_section(paths, is_django=False)},
        findings=tuple(findings),
    )


def _entry(name: str, bundle: Bundle, found: Definitions) -> Made | Diagnostic | None:
    """Return the entry of a bundle, None for one without `output` and filters: its files are published as they are."""
    if not bundle.output:
        if not bundle.filters or any(bundle in other.contents for other in found.named.values()):
            return None
        return left(f"bundle `{name}` has filters and no `output`", bundle.place, "write an entry of your own for it")
    logical = without_version(bundle.output)
    try:
        flat = _flat(bundle, found.named, frozenset({name}))
    except _Unfit as error:
        hint = "write one stylesheet or entry that holds all of it, or keep the bundles: `[webassets] environment`"
        return left(f"bundle `{name}` {error}", bundle.place, hint)
    if not logical.endswith((".css", ".js")):
        return left(f"bundle `{name}` makes `{logical}`", bundle.place, "an entry is a `.css` or `.js`: name one")
    return Made(logical, "filters", flat.files, flat.filters, place=bundle.place)


def _flat(bundle: Bundle, named: Mapping[str, Bundle], above: frozenset[str]) -> _Flat:
    """Return a bundle as files and one chain; raise `_Unfit`.

    Filters of an inner bundle run over its files alone, those of the outer one over the whole (webassets,
    "Bundles", on nested bundles): one chain says that if all the files are inside, or if the inner one has none.
    """
    files: list[str] = []
    chains: list[_Filters] = []
    for item in bundle.contents:
        name = item if isinstance(item, str) else ""
        inner = named.get(name) if name else item
        if isinstance(inner, Bundle):
            if name in above:
                raise _Unfit(f"holds itself, through `{name}`")
            flat = _flat(inner, named, above | {name})
            files += flat.files
            chains.append(flat.filters)
        elif name.startswith(("http://", "https://", "//")):
            raise _Unfit(f"holds `{name}`, and a compile reads nothing from the network")
        else:
            files.append(name)
            chains.append(())
    if not files:
        raise _Unfit("is empty")
    first = chains[0]
    if any(chain != first for chain in chains):
        raise _Unfit("holds bundles with filters of their own beside other files")
    for filter_name, _ in (*first, *bundle.filters):
        if not _is_known(filter_name):
            raise _Unfit(f"has the filter `{filter_name}`, which webassets does not bring")
    return _Flat(tuple(dict.fromkeys(files)), (*first, *(one for one in bundle.filters if one not in first)))


def _options(found: Definitions, entries: Iterable[Made]) -> Iterator[Diagnostic]:
    """Yield a finding for each setting that is an option of a filter in use: `LIBSASS_STYLE`."""
    used = sorted({name for entry in entries for name, _ in entry.filters})
    for key, place in found.settings:
        for name in used:
            if key.startswith(f"{name.upper()}_"):
                option = key[len(name) + 1 :].lower()
                hint = f"write {{ {name} = {{ {option} = … }} }} where an entry names the filter"
                yield left(f"`{key}` is an option of the filter `{name}`", place, hint)


def _is_known(name: str) -> bool:
    return name in import_module("webassets.filter")._FILTERS or name == "libsass"


def _old_builds(found: Definitions) -> Iterator[str]:
    """Yield globs for what webassets has left in the roots, wherever it is absent without a word."""
    for bundle in found.named.values():
        if bundle.output:
            yield f"**/{bundle.output.replace('%(version)s', _HASH)}"


def _tags(code: Code, paths: Sequence[str], found: Definitions, disk: Disk) -> Iterator[Diagnostic]:
    """Yield a note for each `{% assets "name" %}`: without `[webassets]` the manifest knows no bundles."""
    absolute = tuple(f"{code.folder}/{path}" for path in paths)
    jinja = import_module("jinja2").Environment()
    for each in templates(Project(code.folder, "", (), templates=Templates(absolute)), disk):
        try:
            text = None if isinstance(each, Diagnostic) else each.text()
        except Refused:
            continue
        if isinstance(each, Diagnostic) or text is None or "assets" not in text:
            continue
        try:
            tokens = list(jinja.lex(text))
        except import_module("jinja2").TemplateSyntaxError:
            continue  # `assetbuild check` says why
        lines = text.splitlines()
        for line, name in _assets_tags(tokens):
            place = Span(each.shown, line, 1, len(lines[line - 1]), lines[line - 1])
            logical = _stands_for(name, found)
            if logical:
                hint = f"write {' '.join(f'{{{{ asset_tag({one!r}) }}}}' for one in logical)} in its place"
                yield to_change(f"`assets {name!r}` is a tag of webassets", place, hint)
            else:
                message = f"the tag `assets` names no bundle that was read{f': `{name}`' if name else ''}"
                yield left(message, place, "name entries in its place")


def _assets_tags(tokens: Sequence[tuple[int, str, str]]) -> Iterator[tuple[int, str]]:
    """Yield line and first name of each `assets` tag, "" for one that defines a bundle or names none."""
    inside: list[tuple[str, str]] = []
    begin = 0
    for line, kind, value in tokens:
        if kind == "block_begin":
            inside, begin = [], line
        elif kind == "block_end":
            if inside and inside[0] == ("name", "assets"):
                strings = [text[1:-1] for kind_, text in inside[1:] if kind_ == "string"]
                is_plain = len(inside) == 2 and len(strings) == 1
                yield begin, strings[0] if is_plain else ""
            inside = []
        elif kind != "whitespace":
            inside.append((kind, value))


def _stands_for(name: str, found: Definitions) -> list[str]:
    """Return the logical paths that a bundle stands for in a page: its output, else its files."""
    bundle = found.named.get(name)
    if bundle is None:
        return []
    if bundle.output:
        return [without_version(bundle.output)]
    parts: list[str] = []
    for item in bundle.contents:
        inner = found.named.get(item) if isinstance(item, str) else item
        if isinstance(inner, Bundle):
            parts += [without_version(inner.output)] if inner.output else []
        else:
            parts.append(str(item))
    return parts

"""`--from pipeline`: the packages of django-pipeline as entries, and the tags that name them.

Receives the settings as they are written; hands on an `Adopted`. Source of each rule: django-pipeline's documentation
of its settings and tags (4.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assetbuild.adopt.adopted import STYLES, Adopted, Made, compiled_elsewhere, joined_styles, left, to_change
from assetbuild.adopt.code import Code
from assetbuild.adopt.django import site
from assetbuild.adopt.django_settings import Settings
from assetbuild.adopt.django_templates import pages
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk

__all__ = ["adopted"]

_SETTING = "PIPELINE"
_TAGS = {"stylesheet": "STYLESHEETS", "javascript": "JAVASCRIPT"}
_SCRIPTS = (".js",)


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration whose entries are the packages."""
    settings = Settings(code, disk)
    place = settings.place(_SETTING)
    options = settings.get(_SETTING, {})
    options = options if isinstance(options, Mapping) else {}
    packages = {group: _packages(options, group) for group in _TAGS.values()}
    entries: list[Made] = []
    findings = list(_beyond(options, packages, place))
    for group, named in packages.items():
        for name, package in named.items():
            made = _entry(name, package, group, place)
            if isinstance(made, Made):
                entries.append(made)
            else:
                findings.append(made)
    own = site(settings)
    findings += _tags(code, packages, entries, own, disk)
    return Adopted(
        own.origin,
        own.roots,
        tuple(entries),
        own.base,
        own.python_packages,
        sections={"sass": {"auto": False}, **own.sections},
        findings=(*own.findings, *findings),
    )


def _packages(options: Mapping[str, Any], group: str) -> dict[str, Mapping[str, Any]]:
    """Return the packages of one kind by name; what is no table names nothing."""
    named = options.get(group)
    return {
        str(name): package if isinstance(package, Mapping) else {}
        for name, package in (named.items() if isinstance(named, Mapping) else ())
    }


def _entry(name: str, package: Mapping[str, Any], group: str, place: Span) -> Made | Diagnostic:
    sources = tuple(map(str, package.get("source_filenames", ())))
    logical = str(package.get("output_filename", "")) if sources else ""
    if not logical:
        return left(f"package `{name}` names no files", place, "write an entry of your own for it")
    known = STYLES if group == "STYLESHEETS" else _SCRIPTS
    foreign = next((source for source in sources if not source.endswith(known)), None)
    if foreign:
        message = f"package `{name}` holds `{foreign}`, which another compiler reads"
        return compiled_elsewhere(message, foreign, place)
    if group == "JAVASCRIPT":
        return Made(logical, "classic", sources, place=place)
    made = joined_styles(logical, sources, place)
    if made is None:
        message = f"package `{name}` joins Sass with other sheets"
        return left(message, place, f"write one stylesheet that loads them in this order, and name it for `{logical}`")
    return made


def _beyond(options: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]], place: Span) -> Iterator[Diagnostic]:
    """Yield findings for what django-pipeline does to texts beside joining and minifying."""
    if packages["JAVASCRIPT"] and not options.get("DISABLE_WRAPPER", False):
        message = "django-pipeline wraps each package of scripts in a function, and here its globals stay global"
        yield left(message, place, "where that matters, write the function into the scripts")
    for package in packages["STYLESHEETS"].values():
        if package.get("variant") == "datauri":
            message = f"`{package.get('output_filename')}` has its pictures inside as `data:`, and here they are files"
            yield left(message, place, "nothing is to be done, unless the number of requests matters")


def _tags(
    code: Code, packages: Mapping[str, Mapping[str, Any]], entries: list[Made], own: Adopted, disk: Disk
) -> Iterator[Diagnostic]:
    made = {entry.logical for entry in entries}
    folders = own.sections.get("templates", {}).get("paths", [])
    for page in pages(code, folders if isinstance(folders, list) else [], disk):
        for token in page.tokens:
            bits = token.contents.split()
            if token.token_type.name != "BLOCK" or len(bits) < 2 or bits[0] not in _TAGS:
                continue
            name = bits[1].strip("\"'")
            package = packages[_TAGS[bits[0]]].get(name, {})
            logical = package.get("output_filename", "")
            if name == bits[1] or logical not in made:
                yield left(f"`{bits[0]} {bits[1]}` names no entry", page.place(token), "name an entry in its place")
                continue
            extra = package.get("extra_context") or {}
            more = "".join(f' {key}="{value}"' for key, value in extra.items() if key != "charset")
            more = more.replace('async="True"', "async=True").replace('defer="True"', "defer=True")
            hint = f'write {{% asset_tag "{logical}"{more} %}}, after {{% load assetbuild %}}'
            yield to_change(f"`{bits[0]}` is a tag of django-pipeline", page.place(token), hint)

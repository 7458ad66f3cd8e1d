"""What is to be written down: the one value that every reader of definitions makes, and that `write` turns into TOML.

Knows the words of our configuration and nothing of the tools that are read. Folders are relative to the project.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from assetbuild.diagnostic import Diagnostic, Span

__all__ = [
    "CSS_MINIFIER",
    "Adopted",
    "Command",
    "Folder",
    "Form",
    "Made",
    "compiled_elsewhere",
    "joined_styles",
    "left",
    "style",
    "to_change",
]

Form = Literal["style", "module", "classic", "filters"]

CSS_MINIFIER = "rcssmin"
"""The filter that stands for whatever minified the sheets of a tool."""

STYLES = (".css", ".scss", ".sass")
"""Languages of stylesheets that an entry compiles."""


_PROGRAMS = {".coffee": "coffee", ".less": "lessc", ".styl": "stylus", ".svelte": "vite", ".vue": "vite"}


class Folder(NamedTuple):
    """A root, as the configuration has it. mount: the logical folder (`as`), "" for none."""

    path: str
    mount: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Made(NamedTuple):
    """An entry. place: where the tool's own definition of it stands, None for what was merely found.

    filters: names, or names with options, for the form `filters` alone; "" as engine is that of the section.
    """

    logical: str
    form: Form
    sources: tuple[str, ...]
    filters: tuple[tuple[str, Mapping[str, object]], ...] = ()
    engine: str = ""
    place: Span | None = None


class Command(NamedTuple):
    """Another tool as a job, as `[[commands]]` has it. place: where its call stands now."""

    run: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    place: Span


@dataclass(frozen=True, slots=True)
class Adopted:
    """A configuration, and what is left to do by hand.

    origin: what was read, for the first comment. base: "" for the default. sections: table → key → value, in the order
    in which they are written. findings: what could not be translated (warnings), what is to be changed (notes).
    """

    origin: str
    roots: tuple[Folder, ...]
    entries: tuple[Made, ...] = ()
    base: str = ""
    python_packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    keep_names: tuple[str, ...] = ()
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    findings: tuple[Diagnostic, ...] = ()


def style(logical: str, source: str, place: Span | None, engine: str = "") -> Made:
    """Return the entry of one stylesheet."""
    return Made(logical, "style", (source,), engine=engine, place=place)


def joined_styles(logical: str, sources: tuple[str, ...], place: Span) -> Made | None:
    """Return the entry of sheets that a tool joins in this order; None if Sass is among several."""
    if all(source.endswith(".css") for source in sources):
        return Made(logical, "filters", sources, ((CSS_MINIFIER, {}),), place=place)
    if len(sources) == 1 and sources[0].endswith(STYLES):
        return style(logical, sources[0], place)
    return None


def left(message: str, place: Span | None, hint: str) -> Diagnostic:
    """Return the finding for what could not be translated."""
    return Diagnostic("not-translated", "warning", message, place, hint)


def compiled_elsewhere(message: str, source: str, place: Span | None) -> Diagnostic:
    """Return the finding for a source in a language that no engine reads, with what makes a job of its compiler."""
    program = _PROGRAMS.get(posixpath.splitext(source)[1])
    named = f"`{program}`" if program else "its compiler"
    return left(message, place, f"name {named} under `[[commands]]`: what it makes is a source like any other")


def to_change(message: str, place: Span, hint: str) -> Diagnostic:
    """Return the finding for what stays as it is until somebody changes it, such as the tags of a template."""
    return Diagnostic("to-change", "note", message, place, hint)

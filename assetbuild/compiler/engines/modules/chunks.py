"""The outputs of a module graph become drafts: chunks get names of ours, and references between outputs become `Ref`s.

Receives what esbuild built and its metafile; hands on drafts in the order of their logical paths. Names come from the
inputs of a chunk and never from its contents, so that an edit inside a file does not rename anything here.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assetbuild.compiler.engines.esbuild import Built
from assetbuild.compiler.engines.js.link import Edit, edited
from assetbuild.compiler.engines.modules.marks import Marks
from assetbuild.compiler.engines.modules.traces import Tracer
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Facts, Ref, Source

__all__ = ["CHUNKS", "Layout", "drafts", "layout", "used_in"]

CHUNKS = "js/chunks/"
"""Logical folder of chunks, whatever the entries are called."""


class Layout(NamedTuple):
    """Which output is what. logicals: output path → logical path. entries: output path of an entry → its source."""

    logicals: Mapping[str, str]
    entries: Mapping[str, Source]


def layout(
    built: Built, folder: str, entries: Mapping[str, tuple[str, Source]], workers: Container[str], suffix: str
) -> Layout:
    """Return the names of all outputs that are kept.

    folder: of the outputs, relative to the project. entries: output name without extension → logical path and source.
    workers: logical paths among them that the graph asked for, and no configuration.
    suffix: keeps the chunks of a second build of the same project apart.
    A stylesheet of a chunk is not kept: esbuild has put its rules into the stylesheet of each entry that can load it,
    and nothing would fetch it.
    """
    logicals: dict[str, str] = {}
    sources: dict[str, Source] = {}
    chunks: list[str] = []
    for output in built.outputs:
        name, ext = posixpath.splitext(posixpath.relpath(output.path, folder))
        if name in entries:
            logical, source = entries[name]
            logicals[output.path] = logical if ext == ".js" else posixpath.splitext(logical)[0] + ext
            if ext == ".js" and logical not in workers:
                sources[output.path] = source
        elif ext == ".js":
            chunks.append(output.path)
    described = _outputs(built)
    stems = {path: _stem(described[path]) for path in chunks}
    shared = Counter(stems.values())
    for path, stem in stems.items():
        # A name that two chunks would have is told apart by what each is made of.
        name = stem if stem and shared[stem] == 1 else f"{stem or 'shared'}-{_digest(described[path])}"
        logicals[path] = f"{CHUNKS}{name}{suffix}.js"
    return Layout(logicals, sources)


def drafts(  # noqa: PLR0917 - what one build was asked and what it answered
    built: Built, names: Layout, folder: str, public: str, marks: Marks, tracer: Tracer | None, *, is_classic: bool
) -> list[Draft]:
    """Return the drafts. public: the mark that esbuild was given as the public path of its outputs."""
    described = _outputs(built)
    maps = {output.path: output.content for output in built.outputs if output.path.endswith(".map")}
    made = []
    for output in built.outputs:
        logical = names.logicals.get(output.path)
        if logical is None:
            continue
        text = output.content.decode()
        edits = list(_linked(text, described[output.path]["imports"], names, f"{public}/", folder, marks))
        pieces = marks.cut(edited(text, edits))
        facts = _facts(output.path, described, names, is_classic=is_classic)
        map_text = maps.get(output.path + ".map")
        trace = tracer.trace(output.path, map_text.decode(), text, edits, pieces) if tracer and map_text else None
        made.append(Draft(logical, media_type(logical), pieces, facts, trace=trace))
    return sorted(made, key=lambda draft: draft.logical)


def _linked(  # noqa: PLR0917 - private, and called once
    text: str, imports: Iterable[Mapping[str, Any]], names: Layout, public: str, folder: str, marks: Marks
) -> Iterator[Edit]:
    """Yield the edits that put a mark where `text` names another output of the graph."""
    for path in sorted({imported["path"] for imported in imports} & names.logicals.keys()):
        written = public + posixpath.relpath(path, folder)
        mark = marks.mark(Ref(names.logicals[path], "module"))
        at = text.find(written)
        while at >= 0:
            yield Edit(at, at + len(written), mark)
            at = text.find(written, at + len(written))


def _facts(path: str, described: Mapping[str, Any], names: Layout, *, is_classic: bool) -> Facts:
    if path.endswith(".css"):
        return Facts("style")
    output = described[path]
    source = names.entries.get(path)
    css = names.logicals.get(output.get("cssBundle", "")) if source else None
    return Facts(
        kind="classic" if is_classic else "module",
        is_entry=source is not None,
        source=source.shown if source else "",
        imports=_targets(output, "import-statement", names),
        dynamic=_targets(output, "dynamic-import", names),
        css=(css,) if css else (),
    )


def _targets(output: Mapping[str, Any], kind: str, names: Layout) -> tuple[str, ...]:
    found = {names.logicals[i["path"]] for i in output["imports"] if i["kind"] == kind and i["path"] in names.logicals}
    return tuple(sorted(found))


def used_in(built: Built, folder: str) -> frozenset[str]:
    """Return the files of which bytes are in an output: a bundler leaves out what nothing asks for.

    folder: the project, to which the paths of the metafile are relative.
    """
    parts = (part for output in _outputs(built).values() for part in output["inputs"].items())
    return frozenset(os.path.normpath(os.path.join(folder, path)) for path, part in parts if part["bytesInOutput"])


def _outputs(built: Built) -> Mapping[str, Any]:
    outputs: Mapping[str, Any] = built.metafile["outputs"]  # type: ignore[assignment]
    return outputs


def _stem(output: Mapping[str, Any]) -> str:
    """Return the name of the file that a chunk was split off for, "" for a chunk that several share."""
    entry_point: str = output.get("entryPoint", "")
    return posixpath.splitext(posixpath.basename(entry_point))[0]


def _digest(output: Mapping[str, Any]) -> str:
    made_of: Sequence[str] = [output["entryPoint"]] if "entryPoint" in output else sorted(output["inputs"])
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:8]

"""What a module graph depends on beside the files that went through the hooks: descriptions and absent candidates.

Receives the metafile; hands on nothing, but tells the job's record. esbuild reads `package.json`, `tsconfig.json` and
`jsconfig.json` by itself, and a file that appears tomorrow may win a look-up that another file won today.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from assetbuild.compiler import door
from assetbuild.compiler.engines.esbuild import Built
from assetbuild.compiler.files import Outside, Reading

__all__ = ["extends_of", "may_describe", "record"]

# esbuild's documentation, "Resolve extensions": tried in this order, after the name as it is written.
_EXTENSIONS = (".tsx", ".ts", ".jsx", ".js", ".css", ".json")
_DESCRIPTIONS = ("package.json", "tsconfig.json", "jsconfig.json")


def record(built: Built, reading: Reading, folder: str, spellings: Mapping[str, Sequence[str]]) -> None:
    """Record in `reading` what decided the graph of `built`. folder: the project; metafile paths are relative to it.

    spellings: specifier → what was looked for in its place, in order.
    """
    inputs = cast(Mapping[str, Any], built.metafile.get("inputs", {}))
    files = [os.path.normpath(os.path.join(folder, path)) for path in inputs if ":" not in path]
    for directory in sorted({above for file in files for above in _folders(os.path.dirname(file), folder)}):
        for name in _DESCRIPTIONS:
            if name == "package.json" or "/node_modules/" not in directory + "/":
                _description(os.path.join(directory, name), reading, set())
    for path, described in inputs.items():
        importer = os.path.dirname(os.path.join(folder, path))
        for imported in described["imports"]:
            if "original" in imported and not imported.get("external") and ":" not in imported["path"]:
                target = os.path.normpath(os.path.join(folder, imported["path"]))
                for written in spellings.get(imported["original"], (imported["original"],)):
                    for candidate in _candidates(importer, written, target, folder):
                        reading.exists(candidate)


def _folders(directory: str, folder: str) -> Iterator[str]:
    """Yield `directory` and the folders above it, up to the project."""
    while directory.startswith(folder + os.sep):
        yield directory
        directory = os.path.dirname(directory)
    yield folder


def _candidates(importer: str, written: str, target: str, folder: str) -> Iterator[str]:
    """Yield the files that would have won before `target`, as esbuild looks for them (Node's `require` algorithm)."""
    if not written.startswith((".", os.sep)):
        name = "/".join(written.split("/")[: 2 if written.startswith("@") else 1])
        for above in _folders(importer, folder):
            package = os.path.join(above, "node_modules", name)
            if target.startswith(package + os.sep):
                return
            yield os.path.join(package, "package.json")
        return
    bare = os.path.normpath(os.path.join(importer, written))
    for place in _places(bare):
        if place == target:
            return
        yield place


def _places(bare: str) -> Iterator[str]:
    yield bare
    yield from (bare + ext for ext in _EXTENSIONS)
    yield os.path.join(bare, "package.json")
    yield from (os.path.join(bare, "index" + ext) for ext in _EXTENSIONS)


def may_describe(file: str, reading: Reading) -> bool:
    """Return whether a description may decide anything: it lies in a declared folder or in the project's own."""
    try:
        reading.library.confine(file)
    except Outside:
        return os.path.realpath(file).startswith(os.path.join(reading.library.folder, ""))
    return True


def _description(file: str, reading: Reading, seen: set[str]) -> None:
    """Record a description, and what a TypeScript configuration extends."""
    if file in seen or not may_describe(file, reading):
        return
    seen.add(file)
    # Not asked of `reading`, for which the project's own folder is no source: but here it is what decides.
    disk = reading.library.disk
    if not disk.is_file(file):
        reading.note_absent(file)
        return
    body = disk.read(file)
    reading.note(file, hashlib.sha256(body).hexdigest())
    try:
        text = door.admit(body, reading.shown(file))
    except door.Refused:
        return  # esbuild has read it, or refused it, in its own words
    if posixpath.basename(file) == "package.json":
        return
    for base in extends_of(text):
        if base.startswith("."):
            place = os.path.normpath(os.path.join(os.path.dirname(file), base))
            _description(place if place.endswith(".json") else place + ".json", reading, seen)


# TypeScript reads its configuration as JSON with comments and trailing commas.
_LOOSE = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*[\s\S]*?\*/|,(?=\s*[}\]])')


def extends_of(text: str) -> list[str]:
    """Return what a TypeScript configuration is based on, as it is written."""
    try:
        described = json.loads(_LOOSE.sub(lambda found: found[1] or "", text))
    except ValueError:
        return []
    extends = described.get("extends", []) if isinstance(described, dict) else []
    return [base for base in ([extends] if isinstance(extends, str) else extends) if isinstance(base, str)]

"""What a build left: files and bytes, how small its texts compress, and whether its references lead anywhere."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import tinycss2

__all__ = ["Output", "look_at"]

_VARIANTS = (".gz", ".br", ".zst")
_TEXTS = (".css", ".js")


class Output(NamedTuple):
    """files, size: without variants. texts_gzip: stylesheets and scripts at gzip's best level, one by one.

    resolved, broken: references in stylesheets that lead to a file of the output, or to none.
    """

    files: int
    size: int
    variants: int
    texts_gzip: int
    resolved: int
    broken: int


def look_at(folder: Path, public: str) -> Output:
    """Return what lies in `folder`, whose URLs begin with `public`."""
    files = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    plain = [file for file in files if file.suffix not in _VARIANTS]
    size = compressed = 0
    leads = []
    for file in plain:
        size += file.stat().st_size
        if file.suffix in _TEXTS:
            body = file.read_bytes()
            compressed += len(gzip.compress(body, 9, mtime=0))
            if file.suffix == ".css":
                leads += [_target(folder, file, url, public).is_file() for url in _references(body.decode())]
    return Output(len(plain), size, len(files) - len(plain), compressed, leads.count(True), leads.count(False))


def _target(folder: Path, sheet: Path, url: str, public: str) -> Path:
    path = unquote(urlsplit(url).path)
    if path.startswith("/"):
        return folder / path.removeprefix(public).removeprefix("/")
    return sheet.parent / path


def _references(text: str) -> Iterator[str]:
    """Yield the URLs of a sheet that name files of the same site."""
    for url in _urls(tinycss2.parse_component_value_list(text)):
        parts = urlsplit(url)
        if not parts.scheme and not parts.netloc and parts.path:
            yield url


def _urls(nodes: Iterable[tinycss2.ast.Node]) -> Iterator[str]:
    is_import = False
    for node in nodes:
        if node.type == "url" or (node.type == "string" and is_import):
            yield node.value
        elif node.type == "function" and node.lower_name == "url":
            yield from (each.value for each in node.arguments if each.type == "string")
        elif node.type == "function":
            yield from _urls(node.arguments)
        elif node.type.endswith(" block"):
            yield from _urls(node.content)
        if node.type not in ("whitespace", "comment"):
            is_import = node.type == "at-keyword" and node.lower_value == "import"

"""Projects that another tool builds first: what it published, what we publish, and whether they mean the same.

Texts are compared without what two good tools may do differently: names with hashes become logical paths, and both
sides go through one minifier, esbuild's.
"""

from __future__ import annotations

import json
import os
import posixpath
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import tinycss2

from assetbuild.cli import main
from assetbuild.compiler.tools import Program

__all__ = ["Published", "adopt", "meaning", "ours", "python", "run", "warnings_of"]


class Published(NamedTuple):
    """What a tool published. files: logical path → bytes. urls: path below the base, as it is published → logical."""

    files: Mapping[str, bytes]
    urls: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, named: Mapping[str, str]) -> Published:
        """Return the files of `folder` that `named` lists: logical path → published path."""
        files = {logical: (folder / path).read_bytes() for logical, path in named.items()}
        return cls(files, {path: logical for logical, path in named.items()})


def run(folder: Path, *command: str, **environ: str) -> str:
    """Run a command of the tool in its project, without our settings; its output is part of a failure's message."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def python(folder: Path, *arguments: str) -> str:
    """Run a Python script of the project."""
    return run(folder, sys.executable, "-B", *arguments, PYTHONPATH=os.pathsep.join([str(folder), *sys.path]))


def adopt(folder: Path, tool: str) -> None:
    """Move in, and compile strictly: the old files are all as they were."""
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and not file.is_symlink()}

    assert 0 == main(["init", "--from", tool, str(folder)])

    changed = [file for file, body in before.items() if file.read_bytes() != body]
    assert [] == changed
    assert 0 == main(["compile", "--profile", "fast", str(folder)])


def ours(folder: Path) -> Published:
    """Return what we published."""
    output = folder / "build/assets"
    manifest = json.loads((output / "manifest.json").read_text())
    return Published.of(output, {logical: each["file"] for logical, each in manifest["assets"].items()})


def meaning(published: Published, logical: str, esbuild: Program, base: str = "/static/") -> str:
    """Return a stylesheet or script of `published` as esbuild writes it, its references as logical paths."""
    text = published.files[logical].decode()
    at = next(path for path, name in published.urls.items() if name == logical)
    if logical.endswith(".css"):
        text = _relinked(text, lambda url: _logical(url, at, published.urls, base))
        return _minified(text, ("--loader=css", "--minify"), esbuild)
    return _minified(text, ("--loader=js", "--minify"), esbuild)


def warnings_of(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Return message and place of each warning that was printed."""
    lines = capsys.readouterr().err.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("warning: ")]
    return [(lines[n].removeprefix("warning: ").rpartition(" [")[0], lines[n + 1].strip()) for n in heads]


def _logical(url: str, at: str, urls: Mapping[str, str], base: str) -> str:
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or not parts.path:
        return url
    path = posixpath.normpath(posixpath.join(base, posixpath.dirname(at), parts.path))
    inside = path.removeprefix(base)
    suffix = f"#{parts.fragment}" if parts.fragment else ""
    return "logical:" + urls.get(inside, f"nobody/{inside}") + suffix


def _relinked(text: str, mapped: Callable[[str], str]) -> str:
    """Return a stylesheet with each URL in the place of the one that it was mapped to, comments gone."""

    def walk(nodes: Sequence[tinycss2.ast.Node]) -> None:
        for node in nodes:
            if node.type == "url":
                node.representation = f'url("{mapped(node.value)}")'
            elif node.type == "function" and node.lower_name == "url":
                for argument in node.arguments:
                    if argument.type == "string":
                        argument.representation = f'"{mapped(argument.value)}"'
            elif node.type in ("qualified-rule", "at-rule"):
                is_import = node.type == "at-rule" and node.lower_at_keyword == "import"
                for string in (each for each in node.prelude if is_import and each.type == "string"):
                    string.representation = f'"{mapped(string.value)}"'
                walk(node.prelude)
                walk(node.content or ())
            elif hasattr(node, "content"):
                walk(node.content)
            elif hasattr(node, "arguments"):
                walk(node.arguments)

    rules = tinycss2.parse_stylesheet(text, skip_comments=True)
    walk(rules)
    return str(tinycss2.serialize(rules))


def _minified(text: str, flags: Sequence[str], esbuild: Program) -> str:
    done = subprocess.run([*esbuild.argv, *flags], input=text, capture_output=True, text=True, check=True)
    return done.stdout.replace("\n", "")

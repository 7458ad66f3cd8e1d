"""The project's Python, read and never run: which modules there are, and their syntax trees.

Receives a folder; hands on modules by their dotted names. What does not parse is nobody's definition.
"""

from __future__ import annotations

import ast
import functools
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from assetbuild.diagnostic import Span
from assetbuild.disk import Disk

__all__ = ["Code", "Module"]

_NEVER = {"node_modules", "__pycache__", "site-packages", "build", "dist"}


@dataclass(frozen=True, eq=False)
class Module:
    """One file. shown: relative to the project. imports: a name in it → the dotted name that it stands for.

    stars: modules of which everything is imported, dotted.
    """

    shown: str
    file: str
    text: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()

    @functools.cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    def place(self, node: ast.AST) -> Span:
        """Return where `node` stands."""
        number, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        line = self._lines[number - 1] if 0 < number <= len(self._lines) else ""
        # The tree counts bytes of UTF-8, people count characters.
        start = len(line.encode()[:column].decode(errors="replace"))
        is_whole = getattr(node, "end_lineno", number) == number
        end = len(line.encode()[: getattr(node, "end_col_offset", 0)].decode(errors="replace")) if is_whole else 0
        return Span(self.shown, number, start + 1, max(1, (end or len(line.rstrip())) - start), line)


class Code:
    """Every Python file below `folder`, environments and what was built or installed left out; read when asked for."""

    def __init__(self, folder: str, disk: Disk) -> None:
        self.folder = folder
        self._disk = disk
        self._modules: dict[str, Module | None] = {}

    @functools.cached_property
    def files(self) -> tuple[str, ...]:
        """Return the files of Python, relative to the project, sorted."""
        return self.ending(".py")

    def ending(self, *suffixes: str) -> tuple[str, ...]:
        """Return the files of any language whose names end so, relative to the project, sorted."""
        return tuple(sorted(self._below("", suffixes)))

    def _below(self, above: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        entries = self._disk.scan(os.path.join(self.folder, above))
        if any(entry.name == "pyvenv.cfg" for entry in entries):  # the mark of an environment (PEP 405)
            return
        for entry in entries:
            shown = f"{above}/{entry.name}" if above else entry.name
            if entry.kind == "folder" and not entry.name.startswith(".") and entry.name not in _NEVER:
                yield from self._below(shown, suffixes)
            elif entry.kind == "file" and entry.name.endswith(suffixes):
                yield shown

    @functools.cached_property
    def tops(self) -> tuple[str, ...]:
        """Return the folders that modules are imported from: those of `manage.py`, the project's own, `src`."""
        managed = [os.path.dirname(file) for file in self.files if os.path.basename(file) == "manage.py"]
        return tuple(dict.fromkeys([*managed, "", "src"]))

    def naming(self, *words: str) -> Iterator[Module]:
        """Yield the modules whose text holds one of `words`."""
        sought = [word.encode() for word in words]
        for shown in self.files:
            body = self._disk.read(os.path.join(self.folder, shown))
            if any(word in body for word in sought) and (module := self.at(shown)) is not None:
                yield module

    def at(self, shown: str) -> Module | None:
        """Return the module in a file, None if there is none or it is no Python of this version."""
        if shown not in self._modules:
            self._modules[shown] = self._read(shown)
        return self._modules[shown]

    def named(self, dotted: str) -> Module | None:
        """Return the module with a dotted name, None if it is not in the project."""
        path = dotted.replace(".", "/")
        for top in self.tops:
            for tail in (f"{path}.py", f"{path}/__init__.py"):
                shown = f"{top}/{tail}" if top else tail
                if shown in self.files:
                    return self.at(shown)
        return None

    def folder_of(self, dotted: str) -> str | None:
        """Return the folder of a package of the project, relative to it."""
        path = dotted.replace(".", "/")
        shown = (f"{top}/{path}" if top else path for top in self.tops)
        return next((one for one in shown if self._disk.is_folder(os.path.join(self.folder, one))), None)

    def dotted(self, shown: str) -> str:
        """Return the dotted name of the module in a file, as the innermost folder of `tops` gives it."""
        inside = [top for top in self.tops if not top or shown.startswith(f"{top}/")]
        top = max(inside, key=len, default="")
        return shown[len(top) + 1 if top else 0 :].removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def _read(self, shown: str) -> Module | None:
        file = os.path.join(self.folder, shown)
        if not self._disk.is_file(file):
            return None
        try:
            text = self._disk.read(file).decode("utf-8-sig")
            with warnings.catch_warnings(action="ignore"):  # about the user's code, which is not ours to judge
                tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return None
        module = Module(shown, file, text, tree)
        stars = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    module.imports[alias.asname or name] = name
            elif isinstance(node, ast.ImportFrom):
                base = self._imported_from(node, shown)
                for alias in node.names:
                    if alias.name == "*":
                        stars.append(base)
                    else:
                        module.imports[alias.asname or alias.name] = f"{base}.{alias.name}"
        return Module(shown, file, text, tree, module.imports, tuple(stars))

    def _imported_from(self, node: ast.ImportFrom, shown: str) -> str:
        if not node.level:
            return node.module or ""
        is_package = shown.endswith("/__init__.py")
        parts = self.dotted(shown).split(".")
        above = parts[: len(parts) - node.level + (1 if is_package else 0)]
        return ".".join([*above, *filter(None, [node.module])])

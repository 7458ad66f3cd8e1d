"""Imports point one way, and the reading half costs a web process next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from assetbuild.manifest import dump
from tests.conftest import Tree
from tests.manifests import document, file_entry

PACKAGE = Path(__file__).parents[1] / "assetbuild"

# Low to high: a module imports only lower ranks. A rank is a module or a package with everything
# inside it. "" is the public face.
RANKS = [
    "version",
    "diagnostic",
    "toml",
    "home",
    "download",
    "ending",
    "private",
    "manifest",
    "disk",
    "exchange",
    "noting",
    "installed",
    "surroundings",
    "unchanged",
    "web",
    "",
    "compiler.errors",
    "compiler.sourcemap",
    "compiler.model",
    "compiler.project",
    "compiler.globs",
    "compiler.media",
    "compiler.graph",
    "compiler.survey",
    "compiler.listing",
    "compiler.door",
    "compiler.files",
    "compiler.secrets",
    "compiler.tokens",
    "compiler.importmap",
    "compiler.refs",
    "compiler.packages",
    "compiler.resolve",
    "compiler.worker",
    "compiler.pool",
    "compiler.tools",
    "compiler.config",
    "compiler.cache",
    "compiler.commands",
    "compiler.engines",
    "compiler.templates",
    "compiler.bundles",
    "compiler.overlooked",
    "compiler.plan",
    "compiler.unmatched",
    "compiler.plain",
    "compiler.make",
    "compiler.gather",
    "compiler.seal",
    "compiler.maps",
    "compiler.encode",
    "compiler.budgets",
    "compiler.record",
    "compiler.publish",
    "compiler.account",
    "compiler.opening",
    "compiler.spine",
    "compiler",
    "release",
    "inspect",
    "testing",
    "watch",
    "attest",
    "adopt",
    "cli",
    "__main__",
]

# Halves that lie side by side, and what the serving half may know at all.
STRANGERS = {
    "web": ("disk", "compiler", "release"),
    "": ("disk", "compiler", "release"),
    "compiler": ("", "web", "release"),
    "release": ("web", "compiler"),
}


# An adaptor imports its one framework, and whoever imports the adaptor has it.
ADAPTORS = {
    "inspect.django": {"django"},
    "inspect.jinja": {"jinja2"},
    "testing": {"pytest"},
    "web.django": {"asgiref", "django"},
    "web.flask": {"flask", "jinja2"},
    "web.jinja": {"jinja2", "markupsafe"},
    "web.litestar": {"litestar", "jinja2"},
    "web.pyramid": {"pyramid", "zope"},
    "web.starlette": {"starlette", "jinja2"},
}


class Import(NamedTuple):
    """One import. At the top of a module it runs whenever the module is loaded."""

    module: str
    used: str
    is_at_top: bool


def modules() -> dict[str, Path]:
    """Return every module of the package by its name inside it."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(name: str, file: Path, known: dict[str, Path]) -> Iterator[Import]:
    """Yield every import of a module, wherever it stands."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    at_top = {id(node) for node in tree.body}
    full = f"assetbuild.{name}" if name else "assetbuild"
    package = full if file.name == "__init__.py" else full.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            inside = base.removeprefix("assetbuild").removeprefix(".")
            used = [
                f"{base}.{alias.name}" if is_module(base, inside, alias.name, known) else base for alias in node.names
            ]
        else:
            continue
        yield from (Import(name, each, id(node) in at_top) for each in used)


def is_module(base: str, inside: str, name: str, known: dict[str, Path]) -> bool:
    return base.partition(".")[0] == "assetbuild" and (f"{inside}.{name}" if inside else name) in known


def all_imports() -> list[Import]:
    known = modules()
    return [found for name, file in known.items() for found in imports(name, file, known)]


def own(used: str) -> str | None:
    """Return the name inside the package, None for a module of somebody else."""
    head, _, rest = used.partition(".")
    return rest if head == "assetbuild" else None


def rank(name: str) -> int | None:
    """Return where a module stands, None if nobody gave it a place."""
    fitting = [
        place
        for place, each in enumerate(RANKS)
        if name == each or (each not in {"", "compiler"} and name.startswith(f"{each}."))
    ]
    return max(fitting, key=lambda place: len(RANKS[place]), default=None)


def test_every_module_has_a_rank() -> None:
    assert [] == [name for name in modules() if rank(name) is None]


def test_imports_point_one_way() -> None:
    wrong = []
    for found in all_imports():
        used = own(found.used)
        if used is None:
            continue
        here, there = rank(found.module), rank(used)
        if here is None or there is None or there > here:
            wrong.append(f"{found.module} imports {used}")

    assert [] == wrong


def test_the_halves_do_not_know_each_other() -> None:
    def is_in(name: str, half: str) -> bool:
        return name == half or (half != "" and name.startswith(f"{half}."))

    wrong = [
        f"{found.module} imports {used}"
        for found in all_imports()
        if (used := own(found.used)) is not None
        for half, strangers in STRANGERS.items()
        if is_in(found.module, half) and any(is_in(used, stranger) for stranger in strangers)
    ]

    assert [] == wrong


def test_nothing_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in all_imports():
        used = own(found.used)
        if used is not None and found.is_at_top:
            graph[found.module].add(used)

    TopologicalSorter(graph).prepare()


def frameworks(module: str) -> set[str]:
    return {
        name
        for adaptor, names in ADAPTORS.items()
        if module == adaptor or module.startswith(f"{adaptor}.")
        for name in names
    }


def test_whatever_is_not_in_the_standard_library_is_imported_where_it_is_used() -> None:
    wrong = [
        f"{found.module} imports {found.used}"
        for found in all_imports()
        if found.is_at_top
        and found.used.partition(".")[0] not in {*sys.stdlib_module_names, "assetbuild", *frameworks(found.module)}
    ]

    assert [] == wrong


def loaded_by(script: str, folder: Path) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after `script`, beside those that it always has."""
    probe = f"import sys\nbefore = set(sys.modules)\n{script}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


READ = """
import assetbuild
assets = assetbuild.Assets.open("manifest.json")
assets.url("a.css"), assets["a.css"], assets.tag("a.css", nonce="x"), list(assets), "b" in assets
"""

ITS_OWN = {
    "assetbuild",
    "assetbuild.diagnostic",
    "assetbuild.manifest",
    "assetbuild.manifest.lines",
    "assetbuild.manifest.names",
    "assetbuild.manifest.reader",
    "assetbuild.manifest.shape",
    "assetbuild.manifest.text",
    "assetbuild.version",
    "assetbuild.web",
    "assetbuild.web.assets",
    "assetbuild.web.edition",
    "assetbuild.web.files",
    "assetbuild.web.html",
    "assetbuild.web.importmap",
    "assetbuild.web.inline",
    "assetbuild.web.preload",
    "assetbuild.web.raw",
    "assetbuild.web.reload",
}


def test_reading_loads_no_compiler_and_nothing_outside_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(dump(document({"a.css": {"file": "a-1.css"}}, {"a-1.css": file_entry()})))

    loaded = loaded_by(READ, tmp_path)

    assert ITS_OWN == {name for name in loaded if name.partition(".")[0] == "assetbuild"}
    foreign = {name for name in loaded if name.partition(".")[0] not in {*sys.stdlib_module_names, "assetbuild"}}
    assert set() == foreign


def test_reading_loads_little_of_the_standard_library(tmp_path: Path) -> None:
    """Each of these costs more than opening a manifest of any size."""
    (tmp_path / "manifest.json").write_bytes(dump(document({"a.css": {"file": "a-1.css"}}, {"a-1.css": file_entry()})))

    allowed = loaded_by("import json, os, mmap, hashlib, typing, collections.abc, stat", tmp_path)

    assert set() == loaded_by(READ, tmp_path) - allowed - ITS_OWN


COMPILE = """
from assetbuild.cli import main
assert main(["compile", "--no-cache"]) == 0
"""

COMPRESSES_NOTHING = "[compress]\ngzip = false\nbr = false\n"


def test_a_compile_of_plain_files_loads_nothing_that_it_has_no_use_for(tree: Tree) -> None:
    """Together these cost as much as a hundred files."""
    folder = tree(
        {
            "assetbuild.toml": COMPRESSES_NOTHING,
            "assets/a.css": "a { background: url(a.svg) }",
            "assets/a.svg": "<svg/>",
            "assets/a.js": "var a",
        }
    )

    loaded = loaded_by(COMPILE, folder)

    assert "assetbuild.compiler.spine" in loaded
    assert set() == loaded & {"asyncio", "concurrent.futures", "dataclasses", "inspect", "logging", "webassets"}


SEARCHES = """
import gc, os, sys
from assetbuild.__main__ import process
begun = []
gc.callbacks.append(lambda phase, _: begun.append(phase) if phase == "start" else None)
sys.argv[1:] = ["compile", "--no-cache"]
try:
    process()
except SystemExit as ending:
    sys.stdout.write(f"{ending.code} {len(begun)}")
"""


def test_a_compile_seldom_stops_to_search_its_objects_for_cycles(tree: Tree) -> None:
    files = {f"assets/{number}.css": f"a {{ background: url({number}.svg) }}" for number in range(100)}
    icons = {f"assets/{number}.svg": "<svg/>" for number in range(100)}
    folder = tree({"assetbuild.toml": COMPRESSES_NOTHING, **files, **icons})

    done = subprocess.run([sys.executable, "-c", SEARCHES], cwd=folder, capture_output=True, text=True, check=True)

    code, searches = map(int, done.stdout.split())
    assert 0 == code
    assert searches <= 5

"""Corpora: source trees made of npm packages, the same bytes at every run. `scale` multiplies the counts.

Each tree holds its sources in one folder (`static`, `src` or `assets`) and no configuration: a peer brings its own.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from builds.corpora import app, legacy, small, themes, three

__all__ = ["CORPORA", "Corpus", "Edit", "made"]


class Edit(NamedTuple):
    """A small change. text: appended to `file`; `{n}` in it makes each round's another."""

    file: str
    text: str


class Corpus(NamedTuple):
    """One tree. write: from `node_modules`, the folder to fill and the scale. edits: by the name of the scenario."""

    write: Callable[[Path, Path, float], None]
    edits: Mapping[str, Edit]
    about: str


def _small(count: int) -> Corpus:
    def write(modules: Path, folder: Path, scale: float) -> None:
        small.write(modules, folder, max(50, int(count * scale)))

    about = f"{count:,} small files: half SVG, a fifth PNG, a fifth JS, a tenth CSS with eight references each"
    return Corpus(write, {"svg": Edit("static/img/d01/i00001.svg", "<!-- {n} -->\n")}, about)


CORPORA: Mapping[str, Corpus] = {
    "app": Corpus(
        app.write,
        {
            "partial": Edit("src/styles/partials/_part05.scss", ".edit {{ order: {n}; }}\n"),
            "tsx": Edit("src/js/components/C03.tsx", "console.log({n});\n"),
        },
        "Bootstrap with 20 partials, Bulma, plain CSS with 200 references, 41 modules, 26 TSX files, 300 images",
    ),
    "legacy": Corpus(
        legacy.write,
        {"source": Edit("static/js/f003.js", "window.edit = {n};\n")},
        "300 classic CSS and 300 classic JS files in 15 + 15 bundles",
    ),
    "static-1k": _small(1_000),
    "static-10k": _small(10_000),
    "static-100k": _small(100_000),
    "three10x": Corpus(
        three.write,
        {"module": Edit("src/copy1/math/Vector3.js", "globalThis.edit = {n};\n")},
        "the source of three.js ten times, bundled, minified, with a source map",
    ),
    "themes": Corpus(
        themes.write,
        {
            "theme": Edit("assets/themes/t007.scss", ".edit {{ order: {n}; }}\n"),
            "shared": Edit("assets/shared/_card.scss", "@mixin edit {{ order: {n}; }}\n"),
        },
        "the themes of 500 tenants, one stylesheet each over shared Sass modules",
    ),
}


def made(name: str, modules: Path, folder: Path, scale: float) -> Path:
    """Return the tree of a corpus in `folder`, written if it is not there as this code would write it."""
    tree, stamp = folder / name, folder / f"{name}.stamp"
    wanted = f"{scale} {_recipe(modules)}"
    if not stamp.exists() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        CORPORA[name].write(modules, tree, scale)
        stamp.write_text(wanted)
    return tree


def _recipe(modules: Path) -> str:
    """Return a digest of what decides the trees: this package and the lock of the packages."""
    files = [*sorted(Path(__file__).parent.glob("*.py")), modules.parent / "package-lock.json"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()

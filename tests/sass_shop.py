"""What the Sass tests share: a shop around a small tree, with the real Dart Sass."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assetbuild.compiler import tools
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.sass.dart import DartSass
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Source
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Project, Root, Sass, Urls
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.compiler.tools import Program
from assetbuild.disk import RealDisk
from tests.conftest import need


def project_at(
    folder: Path, roots: tuple[Root, ...] = (), sass: Sass | None = None, urls: Urls | None = None
) -> Project:
    """Return a project whose one root is `assets`, unless others are given."""
    roots = roots or (Root(str(folder / "assets"), "assets"),)
    return Project(str(folder), str(folder / "build"), roots, sass=sass or Sass(), urls=urls or Urls())


def reading_of(project: Project) -> Reading:
    """Return a reading that is confined to the project's roots, load paths and packages."""
    folders = [root.folder for root in project.roots] + [*project.sass.load_paths, f"{project.folder}/node_modules"]
    return Reading(Library(RealDisk(), project.folder, tuple(os.path.realpath(folder) for folder in folders)))


def dart_program(project: Project) -> Program:
    """Return the pinned Dart Sass; skip the test without one."""
    found = tools.find("dart-sass", project, os.environ)
    need("dart-sass", found is not None)
    assert found is not None
    return found


@contextmanager
def shop_of(project: Project, timeout_s: float = 60) -> Iterator[Shop]:
    """Give a shop that has Dart Sass and workers."""
    program = dart_program(project)
    with DartSass(program, project.folder, timeout_s=timeout_s) as dart, Workers(1) as workers:
        resolver = Resolver(project, Inventory({}, {}, {}))
        yield Shop(project, resolver, lambda _: program, lambda: dart, lambda: workers)


def source_at(project: Project, logical: str) -> Source:
    """Return the source at a logical path of the first root."""
    file = os.path.join(project.roots[0].folder, logical)
    return Source(logical, file, os.path.relpath(file, project.folder))

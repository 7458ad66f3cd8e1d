"""What the tests of scripts share: a shop over a small tree, with real workers."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Blob, Draft, Ref, Result, Source
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.project import Js, Project, Root, Urls
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.disk import RealDisk
from tests.conftest import need

Files = Mapping[str, str | bytes]


class Yard:
    """A project whose root `assets` is published whole. vendored: logical paths that are not first-party."""

    def __init__(
        self,
        folder: Path,
        workers: Workers | None = None,
        *,
        vendored: tuple[str, ...] = (),
        js: Js | None = None,
        urls: Urls | None = None,
        missing_allow: tuple[str, ...] = (),
    ) -> None:
        self.folder = os.path.realpath(folder)
        self.root = os.path.join(self.folder, "assets")
        project = Project(
            self.folder,
            os.path.join(self.folder, "build"),
            (Root(self.root, "assets"),),
            js=js or Js(),
            urls=urls or Urls(),
            missing_allow=missing_allow,
        )
        names = [file.relative_to(self.root).as_posix() for file in Path(self.root).rglob("*") if file.is_file()]
        self.sources = {
            name: Source(name, f"{self.root}/{name}", f"assets/{name}", name not in vendored) for name in sorted(names)
        }
        inventory = Inventory(self.sources, {one.file: one for one in self.sources.values()}, {})

        def opened() -> Workers:
            assert workers is not None, "this job needs no workers"
            return workers

        def absent(*_: object) -> None:
            raise AssertionError("scripts need no such tool")

        self.shop = Shop(project, Resolver(project, inventory), absent, absent, opened)  # type: ignore[arg-type]

    def reading(self) -> Reading:
        """Return a new reading that is confined to the root and the packages."""
        return Reading(Library(RealDisk(), self.folder, (self.root, os.path.join(self.folder, "node_modules"))))


def minifier_is_here() -> None:
    """Skip the test without tdewolff-minify."""
    need("tdewolff-minify", importlib.util.find_spec("minify") is not None)


def written(result: Result) -> str:
    """Return the text of the one draft, its references as `<logical>` or, for modules, `<./logical>`."""
    (draft,) = result.drafts
    assert not isinstance(draft.body, Blob)
    return "".join(_shown(piece) for piece in draft.body)


def rules(result: Result) -> list[tuple[str, str]]:
    """Return rule and severity of what was found."""
    return [(found.rule, found.severity) for found in result.diagnostics]


def _shown(piece: bytes | Ref) -> str:
    if isinstance(piece, bytes):
        return piece.decode()
    return f"<{'./' if piece.style == 'module' else ''}{piece.target}>"


def draft_of(result: Result) -> Draft:
    """Return the one draft."""
    (draft,) = result.drafts
    return draft

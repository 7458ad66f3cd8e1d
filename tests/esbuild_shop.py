"""A real esbuild, and the shop around it, for the tests of the rooms that use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from assetbuild.compiler.engines import modules
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild import Esbuild
from assetbuild.compiler.files import Library, Reading
from assetbuild.compiler.model import Blob, Draft, Job, Result, Source
from assetbuild.compiler.project import Js, Project, Root, Urls
from assetbuild.compiler.resolve import Inventory, Resolver
from assetbuild.compiler.survey import SOURCE_LANGUAGES
from assetbuild.disk import RealDisk
from tests.conftest import need, pinned


def argv() -> tuple[str, ...]:
    """Return how the pinned esbuild is started; skip the test if there is none."""
    program = pinned("esbuild")
    need("esbuild", program is not None)
    return program.argv if program else ()


def shop_of(project: Project, inventory: Inventory, service: Esbuild) -> Shop:
    """Return a shop in which only esbuild is open."""
    return Shop(project, Resolver(project, inventory), _closed, _closed, _closed, lambda: service)


def _closed(*_: object) -> NoReturn:
    raise AssertionError("only esbuild is open in this shop")


def bundle(
    service: Esbuild,
    folder: Path,
    entries: Mapping[str, str],
    *,
    missing_allow: tuple[str, ...] = (),
    aliases: Mapping[str, str] | None = None,
    **options: object,
) -> Result:
    """Return what the module room makes of `entries`: logical path → source below `assets` of `folder`."""
    root = Root(str(folder / "assets"), "assets")
    project = Project(
        str(folder),
        str(folder / "build"),
        (root,),
        js=Js(minify=False),
        urls=Urls(aliases=aliases or {}),
        missing_allow=missing_allow,
    )
    sources = {name: Source(name, str(folder / "assets" / name), f"assets/{name}") for name in _files(folder)}
    published = {logical: source for logical, source in sources.items() if not logical.endswith(SOURCE_LANGUAGES)}
    named = {logical: sources[source]._replace(logical=logical) for logical, source in entries.items()}
    withheld = dict.fromkeys(sources.keys() - published.keys(), "is compiled and never published")
    inventory = Inventory(published | named, {source.file: source for source in published.values()}, withheld)
    confines = (str(folder / "assets"), str(folder / "node_modules"))
    job = Job(
        "modules",
        tuple(entries),
        tuple(sources[source] for source in entries.values()),
        {"minify": False, **options},
    )
    return modules.build(job, Reading(Library(RealDisk(), str(folder), confines)), shop_of(project, inventory, service))


def _files(folder: Path) -> list[str]:
    root = folder / "assets"
    return sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())


def written(draft: Draft) -> str:
    """Return the text of a draft with `<logical path>` in the place of each reference."""
    assert not isinstance(draft.body, Blob)
    return "".join(piece.decode() if isinstance(piece, bytes) else f"<{piece.target}>" for piece in draft.body)


def texts(result: Result) -> dict[str, str]:
    """Return logical path → text of all drafts."""
    return {draft.logical: written(draft) for draft in result.drafts}

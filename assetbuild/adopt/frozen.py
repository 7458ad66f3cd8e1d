"""What zero-configuration finds, as a value: the same roots and entries, so that writing them down changes no byte."""

from __future__ import annotations

import os

from assetbuild.adopt.adopted import Adopted, Folder, Made
from assetbuild.compiler.files import Library
from assetbuild.compiler.model import Source
from assetbuild.compiler.plan import confines, plan
from assetbuild.compiler.project import Project
from assetbuild.compiler.survey import survey
from assetbuild.compiler.templates import likely_folders
from assetbuild.disk import Disk

__all__ = ["frozen", "template_section"]


def frozen(project: Project, disk: Disk, *, origin: str, is_django: bool) -> Adopted:
    """Return what a compile of `project`, which configures nothing, would use. Reads names of files, and no file."""
    library = Library(disk, project.folder, confines(project))
    jobs = plan(project, survey(project, disk), library).jobs
    found = tuple(
        Made(job.logicals[0], "style", (_source(job.sources[0], project, disk),))
        for job in jobs
        if job.place == "sass.auto"
    )
    sections: dict[str, dict[str, object]] = {"sass": {"auto": False}} if found else {}
    sections |= template_section(likely_folders(project, disk), is_django=is_django)
    return Adopted(origin, tuple(Folder(root.shown) for root in project.roots), found, sections=sections)


def _source(source: Source, project: Project, disk: Disk) -> str:
    """Return how an entry names a source: by its logical path, unless that also leads to another file."""
    others = (os.path.join(project.folder, *above, source.logical) for above in ((), ("node_modules",)))
    is_clear = not any(
        disk.is_file(other) and os.path.realpath(other) != os.path.realpath(source.file) for other in others
    )
    return source.logical if is_clear else source.shown


def template_section(folders: list[str], *, is_django: bool) -> dict[str, dict[str, object]]:
    """Return `[templates]` as the configuration has it, nothing where there are none."""
    engine = {"engine": "django"} if is_django else {}
    return {"templates": {"paths": folders, **engine}} if folders else {}

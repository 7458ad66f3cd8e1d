"""Which files below `[templates] paths` are templates."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from assetbuild.compiler import config
from assetbuild.compiler.door import Refused
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Project, Templates
from assetbuild.compiler.templates import Template, templates
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import Measured, RealDisk
from tests.conftest import Tree


def found_in(folder: Path, *paths: str, disk: RealDisk | None = None) -> list[str]:
    """Return what `templates` yields, a line each."""
    folders = tuple(str(folder / path) for path in paths or ("templates",))
    project = Project(os.path.realpath(folder), "", (), templates=Templates(folders))
    return list(told(templates(project, disk or RealDisk())))


def told(found: Iterable[Template | Diagnostic]) -> Iterable[str]:
    for one in found:
        if isinstance(one, Template):
            yield f"{one.shown} {one.body.decode('latin-1')}".strip()
        else:
            yield f"{one.severity} {one.span.path if one.span else ''}: {one.message}"


def test_every_file_is_read_in_the_order_of_the_folders(tree: Tree) -> None:
    folder = tree({"templates/b/c.txt": "c", "templates/z.html": "z", "templates/a.weird": "a", "more/m.html": "m"})

    assert found_in(folder, "templates", "more") == [
        "more/m.html m",
        "templates/a.weird a",
        "templates/z.html z",
        "templates/b/c.txt c",
    ]


def test_a_file_that_two_folders_of_the_configuration_hold_is_read_once(tree: Tree) -> None:
    folder = tree({"templates/b/c.html": ""})

    assert found_in(folder, "templates", "templates/b") == ["templates/b/c.html"]


def test_dotted_names_and_packages_hold_no_templates(tree: Tree) -> None:
    folder = tree({"templates/.git/a.html": "", "templates/node_modules/b.html": "", "templates/.c.html.swp": ""})

    assert found_in(folder) == []


def test_links_inside_the_project_are_followed_and_each_file_is_read_once(tree: Tree) -> None:
    folder = tree({"shared/base.html": "base", "templates/a.html": "a"})
    (folder / "templates/shared").symlink_to(folder / "shared")
    (folder / "templates/b.html").symlink_to("a.html")
    (folder / "shared/round").symlink_to(folder / "templates")

    assert found_in(folder) == ["templates/a.html a", "templates/shared/base.html base"]


def test_what_cannot_be_followed_is_said_once_each(tree: Tree, tmp_path: Path) -> None:
    folder = tree({"templates/a.html": ""})
    (tmp_path / "outside.html").write_text("")
    (folder / "templates/nowhere.html").symlink_to("gone.html")
    (folder / "templates/outside.html").symlink_to(tmp_path / "outside.html")
    os.mkfifo(folder / "templates/pipe.html")

    assert found_in(folder) == [
        "templates/a.html",
        "warning templates/nowhere.html: the link leads to no regular file",
        "warning templates/outside.html: the link leads out of the project",
        "warning templates/pipe.html: not a regular file, folder or link",
    ]


class Forbidding(RealDisk):
    """A disk that denies what is called `secret`, also to root."""

    def read(self, file: str) -> bytes:
        if file.endswith("secret.html"):
            raise PermissionError(13, "Permission denied", file)
        return super().read(file)

    def measure(self, folder: str) -> list[Measured]:
        if folder.endswith("secret"):
            raise PermissionError(13, "Permission denied", folder)
        return super().measure(folder)


def test_a_file_or_folder_that_may_not_be_read_is_an_error_and_the_rest_is_read(tree: Tree) -> None:
    folder = tree({"templates/a.html": "a", "templates/secret.html": "", "templates/secret/b.html": ""})

    assert found_in(folder, disk=Forbidding()) == [
        "templates/a.html a",
        "error templates/secret.html: the file cannot be read: permission denied",
        "error templates/secret: the folder cannot be listed: permission denied",
    ]


def test_a_folder_of_the_configuration_that_is_not_there_is_a_fault_of_the_configuration(tree: Tree) -> None:
    with pytest.raises(ConfigError, match=r"`templates` in `\[templates\] paths` is not a folder"):
        found_in(tree({}))


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("a.html", "é".encode(), "é"),
        ("a.html", b"\xef\xbb\xbfa", "a"),
        ("a.eml", "é".encode(), "é"),
        ("logo.png", b"\x89PNG\r\n", None),
        ("archive", b"{{ a\0b }}", None),
    ],
)
def test_a_text_is_utf8_and_a_file_beside_the_templates_may_be_none(
    name: str, body: bytes, expected: str | None
) -> None:
    assert Template(name, body).text() == expected


@pytest.mark.parametrize(
    ("body", "expected"), [(b"a\n\xe9t\xe9", "byte 0xe9 is not UTF-8"), (b"a\0", "text holds a NUL character")]
)
def test_a_file_with_a_templates_suffix_must_be_a_text(body: bytes, expected: str) -> None:
    with pytest.raises(Refused) as raised:
        Template("page.HTML", body).text()

    assert [expected] == [each.message for each in raised.value.diagnostics]


@pytest.mark.parametrize("name", ["django", "fastapi", "flask", "litestar", "pyramid"])
def test_an_example_shows_where_its_templates_are(name: str) -> None:
    """`assetbuild check` would find nothing wrong in a project that does not say so."""
    example = Path(__file__).parents[1] / "examples" / name
    project = config.read(str(example), {}, RealDisk(), config.Flags())

    found = [each.shown for each in templates(project, RealDisk()) if isinstance(each, Template)]

    assert sorted(str(file.relative_to(example)) for file in example.glob("**/templates/**/*.*")) == sorted(found)
    assert ("django" if name == "django" else "jinja") == project.templates.engine

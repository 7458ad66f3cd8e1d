"""`assetbuild init`: what is found is written down, and the compile makes what it made before."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.adopt.adopted import Adopted, Folder, Made, compiled_elsewhere
from assetbuild.adopt.write import written
from assetbuild.cli import main
from assetbuild.diagnostic import Span
from tests.conftest import Tree

Printed = pytest.CaptureFixture[str]

SITE = {
    "shop/__init__.py": "",
    "shop/static/css/app.scss": "@use 'parts/colours' as c; a { color: c.$ink; background: url(../img/dot.svg) }",
    "shop/static/css/parts/_colours.scss": "$ink: #123;",
    "shop/static/css/old.css": "p { margin: 0 }",
    "shop/static/img/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "blog/static/blog.css": "b { c: d }",
    "shop/templates/page.html": "<p>",
}


def published(folder: Path) -> dict[str, object]:
    """Return every published file's bytes, and what the manifest says of them."""
    output = folder / "build/assets"
    files = {str(file.relative_to(output)): file.read_bytes() for file in output.rglob("*") if file.is_file()}
    manifest = json.loads(files.pop("manifest.json"))
    return {"files": files, "assets": manifest["assets"], "described": manifest["files"], "base": manifest["base"]}


def test_what_is_written_compiles_to_the_same_bytes(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(SITE)
    monkeypatch.chdir(folder)
    assert 0 == main(["compile"])
    without = published(folder)

    assert 0 == main(["init"])
    assert 0 == main(["compile", "--output", str(folder / "again"), "--strict"])

    (folder / "again").rename(folder / "build/again")
    (folder / "build/assets").rename(folder / "build/first")
    (folder / "build/again").rename(folder / "build/assets")
    assert without == published(folder)


def test_the_file_names_what_was_found(tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    folder = tree({**SITE, "requirements.txt": "gunicorn\nFlask>=3\n"})
    monkeypatch.chdir(folder)

    assert 0 == main(["init"])

    expected = """\
# What `assetbuild compile` makes, and from what. `docs/reference/configuration.md` explains every key.
# Found: Flask (requirements.txt:2).

# output = "build/assets"  # hashed files and manifest.json go here
# base = "/static/"  # URL base; the reader may override it at start
roots = ["blog/static", "shop/static"]  # the load path, in order: the first root that has a file wins

[entries]  # logical path = what it is compiled from
"css/app.css" = "css/app.scss"

[sass]
auto = false  # compile every Sass stylesheet that is no partial, named here or not

[templates]
paths = ["shop/templates"]  # `assetbuild check` reads them
"""
    assert expected == (folder / "assetbuild.toml").read_text()
    said = """\
wrote assetbuild.toml: 2 roots, 1 entry
next: `assetbuild compile`
then: AssetBuild(app), of assetbuild.web.flask
"""
    assert ("", said) == capsys.readouterr()


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"pyproject.toml": '[project]\nname = "a"\ndependencies = [\n "django>=5",\n]\n'},
            "Django (pyproject.toml:4)",
        ),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npyramid = "*"\n'}, "Pyramid (pyproject.toml:2)"),
        ({"pyproject.toml": '[dependency-groups]\nweb = ["litestar"]\n'}, "Litestar (pyproject.toml:2)"),
        ({"requirements/base.txt": "starlette\nfastapi[standard]==1\n"}, "FastAPI (requirements/base.txt:2)"),
        ({"app.py": "import starlette.applications\n"}, "Starlette (app.py)"),
        (
            {"app.py": "from flask import Flask\n", "venv/pyvenv.cfg": "", "venv/b.py": "import django"},
            "Flask (app.py)",
        ),
        ({"app.py": "# import flask\nx = 'import django'\n"}, "no framework"),
        ({"Pipfile": '[packages]\nflask = "*"\n'}, "Flask (Pipfile:2)"),
        ({"requirements.txt": "\ufeffflask==3\n"}, "Flask (requirements.txt:1)"),
        ({"app.py": "\ufefffrom flask import Flask\n"}, "Flask (app.py)"),
    ],
)
def test_the_framework_is_told_by_dependencies_and_imports(tree: Tree, files: dict[str, str], found: str) -> None:
    folder = tree({**files, "static/a.css": "a{b:c}"})

    assert 0 == main(["init", str(folder)])

    assert f"# Found: {found}." == (folder / "assetbuild.toml").read_text().splitlines()[1]


def test_a_tool_that_builds_the_assets_now_is_pointed_at(tree: Tree, capsys: Printed) -> None:
    folder = tree({"static/a.css": "", "requirements.txt": "Flask-Assets\nwebassets\n"})

    assert 0 == main(["init", str(folder)])

    hint = "      flask-assets is used here (requirements.txt:1): `init --from flask-assets` reads its definitions\n"
    assert hint in capsys.readouterr().err


def test_where_no_folder_is_found_the_tool_that_knows_them_is_pointed_at(tree: Tree, capsys: Printed) -> None:
    folder = tree({"src/main.ts": "", "package.json": '{"devDependencies":{"vite":"7"}}'})

    assert 2 == main(["init", str(folder)])

    expected = """\
error: there is no folder of assets: looked for `assets`, `static`, `app/static`, `src/*/static`, `*/static` [no-roots]
  vite is used here (package.json:1): `init --from vite` reads its definitions

1 error
"""
    assert expected == capsys.readouterr().err


def test_in_django_the_settings_are_pointed_at_because_they_name_folders_that_only_they_know(
    tree: Tree, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree({"static/a.css": "", "blog/static/blog/b.css": "", "manage.py": "import django\n"})
    monkeypatch.chdir(folder)

    assert 0 == main(["init"])

    said = """\
wrote assetbuild.toml: 1 root, 0 entries
      django is used here (manage.py): `init --from django` reads its definitions
next: `assetbuild compile`
then: the storage `assetbuild.web.django.storage.ManifestStorage`, of assetbuild.web.django
"""
    assert said == capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("assetbuild.toml", "", "`assetbuild.toml` is there already, and `init` overwrites nothing"),
        (
            "pyproject.toml",
            "[tool.assetbuild]\n",
            "`[tool.assetbuild]` in `pyproject.toml` configures this project already",
        ),
    ],
)
def test_a_configuration_is_never_overwritten(tree: Tree, capsys: Printed, name: str, text: str, sentence: str) -> None:
    folder = tree({"static/a.css": "", name: text})

    assert 2 == main(["init", str(folder)])

    first, *_ = capsys.readouterr().err.splitlines()
    assert f"error: {sentence} [configured-already]" == first
    assert {"static", name} == {file.name for file in folder.iterdir()}
    assert text == (folder / name).read_text()


def test_a_link_in_the_place_of_the_file_is_not_followed(tree: Tree) -> None:
    folder = tree({"static/a.css": ""})
    (folder / "assetbuild.toml").symlink_to(folder / "elsewhere")

    assert 2 == main(["init", str(folder)])

    assert (folder / "assetbuild.toml").is_symlink()
    assert not (folder / "elsewhere").exists()


@pytest.mark.parametrize("words", [[], ["--from", "vite"]])
def test_a_folder_that_is_not_there_is_one_error(tree: Tree, capsys: Printed, words: list[str]) -> None:
    folder = tree({}) / "gone"

    assert 2 == main(["init", *words, str(folder)])

    assert capsys.readouterr().err.startswith(f"error: `{folder}` is not a folder")


def test_a_folder_without_assets_is_one_error(tree: Tree, capsys: Printed) -> None:
    folder = tree({"app.py": "import flask"})

    assert 2 == main(["init", str(folder)])

    assert "there is no folder of assets" in capsys.readouterr().err
    assert not (folder / "assetbuild.toml").exists()


def test_a_source_whose_name_leads_to_two_files_is_named_by_its_longer_path(tree: Tree) -> None:
    folder = tree({"static/css/a.scss": "a{b:c}", "css/a.scss": "d{e:f}"})

    assert 0 == main(["init", str(folder)])

    document = tomllib.loads((folder / "assetbuild.toml").read_text())
    assert {"css/a.css": "static/css/a.scss"} == document["entries"]
    assert 0 == main(["compile", str(folder)])


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.lists(names, max_size=40), names, names)
def test_whatever_is_written_is_read_back(sources: list[str], logical: str, path: str) -> None:
    made = Made(logical, "filters", (path, *sources), (("rcssmin", {"keep": True}),), place=Span(path, 3))
    adopted = Adopted(
        path, (Folder(path), Folder(path, "as", (logical,))), (made,), sections={"js": {"define": {path: "1"}}}
    )

    document = tomllib.loads(written(adopted))

    assert [path, {"path": path, "as": "as", "include": [logical]}] == document["roots"]
    filters = [{"rcssmin": {"keep": True}}]
    assert {logical: {"sources": [path, *sources], "filters": filters}} == document["entries"]
    assert {path: "1"} == document["js"]["define"]


@pytest.mark.parametrize(
    ("source", "named"), [("a.less", "`lessc`"), ("a.coffee", "`coffee`"), ("a.jst", "its compiler")]
)
def test_what_another_program_compiles_is_told_to_be_a_command(source: str, named: str) -> None:
    found = compiled_elsewhere(f"`{source}` is read by another compiler", source, Span("page.html", 1, 1))

    assert (
        "not-translated",
        "warning",
        f"name {named} under `[[commands]]`: what it makes is a source like any other",
    ) == (found.rule, found.severity, found.hint)

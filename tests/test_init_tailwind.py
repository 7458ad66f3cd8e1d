"""`init` where npm's scripts run Tailwind: its calls become `[[commands]]` that make the same sheets."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.cli import main
from tests.conftest import Tree

Printed = pytest.CaptureFixture[str]

SITE = {
    "styles/app.css": '@import "tailwindcss";\n@import "./part.css";\n',
    "styles/part.css": "@utility tight { line-height: 1 }\n",
    "shop/templates/page.html": "<p class=\"mt-[7px] {{ 'tight' if x }}\">",
    "shop/forms.py": 'WIDE = {"class": "pt-[8px]"}\n',
    "shop/static/js/menu.js": "menu.className = 'ms-[9px]'\n",
    "shop/static/img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    ".venv/pyvenv.cfg": "",
    "env/pyvenv.cfg": "",
    "env/a.py": "'mb-[10px]'",
}
CALL = "tailwindcss -i styles/app.css -o shop/static/css/app.css --minify"


def package(**scripts: str) -> str:
    document = {"private": True, "scripts": scripts, "devDependencies": {"@tailwindcss/cli": "4.1.13"}}
    return json.dumps(document, indent=2) + "\n"


def commands(folder: Path) -> list[dict[str, list[str]]]:
    """Return the commands that `init` writes."""
    assert 0 == main(["init", str(folder)])
    found: list[dict[str, list[str]]] = tomllib.loads((folder / "assetbuild.toml").read_text()).get("commands", [])
    return found


def test_the_command_makes_the_sheet_that_the_script_made(
    tree: Tree, npm: str, installed_packages: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    folder = tree({**SITE, "package.json": package(css=CALL), ".gitignore": "env\n"})
    (folder / "node_modules").symlink_to(installed_packages("npm-tailwind"))
    subprocess.run([npm, "run", "--silent", "css"], cwd=folder, check=True, capture_output=True)
    theirs = folder / "shop/static/css/app.css"
    made = theirs.read_text()
    theirs.unlink()

    assert 0 == main(["init", str(folder)])
    assert 0 == main(["compile", str(folder)])

    (ours,) = (folder / "build/assets/css").glob("app-*.css")
    assert made == ours.read_text()
    assert {True} == {size in made for size in ("7px", "8px", "9px", "line-height:1")}


def test_the_call_is_written_down_with_its_place_and_its_inputs(tree: Tree, capsys: Printed) -> None:
    folder = tree({**SITE, "package.json": package(css=CALL)})

    assert 0 == main(["init", str(folder)])

    written = """\
[[commands]]  # package.json:4: a cached job, which sees its inputs and nothing else of the project
run = ["tailwindcss", "-i", "styles/app.css", "-o", "{output}/css/app.css", "--minify"]
inputs = ["styles/**/*.css", "shop/**/*.{html,py,js}"]
outputs = ["css/app.css"]
"""
    assert written in (folder / "assetbuild.toml").read_text()
    line = f'    "css": "{CALL}"'
    said = f"""\
note: script `css` lets Tailwind make `shop/static/css/app.css` among the sources [to-change]
  package.json:4:12
  4 │ {line}
    │ {" " * 11}{"^" * (len(CALL) + 2)}
  take the script out and the file away: a compile makes it
wrote {folder}/assetbuild.toml: 1 root, 0 entries, 1 command
next: `assetbuild compile {folder}`
then: `Assets.open()` of assetbuild; `assetbuild` alone lists the integrations
"""
    assert ("", said) == capsys.readouterr()


@pytest.mark.parametrize(
    ("line", "run"),
    [
        (
            "npm run vendor && NODE_ENV=production npx @tailwindcss/cli -i ./styles/app.css -o ./shop/static/a.css;x",
            ["-i", "./styles/app.css", "-o", "{output}/a.css"],
        ),
        (
            "tailwindcss --output=shop/static/a.css --input=styles/app.css",
            ["--output", "{output}/a.css", "--input", "styles/app.css"],
        ),
        ("tailwindcss -c 'tail wind.js' -o shop/static/a.css", ["-c", "tail wind.js", "-o", "{output}/a.css"]),
        ("tailwindcss -o shop/static/a.css --watch=always -w", ["-o", "{output}/a.css"]),
        ("tailwindcss -o shop/static/a.css -m 2>/dev/null 2>&1", ["-o", "{output}/a.css", "-m"]),
    ],
)
def test_a_call_is_found_as_a_shell_would_read_it(tree: Tree, line: str, run: list[str]) -> None:
    (command,) = commands(tree({**SITE, "package.json": package(build=line)}))

    assert ["tailwindcss", *run] == command["run"]
    assert ["a.css"] == command["outputs"]


def test_of_several_scripts_for_one_sheet_that_for_production_counts(tree: Tree) -> None:
    watch = CALL.replace("--minify", "--watch")
    scripts = package(dev=watch, plain=CALL.replace(" --minify", ""), css=CALL, again=CALL)

    (command,) = commands(tree({**SITE, "package.json": scripts}))

    assert "--minify" == command["run"][-1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "tailwindcss -i styles/app.css -o dist/app.css",
            "script `css` lets Tailwind make `dist/app.css`, which is below no root",
        ),
        (
            "tailwindcss -i ../styles/app.css -o shop/static/a.css",
            "script `css` calls Tailwind with `../styles/app.css`, which `[[commands]]` cannot name",
        ),
        (
            "tailwindcss -i /styles/app.css -o shop/static/a.css",
            "script `css` calls Tailwind with `/styles/app.css`, which `[[commands]]` cannot name",
        ),
        (
            "tailwindcss -i 'styles/{a}.css' -o shop/static/a.css",
            "script `css` calls Tailwind with `styles/{a}.css`, which `[[commands]]` cannot name",
        ),
        (
            "tailwindcss -o 'shop/static/[a].css'",
            "script `css` calls Tailwind with `[a].css`, which `[[commands]]` cannot name",
        ),
        ("echo 'tailwindcss -i a.css -o shop/static/a.css'", "no script says what `@tailwindcss/cli` makes"),
        ("tailwindcss -o 'shop/static/a.css", "no script says what `@tailwindcss/cli` makes"),
        ("cat a.css | tailwindcss -i - -o shop/static/a.css", "no script says what `@tailwindcss/cli` makes"),
        ("tailwindcss -i a.css -o - | cat", "no script says what `@tailwindcss/cli` makes"),
        ("tailwindcss -i a.css > shop/static/a.css", "no script says what `@tailwindcss/cli` makes"),
    ],
)
def test_what_no_root_and_no_call_shows_is_said(tree: Tree, capsys: Printed, line: str, message: str) -> None:
    folder = tree({**SITE, "package.json": package(css=line)})

    assert [] == commands(folder)

    first, *_ = capsys.readouterr().err.splitlines()
    assert f"warning: {message} [not-translated]" == first


def test_a_byte_order_mark_hides_no_script(tree: Tree) -> None:
    (command,) = commands(tree({**SITE, "package.json": "\ufeff" + package(css=CALL)}))

    assert ["css/app.css"] == command["outputs"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"scripts": []}', '{"scripts": {"css": 1}}'])
def test_a_package_file_without_scripts_says_nothing(tree: Tree, text: str) -> None:
    assert [] == commands(tree({**SITE, "package.json": text}))

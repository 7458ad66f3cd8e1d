"""What a newcomer does wrong in the first minute, and the whole of what he then sees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import assetbuild
from assetbuild.cli import main
from tests.conftest import Tree, need

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "ASSETBUILD_REVISION"):
        monkeypatch.delenv(name, raising=False)


class Newcomer:
    """Somebody who runs the command in a folder, and reads what it says."""

    def __init__(self, folder: Path, capsys: Printed) -> None:
        self.folder = folder
        self._capsys = capsys

    def sees(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code and all that people read, but for how long it took."""
        code = main(arguments or ["compile"])
        return code, re.sub(r"in [0-9.]+ m?s\b", "in T", self._capsys.readouterr().err)


@pytest.fixture
def newcomer(tree: Tree, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> Newcomer:
    """Return somebody who stands in a project with one stylesheet."""
    folder = tree({"assets/app.scss": "a { b: c }\n"})
    monkeypatch.chdir(folder)
    return Newcomer(folder, capsys)


def text(indented: str) -> str:
    """Return a text that is written below a test as it is printed."""
    return dedent(indented).lstrip("\n")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            "[entries]\napp.css = 'app.scss'\n",
            """
            error: the dots of `app.css` part tables where it has no quotes, at `entries` (assetbuild.toml) [bad-value]
              assetbuild.toml:2:1
              2 │ app.css = 'app.scss'
                │ ^^^
              put the name into quotes: `"app.css" = …`

            1 error
            """,
        ),
        (
            "[entries]\na.min.js = { module = 'app.js' }\n",
            """
            error: the dots of `a.min.js` part tables where it has no quotes, at `entries` (assetbuild.toml) [bad-value]
              assetbuild.toml:2:1
              2 │ a.min.js = { module = 'app.js' }
                │ ^
              put the name into quotes: `"a.min.js" = …`

            1 error
            """,
        ),
        (
            "[entries]\ncss/app.css = 'app.scss'\n",
            """
            error: the file is not TOML: expected `=` after a key in a key/value pair [invalid-toml]
              assetbuild.toml:2:4
              2 │ css/app.css = 'app.scss'
                │    ^
              put the name into quotes: `"css/app.css" = …`

            1 error
            """,
        ),
        (
            "base = /static/  # of the site\n",
            """
            error: the file is not TOML: invalid value [invalid-toml]
              assetbuild.toml:1:8
              1 │ base = /static/  # of the site
                │        ^
              put the text into quotes: `base = "/static/"`

            1 error
            """,
        ),
        (
            "[compress]\ngzip = True\n",
            """
            error: the file is not TOML: invalid value [invalid-toml]
              assetbuild.toml:2:8
              2 │ gzip = True
                │        ^
              write it in lower case: `true`

            1 error
            """,
        ),
    ],
)
def test_what_toml_reads_otherwise_than_it_was_meant(newcomer: Newcomer, config: str, expected: str) -> None:
    (newcomer.folder / "assetbuild.toml").write_text(config)

    assert (2, text(expected)) == newcomer.sees()


@pytest.mark.parametrize(
    ("base", "problem", "hint"),
    [
        ("static", "is not a URL base: expected `/static/` or `https://cdn.example/static/`", "/static/"),
        ("static/", "is not a URL base: expected `/static/` or `https://cdn.example/static/`", "/static/"),
        ("/static", "must end with `/`", "/static/"),
        ("https://cdn.x", "is not a URL base: expected `/static/` or `https://cdn.example/static/`", "https://cdn.x/"),
        ("//cdn.x/", "is not a URL base: expected `/static/` or `https://cdn.example/static/`", "https://cdn.x/"),
        ("cdn.x", "is not a URL base: expected `/static/` or `https://cdn.example/static/`", ""),
        ("", "is empty: expected `/static/` or `https://cdn.example/static/`", ""),
    ],
)
def test_a_wrong_base_is_told_the_right_one(newcomer: Newcomer, base: str, problem: str, hint: str) -> None:
    (newcomer.folder / "assetbuild.toml").write_text(f'base = "{base}"\n')

    meant = f"  did you mean `{hint}`?\n" if hint else ""
    assert (
        2,
        f"error: `{base}` {problem}, at `base` (assetbuild.toml) [bad-value]\n"
        "  assetbuild.toml:1:8\n"
        f'  1 │ base = "{base}"\n'
        f"    │        {'^' * (len(base) + 2)}\n"
        f"{meant}\n1 error\n",
    ) == newcomer.sees()


def test_an_output_inside_a_root_is_blamed_on_the_option_that_names_it(newcomer: Newcomer) -> None:
    (newcomer.folder / "assetbuild.toml").write_text('output = "build"\n')

    assert (
        2,
        "error: `--output assets/dist` lies in the root `assets`, and would be compiled again [bad-output]\n"
        "  a folder of its own, such as `build/assets`\n\n1 error\n",
    ) == newcomer.sees("compile", "--output", "assets/dist")


def test_a_cache_inside_a_root_is_blamed_on_the_variable_that_names_it(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newcomer.folder / "assetbuild.toml").write_text('[cache]\nlocal = "off"\n')
    monkeypatch.setenv("ASSETBUILD_CACHE", str(newcomer.folder / "assets/cache"))

    assert (
        2,
        "error: the cache `assets/cache` of `ASSETBUILD_CACHE` lies in the root `assets`, and would be published "
        "[bad-cache]\n"
        "  a folder of its own, such as `.cache/assetbuild`, or none: it lies in the user's own by default\n\n"
        "1 error\n",
    ) == newcomer.sees()


@pytest.mark.parametrize(
    ("described", "install"),
    [(None, "run `npm install bootstrap`"), ("{}", "run `npm install bootstrap`"), ("[", "run `npm install bootstrap`")]
    + [
        (f'{{"{table}": {{"bootstrap": "5"}}}}', "run `npm install` (`package.json` names it)")
        for table in ("dependencies", "devDependencies")
    ],
)
def test_a_stylesheet_of_a_package_that_is_not_installed(
    newcomer: Newcomer, described: str | None, install: str
) -> None:
    (newcomer.folder / "assets/app.scss").write_text('@use "bootstrap/scss/grid";\n')
    if described is not None:
        (newcomer.folder / "package.json").write_text(described)

    assert (
        1,
        "error: stylesheet `bootstrap/scss/grid` is not found [missing-stylesheet]\n"
        "  assets/app.scss:1:1\n"
        '  1 │ @use "bootstrap/scss/grid";\n'
        "    │ ^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        f"  looked in `assets/bootstrap/scss`; package `bootstrap` is not installed: {install}\n\n"
        "1 error\n",
    ) == newcomer.sees()


def test_a_stylesheet_behind_a_tilde_is_of_a_package_alone(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").write_text('@use "~bulma/sass";\n')

    assert (
        1,
        "error: stylesheet `~bulma/sass` is not found [missing-stylesheet]\n"
        "  assets/app.scss:1:1\n"
        '  1 │ @use "~bulma/sass";\n'
        "    │ ^^^^^^^^^^^^^^^^^^\n"
        "  package `bulma` is not installed: run `npm install bulma`\n\n"
        "1 error\n",
    ) == newcomer.sees()


def test_an_entry_of_a_package_that_is_not_installed(newcomer: Newcomer) -> None:
    (newcomer.folder / "assetbuild.toml").write_text('[entries]\n"b.css" = "@fontsource/inter/400.css"\n')

    assert (
        1,
        "error: `@fontsource/inter/400.css` is in no root, not in the project and in no npm package [missing-source]\n"
        "  assetbuild.toml:2:11\n"
        '  2 │ "b.css" = "@fontsource/inter/400.css"\n'
        "    │           ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  run `npm install @fontsource/inter`\n\n"
        "1 error\n",
    ) == newcomer.sees()


def test_an_entry_that_begins_with_a_folder_of_the_project_is_of_no_package(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/themes").mkdir()
    (newcomer.folder / "assetbuild.toml").write_text('[entries]\n"b.css" = "themes/dark.css"\n')

    assert (
        1,
        "error: `themes/dark.css` is in no root, not in the project and in no npm package [missing-source]\n"
        "  assetbuild.toml:2:11\n"
        '  2 │ "b.css" = "themes/dark.css"\n'
        "    │           ^^^^^^^^^^^^^^^^^\n\n"
        "1 error\n",
    ) == newcomer.sees()


def test_references_that_are_no_paths_are_told_what_would_be_one(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").unlink()
    (newcomer.folder / "assets/app.css").write_text(
        '@import "tailwindcss";\n'
        '@import "~b/b.css";\n'
        ".a { background: url(\"{{ url_for('static', filename='a.png') }}\") }\n"
    )

    assert (
        1,
        text(
            """
            error: `tailwindcss` is not in any asset root [missing-reference]
              assets/app.css:1:10
              1 │ @import "tailwindcss";
                │          ^^^^^^^^^^^
              Tailwind compiles it: make the sheet an input of a `[[commands]]`, outside the roots
              note: looked for `tailwindcss`

            error: `~b/b.css` is not in any asset root [missing-reference]
              assets/app.css:2:10
              2 │ @import "~b/b.css";
                │          ^^^^^^^^
              run `npm install b`
              note: looked for `~b/b.css`, `assets/node_modules/b/b.css`, `node_modules/b/b.css`

            error: `{{ url_for('static', filename='a.png') }}` is not in any asset root [missing-reference]
              assets/app.css:3:23
              3 │ .a { background: url("{{ url_for('static', filename='a.png') }}") }
                │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              what is compiled is no template: write the path of the file
              note: looked for `{{ url_for('static', filename='a.png') }}`

            3 errors
            """
        ),
    ) == newcomer.sees()


def test_a_root_of_partials_alone_is_told_what_a_partial_is(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").rename(newcomer.folder / "assets/_app.scss")

    assert (
        0,
        "warning: nothing to publish was found in `assets` [no-assets]\n"
        "  `assets/_app.scss` is a partial, which other stylesheets load: without its `_` it is compiled itself\n\n"
        "1 warning\n"
        'without configuration: roots = ["assets"]\n'
        "compiled 0 assets (1 file written, 0 unchanged) → build/assets  0 B  in T\n",
    ) == newcomer.sees()


def test_an_empty_root_is_told_what_to_put_there(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").unlink()

    assert (
        0,
        "warning: nothing to publish was found in `assets` [no-assets]\n"
        "  put a stylesheet, a script or an image there\n\n"
        "1 warning\n"
        'without configuration: roots = ["assets"]\n'
        "compiled 0 assets (1 file written, 0 unchanged) → build/assets  0 B  in T\n",
    ) == newcomer.sees()


def test_a_script_in_typescript_without_an_entry_is_told_to_be_one(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").rename(newcomer.folder / "assets/app.ts")

    assert (
        0,
        "warning: `assets/app.ts` is compiled through an entry alone, and no entry is a module [no-entry]\n"
        "  assets/app.ts\n"
        '  write "app.js" = { module = "app.ts" } under `[entries]`\n\n'
        "1 warning\n"
        'without configuration: roots = ["assets"]\n'
        "compiled 0 assets (1 file written, 0 unchanged) → build/assets  0 B  in T\n",
    ) == newcomer.sees()


def without_rights(*arguments: str) -> list[str]:
    """Return a command line that runs as a user who may not pass over modes, whoever runs the tests."""
    need("setpriv", os.geteuid() != 0 or shutil.which("setpriv") is not None)
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return [*drop, sys.executable, "-m", "assetbuild", *arguments]


def test_an_output_that_this_user_may_not_write_is_told_what_to_do(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").rename(newcomer.folder / "assets/app.css")
    (newcomer.folder / "build").mkdir(mode=0o555)

    done = subprocess.run(without_rights("compile"), cwd=newcomer.folder, capture_output=True, text=True, check=False)

    assert (
        2,
        f"error: `{newcomer.folder}/build/assets` cannot be written: permission denied\n"
        "  let this user write there, or choose another folder with `--output`\n",
    ) == (done.returncode, done.stderr)


def test_a_source_that_this_user_may_not_read_is_told_what_to_do(newcomer: Newcomer) -> None:
    (newcomer.folder / "assets/app.scss").rename(newcomer.folder / "assets/app.css")
    (newcomer.folder / "assets/app.css").chmod(0)

    done = subprocess.run(without_rights("compile"), cwd=newcomer.folder, capture_output=True, text=True, check=False)

    assert (
        1,
        "error: `assets/app.css` cannot be read: permission denied [unreadable]\n"
        "  assets/app.css\n"
        "  let this user read it\n\n1 error\n",
    ) == (done.returncode, done.stderr)


def test_an_output_that_is_a_file_is_told_what_to_do(newcomer: Newcomer) -> None:
    (newcomer.folder / "out").write_text("")

    assert (
        2,
        f"error: `{newcomer.folder}/out` cannot be written: file exists\n"
        "  a folder has to be there: take away what is, or choose another with `--output`\n",
    ) == newcomer.sees("compile", "--output", "out")


def test_an_entry_in_a_language_that_no_engine_reads(newcomer: Newcomer) -> None:
    (newcomer.folder / "assetbuild.toml").write_text('[entries]\n"app.css" = "app.less"\n')

    assert (
        2,
        'error: `app.less` is neither a stylesheet nor a script, at `entries."app.css"` (assetbuild.toml) '
        "[bad-value]\n"
        "  assetbuild.toml:2:13\n"
        '  2 │ "app.css" = "app.less"\n'
        "    │             ^^^^^^^^^^\n"
        "  a program of yours compiles it: name that under `[[commands]]`\n\n1 error\n",
    ) == newcomer.sees()


@pytest.mark.parametrize(("command", "folder", "mode"), [("compile", "assets", 0), ("init", ".", 0o555)])
def test_a_folder_that_this_user_may_not_enter_is_told_what_to_do(
    newcomer: Newcomer, command: str, folder: str, mode: int
) -> None:
    place = newcomer.folder / folder
    place.chmod(mode)

    done = subprocess.run(without_rights(command), cwd=newcomer.folder, capture_output=True, text=True, check=False)

    place.chmod(0o755)
    assert (
        2,
        f"error: permission denied: `{place}`\n  give this user the right to it, or run as the user that owns it\n",
    ) == (done.returncode, done.stderr)


OF_OTHERS = {
    *("requires a different Python", "Failed to build libsass", "'asset_tag' is undefined", "'asset' is undefined"),
    *("Encountered unknown tag 'asset'", "Invalid block tag", "'asset_tag'"),
    *("'assetbuild' is not a registered tag library", 'NoMatchFound: No route exists for name "static"'),
}


def test_the_page_of_first_errors_quotes_what_is_said() -> None:
    package = Path(assetbuild.__file__).parent
    page = (package.parent / "docs/how-to/first-errors.md").read_text()
    said = "".join(file.read_text() for file in package.rglob("*.py")).replace("\\", "")
    rows = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)

    quoted = {quote for row in rows for quote in re.findall(r"`([^`]+)`", row)}

    assert len(quoted) > 20
    assert OF_OTHERS == {quote for quote in quoted if quote not in said}

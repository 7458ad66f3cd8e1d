"""What a newcomer does wrong in the first minute, and the whole of what he then sees."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from assetbuild.cli import main
from tests.conftest import Tree

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
        """Return the exit code and all that people read."""
        code = main(arguments or ["compile"])
        return code, self._capsys.readouterr().err


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

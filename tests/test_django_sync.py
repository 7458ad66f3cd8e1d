"""`manage.py assetbuild sync`: the configuration names the installed apps, and nothing else in it changes."""

from __future__ import annotations

import io
import os
import stat
import tomllib
from pathlib import Path

import django.contrib.admin
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler import config
from assetbuild.disk import RealDisk
from assetbuild.web.django.packages import with_packages
from tests.django_site import django_site

ADMIN = "django.contrib.admin"
INSTALLED = [
    "django.contrib.staticfiles",
    "assetbuild.web.django",
    ADMIN,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
]
LONG = [f"package{number}.with.a.long.name" for number in range(5)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'python_packages = ["a", "b"]\n'),
        ("salt = 'x'", 'salt = \'x\'\npython_packages = ["a", "b"]\n'),
        ("python_packages = ['b', 'z'] # mine\n", 'python_packages = ["a", "b", "z"] # mine\n'),
        ("python_packages = [\n  'a'\n]\n", 'python_packages = [\n    "a",\n    "b",\n]\n'),
        ('python_packages = ["a", "b"]', 'python_packages = ["a", "b"]'),
        ("# a\n\nsalt = 'x'\n\n# b\n[js]\n", '# a\n\nsalt = \'x\'\npython_packages = ["a", "b"]\n\n# b\n[js]\n'),
        ("# a\n\n# b\n[js]\n", '# a\n\npython_packages = ["a", "b"]\n\n# b\n[js]\n'),
        ("[js]\r\nminify = true\r\n", 'python_packages = ["a", "b"]\r\n\r\n[js]\r\nminify = true\r\n'),
        ("salt = '''\n[no]\n'''\n[js]\n", "salt = '''\n[no]\n'''\npython_packages = [\"a\", \"b\"]\n\n[js]\n"),
        ("salt = 'python_packages = []'\n", 'salt = \'python_packages = []\'\npython_packages = ["a", "b"]\n'),
    ],
)
def test_a_configuration_gets_the_list_and_keeps_the_rest(before: str, after: str) -> None:
    assert after == with_packages(before, ["a", "b"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[tool.assetbuild] # x\nsalt = ''\n", "[tool.assetbuild] # x\npython_packages = [\"a\"]\nsalt = ''\n"),
        (
            "[project]\nname = 'x'\n\n[tool.assetbuild.js]\nminify = true\n",
            "[project]\nname = 'x'\n\n[tool.assetbuild]\npython_packages = [\"a\"]\n\n"
            "[tool.assetbuild.js]\nminify = true\n",
        ),
        (
            "[tool.other]\npython_packages = []\n[tool.assetbuild]\npython_packages = []\n",
            '[tool.other]\npython_packages = []\n[tool.assetbuild]\npython_packages = ["a"]\n',
        ),
        ("[tool.assetbuild]", '[tool.assetbuild]\npython_packages = ["a"]\n'),
        (
            "[ tool . 'assetbuild' ]\nsalt = ''\n",
            "[ tool . 'assetbuild' ]\npython_packages = [\"a\"]\nsalt = ''\n",
        ),
        (
            '[tool."assetbuild".js]\nminify = true\n',
            '[tool.assetbuild]\npython_packages = ["a"]\n\n[tool."assetbuild".js]\nminify = true\n',
        ),
        (
            '[tool]\nassetbuild.base = "/x/"\n',
            '[tool]\nassetbuild.python_packages = ["a"]\nassetbuild.base = "/x/"\n',
        ),
        (
            'tool.assetbuild.base = "/x/"\n',
            'tool.assetbuild.base = "/x/"\ntool.assetbuild.python_packages = ["a"]\n',
        ),
        (
            "[tool]\nassetbuild = { python_packages = ['z'], salt = '' }\n",
            '[tool]\nassetbuild = { python_packages = ["a", "z"], salt = \'\' }\n',
        ),
        (
            '[tool]\nassetbuild."python_packages" = []\n',
            '[tool]\nassetbuild."python_packages" = ["a"]\n',
        ),
    ],
)
def test_a_pyproject_gets_the_list_in_its_table(before: str, after: str) -> None:
    assert after == with_packages(before, ["a"], ("tool", "assetbuild"))


def test_a_long_list_has_a_line_for_each_name() -> None:
    written = with_packages("", LONG)

    assert "python_packages = [\n" + "".join(f'    "{name}",\n' for name in LONG) + "]\n" == written


def test_a_comment_inside_the_list_is_not_thrown_away() -> None:
    assert None is with_packages('python_packages = [\n  "z", # the theme\n]\n', ["a"])


_names = st.lists(st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3})?", fullmatch=True), max_size=4, unique=True)
_lines = st.lists(
    st.sampled_from(
        [
            "",
            "# python_packages = [",
            "salt = 'a]'",
            "[js]",
            "[a.b]",
            "[[c]]",
            "x = [1,\n 2]",
            "s = '''\n[t]\n'''",
            "y.z = 1",
        ]
    ),
    max_size=6,
)


@given(before=_lines, old=st.none() | _names, at=st.integers(0, 6), names=_names)
def test_what_is_written_means_the_list_and_what_stood_there(
    before: list[str], old: list[str] | None, at: int, names: list[str]
) -> None:
    lines = before if old is None else [*before[:at], f"python_packages = {old}", *before[at:]]
    text = "\n".join(lines)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    written = with_packages(text, names)

    assert written is not None
    known = document.get("python_packages", [])
    wanted = names + [name for name in known if name not in names]
    expected = document if wanted == known else document | {"python_packages": wanted}
    assert expected == tomllib.loads(written)
    kept = [line for line in text.split("\n") if not line.startswith("python_packages")]
    assert kept == [line for line in kept if line in written.split("\n")]


def sync(project: Path, *flags: str) -> str:
    out = io.StringIO()
    with django_site(project, INSTALLED_APPS=INSTALLED):
        call_command("assetbuild", "sync", *flags, stdout=out)
    return out.getvalue()


def test_the_command_writes_what_a_compile_then_reads(tmp_path: Path) -> None:
    assert f"wrote the installed apps that have static files into `assetbuild.toml`: {ADMIN}\n" == sync(tmp_path)

    assert f'python_packages = ["{ADMIN}"]\n' == (tmp_path / "assetbuild.toml").read_text()
    assert ["assetbuild.toml"] == [file.name for file in tmp_path.iterdir()]
    assert "`assetbuild.toml` names all installed apps that have static files\n" == sync(tmp_path, "--check")


def test_the_command_keeps_mode_and_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "assetbuild.toml"
    file.write_bytes(b"salt = 'x'\r\n")
    file.chmod(0o640)

    sync(tmp_path)

    assert f"salt = 'x'\r\npython_packages = [\"{ADMIN}\"]\r\n".encode() == file.read_bytes()
    assert 0o640 == stat.S_IMODE(file.stat().st_mode)


def test_the_command_finds_the_table_in_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.assetbuild]\n")

    sync(tmp_path)

    assert (tmp_path / "pyproject.toml").read_text().endswith(f'[tool.assetbuild]\npython_packages = ["{ADMIN}"]\n')


@pytest.mark.parametrize(
    "text",
    [
        '[tool]\nassetbuild.base = "/x/"\n',
        '[ tool . assetbuild ]\nbase = "/x/"\n',
        '[tool."assetbuild"]\nbase = "/x/"\n',
        '[tool]\nassetbuild = {base = "/x/", python_packages = []}\n',
        "# [tool.assetbuild] some day\n[project]\nname = 'x'\n",
        "[tool.assetbuild-other]\na = 1\n",
        "tool = [1]\n#[tool.assetbuild\n",
        "\ufeff[tool.assetbuild]\n",
    ],
)
def test_the_command_writes_where_the_compiler_reads(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "static").mkdir()

    sync(tmp_path)

    project = config.read(str(tmp_path), {}, RealDisk(), config.Flags())
    admin = os.path.join(os.path.dirname(django.contrib.admin.__file__), "static")
    assert [str(tmp_path / "static"), admin] == [root.folder for root in project.roots]


def test_two_configurations_are_refused_as_by_the_compiler(tmp_path: Path) -> None:
    (tmp_path / "assetbuild.toml").write_text("salt = ''\n")
    (tmp_path / "pyproject.toml").write_text("[tool]\nassetbuild.salt = ''\n")

    with pytest.raises(CommandError) as caught:
        sync(tmp_path)

    expected = (
        "`assetbuild.toml` and `[tool.assetbuild]` in `pyproject.toml` both configure this project; keep one of them"
    )
    assert expected == str(caught.value)


def test_a_configuration_that_is_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/own.toml").write_text("salt = 'x'\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "assetbuild.toml").symlink_to("../shared/own.toml")

    sync(project)

    assert (project / "assetbuild.toml").is_symlink()
    assert f"salt = 'x'\npython_packages = [\"{ADMIN}\"]\n" == (tmp_path / "shared/own.toml").read_text()
    assert ["own.toml"] == [file.name for file in (tmp_path / "shared").iterdir()]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("assetbuild.toml", "python_packages = 5", "expected a list of strings, got `int` at `python_packages`"),
        ("assetbuild.toml", "[python_packages]", "expected a list of strings, got `table` at `python_packages`"),
        ("assetbuild.toml", 'python_packages = [["a"]]', "expected a string, got `list` at `python_packages[0]`"),
        ("pyproject.toml", "[tool]\nassetbuild = 1", "expected a table, got `int` at `tool.assetbuild`"),
        ("pyproject.toml", "[[tool.assetbuild]]", "expected a table, got `list` at `tool.assetbuild`"),
    ],
)
def test_a_value_of_another_type_is_named(tmp_path: Path, file: str, text: str, message: str) -> None:
    (tmp_path / file).write_text(text)

    with pytest.raises(CommandError) as caught:
        sync(tmp_path)

    assert f"{message} ({file})" == str(caught.value)
    assert text == (tmp_path / file).read_text()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "assetbuild.toml").mkdir()

    with pytest.raises(CommandError) as caught:
        sync(tmp_path)

    assert "`assetbuild.toml` cannot be written: is a directory" == str(caught.value)
    assert ["assetbuild.toml"] == [file.name for file in tmp_path.iterdir()]


def test_check_fails_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"does not name all installed apps; run `manage\.py assetbuild sync`"):
        sync(tmp_path, "--check")

    assert [] == [*tmp_path.iterdir()]


def test_what_cannot_be_changed_safely_is_said(tmp_path: Path) -> None:
    text = 'python_packages = [\n  "z", # the theme\n]\n'
    (tmp_path / "assetbuild.toml").write_text(text)

    with pytest.raises(CommandError) as caught:
        sync(tmp_path)

    expected = f'`assetbuild.toml` cannot be changed safely; let its `python_packages` begin with ["{ADMIN}"]'
    assert expected == str(caught.value)
    assert text == (tmp_path / "assetbuild.toml").read_text()


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "assetbuild.toml").write_text('salt = "1"\nbase = /static/\n')

    with pytest.raises(CommandError) as caught:
        sync(tmp_path)

    assert (
        "`assetbuild.toml` is not TOML: invalid value, at line 2, column 8; "
        'put the text into quotes: `base = "/static/"`'
    ) == str(caught.value)


def test_apps_of_the_project_are_its_own_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shopfront/static").mkdir(parents=True)
    (tmp_path / "shopfront/__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    out = io.StringIO()

    with django_site(tmp_path, INSTALLED_APPS=[*INSTALLED, "shopfront"]):
        call_command("assetbuild", "sync", stdout=out)

    assert f'python_packages = ["{ADMIN}"]\n' == (tmp_path / "assetbuild.toml").read_text()

"""The same sources give the same bytes, whatever the folder, clock, umask, locale, hash seed or number of jobs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.engines import NAMES
from tests.conftest import need, pinned
from tests.test_docker import need_index

REPOSITORY = Path(__file__).parents[1]
EXAMPLE = REPOSITORY / "example_assets"

# Beside what the example needs: the engines that only a setting or a filter asks for.
OTHERS = {
    "old/a.scss": "$a: red; .a { .b { color: $a } }",
    "old/b.css": "a{background:url('../assets/img/logo.svg')}",
    "assets/new/c.css": "@import 'd.css'; a { &:hover { inset: 0 } }",
    "assets/new/d.css": "b { color: color-mix(in srgb, red, blue) }",
    "bundles.yaml": "bundles: {old: {contents: [css/base.css], filters: 'rcssmin,cssrewrite', output: css/b.css}}",
    "assets/pages/a.html": '<!doctype html><link rel="stylesheet" href="../css/base.css"><img src="../img/logo.svg">',
    "assets/css/base.css": "a { color: blue }",
    "assets/new/e.js": 'import "./f.js";\n',
    "assets/new/f.js": "export {};\n",
    "assets/img/logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="2"><a/></svg>',
}
CONFIG = """
[compress]
zstd = true
[css]
engine = "esbuild"
targets = ["chrome90"]
[sourcemaps]
mode = "public"
[webassets]
environment = "bundles.yaml"
[entries]
"css/old.css" = { sources = ["old/a.scss", "old/b.css"], filters = ["libsass", "rcssmin"] }
"css/new.css" = { sources = ["new/c.css"], engine = "builtin" }
"css/libsass.css" = { sources = ["old/a.scss"], engine = "libsass" }
"""


class Around(NamedTuple):
    """What is around a compile. clock: for faketime. folder: of the project, below a folder of the test."""

    variables: Mapping[str, str] = {}
    umask: str = "022"
    jobs: int = 1
    clock: str = ""
    folder: str = "site"
    is_shuffled: bool = False
    is_warm: bool = False


PLAIN = Around({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"})
OTHER = {
    "another folder": PLAIN._replace(folder="é ü/" + "x" * 100 + "/other site"),
    "another hash seed": PLAIN._replace(variables={"PYTHONHASHSEED": "1"}),
    "a random hash seed, eight jobs": PLAIN._replace(variables={"PYTHONHASHSEED": "random"}, jobs=8),
    "another time zone, a closed umask": PLAIN._replace(variables={"TZ": "Pacific/Kiritimati"}, umask="077"),
    "Turkish": PLAIN._replace(variables={"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}),
    "a clock in 1970": PLAIN._replace(clock="1970-01-02 03:04:05"),
    "a clock ten years ahead": PLAIN._replace(clock="2041-05-06 07:08:09"),
    "folders in another order": PLAIN._replace(is_shuffled=True),
    "a warm cache": PLAIN._replace(is_warm=True),
}


def tree_digest(output: Path) -> str:
    """Return one digest over names, modes and bytes of everything below `output`."""
    digest = hashlib.sha256()
    for file in sorted(output.rglob("*")):
        digest.update(f"{file.relative_to(output)} {file.stat().st_mode:o}\n".encode())
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def compiled_in(project: Path, around: Around, cache: str = "off", python: str = sys.executable) -> str:
    """Compile in a process of its own and return the digest of the output."""
    command = [python, "-m", "assetbuild", "compile", str(project), "--jobs", str(around.jobs)]
    if around.clock:
        need("faketime", shutil.which("faketime") is not None)
        command = ["faketime", around.clock, *command]
    done = subprocess.run(
        ["/bin/sh", "-c", f'umask {around.umask}; exec "$@"', "sh", *command],
        env={**os.environ, **around.variables, "ASSETBUILD_CACHE": cache},
        cwd=project.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    assert 0 == done.returncode, done.stderr
    return tree_digest(project / "build/assets")


def copied(folder: Path, seed: int) -> Path:
    """Return a project that needs every engine, made in another order, with other modification times."""
    rng = random.Random(seed)
    example = [file for file in EXAMPLE.rglob("*") if file.is_file() and "build" not in file.relative_to(EXAMPLE).parts]
    texts = {str(file.relative_to(EXAMPLE)): file.read_bytes() for file in example}
    texts |= {name: text.encode() for name, text in OTHERS.items()}
    written = texts["assetbuild.toml"].decode()
    texts["assetbuild.toml"] = written.replace("[entries]\n", CONFIG.lstrip()).encode()
    names = sorted(texts)
    rng.shuffle(names)
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(texts[name])
        os.utime(target, (rng.randint(0, 2**31), rng.randint(0, 2**32)))
    return folder


@contextlib.contextmanager
def shuffled(folder: Path) -> Iterator[Path]:
    """Give a view of `folder` whose listings come in another order each time."""
    need("disorderfs", shutil.which("disorderfs") is not None and os.access("/dev/fuse", os.R_OK | os.W_OK))
    view = folder.with_name("shuffled")
    view.mkdir()
    mounted = subprocess.run(
        ["disorderfs", "--shuffle-dirents=yes", "--reverse-dirents=no", "--quiet", folder, view],
        capture_output=True,
        check=False,
    )
    need("the right to mount with FUSE", mounted.returncode == 0)
    try:
        yield view
    finally:
        subprocess.run(["fusermount", "-u", "-z", view], check=True, capture_output=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the digest of the output that every environment has to give."""
    need("esbuild", pinned("esbuild") is not None)
    return compiled_in(copied(tmp_path_factory.mktemp("plain") / "site", 0), PLAIN)


@pytest.mark.parametrize("name", OTHER)
def test_every_environment_gives_the_same_bytes(plain: str, tmp_path: Path, name: str) -> None:
    around = OTHER[name]
    project = copied(tmp_path / around.folder, list(OTHER).index(name) + 1)
    cache = str(tmp_path / "cache") if around.is_warm else "off"
    if around.is_warm:
        compiled_in(project, around, cache)
        shutil.rmtree(project / "build")

    with shuffled(project) if around.is_shuffled else contextlib.nullcontext(project) as seen:
        digest = compiled_in(seen, around, cache)

    assert plain == digest


def test_the_project_of_these_tests_needs_every_engine(compiled: Callable[..., Outcome], tmp_path: Path) -> None:
    need("esbuild", pinned("esbuild") is not None)

    outcome = compiled(copied(tmp_path / "site", 0))

    assert set(NAMES) == {name for name, count in outcome.engine_jobs.items() if count}


def installed(python: str, folder: Path) -> str:
    """Return the interpreter of a new environment with our wheel, as a user of that version would install it."""
    need_index(folder.with_name("index"))
    wheels = folder.with_name("wheels")
    commands = [
        [python, "-m", "venv", str(folder)],
        [str(folder / "bin/pip"), "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(REPOSITORY)],
        [str(folder / "bin/pip"), "install", "--quiet", "--find-links", str(wheels), "assetbuild[compile,webassets]"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stderr
    return str(folder / "bin/python")


def pythons() -> list[str]:
    """Return a Python for each version that we support and that is at hand, on the path or as pyenv keeps them."""
    kept = (file.parent for file in Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    path = os.pathsep.join([*map(str, kept), os.environ.get("PATH", os.defpath)])
    found = filter(None, (shutil.which(f"python3.{minor}", path=path) for minor in (11, 12, 13, 14)))
    return [file for file in found if subprocess.run([file, "-V"], capture_output=True, check=False).returncode == 0]


def test_wheels_of_two_python_versions_give_the_same_bytes(tmp_path: Path) -> None:
    found = pythons()
    need("two Python versions", len(found) > 1)
    need("esbuild", pinned("esbuild") is not None)

    digests = {
        python: compiled_in(
            copied(tmp_path / f"site{number}", 1), PLAIN, python=installed(python, tmp_path / f"{number}")
        )
        for number, python in enumerate((found[0], found[-1]))
    }

    assert 1 == len(set(digests.values())), digests


def test_a_second_compile_rewrites_no_file(compiled: Callable[..., Outcome], tmp_path: Path) -> None:
    project = Path(shutil.copytree(EXAMPLE / "classic", tmp_path / "classic", ignore=shutil.ignore_patterns("build")))
    first = compiled(project)
    before = {file: file.stat().st_mtime_ns for file in Path(first.project.output).rglob("*")}

    second = compiled(project)

    assert second.published
    assert 0 == second.published.written
    assert before == {file: file.stat().st_mtime_ns for file in Path(first.project.output).rglob("*")}

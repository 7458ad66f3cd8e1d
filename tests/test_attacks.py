"""Hostile projects through the whole compile: what it says, what it leaves behind, and what it never touches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assetbuild.compiler.project import Project, Root
from assetbuild.compiler.survey import survey
from assetbuild.disk import TEMP_MARK, RealDisk
from assetbuild.manifest import Manifest
from assetbuild.release.verify import verify
from tests.conftest import Tree

TIMEOUT_S = 60


def command(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Return what `assetbuild` did."""
    return subprocess.run(
        [sys.executable, "-m", "assetbuild", *map(str, args)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def whole(output: Path) -> bool:
    """Return whether the output is what its manifest says."""
    return verify(str(output), RealDisk()).is_whole


def manifest_of(project: Path) -> Manifest:
    file = project / "build/assets/manifest.json"
    return Manifest(file.read_bytes(), str(file))


@pytest.mark.parametrize("writer", ["0-1", "99999999999999999999-1", "²-1", "-1", "x"])
def test_a_temporary_file_whose_writer_never_was_is_removed(tree: Tree, writer: str) -> None:
    project = tree({"assets/a.css": "a{b:c}", f"build/assets/{TEMP_MARK}{writer}": "torn"})

    done = command("compile", project)

    assert (0, True) == (done.returncode, whole(project / "build/assets"))
    assert {"manifest.json"} == {p.name for p in (project / "build/assets").iterdir() if "a-" not in p.name}


def test_folders_may_be_nested_deeper_than_calls(tree: Tree, tmp_path: Path) -> None:
    project = tree({"assetbuild.toml": ""})
    RealDisk().write(str(project / "assets"), "a/" * sys.getrecursionlimit() + "b.txt", b"b")
    output, archive, released = project / "build/assets", tmp_path / "assets.tar", tmp_path / "released"
    steps = (
        *(("compile", project, "--no-cache"),) * 2,  # the second finds what the first has published
        ("verify", output),
        ("clean", output),
        ("pack", output, archive),
        ("unpack", archive, released / "site"),
        ("carry", output, "--from", released),
    )

    try:
        done = [command(*step) for step in steps]
        is_whole = whole(released / "site")
    finally:  # here, because pytest's own tidying up does recurse
        subprocess.run(["rm", "-rf", output, released, project / "assets"], check=True)

    assert [0] * len(steps) == [each.returncode for each in done]
    assert is_whole


def test_a_control_character_of_latin_1_in_a_name_is_an_error_that_names_the_file(tree: Tree) -> None:
    done = command("compile", tree({"assets/a\x85b.png": ""}))

    assert 1 == done.returncode
    assert "error: `a<U+0085>b.png` holds a control character [bad-name]" == done.stderr.splitlines()[0]


def test_a_picture_that_boasts_of_its_size_has_none(tree: Tree) -> None:
    boast = '<svg xmlns="http://www.w3.org/2000/svg" width="99999999999999999999" height="3"/>'
    project = tree({"assets/boast.svg": boast, "assets/plain.svg": boast.replace("9" * 20, "7")})

    done = command("compile", project)

    assert 0 == done.returncode, done.stderr
    sizes = {name: manifest_of(project).asset(name) for name in ("boast.svg", "plain.svg")}
    assert {"boast.svg": (0, 0), "plain.svg": (7, 3)} == {n: (a.width, a.height) for n, a in sizes.items() if a}


def test_a_number_of_too_many_digits_in_the_configuration_is_one_error(tree: Tree) -> None:
    done = command("compile", tree({"assets/a.css": "", "assetbuild.toml": f"budgets = {'9' * 5000}"}))

    assert 2 == done.returncode
    assert "error: the file holds a number of too many digits [invalid-toml]" == done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("files", "stable", "first"),
    [
        (
            {"assets/manifest.json": "{}"},
            'site_root = ["*.json"]',
            "`manifest.json` would be written over `manifest.json`, which is a file of the output too",
        ),
        (
            {"assets/Manifest.JSON": "{}"},
            'keep_names = ["**"]',
            "`Manifest.JSON` would be written over `manifest.json`, which is a file of the output too",
        ),
        (
            {"assets/manifest.json/a.css": ""},
            'keep_names = ["b"]',
            "`manifest.json/a.css` would be written over `manifest.json`, which is a file of the output too",
        ),
        (
            {"assets/a.css": "", "other/a.css/b.png": ""},
            'roots = ["assets", "other"]\nkeep_names = ["**"]',
            "`a.css/b.png` would be written over `a.css`, which is a file of the output too",
        ),
    ],
)
def test_nothing_is_written_over_the_manifest_or_below_a_file(
    tree: Tree, files: dict[str, str], stable: str, first: str
) -> None:
    project = tree({**files, "assetbuild.toml": stable})

    done = command("compile", project)

    assert (1, f"error: {first} [name-clash]") == (done.returncode, done.stderr.splitlines()[0])
    assert not (project / "build").exists()


def test_a_copy_is_not_written_over_a_published_file_or_its_variant(tree: Tree) -> None:
    text = "a{color:red}" * 99
    command("compile", tree({"assets/a.css": text}))
    (name,) = (p.name for p in (tree({}) / "build/assets").glob("*.css"))

    done = command("compile", tree({f"assets/{name}.br": "", "assetbuild.toml": 'keep_names = ["*.br"]'}))

    message = f"`{name}.br` would be written over `{name}.br`, which is a file of the output too"
    assert (1, f"error: {message} [name-clash]") == (done.returncode, done.stderr.splitlines()[0])


def test_a_package_path_does_not_lead_to_what_the_roots_withhold(tree: Tree) -> None:
    names = ("x/../../assets/_p.scss", "~x/../../assets/_q.scss", "x/%2e%2e/y/i.png")
    sheet = "".join(f'.a{{background:url("{name}")}}' for name in names)
    withheld = {"assets/_p.scss": "$p:1", "assets/_q.scss": "$q:1"}
    packages = {"node_modules/x/i.png": "x", "node_modules/y/i.png": "y"}

    done = command("compile", tree({"assets/a.css": sheet, **withheld, **packages}))

    shown = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert 1 == done.returncode
    assert len(names) == len(shown), shown
    assert all("[missing-reference]" in line for line in shown)


def test_links_that_multiply_each_other_are_an_error(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tree({f"assets/d{number:02}/a.css": "" for number in range(31)})
    for number in range(30):
        for name in ("left", "right"):
            (project / f"assets/d{number:02}" / name).symlink_to(f"../d{number + 1:02}")
    monkeypatch.setattr(sys.modules[survey.__module__], "LINKED_LIMIT", 1000)

    found = survey(Project(str(project), "", (Root(str(project / "assets"), "assets"),)), RealDisk())

    assert ["links lead to more than 1,000 files: they multiply each other"] == [d.message for d in found.diagnostics]


def test_nothing_is_written_through_a_link_in_the_output(tree: Tree) -> None:
    project = tree({"assets/css/a.css": "a{b:c}", "victim/keep": "", "build/assets/x": ""})
    (project / "build/assets/css").symlink_to("../../victim")

    done = command("compile", project)

    folder = project / "build/assets/css"
    words = f"`{folder}` cannot be written: is a link and not a folder"
    assert (2, f"error: {words}") == (done.returncode, done.stderr.splitlines()[0])
    assert [project / "victim/keep"] == list((project / "victim").iterdir())


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_do_not_reach_the_engines(tree: Tree, closed: tuple[int, ...]) -> None:
    project = tree(
        {
            "assets/a.js": "var year = 2000;",
            "assets/s.scss": "a{b:c}",
            "assetbuild.toml": '[entries]\n"c.js" = { classic = ["a.js"] }',
        }
    )
    closing = " ".join(f"{number}>&-" for number in closed)

    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m assetbuild compile "$1" {closing}', sys.executable, project],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert whole(project / "build/assets")


@pytest.mark.parametrize("text", ["x = " + "[" * 300 + "]" * 300, "x = (1", "/* never closed"])
def test_a_script_that_cannot_be_minified_is_never_published_in_silence(tree: Tree, text: str) -> None:
    minified = 'roots = [{ path = "assets", minify = true }]'

    done = command("compile", tree({"assets/a.js": text, "assetbuild.toml": minified}))

    assert (1, True) == (done.returncode, done.stderr.startswith("error: ")), done.stderr


def test_a_salt_or_revision_that_the_manifest_cannot_hold_is_refused_at_once(tree: Tree) -> None:
    salted = command("compile", tree({"assets/a.css": "", "assetbuild.toml": 'salt = "\\u0085"'}))
    revised = command("compile", tree({"assetbuild.toml": ""}), "--revision", "a\nb")

    assert (2, 2) == (salted.returncode, revised.returncode)
    assert salted.stderr.startswith("error: `<U+0085>` holds a control character, at `salt` (assetbuild.toml)")
    assert "the revision `a" in revised.stderr
    assert "[bad-revision]" in revised.stderr

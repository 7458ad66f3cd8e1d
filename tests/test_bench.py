"""The benchmark of the compile runs, and everybody in it does the same work. Times are nobody's business here."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = """\
# Performance

<!-- static-1k -->

Wall s / CPU s (CPU ÷ ours), medians of 1.

|  | cold | no-op |
|---|---|---|
| cp -r + sha256sum | 777.07 / 666.06 | 0.20 / 0.09 |
| webassets | is not installed | |

<!-- end of static-1k -->

<!-- figures -->

| figure | target | wall | CPU | reached |
|---|---|---|---|---|
| app, no-op | ≤ 0.12 s | 0.0884 | 0.0853 | yes |

<!-- end of figures -->

The last words.
"""
COPY, LOOP = "cp -r + sha256sum", "bare Python loop"
PEERS = (
    "assetbuild",
    "assetbuild, gzip + br",
    "bare Python loop",
    "cp -r + sha256sum",
    "webassets",
    "Django manifest storage",
    "WhiteNoise storage",
    "Django manifest storage, enhanced",
)

Packages = Callable[..., Path]
Results = dict[str, Any]


def bench(work: Path, packages: Packages, *options: str) -> None:
    """Run the command once at a fiftieth of the size, with the peers that are installed here."""
    done = called(work, packages, "--scale", "0.02", "--rounds", "1", *options)
    assert done.returncode == 0, done.stderr


def called(work: Path, packages: Packages, *options: str) -> subprocess.CompletedProcess[str]:
    """Return the command after it has run with the peers that are installed here."""
    work.mkdir(exist_ok=True)
    if not (work / "npm-corpora").exists():
        (work / "npm-corpora").symlink_to(packages("npm-corpora", "bench").parent)
    command = [sys.executable, str(REPOSITORY / "bench/build.py"), "--work", str(work), "--no-install", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, installed_packages: Packages) -> Path:
    """Return the folder of one trial, with results.json in it."""
    folder = tmp_path_factory.mktemp("bench")
    options = ["--on", "legacy", "static-1k", "--json", str(folder / "results.json"), "--peers", *PEERS]
    bench(folder / "work", installed_packages, *options)
    return folder


@pytest.fixture
def results(run: Path) -> Results:
    found: Results = json.loads((run / "results.json").read_text())
    return found


def output(results: Results, corpus: str, peer: str) -> dict[str, int]:
    row = next(row for row in results["results"][corpus] if row["peer"] == peer)
    found: dict[str, int] = row["output"]
    return found


def test_every_tool_publishes_every_small_file(results: Results) -> None:
    files = {peer: output(results, "static-1k", peer)["files"] for peer in PEERS if peer in of(results, "static-1k")}

    assert {
        "assetbuild": 50 + 1,  # and a manifest
        "assetbuild, gzip + br": 50 + 1,
        "bare Python loop": 50,
        "cp -r + sha256sum": 50,
        "Django manifest storage": 2 * 50 + 1,  # the originals stay
        "WhiteNoise storage": 2 * 50 + 1,
    } == files


def of(results: Results, corpus: str) -> set[str]:
    return {row["peer"] for row in results["results"][corpus] if not row["absent"]}


def test_references_lead_to_files_and_nobody_has_fewer_than_the_sources(results: Results) -> None:
    written = output(results, "static-1k", "cp -r + sha256sum")
    expected = {"assetbuild": 1, "assetbuild, gzip + br": 1, "Django manifest storage": 2, "WhiteNoise storage": 2}

    assert written["resolved"] > 8
    for peer, times in expected.items():
        found = output(results, "static-1k", peer)
        assert (times * written["resolved"], 0) == (found["resolved"], found["broken"]), peer


def test_a_reference_to_a_name_that_is_gone_counts_as_broken(results: Results) -> None:
    written = output(results, "static-1k", "cp -r + sha256sum")["resolved"]
    looped = output(results, "static-1k", "bare Python loop")

    assert (0, written) == (looped["resolved"], looped["broken"])


def test_variants_are_counted_apart(results: Results) -> None:
    assert 0 == output(results, "static-1k", "assetbuild")["variants"]
    assert 50 < output(results, "static-1k", "assetbuild, gzip + br")["variants"] <= 2 * 50


def test_bundles_hold_the_references_of_their_sources(results: Results) -> None:
    ours, theirs = (output(results, "legacy", peer) for peer in ("assetbuild", "webassets"))

    assert (40, 0) == (ours["resolved"], ours["broken"]) == (theirs["resolved"], theirs["broken"])
    assert 4 == theirs["files"]
    assert 4 + 60 + 1 == ours["files"]  # bundles, pictures, the manifest


def test_each_small_edit_is_a_scenario(tmp_path: Path, installed_packages: Packages) -> None:
    kept = tmp_path / "results.json"

    bench(tmp_path / "work", installed_packages, "--on", "themes", "--peers", "assetbuild", "--json", str(kept))

    (row,) = json.loads(kept.read_text())["results"]["themes"]
    assert {"cold", "no-op", "theme", "shared"} == row["costs"].keys()
    assert (10, 0) == (row["output"]["resolved"], row["output"]["broken"])


def test_what_is_not_installed_is_named_with_the_reason(results: Results) -> None:
    row = next(row for row in results["results"]["static-1k"] if row["peer"] == "Django manifest storage, enhanced")

    assert "`django-manifeststaticfiles-enhanced` is not in the Python environment" == row["absent"]


def test_a_figure_is_the_quotient_of_two_rows(results: Results) -> None:
    cold = {row["peer"]: row["costs"]["cold"] for row in results["results"]["static-1k"] if row["costs"]}
    figure = next(each for each in results["figures"] if each["target"] == "≤ 0.19 × Django manifest storage")

    assert cold["assetbuild"]["wall_s"] / cold["Django manifest storage"]["wall_s"] == figure["wall"]
    assert cold["assetbuild"]["cpu_s"] / cold["Django manifest storage"]["cpu_s"] == figure["cpu"]
    assert "a trial" == figure["reached"]


def test_a_trial_judges_no_figure(results: Results) -> None:
    assert {"a trial", "not measured"} == {figure["reached"] for figure in results["figures"]}


def test_a_figure_whose_corpus_was_left_out_is_not_measured(results: Results) -> None:
    figure = next(each for each in results["figures"] if each["claim"] == "static-100k, peak memory")

    assert (None, None, "not measured") == (figure["wall"], figure["cpu"], figure["reached"])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, installed_packages: Packages) -> Path:
    """Return the folder of one run in full size, of what is quick, with page.md and its kept results in it."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "page.md").write_text(PAGE)
    done = called(folder, installed_packages, *written(folder, "--peers", COPY, LOOP, "--rounds", "2"))
    assert done.returncode == 0, done.stderr
    return folder


def written(folder: Path, *options: str) -> list[str]:
    return ["--on", "static-1k", "--page", str(folder / "page.md"), *options]


def test_a_page_has_the_tables_that_were_measured_and_keeps_all_else(measured: Path) -> None:
    page = (measured / "page.md").read_text()

    assert page.startswith("# Performance\n\n<!-- static-1k -->\n\n### static-1k\n\n1,000 ")
    assert all(re.search(rf"^\| {re.escape(peer)} \| \d+\.\d\d / ", page, re.MULTILINE) for peer in (COPY, LOOP))
    assert page.endswith("\nThe last words.\n")
    assert "777.07 / 666.06" not in page


def test_a_figure_that_was_not_measured_stays_on_the_page(measured: Path) -> None:
    page = (measured / "page.md").read_text()

    assert "\n| app, no-op | ≤ 0.12 s | 0.0884 | 0.0853 | yes |\n" in page
    assert "\n| static-100k, peak memory | ≤ 300 MB |  |  | not measured |\n" in page


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--peers", COPY], "page.md keeps its table of `static-1k`: this run has no figures of `bare Python loop`"),
        (
            ["--peers", COPY, LOOP, "--rounds", "1"],
            "page.md keeps its table of `static-1k`: its medians are of 2 rounds, this run's of 1",
        ),
        (["--scale", "0.02"], "a trial is for no page: leave out `--page` or `--scale`"),
    ],
)
def test_no_page_and_no_result_gives_way_to_poorer_figures(
    measured: Path, installed_packages: Packages, options: list[str], reason: str
) -> None:
    names = ("page.md", "results.json")
    before = [(measured / name).read_bytes() for name in names]

    done = called(measured, installed_packages, *written(measured, *options))

    assert (2, True) == (done.returncode, done.stderr.endswith(f"{reason}\n")), done.stderr
    assert before == [(measured / name).read_bytes() for name in names]


def test_a_run_without_a_page_leaves_better_results(measured: Path, installed_packages: Packages) -> None:
    before = (measured / "results.json").read_bytes()

    done = called(measured, installed_packages, "--on", "static-1k", "--peers", COPY, "--rounds", "1")

    assert 0 == done.returncode
    assert before == (measured / "results.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--peers", "webasset"], "`webasset` is no peer; did you mean `webassets`?"),
        (["--peers", COPY, "Nosuch*"], "`Nosuch*` is no peer; there are `assetbuild`, "),
        (["--on", "legcy"], "`legcy` is no corpus; did you mean `legacy`?"),
    ],
)
def test_a_name_that_nobody_has_is_an_error_with_the_nearest(
    tmp_path: Path, installed_packages: Packages, options: list[str], words: str
) -> None:
    done = called(tmp_path, installed_packages, *options)

    assert 2 == done.returncode
    assert words in done.stderr


def test_the_corpora_are_the_same_at_every_run(run: Path, tmp_path: Path, installed_packages: Packages) -> None:
    bench(tmp_path / "work", installed_packages, "--on", "legacy", "static-1k", "--peers", COPY)

    assert digests(run / "work/corpora") == digests(tmp_path / "work/corpora")


def digests(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 100
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

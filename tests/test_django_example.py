"""The Django example under its usual servers, in a real browser: its page, the admin's login and its forms."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assetbuild import Assets
from tests.browser import Browser, Visit, chromium_browser
from tests.servers import Server, running

EXAMPLE = Path(__file__).parents[1] / "examples/django"

# The user is there before a server is; a password of the test's own, hashed as fast as can be.
USER = """
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
User.objects.create_superuser("mason", password=None)
User.objects.update(password=make_password("clay", hasher="md5"))
"""
LOGIN = """
fetch("/admin/login/", {method: "POST", body: (() => {
    const form = new FormData(document.getElementById("login-form"));
    form.set("username", "mason"); form.set("password", "clay"); return form; })(),
}).then((answer) => new URL(answer.url).pathname)
"""
WIDGETS = [
    "document.querySelectorAll('.select2-container').length",
    "document.querySelectorAll('.selector-available').length",
    "document.querySelectorAll('.datetimeshortcuts').length",
    "document.querySelectorAll('#price_set-group .add-row').length",
    "(() => { const name = document.getElementById('id_name'); name.value = 'Red Brick';"
    " name.dispatchEvent(new Event('keyup')); name.dispatchEvent(new Event('change'));"
    " return document.getElementById('id_slug').value })()",
]


def manage(project: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=project, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout + done.stderr


def compile_assets(project: Path) -> None:
    command = [sys.executable, "-m", "assetbuild", "compile", "."]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the example, compiled by the command while it has no settings, with a database and a user."""
    passed_over = shutil.ignore_patterns("build", "__pycache__", "db.sqlite3")
    project = Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("django") / "site", ignore=passed_over))
    file = project / "yard/settings.py"
    settings = file.read_text()
    file.unlink()
    compile_assets(project)
    file.write_text(settings + "PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher']\n")
    manage(project, "migrate", "--verbosity=0")
    manage(project, "shell", "-c", USER)
    return project


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with chromium_browser(chromium) as found:
        yield found


SERVED = pytest.mark.parametrize(
    ("kind", "app", "environ"),
    [
        pytest.param("gunicorn", "yard.wsgi:application", {}, id="gunicorn"),
        pytest.param("uvicorn", "yard.asgi:application", {}, id="uvicorn"),
        pytest.param(
            (sys.executable, "manage.py", "runserver", "--noreload", "127.0.0.1:{port}"),
            "",
            {"DJANGO_DEBUG": "1"},
            id="runserver",
        ),
    ],
)


@SERVED
def test_the_page_and_the_admin_open_clean(
    site: Path, browser: Browser, kind: str | tuple[str, ...], app: str, environ: dict[str, str]
) -> None:
    with running(kind, app, folder=site, environ=environ) as server:
        page = browser.look(
            f"{server.url}/",
            "document.getElementById('greeting').textContent",
            "document.querySelector('form button').textContent",
            "document.getElementById('hills').width",
            "document.fonts.check('16px Brick')",
            ready="document.documentElement.dataset.ready",
        )
        login = browser.look(f"{server.url}/admin/login/?next=/admin/", LOGIN)
        index = browser.look(f"{server.url}/admin/", "document.getElementById('site-name').textContent.trim()")
        form = browser.look(f"{server.url}/admin/bricks/brick/add/", *WIDGETS)
        changelist = browser.look(
            f"{server.url}/admin/bricks/brick/", "document.querySelectorAll('#changelist').length"
        )

        log = server.output()

    assert [] == page.problems
    assert ["Bricks since 1926", "+ pallet", 480, True] == page.values
    assert [] == login.problems
    assert ["/admin/"] == login.values
    assert ([], ["Django administration"]) == (index.problems, index.values)
    assert [] == form.problems
    assert [1, 1, 4, 1, "red-brick"] == form.values
    assert ([], [1]) == (changelist.problems, changelist.values)
    assert "Traceback" not in log
    assert 20 < len(static_paths(server, page, login, index, form, changelist))


def static_paths(server: Server, *visits: Visit) -> set[str]:
    """Return the static files that were asked for, each under a hashed name."""
    paths = {url.removeprefix(server.url) for visit in visits for url in visit.requests}
    found = {path for path in paths if path.startswith("/static/")}
    assert {path for path in found if len(path.rpartition("-")[2].partition(".")[0]) == 10} == found
    return found


@pytest.mark.parametrize(("kind", "app"), [("gunicorn", "yard.wsgi:application"), ("uvicorn", "yard.asgi:application")])
def test_files_are_served_as_the_core_serves_them(site: Path, kind: str, app: str) -> None:
    with running(kind, app, folder=site) as server, httpx.Client(base_url=server.url) as client:
        page = client.get("/").text
        font = client.get(page.partition('href="')[2].partition('"')[0])
        missing = client.get("/static/admin/css/base.css")
        ready = client.get("/ready").json()
        icon = client.get("/favicon.ico")

    assert font.url.path.startswith("/static/bricks/fonts/brick-")
    kept = font.headers["content-type"], font.headers["cache-control"]
    assert ("font/woff2", "public, max-age=31536000, immutable") == kept
    assert (404, "no-store") == (missing.status_code, missing.headers["cache-control"])
    assert Assets.open(site / "build/assets/manifest.json").health() == ready
    assert (200, "no-cache") == (icon.status_code, icon.headers["cache-control"])


def test_a_new_compile_is_seen_by_runserver(site: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(site, tmp_path / "site"))
    runserver = (sys.executable, "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
    with (
        running(runserver, folder=project, environ={"DJANGO_DEBUG": "1"}) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        before = client.get("/").text
        (project / "bricks/static/bricks/scss/_tokens.scss").write_text("$brick: #123456; $sand: #fff;")
        compile_assets(project)
        after = client.get("/").text
        sheet = after.partition('rel="stylesheet" href="')[2].partition('"')[0]
        css = client.get(sheet)

    assert before != after
    assert (200, True) == (css.status_code, "#123456" in css.text)


def test_the_tests_of_the_example_need_no_build(tmp_path: Path) -> None:
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "site", ignore=shutil.ignore_patterns("build", "__pycache__")))

    assert "Ran 2 tests" in manage(project, "test", "--settings", "yard.test_settings")


def test_the_example_is_in_step_with_its_settings(site: Path) -> None:
    assert "System check identified no issues" in manage(site, "check", "--fail-level", "WARNING")
    assert "names all installed apps" in manage(site, "assetbuild", "sync", "--check")


def test_the_admin_is_compiled_where_there_are_no_settings(site: Path) -> None:
    names = [name for name in Assets.open(site / "build/assets/manifest.json") if name.startswith("admin/")]

    assert {"admin/css/base.css", "admin/img/icon-yes.svg", "admin/js/vendor/select2/select2.full.js"} <= {*names}
    assert 100 < len(names)

"""What RFC 9110 and browsers ask of a server of static files, asked of ours over real sockets, under real servers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from tests.http.checks import CHECKS, OFFERS
from tests.http.judge import NOT_OFFERED, verdicts
from tests.http.site import Site, built
from tests.servers import running

REPOSITORY = Path(__file__).parents[1]

# A mounted app is asked for nothing at the root of the site: that is its middleware's.
FORMS = {"middleware": frozenset(OFFERS), "mounted": frozenset(OFFERS) - {"root"}}
SERVERS = {
    "uvicorn": "asgi",
    "granian-asgi": "asgi",
    "granian-wsgi": "wsgi",
    "gunicorn": "wsgi",
    "waitress": "wsgi",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return built(tmp_path_factory.mktemp("site"))


def faults(site: Site, server: str, app: str, offers: Collection[str]) -> dict[str, str]:
    """Return what is wrong by check, and every check that was left out."""
    with running(server, app, folder=REPOSITORY, environ={"ASSETBUILD_MANIFEST": str(site.manifest)}) as started:
        return {name: fault for name, fault in verdicts(started.port, site, offers).items() if fault}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("server", SERVERS)
def test_every_check_holds(site: Site, server: str, form: str) -> None:
    found = faults(site, server, f"tests.http.{SERVERS[server]}:{form}", FORMS[form])

    left_out = [check.name for checks in CHECKS.values() for check in checks if not check.needs <= FORMS[form]]
    assert dict.fromkeys(left_out, NOT_OFFERED) == found


def test_the_checks_tell_a_server_that_is_wrong(site: Site) -> None:
    """WhiteNoise 6 reads Accept-Encoding by a search for the name, and If-None-Match as one tag."""
    (site.output.parent / "app.py").write_text(
        "from whitenoise import WhiteNoise\nfrom tests.http.apps import wsgi_page\n"
        f"app = WhiteNoise(wsgi_page, {str(site.output)!r}, 'static/')\n"
    )

    with running(
        "gunicorn", "app:app", folder=site.output.parent, environ={"PYTHONPATH": f"{REPOSITORY}:{site.output.parent}"}
    ) as server:
        found = verdicts(server.port, site, OFFERS)

    assert "Content-Encoding `gzip`" == found["`gzip;q=0` is not answered with gzip"]
    assert "status 200" == found["so does a list with the tag in it"]
    assert "status 416" == found["`bytes=0-0` is the first byte"]
    assert "" == found["If-None-Match with the tag gives 304"]


def test_no_check_has_the_name_of_another() -> None:
    names = [check.name for checks in CHECKS.values() for check in checks]

    assert len(names) == len({*names})
    assert len(names) >= 40

"""Fixtures of the serving core: both transports, and the assets of one output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild import Assets
from assetbuild.web.serve import negotiate
from tests.manifests import Document
from tests.serve.site import release
from tests.transports import TRANSPORTS, Answer, Transport


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Let every test read the header that it sends."""
    negotiate._memoised.cache_clear()


@pytest.fixture(params=TRANSPORTS, ids=lambda transport: transport.name)
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@pytest.fixture
def made(tmp_path: Path) -> Document:
    return release(tmp_path / "output")


@pytest.fixture
def assets(made: Document, tmp_path: Path) -> Assets:
    return Assets.open(tmp_path / "output/manifest.json", environ={})


@pytest.fixture
def ask(transport: Transport, assets: Assets) -> Callable[..., Answer]:
    """Return a function that asks the middleware before an application: `ask("/static/…", "HEAD", range="…")`."""
    app = transport.middleware(transport.page, assets)

    def asking(path: str, method: str = "GET", root: str = "", **headers: str) -> Answer:
        return transport.ask(app, path, method, {k.replace("_", "-"): v for k, v in headers.items()}, root)

    return asking

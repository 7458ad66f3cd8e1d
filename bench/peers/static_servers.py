"""The servers of static files that are measured beside ours: how each is started, and what it leaves out by design."""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.http.checks import OFFERS
from tests.http.site import PLACES, Site
from tests.servers import Server, running

__all__ = ["OURS", "PEERS", "Deployment", "serving", "versions"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_SITES = "bench.peers.static_sites"
_NGINX = shutil.which("nginx") or "nginx"
# The port is known last, and nginx takes it from its configuration alone.
NGINX = (
    "sh",
    "-c",
    'sed "s/{{port}}/{port}/" "$WORK/nginx.conf.in" > "$WORK/nginx.conf" && exec "$0" -p "$WORK" -c "$WORK/nginx.conf"',
    _NGINX,
)


class Deployment(NamedTuple):
    """A way to serve the site. kind: as `tests.servers.running` takes it. lacks: words of `OFFERS`."""

    name: str
    kind: str | Sequence[str]
    app: str = ""
    lacks: frozenset[str] = frozenset()
    options: Sequence[str] = ()
    environ: tuple[tuple[str, str], ...] = ()

    @property
    def offers(self) -> frozenset[str]:
        """What checks may ask for."""
        return frozenset(OFFERS) - self.lacks


OURS = (
    Deployment("assetbuild, uvicorn", "uvicorn", "tests.http.asgi:middleware"),
    Deployment("assetbuild, granian ASGI", "granian-asgi", "tests.http.asgi:middleware"),
    Deployment("assetbuild, granian WSGI", "granian-wsgi", "tests.http.wsgi:middleware"),
    Deployment("assetbuild, gunicorn", "gunicorn", "tests.http.wsgi:middleware"),
)

PEERS = (
    Deployment("nginx", NGINX, lacks=frozenset({"br", "app"})),
    Deployment("WhiteNoise, gunicorn", "gunicorn", f"{_SITES}:whitenoise"),
    Deployment("ServeStatic, gunicorn", "gunicorn", f"{_SITES}:servestatic_wsgi"),
    Deployment("ServeStatic, uvicorn", "uvicorn", f"{_SITES}:servestatic_asgi"),
    Deployment(
        "Starlette, uvicorn", "uvicorn", f"{_SITES}:starlette", frozenset({"gzip", "br", "lifetime", "stable", "root"})
    ),
    Deployment(
        "granian static path",
        "granian-asgi",
        f"{_SITES}:page",
        frozenset({"gzip", "br", "etag", "ranges", "stable", "root"}),
        ("--static-path-route", "/static", "--static-path-mount", "{output}", "--static-path-expires", "31536000"),
    ),
)


@contextlib.contextmanager
def serving(deployment: Deployment, site: Site, work: Path) -> Iterator[Server]:
    """Give the server of a deployment; `work` is a folder for what it needs beside the output."""
    root = work / "root"
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(site.output / PLACES["root"], root)
    facts = {"output": str(site.output), "root": str(root), "work": str(work)}
    if deployment.kind == NGINX:
        conf = (_REPOSITORY / "bench/peers/nginx.conf").read_text()
        for name, value in facts.items():
            conf = conf.replace(f"{{{name}}}", value)
        (work / "nginx.conf.in").write_text(conf)
    environ = site.environ(
        SITE_OUTPUT=str(site.output), SITE_ROOT=str(root), WORK=str(work), **dict(deployment.environ)
    )
    options = [option.replace("{output}", str(site.output)) for option in deployment.options]
    with running(deployment.kind, deployment.app, folder=_REPOSITORY, environ=environ, options=options) as server:
        yield server


def versions() -> str:
    """Return what was measured, with versions, for a sentence."""
    nginx = subprocess.run([_NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    names = ("WhiteNoise", "ServeStatic", "Starlette", "uvicorn", "granian", "gunicorn")
    found = [f"{name} {version(name)}" for name in names]
    return ", ".join([*found, f"nginx {nginx.strip().rpartition('/')[2]}", f"Python {platform.python_version()}"])

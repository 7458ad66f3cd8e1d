"""A log of ships in Pyramid: a Jinja template beside a view that answers with `static_path`."""

from collections.abc import Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.router import Router

SHIPS = [("Alma", "08:40", "coffee"), ("Brage", "11:05", "timber"), ("Cutty", "16:20", "tea")]


def home(_: Request) -> Mapping[str, Any]:
    """Return what the page shows."""
    return {"ships": SHIPS}


def paths(request: Request) -> Mapping[str, str]:
    """Return where scripts of other pages find a stylesheet and an image."""
    return {name: request.static_path(f"tides:static/{name}") for name in ("css/app.css", "img/flag.svg")}


def ready(request: Request) -> Mapping[str, str]:
    """Return which build this process serves."""
    return request.registry["assetbuild"].health()


def main(_global_config: Mapping[str, str] | None = None, **settings: Any) -> Router:
    """Return the application, as PasteDeploy and `waitress-serve --call` ask for it."""
    settings = {
        "assetbuild.manifest": "tides:../build/assets/manifest.json",
        "assetbuild.static": "tides:static",
        **settings,
    }
    with Configurator(settings=settings) as config:
        config.include("pyramid_jinja2")
        config.include("assetbuild.web.pyramid")
        config.add_route("home", "/")
        config.add_view(home, route_name="home", renderer="tides:templates/home.jinja2")
        config.add_route("paths", "/paths")
        config.add_view(paths, route_name="paths", renderer="json")
        config.add_route("ready", "/ready")
        config.add_view(ready, route_name="ready", renderer="json")
        return config.make_wsgi_app()

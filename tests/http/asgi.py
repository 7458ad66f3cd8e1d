"""Our ASGI half for servers: the assets of ASSETBUILD_MANIFEST as a middleware and as a mounted app."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Mount

from assetbuild import Assets
from assetbuild.web.asgi import AssetFiles, AssetMiddleware
from tests.http.apps import asgi_page

_assets = Assets.open()

middleware = AssetMiddleware(asgi_page, _assets)
mounted = Starlette(routes=[Mount("/static", AssetFiles(_assets), name="static"), Mount("/", asgi_page)])

"""Our ASGI half for servers: the assets of ASSETBUILD_MANIFEST as a middleware and as a mounted app.

MEMORY_BYTES: how many bytes of bodies they hold.
"""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.routing import Mount

from assetbuild import Assets
from assetbuild.web.asgi import AssetFiles, AssetMiddleware
from tests.http.apps import asgi_page

_assets = Assets.open()
_memory_bytes = int(os.environ.get("MEMORY_BYTES", "33554432"))

middleware = AssetMiddleware(asgi_page, _assets, memory_bytes=_memory_bytes)
mounted = Starlette(
    routes=[Mount("/static", AssetFiles(_assets, memory_bytes=_memory_bytes), name="static"), Mount("/", asgi_page)]
)

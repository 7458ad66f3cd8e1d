"""Our WSGI half for servers: the assets of ASSETBUILD_MANIFEST as a middleware and as a mounted app.

MEMORY_BYTES: how many bytes of bodies they hold.
"""

from __future__ import annotations

import os

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from assetbuild import Assets
from assetbuild.web.wsgi import AssetFiles, AssetMiddleware
from tests.http.apps import wsgi_page

_assets = Assets.open()
_memory_bytes = int(os.environ.get("MEMORY_BYTES", "33554432"))

middleware = AssetMiddleware(wsgi_page, _assets, memory_bytes=_memory_bytes)
mounted = DispatcherMiddleware(wsgi_page, {"/static": AssetFiles(_assets, memory_bytes=_memory_bytes)})

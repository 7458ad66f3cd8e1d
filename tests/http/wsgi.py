"""Our WSGI half for servers: the assets of ASSETBUILD_MANIFEST as a middleware and as a mounted app."""

from __future__ import annotations

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from assetbuild import Assets
from assetbuild.web.wsgi import AssetFiles, AssetMiddleware
from tests.http.apps import wsgi_page

_assets = Assets.open()

middleware = AssetMiddleware(wsgi_page, _assets)
mounted = DispatcherMiddleware(wsgi_page, {"/static": AssetFiles(_assets)})

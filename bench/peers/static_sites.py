"""Other servers of static files over the same output, each set up as its documentation says for hashed names.

SITE_OUTPUT: the compiled output. SITE_ROOT: a folder with the files of the site's root.
"""

from __future__ import annotations

import os
import re

from servestatic import ServeStatic, ServeStaticASGI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from whitenoise import WhiteNoise

from tests.http.apps import asgi_page, wsgi_page

_HASHED = re.compile(r"^/static/.+-[a-z2-7]{10}\.\w+$")


def _is_hashed(_: str, url: str) -> bool:
    """Return whether a URL names its bytes for ever: what both libraries ask for as `immutable_file_test`."""
    return _HASHED.match(url) is not None


def _filled(server):
    server.add_files(os.environ["SITE_OUTPUT"], prefix="/static/")
    server.add_files(os.environ["SITE_ROOT"], prefix="/")
    return server


whitenoise = _filled(WhiteNoise(wsgi_page, max_age=0, immutable_file_test=_is_hashed))
servestatic_wsgi = _filled(ServeStatic(wsgi_page, max_age=0, immutable_file_test=_is_hashed))
servestatic_asgi = _filled(ServeStaticASGI(asgi_page, max_age=0, immutable_file_test=_is_hashed))
starlette = Starlette(
    routes=[Mount("/static", StaticFiles(directory=os.environ["SITE_OUTPUT"])), Mount("/", asgi_page)]
)
page = asgi_page

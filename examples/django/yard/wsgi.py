"""WSGI: published files are answered before Django sees the request."""

import os

from django.core.wsgi import get_wsgi_application

from assetbuild.web.django import get_assets
from assetbuild.web.wsgi import AssetMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yard.settings")

application = AssetMiddleware(get_wsgi_application(), get_assets())

"""ASGI: published files are answered before Django sees the request."""

import os

from django.core.asgi import get_asgi_application

from assetbuild.web.asgi import AssetMiddleware
from assetbuild.web.django import get_assets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yard.settings")

application = AssetMiddleware(get_asgi_application(), get_assets())

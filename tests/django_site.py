"""A Django site in this process for tests: settings for a while, and templates from a text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.template import Context, Template, engines
from django.test.utils import override_settings

__all__ = ["MANIFEST_STORAGE", "STUB_STORAGE", "django_site", "rendered"]

MANIFEST_STORAGE = "assetbuild.web.django.storage.ManifestStorage"
STUB_STORAGE = "assetbuild.web.django.storage.StubStorage"

_TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


@contextlib.contextmanager
def django_site(folder: Path, *, storage: str = MANIFEST_STORAGE, **more: Any) -> Iterator[None]:
    """Give a site whose project folder is `folder`. more: settings; those in small letters are OPTIONS of the storage.

    Django can be set up once in a process, and everything that it may change afterwards is changed back at the end.
    """
    if not settings.configured:
        settings.configure(SECRET_KEY="only for tests", USE_TZ=True)
        django.setup()
    options = {name: value for name, value in more.items() if name.islower()}
    given = {
        "BASE_DIR": folder,
        "INSTALLED_APPS": ["django.contrib.staticfiles", "assetbuild.web.django"],
        "STATIC_URL": "/static/",
        "STATICFILES_FINDERS": ["assetbuild.web.django.finders.PublishedFinder"],
        "STORAGES": {"staticfiles": {"BACKEND": storage, "OPTIONS": options}},
        "TEMPLATES": _TEMPLATES,
        **{name: value for name, value in more.items() if name.isupper()},
    }
    with override_settings(**given):
        yield


def rendered(text: str, **context: Any) -> str:
    """Return what a Django template with `{% load static assetbuild %}` gives."""
    template = Template("{% load static assetbuild %}" + text, engine=engines["django"].engine)
    return str(template.render(Context(context)))
